"""Patients who do not exist, made with Faker from a fixed seed: the same people at every start."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from faker import Faker

from callcenter.practice.numbers import E164

#: Ranges that the Arcep reserves for fiction; the first hundred of each is left to those who are named.
_MOBILES = "+3363998"
_LANDLINES = "+3346571"
_FIRST_LINE = 100

_BORN_FROM, _BORN_DAYS = date(1932, 1, 1), 88 * 365


@dataclass(frozen=True, slots=True)
class InventedPatient:
    """Somebody who does not exist.

    Arguments:
        traits: cells as a practice's file would have them.
        phones: E.164: a mobile, a landline or both.
    """

    key: str
    traits: dict[str, str]
    phones: tuple[E164, ...]


def invent_patients(count: int, seed: int) -> tuple[InventedPatient, ...]:
    """``count`` people, always the same for the same ``seed``."""
    chance = random.Random(seed)  # noqa: S311  # people who do not exist need no secrets
    faker = Faker("fr_FR")
    faker.seed_instance(seed)
    return tuple(_invent(index, faker, chance) for index in range(count))


def _invent(index: int, faker: Faker, chance: random.Random) -> InventedPatient:
    sex = chance.choice("FM")
    first_name = faker.first_name_female() if sex == "F" else faker.first_name_male()
    traits = {
        "birth_name": faker.last_name(),
        "first_name": first_name,
        "birth_date": (_BORN_FROM + timedelta(days=chance.randrange(_BORN_DAYS))).isoformat(),
        "sex": sex,
        "identity_status": chance.choice(("PROV", "VALI", "VALI", "QUAL")),
    }
    line = f"{_FIRST_LINE + index:04}"
    mobile, landline = E164(_MOBILES + line), E164(_LANDLINES + line)
    phones = chance.choices(((mobile,), (mobile, landline), (landline,)), weights=(7, 2, 1))[0]
    return InventedPatient(f"invente-{index + 1:03}", traits, phones)
