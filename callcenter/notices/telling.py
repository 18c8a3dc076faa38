"""Telling of messages: of an urgent one at once, of what waits, bookings too, at noon and at six; and of incidents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text

from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random, new_id
from callcenter.notices.addresses import NoticeAddress, NoticeAddresses, NoticeChannel, Rank, Which, told_of
from callcenter.notices.sending import SEND_NOTICE, counted
from callcenter.notices.waiting import waiting
from callcenter.practice.directory import Directory
from callcenter.practice.everywhere import in_each_as_set
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.inbox import NOTICES
from callcenter.practice.tables import message
from callcenter.practice.values import Urgency
from callcenter.store.database import Database, Transaction
from callcenter.store.jobs import defer
from callcenter.store.sealed import Sealer

#: When a practice is told what waits, in its own zone.
DIGESTS_AT = (time(12), time(18))
#: So late a digest is still sent, by a worker that was away.
DIGEST_LATENESS = timedelta(minutes=45)


@dataclass(frozen=True, slots=True)
class Teller:
    """Makes notices; each is sent by a job of its own, deferred with it."""

    database: Database
    sealer: Sealer
    clock: Clock
    random: Random

    async def tell(self, practice: UUID, message_id: UUID) -> None:
        """Tell of a new message, if it is urgent and nobody has handled it: others wait for the digest."""
        now = self.clock.now()
        async with self.database.practice(practice) as tx:
            query = select(message.c.practitioner_id, message.c.created_at).where(
                message.c.practice_id == practice,
                message.c.id == message_id,
                message.c.urgency == Urgency.URGENT.value,
                message.c.handled_at.is_(None),
            )
            row = (await tx.connection.execute(query)).one_or_none()
            if row is None:
                return
            facts = await Directory.facts(tx.connection, practice, now)
            waits = timedelta(minutes=facts.escalation.after_minutes)
            values = {"practice": practice, "message": message_id, "at": row.created_at + waits}
            await tx.connection.execute(_WATCH, values)
            addresses = told_of(await NoticeAddresses(self.sealer).all(tx), row.practitioner_id)
            await make_notices(tx, at_once(addresses, Rank.FIRST), "urgent", message_id, now, self.random)

    async def tell_of_incident(self, practice: UUID, notice: UUID) -> None:
        """Mail that there is something to be read of an incident: to whoever reads the practice's mails of messages."""
        async with self.database.practice(practice) as tx:
            addresses = await NoticeAddresses(self.sealer).all(tx)
            mailed = [one for one in addresses if one.channel is NoticeChannel.EMAIL]
            await make_notices(tx, mailed, "incident", None, self.clock.now(), self.random, incident_notice=notice)

    async def digests(self) -> int:
        """Tell every practice where noon or six has just passed what waits; returns how many notices were made.

        Run often: of each digest there is one notice an address, and none where nothing waits.

        Raises:
            PracticesFailed: some could not be told, and every other was.
            DatabaseDown: whoever was not told is next time.
        """
        now = self.clock.now()

        async def tell(facts: PracticeFacts) -> int:
            slot = digest_slot(now, facts.timezone)
            if slot is None:
                return 0
            async with self.database.practice(facts.id) as tx:
                return await self._digest(tx, slot, now)

        return await in_each_as_set(self.database, now, tell)

    async def _digest(self, tx: Transaction, slot: datetime, now: datetime) -> int:
        addresses = await NoticeAddresses(self.sealer).all(tx)
        told = [one for one in addresses if one.which is not Which.URGENT]
        groups = await waiting(tx, slot) if told else []
        due = [one for one in told if counted(groups, one, addresses).anything]
        return await make_notices(tx, due, "digest", None, now, self.random, slot)


def at_once(addresses: Iterable[NoticeAddress], rank: Rank) -> list[NoticeAddress]:
    """Who of ``addresses`` is written to about an urgent message."""
    return [
        one
        for one in addresses
        if one.rank is rank and one.which is not Which.DIGEST and one.channel is not NoticeChannel.CALL
    ]


def digest_slot(now: datetime, zone: ZoneInfo) -> datetime | None:
    """The digest that is due at ``now`` (aware): noon or six of that day, if it has just passed."""
    local = now.astimezone(zone)
    slots = (datetime.combine(local.date(), at, zone) for at in DIGESTS_AT)
    return next((slot for slot in slots if slot <= local < slot + DIGEST_LATENESS), None)


async def make_notices(
    tx: Transaction,
    addresses: Iterable[NoticeAddress],
    kind: str,
    message_id: UUID | None,
    now: datetime,
    random: Random,
    slot: datetime | None = None,
    *,
    incident_notice: UUID | None = None,
) -> int:
    """Make a notice for each address, with the job that sends it, unless there is one already. Returns how many."""
    made = 0
    for one in addresses:
        notice = new_id(random)
        values = {
            "practice": tx.practice,
            "notice": notice,
            "address": one.id,
            "kind": kind,
            "message": message_id,
            "incident": incident_notice,
            "slot": slot,
            "now": now,
        }
        if (await tx.connection.execute(_MAKE, values)).one_or_none() is not None:
            await defer(tx.connection, SEND_NOTICE, queue=NOTICES, practice=tx.practice, notice=notice)
            made += 1
    return made


_MAKE = text(
    """
    INSERT INTO message_notice (id, practice_id, address_id, kind, message_id, incident_notice_id, slot, made_at)
    VALUES (:notice, :practice, :address, :kind, :message, :incident, :slot, :now)
    ON CONFLICT ON CONSTRAINT uq_message_notice_once DO NOTHING RETURNING id
    """
)

_WATCH = text(
    "INSERT INTO escalation (message_id, practice_id, next_at) VALUES (:message, :practice, :at) "
    "ON CONFLICT (message_id) DO NOTHING"
)
