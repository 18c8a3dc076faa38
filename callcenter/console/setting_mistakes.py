"""What the command says of a value that is refused, in French, beside the field that it is about.

The rules and their English are those of the practice's room: here is no second judge, only its words. A test gives
each rule something to refuse, and fails where its words are not found here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from callcenter.console.practices_ports import Fault
from callcenter.console.setting_forms import VALUE
from callcenter.console.setting_periods import BEGINS_DAY, ENDS_DAY, Mistake
from callcenter.console.told import Told, _
from callcenter.practice.practice_form import Setting

#: By what the command says: a pattern, and the French, into which its groups are filled.
_WORDS: Sequence[tuple[str, Told]] = (
    ("it is empty|it does not say what to do", _("Ne peut pas rester vide.")),
    (r"it is longer than (?P<most>\d+) characters", _("Trop long : %(most)s caractères au plus.")),
    ("line break or another control character|a control character", _("Contient un caractère qui ne peut être dit.")),
    ("it is not a telephone number", _("Ce n’est pas un numéro de téléphone.")),
    ("no telephone number has this length", _("Aucun numéro de téléphone n’a cette longueur ou ce début.")),
    ("it costs extra", _("Numéro surtaxé : il ne peut être demandé à des patients (081, 082, 089, 36xx, 118).")),
    ("06 and 07 are reserved", _("Les numéros en 06 et 07 sont réservés aux personnes.")),
    ("hours are written from-to", _("Une plage a un début et une fin, comme 08:30 et 12:00.")),
    ("are not in order, overlap", _("Les plages d’un jour se suivent sans se chevaucher.")),
    (
        r"rule (?P<rule>\d+) of reception ends before it begins",
        _("La règle %(rule)s finit avant de commencer : une nuit se fait en deux règles, à minuit."),
    ),
    ("there is no such time zone", _("Ce fuseau horaire n’existe pas.")),
    ("no part of France with holidays", _("Aucune partie de la France n’a de jours fériés sous ce nom.")),
    ("there is no such date|dates are written", _("Ce jour n’existe pas : écrivez-le comme 24/12/2026.")),
    ("the last day lies before the first", _("Le dernier jour est avant le premier.")),
    (
        "an external agenda has an address",
        _("Une adresse https://…, sans nom d’utilisateur ni mot de passe dedans."),
    ),
    ("the first day lies behind the last", _("Le premier jour proposé est après le dernier.")),
    (r"greater than or equal to (?P<least>\d+)", _("Au moins %(least)s.")),
    (r"less than or equal to (?P<most>\d+)", _("Au plus %(most)s.")),
    (r"at most (?P<most>\d+) items?", _("Au plus %(most)s.")),
    ("valid integer", _("Un nombre entier est attendu.")),
    ("Input should be '|days are called|Extra inputs", _("Choisissez une des possibilités proposées.")),
    ("valid string|a text is meant|valid dictionary", _("Un texte est attendu.")),
    ("no number is left at which we answer", _("Il faut au moins un numéro auquel nous répondons.")),
    (
        "we answer there, and would say to dial it again",
        _("Nous répondons à ce numéro : les appelants tourneraient en rond."),
    ),
    (
        "it is a line of the practice, and no rescue service's",
        _("C’est une ligne du cabinet : donnez celle du SAMU."),
    ),
    (
        "its rescue number .* is served by us or listed",
        _("Le numéro de secours est un de ceux auxquels nous répondons, ou une ligne qui peut nous être renvoyée."),
    ),
    (
        "its emergency line .* is a number that we answer",
        _("Nous répondons à ce numéro : donnez une ligne directe du SAMU, ou laissez vide."),
    ),
    ("it is the emergency line of another practice", _("C’est la ligne du SAMU d’un autre cabinet.")),
    ("we serve it for another practice", _("Nous répondons à ce numéro pour un autre cabinet.")),
    ("it is among the other lines of another practice", _("C’est une ligne d’un autre cabinet.")),
    ("it is the rescue number of another practice", _("C’est le numéro de secours d’un autre cabinet.")),
    (
        "the line of a practitioner is a number that we answer",
        _("La ligne d’un praticien est un numéro auquel nous répondons."),
    ),
    ("is no practitioner of the practice", _("Ce n’est pas un praticien du cabinet.")),
    ("it would begin in the past", _("Le début est déjà passé : choisissez « dès maintenant ».")),
    ("it would have ended before it begins", _("La fin est avant le début.")),
    ("the number plan changes at once", _("Les numéros changent tout de suite et pour de bon.")),
    ("it must say until when", _("Indiquez jusqu’à quand il est dit.")),
    (r"it would be said for more than (?P<days>\d+) days", _("Il serait dit plus de %(days)s jours : raccourcissez.")),
    ("no practice is without it", _("Aucun cabinet ne peut s’en passer : enregistrez d’abord autre chose.")),
    ("the number plan is not taken back", _("Les numéros ne se retirent pas : enregistrez-en d’autres.")),
    ("the note is longer than (?P<most>\\d+)", _("La note dépasse %(most)s caractères.")),
    ("it cannot be compared|no rule for the character", _("Ce nom contient un caractère inconnu.")),
    ("nothing to withdraw", _("Cette version a déjà été retirée.")),
    ("somebody of that name is on file", _("Un praticien de ce nom est déjà enregistré.")),
    ("cannot lose the mark", _("Confirmez que la mention « sensible » doit disparaître.")),
)
_KNOWN = tuple((re.compile(pattern), told) for pattern, told in _WORDS)

#: What is said where nothing else is: with the command's own words, which is better than none.
UNKNOWN = _("Cette saisie n’est pas acceptée : %(what)s")

#: What looks as if it were about somebody.
WARNED: Mapping[str, Told] = {
    "a name": _("Cela ressemble au nom d’une personne."),
    "a date of birth": _("Cela ressemble à une date de naissance."),
    "a telephone number": _("Cela ressemble à un numéro de téléphone."),
}


def in_french(what: str) -> Told:
    """What the command says, in French."""
    for pattern, told in _KNOWN:
        if match := pattern.search(what):
            return Told(told.text, match.groupdict())
    return Told(UNKNOWN.text, {"what": what})


def mistakes(setting: Setting, faults: Sequence[Fault]) -> list[Mistake]:
    """What is wrong with a form, where it stands."""
    return [Mistake(_field(setting, fault), in_french(fault.what)) for fault in faults]


def warned(warnings: Sequence[str]) -> list[Told]:
    """What somebody should look at again."""
    return [told for what, told in WARNED.items() if any(what in warning for warning in warnings)]


#: Where the parts of a value stand in its form.
_FIELDS: Mapping[Setting, Mapping[str, str]] = {
    Setting.WAITING: {"longest_minutes": "minutes", "most": "personnes"},
    Setting.ESCALATION: {"after_minutes": "minutes"},
    Setting.REMINDERS: {"mode": "mode", "hours_before": "heures"},
    Setting.BOOKING: {"offers": "offres", "open_per_caller": "ouverts"},
    Setting.AGENDA: {"external": "adresse"},
}
_RULES = {"dates": "du", "hours": "de", "answers": "repond"}


def _field(setting: Setting, fault: Fault) -> str | None:
    """The field that a fault is about; the first of the form where it is about all of it."""
    if re.search("in the past|ended before it begins", fault.what):
        return ENDS_DAY if "ended" in fault.what else BEGINS_DAY
    if re.search("must say until|said for more than", fault.what):
        return ENDS_DAY
    inner = fault.path[1:]
    match setting:
        case Setting.HOURS if found := re.search(r"the hours of (\w+) are not", fault.what):
            return f"{found[1]}-0-de"
        case Setting.HOURS:
            day = inner[0] if inner else "lundi"
            return f"{day}-{inner[1] if len(inner) > 1 and inner[1].isdigit() else 0}-de"
        case Setting.RECEPTION:
            if found := re.search(r"rule (\d+) of reception", fault.what):
                return f"{int(found[1]) - 1}-de"
            return f"{inner[0]}-{_RULES.get(inner[1] if len(inner) > 1 else '', 'repond')}" if inner else None
        case Setting.NUMBERS:
            return "0-numero"
        case Setting.BOOKING | Setting.WAITING | Setting.ESCALATION | Setting.REMINDERS | Setting.AGENDA:
            names = _FIELDS[setting]
            return next((names[part] for part in inner if part in names), None)
        case _:
            return VALUE
