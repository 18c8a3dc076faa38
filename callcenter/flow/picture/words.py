"""The French words of a picture: what steps are, do and tell, and where their outlets lead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from callcenter.disclosure.policy import Policy
from callcenter.flow.language import (
    Act,
    Ask,
    Book,
    Branch,
    Card,
    Choose,
    Connect,
    Disclose,
    Do,
    End,
    Find,
    Flow,
    Go,
    Lookup,
    MessageKind,
    Move,
    Moved,
    Pace,
    ProofKind,
    Prove,
    Queue,
    ReachKind,
    ReachOut,
    Reference,
    Say,
    Speak,
    Step,
    Switch,
    TakeMessage,
    Verify,
)
from callcenter.flow.prompts import PromptBook
from callcenter.flow.script_language import Declare, Dispose, Forget, Pick, Reveal, Show
from callcenter.flow.subflow_language import Leave, Run
from callcenter.flow.words import Part, Value, When, Words
from callcenter.kernel.labels import Category
from callcenter.kernel.levels import Channel, Level

#: What a field is, between ‹ ›.
FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "practice.name": "nom du cabinet",
        "text.number": "numéro à rappeler",
        "text.stop_number": "numéro pour STOP",
        "text.stop_word": "mot pour STOP",
        "code.digits": "code",
        "code.minutes": "durée du code",
        "practice.spoken_name": "nom du cabinet",
        "practice.agenda": "agenda du cabinet",
        "practice.agenda_link": "lien de l’agenda",
        "practice.address": "adresse",
        "practice.access": "accès",
        "practice.opening_hours": "horaires",
        "practice.is_open": "cabinet ouvert",
        "practice.answer_mode": "mode de réponse du cabinet",
        "practice.next_opening": "prochaine ouverture",
        "practice.closing_conduct": "conduite à tenir",
        "practice.out_of_hours_number": "numéro de garde",
        "practice.message_of_the_day": "message du jour",
        "practice.instructions": "consignes du cabinet",
        "practice.voice_messages": "messages vocaux",
        "caller.number_withheld": "numéro masqué",
        "call.arrival": "comment l’appel arrive",
        "call.return_code": "code du rappel",
        "request.practitioners": "praticiens",
        "queue.others": "nombre devant",
        "queue.range": "durée d’attente",
        "appointment.starts_at": "date et heure",
        "appointment.practitioner": "praticien",
        "appointment.speciality": "spécialité",
        "appointment.place": "lieu",
        "offer.key": "touche",
        "offer.practitioner": "praticien",
        "offer.starts_at": "créneau libre",
        "booking.reference": "référence",
        "slot.starts_at": "date et heure",
        "slot.place": "lieu",
    }
)

#: Levels of verification, as arrivals at a step.
LEVELS: Mapping[Level, str] = MappingProxyType(
    {
        Level.UNKNOWN: "Appelant inconnu",
        Level.IDENTIFIED: "Appelant identifié (niveau 1)",
        Level.VERIFIED: "Appelant vérifié (niveau 2)",
        Level.STRONG: "Appelant fortement vérifié (niveau 3)",
    }
)
CARD_SHOWN = "Référence et date de naissance données"
CHANNELS: Mapping[Channel, str] = MappingProxyType(
    {Channel.VOICE: "au téléphone", Channel.CONSOLE: "à l’écran de l’opérateur", Channel.SMS: "par SMS"}
)

#: What must hold at a step, as a need and as what is guaranteed.
FACTS: Mapping[str, str] = MappingProxyType(
    {
        "level>=1": "niveau 1",
        "level>=2": "niveau 2",
        "level>=3": "niveau 3",
        "bound:appointment": "rendez-vous trouvé",
        "bound:slot": "référence reconnue",
        "card:slot": "référence et date de naissance",
        "possession": "téléphone du dossier en main",
        "heard:emergency": "consigne d’urgence entendue",
    }
)

_OUTLETS: Mapping[str, str] = MappingProxyType(
    {
        "silence": "silence",
        "nonsense": "saisie inconnue",
        "verified": "vérifié",
        "refused": "refusé",
        "unavailable": "indisponible",
        "found": "trouvé",
        "none": "aucun",
        "withheld": "non communicable",
        "done": "fait",
        "failed": "échec",
        "taken": "message pris",
        "abandoned": "abandonné",
        "proved": "prouvé",
        "known": "reconnue",
        "connected": "mis en relation",
        "unanswered": "sans réponse",
        "message": "plutôt un message",
        "callback": "plutôt être rappelé",
        "keypad": "à saisir au clavier",
        "booked": "réservé",
        "moved": "déplacé",
        "yes": "oui",
        "no": "non",
        "then": "ensuite",
        "go": "ensuite",
    }
)
_CASES: Mapping[str, str] = MappingProxyType(
    {
        "closed": "fermé",
        "direct": "directement",
        "menu": "menu",
        "overflow": "débordement",
        "practice": "le cabinet répond",
        "professionals": "ligne des professionnels",
        "external": "agenda du cabinet",
        "internal": "notre agenda",
    }
)


def options_of(step: Step, book: PromptBook) -> Mapping[str, str]:
    """The words on the options of a choice on a screen, by key; of other steps none."""
    return {key: _prompt(way.label, book) for key, way in step.options.items()} if isinstance(step, Pick) else {}


def outlets_in_french(names: Sequence[str], options: Mapping[str, str] = MappingProxyType({})) -> str:
    """What outlets with one target are called together.

    Arguments:
        options: words on the keys, where they have some.
    """
    keys = [name.removeprefix("key ") for name in names if name.startswith("key ")]
    if options:
        return " ; ".join(f"{key}. {options.get(key, key)}" for key in keys)
    rest = [name for name in names if not name.startswith("key ")]
    said = []
    if keys:
        shown = ", ".join("étoile" if key == "*" else key for key in keys)
        said.append(f"touche{'s' if len(keys) > 1 else ''} {shown}")
    if {"silence", "nonsense"} <= set(rest):
        said.append("silence ou erreur")
        rest = [name for name in rest if name not in ("silence", "nonsense")]
    for name in rest:
        case = name.removeprefix("case ")
        said.append(_CASES.get(case, case) if name.startswith("case ") else _OUTLETS.get(name, name))
    return ", ".join(said)


# --- prompts


def beginning(parts: Iterable[Part]) -> str:
    """The words of a prompt, with its fields between ‹ ›."""
    return re.sub(r"[ \t\r\n]+", " ", "".join(_said(parts))).strip(" ")


def _said(parts: Iterable[Part]) -> Iterable[str]:
    for part in parts:
        match part:
            case Words(text):
                yield text
            case Value(field):
                yield f"‹{FIELDS.get(field, field)}›"
            case When(_, inner):
                yield from _said(inner)


def _quoted(words: str) -> str:
    return words if "«" in words else f"«\xa0{words}\xa0»"


def _prompt(key: str | None, book: PromptBook) -> str:
    if key is None or key not in book:
        return ""
    return beginning(book[key].parts)


# --- steps

_LOOKUPS = {
    Lookup.NEXT_APPOINTMENT: "Cherche le prochain rendez-vous dans le dossier.",
    Lookup.FOLLOWING_APPOINTMENT: "Cherche le rendez-vous qui suit.",
}
_ACTS = {
    Act.CONFIRM_APPOINTMENT: "Confirme le rendez-vous.",
    Act.CANCEL_APPOINTMENT: "Annule le rendez-vous.",
    Act.CANCEL_SLOT: "Annule ce que désigne la référence.",
}
_MESSAGES = {
    MessageKind.CALLBACK: "Prend un motif et un numéro, pour qu’on rappelle.",
    MessageKind.VOICE: "Prend un message parlé, et un numéro.",
    MessageKind.RENEWAL: "Prend une demande de renouvellement.",
    MessageKind.CERTIFICATE: "Prend une demande de certificat.",
}
_REACHED = {
    ReachKind.REMINDER: "Le rappel part au téléphone du dossier, s’il y en a un.",
    ReachKind.RETURN_CALL: "Le téléphone du dossier sonnera, s’il y en a un.",
}
_PACES = {Pace.SLOW: "plus lentement", Pace.NORMAL: "au rythme ordinaire", Pace.FAST: "plus vite"}
_LANGUAGES = {"fr": "en français", "en": "en anglais"}


def deed(step: Step, flow: Flow, book: PromptBook, policy: Policy) -> str:
    """What a step says, or does: the words of its prompt where it has one of its own."""
    match step:
        case Say() | Choose() | Ask() | Disclose() | End() | Pick():
            words = _prompt(step.prompt, book)
            return _quoted(words) if words else "Raccroche sans un mot : on s’est parlé."
        case Verify():
            return f"Vérifie l’identité jusqu’au niveau {step.level.value} : {_verified_by(step.level, flow.channel)}."
        case Find():
            return _LOOKUPS[step.what]
        case Do():
            return _ACTS[step.act]
        case TakeMessage():
            return _MESSAGES[step.kind]
        case ReachOut():
            return f"Demande qui appelle, ne dit rien. {_REACHED[step.kind]}"
        case Prove():
            return _proof(step)
        case Branch() | Switch():
            return f"Selon : {FIELDS.get(step.on, step.on)}."
        case Speak():
            return _manner(step)
        case Go():
            return ""
        case Run():
            return f"Passe par le sous-scénario « {step.subflow} »."
        case Leave():
            return f"Revient à l’étape qui y a fait passer, par « {outlets_in_french([step.by])} »."
        case Connect():
            return "Fait sonner le cabinet. Toute vérification prend fin."
        case Queue():
            return "Attend un opérateur. Toute vérification prend fin."
        case Book():
            return "Propose des créneaux libres et en réserve un. N’ouvre aucun dossier."
        case Reference():
            return "Demande la référence à huit chiffres."
        case Card():
            return "Demande la date de naissance qui va avec la référence."
        case Move(what=Moved.SLOT):
            return "Propose d’autres créneaux pour la référence, et déplace."
        case Move():
            return "Propose d’autres créneaux, et déplace le rendez-vous."
        case Show():
            return "Montre les consignes du cabinet."
        case Reveal():
            return "Montre, un par un : " + ", ".join(FIELDS.get(one, one) for one in step.fields) + "."
        case Declare():
            names = ", ".join(policy.rules[one].name for one in step.categories)
            return f"Note ce qui est dit depuis l’agenda du cabinet : {names}."
        case Forget():
            return "On parle de quelqu’un d’autre : toute vérification prend fin."
        case Dispose():
            return "Demande ce qu’il est advenu de l’appel."


def _verified_by(level: Level, channel: Channel) -> str:
    asked = ["naissance", "téléphone"]
    if level >= Level.VERIFIED:
        asked.append("code reçu" if channel is Channel.VOICE else "code tapé par l’appelant")
    return ", ".join(asked)


def _proof(step: Prove) -> str:
    if step.by is ProofKind.RETURN_CALL:
        return "Demande le code donné lors d’un autre appel."
    return "Demande une touche : y a-t-il quelqu’un ?"


def _manner(step: Speak) -> str:
    said = [_PACES[step.pace]] if step.pace else []
    said += [_LANGUAGES.get(step.language, step.language)] if step.language else []
    said += ["par un service de relais"] if step.relay else []
    return f"Désormais {', '.join(said)}."


# --- categories


def categories_in_french(categories: Iterable[Category], policy: Policy) -> str:
    """Codes with their names."""
    return ", ".join(f"{one.value} {policy.rules[one].name}" for one in sorted(categories))
