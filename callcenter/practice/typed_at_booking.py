"""What a caller types at booking: sealed in the booking, and found by keyed hash."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from callcenter.store.sealed import Place, Sealer


class TypedAtBooking:
    """Birth date and number of a booking, on their way into a row and out of it.

    Arguments:
        sealer: of the practice's keys.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def seal_birth_date(self, practice: UUID, booking: UUID, birth_date: date) -> bytes:
        return self._sealer.seal_text(birth_date.isoformat(), _place(practice, "birth_date", booking))

    def birth_date(self, practice: UUID, booking: UUID, sealed: bytes) -> date:
        """Opened; must not be logged."""
        return date.fromisoformat(self._sealer.open_text(sealed, _place(practice, "birth_date", booking)))

    def seal_number(self, practice: UUID, booking: UUID, number: str) -> bytes:
        return self._sealer.seal_text(number, _place(practice, "number", booking))

    def number(self, practice: UUID, booking: UUID, sealed: bytes) -> str:
        """Opened, E.164; must not be logged."""
        return self._sealer.open_text(sealed, _place(practice, "number", booking))

    def number_index(self, practice: UUID, number: str) -> bytes:
        """The keyed hash of a calling number, or of one that was typed; E.164."""
        return self._sealer.blind_index(practice, "booking.number", number)


def _place(practice: UUID, column: str, booking: UUID) -> Place:
    return Place(practice, "booking_request", column, booking)
