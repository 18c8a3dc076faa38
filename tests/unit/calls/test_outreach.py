"""Which number a call of ours shows, and a text names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from callcenter.calls.appointment_texts import number_to_name
from callcenter.calls.outreach import number_to_show
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import demo_id
from callcenter.practice.facts import Door, PracticeFacts
from callcenter.practice.numbers import E164
from callcenter.practice.practice_file import read_practice_file
from callcenter.practice.values import EntryKind

MOBILE, LANDLINE, OTHER = E164("+33639980077"), E164("+33465710055"), E164("+33465710056")


@pytest.fixture(scope="module")
def tilleuls() -> PracticeFacts:
    path = Path(FOLDER) / "practices" / "cabinet-des-tilleuls.yaml"
    return read_practice_file(path, UUID(int=1), demo_id).facts


def answering(facts: PracticeFacts, **doors: EntryKind) -> PracticeFacts:
    numbers = {"mobile": MOBILE, "landline": LANDLINE, "other": OTHER}
    return replace(facts, numbers={numbers[name]: Door(entry, None) for name, entry in doors.items()})


def test_ou05_a_06_or_07_is_never_shown_though_it_is_the_main_number(tilleuls: PracticeFacts) -> None:
    both = answering(tilleuls, mobile=EntryKind.MAIN, landline=EntryKind.OVERFLOW)
    assert number_to_show(both) == LANDLINE
    alone = answering(tilleuls, mobile=EntryKind.MAIN)
    assert (number_to_show(alone), number_to_name(alone)) == (None, tilleuls.rescue_number)


def test_the_main_number_is_shown_before_others(tilleuls: PracticeFacts) -> None:
    assert number_to_show(answering(tilleuls, landline=EntryKind.OVERFLOW, other=EntryKind.MAIN)) == OTHER
