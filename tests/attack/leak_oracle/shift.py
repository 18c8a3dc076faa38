"""Operators on duty, one of each organisation, who answer by a private telephone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from callcenter.app import Running
from callcenter.calls.keypad import Asked
from callcenter.emulator.client import ControlClient
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.facts import PracticeFacts
from callcenter.routing.presence import move
from callcenter.routing.queue import Queue
from callcenter.routing.reservations import Reservations
from callcenter.routing.values import LeftReason, PresenceState, ReservationState, Way
from callcenter.routing.waking import CHANNEL
from callcenter.staff.administration import NewAccount
from callcenter.staff.invitations import Purpose
from callcenter.staff.passkeys import RelyingParty
from callcenter.staff.records import Actor, HouseLog
from callcenter.staff.room import StaffRoom
from callcenter.staff.sessions import Stage
from callcenter.staff.telephones import Telephones
from callcenter.staff.values import Role, day_of
from tests.attack.leak_oracle.people import Population
from tests.attack.leak_oracle.verdict import Judge, Sink
from tests.talking import talk_of

BY = Actor.command("oracle")
PASSWORD = "quatre mots sans rapport"


class Shift:
    """Who is on duty.

    Arguments:
        running: the server, whose own rooms are asked.
    """

    def __init__(self, running: Running, clock: Clock, population: Population) -> None:
        self._running = running
        self._clock = clock
        self._population = population
        self._staff: dict[UUID, UUID] = {}
        self._on_duty: set[UUID] = set()

    def desk(self, practice: PracticeFacts) -> str:
        """The telephone (E.164) of who answers for a practice."""
        return self._population.desks[practice.organisation_id]

    def on_call(self, practice: PracticeFacts) -> UUID:
        """The account of who answers for a practice."""
        return self._staff[practice.organisation_id]

    async def has_them_type(self, practice: PracticeFacts) -> bool:
        """Whoever talks for a practice has the caller type who they are; whether the caller goes to do so."""
        staff = self.on_call(practice)
        talk = await talk_of(self._running.database, staff)
        return talk is not None and await self._running.keypad.ask(staff, talk.reservation) is Asked.ASKED

    async def is_trained(self, practice: PracticeFacts, until: date) -> None:
        """The training of whoever answers for a practice holds until that day, the last one (SM-02)."""
        room = self._room()
        try:
            await room.administration.trained(self.on_call(practice), until, BY)
        finally:
            room.close()

    async def begins(self, practice: PracticeFacts) -> None:
        """Whoever answers for a practice is available."""
        organisation = practice.organisation_id
        if organisation not in self._staff:
            self._staff[organisation] = await self._hired(organisation)
        async with self._running.database.house() as connection:
            now = self._clock.now()
            assert await move(connection, self._staff[organisation], PresenceState.AVAILABLE, now, way=Way.TELEPHONE)
        self._on_duty.add(organisation)

    async def signs_in(self, practice: PracticeFacts) -> str:
        """Whoever answers for a practice is signed in to the pages of staff; the session's token."""
        room = self._room()
        try:
            async with self._running.database.house() as connection:
                return await room.sessions.begin(connection, self._staff[practice.organisation_id], Stage.FULL)
        finally:
            room.close()

    async def goes_home(self, practice: PracticeFacts) -> None:
        """Whoever answers for a practice refuses what is offered to them, and is gone; a talk is ended first."""
        organisation = practice.organisation_id
        if organisation not in self._on_duty:
            return
        async with asyncio.timeout(20):
            while not await self._leaves(self._staff[organisation]):
                await asyncio.sleep(0.02)
        self._on_duty.discard(organisation)

    async def forgets_callbacks(self) -> None:
        """Whoever asked to be rung back no longer wants it: the next call is the next caller's."""
        async with self._running.database.house() as connection:
            query = text("SELECT call_id FROM queue_entry WHERE kind = 'callback' AND state = 'waiting'")
            for call in (await connection.execute(query)).scalars().all():
                await Queue().leave(connection, call, LeftReason.CANCELLED, self._clock.now())

    async def over(self, client: ControlClient) -> None:
        """Nobody is on duty, and no desk rings any more."""
        for facts in self._population.practices.values():
            if facts.organisation_id in self._on_duty:
                await self.goes_home(facts)
                for leg in await client.ringing(self.desk(facts), 0):
                    await client.reject(leg.sid, "no-answer")
                    await client.closed(leg.sid)

    async def _leaves(self, staff: UUID) -> bool:
        reservations, now = Reservations(), self._clock.now()
        async with self._running.database.house() as connection:
            held = await reservations.of(connection, staff)
            if held is not None and held.state is ReservationState.OFFERED:
                await reservations.refuse(connection, held.id, staff, now)
            return await move(connection, staff, PresenceState.OFFLINE, now, way=Way.TELEPHONE)

    async def _hired(self, organisation: UUID) -> UUID:
        running, database, clock = self._running, self._running.database, self._clock
        login = f"operatrice-{len(self._staff)}"
        room = self._room()
        try:
            account = await room.administration.create(NewAccount(organisation, login, "Télésecrétaire"), BY)
            portfolio = await room.portfolios.create(organisation, f"Tous {login}", BY, whole=True)
            await room.administration.grant(account, Role.OPERATOR, portfolio, BY)
            await room.administration.sign(account.id, day_of(clock.now()), BY)
            invitation = await room.invitations.invite(account.id, Purpose.FIRST, BY)
            await room.invitations.accept(invitation, "quatre mots sans rapport")
        finally:
            room.close()
        telephones = Telephones(running.sealer, HouseLog(clock, SystemRandom()))
        async with database.house() as connection:
            assert await telephones.keep(connection, account.id, self._population.desks[organisation], BY)
        return account.id

    def _room(self) -> StaffRoom:
        running = self._running
        party = RelyingParty.at("http://localhost:8081")
        return StaffRoom.on(running.database, running.database, running.sealer, self._clock, SystemRandom(), party)


def told_by(payload: str) -> str:
    """A notice without the colon behind its first word, which else makes a figure look like a part of a time."""
    return payload.replace(":", " ", 1)


@asynccontextmanager
async def notices_judged(url: str, judge: Judge) -> AsyncIterator[None]:
    """Judge every notice of the database to other workers, as anybody hears it who listens.

    Arguments:
        url: of the database, as the app role.
    """

    def heard(_connection: object, _process: int, _channel: str, payload: str) -> None:
        judge.leaves(Sink.NOTICE, told_by(payload))

    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            await driver.add_listener(CHANNEL, heard)
            yield
            await connection.execute(text("SELECT 1"))  # what has been sent by now has been heard
            await driver.remove_listener(CHANNEL, heard)
    finally:
        await engine.dispose()
