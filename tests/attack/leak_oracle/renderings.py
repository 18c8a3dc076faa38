"""How a value may be written, and what that may be dressed in: what the oracle is tried with.

Made on its own, not from what the search looks for: each list would otherwise forget what the other forgets.
"""

from __future__ import annotations

import base64
import html
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from urllib.parse import quote, quote_plus

from callcenter.speech.french import (
    spoken_date,
    spoken_datetime,
    spoken_digits,
    spoken_name,
    spoken_number,
    spoken_phone,
    spoken_time,
)
from callcenter.speech.moments import MONTHS
from tests.attack.leak_oracle.canaries import Value


def writings(value: Value) -> Mapping[str, str]:
    """Every way to write ``value`` down or to say it, by name."""
    match value:
        case datetime():
            return _time(value)
        case date():
            return _date(value)
        case _ if value.startswith("+"):
            return _telephone(value)
        case _:
            return _words(value)


def _words(name: str) -> Mapping[str, str]:
    words = name.split()
    return {
        "as on file": name,
        "as our speech module says it": spoken_name(name),
        "last word first": " ".join([words[-1], *words[:-1]]),
        "with dots": ".".join(words),
        "in an address": "_".join(words),
    }


def _date(day: date) -> Mapping[str, str]:
    month = MONTHS[day.month - 1]
    return {
        "ISO": day.isoformat(),
        "ISO, compact": f"{day:%Y%m%d}",
        "typed": f"{day:%d%m%Y}",
        "typed, short": f"{day:%d%m%y}",
        "with slashes": f"{day:%d/%m/%Y}",
        "with slashes, short": f"{day:%d/%m/%y}",
        "day and month": f"{day:%d/%m}",
        "with dashes": f"{day:%d-%m-%Y}",
        "with dots": f"{day:%d.%m.%Y}",
        "without zeros": f"{day.day}/{day.month}/{day.year}",
        "digit by digit": " ".join(f"{day:%d%m%Y}"),
        "by pairs": f"{day:%d %m} {day.year // 100:02d} {day.year % 100:02d}",
        "digits spoken": spoken_digits(f"{day:%d%m%Y}"),
        "pairs spoken": spoken_digits(f"{day:%d%m%Y}", 2),
        "as our speech module says it": spoken_date(day),
        "as our speech module says it, without the year": spoken_date(day, with_year=False),
        "in words": f"{spoken_number(day.day)} {month} {spoken_number(day.year)}",
        "half in words": f"{day.day} {month} {day.year}",
        "month cut": f"{day.day} {month if len(month) < 5 else month[: 4 if month == 'juillet' else 3]}. {day.year}",
    }


def _time(moment: datetime) -> Mapping[str, str]:
    at = moment.time()
    return {
        "24 hours": f"{at:%H:%M}",
        "24 hours in UTC": f"{moment.astimezone(UTC):%H:%M}",
        "French": f"{at.hour}h{at.minute}",
        "French, spaced": f"{at.hour} h {at.minute}",
        "12 hours": f"{at:%I:%M %p}",
        "as our speech module says it": spoken_time(at),
        "as our speech module says it, with the day": spoken_datetime(moment, moment.date()),
        "in words": f"{spoken_number(at.hour)} heures {spoken_number(at.minute)}",
        "ISO": moment.isoformat(),
        "ISO in UTC": moment.astimezone(UTC).isoformat(),
        "ISO, compact": f"{moment:%Y%m%dT%H%M%S}",
        "seconds since 1970": str(int(moment.timestamp())),
        "milliseconds since 1970": str(int(moment.timestamp() * 1000)),
    }


def _telephone(number: str) -> Mapping[str, str]:
    national = f"0{number[3:]}"
    pairs = [national[at : at + 2] for at in range(0, 10, 2)]
    return {
        "E.164": number,
        "national": national,
        "by pairs": " ".join(pairs),
        "by pairs with dots": ".".join(pairs),
        "by pairs with dashes": "-".join(pairs),
        "international by pairs": f"+33 {pairs[0][1]} {' '.join(pairs[1:])}",
        "with a zero in brackets": f"+33 (0){pairs[0][1]} {' '.join(pairs[1:])}",
        "with 00": f"00{number[1:]}",
        "as a link": f"tel:{number}",
        "digit by digit": " ".join(national),
        "by threes": " ".join((national[:3], national[3:6], national[6:9], national[9:])),
        "as our speech module says it": spoken_phone(number),
        "digits spoken": spoken_digits(national),
    }


def _without_accents(text: str) -> str:
    plain = text.replace("œ", "oe").replace("Œ", "OE")
    return unicodedata.normalize("NFD", plain).encode("ascii", "ignore").decode()


def _base64(offset: int, encode: Callable[[bytes], bytes] = base64.b64encode) -> Callable[[str], str]:
    """In base64 in the middle of something longer, so that its bytes begin at ``offset`` of a group of three."""
    return lambda text: encode(b"=" * offset + text.encode() + b";&").decode()


#: What a text may be dressed in, by name.
DRESSES: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "as it is": str,
        "NFC": lambda text: unicodedata.normalize("NFC", text),
        "NFD": lambda text: unicodedata.normalize("NFD", text),
        "upper case": str.upper,
        "lower case": str.lower,
        "without accents": _without_accents,
        "with no-break spaces": lambda text: text.replace(" ", "\u00a0"),
        "XML escaped": html.escape,
        "as XML references": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
        "as hexadecimal XML references": lambda text: "".join(f"&#x{ord(letter):x};" for letter in text),
        "URL-encoded": lambda text: quote(text, safe=""),
        "URL-encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
        "as a form's value": quote_plus,
        "as JSON": lambda text: json.dumps(text)[1:-1],
        "base64, first alignment": _base64(0),
        "base64, second alignment": _base64(1),
        "base64, third alignment": _base64(2),
        "base64 for URLs": _base64(1, base64.urlsafe_b64encode),
        "base64 of JSON": lambda text: base64.b64encode(json.dumps({"value": text}).encode()).decode(),
        "hexadecimal": lambda text: text.encode().hex(),
        "hexadecimal in capitals": lambda text: text.encode().hex().upper(),
    }
)


def renderings(value: Value) -> Iterator[tuple[str, str]]:
    """Every writing of ``value`` in every dress, each text once, with what it is."""
    seen: set[str] = set()
    for writing, plain in writings(value).items():
        for dress, put_on in DRESSES.items():
            text = put_on(plain)
            if text not in seen:
                seen.add(text)
                yield f"{writing}, {dress}", text
