"""What was begun and not finished: a notice or reminder whose job ended in the middle is cried about, never sent again.

One whose job was lost before anything left is given another, and so are an urgent message, and what a practice is told
of an incident, of which nobody was told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from callcenter.kernel.clock import Clock
from callcenter.notices.ports import Alarms
from callcenter.notices.sending import SEND_NOTICE
from callcenter.practice.everywhere import in_each
from callcenter.practice.inbox import NOTICES, NOTIFY
from callcenter.staff.incident_notices import TELL_OF_INCIDENT
from callcenter.staff.incidents import LAST_NOTICE
from callcenter.store.database import Database, Transaction
from callcenter.store.jobs import defer

#: Nothing takes this long to send.
GIVEN_UP_AFTER = timedelta(minutes=15)
#: Telling of a message, and sending a notice, is tried again for some minutes.
JOB_LOST_AFTER = timedelta(minutes=20)
#: What was sent to whom is forgotten, and with a reminder the road of a STOP: the practice may have changed by then.
KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Looks after what was left lying."""

    database: Database
    clock: Clock
    alarms: Alarms

    async def settle(self) -> int:
        """Cry about what was begun and not finished; returns how much that was.

        Raises:
            PracticesFailed: some could not be looked at, and every other was.
            DatabaseDown: what is left is found next time.
        """
        return await in_each(self.database, self._settle)

    async def _settle(self, practice: UUID) -> int:
        async with self.database.practice(practice) as tx:
            notices, reminders = await self._of_practice(tx)
        for notice in notices:
            self.alarms.notice_failed(practice, notice, "interrupted")
        for reminder in reminders:
            self.alarms.reminder_failed(practice, reminder, "interrupted")
        return len(notices) + len(reminders)

    async def _of_practice(self, tx: Transaction) -> tuple[list[UUID], list[UUID]]:
        now, run = self.clock.now(), tx.connection.execute
        values = {"practice": tx.practice, "before": now - GIVEN_UP_AFTER}
        notices = list((await run(_NOTICES, values)).scalars())
        reminders = list((await run(_REMINDERS, values)).scalars())
        for notice in (await run(_LOST, {"practice": tx.practice, "before": now - JOB_LOST_AFTER})).scalars():
            await defer(tx.connection, SEND_NOTICE, queue=NOTICES, practice=tx.practice, notice=notice)
        for message in (await run(_UNTOLD, {"practice": tx.practice, "before": now - JOB_LOST_AFTER})).scalars():
            await defer(tx.connection, NOTIFY, queue=NOTICES, practice=tx.practice, message=message)
        of_incidents = {"practice": tx.practice, "before": now - JOB_LOST_AFTER, "kept": now - KEPT}
        for notice in (await run(_UNMAILED, of_incidents)).scalars():
            await defer(tx.connection, TELL_OF_INCIDENT, queue=NOTICES, practice=tx.practice, notice=notice)
        await _forget_sent(tx, now)
        return notices, reminders


async def forget_sent(database: Database, clock: Clock) -> int:
    """Forget what was sent to whom so long ago that it is of no use; returns how much that was."""

    async def forgotten(practice: UUID) -> int:
        async with database.practice(practice) as tx:
            return await _forget_sent(tx, clock.now())

    return await in_each(database, forgotten)


async def _forget_sent(tx: Transaction, now: datetime) -> int:
    values = {"practice": tx.practice, "before": now - KEPT}
    gone = [
        (await tx.connection.execute(statement, values)).rowcount for statement in (_FORGET_NOTICES, _FORGET_REMINDERS)
    ]
    return int(sum(gone))


_GIVE_UP = (
    "UPDATE {table} SET outcome = 'unconfirmed' "
    "WHERE practice_id = :practice AND outcome = 'sending' AND claimed_at < :before RETURNING id"
)
_NOTICES = text(_GIVE_UP.format(table="message_notice"))
_REMINDERS = text(_GIVE_UP.format(table="reminder"))
_LOST = text("SELECT id FROM message_notice WHERE practice_id = :practice AND outcome = 'due' AND made_at < :before")
#: The job that tells of an urgent message has it watched too: one that is not has lost that job.
_UNTOLD = text(
    """
    SELECT m.id FROM message m
    WHERE m.practice_id = :practice AND m.urgency = 'urgent' AND m.handled_at IS NULL AND m.created_at < :before
      AND NOT EXISTS (SELECT FROM escalation e WHERE e.message_id = m.id)
    """
)
# Older than what is kept, its mail may have been forgotten: it is told once.
_UNMAILED = text(
    f"""
    SELECT last.id FROM incident_practice n CROSS JOIN LATERAL ({LAST_NOTICE}) last
    WHERE n.practice_id = :practice AND last.made_at < :before AND last.made_at > :kept
      AND NOT EXISTS (SELECT FROM incident_receipt r WHERE r.practice_id = :practice AND r.notice_id = last.id)
      AND NOT EXISTS (
          SELECT FROM message_notice m WHERE m.practice_id = :practice AND m.incident_notice_id = last.id)
      AND EXISTS (SELECT FROM notice_address a WHERE a.practice_id = :practice AND a.channel = 'email')
    """  # noqa: S608 - our own words alone
)
_FORGET_NOTICES = text("DELETE FROM message_notice WHERE practice_id = :practice AND made_at < :before")
# While the appointment is to come, its reminder keeps a second one from being made.
_FORGET_REMINDERS = text(
    """
    DELETE FROM reminder r USING appointment a
    WHERE r.practice_id = :practice AND r.made_at < :before
      AND a.practice_id = r.practice_id AND a.id = r.appointment_id AND a.starts_at < :before
    """
)
