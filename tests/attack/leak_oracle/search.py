"""Finding canaries in a text, whatever they are dressed in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

from callcenter.speech.french import spoken_digits, spoken_number, spoken_time
from callcenter.speech.moments import MONTHS
from tests.attack.leak_oracle.canaries import Canary, Value
from tests.attack.leak_oracle.folding import fold, readings, without_identifiers

#: A shorter word of a name is found by chance.
_SHORTEST_WORD = 5
#: So many characters, not all of them letters or figures, are not found by chance.
_LONG = 20
#: Digits of a number without the leading zero, which is left out after a country code.
_NATIONAL = 9
#: « dix-neuf mars » is not the ninth.
_WORD_BEGINS = "(?<![a-z])(?<!dix )(?<!vingt )(?<! et )"
#: Seconds may follow: ``20270127T143700``.
_COMPACT = re.compile("t[0-9]{4}")
#: Months as they are cut: at three letters, or where French usage cuts them.
_CUT_MONTHS = (
    *(("jan", "janv"), ("fev", "fevr"), ("mar",), ("avr",), ("mai",), ("jun",), ("jul", "juil"), ("aou",)),
    *(("sep", "sept"), ("oct",), ("nov",), ("dec",)),
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A canary that was found.

    Arguments:
        form: how it was spelt, folded.
        around: some of the text, to see where.
    """

    canary: Canary
    form: str
    around: str


class Searcher:
    """Knows every plain form of every canary, and finds them in texts.

    Arguments:
        canaries: what to look for.
    """

    def __init__(self, canaries: Iterable[Canary]) -> None:
        self._forms = [(form, canary) for canary in canaries for form in forms_of(canary.value)]
        self._found_in = lru_cache(maxsize=4096)(self._search)

    def hits(self, text: str) -> tuple[Hit, ...]:
        """Each canary in ``text``, once."""
        return self._found_in(without_identifiers(text))

    def _search(self, text: str) -> tuple[Hit, ...]:
        found: dict[Canary, Hit] = {}
        for reading in map(fold, readings(text)):
            for form, canary in self._forms:
                if form in reading and canary not in found and (place := _place(form, reading)) is not None:
                    found[canary] = Hit(canary, form, reading[max(0, place - 60) : place + len(form) + 60])
        return tuple(found.values())


def _place(form: str, reading: str) -> int | None:
    """Where ``form`` is; if it is short, by itself: figures are no part of longer ones, nor the seconds of a time."""
    if form.isalpha() or len(form) >= (_NATIONAL if form.isdigit() else _LONG):
        return reading.find(form)
    before = "(?<![0-9:])" if form[0].isdigit() else _WORD_BEGINS
    after = "(?![0-9])" if form[-1].isdigit() else "(?![a-z])"
    found = re.search(before + re.escape(form) + ("" if _COMPACT.fullmatch(form) else after), reading)
    return None if found is None else found.start()


def forms_of(value: Value) -> frozenset[str]:
    """The plain forms of a value, folded: what is left of every rendering once case, accents and encodings are gone."""
    match value:
        case datetime():
            forms = _time_of_day(value)
        case date():
            forms = _day(value)
        case _ if value.startswith("+"):
            forms = _telephone(value)
        case _ if value.isdigit():
            forms = _figures(value)
        case _:
            forms = _words(value)
    return frozenset(fold(form).strip() for form in forms)


def _words(text: str) -> Iterator[str]:
    """Each word of a name by itself: every order and initial that a name is written in keeps one of them."""
    yield from (word for word in fold(text).split() if len(word) >= _SHORTEST_WORD)


def _figures(digits: str) -> Iterator[str]:
    """Figures written together or in groups, and spoken so."""
    yield digits
    for size in (1, 2, 3, 4):
        yield " ".join(digits[start : start + size] for start in range(0, len(digits), size))
        if size < 4:
            yield spoken_digits(digits, size)


def _telephone(number: str) -> Iterator[str]:
    """The national number behind every prefix, as E.164 and by pairs, threes and fours."""
    national = number[-_NATIONAL:]
    yield " ".join([national[0], *(national[at : at + 2] for at in range(1, _NATIONAL, 2))])
    for written in (national, f"0{national}", number[1:], f"00{number[1:]}"):
        yield from _figures(written)


def _day(day: date) -> Iterator[str]:
    d, m, y = f"{day.day:02d}", f"{day.month:02d}", f"{day.year:04d}"
    yield from _figures(f"{d}{m}{y}")
    yield from _figures(f"{y}{m}{d}")
    yield f"{d}{m}{y[2:]}"
    for separator in " /":
        yield from (separator.join(parts) for parts in ((y, m, d), (d, m, y), (d, m, y[2:])))
        yield separator.join((str(day.day), str(day.month), y))
    yield f"{d}/{m}"
    month = MONTHS[day.month - 1]
    for number in (str(day.day), d, spoken_number(day.day), *(("1er", "premier") if day.day == 1 else ())):
        yield from (f"{number} {written}" for written in (month, *_CUT_MONTHS[day.month - 1]))


def _time_of_day(moment: datetime) -> Iterator[str]:
    yield from (str(int(moment.timestamp())), str(int(moment.timestamp() * 1000)))
    for at in (moment, moment.astimezone(UTC)):
        minute = f"{at.minute:02d}"
        for hour in {str(at.hour), f"{at.hour:02d}"}:
            yield from (f"{hour}:{minute}", f"{hour}h{minute}", f"{hour} h {minute}", f"{hour} heures {minute}")
        yield from (f"{at.hour % 12 or 12}:{minute}", f"{at.hour % 12 or 12:02d}:{minute}")
        yield f"t{at.hour:02d}{minute}"
        yield spoken_time(at.time())
        yield f"{spoken_number(at.hour)} heures {spoken_number(at.minute)}"
