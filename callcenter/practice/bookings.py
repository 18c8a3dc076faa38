"""Booking by telephone: the slot that a call holds becomes a booking, or takes the place of what a reference leads to.

A booking is a provisional request (PROV, ID-04). Nothing here reads a patient's file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text

from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.facts import AgendaKind, PracticeFacts
from callcenter.practice.free_slots import FreeSlots, OfferedTo
from callcenter.practice.slot_references import (
    ReferencedSlots,
    Slot,
    SlotKind,
    draw_reference,
    references_in_use,
)
from callcenter.practice.typed_at_booking import TypedAtBooking
from callcenter.practice.values import Change
from callcenter.store.database import Transaction
from callcenter.store.sealed import Sealer

_DRAWS = 50


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking that stands.

    Arguments:
        reference: eight digits, told to the caller once and kept nowhere.
    """

    id: UUID
    reference: str


class Bookings:
    """Bookings of the practice of a transaction. Times are aware.

    Arguments:
        sealer: for what the caller typed, and for the hashes.
        random: makes references.

    ``free`` has what can be booked, ``referenced`` what has been.
    """

    def __init__(self, sealer: Sealer, random: Random) -> None:
        self.free = FreeSlots(sealer)
        self.referenced = ReferencedSlots(sealer)
        self._typed = TypedAtBooking(sealer)
        self._random = random

    async def book(
        self,
        tx: Transaction,
        facts: PracticeFacts,
        to: OfferedTo,
        birth_date: date,
        number: str,
        now: datetime,
        *,
        bounded: bool = True,
    ) -> Booked | None:
        """Book the slot that the call holds; ``None`` when it holds none, it is taken, or the caller has enough.

        Arguments:
            birth_date, number: as the caller typed them; the number is E.164.
            bounded: by how much the caller has booked; not where somebody of staff books for them.
        """
        if await self.free.claim(tx, facts, to, now, number=number, moving=not bounded) is None:
            return None
        booking_id = new_id(self._random)
        reference = await self._fresh_reference(tx)
        row = {
            "id": booking_id,
            "practice": tx.practice,
            "call": to.call,
            "birth_date": self._typed.seal_birth_date(tx.practice, booking_id, birth_date),
            "number": self._typed.seal_number(tx.practice, booking_id, number),
            "reference": self.referenced.reference_index(tx.practice, reference),
            "caller": None if to.caller is None else self._typed.number_index(tx.practice, to.caller),
            "number_index": self._typed.number_index(tx.practice, number),
            "now": now,
        }
        await tx.connection.execute(_BOOK, row)
        await self.free.release(tx, to.call)
        return Booked(booking_id, reference)

    async def move(self, tx: Transaction, facts: PracticeFacts, to: OfferedTo, slot: Slot, now: datetime) -> Change:
        """Move a slot to come to the one that the call holds; its reference stays. Staff see it again."""
        held = await self.free.claim(tx, facts, to, now, moving=True)
        moved = None
        if held is not None and held.practitioner == slot.practitioner and facts.agenda.kind is AgendaKind.INTERNAL:
            values = {"slot": slot.id, "call": to.call, "now": now}
            moved = (await tx.connection.execute(_MOVE[slot.kind], values)).one_or_none()
        await self.free.release(tx, to.call)
        return Change.NOT_POSSIBLE if moved is None else Change.DONE

    async def _fresh_reference(self, tx: Transaction) -> str:
        """A reference that leads to nothing yet."""
        for _ in range(_DRAWS):
            reference = draw_reference(self._random)
            if not await references_in_use(tx, [self.referenced.reference_index(tx.practice, reference)]):
                return reference
        raise CallcenterError("no reference is free")


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
