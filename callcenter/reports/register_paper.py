"""The extract on paper: an A4 letter that somebody without any knowledge of us can read, and hand on.

As in ``reports.paper``, whatever comes from elsewhere is escaped, and the standard fonts know the letters of French.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from callcenter.reports import register_notes as notes
from callcenter.reports import register_words as words
from callcenter.reports.feet import FootedCanvas
from callcenter.reports.paper import french, letters, safe
from callcenter.reports.register_dates import clock, day
from callcenter.reports.register_extract import Extract, Line
from callcenter.reports.register_words import Section

TITLE = "Extrait du registre des communications"

_INK, _SOFT, _LINE = colors.HexColor("#16262b"), colors.HexColor("#4c6067"), colors.HexColor("#d5dfe1")
_TEXT = ParagraphStyle("text", fontName="Helvetica", fontSize=10, leading=13.5, textColor=_INK)
_LABEL = ParagraphStyle("label", parent=_TEXT, fontSize=9, textColor=_SOFT)
_SMALL = ParagraphStyle("small", parent=_TEXT, fontSize=8, leading=10.5, textColor=_SOFT)
_TITLE = ParagraphStyle("title", parent=_TEXT, fontName="Helvetica-Bold", fontSize=17, leading=22, spaceAfter=2 * mm)
_HEADING = ParagraphStyle(
    "heading", parent=_TEXT, fontName="Helvetica-Bold", fontSize=12, leading=15, spaceBefore=6 * mm, spaceAfter=1 * mm
)
_POINT = ParagraphStyle("point", parent=_TEXT, leftIndent=4 * mm, bulletIndent=0, spaceAfter=1 * mm)
_BROKEN = ParagraphStyle("broken", parent=_TEXT, fontName="Helvetica-Bold", textColor=colors.HexColor("#a51e25"))
_GRID = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
)
_FACTS = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
)
_MARGIN = 20 * mm


def on_paper(extract: Extract) -> bytes:
    """The extract as a PDF: text and no pictures, with its language and its title (PDF/UA asks for both)."""
    written = io.BytesIO()
    reference = f"Extrait {extract.request.id}"
    said = letters(f"{reference} · {extract.practice.name}")
    foot = partial(FootedCanvas, said=said, margin=_MARGIN, low=11 * mm, colour=_SOFT)
    document = SimpleDocTemplate(
        written,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=18 * mm,
        bottomMargin=20 * mm,
        # No name, and many a practice is called after its doctor: what a file says of itself is shown in lists.
        title=TITLE,
        author="callcenter",
        creator="callcenter",
        subject=reference,
        lang="fr-FR",
        pageCompression=0,  # so that whoever is to check it can read what is in it
        invariant=1,
    )
    document.build(list(_story(extract)), canvasmaker=foot)
    return written.getvalue()


def _story(extract: Extract) -> Iterator[Any]:
    practice = extract.practice
    yield Paragraph(safe(practice.name), ParagraphStyle("sender", parent=_TEXT, fontName="Helvetica-Bold"))
    if practice.address:
        yield Paragraph(safe(practice.address), _SMALL)
    yield Spacer(1, 6 * mm)
    yield Paragraph(french(TITLE), _TITLE)
    facts = [[Paragraph(french(name), _LABEL), Paragraph(safe(said), _TEXT)] for name, said in notes.facts(extract)]
    yield Table(facts, colWidths=[38 * mm, None], style=_FACTS)
    yield Paragraph("En bref", _HEADING)
    for said in notes.in_short(extract):
        yield Paragraph(french(said), _TEXT)
    if any(not line.intact for line in extract.lines):
        yield Paragraph(french(notes.BROKEN), _BROKEN)
    for section in Section:
        yield from _section(extract, section)
    if extract.calls:
        yield from _calls(extract)
    for heading, points in notes.parts(extract):
        yield Paragraph(french(heading), _HEADING)
        for point in points:
            yield Paragraph(french(point), _POINT, bulletText="•")


def _section(extract: Extract, section: Section) -> Iterator[Any]:
    lines = extract.of(section)
    if not lines:
        return
    title, below = words.SECTIONS[section]
    yield KeepTogether([Paragraph(french(f"{title} ({len(lines)})"), _HEADING), Paragraph(french(below), _SMALL)])
    zone = extract.practice.zone
    yield Table(
        [[Paragraph(_when(line.at, zone), _TEXT), _told(line)] for line in lines],
        colWidths=[34 * mm, None],
        style=_GRID,
    )


def _told(line: Line) -> list[Any]:
    told = [
        ("Sur", " ; ".join(line.what)),
        ("À qui", line.whom),
        ("Identité vérifiée par", ", ".join(line.means)),
        ("Écoute", words.with_count(line.heard, line.given)),
        ("Pourquoi" if line.section is not Section.NOT_TOLD else "Pourquoi rien n’a été dit", line.why),
        ("Par", words.with_name(line.by, line.name)),
    ]
    # One paragraph for all of it: of each, most of the time goes into being one.
    lines = [f"<b>{french(line.title)}</b>", *(french(f"{name} : {value}.") for name, value in told if value)]
    said = [Paragraph("<br/>".join(lines), _TEXT)]
    if not line.intact:
        said.append(Paragraph(french(notes.BROKEN_LINE), _BROKEN))
    where = f"Appel n°\u00a0{line.call} · " if line.call else ""
    return [*said, Paragraph(french(f"{where}inscription {line.record}"), _SMALL)]


def _calls(extract: Extract) -> Iterator[Any]:
    zone = extract.practice.zone
    rows = []
    for call in extract.calls:
        ended = "" if call.ended is None else f", fin à {clock(call.ended, zone)}"
        told = f"{day(call.started, zone)} à {clock(call.started, zone)}{ended}"
        below = Paragraph(safe(f"référence {call.id}"), _SMALL)
        rows.append([Paragraph(f"n°\u00a0{call.number}", _TEXT), [Paragraph(french(told), _TEXT), below]])
    yield KeepTogether([Paragraph("Les appels dont il est question", _HEADING)])
    yield Paragraph(french(notes.CALLS), _SMALL)
    yield Table(rows, colWidths=[14 * mm, None], style=_GRID)


def _when(at: datetime, zone: ZoneInfo) -> str:
    return f"{safe(day(at, zone))}<br/>{clock(at, zone)}"
