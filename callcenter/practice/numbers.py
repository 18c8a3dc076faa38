"""Telephone numbers: read once into E.164, with the French rules about which number may be given or dialled."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NewType

import phonenumbers

#: A number in E.164 that :func:`parse_number` has read, such as ``+33465710001``.
E164 = NewType("E164", str)


class NumberProblem(StrEnum):
    """Why a text is no number that callcenter may use."""

    UNREADABLE = "it is not a telephone number"
    IMPOSSIBLE = "no telephone number has this length or beginning"
    SURTAXED = "it costs extra, which may not be asked of patients (081, 082, 089, 36xx, 118)"
    MOBILE = "06 and 07 are reserved for persons, not for automated calls and messages"


_WRITTEN = re.compile(r"\+?[0-9 ().\-/]+")
_NOT_DIGITS = re.compile(r"[^0-9]")
_SURTAXED = re.compile(r"\+338[129]")  # UX-05
_SURTAXED_SHORT = re.compile(r"(36\d\d|118\d{0,3})")  # UX-05
_SHORT = re.compile(r"[1-9]\d{1,5}")
_FRENCH_MOBILE = re.compile(r"\+33[67]\d{8}")


def parse_number(text: str, region: str = "FR") -> E164 | NumberProblem:
    """Read a telephone number as people and files write it.

    Arguments:
        text: national (``06 39 98 00 01``) or international (``+33 6 39…``, ``0033…``).
        region: ISO 3166 country whose national form is meant.

    Source: UX-05 for surtaxed numbers. Only the *possible* length is checked: ranges reserved for fiction are numbers
    too, and operators open new ranges before a library knows them.
    """
    written = " ".join(text.split())  # every kind of space that is written between pairs
    if not _WRITTEN.fullmatch(written):
        return NumberProblem.UNREADABLE
    if _SURTAXED_SHORT.fullmatch(_NOT_DIGITS.sub("", written)) and not written.startswith("+"):
        return NumberProblem.SURTAXED
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return NumberProblem.UNREADABLE
    if not phonenumbers.is_possible_number(number):
        return NumberProblem.IMPOSSIBLE
    read = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return NumberProblem.SURTAXED if _SURTAXED.match(read) else E164(read)


def parse_diallable(text: str, region: str = "FR") -> str | NumberProblem:
    """Read a number that callers are told to dial: a short one (``15``, ``116 117``) or a full one, in E.164.

    Source: EM-04, UX-05.
    """
    written = " ".join(text.split())  # every kind of space that is written between pairs
    short = _NOT_DIGITS.sub("", written)
    if _WRITTEN.fullmatch(written) and not written.startswith("+") and _SHORT.fullmatch(short):
        return NumberProblem.SURTAXED if _SURTAXED_SHORT.fullmatch(short) else short
    return parse_number(text, region)


def parse_served(text: str, region: str = "FR") -> E164 | NumberProblem:
    """Read a number that callcenter answers, and which it therefore shows when it calls or texts by itself.

    Source: UX-05; OU-05 for 06 and 07.
    """
    number = parse_number(text, region)
    if isinstance(number, NumberProblem):
        return number
    return NumberProblem.MOBILE if receives_sms(number) else number


def receives_sms(number: str) -> bool:
    """Whether ``number`` (E.164) is a French mobile, to which a code may be texted."""
    return _FRENCH_MOBILE.fullmatch(number) is not None


_FRENCH = re.compile(r"\+33[1-79]\d{8}")


def may_be_rung(number: str) -> bool:
    """Whether ``number`` (E.164) is a French line that costs what any call costs: no other is rung without a person."""
    return _FRENCH.fullmatch(number) is not None


def in_pairs(number: str) -> str:
    """``number`` (E.164) as people in France read it: ``06 39 98 00 01``, and ``+32 470 12 34 56`` of elsewhere."""
    if _FRENCH.fullmatch(number) is None:
        read = phonenumbers.parse(number)
        return phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    digits = "0" + number.removeprefix("+33")
    return " ".join(digits[at : at + 2] for at in range(0, len(digits), 2))
