"""Free slots, offered by telephone: each is held for the call that is told of it, for as long as its caller thinks.

Nothing here reads a patient's file. Whoever takes a slot holds two locks: one of the calling number, whose slots are
counted, and one of the practitioner, so that two callers cannot be given the same slot; the schema forbids besides that
two held slots, or two bookings, overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from callcenter.practice.consulting import Consulting, Taken
from callcenter.practice.facts import AgendaKind, PracticeFacts
from callcenter.practice.names import normalise_name
from callcenter.practice.slots import Bookable
from callcenter.practice.typed_at_booking import TypedAtBooking
from callcenter.store.database import Transaction
from callcenter.store.sealed import Sealer

HOLD = timedelta(minutes=5)
#: Callers who withhold their number share these: slots held at once, and bookings to come.
WITHHELD_HOLDS, WITHHELD_OPEN = 3, 10


@dataclass(frozen=True, slots=True)
class OfferedTo:
    """Who is offered slots.

    Arguments:
        call: our identifier; it holds one slot at most.
        caller: E.164, or ``None`` when withheld.
    """

    call: UUID
    caller: str | None


@dataclass(frozen=True, slots=True)
class BookablePractitioner:
    """A practitioner who can be booked.

    Arguments:
        name: that is public, with the title.
        rule: by which they are booked now.
        planned_as: the name that the practice's plans have.
    """

    id: UUID
    name: str
    rule: Bookable
    planned_as: str

    def consulting(self, facts: PracticeFacts) -> Consulting:
        """When they see patients at the practice of ``facts``."""
        return Consulting(facts.timetable, self.planned_as, self.rule)


@dataclass(frozen=True, slots=True)
class Held:
    """The slot that a call holds, and may have."""

    practitioner: UUID
    starts_at: datetime


class FreeSlots:
    """Free slots of the practice of a transaction. Times are aware.

    Arguments:
        sealer: for the hashes of numbers.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._typed = TypedAtBooking(sealer)

    async def practitioners(self, tx: Transaction, facts: PracticeFacts) -> Sequence[BookablePractitioner]:
        """Who can be booked, in the order in which the practice names them; nobody where the agenda is not ours."""
        if facts.agenda.kind is AgendaKind.EXTERNAL or not facts.booking.practitioners:
            return ()
        rows = (await tx.connection.execute(_PRACTITIONERS, {"practice": tx.practice})).all()
        known = {normalise_name(row.name): row for row in rows}
        return [
            BookablePractitioner(row.id, f"{row.title} {row.name}".strip(), rule, row.name)
            for name, rule in facts.booking.practitioners.items()
            if (row := known.get(normalise_name(name))) is not None
        ]

    async def offer(
        self,
        tx: Transaction,
        facts: PracticeFacts,
        to: OfferedTo,
        whom: BookablePractitioner,
        now: datetime,
        *,
        lasting: int = 0,
    ) -> datetime | None:
        """Hold the first free slot behind the one that the call holds, and let that one go.

        ``None`` when there is none, the call has been offered enough, or the caller holds enough. How much the caller
        has booked makes no difference here: a calling number is easily forged (P6).

        Arguments:
            lasting: minutes of what is moved there; it is held for so long, where a slot is shorter.
        """
        consulting = whom.consulting(facts)
        caller = self._caller_index(tx, to)
        held = await self._hold_of(tx, to, caller, now, whom=whom.id)
        after = now
        if held.offered is not None:
            after = max(now, held.starts_at) if held.practitioner_id == whom.id else now
        enough = _holds_enough(facts, to, held) or (held.offered or 0) >= facts.booking.offers
        starts = None if enough else await self._first_free(tx, consulting, to, whom.id, now, after, lasting)
        if starts is None:
            await self.release(tx, to.call)
            return None
        values = {
            "call": to.call,
            "practice": tx.practice,
            "practitioner": whom.id,
            "starts": starts,
            "minutes": consulting.minutes(starts, lasting),
            "caller": caller,
            "until": now + HOLD,
        }
        await tx.connection.execute(_HOLD, values)
        return starts

    async def claim(
        self,
        tx: Transaction,
        facts: PracticeFacts,
        to: OfferedTo,
        now: datetime,
        *,
        number: str | None = None,
        moving: bool = False,
    ) -> Held | None:
        """The slot that the call holds, if it may have it; ``None``, and it is let go, if it is taken or one too many.

        Between those two, no statement differs.

        Arguments:
            number: which the caller typed, E.164.
            moving: in place of a booking that the caller has; it is not one more.
        """
        held = await self._hold_of(tx, to, self._caller_index(tx, to), now, number=number)
        free = held.offered is not None and await self._still_free(tx, to, held, now)
        if not free or (not moving and _has_booked_enough(facts, to, held)):
            await self.release(tx, to.call)
            return None
        return Held(held.practitioner_id, held.starts_at)

    async def release(self, tx: Transaction, call: UUID) -> None:
        """Let go of the slot that a call holds, if it holds one."""
        await tx.connection.execute(_RELEASE, {"call": call})

    async def several(
        self,
        tx: Transaction,
        facts: PracticeFacts,
        call: UUID,
        whom: BookablePractitioner,
        now: datetime,
        *,
        most: int,
        after: datetime | None = None,
        lasting: int = 0,
    ) -> Sequence[datetime]:
        """The next free slots, at most ``most``, for somebody who reads them out; none of them is held.

        Arguments:
            after: only later ones.
            lasting: minutes of what is moved there.
        """
        consulting = whom.consulting(facts)
        taken = await self._taken(tx, consulting.window(now), call, whom.id, now)
        return list(islice(consulting.free(now, max(now, after or now), taken, lasting), most))

    async def hold(
        self,
        tx: Transaction,
        facts: PracticeFacts,
        to: OfferedTo,
        whom: BookablePractitioner,
        starts: datetime,
        now: datetime,
        *,
        lasting: int = 0,
    ) -> bool:
        """Hold the slot that somebody has chosen of :meth:`several`, in place of the one that the call holds. False
        when it is none of the free ones by now."""
        caller, consulting = self._caller_index(tx, to), whom.consulting(facts)
        await self._hold_of(tx, to, caller, now, whom=whom.id)
        await self.release(tx, to.call)
        taken = await self._taken(tx, consulting.window(now), to.call, whom.id, now)
        just_before = starts - timedelta(microseconds=1)
        if consulting.first_free(now, max(now, just_before), taken, lasting) != starts:
            return False
        values = {
            "call": to.call,
            "practice": tx.practice,
            "practitioner": whom.id,
            "starts": starts,
            "minutes": consulting.minutes(starts, lasting),
            "caller": caller,
            "until": now + HOLD,
        }
        await tx.connection.execute(_HOLD, values)
        return True

    # --- within

    async def _hold_of(
        self,
        tx: Transaction,
        to: OfferedTo,
        caller: bytes | None,
        now: datetime,
        *,
        whom: UUID | None = None,
        number: str | None = None,
    ) -> Row[Any]:
        """What the call holds, if anything, and how much its caller holds and has booked, under both locks.

        Arguments:
            whom: the practitioner whose slots are asked for; ``None`` for the one whose slot the call holds.
        """
        await _lock(tx, to, caller, whom)
        await tx.connection.execute(_FORGET_HOLDS, {"call": to.call, "whom": whom, "now": now})
        values = {
            "call": to.call,
            "caller": caller,
            # Counted only among callers who withhold their number: whoever typed a neighbour's would otherwise hear how
            # much that one has booked from their own line.
            "number": self._typed.number_index(tx.practice, number) if number is not None and caller is None else None,
            "now": now,
        }
        return (await tx.connection.execute(_HELD, values)).one()

    async def _first_free(
        self,
        tx: Transaction,
        consulting: Consulting,
        to: OfferedTo,
        whom: UUID,
        now: datetime,
        after: datetime,
        lasting: int,
    ) -> datetime | None:
        taken = await self._taken(tx, consulting.window(now), to.call, whom, now)
        return consulting.first_free(now, after, taken, lasting)

    @staticmethod
    async def _taken(tx: Transaction, window: Taken, call: UUID, whom: UUID, now: datetime) -> Sequence[Taken]:
        """What is taken of a practitioner's time in ``window``, but for what ``call`` holds itself."""
        begins, ends = window
        values = {"practitioner": whom, "begins": begins, "ends": ends, "call": call, "now": now}
        rows = (await tx.connection.execute(_TAKEN, values)).all()
        return [(row.starts_at, row.starts_at + timedelta(minutes=row.duration_minutes)) for row in rows]

    async def _still_free(self, tx: Transaction, to: OfferedTo, held: Row[Any], now: datetime) -> bool:
        ends = held.starts_at + timedelta(minutes=held.duration_minutes)
        values = {
            "practitioner": held.practitioner_id,
            "begins": held.starts_at,
            "ends": ends,
            "call": to.call,
            "now": now,
        }
        taken = (await tx.connection.execute(_TAKEN, values)).first()
        return taken is None and bool(held.starts_at > now)

    def _caller_index(self, tx: Transaction, to: OfferedTo) -> bytes | None:
        return None if to.caller is None else self._typed.number_index(tx.practice, to.caller)


def _holds_enough(facts: PracticeFacts, to: OfferedTo, held: Row[Any]) -> bool:
    return bool(held.others >= (WITHHELD_HOLDS if to.caller is None else facts.booking.open_per_caller))


def _has_booked_enough(facts: PracticeFacts, to: OfferedTo, held: Row[Any]) -> bool:
    booked = WITHHELD_OPEN if to.caller is None else facts.booking.open_per_caller
    return bool(held.by_caller >= booked or held.by_number >= facts.booking.open_per_caller)


async def _lock(tx: Transaction, to: OfferedTo, caller: bytes | None, whom: UUID | None) -> None:
    """Wait until nobody else counts this caller's slots, then until nobody else takes one of the practitioner's."""
    of = f"caller/{tx.practice}/{'withheld' if caller is None else caller.hex()}"
    await tx.connection.execute(_LOCK, {"caller": of, "call": to.call, "whom": whom})


#: Always in this order, so that nobody waits for somebody who waits for them.
_LOCK = text(
    """
    SELECT pg_advisory_xact_lock(hashtextextended(:caller, 0)),
        pg_advisory_xact_lock(hashtextextended('agenda/' || coalesce(
            cast(:whom AS uuid), (SELECT practitioner_id FROM slot_hold WHERE call_id = :call)
        ), 0))
    """
)

_PRACTITIONERS = text("SELECT id, name, title FROM practitioner WHERE practice_id = :practice")

#: Those of the practitioner whose lock is held.
_FORGET_HOLDS = text(
    """
    DELETE FROM slot_hold WHERE held_until <= :now AND call_id <> :call AND practitioner_id = coalesce(
        cast(:whom AS uuid), (SELECT practitioner_id FROM slot_hold WHERE call_id = :call)
    )
    """
)

#: One row, whatever there is.
_HELD = text(
    """
    SELECT h.practitioner_id, h.starts_at, h.duration_minutes, h.offered, (
        SELECT count(*) FROM slot_hold o
        WHERE o.caller_index IS NOT DISTINCT FROM cast(:caller AS bytea) AND o.call_id <> :call AND o.held_until > :now
    ) AS others, (
        SELECT count(*) FROM booking_request b
        WHERE b.caller_index IS NOT DISTINCT FROM cast(:caller AS bytea) AND b.state = 'open' AND b.starts_at > :now
    ) AS by_caller, (
        SELECT count(*) FROM booking_request b
        WHERE b.number_index = cast(:number AS bytea) AND b.caller_index IS NULL
          AND b.state = 'open' AND b.starts_at > :now
    ) AS by_number
    FROM (SELECT 1) AS one LEFT JOIN slot_hold h ON h.call_id = :call
    """
)

#: What overlaps the time from ``begins`` to ``ends``; nothing lasts longer than a day.
_TAKEN = text(
    """
    SELECT starts_at, duration_minutes FROM (
        SELECT starts_at, duration_minutes FROM appointment
        WHERE practitioner_id = :practitioner AND status IN ('planned', 'confirmed')
          AND starts_at > cast(:begins AS timestamptz) - interval '1 day' AND starts_at < :ends
        UNION ALL
        SELECT starts_at, duration_minutes FROM booking_request
        WHERE practitioner_id = :practitioner AND state = 'open'
          AND starts_at > cast(:begins AS timestamptz) - interval '1 day' AND starts_at < :ends
        UNION ALL
        SELECT starts_at, duration_minutes FROM slot_hold
        WHERE practitioner_id = :practitioner AND call_id <> :call AND held_until > :now
          AND starts_at > cast(:begins AS timestamptz) - interval '1 day' AND starts_at < :ends
    ) AS taken
    WHERE starts_at + duration_minutes * interval '1 minute' > :begins
    """
)

_HOLD = text(
    """
    INSERT INTO slot_hold
        (call_id, practice_id, practitioner_id, starts_at, duration_minutes, caller_index, offered, held_until)
    VALUES (:call, :practice, :practitioner, :starts, :minutes, :caller, 1, :until)
    ON CONFLICT (call_id) DO UPDATE SET
        practitioner_id = excluded.practitioner_id, starts_at = excluded.starts_at,
        duration_minutes = excluded.duration_minutes, held_until = excluded.held_until,
        offered = slot_hold.offered + 1
    """
)

_RELEASE = text("DELETE FROM slot_hold WHERE call_id = :call")
