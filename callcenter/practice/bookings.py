"""Booking by telephone: holding a free slot, booking it, and finding it again by its reference.

Nothing here reads a patient's file. A booking is a provisional request (PROV, ID-04): what the caller typed is sealed
in it, and it is found by keyed hashes. Whoever takes or frees a slot of a practice holds one lock, so that two callers
cannot be given the same one; the schema forbids it besides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.labels import Category
from callcenter.kernel.protected import Protected
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.facts import AgendaKind, PracticeFacts
from callcenter.practice.names import normalise_name
from callcenter.practice.slots import Bookable, Consulting
from callcenter.practice.values import Change
from callcenter.store.database import Transaction
from callcenter.store.sealed import Place, Sealer

HOLD = timedelta(minutes=5)
#: Callers who withhold their number share these: slots held at once, and bookings to come.
WITHHELD_HOLDS, WITHHELD_OPEN = 3, 10
#: A reference: eight digits, all equally likely.
DIGITS = 8
_REFERENCES = 10**DIGITS
_EVEN = 2**32 - 2**32 % _REFERENCES
_DRAWS = 50


class SlotKind(StrEnum):
    """What a reference leads to: a request by telephone, or an appointment of the agenda with a printed card."""

    BOOKING = "booking"
    APPOINTMENT = "appointment"


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
    """A practitioner who can be booked, by the name that is public."""

    id: UUID
    name: str
    rule: Bookable


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking that stands.

    Arguments:
        reference: eight digits, told to the caller once and kept nowhere.
    """

    id: UUID
    reference: str


@dataclass(frozen=True, slots=True)
class Slot:
    """What a reference leads to.

    Arguments:
        subject: the patient of an appointment; of a booking, which is nobody's file, its own identifier.
        sensitive: the practitioner's speciality tells something (D05).
        birth_date: of a booking, as it was typed; ``None`` of an appointment, whose patient's file has it.
    """

    id: UUID
    kind: SlotKind
    subject: UUID
    practitioner: UUID
    sensitive: bool
    starts_at: Protected[datetime]
    place: Protected[str] | None
    birth_date: Protected[date] | None


@dataclass(frozen=True, slots=True)
class WaitingBooking:
    """A booking that nobody of the practice has dealt with yet, opened for its staff; must not be logged."""

    id: UUID
    practitioner: str
    starts_at: datetime
    duration_minutes: int
    birth_date: date
    number: str
    cancelled: bool
    created_at: datetime


class Bookings:
    """Bookings of the practice of a transaction. Times are aware.

    Arguments:
        sealer: for what the caller typed, and for the hashes.
        random: makes references.
    """

    def __init__(self, sealer: Sealer, random: Random) -> None:
        self._sealer = sealer
        self._random = random

    # --- offering and booking

    async def practitioners(self, tx: Transaction, facts: PracticeFacts) -> Sequence[BookablePractitioner]:
        """Who can be booked, in the order in which the practice names them; nobody where the agenda is not ours."""
        if facts.agenda.kind is AgendaKind.EXTERNAL or not facts.booking.practitioners:
            return ()
        rows = (await tx.connection.execute(_PRACTITIONERS, {"practice": tx.practice})).all()
        known = {normalise_name(row.name): row for row in rows}
        found = ((known.get(normalise_name(name)), rule) for name, rule in facts.booking.practitioners.items())
        return [
            BookablePractitioner(row.id, f"{row.title} {row.name}".strip(), rule)
            for row, rule in found
            if row is not None
        ]

    async def offer(
        self,
        tx: Transaction,
        facts: PracticeFacts,
        to: OfferedTo,
        whom: BookablePractitioner,
        now: datetime,
        *,
        moving: bool = False,
    ) -> datetime | None:
        """Hold the first free slot behind the one that the call holds, and let that one go.

        ``None`` when there is none, the call has been offered enough, or the caller holds or has booked enough.

        Arguments:
            moving: in place of a booking that the caller has; it is not one more.
        """
        caller = self._caller_index(tx, to.caller)
        held = await self._hold_of(tx, to, caller, now)
        after = now
        if held.offered is not None:
            after = max(now, held.starts_at) if held.practitioner_id == whom.id else now
        enough = self._has_enough(facts, to, held, moving=moving) or (held.offered or 0) >= facts.booking.offers
        starts = None if enough else await self._first_free(tx, facts, to, whom, now, after)
        if starts is None:
            await self.release(tx, to.call)
            return None
        values = {
            "call": to.call,
            "practice": tx.practice,
            "practitioner": whom.id,
            "starts": starts,
            "minutes": whom.rule.slot_minutes,
            "caller": caller,
            "until": now + HOLD,
        }
        await tx.connection.execute(_HOLD, values)
        return starts

    async def book(
        self, tx: Transaction, facts: PracticeFacts, to: OfferedTo, birth_date: date, number: str, now: datetime
    ) -> Booked | None:
        """Book the slot that the call holds; ``None`` when it holds none, it is taken, or the caller has enough.

        Arguments:
            birth_date, number: as the caller typed them; the number is E.164.
        """
        caller = self._caller_index(tx, to.caller)
        held = await self._hold_of(tx, to, caller, now, number)
        if held.offered is None or self._has_enough(facts, to, held) or not await self._still_free(tx, to, held, now):
            await self.release(tx, to.call)
            return None
        booking_id = new_id(self._random)
        reference = await self._fresh_reference(tx)
        row = {
            "id": booking_id,
            "practice": tx.practice,
            "call": to.call,
            "birth_date": self._sealer.seal_text(birth_date.isoformat(), _place(tx, "birth_date", booking_id)),
            "number": self._sealer.seal_text(number, _place(tx, "number", booking_id)),
            "reference": self.reference_index(tx.practice, reference),
            "caller": caller,
            "number_index": self._number_index(tx, number),
            "now": now,
        }
        await tx.connection.execute(_BOOK, row)
        await self.release(tx, to.call)
        return Booked(booking_id, reference)

    async def release(self, tx: Transaction, call: UUID) -> None:
        """Let go of the slot that a call holds, if it holds one."""
        await tx.connection.execute(_RELEASE, {"call": call})

    # --- by reference

    def reference_index(self, practice: UUID, reference: str) -> bytes:
        """The keyed hash under which a reference is kept."""
        return reference_index(self._sealer, practice, reference)

    async def by_reference(self, tx: Transaction, reference: str, now: datetime) -> Slot | None:
        """The slot to come that ``reference`` leads to; ``None`` if it leads to none, or to one that is cancelled."""
        values = {"reference": self.reference_index(tx.practice, reference), "slot": None, "now": now}
        return self._slot(tx, (await tx.connection.execute(_SLOTS, values)).all())

    async def slot(self, tx: Transaction, slot_id: UUID, now: datetime) -> Slot | None:
        """The slot to come of that identifier, if it still stands."""
        values = {"reference": None, "slot": slot_id, "now": now}
        return self._slot(tx, (await tx.connection.execute(_SLOTS, values)).all())

    async def cancel(self, tx: Transaction, slot: Slot, now: datetime) -> Change:
        """Free a slot to come that stands. Staff see a cancelled booking again, even if they had dealt with it."""
        await _lock(tx)
        values = {"slot": slot.id, "now": now}
        cancelled = (await tx.connection.execute(_CANCEL[slot.kind], values)).one_or_none()
        return Change.NOT_POSSIBLE if cancelled is None else Change.DONE

    async def move(self, tx: Transaction, facts: PracticeFacts, to: OfferedTo, slot: Slot, now: datetime) -> Change:
        """Move a slot to come to the one that the call holds; its reference stays. Staff see it again."""
        held = await self._hold_of(tx, to, self._caller_index(tx, to.caller), now)
        possible = (
            held.offered is not None
            and held.practitioner_id == slot.practitioner
            and facts.agenda.kind is AgendaKind.INTERNAL
            and await self._still_free(tx, to, held, now)
        )
        if not possible:
            await self.release(tx, to.call)
            return Change.NOT_POSSIBLE
        values = {"slot": slot.id, "call": to.call, "now": now}
        moved = (await tx.connection.execute(_MOVE[slot.kind], values)).one_or_none()
        await self.release(tx, to.call)
        return Change.NOT_POSSIBLE if moved is None else Change.DONE

    # --- for staff

    async def waiting(self, tx: Transaction, limit: int = 500) -> Sequence[WaitingBooking]:
        """What staff have not dealt with yet, oldest first, at most ``limit``."""
        rows = (await tx.connection.execute(_WAITING, {"practice": tx.practice, "limit": limit})).all()
        return [
            WaitingBooking(
                id=row.id,
                practitioner=f"{row.title} {row.name}".strip(),
                starts_at=row.starts_at,
                duration_minutes=row.duration_minutes,
                birth_date=self._birth_date(tx, row.id, row.birth_date),
                number=self._sealer.open_text(row.number, _place(tx, "number", row.id)),
                cancelled=row.state == "cancelled",
                created_at=row.created_at,
            )
            for row in rows
        ]

    async def handle(self, tx: Transaction, booking_id: UUID, by: str, now: datetime) -> Change:
        """Mark a booking as dealt with by ``by``, unless somebody has. Its slot stays taken."""
        values = {"practice": tx.practice, "booking": booking_id, "by": by, "now": now}
        handled = (await tx.connection.execute(_HANDLE, values)).one_or_none()
        return Change.NOT_POSSIBLE if handled is None else Change.DONE

    # --- within

    async def _hold_of(
        self, tx: Transaction, to: OfferedTo, caller: bytes | None, now: datetime, number: str | None = None
    ) -> Row[Any]:
        """What the call holds, if anything, and how much its caller holds and has booked, under the practice's lock."""
        await _lock(tx)
        await tx.connection.execute(_FORGET_HOLDS, {"call": to.call, "now": now})
        values = {
            "call": to.call,
            "caller": caller,
            # Counted only among callers who withhold their number: whoever typed a neighbour's would otherwise hear how
            # much that one has booked from their own line.
            "number": self._number_index(tx, number) if number is not None and caller is None else None,
            "now": now,
        }
        return (await tx.connection.execute(_HELD, values)).one()

    @staticmethod
    def _has_enough(facts: PracticeFacts, to: OfferedTo, held: Row[Any], *, moving: bool = False) -> bool:
        holds = WITHHELD_HOLDS if to.caller is None else facts.booking.open_per_caller
        booked = WITHHELD_OPEN if to.caller is None else facts.booking.open_per_caller
        by_number = held.by_number >= facts.booking.open_per_caller
        return bool(held.others >= holds or (not moving and (held.by_caller >= booked or by_number)))

    async def _first_free(
        self,
        tx: Transaction,
        facts: PracticeFacts,
        to: OfferedTo,
        whom: BookablePractitioner,
        now: datetime,
        after: datetime,
    ) -> datetime | None:
        consulting = Consulting(facts.opening, facts.reception)
        begins, ends = consulting.window(whom.rule, now)
        values = {"practitioner": whom.id, "begins": begins, "ends": ends, "call": to.call, "now": now}
        rows = (await tx.connection.execute(_TAKEN, values)).all()
        taken = [(row.starts_at, row.starts_at + timedelta(minutes=row.duration_minutes)) for row in rows]
        return consulting.first_free(whom.rule, now, after, taken)

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

    async def _fresh_reference(self, tx: Transaction) -> str:
        """A reference that leads to nothing yet."""
        for _ in range(_DRAWS):
            reference = draw_reference(self._random)
            index = self.reference_index(tx.practice, reference)
            if (await tx.connection.execute(_IN_USE, {"reference": index})).first() is None:
                return reference
        raise CallcenterError("no reference is free")

    def _slot(self, tx: Transaction, rows: Sequence[Row[Any]]) -> Slot | None:
        if len(rows) != 1:
            return None
        row, kind = rows[0], SlotKind(rows[0].kind)
        subject = row.id if row.patient_id is None else row.patient_id
        born = None if row.birth_date is None else self._birth_date(tx, row.id, row.birth_date)
        return Slot(
            id=row.id,
            kind=kind,
            subject=subject,
            practitioner=row.practitioner_id,
            sensitive=row.sensitive,
            starts_at=Protected(row.starts_at, Category.APPOINTMENT_TIME, subject),
            place=None if row.place is None else Protected(row.place, Category.PLACE, subject),
            birth_date=None if born is None else Protected(born, Category.RECORD_EXISTS, subject),
        )

    def _birth_date(self, tx: Transaction, booking_id: UUID, sealed: bytes) -> date:
        return date.fromisoformat(self._sealer.open_text(sealed, _place(tx, "birth_date", booking_id)))

    def _caller_index(self, tx: Transaction, caller: str | None) -> bytes | None:
        return None if caller is None else self._number_index(tx, caller)

    def _number_index(self, tx: Transaction, number: str) -> bytes:
        return self._sealer.blind_index(tx.practice, "booking.number", number)


def draw_reference(random: Random) -> str:
    """Eight digits, each string of them as likely as any other."""
    while (drawn := int.from_bytes(random.token_bytes(4), "big")) >= _EVEN:
        pass
    return f"{drawn % _REFERENCES:0{DIGITS}d}"


def reference_index(sealer: Sealer, practice: UUID, reference: str) -> bytes:
    """The keyed hash of a reference: worth nothing at another practice."""
    return sealer.blind_index(practice, "booking.reference", reference)


async def references_in_use(tx: Transaction, indexes: Sequence[bytes]) -> Mapping[bytes, str]:
    """Those of ``indexes`` that lead to something, with the appointment's external id, or « » for a booking."""
    rows = await tx.connection.execute(_ALL_IN_USE, {"references": list(indexes)})
    return {row.reference_index: row.external_id for row in rows}


async def _lock(tx: Transaction) -> None:
    await tx.connection.execute(_LOCK, {"agenda": f"agenda/{tx.practice}"})


def _place(tx: Transaction, column: str, booking_id: UUID) -> Place:
    return Place(tx.practice, "booking_request", column, booking_id)


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:agenda, 0))")

_PRACTITIONERS = text("SELECT id, name, title FROM practitioner WHERE practice_id = :practice")

_FORGET_HOLDS = text("DELETE FROM slot_hold WHERE held_until <= :now AND call_id <> :call")

#: One row, whatever there is.
_HELD = text(
    """
    SELECT h.practitioner_id, h.starts_at, h.duration_minutes, h.offered, (
        SELECT count(*) FROM slot_hold o
        WHERE o.caller_index IS NOT DISTINCT FROM cast(:caller AS bytea) AND o.call_id <> :call
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

_BOOK = text(
    """
    INSERT INTO booking_request
        (id, practice_id, practitioner_id, starts_at, duration_minutes, birth_date, number, reference_index,
         caller_index, number_index, call_reference, created_at, changed_at)
    SELECT :id, :practice, practitioner_id, starts_at, duration_minutes, :birth_date, :number, :reference,
        :caller, :number_index, :call, :now, :now
    FROM slot_hold WHERE call_id = :call
    """
)

_IN_USE = text(
    """
    SELECT 1 FROM booking_request WHERE reference_index = :reference
    UNION ALL SELECT 1 FROM appointment WHERE reference_index = :reference
    """
)

_ALL_IN_USE = text(
    """
    SELECT reference_index, '' AS external_id FROM booking_request
    WHERE reference_index = ANY(cast(:references AS bytea[]))
    UNION ALL
    SELECT reference_index, external_id FROM appointment WHERE reference_index = ANY(cast(:references AS bytea[]))
    """
)

_SLOTS = text(
    """
    SELECT 'booking' AS kind, b.id, cast(NULL AS uuid) AS patient_id, b.practitioner_id, b.starts_at,
        cast(NULL AS text) AS place, b.birth_date, p.sensitive
    FROM booking_request b JOIN practitioner p ON p.practice_id = b.practice_id AND p.id = b.practitioner_id
    WHERE (b.reference_index = cast(:reference AS bytea) OR b.id = cast(:slot AS uuid))
      AND b.state = 'open' AND b.starts_at > :now
    UNION ALL
    SELECT 'appointment', a.id, a.patient_id, a.practitioner_id, a.starts_at, a.place, NULL, p.sensitive
    FROM appointment a JOIN practitioner p ON p.practice_id = a.practice_id AND p.id = a.practitioner_id
    WHERE (a.reference_index = cast(:reference AS bytea) OR (a.id = cast(:slot AS uuid)
      AND a.reference_index IS NOT NULL))
      AND a.status IN ('planned', 'confirmed') AND a.starts_at > :now
    """
)

_CANCEL = {
    SlotKind.BOOKING: text(
        """
        UPDATE booking_request SET state = 'cancelled', changed_at = :now, handled_at = NULL, handled_by = NULL
        WHERE id = :slot AND state = 'open' AND starts_at > :now RETURNING id
        """
    ),
    SlotKind.APPOINTMENT: text(
        """
        UPDATE appointment SET status = 'cancelled', changed_at = :now
        WHERE id = :slot AND status IN ('planned', 'confirmed') AND starts_at > :now RETURNING id
        """
    ),
}

_MOVE = {
    SlotKind.BOOKING: text(
        """
        UPDATE booking_request b SET starts_at = h.starts_at, duration_minutes = h.duration_minutes, changed_at = :now,
            handled_at = NULL, handled_by = NULL
        FROM slot_hold h
        WHERE h.call_id = :call AND b.id = :slot AND b.state = 'open' AND b.starts_at > :now RETURNING b.id
        """
    ),
    SlotKind.APPOINTMENT: text(
        """
        UPDATE appointment a SET starts_at = h.starts_at, status = 'planned', changed_at = :now
        FROM slot_hold h
        WHERE h.call_id = :call AND a.id = :slot AND a.status IN ('planned', 'confirmed') AND a.starts_at > :now
        RETURNING a.id
        """
    ),
}

_WAITING = text(
    """
    SELECT b.*, p.name, p.title FROM booking_request b
    JOIN practitioner p ON p.practice_id = b.practice_id AND p.id = b.practitioner_id
    WHERE b.practice_id = :practice AND b.handled_at IS NULL ORDER BY b.created_at, b.id LIMIT :limit
    """
)

_HANDLE = text(
    """
    UPDATE booking_request SET handled_at = :now, handled_by = :by
    WHERE practice_id = :practice AND id = :booking AND handled_at IS NULL RETURNING id
    """
)
