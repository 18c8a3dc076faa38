"""What operators are told first: in lines, of the practice and of single practitioners, and bounded."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from callcenter.kernel.errors import DataProblems
from callcenter.practice.changing import warnings
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import demo_id
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.instructions import LONGEST_INSTRUCTIONS, Instructions
from callcenter.practice.practice_file import read_practice_file
from callcenter.practice.practice_form import PracticeForm, Setting, as_written

FILE = Path(FOLDER) / "practices" / "cabinet-des-tilleuls.yaml"
ORGANISATION = demo_id("organisation", "tests")


@pytest.fixture(scope="module")
def tilleuls() -> PracticeFacts:
    return read_practice_file(FILE, ORGANISATION, demo_id).facts


def read(tilleuls: PracticeFacts, value: Any) -> Instructions:
    written = {**as_written(tilleuls), Setting.INSTRUCTIONS: value}
    form = PracticeForm.model_validate(written)
    return form.facts(id=tilleuls.id, organisation_id=ORGANISATION, slug=tilleuls.slug).instructions


def test_a_text_alone_is_the_practices_whatever_ends_its_lines(tilleuls: PracticeFacts) -> None:
    assert read(tilleuls, "Prendre un message.\r\nJamais d’avis.\r\n") == Instructions(
        "Prendre un message.\nJamais d’avis."
    )


def test_practitioners_have_instructions_of_their_own_and_whoever_says_nothing_has_none(
    tilleuls: PracticeFacts,
) -> None:
    told = {"practice": "Un message.", "practitioners": {"Claire Moreau": "Pas le mardi.", "Nadia Benali": " "}}
    instructions = read(tilleuls, told)
    assert instructions == Instructions("Un message.", {"Claire Moreau": "Pas le mardi."})
    assert instructions.text == "Un message.\n\nClaire Moreau :\nPas le mardi."


def test_they_are_read_back_as_they_were_written(tilleuls: PracticeFacts) -> None:
    assert tilleuls.instructions.practitioners
    assert PracticeForm.model_validate(as_written(tilleuls)).instructions.instructions() == tilleuls.instructions


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("x" * (LONGEST_INSTRUCTIONS + 1), "longer than 4000"),
        ({"practice": "x" * 2100, "practitioners": {"Claire Moreau": "y" * 1900}}, "longer than 4000"),
        ("sonnerie \x07", "control character"),
        ({"practice": "x", "patients": "y"}, "Extra inputs"),
    ],
)
def test_what_cannot_be_kept_is_refused(tilleuls: PracticeFacts, value: Any, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        read(tilleuls, value)


def test_a_revision_without_words_is_nothing_to_acknowledge(tilleuls: PracticeFacts) -> None:
    def revision(value: str) -> int:
        form = PracticeForm.model_validate({**as_written(tilleuls), Setting.INSTRUCTIONS: value})
        given = {"id": tilleuls.id, "organisation_id": ORGANISATION, "slug": tilleuls.slug}
        return form.facts(**given, instructions_revision=7).instructions_revision

    assert (revision("Un message."), revision(" ")) == (7, 0)


def test_operators_read_all_of_it(tilleuls: PracticeFacts) -> None:
    said = tilleuls.public(datetime(2026, 11, 26, 10, tzinfo=ZoneInfo("Europe/Paris")))["practice.instructions"]
    assert str(said).startswith("Aucun avis médical")
    assert "Claire Moreau :\nVisites" in str(said)


def test_what_looks_like_a_patient_is_warned_of_but_a_number_to_ring_is_not() -> None:
    assert warnings(Setting.INSTRUCTIONS, {"practitioners": {"Claire Moreau": "Mme Duval est attendue."}}) == [
        "it seems to hold a name: every operator reads it"
    ]
    assert warnings(Setting.INSTRUCTIONS, "Urgence : 04 65 71 00 92. Jamais Claire Moreau le mardi.") == []


def test_a_file_that_instructs_for_a_stranger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tilleuls.yaml"
    path.write_text(FILE.read_text(encoding="utf-8").replace("    Claire Moreau: Visites", "    Luc Petit: Visites"))
    with pytest.raises(DataProblems, match="Luc Petit » is no practitioner of the practice, and has no instructions"):
        read_practice_file(path, ORGANISATION, demo_id)


def test_a_practice_that_has_never_written_any_has_none(tilleuls: PracticeFacts) -> None:
    written = dict(as_written(replace(tilleuls, instructions=Instructions())))
    del written[Setting.INSTRUCTIONS]
    assert PracticeForm.model_validate(written).instructions.instructions().text == ""
