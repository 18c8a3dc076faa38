"""A list as a file for a spreadsheet, in which no cell is a formula.

A cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or an end of line is one for the programs that open such files
(OWASP, CSV Injection); so are those that begin with the wide forms of these signs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from callcenter.reports import words
from callcenter.reports.values import Found
from callcenter.staff.values import HOUSE_TIMEZONE

HEADINGS = (
    *("Date", "Heure", "Nature", "Issue", "Catégories", "Niveau", "Motif", "Auteur", "Appel", "Inscription"),
    # At the end: whoever reads the columns by their place goes on reading the same ones.
    words.FACTS["seconds"],
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def spreadsheet(found: Sequence[Found]) -> bytes:
    """The lines as a spreadsheet in French opens them: UTF-8 with its mark, semicolons."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    writer.writerows([cell(value) for value in _line(one)] for one in found)
    return b"\xef\xbb\xbf" + written.getvalue().encode()


def cell(value: str) -> str:
    """A value as a cell that is a text, whatever it begins with."""
    return f"'{value}" if value.lstrip(" \u00a0").startswith(_FORMULA) or value.startswith(_FORMULA) else value


def _line(one: Found) -> tuple[str, ...]:
    local = one.at.astimezone(HOUSE_TIMEZONE)
    return (
        local.strftime("%d/%m/%Y"),
        local.strftime("%H:%M:%S"),
        title(one.what),
        ", ".join(words.OUTCOMES[each] for each in one.outcomes),
        ", ".join(each.value for each in one.categories),
        "" if one.level is None else f"V{one.level}",
        "" if one.reason is None else words.plain(one.reason, "reason"),
        "" if one.who is None else one.who.name or words.WHO.get(one.who.kind, words.WHO["unknown"]),
        "" if one.call is None else str(one.call),
        "" if one.what == "call" else str(one.id),
        "" if one.seconds is None else str(one.seconds),
    )


def title(event: str) -> str:
    """What a line is about."""
    if event == "call":
        return "Appel"
    return words.EVENTS[event][0] if event in words.EVENTS else f"{words.OTHER} ({words.plain(event)})"
