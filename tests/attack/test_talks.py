"""Talks of others: put on hold, listened to, handed to strangers, or used with what was proved to somebody else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from callcenter.audit.ledger import Segment
from callcenter.calls import coming_in, talks
from callcenter.calls.flows import load_flows
from callcenter.calls.places import Places
from callcenter.calls.session import Beginning, Session
from callcenter.calls.steps import House, session_place
from callcenter.calls.talk_values import Acted, Colleague
from callcenter.calls.talks import Talks
from callcenter.calls.thirds import Thirds
from callcenter.flow.state import initial
from callcenter.identity.challenges import Limits
from callcenter.identity.evidence import Evidence
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom, new_id
from callcenter.practice.facts import Arrival
from callcenter.routing import talks as standing_talks
from callcenter.routing.values import Reservation
from callcenter.telephony.fallback import StaticAnswers
from callcenter.telephony.twiml import CarrierVoices
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained
from tests.attack.ground import Ground
from tests.attack.scene import PROJECT
from tests.integration.routing.floor import Floor
from tests.unit.telephony.doubles import alerts_and_metrics


@dataclass
class EveryRoom:
    """A carrier that does whatever it is asked.

    Arguments:
        done: what it was asked, by whom it was about.
    """

    done: list[str] = field(default_factory=list)

    async def find(self, room: str) -> str | None:
        return room

    async def hold(self, found: str, label: str, on: bool) -> bool:
        self.done.append(f"hold {label} {on}")
        return True

    async def ends(self, found: str, label: str, on: bool) -> bool:
        return True

    async def put_out(self, found: str, label: str) -> bool:
        self.done.append(f"put out {label}")
        return True

    async def close(self, found: str) -> bool:
        self.done.append("close")
        return True

    async def ring(self, number: str, shown: str, party: UUID) -> str | None:
        return None

    async def hang_up(self, leg: str) -> bool:
        return True


@dataclass
class Scene:
    """Somebody's talk, as it was begun."""

    floor: Floor
    house: House
    talks: Talks
    rooms: EveryRoom
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
        async with self.house.database.house() as connection:
            asked = await standing_talks.asked_of(connection, staff)
        assert asked is not None
        return asked[0].id


@pytest.fixture
async def scene(ground: Ground, clock: DrivenClock) -> Scene:
    chance = SeededRandom(48)
    floor = Floor(ground.app, clock, chance)
    await floor.open()
    practice = await floor.practice()
    await floor.operator(practice)
    await floor.waits(practice)
    offer = await floor.one_offer()
    await floor.do(floor.reservations.accept, offer.id, offer.staff)
    await floor.do(floor.reservations.connected, offer.id, offer.staff)
    flows = load_flows(
        PROJECT / "flows", "accueil", PROJECT / "flows/prompts/fr.yaml", PROJECT / "config" / "disclosure-policy.yaml"
    )
    alerts, _ = alerts_and_metrics()
    lines = StaticAnswers(CarrierVoices(), alerts)
    house = House(ground.app, ground.app, ground.sealer, clock, chance, flows, Limits(), Places(), lines)
    rooms = EveryRoom()

    async def offered(_: Reservation) -> None:
        return

    evidence = Evidence(new_id(chance), offer.call, practice, new_id(chance), shared=False, at=clock.now())
    beginning = Beginning(clock.now(), 0, Arrival.DIRECT, None)
    segment = Segment(new_id(chance), offer.call)
    session = Session(beginning, None, flows.entry.digest, initial(flows.entry), segment, evidence=evidence)
    sealed = ground.sealer.seal(session.to_json(), session_place(practice, offer.call))
    await ground.change(
        "INSERT INTO call_session (id, practice_id, document, state) VALUES (:id, :practice, 1, :state)",
        id=offer.call,
        practice=practice,
        state=sealed,
    )
    return Scene(floor, house, Talks(house, rooms, Thirds(house, rooms), offered), rooms, practice, offer)


# --- whose talk it is


def _anybodys(sabotage: Sabotage) -> None:
    sabotage.rewrite(standing_talks, "_TALK", "r.staff_id = :staff", "cast(:staff AS uuid) IS NOT NULL")


THEIRS = Defence("a talk is found with its operator", "a call is its operator's", _anybodys)


@attack(stopped_by=THEIRS)
async def test_an_operator_puts_the_caller_of_another_on_hold(scene: Scene) -> Outcome:
    thief = await scene.floor.operator(scene.practice)
    await scene.talks.hold(thief, scene.talk.id, True)
    return gained(scene.rooms.done)


def _not_only_while_it_lasts(sabotage: Sabotage) -> None:
    sabotage.rewrite(standing_talks, "_TALK", "r.state = 'connected'", "true")


WHILE_IT_LASTS = Defence("a talk is found while it lasts", "what is over is nobody's", _not_only_while_it_lasts)


@attack(stopped_by=WHILE_IT_LASTS)
async def test_an_operator_acts_on_a_room_after_their_talk_is_over(scene: Scene) -> Outcome:
    await scene.floor.do(scene.floor.reservations.over, scene.talk.id, scene.talk.staff)
    await scene.talks.hold(scene.talk.staff, scene.talk.id, False)
    return gained(scene.rooms.done)


# --- who comes into it


def _whoever_says_so(sabotage: Sabotage) -> None:
    sabotage.rewrite(standing_talks, "_PARTY", "y.staff_id = :staff", "true")


ASKED = Defence("a request is found with whom it asks", "nobody listens who was not asked", _whoever_says_so)


@attack(stopped_by=ASKED)
async def test_somebody_comes_in_on_the_request_to_another(scene: Scene) -> Outcome:
    colleague = await scene.floor.operator(scene.practice)
    await scene.talks.consult(scene.talk.staff, scene.talk.id, Colleague(colleague), True)
    listener = await scene.floor.operator(scene.practice)
    return gained(await scene.talks.join(listener, await scene.talks_asked(colleague)))


def _any_portfolio(sabotage: Sabotage) -> None:
    sabotage.rewrite(standing_talks, "_RESERVE", "o.practice_id = e.practice_id", "true")


PORTFOLIO = Defence("the portfolio holds the practice", "P5: staff see their own practices", _any_portfolio)


@attack(stopped_by=PORTFOLIO)
async def test_a_talk_is_opened_to_staff_of_another_portfolio(scene: Scene) -> Outcome:
    stranger = await scene.floor.operator(await scene.floor.practice())
    asked = await scene.talks.consult(scene.talk.staff, scene.talk.id, Colleague(stranger), True)
    return gained(asked is Acted.DONE)


@attack(stopped_by=PORTFOLIO)
async def test_a_caller_is_sent_to_staff_of_another_portfolio(scene: Scene) -> Outcome:
    stranger = await scene.floor.operator(await scene.floor.practice())
    return gained(await scene.talks.send(scene.talk.staff, scene.talk.id, Colleague(stranger)) is Acted.DONE)


# --- what was proved


async def _kept(*_: Any) -> None:
    return


def _joining_keeps_it(sabotage: Sabotage) -> None:
    sabotage.replace(coming_in, "forget_what_was_proved", _kept)


def _transfer_keeps_it(sabotage: Sabotage) -> None:
    sabotage.replace(talks, "forget_what_was_proved", _kept)


DIES_AT_JOINING = Defence("evidence dies when a third joins", "P2: evidence is for one person", _joining_keeps_it)
DIES_AT_TRANSFER = Defence("evidence dies with the talk", "P2: evidence is for one person", _transfer_keeps_it)


@attack(stopped_by=(DIES_AT_JOINING, DIES_AT_TRANSFER))
async def test_p2_a_colleague_uses_what_was_proved_before_the_talk_was_theirs(scene: Scene) -> Outcome:
    assert (await scene.session()).evidence is not None
    colleague = await scene.colleague_comes()
    assert await scene.talks.hand_over(scene.talk.staff, scene.talk.id) is Acted.DONE
    async with scene.house.database.house() as connection:
        assert await standing_talks.talk_of(connection, colleague) is not None
    return gained((await scene.session()).evidence)


@attack(stopped_by=DIES_AT_TRANSFER)
async def test_p2_what_was_proved_is_sent_on_with_the_caller(scene: Scene) -> Outcome:
    colleague = await scene.floor.operator(scene.practice)
    assert await scene.talks.send(scene.talk.staff, scene.talk.id, Colleague(colleague)) is Acted.DONE
    return gained((await scene.session()).evidence)


@attack(stopped_by=DIES_AT_JOINING)
async def test_p2_what_was_proved_stays_while_somebody_listens_in(scene: Scene) -> Outcome:
    await scene.colleague_comes()
    return gained((await scene.session()).evidence)
