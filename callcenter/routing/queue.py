"""The queue: entering, leaving, asking to be rung back, and what can be told to who waits.

Every method is part of the transaction of its connection, so that a caller is in the queue if and only if the step that
put them there is answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.errors import NotFound
from callcenter.routing.events import note_call
from callcenter.routing.fitting import FITS, SEEN
from callcenter.routing.held import leave, lock_call, to_front, withdraw
from callcenter.routing.reservations import conversation_over
from callcenter.routing.values import (
    EntryKind,
    EntryState,
    EventKind,
    LeftReason,
    Limits,
    Priority,
    ReservationState,
)
from callcenter.routing.waking import About, Waking, wake
from callcenter.staff.values import day_of


class UnknownCall(NotFound):
    """No such call of that practice: a call is in the house before it is in a queue."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A caller who wants to speak with somebody.

    Arguments:
        language: two letters.
        caller_mark: keyed hash of practice and calling number, 64 hexadecimal digits; ``None`` for a number that is
            withheld, or is one of the practice's own lines.
        overflow_at: from when on to be led elsewhere, as the practice has it; ``None`` for never.
    """

    call: UUID
    practice: UUID
    language: str = "fr"
    priority: Priority = Priority.ORDINARY
    caller_mark: str | None = None
    overflow_at: datetime | None = None


class Entered(Enum):
    """What became of an arrival."""

    NEW = "new"
    #: In the place that the same caller had, whose line was cut.
    AGAIN = "again"
    #: The call was in the queue already: a request that came twice.
    THERE = "there"
    #: The call has been hung up.
    ENDED = "ended"
    #: As many wait as may.
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Departed:
    """A call has left.

    Arguments:
        staff: to whom it was offered, or who was speaking with the caller.
        spoke: whether they spoke.
    """

    staff: UUID | None
    spoke: bool


class Queue:
    """Calls that wait. Times are aware."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()

    async def enter(
        self, connection: AsyncConnection, arrival: Arrival, now: datetime, *, most: int | None = None
    ) -> Entered:
        """Let a call wait. Once, however often it is asked; again after it had left for something else.

        Part of a step of that call, which holds its lock.

        Arguments:
            most: how many may wait on the line for that practice at once; ``None`` for any number. Of several that
                come in the same moment, one or two more may.

        Raises:
            UnknownCall: it is none of that practice.
        """
        held = await lock_call(connection, arrival.call)
        if held is not None and held.state is not EntryState.LEFT:
            return Entered.THERE
        if most is not None and await self._on_the_line(connection, arrival.practice) >= most:
            return Entered.FULL
        place = await self._place_of_before(connection, arrival, now)
        values = {
            "call": arrival.call,
            "practice": arrival.practice,
            "language": arrival.language,
            "priority": arrival.priority.value,
            "mark": arrival.caller_mark,
            "overflow": arrival.overflow_at,
            "place": place or now,
            "now": now,
            "mendable": [LeftReason.MESSAGE, LeftReason.OVERFLOW, LeftReason.REDIRECTED, LeftReason.ANSWERED],
        }
        organisation = (await connection.execute(_ENTER, values)).scalar_one_or_none()
        if organisation is None:
            return await self._why_not(connection, arrival)
        detail = None if place is None else "again"
        await note_call(connection, EventKind.ENTERED, arrival.call, now, detail=detail)
        await wake(connection, Waking(About.QUEUE, organisation))
        return Entered.NEW if place is None else Entered.AGAIN

    async def leave(
        self, connection: AsyncConnection, call: UUID, reason: LeftReason, now: datetime
    ) -> Departed | None:
        """Take a call out of the queue, or end the conversation. ``None`` when there is nothing of it to end.

        That a call was hung up ends no callback, which the caller has hung up for.
        """
        held = await lock_call(connection, call)
        if held is None or held.state is EntryState.LEFT:
            return None
        if held.state is EntryState.CONNECTED and held.reservation is not None:
            await conversation_over(connection, held, now)
            return Departed(held.reservation.staff, spoke=True)
        if held.kind is EntryKind.CALLBACK and reason is LeftReason.HUNG_UP:
            return None
        staff = await withdraw(connection, held, now)
        await leave(connection, held, reason, now)
        return Departed(staff, spoke=False)

    async def ask_callback(
        self, connection: AsyncConnection, call: UUID, now: datetime, *, not_before: datetime | None = None
    ) -> bool:
        """Let a caller hang up and be rung, in the place that they have. An offer that is under way is withdrawn.

        False when somebody has just taken the call, or it waits no more; true also when it was asked before.

        Arguments:
            not_before: when the practice has nobody answered before.
        """
        held = await lock_call(connection, call)
        if held is None:
            return False
        if held.kind is EntryKind.CALLBACK and held.state is not EntryState.LEFT:
            return True
        offered = held.reservation is not None and held.reservation.state is ReservationState.OFFERED
        if held.state is not EntryState.WAITING and not offered:
            return False
        await withdraw(connection, held, now)
        await connection.execute(_CALLBACK, {"call": call, "not_before": not_before})
        await note_call(connection, EventKind.CALLBACK, call, now, waited=held.waited(now))
        await to_front(connection, held, now, not_before=not_before)
        return True

    async def close(self, connection: AsyncConnection, practice: UUID, now: datetime) -> list[UUID]:
        """The practice is answered no more: who waits on the line leaves. Callbacks stay, and who speaks goes on.

        Returns the calls, each to be told.
        """
        calls = (await connection.execute(_TO_CLOSE, {"practice": practice})).scalars().all()
        return [call for call in calls if await self._leave_unless_taken(connection, call, LeftReason.CLOSED, now)]

    async def overflow(self, connection: AsyncConnection, now: datetime, limit: int = 100) -> list[UUID]:
        """Let those leave who have waited as long as their practice allows; returns the calls, to be led elsewhere."""
        calls = (await connection.execute(_OVERDUE, {"now": now, "limit": limit})).scalars().all()
        return [call for call in calls if await self._leave_unless_taken(connection, call, LeftReason.OVERFLOW, now)]

    async def position(self, connection: AsyncConnection, call: UUID, now: datetime) -> int | None:
        """How manieth in the queue: 1 for who is next, or is being offered. ``None`` when the call does not wait.

        Those are counted who stand before and whom somebody on duty could take who could take this call too.
        """
        values = {"call": call, "now": now, "today": day_of(now)}
        return (await connection.execute(_POSITION, values)).scalar_one_or_none()

    async def staffed(self, connection: AsyncConnection, practice: UUID, language: str, now: datetime) -> bool:
        """Whether anybody on duty, free or not, could take a call of ``practice`` in ``language``."""
        values = {
            "practice": practice,
            "language": language,
            "today": day_of(now),
            "seen": now - self._limits.unseen,
        }
        return bool((await connection.execute(_STAFFED, values)).scalar_one())

    async def forget_marks(self, connection: AsyncConnection, now: datetime) -> None:
        """Forget by what callers would be known again whose line was cut too long ago."""
        await connection.execute(_FORGET_MARKS, {"before": now - self._limits.cut_line})

    async def _place_of_before(self, connection: AsyncConnection, arrival: Arrival, now: datetime) -> datetime | None:
        """The place that the same caller had a moment ago; it is given once."""
        if arrival.caller_mark is None:
            return None
        values = {
            "practice": arrival.practice,
            "mark": arrival.caller_mark,
            "call": arrival.call,
            "since": now - self._limits.cut_line,
        }
        row = (await connection.execute(_PLACE_OF_BEFORE, values)).one_or_none()
        return None if row is None else row.place

    @staticmethod
    async def _on_the_line(connection: AsyncConnection, practice: UUID) -> int:
        return int((await connection.execute(_ON_THE_LINE, {"practice": practice})).scalar_one())

    @staticmethod
    async def _why_not(connection: AsyncConnection, arrival: Arrival) -> Entered:
        """Somebody else has just entered it, or it has ended, or it is none."""
        values = {"call": arrival.call, "practice": arrival.practice}
        row = (await connection.execute(_KNOWN, values)).one_or_none()
        if row is None:
            raise UnknownCall
        return Entered.THERE if row.there else Entered.ENDED

    async def _leave_unless_taken(
        self, connection: AsyncConnection, call: UUID, reason: LeftReason, now: datetime
    ) -> bool:
        """Let a call leave that waits on the line still, or is offered to somebody who has not taken it."""
        held = await lock_call(connection, call)
        if held is None or held.kind is EntryKind.CALLBACK or held.state in (EntryState.LEFT, EntryState.CONNECTED):
            return False
        if held.reservation is not None and held.reservation.state is not ReservationState.OFFERED:
            return False
        await withdraw(connection, held, now)
        await leave(connection, held, reason, now)
        return True


_ENTER = text(
    """
    INSERT INTO queue_entry AS e
        (call_id, practice_id, language, priority, place, kind, state, entered_at, overflow_at, caller_mark)
    SELECT k.id, k.practice_id, :language, :priority, :place, 'live', 'waiting', :now, :overflow, :mark
    FROM call k WHERE k.id = :call AND k.practice_id = :practice AND k.ended_at IS NULL
    ON CONFLICT (call_id) DO UPDATE SET
        language = excluded.language, priority = excluded.priority, place = excluded.place, kind = 'live',
        state = 'waiting', entered_at = excluded.entered_at, overflow_at = excluded.overflow_at, not_before = NULL,
        caller_mark = excluded.caller_mark, answered_at = NULL, left_at = NULL, left_reason = NULL
        WHERE e.state = 'left' AND e.left_reason = ANY(:mendable)
    RETURNING (SELECT organisation_id FROM practice c WHERE c.id = e.practice_id)
    """
)

_ON_THE_LINE = text(
    """
    SELECT count(*) FROM queue_entry
    WHERE practice_id = :practice AND state IN ('waiting', 'reserved') AND kind = 'live'
    """
)

_KNOWN = text(
    """
    SELECT EXISTS (SELECT FROM queue_entry e WHERE e.call_id = k.id AND e.state <> 'left') AS there
    FROM call k WHERE k.id = :call AND k.practice_id = :practice
    """
)

# Without waiting: of two calls that come at once from one telephone, one has the place.
_PLACE_OF_BEFORE = text(
    """
    UPDATE queue_entry SET caller_mark = NULL
    WHERE call_id = (
        SELECT call_id FROM queue_entry
        WHERE caller_mark = :mark AND practice_id = :practice AND call_id <> :call
            AND state = 'left' AND left_reason = 'hung_up' AND left_at >= :since
        ORDER BY place LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING place
    """
)

_CALLBACK = text(
    "UPDATE queue_entry SET kind = 'callback', overflow_at = NULL, caller_mark = NULL WHERE call_id = :call"
)
_TO_CLOSE = text(
    """
    SELECT call_id FROM queue_entry
    WHERE practice_id = :practice AND state IN ('waiting', 'reserved') AND kind = 'live' ORDER BY number
    """
)
_OVERDUE = text(
    """
    SELECT call_id FROM queue_entry WHERE state = 'waiting' AND kind = 'live' AND overflow_at <= :now
    ORDER BY number LIMIT :limit
    """
)
_FORGET_MARKS = text(
    "UPDATE queue_entry SET caller_mark = NULL WHERE caller_mark IS NOT NULL AND state = 'left' AND left_at < :before"
)

_POSITION = text(
    f"""
    WITH mine AS (
        SELECT e.*, array(
            SELECT p.staff_id FROM presence p JOIN staff_account a ON a.id = p.staff_id
            JOIN practice c ON c.id = e.practice_id
            WHERE p.state <> 'offline' AND {FITS}
        ) AS able
        FROM queue_entry e WHERE e.call_id = :call AND e.state IN ('waiting', 'reserved')
    )
    SELECT CASE WHEN mine.state = 'reserved' THEN 1 ELSE 1 + (
        SELECT count(*) FROM queue_entry e JOIN practice c ON c.id = e.practice_id
        WHERE e.state = 'waiting' AND (e.not_before IS NULL OR e.not_before <= :now)
            AND (e.priority, e.place, e.number) < (mine.priority, mine.place, mine.number)
            AND EXISTS (
                SELECT FROM presence p JOIN staff_account a ON a.id = p.staff_id
                WHERE p.staff_id = ANY(mine.able) AND {FITS}
            )
    ) END FROM mine
    """  # noqa: S608 - our own words alone
)

_STAFFED = text(
    f"""
    SELECT EXISTS (
        SELECT FROM presence p JOIN staff_account a ON a.id = p.staff_id
        JOIN (SELECT cast(:practice AS uuid) AS practice_id, cast(:language AS text) AS language) e ON true
        JOIN practice c ON c.id = e.practice_id
        WHERE p.state <> 'offline' AND ({SEEN} OR p.state = 'on_call') AND {FITS}
    )
    """  # noqa: S608 - our own words alone
)
