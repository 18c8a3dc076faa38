"""A prompt's words in a timeline: fields by name, and round what is said only sometimes."""

from __future__ import annotations

import pytest

from callcenter.flow.prompts import Prompt
from callcenter.flow.template import parse
from callcenter.kernel.labels import Category
from callcenter.reports.describing import labelled
from callcenter.reports.words import LABELS

OPEN, PLACE = LABELS.get("practice.is_open", "practice.is_open"), LABELS.get("appointment.place", "appointment.place")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Bonjour{% if appointment.place %}, {{ appointment.place }}{% endif %}.", f"Bonjour ([{PLACE}])."),
        ("{% if practice.is_open %}Ouvert{% endif %}.", f"(si {OPEN} : Ouvert)."),
        ("{% if practice.is_open %}Oui{% else %}Non{% endif %}.", f"(si {OPEN} : Oui) (sans {OPEN} : Non)."),
        ("{% if not practice.is_open %}Non{% endif %}.", f"(sans {OPEN} : Non)."),
        ("Dites : « Oui »", "Dites : “Oui”"),
    ],
)
def test_what_is_said_sometimes_stands_in_brackets_with_its_condition(text: str, shown: str) -> None:
    parts, faults = parse(text)
    assert not faults
    assert labelled(Prompt("x", text, parts)) == shown


NEXT = (
    "Le {{ appointment.starts_at | spoken_date }}{% if appointment.practitioner %}, avec "
    "{{ appointment.practitioner | spoken_name }}{% endif %}"
    "{% if appointment.place %}, {{ appointment.place }}{% endif %}."
)
WHEN, WHOM = LABELS.get("appointment.starts_at", ""), LABELS.get("appointment.practitioner", "")
TIME = frozenset({Category.APPOINTMENT_EXISTS, Category.APPOINTMENT_TIME})


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (TIME, f"Le [{WHEN}]."),
        (TIME | {Category.PRACTITIONER}, f"Le [{WHEN}], avec [{WHOM}]."),
        (TIME | {Category.PLACE}, f"Le [{WHEN}] ([{PLACE}])."),
        (None, f"Le [{WHEN}] (avec [{WHOM}]) ([{PLACE}])."),
    ],
)
def test_what_was_not_granted_was_not_heard_and_is_not_shown(told: frozenset[Category] | None, shown: str) -> None:
    parts, faults = parse(NEXT)
    assert not faults
    assert labelled(Prompt("x", NEXT, parts), told) == shown
