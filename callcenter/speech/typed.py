"""What callers key in, as values: parsed here once, and trusted by their type from there on.

The keys arrive without what ended them (``#``, a pause). Nothing here is about a record: an answer that is well formed
may still be anybody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import phonenumbers

#: The oldest person on record lived 122 years.
_OLDEST_YEARS = 125
_BIRTH_DATE_KEYS = 8
#: Where a number is dialled as in metropolitan France: ten digits, the first a zero.
_FRENCH_REGIONS = frozenset({"FR", "GP", "GF", "MQ", "RE", "YT", "BL", "MF"})
#: UX-05: 081, 082 and 089. 36xx and 118 are short: they are never E.164.
_SURTAXED = ("+3381", "+3382", "+3389")


class NotADateReason(StrEnum):
    """Why keys are no birth date."""

    NOT_EIGHT_DIGITS = "not_eight_digits"
    NO_SUCH_DAY = "no_such_day"
    IN_THE_FUTURE = "in_the_future"
    TOO_LONG_AGO = "too_long_ago"


@dataclass(frozen=True, slots=True)
class NotADate:
    """The keys are no date on which a living person can be born."""

    reason: NotADateReason


class NotANumberReason(StrEnum):
    """Why keys are no telephone number."""

    NOT_DIGITS = "not_digits"
    WRONG_LENGTH = "wrong_length"
    NOT_POSSIBLE = "not_possible"
    SURTAXED = "surtaxed"


@dataclass(frozen=True, slots=True)
class NotANumber:
    """The keys are no telephone number that can be dialled."""

    reason: NotANumberReason


def _digits(keys: str) -> bool:
    return keys.isascii() and keys.isdigit()  # isdigit alone takes the digits of every script


def _years_before(today: date, years: int) -> date:
    if (today.month, today.day) == (2, 29):
        return date(today.year - years, 2, 28)
    return today.replace(year=today.year - years)


def birth_date(keys: str, today: date) -> date | NotADate:
    """The birth date that was keyed in as JJMMAAAA.

    Arguments:
        keys: exactly eight digits: day, month, year; two-digit years are refused.
        today: the date in the practice's time zone: a birth date is not after it, nor more than 125 years before.

    Source: MA-05.
    """
    if not _digits(keys) or len(keys) != _BIRTH_DATE_KEYS:
        return NotADate(NotADateReason.NOT_EIGHT_DIGITS)
    try:
        born = date(int(keys[4:]), int(keys[2:4]), int(keys[:2]))
    except ValueError:
        return NotADate(NotADateReason.NO_SUCH_DAY)
    if born > today:
        return NotADate(NotADateReason.IN_THE_FUTURE)
    if born < _years_before(today, _OLDEST_YEARS):
        return NotADate(NotADateReason.TOO_LONG_AGO)
    return born


def telephone(keys: str, region: str = "FR") -> str | NotANumber:
    """The telephone number that was keyed in, as E.164.

    Arguments:
        keys: ten digits of a French number (``0465710001``), or any number after ``00`` (``0033465710001``).
        region: ISO 3166 code of the country where the practice is.

    A number is asked to be possible, not assigned: the ranges reserved for fiction are possible only. One that costs
    extra is nobody's: a practice would be made to ring it (UX-05).
    """
    if not _digits(keys):
        return NotANumber(NotANumberReason.NOT_DIGITS)
    international = keys.startswith("00")
    if region in _FRENCH_REGIONS and not international and (len(keys) != 10 or keys[0] != "0"):
        return NotANumber(NotANumberReason.WRONG_LENGTH)
    try:
        number = phonenumbers.parse(f"+{keys[2:]}" if international else keys, region)
    except phonenumbers.NumberParseException:
        return NotANumber(NotANumberReason.NOT_POSSIBLE)
    if not phonenumbers.is_possible_number(number):
        return NotANumber(NotANumberReason.NOT_POSSIBLE)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return NotANumber(NotANumberReason.SURTAXED) if is_surtaxed(e164) else e164


def is_surtaxed(e164: str) -> bool:
    """Whether ``e164`` is a French number that costs whoever rings it extra."""
    return e164.startswith(_SURTAXED)
