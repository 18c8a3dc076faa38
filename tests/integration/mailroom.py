"""Two practices with their practitioners and staff, and messages for them, without a web page."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from argon2.profiles import CHEAPEST
from sqlalchemy import text

from callcenter.app.by_inbox import StaffInboxes
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import demo_id, read_demonstration
from callcenter.practice.enrolment import write_organisation, write_practice, write_practitioners
from callcenter.practice.inbox import Inbox
from callcenter.practice.setting_versions import Author
from callcenter.practice.values import Urgency
from callcenter.practice.voice_messages import Sound, VoiceMessages
from callcenter.staff.administration import NewAccount
from callcenter.staff.passkeys import RelyingParty
from callcenter.staff.practitioners import Practises, StaffPractitioners
from callcenter.staff.records import Actor, HouseLog
from callcenter.staff.room import StaffLimits, StaffRoom
from callcenter.staff.sessions import Stage
from callcenter.staff.values import Account, Portfolio, Role, day_of
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer

TILLEULS, PORT = demo_id("practice", "cabinet-des-tilleuls"), demo_id("practice", "maison-de-sante-du-port")
CLAIRE, NADIA = "Claire Moreau", "Nadia Benali"
NUMBER, CALLS_FROM = "06 39 98 00 01", "+33639980001"
WORDS, SOUND = "Demande si elle doit venir à jeun.", b"RIFF what was spoken"
BY = Actor.command("a test")


@dataclass(frozen=True, slots=True)
class Somebody:
    """Somebody of staff who is signed in, and has given a second factor just now."""

    account: Account
    token: str

    @property
    def staff(self) -> UUID:
        return self.account.id


@dataclass(slots=True)
class Mailroom:
    """What the tests of messages need.

    Arguments:
        whole: the portfolio of both practices.
    """

    database: Database
    sealer: Sealer
    clock: DrivenClock
    random: Random
    room: StaffRoom
    inboxes: StaffInboxes
    organisation: UUID
    whole: Portfolio
    _made: int = 0

    # --- staff

    async def account(self, role: Role, portfolio: Portfolio | None = None, *, trained: bool = True) -> Somebody:
        self._made += 1
        new = NewAccount(self.organisation, f"somebody-{self._made}", f"Personne {self._made}")
        account = await self.room.administration.create(new, BY)
        today = day_of(self.clock.now())
        await self.room.administration.sign(account.id, today, BY)
        if trained:
            await self.room.administration.trained(account.id, today + timedelta(days=365), BY)
        await self.room.administration.grant(account, role, portfolio or self.whole, BY)
        return await self.again(Somebody(account, ""))

    async def again(self, one: Somebody) -> Somebody:
        """A fresh session of theirs, a second factor given just now."""
        async with self.database.house() as connection:
            token = await self.room.sessions.begin(connection, one.staff, Stage.FULL, stepped_up=True)
        return replace(one, token=token)

    async def operator(self, portfolio: Portfolio | None = None, *, trained: bool = True) -> Somebody:
        return await self.account(Role.OPERATOR, portfolio, trained=trained)

    async def supervisor(self, portfolio: Portfolio | None = None) -> Somebody:
        return await self.account(Role.SUPERVISOR, portfolio)

    async def doctor(
        self, name: str = CLAIRE, *, of_practice: bool = False, role: Role = Role.PRACTITIONER
    ) -> Somebody:
        """A practitioner of the practice in Lyon, whose training is nobody's business here."""
        one = await self.account(role, trained=False)
        kept = StaffPractitioners(HouseLog(self.clock, self.random))
        async with self.database.practice(TILLEULS) as tx:
            whom = await self.called(name)
            await kept.name(tx.connection, one.staff, Practises(TILLEULS, whom, of_practice), BY)
        return one

    async def portfolio(self, name: str, practice: UUID) -> Portfolio:
        made = await self.room.portfolios.create(self.organisation, name, BY)
        await self.room.portfolios.add(made, practice, BY)
        return made

    async def called(self, name: str) -> UUID:
        async with self.database.practice(TILLEULS) as tx:
            query = text("SELECT id FROM practitioner WHERE name = :name")
            return UUID(str((await tx.connection.execute(query, {"name": name})).scalar_one()))

    # --- messages

    async def left(
        self,
        whom: str | None,
        *,
        kind: str = "callback",
        text: str | None = None,
        writer: UUID | None = None,
        urgency: Urgency = Urgency.NORMAL,
        spoken: bool = False,
    ) -> UUID:
        """A message for a practitioner, or for the practice."""
        message, now = new_id(self.random), self.clock.now()
        practitioner = None if whom is None else await self.called(whom)
        async with self.database.practice(TILLEULS) as tx:
            await Inbox(self.sealer).leave(
                tx,
                id=message,
                reason="other",
                number=CALLS_FROM,
                call_reference=None,
                now=now,
                kind=kind,
                practitioner=practitioner,
                urgency=urgency,
                text=text,
                written_by=writer,
            )
            if spoken:
                await self._speak(tx, message)
        return message

    async def _speak(self, tx: Any, message: UUID) -> None:
        voice, now = new_id(self.random), self.clock.now()
        row = {"id": voice, "practice": TILLEULS, "message": message, "now": now}
        row |= {"call": "CA" + voice.hex, "recording": "RE" + voice.hex}
        await tx.connection.execute(_VOICE, row)
        assert await VoiceMessages(self.sealer).keep(tx, voice, Sound(SOUND, "audio/wav"), now)

    async def watched(self, message: UUID) -> None:
        """Nobody has read it yet, which somebody is to be rung about."""
        async with self.database.practice(TILLEULS) as tx:
            values = {"practice": TILLEULS, "message": message, "at": self.clock.now() + timedelta(minutes=30)}
            await tx.connection.execute(_WATCH, values)

    # --- what is on record

    async def bodies(self, message: UUID) -> list[dict[str, Any]]:
        """The records of a message, in order."""
        async with self.database.practice(TILLEULS) as tx:
            rows = await tx.connection.execute(_RECORDS, {"stream": message})
            return [json.loads(body) for body in rows.scalars()]

    async def events(self, message: UUID) -> list[str]:
        return [body["event"] for body in await self.bodies(message)]

    async def records_named(self, message: UUID) -> list[tuple[str, UUID, str]]:
        """What, by whom, and as what they did it."""
        return [(body["event"], UUID(body["actor"]["id"]), body["as"]) for body in await self.bodies(message)]

    async def one(self, query: str) -> Any:
        async with self.database.practice(TILLEULS) as tx:
            return (await tx.connection.execute(text(query))).scalar_one()

    async def run(self, statement: str) -> None:
        async with self.database.practice(TILLEULS) as tx:
            await tx.connection.execute(text(statement))


@asynccontextmanager
async def mailroom(
    database: Database, sealer: Sealer, clock: DrivenClock, random: Random, *, furnished: bool = False
) -> AsyncIterator[Mailroom]:
    """Everything on a database.

    Arguments:
        furnished: the demonstration's practices stand there already.
    """
    demonstration = read_demonstration(FOLDER)
    organisation = demonstration.organisation_id
    if not furnished:
        async with database.house() as connection:
            await write_organisation(connection, organisation, demonstration.organisation)
            for practice in demonstration.practices.values():
                await write_practice(connection, practice.facts, Author("a test", clock.now()))
        for practice in demonstration.practices.values():
            async with database.practice(practice.facts.id) as tx:
                await write_practitioners(tx, practice.practitioners)
    party, limits = RelyingParty.at("http://localhost:8081"), StaffLimits(parameters=CHEAPEST)
    room = StaffRoom.on(database, database, sealer, clock, random, party, limits)
    try:
        whole = await room.portfolios.create(organisation, "Tous, pour les tests", BY, whole=True)
        inboxes = StaffInboxes(room, database, sealer, clock, random, database)
        yield Mailroom(database, sealer, clock, random, room, inboxes, organisation, whole)
    finally:
        room.close()


_VOICE = text(
    """
    INSERT INTO voice_message (id, practice_id, message_id, call_sid, recording_sid, seconds, left_at)
    VALUES (:id, :practice, :message, :call, :recording, 12, :now)
    """
)
_WATCH = text("INSERT INTO escalation (message_id, practice_id, next_at) VALUES (:message, :practice, :at)")
_RECORDS = text("SELECT convert_from(body, 'UTF8') FROM audit_record WHERE stream = :stream ORDER BY seq")
