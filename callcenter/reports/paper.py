"""A call's timeline on paper: who told what to whom and on what proof, without a value, with the ledger's digest.

Everything that comes from elsewhere is escaped: reportlab's paragraphs are markup, which can name files and addresses.
The standard fonts know the letters of French (WinAnsi); of others a question mark stands.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from callcenter.reports import words
from callcenter.reports.feet import FootedCanvas
from callcenter.reports.values import Chain, Moment, Timeline
from callcenter.speech.typography import set_in_french
from callcenter.staff.values import HOUSE_TIMEZONE

_TEXT = ParagraphStyle("text", fontName="Helvetica", fontSize=9, leading=12)
_SMALL = ParagraphStyle("small", parent=_TEXT, fontSize=8, leading=10, textColor=colors.HexColor("#4c6067"))
_TITLE = ParagraphStyle("title", parent=_TEXT, fontName="Helvetica-Bold", fontSize=15, leading=19)
_BROKEN = ParagraphStyle("broken", parent=_TEXT, fontName="Helvetica-Bold", textColor=colors.HexColor("#a51e25"))
_GRID = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.HexColor("#d5dfe1")),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
    ]
)

#: The paper is French, whatever language a caller was spoken to in.
_QUOTED = ("«\N{NO-BREAK SPACE}", "\N{NO-BREAK SPACE}»")


@dataclass(frozen=True, slots=True)
class Edition:
    """Who has it made.

    Arguments:
        by: how colleagues are shown them.
        at: aware.
        practice: its name.
    """

    by: str
    at: datetime
    practice: str


def on_paper(timeline: Timeline, edition: Edition) -> bytes:
    """The timeline as a PDF of A4 pages."""
    written = io.BytesIO()
    edited = f"Édité par {edition.by} le {_moment(edition.at)}"
    foot = partial(FootedCanvas, said=letters(edited), margin=18 * mm, low=10 * mm, colour=colors.black)
    document = SimpleDocTemplate(
        written,
        pagesize=A4,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=16 * mm,
        bottomMargin=18 * mm,
        title=f"Appel {timeline.call}",
        author="callcenter",
        lang="fr-FR",
        pageCompression=0,  # so that whoever is to check it can read what is in it
        invariant=1,
    )
    lines = [[_cell(_when(moment)), _told(moment)] for moment in timeline.moments]
    story: list[Any] = [
        Paragraph(french(f"Déroulé de l’appel {timeline.call}"), _TITLE),
        *(Paragraph(french(line), _TEXT) for line in _head(timeline, edition)),
        Spacer(1, 3 * mm),
        Paragraph(french(chain_words(timeline.chain)), _BROKEN if timeline.chain.is_broken else _TEXT),
        *(Paragraph(french(line), _TEXT) for line in erased_words(timeline.chain)),
        Paragraph(french(f"Empreinte des inscriptions (SHA-256) : {timeline.chain.digest}"), _SMALL),
        Paragraph(french(f"{edited}. Aucune valeur du dossier ne figure dans ce document."), _SMALL),
        Spacer(1, 4 * mm),
    ]
    if lines:
        story.append(Table(lines, colWidths=[30 * mm, None], style=_GRID, splitInRow=1))
    document.build(story, canvasmaker=foot)
    return written.getvalue()


def chain_words(chain: Chain) -> str:
    """How the ledger's chain stands, in a sentence."""
    if chain.faults:
        return (
            f"CHAÎNE ROMPUE : sur {chain.records} inscriptions, {len(chain.faults)} ne correspondent plus à ce qui "
            "a été écrit. Rien n’est masqué ; conservez la base en l’état et prévenez le responsable."
        )
    if chain.taken:
        return (
            f"CHAÎNE ROMPUE : {chain.taken} inscriptions manquent sans qu’aucun effacement au registre ne dise "
            "pourquoi. Conservez la base en l’état et prévenez le responsable."
        )
    whole = "" if chain.whole else " Seules les premières inscriptions sont montrées."
    return (
        f"Chaîne vérifiée : chaque inscription ({chain.records} en tout, {chain.streams} flux) est celle qui a été "
        f"écrite, à sa place.{whole}"
    )


def erased_words(chain: Chain) -> Sequence[str]:
    """What was erased behind the call, and why: a line for each erasure on record."""
    return [
        f"Inscriptions effacées : {count} ({words.ERASED_FOR.get(cause, words.ERASED_FOR_NO_CAUSE)}"
        f"{'' if at is None else f', {_moment(at)}'})."
        for at, cause, count in chain.erased
    ]


def _head(timeline: Timeline, edition: Edition) -> Sequence[str]:
    ended = "en cours" if timeline.ended is None else f"jusqu’à {_clock(timeline.ended)}"
    return (f"Cabinet : {edition.practice}", f"Appel du {_moment(timeline.started)}, {ended}")


def _when(moment: Moment) -> str:
    seconds = int(moment.after.total_seconds())
    return f"{_clock(moment.at)}\n+{seconds // 60}:{seconds % 60:02}"


def _told(moment: Moment) -> list[Any]:
    name = moment.who.name or words.WHO.get(moment.who.kind, words.WHO["unknown"])
    head = f"<b>{french(moment.title)}</b> – {french(words.AREAS[moment.area])}, {safe(name)}"
    lines: list[Any] = [Paragraph(head, _TEXT)]
    if moment.fault:
        lines.append(Paragraph(french(moment.fault), _BROKEN))
    facts = " · ".join(f"{words.fact(fact.label)} : {fact.value}" for fact in moment.facts)
    if facts:
        lines.append(Paragraph(french(facts), _SMALL))
    for said in moment.words:
        gone = f"annonce « {said.prompt} », dont les mots ne sont plus chargés ici"
        heard = french(said.text or "") if said.language == "fr" else safe(said.text or "")
        lines.append(Paragraph(f"{_QUOTED[0]}{heard}{_QUOTED[1]}" if said.text else french(gone), _SMALL))
    where = "au registre" if moment.record else "hors registre"
    source = (
        f"{where}{f' {moment.record}' if moment.record else ''}{f' · scénario {moment.flow}' if moment.flow else ''}"
    )
    lines.append(Paragraph(safe(source), _SMALL))
    return lines


def _cell(text: str) -> Paragraph:
    return Paragraph(safe(text).replace("\n", "<br/>"), _TEXT)


def safe(text: str) -> str:
    """A text as markup that is nothing but this text."""
    return escape(letters(text))


def french(text: str) -> str:
    """The same of words in French, with its spaces and its apostrophe."""
    return safe(set_in_french(text))


def letters(text: str) -> str:
    """With the letters that the standard fonts have (WinAnsi), and a question mark for others."""
    return text.replace("\u202f", "\u00a0").encode("cp1252", "replace").decode("cp1252")


def _clock(at: datetime) -> str:
    return at.astimezone(HOUSE_TIMEZONE).strftime("%H:%M:%S")


def _moment(at: datetime) -> str:
    return at.astimezone(HOUSE_TIMEZONE).strftime("%d/%m/%Y à %H:%M:%S")
