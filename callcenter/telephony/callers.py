"""Who rings, as far as the carrier tells: numbers as E.164, and the many spellings of "withheld" as none."""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)

#: ANONYMOUS, RESTRICTED, UNAVAILABLE, BLOCKED and UNKNOWN as typed on a keypad. They look like numbers (+266 is
#: Lesotho) and must never be dialled. The spelt forms need no list: they are no E.164.
WITHHELD = frozenset({"+266696687", "+7378742833", "+86282452253", "+2562533", "+8656696"})

#: Length of a French national number without its 0: two spellings of one line agree on these last digits.
_NATIONAL_DIGITS = 9


def e164(value: str) -> str | None:
    """The number in ``value``, or ``None`` when it is withheld, a SIP or client address, or no E.164 number.

    Arguments:
        value: ``From`` or ``To`` as received. A leading space stands for a ``+`` that was not percent-encoded.
    """
    number = "+" + value[1:] if value.startswith(" ") else value
    if number in WITHHELD or not _E164.fullmatch(number):
        return None
    return number


def line_ending(number: str) -> str:
    """The digits in which every spelling of ``number``, national or international, agrees."""
    return "".join(re.findall(r"[0-9]", number))[-_NATIONAL_DIGITS:]


@dataclass(frozen=True, slots=True)
class Line:
    """The line on which a webhook's call came in, as far as it can be read; enough to answer without a database.

    Arguments:
        called: E.164 number that was dialled.
        origins: every number that the call is said to come from, as received: caller and forwarding lines.
        sid: the carrier's identifier of the leg.
    """

    called: str | None
    origins: tuple[str, ...] = ()
    sid: str | None = None

    def comes_from(self, number: str) -> bool:
        """Whether the call may come from ``number`` (E.164), in whatever spelling a carrier reports it.

        National and international spellings agree on their last nine digits. A chance agreement costs one transfer;
        a missed one makes two lines ring each other for ever.
        """
        return self.comes_from_any({line_ending(number)})

    def comes_from_any(self, endings: Set[str]) -> bool:
        """As :meth:`comes_from`, of many numbers by their :func:`line_ending`."""
        return any(line_ending(origin) in endings for origin in self.origins)
