"""A caller who waits for an operator, over HTTP: the words of the wait, a way out at any moment, and the talk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4
from xml.etree import ElementTree

import aiohttp
import pytest
from sqlalchemy import text

from callcenter.app import Running, run_server
from callcenter.installation import Addresses
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.changing import SettingsDesk
from callcenter.practice.practice_form import Setting
from callcenter.practice.setting_versions import Author, Period
from callcenter.routing.reservations import Reservations
from callcenter.routing.reserving import Reserving
from callcenter.routing.values import Reservation
from callcenter.speech.voices import SilentVoice
from callcenter.staff.acts import StaffActs
from callcenter.store.schema import APP
from tests.acceptance.stage import PARIS, stage_settings
from tests.conftest import Cluster
from tests.unit.telephony.doubles import signed

TOKEN = "a-token-of-the-tests"
OPEN = datetime(2026, 11, 26, 10, 0, tzinfo=PARIS)
STAFF = UUID(int=7)


@dataclass
class Caller:
    """A telephone, as the carrier speaks for it."""

    running: Running
    session: aiohttp.ClientSession
    sid: str = field(default_factory=lambda: f"CA{uuid4().hex}")
    document: ElementTree.Element = field(init=False)

    async def post(self, url: str, **fields: str) -> ElementTree.Element:
        form = {"CallSid": self.sid, "From": "+33639980001", "To": "+33465710001", **fields}
        headers = {"X-Twilio-Signature": signed(url, list(form.items()), TOKEN)}
        async with self.session.post(url, data=form, headers=headers) as answer:
            assert answer.status == 200
            self.document = ElementTree.fromstring(await answer.read())  # noqa: S314 - our own bytes
        return self.document

    async def ring(self) -> ElementTree.Element:
        return await self.post(f"{self.running.webhooks}/voice/incoming", CallStatus="ringing")

    async def to_the_queue(self) -> ElementTree.Element:
        """Ring, press 0, and wait."""
        await self.ring()
        return await self.post(self.attribute("Gather", "action"), Digits="0")

    async def wait(self) -> str:
        """What is heard in the queue."""
        await self.post(self.queue("waitUrl"))
        return self.words()

    def queue(self, name: str) -> str:
        if (found := self.document.find("Enqueue")) is not None:
            self._enqueue: Mapping[str, str] = dict(found.attrib)
        return self._enqueue[name]

    def attribute(self, tag: str, name: str) -> str:
        return next(self.document.iter(tag)).attrib[name]

    def words(self) -> str:
        return " ".join(said.text or "" for said in self.document.iter("Say"))

    def tags(self) -> list[str]:
        return [verb.tag for verb in self.document]


@dataclass
class Office:
    """The server, and one operator who is there."""

    running: Running
    clock: DrivenClock
    caller: Caller

    async def on_duty(self, state: str = "available") -> None:
        async with self.running.database.house() as connection:
            for statement in _ON_DUTY:
                await connection.execute(text(statement), {"staff": STAFF, "now": self.clock.now(), "state": state})

    async def gone(self) -> None:
        await self.change("UPDATE presence SET state = 'offline'")

    async def change(self, statement: str, **values: object) -> None:
        async with self.running.database.house() as connection:
            await connection.execute(text(statement), values)

    async def offered(self) -> Reservation:
        (made,) = await Reserving(self.running.database, SeededRandom(3)).reserve(self.clock.now())
        return made

    async def taken(self, *, connected: bool = True) -> Reservation:
        """The operator takes the call."""
        made, reservations = await self.offered(), Reservations()
        async with self.running.database.house() as connection:
            await reservations.accept(connection, made.id, STAFF, self.clock.now())
            if connected:
                await reservations.connected(connection, made.id, STAFF, self.clock.now())
        return made

    async def talk_is_over(self, made: Reservation) -> None:
        async with self.running.database.house() as connection:
            await Reservations().over(connection, made.id, STAFF, self.clock.now())

    async def meet(self) -> ElementTree.Element:
        """The carrier leads the caller to the operator."""
        url = self.caller.queue("waitUrl").removesuffix("wait") + "meeting"
        return await self.caller.post(url)

    async def back(self) -> ElementTree.Element:
        """The conference has ended, and the caller is still there."""
        return await self.caller.post(self.caller.attribute("Dial", "action"), DialCallStatus="answered")

    async def let_out(self, result: str = "leave") -> ElementTree.Element:
        return await self.caller.post(self.caller.queue("action"), QueueResult=result)

    async def left_for(self) -> str | None:
        async with self.running.database.house() as connection:
            return (await connection.execute(text("SELECT left_reason FROM queue_entry"))).scalar_one_or_none()


_ON_DUTY = (
    """
    INSERT INTO staff_account (id, organisation_id, login, display_name, languages, made_at, secrecy_signed_on)
    SELECT :staff, organisation_id, 'operatrice1', 'Télésecrétaire 1', '{fr}', :now, DATE '2026-01-01' FROM practice
    WHERE slug = 'cabinet-des-tilleuls' AND :state <> '' ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO portfolio (id, organisation_id, name, whole)
    SELECT :staff, organisation_id, 'Tous', true FROM practice
    WHERE slug = 'cabinet-des-tilleuls' AND cast(:now AS timestamptz) IS NOT NULL AND :state <> ''
    ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO staff_role (staff_id, portfolio_id, organisation_id, role)
    SELECT id, id, organisation_id, 'operator' FROM portfolio
    WHERE id = :staff AND cast(:now AS timestamptz) IS NOT NULL AND :state <> '' ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO presence (staff_id, state, way, since, idle_since, seen_at)
    VALUES (:staff, :state, 'browser', :now, :now, :now) ON CONFLICT (staff_id) DO UPDATE SET seen_at = :now
    """,
)


@pytest.fixture
async def office(
    cluster: Cluster, database_name: str, keys_file: Path, clock: DrivenClock, random: SeededRandom
) -> AsyncIterator[Office]:
    clock.set(OPEN)
    addresses = Addresses(
        cluster.server.url(user=APP, database=database_name), cluster.server.dsn(user=APP, database=database_name), None
    )
    started = run_server(
        stage_settings(keys_file), addresses, clock=clock, random=random, voice=SilentVoice(), jobs=False
    )
    async with started as running, aiohttp.ClientSession() as session:
        yield Office(running, clock, Caller(running, session))


async def test_p7_where_nobody_is_on_duty_nobody_waits(office: Office) -> None:
    await office.caller.to_the_queue()
    assert office.caller.tags() == ["Gather"]
    assert "ne peut pas prendre votre appel" in office.caller.words()
    assert await office.left_for() is None


async def test_whoever_waits_is_told_the_place_and_may_leave_a_message_instead(office: Office) -> None:
    await office.on_duty()
    await office.caller.to_the_queue()
    assert office.caller.tags()[-1] == "Enqueue"
    words = await office.caller.wait()
    assert words == (
        "Je vous passe le secrétariat. Vous êtes la prochaine personne. "
        "Pour être rappelé à votre tour, tapez 1. Pour laisser plutôt un message, tapez 2."
    )
    office.clock.advance(20)
    assert (await office.caller.wait()).startswith("Vous êtes toujours en attente du secrétariat.")
    await office.caller.post(office.caller.attribute("Gather", "action"), Digits="7")
    assert office.caller.tags() == ["Gather"]
    await office.caller.post(office.caller.attribute("Gather", "action"), Digits="2")
    assert office.caller.tags() == ["Leave"]
    await office.let_out()
    assert office.caller.tags() == ["Gather"]
    assert await office.left_for() == "message"


async def test_whose_call_is_taken_meets_the_operator_and_the_call_ends_with_the_talk(office: Office) -> None:
    await office.on_duty()
    await office.caller.to_the_queue()
    made = await office.taken()
    await office.meet()
    (room,) = office.caller.document.iter("Conference")
    assert (room.text, office.caller.words()) == (made.id.hex, "Vous êtes en relation.")
    await office.talk_is_over(made)
    await office.back()
    assert office.caller.tags() == ["Hangup"]
    assert await office.left_for() == "answered"


async def test_whoever_is_cut_off_waits_again_at_the_same_place(office: Office) -> None:
    await office.on_duty()
    await office.caller.to_the_queue()
    await office.taken()
    await office.meet()
    await office.back()
    assert office.caller.tags() == ["Enqueue"]
    async with office.running.database.house() as connection:
        entry = (await connection.execute(text("SELECT state, place, entered_at FROM queue_entry"))).one()
    assert (entry.state, entry.place) == ("waiting", entry.entered_at)


async def test_who_was_to_meet_somebody_who_is_not_there_waits_again(office: Office) -> None:
    await office.on_duty()
    await office.caller.to_the_queue()
    await office.taken(connected=False)
    await office.meet()
    await office.back()
    assert office.caller.tags() == ["Enqueue"]


async def test_p7_who_is_led_to_an_offer_that_was_taken_back_is_led_on(office: Office) -> None:
    await office.on_duty()
    await office.caller.to_the_queue()
    await office.meet()
    assert office.caller.tags() == ["Redirect"]
    await office.caller.post(next(office.caller.document.iter("Redirect")).text or "")
    assert office.caller.tags() == ["Enqueue"]


@pytest.mark.parametrize(
    ("hours", "gone", "why", "said"),
    [
        (0.3, False, "overflow", "L'attente est trop longue."),
        (3, False, "closed", "Le cabinet ferme maintenant."),
        (0.01, True, "nobody", "Plus personne ne peut répondre pour l'instant."),
    ],
)
async def test_p7_nobody_waits_who_will_not_be_answered(
    office: Office, hours: float, gone: bool, why: str, said: str
) -> None:
    await office.on_duty()
    await office.caller.to_the_queue()
    office.clock.advance(hours * 3_600)
    await office.on_duty()
    if gone:
        await office.gone()
    assert await office.caller.wait() == said
    assert office.caller.tags() == ["Say", "Leave"]
    await office.let_out()
    assert office.caller.tags() == ["Gather"]
    assert await office.left_for() == why


@pytest.mark.parametrize("result", ["queue-full", "error", "system-error"])
async def test_p7_whom_the_carrier_does_not_let_wait_leaves_a_message(office: Office, result: str) -> None:
    await office.on_duty()
    await office.caller.to_the_queue()
    await office.let_out(result)
    assert "ne peut pas prendre votre appel" in office.caller.words()
    assert await office.left_for() == "nobody"


async def test_whoever_hangs_up_waits_no_more(office: Office) -> None:
    await office.on_duty()
    await office.caller.to_the_queue()
    await office.offered()
    url = f"{office.running.webhooks}/voice/status"
    form = {"CallSid": office.caller.sid, "CallStatus": "completed"}
    headers = {"X-Twilio-Signature": signed(url, list(form.items()), TOKEN)}
    async with office.caller.session.post(url, data=form, headers=headers) as answer:
        assert answer.status == 204
    assert await office.left_for() == "hung_up"
    async with office.running.database.house() as connection:
        assert await connection.scalar(text("SELECT state FROM presence")) == "available"


async def test_p3_a_repeated_end_of_a_wait_has_no_second_effect(office: Office) -> None:
    await office.on_duty()
    await office.caller.to_the_queue()
    await office.let_out("error")
    first = ElementTree.tostring(office.caller.document)
    await office.let_out("error")
    assert ElementTree.tostring(office.caller.document) == first


async def test_the_wait_is_another_calls_to_nobody_else(office: Office) -> None:
    await office.on_duty()
    await office.caller.to_the_queue()
    other = Caller(office.running, office.caller.session)
    await other.post(office.caller.queue("waitUrl"))
    assert other.tags() == ["Play", "Redirect"]  # what a failure looks like: no words
    await other.post(office.caller.queue("waitUrl") + "/keys", Digits="2")
    assert await office.left_for() is None


async def _sets(office: Office, waiting: dict[str, object]) -> None:
    """The practice changes how callers wait; the next call meets it."""
    running, now = office.running, office.clock.now()
    acts = StaffActs(office.clock, SeededRandom(4))
    desk = SettingsDesk(running.database, "cabinet-des-tilleuls", Author("tests", now), acts)
    await desk.put(Setting.WAITING, waiting, Period(now))


async def test_a_practice_sets_how_long_anybody_waits_and_whether_they_may_be_rung_back(office: Office) -> None:
    await _sets(office, {"callbacks": False, "longest_minutes": 1, "most": 1})
    await office.on_duty()
    await office.caller.to_the_queue()
    assert "rappelé" not in await office.caller.wait()
    second = Caller(office.running, office.caller.session)
    await second.to_the_queue()
    assert second.tags() == ["Gather"], "one waits, and no more"
    office.clock.advance(59)
    await office.on_duty()
    await office.caller.wait()
    assert office.caller.tags() == ["Gather"]
    office.clock.advance(2)
    await office.on_duty()
    await office.caller.wait()
    assert office.caller.tags() == ["Say", "Leave"]


async def test_who_waits_and_who_is_there_stands_in_the_private_metrics(office: Office) -> None:
    await office.on_duty()
    await office.caller.to_the_queue()
    office.clock.advance(90)
    async with office.caller.session.get(f"{office.running.private}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    assert "callcenter_queue_waiting 1.0" in lines
    assert "callcenter_queue_longest_wait_seconds 90.0" in lines
    assert 'callcenter_operators{state="available"} 1.0' in lines
    assert "callcenter_callbacks_outstanding 0.0" in lines
