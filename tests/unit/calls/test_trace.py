"""A call's trace names prompts and counts keys; what was typed is nowhere in it."""

from __future__ import annotations

from callcenter.calls.trace import Trace, heard_in, typed_in
from callcenter.flow.conversation import HangUp, Keyed, Line, Question, Recorded, Started
from callcenter.flow.state import Phase

SAID = Line("welcome", "Cabinet des Tilleuls, bonjour.")
ASKED = Line("main_menu", "Pour un rendez-vous, tapez 1.")


def test_what_is_said_before_a_question_and_with_it_is_named_in_order() -> None:
    assert heard_in((SAID,), Question((ASKED,), 1, 10)) == ("welcome", "main_menu")
    assert heard_in((SAID,), None) == ("welcome",), "the question stands in the next document"
    assert heard_in((SAID,), HangUp()) == ("welcome",)


def test_keys_are_counted_and_never_kept() -> None:
    assert [typed_in(Keyed("14031962")), typed_in(Keyed("")), typed_in(Recorded("RE1", 12)), typed_in(Started())] == [
        8,
        0,
        12,
        None,
    ]
    row = Trace("f" * 64, "fr", Phase.BIRTH_DATE, typed_in(Keyed("14031962")), ("birth_date",)).to_row()
    assert row["typed"] == 8
    assert "14031962" not in str(row)
