"""An incident on paper: the register for the data protection officer (RGPD 33.5), the letter to a practice (33.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from uuid import UUID
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

from callcenter.console.dates import moment
from callcenter.console.incident_notice_ports import ToTell
from callcenter.console.incident_ports import Shown
from callcenter.console.words import marked
from callcenter.staff.incident_tables import EntryKind, IncidentKind, Means
from callcenter.staff.incident_values import Concerned, Written

KINDS = {
    IncidentKind.WRONG_PERSON: "Information donnée à la mauvaise personne",
    IncidentKind.UNAUTHORISED_ACCESS: "Accès non autorisé",
    IncidentKind.LOSS: "Perte ou vol",
    IncidentKind.ALTERATION: "Données modifiées",
    IncidentKind.UNAVAILABILITY: "Données indisponibles",
    IncidentKind.OTHER: "Autre",
}
ENTRIES = {
    EntryKind.FACTS: "Nature et faits",
    EntryKind.PERSONS: "Personnes et enregistrements concernés (catégories, nombres approximatifs)",
    EntryKind.CONSEQUENCES: "Conséquences probables",
    EntryKind.MEASURES: "Mesures prises ou proposées",
    EntryKind.NOTE: "Note",
    EntryKind.PRACTICE_INFORMED: "Cabinet informé (responsable de traitement)",
    EntryKind.PERSONS_INFORMED: "Personnes concernées informées (article 34)",
    EntryKind.NOTIFIED: "Notification à l’autorité (article 33)",
    EntryKind.CLOSED: "Clôture",
    EntryKind.HELD: "Appel conservé, hors effacement",
    EntryKind.HOLD_LIFTED: "Conservation de l’appel levée",
    EntryKind.EXPORTED: "Registre exporté",
    EntryKind.PRACTICE_NOTICE: "Avis remis sur la page du cabinet",
    EntryKind.PRACTICE_READ: "Avis lu par le cabinet",
}
MEANS = {
    Means.TELEPHONE: marked("par téléphone"),
    Means.LETTER: marked("par courrier"),
    Means.EMAIL: marked("par e-mail"),
    Means.PAGE: marked("par sa page"),
}
#: What nobody but a person can say: a notice that still has it is not given to a practice.
TO_COMPLETE = "à compléter"
#: What art. 33.3 asks for, in its order.
ASKED = (EntryKind.FACTS, EntryKind.PERSONS, EntryKind.CONSEQUENCES, EntryKind.MEASURES)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a paper; ``heading`` stands out."""

    words: str
    heading: bool = False


def register_lines(shown: Shown) -> Iterator[Line]:
    """The register, line by line."""
    register, incident = shown.register, shown.register.incident
    yield Line("Registre des violations de données : incident", heading=True)
    yield Line(f"Référence : {incident.id}")
    yield Line(f"Organisation (sous-traitant) : {register.organisation}")
    yield Line(f"Nature : {KINDS[incident.kind]}")
    yield Line(f"Connu depuis le {moment(incident.known_at)}")
    yield Line(f"Déclaré : {moment(incident.declared_at)}, par {register.declared_by}")
    yield Line(f"Échéance des 72 heures (article 33) : {moment(incident.deadline)}")
    notified, closed = incident.notified_at, incident.closed_at
    yield Line(f"Autorité notifiée : {'non' if notified is None else moment(notified)}")
    yield Line(f"Clos : {'non' if closed is None else moment(closed)}")
    yield Line("Cabinets concernés (responsables de traitement)", heading=True)
    for one in register.concerned:
        yield Line(f"{_name(shown, one.practice)} : {_told(one)}")
    if not register.concerned:
        yield Line("Aucun n’est nommé.")
    yield Line("Appels conservés", heading=True)
    for hold in register.holds:
        yield Line(f"{hold.call} ({_name(shown, hold.practice)}), depuis {moment(hold.placed_at)}")
    if not register.holds:
        yield Line("Aucun.")
    yield Line("Écritures, dans l’ordre", heading=True)
    for entry in register.entries:
        yield Line(f"{moment(entry.at)}, {entry.by} : {entry_title(shown, entry)}")
        if entry.words:
            yield Line(entry.words)
    yield Line(f"Édité : {moment(shown.now)}. Le registre ne fait que s’allonger ; l’édition elle-même y est inscrite.")


def letter_lines(shown: Shown, practice: UUID | None) -> Iterator[Line]:
    """What tells a practice, as controller, without delay: a draft to be read again before it leaves.

    The register's words are taken over where they can be about no other practice.

    Arguments:
        practice: ``None`` for several, none of which it names.
    """
    register, incident = shown.register, shown.register.incident
    alone = practice is not None and len(register.concerned) == 1
    addressed = "" if practice is None else f" : {_name(shown, practice)}"
    yield Line(f"À l’attention du responsable de traitement{addressed}")
    yield Line("Objet : violation de données à caractère personnel (article 33, paragraphe 2, du RGPD)", heading=True)
    yield Line(
        f"{register.organisation}, votre sous-traitant, a connaissance depuis le {moment(incident.known_at)} d’une "
        f"violation de données qui concerne votre cabinet. Nature : {KINDS[incident.kind].lower()}."
    )
    for kind in ASKED:
        yield Line(ENTRIES[kind], heading=True)
        known = [entry.words for entry in register.entries if entry.kind is kind]
        if known and not alone:
            known = [f"{TO_COMPLETE.capitalize()} pour ce cabinet, d’après le registre."]
        if known and practice is None:
            known = [f"{TO_COMPLETE.capitalize()}, d’après le registre, sans rien qui désigne un cabinet."]
        yield from map(Line, known or ["Pas encore connu ; un complément suivra."])
    yield Line("Ce qui vous revient", heading=True)
    yield Line(
        "Comme responsable de traitement, vous notifiez la CNIL dans les 72 heures après en avoir pris connaissance, "
        "sauf si la violation n’est pas susceptible d’engendrer un risque pour les personnes ; en cas de risque "
        "élevé, vous informez aussi les personnes concernées (articles 33 et 34)."
    )
    yield Line("Contact", heading=True)
    yield Line(f"Délégué à la protection des données, ou autre contact (nom, téléphone, e-mail) : {TO_COMPLETE}.")
    yield Line(f"Référence de l’incident : {incident.id}.")


def given_lines(found: ToTell) -> Iterator[Line]:
    """What a practice was told on its page, the first first: as it stands there, and nothing else of the register."""
    incident = found.shown.register.incident
    yield Line(f"À l’attention du responsable de traitement : {found.name}")
    yield Line("Objet : violation de données à caractère personnel (article 33, paragraphe 2, du RGPD)", heading=True)
    for notice in reversed(found.notices):
        yield Line(f"Avis du {moment(notice.at)}, remis par {notice.by}", heading=True)
        yield Line(notice.words)
    yield Line("")
    yield Line(f"Référence de l’incident : {incident.id}.")


def draft(shown: Shown, practice: UUID | None) -> str:
    """The same, to be gone on with on a page: no lines are drawn, which would be read aloud one by one."""
    lines = (("\n" if line.heading else "") + line.words for line in letter_lines(shown, practice))
    return "\n".join(lines).strip()


def entry_title(shown: Shown, entry: Written) -> str:
    """What an entry is, with what it is about."""
    title = ENTRIES[entry.kind]
    match entry.kind:
        case EntryKind.PRACTICE_INFORMED | EntryKind.PRACTICE_NOTICE | EntryKind.PRACTICE_READ if entry.about:
            return f"{title} : {_name(shown, entry.about)}"
        case EntryKind.HELD | EntryKind.HOLD_LIFTED if entry.about is not None:
            return f"{title} : {entry.about}"
    return title


def as_text(lines: Iterator[Line]) -> str:
    """A file of text."""
    out: list[str] = []
    for line in lines:
        out += ["", line.words, "-" * min(len(line.words), 78)] if line.heading else [line.words]
    return "\n".join(out).strip() + "\n"


def as_paper(lines: Iterator[Line]) -> bytes:
    """A file of PDF, for A4."""
    styles, file = getSampleStyleSheet(), BytesIO()
    flow: list[object] = []
    for line in lines:
        words = escape(line.words).replace("\r\n", "\n").replace("\n", "<br/>")
        flow.append(Paragraph(words, styles["Heading3" if line.heading else "BodyText"]))
        if not line.heading:
            flow.append(Spacer(1, 1 * mm))
    paper = SimpleDocTemplate(
        file, pagesize=A4, title="Registre", author="callcenter", invariant=1, leftMargin=20 * mm, rightMargin=20 * mm
    )
    paper.build(flow)
    return file.getvalue()


def _told(one: Concerned) -> str:
    if one.informed_at is None:
        return "pas encore informé"
    return f"informé, {moment(one.informed_at)}{'' if one.means is None else ', ' + MEANS[one.means]}"


def _name(shown: Shown, practice: UUID) -> str:
    return shown.names.get(practice, str(practice))
