"""Canaries: values that mean one field of one person and nothing else, so that a trace of one names who was betrayed.

Each is valid for its field (a date is a date, a number is possible) and unique in every form in which it may be found
again: a name shares no word with another, a date no day and month, an appointment no minute. What callers type is
made here too: it is theirs, and has no business in a log either.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime, time
from random import Random
from uuid import UUID

from callcenter.kernel.labels import FIELD_LABELS, Category
from tests.attack.leak_oracle.folding import fold

#: Words, digits of a telephone, a day; a ``datetime`` stands for its time of day, and its day is a canary of its own.
Value = str | date | datetime


@dataclass(frozen=True, slots=True)
class Canary:
    """One value of one person.

    Arguments:
        field: ``table.column``, or ``caller.…`` for what a caller types or rings with.
        owner: key of the person.
        value: what is looked for.
        subject: the patient, or ``None`` for a caller who is none.
        appointment: the appointment whose field it is.
        told_as: the field path by which a prompt may name it (``kernel.labels.FIELD_LABELS``); ``None`` if nobody may
            ever hear it.
    """

    field: str
    owner: str
    value: Value
    subject: UUID | None = None
    appointment: UUID | None = None
    told_as: str | None = None

    @property
    def category(self) -> Category | None:
        """What a disclosure record must cover before this is heard; nothing covers ``None``."""
        return FIELD_LABELS[self.told_as] if self.told_as else None

    def __str__(self) -> str:
        return f"{self.owner}'s {self.field}"


#: Days around which the calls of the oracle take place are said publicly ("next opening …"): no canary is one of them.
_PUBLIC_DAYS = frozenset({(11, day) for day in range(15, 31)} | {(12, day) for day in range(1, 16)})
#: « dix sept. » may be a day, and is a number.
_AMBIGUOUS_MONTH = 9
#: Opening hours name the full and the half hour, and a minute of one digit is also a key of a menu.
_MINUTES = [minute for minute in range(10, 60) if minute != 30]
#: « quarante » is spoken in « quarante-trois » too.
_TENS = 10

_ONSETS = ("zb", "vr", "kz", "gw", "fl", "dj", "xt", "br", "pf", "mn", "qu", "tz")
_VOWELS = ("a", "é", "i", "o", "ou", "è", "eu", "ô", "œ", "ï")
_CODAS = ("lk", "rn", "mb", "zd", "x", "ng", "vt", "pl")


class Mint:
    """Strikes values, none of which can be taken for another.

    Arguments:
        seed: the same seed strikes the same values.
    """

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self._words: set[str] = set()
        self._days = {
            (month, day)
            for month in range(1, 13)
            for day in range(1, calendar.monthrange(2026, month)[1] + 1)
            if month != _AMBIGUOUS_MONTH and (month, day) not in _PUBLIC_DAYS
        }
        self._minutes = list(_MINUTES)
        self._chance.shuffle(self._minutes)
        self._minutes = [minute for minute in self._minutes if minute % _TENS]
        self._tails = self._chance.sample(range(10_000), 200)
        self._places = self._chance.sample(range(1_000), 50)
        self._references = Random(seed)

    def word(self) -> str:
        """A word that no language has; it holds no other one, and stands in no other one."""
        while True:
            syllables = [self._chance.choice(_ONSETS) + self._chance.choice(_VOWELS) for _ in range(3)]
            word = "".join(syllables) + self._chance.choice(_CODAS)
            folded = fold(word).strip()
            if not any(folded in known or known in folded for known in self._words):
                self._words.add(folded)
                return word.capitalize()

    def name(self) -> str:
        """A name with what French names have: hyphens, apostrophes, particles, accents, ligatures."""
        shape = self._chance.choice(("{0}", "{0}-{1}", "d'{0}", "Le {0}", "{0} {1}", "{0}-d'{1}"))
        return shape.format(*(self.word() for _ in range(shape.count("{"))))

    def day(self, first_year: int, last_year: int) -> date:
        """A day in one of these years, whose day and month no other canary has."""
        month, day = self._chance.choice(sorted(self._days))
        self._days.remove((month, day))
        return date(self._chance.randint(first_year, last_year), month, day)

    def days(self, count: int, first: date, last: date) -> list[date]:
        """``count`` such days between two others, in order."""
        fit = [day for day in (date(first.year, *some) for some in sorted(self._days)) if first <= day <= last]
        chosen = sorted(self._chance.sample(fit, count))
        self._days -= {(day.month, day.day) for day in chosen}
        return chosen

    def time_of_day(self) -> time:
        """A time in office hours, whose minute no other appointment has."""
        return time(self._chance.randint(9, 17), self._minutes.pop())

    def mobile(self) -> str:
        """A French mobile of the range that is reserved for fiction (Arcep: 06 39 98)."""
        return f"+3363998{self._tails.pop():04d}"

    def reference(self) -> str:
        """Eight digits of a printed card that are no date and no telephone."""
        return f"{self._references.randint(4_500_0000, 9_999_9999)}"

    def landline(self) -> str:
        """A landline of the range that is reserved for fiction (Arcep: 05 36 49)."""
        return f"+3353649{self._tails.pop():04d}"

    def place_code(self) -> str:
        """A place in the official list's form: a Corsican one, since five digits may also be a port."""
        return f"2A{self._places.pop():03d}"
