"""An urgent message that nobody reads: the practitioner is rung, then the deputy, then the house is alerted.

The message itself is not told on the telephone: whoever answers is asked for a key, which a voicemail does not press.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from uuid import UUID

import structlog
from sqlalchemy import text

from callcenter.audit.ledger import Entry, EventKind, Value, note
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Unavailable
from callcenter.kernel.randomness import Random, SystemRandom
from callcenter.notices.addresses import NoticeAddress, NoticeAddresses, NoticeChannel, Rank, told_of
from callcenter.notices.ports import Alarms
from callcenter.notices.telling import at_once, make_notices
from callcenter.practice.directory import Directory
from callcenter.practice.facts import PracticeFacts
from callcenter.store.database import Database, Transaction
from callcenter.store.sealed import Sealer

_log = structlog.get_logger(__name__)

#: Local hours of the night, in which a practice may not want anybody rung.
NIGHT_BEGINS, NIGHT_ENDS = time(21), time(7)
#: Who is told at each stage; after the last of them, somebody of the house is alerted.
STAGES = (Rank.FIRST, Rank.DEPUTY)
#: Messages that one look takes on.
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Escalations:
    """Watches urgent messages until somebody has confirmed them."""

    database: Database
    sealer: Sealer
    clock: Clock
    alarms: Alarms
    random: Random = field(default_factory=SystemRandom)

    async def advance(self) -> int:
        """Go one stage further with every message that has waited long enough; returns how many were looked at.

        One with which that cannot be done is the house's to look at, and keeps no other back.

        Raises:
            DatabaseDown: the others are gone on with next time.
        """
        now = self.clock.now()
        async with self.database.house() as connection:
            due = (await connection.execute(_DUE, {"now": now, "limit": _AT_ONCE})).all()
        for row in due:
            try:
                async with self.database.practice(row.practice_id) as tx:
                    unread = await self._further(tx, row.message_id, now)
            except Unavailable:
                raise
            except Exception as error:  # of whatever kind: it would come first again each minute
                _log.error("escalation_failed", reference=str(row.message_id), error=type(error).__name__)
                unread = True
            if unread:
                self.alarms.message_unread(row.practice_id, row.message_id)
        return len(due)

    async def acknowledge(self, practice: UUID, notice: UUID) -> bool:
        """Whoever was rung about ``notice`` has confirmed the message: nobody else is rung. Again changes nothing.

        Returns whether there is such a notice.
        """
        async with self.database.practice(practice) as tx:
            values = {"practice": practice, "notice": notice}
            row = (await tx.connection.execute(_RUNG, values)).one_or_none()
            if row is None:
                return False
            if await _end(tx, row.message_id, "acknowledged", self.clock.now()):
                refs: list[Value] = [f"message:{row.message_id}", f"notice_address:{row.address_id}"]
                actor: dict[str, Value] = {"kind": "recipient", "id": str(row.address_id)}
                entry = Entry(EventKind.MESSAGE_ACKNOWLEDGED, actor, None, {"refs": refs})
                await note(tx, entry, self.clock, self.random)
        return True

    async def _further(self, tx: Transaction, message_id: UUID, now: datetime) -> bool:
        """Whether this message is now somebody of the house's to look at."""
        values = {"practice": tx.practice, "message": message_id, "now": now}
        row = (await tx.connection.execute(_LOCK, values)).one_or_none()
        if row is None:  # another worker has gone further, or somebody has confirmed it
            return False
        if row.handled_at is not None:
            await _end(tx, message_id, "handled", now)
            return False
        facts = await Directory.facts(tx.connection, tx.practice, now)
        if (morning := morning_of(now, facts)) is not None:
            await tx.connection.execute(_STAGE, {**values, "stage": row.stage, "next": morning})
            return False
        addresses = told_of(await NoticeAddresses(self.sealer).all(tx), row.practitioner_id)
        for stage in range(row.stage, len(STAGES)):
            if await self._tell(tx, addresses, STAGES[stage], message_id, now):
                after = now + timedelta(minutes=facts.escalation.after_minutes)
                await tx.connection.execute(_STAGE, {**values, "stage": stage + 1, "next": after})
                return False
        await _end(tx, message_id, "alerted", now)
        return True

    async def _tell(
        self, tx: Transaction, addresses: list[NoticeAddress], rank: Rank, message_id: UUID, now: datetime
    ) -> int:
        """Ring those of ``rank``; deputies are written to as well. Returns how many are told."""
        rung = [one for one in addresses if one.rank is rank and one.channel is NoticeChannel.CALL]
        written = [] if rank is Rank.FIRST else at_once(addresses, rank)
        await make_notices(tx, rung, "call", message_id, now, self.random)
        await make_notices(tx, written, "urgent", message_id, now, self.random)
        return len(rung) + len(written)


def morning_of(now: datetime, facts: PracticeFacts) -> datetime | None:
    """When somebody may be rung again, if nobody may be at ``now`` (aware)."""
    local = now.astimezone(facts.timezone)
    if facts.escalation.at_night or NIGHT_ENDS <= local.time() < NIGHT_BEGINS:
        return None
    day = local.date() + timedelta(days=1 if local.time() >= NIGHT_BEGINS else 0)
    return datetime.combine(day, NIGHT_ENDS, facts.timezone)


async def read_on_a_page(tx: Transaction, message_id: UUID, now: datetime) -> bool:
    """Whoever an urgent message is for has read it: nobody is rung any more. Whether somebody was still to be."""
    return await _end(tx, message_id, "acknowledged", now)


async def _end(tx: Transaction, message_id: UUID, ending: str, now: datetime) -> bool:
    """Whether the escalation was open until now; one that ended in an alert may still be confirmed."""
    values = {"practice": tx.practice, "message": message_id, "ending": ending, "now": now}
    return (await tx.connection.execute(_END, values)).one_or_none() is not None


_DUE = text(
    "SELECT practice_id, message_id FROM escalation WHERE ended_at IS NULL AND next_at <= :now "
    "ORDER BY next_at LIMIT :limit"
)

_LOCK = text(
    """
    SELECT e.stage, m.handled_at, m.practitioner_id
    FROM escalation e JOIN message m ON m.practice_id = e.practice_id AND m.id = e.message_id
    WHERE e.practice_id = :practice AND e.message_id = :message AND e.ended_at IS NULL AND e.next_at <= :now
    FOR UPDATE OF e SKIP LOCKED
    """
)

_STAGE = text(
    "UPDATE escalation SET stage = :stage, next_at = :next WHERE practice_id = :practice AND message_id = :message"
)

_END = text(
    """
    UPDATE escalation SET ended_at = :now, ending = :ending
    WHERE practice_id = :practice AND message_id = :message
      AND (ended_at IS NULL OR (ending = 'alerted' AND :ending <> 'alerted'))
    RETURNING message_id
    """
)

_RUNG = text(
    "SELECT message_id, address_id FROM message_notice WHERE practice_id = :practice AND id = :notice AND kind = 'call'"
)
