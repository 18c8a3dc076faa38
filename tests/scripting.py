"""An operator with a caller and their script, on the demonstration's people: a carrier beside it that does as told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from callcenter.audit.ledger import Segment
from callcenter.audit.reading import records_of_call
from callcenter.calls.house import House
from callcenter.calls.keypad import Keypad
from callcenter.calls.line_sending import LineSending
from callcenter.calls.places import Places
from callcenter.calls.script_session import ScriptSession, state_place
from callcenter.calls.script_values import Operator, Stands
from callcenter.calls.scripts import Scripts
from callcenter.calls.session import Beginning, Session, Way, session_place
from callcenter.calls.shelf import Shelf
from callcenter.calls.talk_values import Acted, Colleague
from callcenter.calls.talks import Talks
from callcenter.calls.thirds import Thirds
from callcenter.flow.language import (
    Act,
    Book,
    Channel,
    Do,
    End,
    Find,
    Flow,
    Level,
    Lookup,
    MessageKind,
    Move,
    Moved,
    Say,
    Step,
    TakeMessage,
    Verify,
)
from callcenter.flow.screens import Filled, Returned
from callcenter.flow.script_language import (
    Declare,
    Dispose,
    Disposed,
    Forget,
    Forgotten,
    Pick,
    Reveal,
    Show,
    Shown,
)
from callcenter.flow.script_language import Way as Label
from callcenter.flow.state import Phase, initial
from callcenter.identity.challenges import Limits
from callcenter.identity.evidence import Evidence
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.labels import Category
from callcenter.kernel.randomness import SeededRandom, new_id
from callcenter.practice.facts import Arrival
from callcenter.routing.values import PresenceState, Reservation
from callcenter.telephony.fallback import StaticAnswers
from callcenter.telephony.twiml import CarrierVoices
from tests.attack.ground import Ground
from tests.attack.repositories import FLOWS
from tests.attack.scene import JEANNE, JEANNES_MOBILE, TILLEULS, TILLEULS_LINE
from tests.integration.routing.floor import Floor
from tests.sealing import InTime
from tests.talking import LineWaysDouble, RoomsDouble, asked_of, nobody_is_rung
from tests.unit.telephony.doubles import alerts_and_metrics

FIELDS = ("appointment.starts_at", "appointment.practitioner", "appointment.place")


def _ways(**to: str) -> dict[str, Label]:
    return {key.removeprefix("key"): Label(f"label.{step}", step) for key, step in to.items()}


STEPS: tuple[Step, ...] = (
    Show("consignes", 1, Shown.INSTRUCTIONS, "reason"),
    Pick(
        "reason",
        2,
        "reason",
        _ways(
            key1="identify",
            key2="message",
            key3="booking",
            key4="another",
            key5="declare",
            key6="identify_to_tell",
            key9="close",
        ),
    ),
    Verify("identify", 3, Level.VERIFIED, "look", "refusal", "refusal"),
    Find("look", 4, Lookup.NEXT_APPOINTMENT, "read", "reason", "refusal"),
    Reveal("read", 5, FIELDS, "acts", "refusal"),
    Pick("acts", 6, "acts", _ways(key1="cancel", key2="move", key3="reason", key9="close")),
    Do("cancel", 7, Act.CANCEL_APPOINTMENT, "reason", "refusal"),
    Move("move", 8, "reason", "refusal", "reason", Moved.APPOINTMENT),
    Book("booking", 9, "reason", "reason", "reason", "reason"),
    TakeMessage("message", 10, MessageKind.CALLBACK, "close", "reason"),
    Forget("another", 11, Forgotten.PATIENT, "reason"),
    Verify("identify_to_tell", 12, Level.VERIFIED, "declare", "refusal", "refusal"),
    Declare("declare", 12, (Category.APPOINTMENT_EXISTS, Category.APPOINTMENT_TIME), "reason", "refusal"),
    Say("refusal", 13, "refusal", "reason"),
    Dispose("close", 14, Disposed.CALL, "over"),
    End("over", 15, None),
)
SCRIPT = Flow("essai", Channel.CONSOLE, "essai.yaml", "consignes", "close", {one.name: one for one in STEPS}, "0f" * 32)


@dataclass(frozen=True, slots=True)
class Words:
    """A prompt whose words are its key."""

    key: str
    language: str = "fr"
    fields: frozenset[str] = frozenset()

    def render(self, values: Mapping[str, object], **_: object) -> str:
        return f"[{self.key}]"


class KeysAsWords:
    """A book that holds every prompt."""

    translations: Mapping[str, object] = {}

    def said(self, key: str, language: str = "fr") -> Words:
        return Words(key, language)


@dataclass
class WaysDouble:
    """Leads callers to their keys.

    Arguments:
        gone: they are not there any more.
        led: calls that were led.
    """

    gone: bool = False
    led: list[UUID] = field(default_factory=list)

    async def lead_out(self, carrier_sid: str, call: UUID, document: int) -> bool:
        self.led.append(call)
        return not self.gone


@dataclass
class Desk:
    """An operator who has a call of the practice in Lyon.

    Arguments:
        document: number of the screen that they see.
    """

    ground: Ground
    clock: DrivenClock
    floor: Floor
    house: House
    scripts: Scripts
    ways: WaysDouble
    talk: Reservation
    operator: Operator
    stands: Stands | None = None

    @property
    def document(self) -> int:
        return self.now.document

    @property
    def now(self) -> Stands:
        assert self.stands is not None, "nothing is on the screen"
        return self.stands

    @property
    def lines(self) -> list[str]:
        return [line.prompt for line in self.now.screen.lines]

    async def look(self) -> Stands:
        made = await self.scripts.look(self.operator, self.talk.id)
        assert made is not None
        self.stands = made.stands
        return made.stands

    async def answer(self, choice: str, document: int | None = None, **values: str) -> Stands:
        """Answer the screen that the operator sees, or another one."""
        number = self.document if document is None else document
        made = await self.scripts.answer(self.operator, self.talk.id, number, Filled(choice, values))
        assert made is not None
        self.stands = made.stands
        return made.stands

    async def returned(self) -> Stands:
        made = await self.scripts.answer(self.operator, self.talk.id, self.document, Returned())
        assert made is not None
        self.stands = made.stands
        return made.stands

    async def to_the_fields(self) -> Stands:
        """From the start to what of the appointment may be shown."""
        await self.look()
        return await self.answer("1")

    async def session(self) -> Session:
        (row,) = await self.ground.rows("SELECT state FROM call_session WHERE id = :id", id=self.talk.call)
        place = session_place(TILLEULS, self.talk.call)
        return Session.from_json(self.house.sealer.open(row.state, place))

    async def keep(self, session: Session) -> None:
        sealed = self.house.sealer.seal(session.to_json(), session_place(TILLEULS, self.talk.call))
        await self.ground.change("UPDATE call_session SET state = :s WHERE id = :id", s=sealed, id=self.talk.call)

    async def proves(self, patient: UUID | None = JEANNE) -> None:
        """The caller has typed the code of ``patient``, just now, and is back; or nothing is proved."""
        session = await self.session()
        chance, now = self.house.random, self.clock.now()
        evidence = None if patient is None else Evidence(new_id(chance), self.talk.call, TILLEULS, patient, False, now)
        await self.keep(replace(session, evidence=evidence))
        await self.ground.change("UPDATE reservation SET keypad_at = NULL WHERE id = :id", id=self.talk.id)

    async def script(self) -> ScriptSession:
        (row,) = await self.ground.rows("SELECT state FROM script WHERE id = :id", id=self.talk.id)
        return ScriptSession.from_json(self.house.sealer.open(row.state, state_place(TILLEULS, self.talk.id)))

    async def rebind(self, **bound: UUID) -> None:
        """A flow, or a fault in it, has bound what it should not have."""
        script = await self.script()
        other = replace(script, state=replace(script.state, bound={**script.state.bound, **bound}))
        sealed = self.house.sealer.seal(other.to_json(), state_place(TILLEULS, self.talk.id))
        await self.ground.change("UPDATE script SET state = :s WHERE id = :id", s=sealed, id=self.talk.id)

    async def records(self, kind: str | None = None) -> list[Mapping[str, Any]]:
        """What is on record of the call, in order."""
        async with self.ground.app.practice(TILLEULS) as tx:
            found = [record.body for record in await records_of_call(tx, self.talk.call)]
        return [one for one in found if kind in (None, one["event"])]

    async def hang_up(self) -> None:
        await self.floor.do(self.floor.reservations.over, self.talk.id, self.talk.staff)

    async def handed_over(self) -> Desk:
        """A colleague is asked in, comes, and has the call."""
        house, talk = self.house, self.talk
        rooms = RoomsDouble()
        thirds = Thirds(house, rooms)
        talks = Talks(house, rooms, thirds, nobody_is_rung, LineSending(house, LineWaysDouble()))
        colleague = await self.floor.operator(TILLEULS)
        assert await talks.consult(talk.staff, talk.id, Colleague(colleague), True) is Acted.DONE
        asked = await asked_of(house.database, colleague)
        assert asked is not None
        assert await talks.join(colleague, asked.id) is not None
        assert await talks.hand_over(talk.staff, talk.id) is Acted.DONE
        async with house.database.house() as connection:
            theirs = await self.floor.reservations.of(connection, colleague)
        assert theirs is not None
        await _reads_instructions(self.ground, self.clock, colleague)
        return replace(self, talk=theirs, operator=Operator(colleague, trained=True), stands=None)

    async def next_call(self) -> Desk:
        """This talk ends, and the operator takes another call."""
        await self.hang_up()
        await self.floor.moves(self.operator.staff, PresenceState.AVAILABLE)
        return await _talking(self.ground, self.clock, self.floor, self.house, self.operator.staff, JEANNES_MOBILE)


async def at_the_desk(
    ground: Ground,
    clock: DrivenClock,
    *,
    limits: Limits | None = None,
    caller: str | None = JEANNES_MOBILE,
    shipped: bool = False,
) -> Desk:
    """A caller of the practice in Lyon talks with one of its operators, who has read its instructions; nothing is
    proved.

    Arguments:
        shipped: their script is the one that callcenter brings; otherwise a small one, whose words are its keys.
    """
    (practice,) = await ground.rows("SELECT organisation_id FROM practice WHERE id = :id", id=TILLEULS)
    floor = Floor(ground.app, clock, SeededRandom(53), organisation=practice.organisation_id)
    staff = await floor.operator(TILLEULS)
    await _reads_instructions(ground, clock, staff)
    alerts, _ = alerts_and_metrics()
    lines = StaticAnswers(CarrierVoices(), alerts)
    flows = (
        FLOWS.current
        if shipped
        else replace(
            FLOWS.current,
            operator=SCRIPT,
            by_digest={**FLOWS.current.by_digest, SCRIPT.digest: SCRIPT},
            book=KeysAsWords(),  # type: ignore[arg-type]
        )
    )
    app, limits = ground.app, limits or Limits()
    house = House(app, app, ground.sealer, clock, floor.chance, Shelf(flows), limits, Places(), lines, InTime())
    return await _talking(ground, clock, floor, house, staff, caller)


async def _reads_instructions(ground: Ground, clock: DrivenClock, staff: UUID) -> None:
    await ground.change(
        "INSERT INTO instruction_ack (staff_id, practice_id, revision, read_at) VALUES (:staff, :practice, 99, :now)",
        staff=staff,
        practice=TILLEULS,
        now=clock.now(),
    )


async def _talking(
    ground: Ground, clock: DrivenClock, floor: Floor, house: House, staff: UUID, caller: str | None
) -> Desk:
    await floor.waits(TILLEULS)
    talk = await floor.talk()
    assert talk.staff == staff
    entry, now = FLOWS.entry, clock.now()
    waiting = replace(initial(entry), step="operators", started_at=now).going_away(Phase.QUEUED, now)
    way = Way(TILLEULS_LINE, (JEANNES_MOBILE,), f"CA{talk.call.hex}")
    beginning = Beginning(now, 0, Arrival.DIRECT, None, way)
    session = Session(beginning, caller, entry.digest, waiting, Segment(new_id(floor.chance), talk.call))
    values = {
        "id": talk.call,
        "practice": TILLEULS,
        "state": ground.sealer.seal(session.to_json(), session_place(TILLEULS, talk.call)),
    }
    async with ground.app.practice(TILLEULS) as tx:
        await tx.connection.execute(_SESSION, values)
    ways = WaysDouble()
    scripts = Scripts(house, Keypad(house, ways))
    return Desk(ground, clock, floor, house, scripts, ways, talk, Operator(staff, trained=True))


_SESSION = text("INSERT INTO call_session (id, practice_id, document, state) VALUES (:id, :practice, 1, :state)")
MINUTE = timedelta(minutes=1)
