"""The words of an extract of the register, in plain French: for whoever has never seen a register."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from callcenter.kernel.labels import Category
from callcenter.kernel.levels import Level
from callcenter.reports.extract_tables import Asks, IdentityCheck


class Section(StrEnum):
    """The parts of an extract. What callcenter has enforced and what somebody has declared are never mixed."""

    TOLD = "told"
    DECLARED = "declared"
    NOT_TOLD = "not_told"
    PROOF = "proof"
    ACTS = "acts"
    LOOKS = "looks"


@dataclass(frozen=True, slots=True)
class Reader:
    """How the person is spoken of: to themselves, or to whoever acts for them."""

    you: str
    itself: str
    you_have: str
    your_file: str
    your_telephone: str


#: Whether the reader is the patient.
READERS: Final[Mapping[bool, Reader]] = {
    True: Reader("vous", "vous-même", "vous avez", "votre dossier", "au téléphone inscrit dans votre dossier"),
    False: Reader(
        "la personne concernée",
        "la personne concernée",
        "la personne concernée a",
        "son dossier",
        "au téléphone inscrit dans son dossier",
    ),
}

#: Title, and what stands below it.
SECTIONS: Final[Mapping[Section, tuple[str, str]]] = {
    Section.TOLD: (
        "Ce qui a été communiqué",
        "Chaque communication a été inscrite au registre avant d’être dite, affichée ou envoyée.",
    ),
    Section.DECLARED: (
        "Ce que le secrétariat a déclaré avoir dit",
        "Ces informations ont été lues dans l’agenda propre au cabinet, hors de notre système. Le secrétariat a "
        "vérifié l’identité, puis déclaré ce qu’il disait : le registre garde sa déclaration, sans la garantir.",
    ),
    Section.NOT_TOLD: (
        "Ce qui a été demandé et n’a pas été communiqué",
        "Rien n’a été dit, affiché ni envoyé.",
    ),
    Section.PROOF: (
        "Vérifications d’identité",
        "Codes envoyés et identités vérifiées. Les codes ne sont pas conservés.",
    ),
    Section.ACTS: ("Rendez-vous et autres actes", "Ce qui a été fait, sans autre détail que celui du registre."),
    Section.LOOKS: (
        "Consultations du registre",
        "Des personnes du cabinet ou de son secrétariat, tenues au secret professionnel, ont regardé ce que le "
        "registre contient. Chaque regard y est inscrit lui-même.",
    ),
}

ASKS: Final[Mapping[Asks, str]] = {
    Asks.PATIENT: "la personne elle-même",
    Asks.PARENT: "un titulaire de l’autorité parentale",
    Asks.GUARDIAN: "un tuteur, ou une personne chargée d’une mesure de représentation",
    Asks.MANDATED: "une personne munie d’un mandat exprès et écrit",
}
CHECKS: Final[Mapping[IdentityCheck, str]] = {
    IdentityCheck.IN_PERSON: "en personne, sur présentation d’une pièce d’identité, vue et non conservée",
    IdentityCheck.LETTER: "par courrier, avec une copie de pièce d’identité détruite après le contrôle ; réponse à "
    "l’adresse inscrite au dossier",
    IdentityCheck.VERIFIED_CALL: "au cours d’un appel où l’identité a été vérifiée par un code",
}

#: What each category is, by its code; the words of the policy are for those who know it.
_CATEGORIES: Final[Mapping[Category, str]] = {
    Category.PUBLIC: "une information publique sur le cabinet",
    Category.RECORD_EXISTS: "le fait que {you_have} un dossier au cabinet",
    Category.APPOINTMENT_EXISTS: "le fait qu’un rendez-vous est prévu, ou qu’il n’y en a pas",
    Category.APPOINTMENT_TIME: "la date et l’heure d’un rendez-vous",
    Category.PRACTITIONER: "le nom du praticien",
    Category.SPECIALITY: "la spécialité ou le type de consultation",
    Category.PLACE: "le lieu d’un rendez-vous",
    Category.GENERIC_PREPARATION: "des consignes générales avant une visite",
    Category.SPECIFIC_PREPARATION: "des consignes de préparation",
    Category.DOCUMENT_AVAILABLE: "le fait qu’un document ou un résultat est disponible",
    Category.RESULT_CONTENT: "le contenu d’un résultat",
    Category.DOCUMENT: "un document",
    Category.RENEWAL_STATUS: "où en est une demande d’ordonnance",
    Category.MEDICAL: "une information médicale",
    Category.PAST_APPOINTMENTS: "des rendez-vous passés",
    Category.CONTACT_DETAILS: "des coordonnées",
    Category.BILLING: "une somme à régler",
    Category.ACCESS_HISTORY: "le contenu de ce registre",
    Category.NATIONAL_IDENTIFIER: "un numéro d’identité de santé",
    Category.DECEASED: "une information sur une personne décédée",
    Category.THIRD_PERSON: "une information sur une autre personne",
}

_FACTORS: Final[Mapping[str, str]] = {
    "birth_date+telephone": "date de naissance et téléphone inscrits au dossier",
    "sms_code": "code reçu par SMS",
    "return_call": "code tapé sur le téléphone du dossier, que nous avons rappelé",
    "reference": "référence remise avec le rendez-vous",
    "birth_date": "date de naissance",
}
_PURPOSES: Final[Mapping[str, str]] = {
    "PATRQT": "pour répondre à une demande",
    "PATADMIN": "pour la gestion des rendez-vous",
    "ETREAT": "pour une urgence vitale",
    "request": "à la suite d’une demande d’accès du patient",
    "complaint": "pour traiter une réclamation",
    "incident": "pour traiter un incident",
    "control": "pour un contrôle prévu par la procédure",
}
_HEARD: Final[Mapping[str, str]] = {
    "full": "écouté jusqu’au bout",
    "interrupted": "interrompu avant la fin",
    "unknown": "on ignore si cela a été entendu jusqu’au bout",
    "not_delivered": "préparé, mais jamais entendu",
}
_BY: Final[Mapping[str, str]] = {
    "ivr": "le serveur vocal",
    "job": "un envoi automatique",
    "operator": "une personne du secrétariat",
    "staff": "une personne du cabinet ou de son secrétariat",
    "recipient": "qui a reçu le message",
    "command": "l’administration du système",
}
_RESCUE: Final[Mapping[str, str]] = {
    "rescue": "un service de secours",
    "hospital": "un hôpital ou un service d’urgences",
    "bystander": "une personne qui se disait auprès de {you}, en urgence",
}

NOT_TOLD: Final = "Demande sans réponse"

#: Part and title of other records; of what is not named here, that there is one.
_EVENTS: Final[Mapping[str, tuple[Section, str]]] = {
    "verification.succeeded": (Section.PROOF, "Une personne a prouvé être {you}"),
    "verification.code_sent": (Section.PROOF, "Un code a été envoyé {your_telephone}"),
    "verification.code_unconfirmed": (Section.PROOF, "Un code a peut-être été envoyé {your_telephone}"),
    "verification.code_not_sent": (Section.PROOF, "Un code n’a pas été envoyé"),
    "reference.right": (Section.PROOF, "La référence d’un rendez-vous a été donnée"),
    "appointment.confirmed": (Section.ACTS, "Un rendez-vous a été confirmé"),
    "appointment.cancelled": (Section.ACTS, "Un rendez-vous a été annulé"),
    "appointment.moved": (Section.ACTS, "Un rendez-vous a été déplacé"),
    "appointment.not_changed": (Section.ACTS, "Un rendez-vous n’a pas pu être changé"),
    "booking.cancelled": (Section.ACTS, "Une réservation a été annulée"),
    "booking.moved": (Section.ACTS, "Une réservation a été déplacée"),
    "reminder.not_sent": (Section.ACTS, "Un rappel de rendez-vous n’est pas parti"),
    "reminders.chosen": (Section.ACTS, "Un choix sur les rappels a été enregistré"),
    "outreach.rings": (Section.ACTS, "Un appel a été passé {your_telephone}"),
    "outreach.not_done": (Section.ACTS, "Il n’a pas été possible de joindre le téléphone du dossier"),
    "outreach.unconfirmed": (
        Section.ACTS,
        "Le téléphone inscrit dans {your_file} a peut-être été appelé, ou a reçu un SMS",
    ),
    "review.patient_searched": (Section.LOOKS, "Recherche dans le registre, dont {your_file} faisait partie"),
    "review.patient_followed": (Section.LOOKS, "Lecture de la liste de ce qui est inscrit sur {you}"),
    "review.exported": (Section.LOOKS, "Copie de cette liste dans un fichier"),
    "review.call_opened": (Section.LOOKS, "Relecture du déroulé d’un appel où il est question de {you}"),
    "review.call_printed": (Section.LOOKS, "Impression du déroulé d’un appel où il est question de {you}"),
    "review.call_notes_read": (Section.LOOKS, "Lecture des notes d’un appel où il est question de {you}"),
    "extract.asked": (Section.LOOKS, "Préparation d’un extrait du registre"),
    "extract.read": (Section.LOOKS, "Lecture d’un extrait du registre avant sa remise"),
    "extract.released": (Section.LOOKS, "Remise d’un extrait du registre"),
    "extract.declined": (Section.LOOKS, "Refus de remettre un extrait du registre"),
}
_OTHER: Final = "Autre inscription"
_OTHER_FACTOR: Final = "autre preuve"
_BY_SYSTEM: Final = "le système"

_ON_FILE: Final = "{your_telephone}"
_PROVED: Final = "{itself}, d’après ce qui a été prouvé"
_CLAIMED: Final = "une personne qui s’est fait connaître comme étant {you}, sans l’avoir prouvé"
_RECIPIENTS: Final = (_ON_FILE, _PROVED, _CLAIMED)

_DECLARED: Final = "Déclaré par le secrétariat, au téléphone"
_SHOWN_IN_EMERGENCY: Final = "Affiché à un responsable, en urgence vitale"
_TEXTED: Final = "Envoyé par SMS"
_SHOWN: Final = "Affiché à l’écran du secrétariat, pendant un appel"
_LOOKED_UP: Final = "Recherche dans {your_file}, pour répondre au téléphone"
_SPOKEN: Final = "Dit au téléphone"
_TOLD_BY: Final = (_DECLARED, _SHOWN_IN_EMERGENCY, _TEXTED, _SHOWN, _LOOKED_UP, _SPOKEN)

_WITHHELD: Final = "{your_file} demande de ne pas le communiquer de cette façon"
_NOT_ENOUGH: Final = "ce qui était prouvé ne suffisait pas, ou cela ne se communique à personne de cette façon"
_REFUSALS: Final = (_WITHHELD, _NOT_ENOUGH)


def ours() -> frozenset[str]:
    """Every word that a line of an extract may hold, for each reader: pages put these into their reader's language.

    A name of staff, a code that nobody knows, and how often something was given anew stand beside them.
    """
    told = [
        *(title for title, _ in SECTIONS.values()),
        *(title for _, title in _EVENTS.values()),
        *(said for table in (_CATEGORIES, _FACTORS, _PURPOSES, _HEARD, _BY, _RESCUE) for said in table.values()),
        *(NOT_TOLD, _OTHER, *_RECIPIENTS, *_TOLD_BY, *_REFUSALS, _OTHER_FACTOR, _BY_SYSTEM),
    ]
    return frozenset(_put(said, reader) for said in told for reader in READERS.values())


def event(named: str, reader: Reader) -> tuple[Section, str]:
    """Part and title of a record that is no disclosure."""
    section, title = _EVENTS.get(named, (Section.ACTS, _OTHER))
    return section, _put(title, reader)


def categories(codes: Iterable[str], reader: Reader) -> tuple[str, ...]:
    """What kinds of information these are; of a code that nobody knows, the code."""
    known = {category.value: said for category, said in _CATEGORIES.items()}
    return tuple(_put(known.get(code, f"une information de la catégorie {code}"), reader) for code in codes)


def recipient(body: Mapping[str, Any], reader: Reader) -> str:
    """To whom something was told, or not."""
    to, channel, level = str(body.get("recipient") or "patient"), body.get("channel"), body.get("level")
    if to in _RESCUE:
        return _put(_RESCUE[to], reader)
    if channel == "sms":
        return _put(_ON_FILE, reader)
    if isinstance(level, int) and level >= Level.VERIFIED:
        return _put(_PROVED, reader)
    return _put(_CLAIMED, reader)


def told_by(body: Mapping[str, Any], reader: Reader) -> str:
    """In which way something was told."""
    if body.get("control") == "declared":
        return _DECLARED
    if body.get("recipient") in _RESCUE:
        return _SHOWN_IN_EMERGENCY
    match body.get("channel"):
        case "sms":
            return _TEXTED
        case "console":
            return _SHOWN
        case _ if body.get("prompt") is None:
            return _put(_LOOKED_UP, reader)
        case _:
            return _SPOKEN


def heard(body: Mapping[str, Any], followed: Sequence[Mapping[str, Any]]) -> tuple[str, int]:
    """How far something was heard, and how often it was given; nothing, and none, where nothing was to be heard.

    Arguments:
        followed: the records that followed on it.
    """
    if body.get("channel") != "voice" or body.get("prompt") is None:
        return "", 0
    playbacks = [each.get("playback") for each in followed if each.get("playback") is not None]
    known = _HEARD.get(str(playbacks[-1]), _HEARD["unknown"]) if playbacks else _HEARD["unknown"]
    again = sum(each.get("event") == "disclosure.redelivered" for each in followed)
    return known, again + 1


def with_count(heard: str, given: int) -> str:
    """How something was heard, as papers and files say it."""
    return f"{heard} ; remis {given} fois" if given > 1 else heard


def refusal(withheld: bool, reader: Reader) -> str:
    """Why something was not told: one of two, whatever the reason; others could tell of another person."""
    if withheld:
        return _put(_WITHHELD, reader)
    return _NOT_ENOUGH


def by_whom(kind: str) -> str:
    """Who has told or looked."""
    return _BY.get(kind, _BY_SYSTEM)


def with_name(by: str, name: str) -> str:
    """Who has told or looked, as papers and files say it; a name where the practice names staff."""
    return f"{name} ({by})" if name else by


def factors(named: object) -> tuple[str, ...]:
    """By what somebody was verified."""
    if not isinstance(named, Sequence) or isinstance(named, str):
        return ()
    return tuple(_FACTORS.get(str(each), _OTHER_FACTOR) for each in named)


def purpose(named: object) -> str:
    """For what."""
    return _PURPOSES.get(str(named), "")


def _put(said: str, reader: Reader) -> str:
    return said.format(**asdict(reader))
