"""What is kept of a script comes back as it was; a screen holds what its fields take, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from callcenter.audit.ledger import Segment
from callcenter.calls.script_screens import drafts_of, screen_from_json, screen_to_json, with_drafts
from callcenter.calls.script_session import ScriptSession, shown_from_json, shown_to_json
from callcenter.calls.script_values import ShownField
from callcenter.flow.conversation import Line
from callcenter.flow.screens import (
    AtKeys,
    Choice,
    FieldKind,
    FileItem,
    Files,
    Finished,
    Form,
    FormField,
    Option,
    Screen,
)
from callcenter.flow.state import State
from callcenter.kernel.errors import IntegrityError
from callcenter.kernel.labels import Category

WORDS = Line("prompt", "Des mots « entre guillemets »", "fr")
OPTIONS = (Option("send", WORDS), Option("3", replace(WORDS, language="en"), "3"))
FORM = Form(
    (WORDS,),
    (
        FormField("text", FieldKind.TEXT, WORDS, required=True, longest=12, value="<b>", fault=WORDS),
        FormField("whom", FieldKind.CHOICE, WORDS, required=False, longest=9, options=OPTIONS),
    ),
    OPTIONS,
    way=1,
)
SCREENS: tuple[Screen, ...] = (
    Choice((WORDS, WORDS), OPTIONS, way=1),
    FORM,
    AtKeys((WORDS,), OPTIONS, way=1),
    Files(
        (WORDS,), (FileItem("reveal:x", "x", Category.PLACE, WORDS, True, "1"),), OPTIONS, "https://agenda.example/", 1
    ),
    Finished((WORDS,), way=1),
)


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: type(screen).__name__)
def test_a_screen_comes_back_as_it_was(screen: Screen) -> None:
    assert screen_from_json(screen_to_json(screen)) == screen


def test_a_screen_that_was_kept_before_its_way_was_told_apart_has_none() -> None:
    kept = screen_to_json(SCREENS[0])
    del kept["way"]
    assert screen_from_json(kept) == replace(SCREENS[0], way=0)


def test_a_script_comes_back_as_it_was() -> None:
    segment = Segment(UUID(int=1), UUID(int=2), 7, b"\x01" * 32)
    script = ScriptSession("0f" * 32, State("here", bound={"appointment": UUID(int=3)}), segment, FORM, {"text": "à"})
    assert ScriptSession.from_json(script.to_json()) == script


def test_a_script_of_another_version_is_not_guessed_at() -> None:
    script = ScriptSession("0f" * 32, State("here"), Segment(UUID(int=1), None), FORM)
    with pytest.raises(IntegrityError):
        ScriptSession.from_json(script.to_json().replace(b'"v": 1', b'"v": 0'))


def test_what_may_be_seen_comes_back_with_its_end() -> None:
    until = datetime(2026, 11, 26, 9, 1, tzinfo=UTC) + timedelta(microseconds=5)
    since = until - timedelta(seconds=60)
    fields = (ShownField("appointment.place", Category.PLACE, "Étage 2", since, until, UUID(int=4)),)
    assert shown_from_json(shown_to_json(fields)) == fields
    before = json.dumps([{key: kept for key, kept in json.loads(shown_to_json(fields))[0].items() if key != "since"}])
    assert shown_from_json(before.encode()) == (), "of a version that did not keep since when: seen no more"


def test_a_value_and_what_was_typed_stand_in_no_log() -> None:
    now = datetime.now(UTC)
    field = ShownField("appointment.place", Category.PLACE, "Étage 2", now, now, UUID(int=4))
    script = ScriptSession("", State("here"), Segment(UUID(int=1), None), Finished(()), {"text": "Étage 2"})
    assert "Étage" not in repr(field) + repr(script) + repr(FORM.fields[0])


def test_a_draft_is_what_the_fields_take() -> None:
    drafts = drafts_of(FORM, {"text": "0123456789abcdef", "note": "of another screen"})
    assert drafts == {"text": "0123456789ab"}
    shown = with_drafts(FORM, drafts)
    assert isinstance(shown, Form)
    assert [one.value for one in shown.fields] == ["0123456789ab", ""]
    assert drafts_of(SCREENS[0], {"text": "x"}) == {}
    assert with_drafts(SCREENS[0], {"text": "x"}) == SCREENS[0]
