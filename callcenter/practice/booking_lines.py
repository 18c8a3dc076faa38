"""Bookings by telephone, as lines in French for the practice's staff."""

from __future__ import annotations

from collections.abc import Sequence

from callcenter.practice.facts import PracticeFacts
from callcenter.practice.waiting_bookings import WaitingBooking


def waiting(facts: PracticeFacts, bookings: Sequence[WaitingBooking]) -> list[str]:
    """A line for each, under the practice's name."""
    if not bookings:
        return [f"{facts.name} : aucune demande de rendez-vous en attente"]
    return [f"{facts.name} : {len(bookings)} en attente", *(_line(facts, one) for one in bookings)]


def handled(facts: PracticeFacts, by: str) -> str:
    """What is said once somebody has dealt with one."""
    return f"{facts.name} : demande traitée par {by}"


def _line(facts: PracticeFacts, booking: WaitingBooking) -> str:
    state = "ANNULÉ " if booking.cancelled else ""
    starts = booking.starts_at.astimezone(facts.timezone)
    return (
        f"  {state}{starts:%d/%m/%Y %H:%M} ({booking.duration_minutes} min) {booking.practitioner}, "
        f"né(e) le {booking.birth_date:%d/%m/%Y}, à rappeler au {booking.number}  [{booking.id}]"
    )
