"""What the gate is asked where words about an appointment or a slot are told."""

from __future__ import annotations

from uuid import UUID

import pytest

from callcenter.calls import record, references
from callcenter.disclosure.gate import Inquiry
from callcenter.flow.prompts import Prompt
from callcenter.flow.template import parse
from callcenter.kernel.labels import Category

WHICH = UUID(int=1)


def asked(field: str) -> Inquiry:
    """For words that may all be left out."""
    text = f"Bonjour.{{% if {field} %}} {{{{ {field} }}}}{{% endif %}}"
    parts, faults = parse(text)
    assert not faults
    words = Prompt("words", text, parts, optional=frozenset({field}))
    if field.startswith("slot."):
        return references._inquiry(words, WHICH, frozenset())
    return record._inquiry(words, {"appointment": WHICH})


@pytest.mark.parametrize("field", ["appointment.place", "appointment.practitioner", "slot.place"])
def test_p1_words_that_may_all_be_left_out_tell_that_there_is_an_appointment(field: str) -> None:
    assert asked(field).categories == {Category.APPOINTMENT_EXISTS}
