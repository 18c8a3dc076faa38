"""An operator, their caller and the ports of a script in memory: a whole talk with nothing but values.

They keep the promises of the real ports: the code is asked for in the same way whoever was claimed, nothing of a record
comes out without a level, and what was proved ends when somebody else is spoken of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from callcenter.calls.script_screens import screen_from_json, screen_to_json
from callcenter.flow.conversation import Started
from callcenter.flow.language import Flow
from callcenter.flow.outcomes import Prompts
from callcenter.flow.ports import (
    Addressee,
    BookablePractitioner,
    BookingMade,
    Caller,
    CodeSent,
    Done,
    Failed,
    NoMoreCodes,
    NoSlot,
    Offered,
    VerificationDown,
    Withheld,
)
from callcenter.flow.prompts import PromptBook
from callcenter.flow.screens import SEND, AtKeys, Choice, Files, Filled, Finished, Form, Returned, Screen, ScriptEvent
from callcenter.flow.script_engine import advance_script
from callcenter.flow.script_language import Disposition, Shown
from callcenter.flow.script_ports import CodeAsked, Declared, NotNow, Revealed, ScriptWorld
from callcenter.flow.state import State, initial
from callcenter.kernel.labels import Category
from callcenter.kernel.levels import Level
from tests.unit.flow.doubles import NOW, MemoryMessages, MemoryRecord, MemoryVerifier, Patient

ROOT = Path(__file__).resolve().parents[3]
BOOK = PromptBook.load(ROOT / "flows/prompts/fr.yaml")
PUBLIC: Mapping[str, str | bool] = {
    "practice.opening_hours": "du lundi au vendredi, de 9 heures à 18 heures",
    "practice.address": "3 rue des Tilleuls",
    "practice.access": "",
    "practice.agenda": "internal",
    "practice.agenda_link": "",
    "practice.instructions": "Pas de rendez-vous le mercredi.\nLe docteur rappelle à midi.",
    "script.instructions_changed": False,
}
EXTERNAL: Mapping[str, str | bool] = {
    "practice.agenda": "external",
    "practice.agenda_link": "https://agenda.example.org/",
}


class MemoryScriptVerifier:
    """Has the caller prove it at their keys, against a table of patients.

    Arguments:
        keys: what their own flow does there.
    """

    def __init__(self, keys: MemoryVerifier) -> None:
        self.keys = keys
        self.not_now = False

    async def standing(self) -> Level:
        return await self.keys.standing()

    async def by_keypad(self, birth_date: date, telephone: str) -> CodeAsked | NoMoreCodes | VerificationDown | NotNow:
        if self.not_now:
            return NotNow()
        self.keys.level, self.keys.verified = Level.UNKNOWN, None
        opened = await self.keys.open_challenge(birth_date, telephone)
        return CodeAsked() if isinstance(opened, CodeSent) else opened

    async def forget(self) -> None:
        self.keys.level, self.keys.verified = Level.UNKNOWN, None


class MemoryScriptRecord(MemoryRecord):
    """The appointments of whoever was verified, with a ledger of what an operator saw, told and did."""

    def __init__(self, keys: MemoryVerifier, free: Sequence[datetime]) -> None:
        super().__init__(keys)
        self.withholds: set[str] = set()
        self.free = list(free)
        self.moved: list[tuple[UUID, datetime]] = []
        self.taken: set[datetime] = set()

    async def show(self, path: str, bound: Mapping[str, UUID]) -> Revealed | Withheld:
        if self._withheld() or path in self.withholds or bound["appointment"] not in self._all():
            return Withheld()
        self.ledger.append(("show", f"{path} of {bound['appointment']}"))
        return Revealed()

    async def declare(self, category: Category) -> Declared | Withheld:
        if self._withheld() or category in self.withholds:
            return Withheld()
        self.ledger.append(("declare", category.value))
        return Declared()

    async def slots_for(self, appointment: UUID, after: datetime | None) -> Sequence[datetime]:
        if self._withheld() or appointment not in self._all():
            return ()
        return [one for one in self.free if (after is None or one > after) and one not in self.taken][:8]

    async def move(self, appointment: UUID, starts_at: datetime) -> Done | Failed:
        if self._withheld() or starts_at in self.taken or appointment not in self._all():
            return Failed()
        self.moved.append((appointment, starts_at))
        return Done()


class MemoryScriptBooking:
    """Free slots of some practitioners, and what was booked of them."""

    def __init__(self, practitioners: Sequence[BookablePractitioner], free: Sequence[datetime]) -> None:
        self.free = list(free)
        self.held: datetime | None = None
        self.booked: list[tuple[datetime, date, str]] = []
        self.held_with: UUID | None = None
        self._practitioners = list(practitioners)

    def change(self, practitioners: Sequence[BookablePractitioner]) -> None:
        """The practice says anew who is booked by telephone."""
        self._practitioners = list(practitioners)

    async def practitioners(self) -> Sequence[BookablePractitioner]:
        return self._practitioners

    async def slots(self, practitioner: UUID, after: datetime | None) -> Sequence[datetime]:
        return [one for one in self.free if after is None or one > after][:8]

    async def hold(self, practitioner: UUID, starts_at: datetime) -> Offered | NoSlot:
        if starts_at not in self.free:
            return NoSlot()
        self.held, self.held_with = starts_at, practitioner
        return Offered(next(one.name for one in self._practitioners if one.id == practitioner), starts_at)

    async def book(self, birth_date: date, number: str) -> BookingMade | NoSlot:
        if self.held not in self.free or self.held is None:
            return NoSlot()
        self.free.remove(self.held)
        self.booked.append((self.held, birth_date, number))
        return BookingMade("48271936")

    async def release(self) -> None:
        self.held = None


class MemoryNotes:
    def __init__(self) -> None:
        self.acknowledged: list[Shown] = []
        self.disposed: list[tuple[Disposition, str]] = []

    async def acknowledge(self, what: Shown) -> None:
        self.acknowledged.append(what)

    async def dispose(self, disposition: Disposition, note: str) -> None:
        self.disposed.append((disposition, note))


@dataclass
class Script:
    """One script. Between two answers state and screen go through JSON, as they do where one is run.

    Arguments:
        keys_pressed: by the operator, besides what is typed into fields: one for an option, two for sending a form.
    """

    flow: Flow
    patients: Sequence[Patient] = ()
    number: str | None = "+33639980001"
    public: Mapping[str, str | bool] = field(default_factory=lambda: PUBLIC)
    book: Prompts = BOOK
    grants: Level = Level.VERIFIED
    now: datetime = NOW
    practitioners: Sequence[BookablePractitioner] = ()
    addressees: Sequence[Addressee] = ()
    free: Sequence[datetime] = ()
    screens: list[Screen] = field(default_factory=list)
    visited: list[tuple[str, str]] = field(default_factory=list)
    keys_pressed: int = 0

    def __post_init__(self) -> None:
        self.keys = MemoryVerifier(self.patients, grants=self.grants)
        self.verifier = MemoryScriptVerifier(self.keys)
        self.record = MemoryScriptRecord(self.keys, self.free)
        self.messages = MemoryMessages()
        self.messages.practitioners = tuple(self.addressees)
        self.booking = MemoryScriptBooking(self.practitioners, self.free)
        self.notes = MemoryNotes()
        self.state: State = initial(self.flow)

    @property
    def world(self) -> ScriptWorld:
        ports = (self.verifier, self.record, self.messages, self.booking, self.notes)
        return ScriptWorld(self.now, Caller(self.number), self.public, *ports)

    async def send(self, event: ScriptEvent) -> Screen:
        turn = await advance_script(self.flow, self.book, self.state, event, self.world)
        self.state = State.from_json(turn.state.to_json())
        assert self.state == turn.state
        screen = screen_from_json(json.loads(json.dumps(screen_to_json(turn.screen))))
        assert screen == turn.screen
        self.screens.append(screen)
        self.visited.extend(turn.visited)
        return screen

    async def begin(self) -> Screen:
        return await self.send(Started())

    async def pick(self, *choices: str) -> Screen:
        """Press so many options, one after another."""
        for choice in choices:
            assert choice in self.offered, f"{choice} is not offered: {self.offered}"
            self.keys_pressed += 1
            await self.send(Filled(choice))
        return self.screen

    async def fill(self, choice: str = SEND, **values: str) -> Screen:
        """Fill the form in, what stands there stays unless something else is typed, and send it."""
        form = self.form
        typed = {one.name: one.value for one in form.fields} | values
        assert typed.keys() == {one.name for one in form.fields}
        self.keys_pressed += 2  # in a text of several lines the enter key needs another one
        return await self.send(Filled(choice, typed))

    async def claim(self, born: str = "14/03/1962", **values: str) -> Screen:
        """Type who it is about, as the caller says."""
        return await self.fill(birth_date=born, **values)

    async def caller_types(self, code: str | None = None) -> Screen:
        """The caller types a code, by default the one that they were sent, and is back."""
        right = self.keys.sent[-1][1] if self.keys.sent else "000000"
        await self.keys.check_code(code or right)
        return await self.send(Returned())

    async def verified(self) -> Screen:
        """Claim, and prove it."""
        await self.claim()
        return await self.caller_types()

    @property
    def screen(self) -> Screen:
        return self.screens[-1]

    @property
    def form(self) -> Form:
        assert isinstance(self.screen, Form), self.screen
        return self.screen

    @property
    def files(self) -> Files:
        assert isinstance(self.screen, Files), self.screen
        return self.screen

    @property
    def choice(self) -> Choice:
        assert isinstance(self.screen, Choice), self.screen
        return self.screen

    @property
    def waits(self) -> bool:
        return isinstance(self.screen, AtKeys)

    @property
    def finished(self) -> bool:
        return isinstance(self.screen, Finished)

    @property
    def offered(self) -> list[str]:
        """What can be chosen now."""
        if isinstance(self.screen, Finished):
            return []
        items = [item.choice for item in self.screen.items] if isinstance(self.screen, Files) else []
        return items + [option.choice for option in self.screen.options]

    def shown(self) -> list[str]:
        """Prompts of the lines that stand on the screen."""
        return [line.prompt for line in self.screen.lines]

    def faults(self) -> dict[str, str]:
        """What is wrong with the form, by field."""
        return {one.name: one.fault.prompt for one in self.form.fields if one.fault is not None}
