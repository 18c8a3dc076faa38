"""Callers at random, through any flow of calls: some can prove who they are, some only know a birth date and a number.

A caller is after a step of the flow, and answers as leads there where they can; now and then otherwise. Around them
things happen: a mark appears in a file, an appointment is cancelled, what they have proved grows old.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from callcenter.flow.conversation import (
    Dequeued,
    Dialled,
    Event,
    HangUp,
    Keyed,
    PutThrough,
    Queueing,
    Rang,
    Recorded,
    Recording,
    Reply,
    Started,
)
from callcenter.flow.engine import Turn, advance, initial
from callcenter.flow.language import Card, Choose, Direction, Flow, Level, Prove, Verify
from callcenter.flow.ports import BookablePractitioner, Caller, Parted, World
from callcenter.flow.prompts import PromptBook
from callcenter.flow.sinks import GIVEN_FIELDS, PASSING_FIELDS
from callcenter.flow.state import Phase, State
from callcenter.flow.subflow_language import Leave, Run
from callcenter.flow.words import CASE_FIELDS, YES_NO_FIELDS
from callcenter.kernel.labels import FIELD_LABELS, Category
from tests.unit.flow.doubles import NOW, MemoryBooking, MemoryMessages, MemoryOutreach
from tests.unit.flow.gated import GatedRecord, GatedReferences, Lobby, Switchboard, Verifier
from tests.unit.flow.gated_practice import Person, Practice, another_code, people

#: More than any call may have (P7).
MOST_EVENTS = 60


@dataclass(frozen=True, slots=True)
class Happened:
    """One turn of a call.

    Arguments:
        reply: what was said.
        visited: outlets taken.
        proved: who had proved to be whom by the end of it, or whose card was shown; nobody, if the caller cannot.
    """

    event: Event
    reply: Reply
    visited: tuple[tuple[str, str], ...]
    refusals: tuple[str, ...]
    grants: int
    aged: bool
    proved: frozenset[UUID]


@dataclass(slots=True)
class Wanderer:
    """One call.

    Arguments:
        goal: the step that they are after.
        honest: they hold the telephone and the cards of those whose birth dates they type.
        grants: the level that a right code proves at most.
        way: steps, each with the outlet by which they want to leave it; in a call around which nothing happens.
    """

    flow: Flow
    book: PromptBook
    chance: Random
    goal: str
    honest: bool = True
    way: Sequence[tuple[str, str]] = ()
    grants: Level = Level.VERIFIED
    happened: list[Happened] = field(default_factory=list)
    practice: Practice = field(init=False)
    verifier: Verifier = field(init=False)
    references: GatedReferences = field(init=False)
    lobby: Lobby = field(init=False)
    world: World = field(init=False)
    state: State = field(init=False)
    _me: Person = field(init=False)
    _ways: Mapping[str, Mapping[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        everybody = people()
        public = public_fields(self.chance)
        self.practice = Practice(self.book, everybody, public)
        self.verifier = Verifier(everybody, grants=self.grants, seed=self.chance.randrange(10**6))
        practitioners = [
            BookablePractitioner(UUID(int=9), "Dr Marie PUBLIQUE", new_patients=self.chance.random() < 0.5)
        ]
        booking = MemoryBooking(practitioners, [NOW.replace(day=NOW.day + 1, hour=hour) for hour in (9, 10, 11)])
        self.references = GatedReferences(self.practice, booking)
        self.lobby = Lobby(self.verifier, self.references)
        self.lobby.admits = self.chance.random() < 0.7
        record, switchboard = GatedRecord(self.practice, self.verifier), Switchboard(self.verifier, self.references)
        nothing = any(outlet == "none" for _, outlet in self.way)  # who wants nothing found has nothing to come
        self._me = everybody[2] if nothing else self.chance.choice((everybody[0], everybody[0], *everybody))
        number = self.chance.choice((next(iter(self._me.telephones)), None))
        ports = (self.verifier, record, MemoryMessages(), MemoryOutreach(), booking, self.references)
        self.world = World(NOW, Caller(number), public, *ports, switchboard, self.lobby, {"en": public})
        self.state = initial(self.flow)
        if self.flow.direction is Direction.OUTGOING:  # that they asked for in another call, which gave out a code
            self.verifier.was_given_out(self._me)
        self._ways = ways_to(self.flow, self.goal)

    async def walks(self) -> list[Happened]:
        """The whole call."""
        await self._send(Started())
        while not isinstance(self.happened[-1].reply.then, HangUp):
            assert len(self.happened) <= MOST_EVENTS, "a call without an end"
            if not self.way:
                self._something_happens()
            await self._send(self._answer())
        return self.happened

    async def _send(self, event: Event) -> None:
        self.practice.pen.entries.clear()
        turn: Turn = await advance(self.flow, self.book, self.state, event, self.world)
        self.state = State.from_json(turn.state.to_json())
        pen = self.practice.pen
        proved = frozenset(self.verifier.ever | self.references.ever) if self.honest else frozenset[UUID]()
        refusals = tuple(reason.value for reason in pen.refusals())
        self.happened.append(
            Happened(event, turn.reply, turn.visited, refusals, pen.grants(), self.practice.aged, proved)
        )

    def _something_happens(self) -> None:
        match self.chance.randrange(40):
            case 0:
                self.practice.marked.add(self._me.id)
            case 1 if self._me.visits:
                self.practice.cancelled.add(self.chance.choice(self._me.visits).reference)
            case 2 if self.verifier.verified is not None or self.references.proved is not None:
                self.verifier.forget()
                self.references.proved, self.practice.aged = None, True
            case _:
                pass

    # --- answers

    def _answer(self) -> Event:
        match self.happened[-1].reply.then:
            case PutThrough():
                return Dialled(Rang.TALKED if self._wanted() == "connected" else Rang.NO_ANSWER)
            case Queueing():
                lost = not self.way and self.chance.random() < 0.1
                self.lobby.parts = Parted.CUT_OFF if lost else Parted(self._wanted())
                return Dequeued(met=self.lobby.parts in (Parted.CONNECTED, Parted.CUT_OFF, Parted.KEYPAD))
            case Recording() if self.chance.random() < 0.7:
                return Recorded("RE1", 12)
            case _ if not self.way and self.chance.random() < 0.04:
                return Keyed(self.chance.choice(("", "*", "99999", "#", "7")).removesuffix("#"), hash_key=True)
            case _:
                return self._keys()

    def _keys(self) -> Event:
        step, chance = self.flow.steps[self.state.step], self.chance
        wanted = self._wanted()
        if isinstance(step, Verify):
            self.verifier.down = wanted == "unavailable"
            self.verifier._grants = min(self.grants, step.level)  # no more than is asked for
        match self.state.phase:
            case Phase.KEY if isinstance(step, Choose):
                keys = wanted.removeprefix("key ") if wanted.startswith("key ") else chance.choice(list(step.keys))
                return Keyed("" if wanted == "silence" else keys)
            case Phase.BIRTH_DATE:
                if chance.random() < 0.15:
                    self._me = chance.choice(self.practice.people)  # somebody else is spoken of from now on
                born = self._me.birth_date if not isinstance(step, Card) else self._born_of_card(wanted)
                return (
                    Keyed("", hash_key=True)
                    if wanted == "refused" and chance.random() < 0.5
                    else Keyed(f"{born:%d%m%Y}")
                )
            case Phase.TELEPHONE | Phase.NUMBER | Phase.DIGITS:
                return Keyed("0" + next(iter(self._me.telephones))[3:])
            case Phase.CODE:
                right = self.verifier.sent[-1][1] if self.verifier.sent else "000000"
                may = self.honest and wanted != "refused" and isinstance(step, Verify | Prove)
                return Keyed(right if may else another_code(right, chance))
            case Phase.REFERENCE:
                cards = [visit.card for visit in self._me.visits]
                return Keyed(chance.choice(cards) if cards and wanted != "refused" else "00000000")
            case _:
                return Keyed({"refused": "2", "none": "2", "abandoned": "0"}.get(wanted, "1"))

    def _born_of_card(self, wanted: str) -> object:
        """The birth date that goes with the slot, for whoever holds its card."""
        slot = self.state.bound.get("slot")
        if slot is None or not self.honest or wanted == "refused":
            return next(one.birth_date for one in self.practice.people if slot is None or one.id.int == 3)
        return self.practice.person(slot).birth_date

    def _wanted(self) -> str:
        """The outlet by which the way to the goal goes on; any, where none does or for a change."""
        led = [outlet for step, outlet in self.way if step == self.state.step]
        if led:
            return led[0]
        outlets = list(self.flow.steps[self.state.step].outlets())
        onward = list(self._ways.get(self.state.step, ()))
        if onward and self.chance.random() < 0.85:
            return onward[0]
        return self.chance.choice(outlets)


def ways_to(flow: Flow, goal: str) -> Mapping[str, Mapping[str, str]]:
    """By which outlet each step is left on a shortest way to ``goal``; a sub-flow is left to whoever runs it."""
    before: dict[str, list[tuple[str, str]]] = {}
    for step in flow.steps.values():
        leads = dict(flow.onward(step.name))
        if isinstance(step, Leave):
            subflow = flow.within(step.name)
            runs = [one for one in flow.steps.values() if isinstance(one, Run) and one.subflow == subflow]
            leads = {f"{step.by} {run.name}": run.ways[step.by] for run in runs}
        for outlet, target in leads.items():
            before.setdefault(target, []).append((step.name, outlet))
    ways: dict[str, Mapping[str, str]] = {}
    waiting, seen = deque([goal]), {goal}
    while waiting:
        target = waiting.popleft()
        for name, outlet in before.get(target, ()):
            if name not in seen:
                seen.add(name)
                ways[name] = {outlet: target}
                waiting.append(name)
    return ways


def public_fields(chance: Random) -> dict[str, str | bool]:
    """Every public field with some value, but for those that the engine alone gives, each in its place."""
    given = frozenset[str]().union(*GIVEN_FIELDS.values(), *PASSING_FIELDS.values())
    fields: dict[str, str | bool] = {
        path: "mot public"
        for path, category in FIELD_LABELS.items()
        if category is Category.PUBLIC and path not in given
    }
    fields |= {path: chance.random() < 0.5 for path in sorted(YES_NO_FIELDS)}
    fields |= {path: chance.choice(sorted(values)) for path, values in CASE_FIELDS.items()}
    return fields
