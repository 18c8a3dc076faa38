"""Operators at random, through any script, before the product's own gate: they try whatever is offered.

Their caller is somebody on file who has the telephone that the code goes to, or somebody who only says that they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from callcenter.disclosure.exits import show
from callcenter.disclosure.gate import Control, Granted, Inquiry, Reason
from callcenter.flow.conversation import Started
from callcenter.flow.language import Channel, Flow, Level, Verify
from callcenter.flow.ports import BookablePractitioner, Caller, Done, Failed, Withheld
from callcenter.flow.prompts import PromptBook
from callcenter.flow.screens import AtKeys, Filled, Finished, Form, Returned, Screen, ScriptEvent
from callcenter.flow.script_engine import advance_script, initial
from callcenter.flow.script_ports import Declared, Revealed, ScriptWorld
from callcenter.flow.state import State
from callcenter.kernel.labels import FIELD_LABELS, Category, with_implied
from callcenter.kernel.protected import Protected
from tests.unit.flow.doubles import NOW, MemoryMessages
from tests.unit.flow.gated import GatedRecord, Verifier
from tests.unit.flow.gated_practice import Person, Practice, another_code, people
from tests.unit.flow.script_doubles import MemoryNotes, MemoryScriptBooking, MemoryScriptVerifier
from tests.unit.flow.wanderers import public_fields, ways_to

_ACT = frozenset({Category.RECORD_EXISTS, Category.APPOINTMENT_EXISTS})
#: Screens of one script.
MOST_SCREENS = 70


class GatedScriptRecord(GatedRecord):
    """Implements ``flow.script_ports.ScriptRecord`` as ``calls.script_record`` does. ``shown``: whose values were."""

    def __init__(self, practice: Practice, verifier: Verifier) -> None:
        super().__init__(practice, verifier)
        self.shown: list[UUID] = []

    async def show(self, path: str, bound: Mapping[str, UUID]) -> Revealed | Withheld:
        reference = bound["appointment"]
        practice, gate, stands = self._practice, self._practice.gate(), self._verifier.stands()
        inquiry = Inquiry(
            with_implied(frozenset({FIELD_LABELS[path]})), frozenset(), (f"{path}:{reference}",), {}, path
        )
        if await self._verified(inquiry) is None:
            return Withheld()
        if reference in practice.cancelled:
            await gate.refuse(Reason.CHANGED, inquiry, stands)
            return Withheld()
        visit = practice.visit(reference)
        decided = await gate.decide(inquiry, stands, practice.situation(practice.person(reference)))
        if not isinstance(decided, Granted):
            return Withheld()
        value: object = getattr(visit, path.removeprefix("appointment."))
        show(decided.receipt, path, Protected(value, FIELD_LABELS[path], visit.whose), str)
        self.shown.append(visit.whose)
        return Revealed()

    async def declare(self, category: Category) -> Declared | Withheld:
        inquiry = Inquiry(
            with_implied(frozenset({category})), frozenset(), ("agenda:external",), {}, "declare", Control.DECLARED
        )
        gate, stands = self._practice.gate(), self._verifier.stands()
        if self._practice.public["practice.agenda"] == "internal":
            await gate.refuse(Reason.NOT_DECLARED, inquiry, stands)
            return Withheld()
        person = await self._verified(inquiry)
        if person is None or not isinstance(
            await gate.decide(inquiry, stands, self._practice.situation(person)), Granted
        ):
            return Withheld()
        self.shown.append(person.id)
        return Declared()

    async def slots_for(self, appointment: UUID, after: datetime | None) -> Sequence[datetime]:
        free = [NOW + timedelta(days=60 + day) for day in range(3)]
        may = await self._may_move(appointment, "move_slots")
        return [one for one in free if after is None or one > after] if may else ()

    async def move(self, appointment: UUID, starts_at: datetime) -> Done | Failed:
        return Done() if await self._may_move(appointment, "move") else Failed()

    async def _may_move(self, appointment: UUID, step: str) -> bool:
        inquiry = Inquiry(_ACT, frozenset(), (f"appointment:{appointment}",), {}, step)
        if await self._verified(inquiry) is None:
            return False
        situation = self._practice.situation(self._practice.person(appointment))
        refused = await self._practice.gate().check(inquiry, self._verifier.stands(), situation)
        return refused is None and appointment not in self._practice.cancelled


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer of an operator, and what it led to; see ``wanderers.Happened``.

    Arguments:
        shown: whose values the operator has seen, or told, by it.
    """

    screen: Screen
    visited: tuple[tuple[str, str], ...]
    refusals: tuple[str, ...]
    shown: tuple[UUID, ...]
    aged: bool
    proved: frozenset[UUID]


@dataclass(slots=True)
class Operator:
    """One script; see ``wanderers.Wanderer``."""

    flow: Flow
    book: PromptBook
    chance: Random
    goal: str
    honest: bool = True
    undisturbed: bool = False
    grants: Level = Level.VERIFIED
    answered: list[Answered] = field(default_factory=list)
    practice: Practice = field(init=False)
    keys: Verifier = field(init=False)
    record: GatedScriptRecord = field(init=False)
    world: ScriptWorld = field(init=False)
    state: State = field(init=False)
    _me: Person = field(init=False)
    _ways: Mapping[str, Mapping[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        everybody, public = people(), public_fields(self.chance)
        public |= {"script.instructions_changed": self.chance.random() < 0.3}
        self.practice = Practice(self.book, everybody, public, Channel.CONSOLE)
        self.keys = Verifier(everybody, grants=self.grants, seed=self.chance.randrange(10**6))
        self.record = GatedScriptRecord(self.practice, self.keys)
        whom = [BookablePractitioner(UUID(int=9), "Dr Marie PUBLIQUE", new_patients=self.chance.random() < 0.5)]
        booking = MemoryScriptBooking(whom, [NOW + timedelta(days=1, hours=hour) for hour in (1, 2, 3)])
        ports = (MemoryScriptVerifier(self.keys), self.record, MemoryMessages(), booking, MemoryNotes())
        self.world = ScriptWorld(NOW, Caller(self.chance.choice(("+33639980001", None))), public, *ports)
        self.state = initial(self.flow)
        self._me = self.chance.choice((everybody[0], everybody[0], *everybody))
        self._ways = ways_to(self.flow, self.goal)

    async def walks(self) -> list[Answered]:
        """The whole script, or as much of it as anybody has patience for."""
        await self._send(Started())
        while not isinstance(self.answered[-1].screen, Finished) and len(self.answered) < MOST_SCREENS:
            if not self.undisturbed:
                self._something_happens()
            await self._send(await self._answer(self.answered[-1].screen))
        return self.answered

    async def _send(self, event: ScriptEvent) -> None:
        self.practice.pen.entries.clear()
        self.record.shown.clear()
        turn = await advance_script(self.flow, self.book, self.state, event, self.world)
        self.state = State.from_json(turn.state.to_json())
        refusals = tuple(reason.value for reason in self.practice.pen.refusals())
        shown, proved = tuple(self.record.shown), frozenset(self.keys.ever if self.honest else ())
        self.answered.append(Answered(turn.screen, turn.visited, refusals, shown, self.practice.aged, proved))

    def _something_happens(self) -> None:
        match self.chance.randrange(40):
            case 0:
                self.practice.marked.add(self._me.id)
            case 1 if self._me.visits:
                self.practice.cancelled.add(self.chance.choice(self._me.visits).reference)
            case 2 if self.keys.verified is not None:
                self.keys.forget()
                self.practice.aged = True
            case _:
                pass

    async def _answer(self, screen: Screen) -> ScriptEvent:
        assert not isinstance(screen, Finished)
        if isinstance(screen, AtKeys) and self.chance.random() < 0.9:
            await self._caller_types()
            return Returned()
        offered = [option.choice for option in screen.options]
        offered += [item.choice for item in getattr(screen, "items", ()) if not item.withheld]
        fields = screen.fields if isinstance(screen, Form) else ()
        return Filled(self._chosen(offered), {one.name: self._typed(one.name) for one in fields})

    async def _caller_types(self) -> None:
        step = self.flow.steps[self.state.step]
        self.keys._grants = min(self.grants, step.level) if isinstance(step, Verify) else self.grants
        right = self.keys.sent[-1][1] if self.keys.sent else "000000"
        await self.keys.check_code(right if self.honest else another_code(right, self.chance))

    def _chosen(self, offered: Sequence[str]) -> str:
        onward = [outlet.removeprefix("key ") for outlet in self._ways.get(self.state.step, ())]
        led = [choice for choice in onward if choice in offered]
        if led and self.chance.random() < 0.8:
            return led[0]
        sent = [choice for choice in offered if choice in ("send", "onward") or ":" in choice]
        return self.chance.choice(sent if sent and self.chance.random() < 0.8 else list(offered))

    def _typed(self, name: str) -> str:
        if "birth" in name:
            if self.chance.random() < 0.15:
                self._me = self.chance.choice(self.practice.people)
            return f"{self._me.birth_date:%d%m%Y}"
        told: dict[str, Any] = {"urgency": "normal", "disposition": "told"}
        return str(told.get(name, "0" + next(iter(self._me.telephones))[3:]))
