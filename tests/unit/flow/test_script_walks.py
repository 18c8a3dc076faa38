"""Operators who answer at random: they are never stuck, and see nothing of anybody who has not just proved it (P2, P9).

The record here shows whatever it is asked for: that only the right things are asked of it is the script's own doing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.flow import script_verifying
from callcenter.flow.language import Act
from callcenter.flow.load import load_flow
from callcenter.flow.outcomes import Left
from callcenter.flow.ports import BookablePractitioner, Done
from callcenter.flow.screens import Filled, Form
from callcenter.flow.script_ports import Declared, Revealed
from callcenter.kernel.labels import Category
from callcenter.kernel.levels import Level
from tests.unit.flow.doubles import NOW, Appointment, MemoryVerifier, Patient
from tests.unit.flow.script_doubles import BOOK, EXTERNAL, PUBLIC, ROOT, MemoryScriptRecord, Script

OPERATEUR = load_flow(ROOT / "flows/operateur.yaml", BOOK)
MINE = "+33639980001"


def patient(born: date, *visits: int) -> Patient:
    appointments = tuple(Appointment(UUID(int=visit), NOW + timedelta(days=visit)) for visit in visits)
    return Patient(born, frozenset({MINE}), MINE, appointments)


#: Two who share a telephone, as many couples do, and one who has nothing to come.
PEOPLE = (patient(date(1962, 3, 14), 3, 40), patient(date(1948, 3, 5), 4, 50), patient(date(1930, 1, 1)))


@dataclass
class Seen:
    """What was asked of the record, and who had proved what by then."""

    reference: UUID | None
    level: Level
    whose: Patient | None


@dataclass
class Watching(MemoryScriptRecord):
    """Shows, takes for told and does whatever it is asked, and notes who had proved what."""

    keys: MemoryVerifier
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.keys, [NOW + timedelta(days=day) for day in (6, 7)])

    def note(self, reference: UUID | None) -> None:
        self.seen.append(Seen(reference, self.keys.level, self.keys.verified))

    async def show(self, path: str, bound: Mapping[str, UUID]) -> Revealed:
        self.note(bound["appointment"])
        return Revealed()

    async def declare(self, category: Category) -> Declared:
        self.note(None)
        return Declared()

    async def perform(self, act: Act, reference: UUID) -> Done:
        self.note(reference)
        return Done()

    async def move(self, appointment: UUID, starts_at: datetime) -> Done:
        self.note(appointment)
        return Done()


def wrong(seen: Seen) -> bool:
    """Whether somebody was told something of another than who had proved it, or without any proof."""
    mine = set() if seen.whose is None else {visit.reference for visit in seen.whose.appointments}
    return seen.level < Level.VERIFIED or (seen.reference is not None and seen.reference not in mine)


BORN = st.sampled_from(["14031962", "05031948", "01011930", "03041975", "no date"])
#: Which option; whether the caller types the right code; what is typed as birth date.
ANSWERS = st.lists(st.tuples(st.integers(0, 60), st.booleans(), BORN), max_size=60)


async def walked(answers: list[tuple[int, bool, str]], *, external: bool) -> tuple[Script, list[Seen]]:
    practitioners = [BookablePractitioner(UUID(int=7), "Dr Claire Moreau", new_patients=True)]
    free = [NOW + timedelta(days=5, hours=hour) for hour in range(3)]
    public = {**PUBLIC, **(EXTERNAL if external else {})}
    script = Script(OPERATEUR, PEOPLE, public=public, practitioners=practitioners, free=free)
    record = Watching(script.keys)
    script.record = record
    await script.begin()
    for number, right, born in answers:
        if script.finished:
            break
        if script.waits and number % 8:
            await script.caller_types(None if right else "wrong")
            continue
        fields = [one.name for one in script.screen.fields] if isinstance(script.screen, Form) else []
        typed: dict[str, Any] = {name: born if "birth" in name else "0639980001" for name in fields}
        told = {"urgency": "normal", "disposition": "told"}
        values = {name: told.get(name, value) for name, value in typed.items()}
        await script.send(Filled(script.offered[number % len(script.offered)], values))
    return script, record.seen


@given(ANSWERS, st.booleans())
@settings(max_examples=150, deadline=None)
async def test_p2_operators_at_random_see_nothing_but_of_whoever_has_just_proved_it(
    answers: list[tuple[int, bool, str]],
    external: bool,
) -> None:
    script, seen = await walked(answers, external=external)
    assert not [one for one in seen if wrong(one)]
    assert script.finished or script.offered


#: « Vérifier l'identité », the first patient's birth date, their code, the first field; « Continuer »,
#: « Autre demande », « Autre patient »; and the same for the second.
FIRST = [
    (5, True, ""),
    (0, True, "14031962"),
    (1, True, ""),
    (0, True, ""),
    (3, True, ""),
    (5, True, ""),
    (1, True, ""),
]
SECOND = [(5, True, ""), (0, True, "05031948"), (1, True, ""), (0, True, "")]


async def test_p2_two_patients_of_one_call_are_each_seen_by_their_own_proof() -> None:
    _, seen = await walked([*FIRST, *SECOND], external=False)
    assert [(one.reference, one.whose) for one in seen] == [(UUID(int=3), PEOPLE[0]), (UUID(int=4), PEOPLE[1])]


async def test_p9_that_walk_would_see_a_step_that_lets_everybody_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    async def passing(step: Any, state: Any, scene: Any) -> Left:
        return Left("verified", state)

    told = [(5, True, ""), (0, True, "")]  # « Vérifier l'identité », and the first category
    _, seen = await walked(told, external=True)
    assert seen == []
    monkeypatch.setattr(script_verifying, "enter", passing)
    _, seen = await walked(told, external=True)
    assert [wrong(one) for one in seen] == [True]
