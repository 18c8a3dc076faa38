"""A talk in the database, with a carrier beside it that does as it is told, or fails; no telephone rings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.ledger import Segment
from callcenter.calls.house import House
from callcenter.calls.line_sending import LineSending
from callcenter.calls.places import Places
from callcenter.calls.session import Beginning, Session, Way, session_place
from callcenter.calls.shelf import Shelf
from callcenter.calls.talk_values import Acted, Colleague
from callcenter.calls.talks import Talks
from callcenter.calls.thirds import Thirds
from callcenter.flow.state import initial
from callcenter.identity.challenges import Limits
from callcenter.identity.evidence import Evidence
from callcenter.kernel.errors import Unavailable
from callcenter.kernel.randomness import new_id
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import demo_id
from callcenter.practice.facts import Arrival, PracticeFacts
from callcenter.practice.practice_file import read_practice_file
from callcenter.routing import talks as standing_talks
from callcenter.routing.talks import Party, Standing
from callcenter.routing.values import Reservation
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from callcenter.telephony.fallback import StaticAnswers
from callcenter.telephony.twiml import CarrierVoices
from tests.attack.repositories import FLOWS
from tests.integration.routing.floor import Floor
from tests.sealing import InTime
from tests.unit.telephony.doubles import alerts_and_metrics

TILLEULS = Path(FOLDER) / "practices" / "cabinet-des-tilleuls.yaml"
#: The way by which the call has come.
CALLER, CALLED = "+33639980001", "+33465710001"


@dataclass
class RoomsDouble:
    """A carrier's rooms: caller and operator are in one.

    Arguments:
        failing: the requests, counted from 1, to which no answer comes.
        asked: every request that was made.
        held: labels of those who hear music.
        ends_all: labels of those whose leaving ends it for all.
        out: labels of those who were put out.
        away: so many requests to hold somebody find them not in the room yet.
    """

    failing: frozenset[int] = frozenset()
    asked: list[str] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    ends_all: set[str] = field(default_factory=lambda: {"caller", "operator"})
    out: set[str] = field(default_factory=set)
    closed: bool = False
    away: int = 0

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if len(self.asked) in self.failing:
            raise Unavailable

    async def find(self, room: str) -> str | None:
        self._ask("find")
        return None if self.closed else room

    async def hold(self, found: str, label: str, on: bool) -> bool:
        self._ask(f"hold {label}")
        if self.away:
            self.away -= 1
            return False
        (self.held.add if on else self.held.discard)(label)
        return True

    async def ends(self, found: str, label: str, on: bool) -> bool:
        self._ask(f"ends {label}")
        (self.ends_all.add if on else self.ends_all.discard)(label)
        return True

    async def put_out(self, found: str, label: str) -> bool:
        self._ask(f"put out {label}")
        self.out.add(label)
        return True

    async def close(self, found: str) -> bool:
        self._ask("close")
        self.closed = True
        return True

    async def ring(self, number: str, shown: str, party: UUID) -> str | None:
        self._ask("ring")
        return None

    async def hang_up(self, leg: str) -> bool:
        self._ask("hang up")
        return True


@dataclass
class LineWaysDouble:
    """Leads callers to lines.

    Arguments:
        answers: one to each request, in turn; ``None`` where no answer comes. Then they are led.
        led: the documents from which callers were to be led.
    """

    answers: list[bool | None] = field(default_factory=list)
    led: list[int] = field(default_factory=list)

    async def lead_to_line(self, carrier_sid: str, call: UUID, document: int) -> bool:
        self.led.append(document)
        answer = self.answers.pop(0) if self.answers else True
        if answer is None:
            raise Unavailable
        return answer


async def talk_of(database: Database, staff: UUID) -> Standing | None:
    """The talk of ``staff``, as their page reads it."""
    async with database.house() as connection:
        return await standing_talks.talk_of(connection, staff)


async def asked_of(database: Database, staff: UUID) -> Party | None:
    """What ``staff`` is asked into, as their page reads it."""
    async with database.house() as connection:
        asked = await standing_talks.asked_of(connection, staff)
    return None if asked is None else asked[0]


@dataclass
class Scene:
    """Somebody's talk, as it was begun."""

    floor: Floor
    house: House
    talks: Talks
    rooms: RoomsDouble
    thirds: Thirds
    ways: LineWaysDouble
    practice: UUID
    talk: Reservation

    async def session(self) -> Session:
        """What the call has proved until now."""
        async with self.house.database.practice(self.practice) as tx:
            query = text("SELECT state FROM call_session WHERE id = :id")
            state = (await tx.connection.execute(query, {"id": self.talk.call})).scalar_one()
        return Session.from_json(self.house.sealer.open(state, session_place(self.practice, self.talk.call)))

    async def colleague_comes(self) -> UUID:
        """A colleague is asked in, and comes."""
        colleague = await self.floor.operator(self.practice)
        assert await self.talks.consult(self.talk.staff, self.talk.id, Colleague(colleague), True) is Acted.DONE
        asked = await self.talks_asked(colleague)
        assert await self.talks.join(colleague, asked) is not None
        return colleague

    async def talks_asked(self, staff: UUID) -> UUID:
        asked = await asked_of(self.house.database, staff)
        assert asked is not None
        return asked.id

    async def standing(self) -> Standing | None:
        """The talk as its operator has it."""
        async with self.house.database.house() as connection:
            return await standing_talks.talk_of(connection, self.talk.staff, self.talk.id)


def tilleuls(practice: UUID) -> PracticeFacts:
    """A practice as one of the demonstration's is."""
    return read_practice_file(TILLEULS, practice, demo_id).facts


class TilleulsEverywhere(Places):
    """Every practice has the settings of one of the demonstration's."""

    async def facts(self, connection: AsyncConnection, practice: UUID, revision: int, at: datetime) -> PracticeFacts:
        return tilleuls(practice)


async def nobody_is_rung(_: Reservation) -> None:
    return


async def begin_talk(floor: Floor, sealer: Sealer, caller: str = CALLER) -> Scene:
    """A caller who has proved who they are talks with an operator.

    Arguments:
        caller: the number from which they call (E.164).
    """
    practice = await floor.practice()
    await floor.operator(practice)
    await floor.waits(practice)
    talk = await floor.one_offer()
    await floor.do(floor.reservations.accept, talk.id, talk.staff)
    await floor.do(floor.reservations.connected, talk.id, talk.staff)
    alerts, _ = alerts_and_metrics()
    lines = StaticAnswers(CarrierVoices(), alerts)
    database, clock, chance = floor.database, floor.clock, floor.chance
    house = House(
        database, database, sealer, clock, chance, Shelf(FLOWS.current), Limits(), TilleulsEverywhere(), lines, InTime()
    )
    rooms = RoomsDouble()
    thirds, ways = Thirds(house, rooms), LineWaysDouble()
    talks = Talks(house, rooms, thirds, nobody_is_rung, LineSending(house, ways))
    evidence = Evidence(new_id(chance), talk.call, practice, new_id(chance), shared=False, at=clock.now())
    session = Session(
        Beginning(clock.now(), 0, Arrival.DIRECT, None, Way(CALLED, (caller,), "CA" + talk.call.hex)),
        None,
        FLOWS.entry.digest,
        initial(FLOWS.entry),
        Segment(new_id(chance), talk.call),
        evidence=evidence,
    )
    values = {
        "id": talk.call,
        "practice": practice,
        "state": sealer.seal(session.to_json(), session_place(practice, talk.call)),
    }
    async with database.practice(practice) as tx:
        await tx.connection.execute(_SESSION, values)
    return Scene(floor, house, talks, rooms, thirds, ways, practice, talk)


_SESSION = text("INSERT INTO call_session (id, practice_id, document, state) VALUES (:id, :practice, 1, :state)")


async def request_to_the_line(scene: Scene) -> UUID:
    """The request by which the practice's line rings, or rang, for the caller."""
    async with scene.house.database.house() as connection:
        query = text("SELECT id FROM talk_party WHERE sent AND reservation_id = :id")
        request: UUID = (await connection.execute(query, {"id": scene.talk.id})).scalar_one()
    return request
