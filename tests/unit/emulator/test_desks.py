"""A screen beside the telephone: what is awaited on it, and what is found instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from callcenter.emulator.desks import seen


@dataclass
class Screens:
    """One screen after another, at each look; the last one stays."""

    stand: list[str | None]
    answered: list[tuple[str | None, Mapping[str, str]]] = field(default_factory=list)

    async def words(self, login: str) -> str | None:
        return self.stand.pop(0) if len(self.stand) > 1 else self.stand[0]

    async def answer(self, login: str, choice: str | None, values: Mapping[str, str]) -> str | None:
        self.answered.append((choice, values))
        return None

    async def emergency(self, login: str) -> str | None:
        return None


HOUR = re.compile("14 h 30", re.IGNORECASE)


async def test_what_comes_to_stand_there_is_seen() -> None:
    screens = Screens([None, "Consignes", "Rendez-vous à 14\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}30"])
    assert await seen(screens, "operatrice1", HOUR, 5.0, absent=False) is None


async def test_any_screen_is_one() -> None:
    assert await seen(Screens(["Consignes"]), "operatrice1", None, 0.0, absent=False) is None


@pytest.mark.parametrize(("stands", "instead"), [(None, "aucun écran"), ("Consignes", "« Consignes »")])
async def test_what_stands_there_instead_is_told(stands: str | None, instead: str) -> None:
    assert await seen(Screens([stands]), "operatrice1", HOUR, 0.0, absent=False) == instead


async def test_what_is_not_to_stand_there_is_looked_for_once() -> None:
    assert await seen(Screens(["Consignes", "14 h 30"]), "operatrice1", HOUR, 5.0, absent=True) is None
    assert await seen(Screens(["14 h 30"]), "operatrice1", HOUR, 5.0, absent=True) == "« 14 h 30 »"
    assert await seen(Screens([None]), "operatrice1", HOUR, 5.0, absent=True) is None
