"""What is public about a practice, and how it is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from callcenter.practice.numbers import E164
from callcenter.practice.opening import Interval, Opening
from callcenter.practice.values import EntryKind, VoiceMode
from callcenter.speech.french import spoken_datetime, spoken_hours, spoken_phone

#: Said of a practice that keeps no weekly hours.
_NO_HOURS = "sur rendez-vous seulement"
_NO_NEXT_OPENING = "pas encore fixée"


@dataclass(frozen=True, slots=True)
class PracticeFacts:
    """A practice, as anybody may know it.

    Arguments:
        opening: its hours, time zone and public holidays.
        rescue_number: E.164 of a line of the practice that is not forwarded to us.
        closing_conduct: what to do while it is closed, who stands in (EM-05).
        out_of_hours_number: E.164 or short number of the region's out-of-hours service (EM-04).
        numbers: the E.164 numbers that we answer for it, and where each leads.
        other_lines: E.164 lines of the practice besides ``numbers`` and ``rescue_number``.
    """

    id: UUID
    organisation_id: UUID
    slug: str
    name: str
    spoken_name: str
    address: str
    access: str
    opening: Opening
    rescue_number: E164
    closing_conduct: str
    out_of_hours_number: str
    voice: VoiceMode
    numbers: Mapping[E164, EntryKind]
    other_lines: frozenset[E164]

    @property
    def timezone(self) -> ZoneInfo:
        return self.opening.zone

    @property
    def hours(self) -> Mapping[int, tuple[Interval, ...]]:
        return self.opening.weekly

    @property
    def own_lines(self) -> frozenset[E164]:
        """Every line that is the practice's, so that a call from it says nothing about a patient."""
        return self.other_lines | self.numbers.keys() | {self.rescue_number}

    def is_open(self, at: datetime) -> bool:
        """Whether the practice is open at ``at`` (aware)."""
        return self.opening.is_open(at)

    def next_opening(self, at: datetime) -> datetime | None:
        """When it opens next after ``at`` (aware), in its own zone; ``None`` if it keeps no weekly hours."""
        return self.opening.next_opening(at)

    def public(self, at: datetime) -> Mapping[str, str | bool]:
        """Every ``practice.*`` field that a prompt may name, in French, ready to be said at ``at`` (aware)."""
        upcoming = self.next_opening(at)
        today = at.astimezone(self.timezone).date()
        return {
            "practice.name": self.name,
            "practice.spoken_name": self.spoken_name,
            "practice.address": self.address,
            "practice.access": self.access,
            "practice.opening_hours": spoken_hours(self.hours) or _NO_HOURS,
            "practice.is_open": self.is_open(at),
            "practice.next_opening": spoken_datetime(upcoming, today) if upcoming else _NO_NEXT_OPENING,
            "practice.closing_conduct": self.closing_conduct,
            "practice.out_of_hours_number": spoken_phone(self.out_of_hours_number),
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """What a called number leads to."""

    number: E164
    kind: EntryKind
    facts: PracticeFacts

    @property
    def practice_id(self) -> UUID:
        return self.facts.id


@dataclass(frozen=True, slots=True)
class Fallback:
    """Whom a caller of one number reaches when nothing else works."""

    rescue_number: E164
