"""The settings of a practice in words: what each is called, what a value says, and what has changed between two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from typing import Any

from callcenter.console.told import Told, _
from callcenter.practice.practice_form import Setting
from callcenter.speech.moments import WEEKDAYS

#: What a setting is called, and what it is for.
NAMES: Mapping[Setting, Told] = {
    Setting.NAME: _("Nom"),
    Setting.SPOKEN_NAME: _("Nom annoncé aux appelants"),
    Setting.ADDRESS: _("Adresse"),
    Setting.ACCESS: _("Accès"),
    Setting.TIMEZONE: _("Fuseau horaire"),
    Setting.HOLIDAY_SUBDIVISION: _("Jours fériés particuliers"),
    Setting.NUMBERS: _("Numéros auxquels nous répondons"),
    Setting.RESCUE_NUMBER: _("Numéro de secours"),
    Setting.OTHER_LINES: _("Autres lignes du cabinet"),
    Setting.HOURS: _("Horaires d’ouverture"),
    Setting.RECEPTION: _("Qui répond quand"),
    Setting.ANSWER_MODE: _("Façon de répondre"),
    Setting.MESSAGE_OF_THE_DAY: _("Message du jour"),
    Setting.INSTRUCTIONS: _("Consignes aux télésecrétaires"),
    Setting.CLOSING_CONDUCT: _("Conduite à tenir en cas de fermeture"),
    Setting.OUT_OF_HOURS_NUMBER: _("Numéro de la permanence des soins"),
    Setting.EMERGENCY_LINE: _("Ligne directe du SAMU"),
    Setting.VOICE: _("Voix"),
    Setting.AGENDA: _("Agenda"),
    Setting.VOICE_MESSAGES: _("Messages vocaux"),
    Setting.REMINDERS: _("Rappels de rendez-vous"),
    Setting.ESCALATION: _("Relance des messages urgents"),
    Setting.BOOKING: _("Rendez-vous pris par téléphone"),
    Setting.WAITING: _("File d’attente"),
    Setting.BREAK_GLASS: _("Bris de glace"),
}

#: Of each choice of a setting that is one.
CHOICES: Mapping[Setting, Mapping[str, Told]] = {
    Setting.ANSWER_MODE: {
        "menu": _("Menu : l’appelant choisit par une touche"),
        "direct": _("Direct : une courte annonce, puis une personne"),
        "overflow": _("Débordement : comme direct, pour qui a déjà attendu au cabinet"),
    },
    Setting.VOICE: {
        "local": _("Locale : ce qui concerne un patient est dit par nous, et ne quitte pas la maison comme texte"),
        "carrier": _("De l’opérateur téléphonique : il reçoit le texte de ce qui est dit sur un patient"),
    },
    Setting.VOICE_MESSAGES: {
        "on": _("Les appelants peuvent laisser un message vocal"),
        "off": _("Pas de message vocal : une demande de rappel à la place"),
    },
    Setting.BREAK_GLASS: {
        "off": _("Jamais : sans vérification, rien n’est montré d’un dossier, même en urgence"),
        "on": _("En urgence vitale, un superviseur peut ouvrir une rubrique d’un dossier, et le cabinet le relit"),
    },
}
#: Who answers; a new rule begins with the first.
ANSWERS: Mapping[str, Told] = {
    "service": _("le télésecrétariat"),
    "practice": _("le cabinet lui-même"),
    "menu": _("le menu"),
    "closed": _("l’annonce de fermeture"),
}
ENTRIES: Mapping[str, Told] = {
    "main": _("accueil"),
    "overflow": _("débordement"),
    "professionals": _("professionnels de santé"),
    "closed": _("fermeture, toujours"),
}
DAYS: Mapping[str, Told] = {
    "lundi": _("lundi"),
    "mardi": _("mardi"),
    "mercredi": _("mercredi"),
    "jeudi": _("jeudi"),
    "vendredi": _("vendredi"),
    "samedi": _("samedi"),
    "dimanche": _("dimanche"),
}
MODES: Mapping[str, Told] = {
    "off": _("Aucun rappel"),
    "opt_out": _("À qui ne s’y est pas opposé"),
    "consent": _("À qui y a consenti"),
}


def national(number: str) -> str:
    """« 04 65 71 00 01 »; a number that is not French as it is."""
    if not (number.startswith("+33") and len(number) == 12):
        return number
    digits = "0" + number[3:]
    return "\u00a0".join(digits[at : at + 2] for at in range(0, 10, 2))


def lines_of(setting: Setting, value: Any) -> list[Told]:
    """What a value says, a line for each thing that it says.

    Arguments:
        value: as a practice's file would have it.
    """
    match setting:
        case Setting.HOURS:
            return [
                _(
                    "%(day)s : %(hours)s",
                    day=DAYS[day],
                    hours=_plain(", ".join(value[day])) if value.get(day) else _("fermé"),
                )
                for day in WEEKDAYS
            ]
        case Setting.RECEPTION:
            return [_rule(rule) for rule in value] or [_("Les horaires seuls décident.")]
        case Setting.NUMBERS:
            return [_number(number, door) for number, door in value.items()]
        case Setting.RESCUE_NUMBER | Setting.OUT_OF_HOURS_NUMBER:
            return [_plain(national(str(value)))]
        case Setting.EMERGENCY_LINE:
            return [_plain(national(str(value)))] if value else [_("Aucune.")]
        case Setting.OTHER_LINES:
            return [_plain(national(number)) for number in value] or [_("Aucune.")]
        case Setting.INSTRUCTIONS:
            return _instructions(value)
        case Setting.AGENDA:
            return [_agenda(value)]
        case Setting.REMINDERS:
            return [_reminders(value)]
        case Setting.BOOKING:
            return _booking(value)
        case Setting.ESCALATION | Setting.WAITING:
            return _bounds(setting, value)
        case Setting.ANSWER_MODE | Setting.VOICE | Setting.VOICE_MESSAGES | Setting.BREAK_GLASS:
            return [CHOICES[setting][str(value)]]
        case Setting.HOLIDAY_SUBDIVISION:
            return [_("Ceux de toute la France.") if value is None else _plain(str(value))]
        case _:
            return [_plain(str(value))] if value else [_("Rien.")]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a change came to: lines that went, and lines that came."""

    gone: tuple[Told, ...]
    came: tuple[Told, ...]


def difference(setting: Setting, before: Any, after: Any, *, first: bool = False) -> Difference:
    """What has changed from one value to another; all of it where there was none before."""
    came = lines_of(setting, after)
    gone = [] if first else lines_of(setting, before)
    old, new = [repr(line) for line in gone], [repr(line) for line in came]
    changes = [code for code in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if code[0] != "equal"]
    return Difference(
        tuple(line for _tag, begins, ends, _b, _e in changes for line in gone[begins:ends]),
        tuple(line for _tag, _b, _e, begins, ends in changes for line in came[begins:ends]),
    )


def _plain(text: str) -> Told:
    """Somebody's own words, which nobody translates."""
    return Told("%(text)s", {"text": text})


def _day(iso: str) -> str:
    return f"{date.fromisoformat(iso):%d/%m/%Y}"


def _rule(rule: Mapping[str, Any]) -> Told:
    conditions: list[Told] = []
    if days := rule.get("days"):
        conditions.append(_joined([DAYS[day] for day in days]))
    if dates := rule.get("dates"):
        first, _dots, last = dates.partition("..")
        span = _("du %(first)s au %(last)s", first=_day(first), last=_day(last or first))
        conditions.append(span if last and last != first else _("le %(day)s", day=_day(first)))
    if rule.get("holidays"):
        conditions.append(_("les jours fériés"))
    if hours := rule.get("hours"):
        begins, _dash, ends = hours.partition("-")
        conditions.append(_("de %(begins)s à %(ends)s", begins=begins, ends=ends))
    when = _joined(conditions) if conditions else _("toujours")
    return _("%(when)s : %(who)s", when=when, who=ANSWERS[rule["answers"]])


def _joined(parts: Sequence[Told]) -> Told:
    """Parts with commas between them."""
    names = [f"part{at}" for at in range(len(parts))]
    return Told(", ".join(f"%({name})s" for name in names), dict(zip(names, parts, strict=True)))


def _number(number: str, door: Any) -> Told:
    whole = {"entry": door} if isinstance(door, str) else door
    if whole.get("practitioner"):
        return _(
            "%(number)s : %(entry)s, pour %(name)s",
            number=national(number),
            entry=ENTRIES[whole["entry"]],
            name=whole["practitioner"],
        )
    return _("%(number)s : %(entry)s", number=national(number), entry=ENTRIES[whole["entry"]])


def _instructions(value: Any) -> list[Told]:
    whole: Mapping[str, Any] = {"practice": value} if isinstance(value, str) else value
    lines = [_plain(line) for line in whole.get("practice", "").splitlines() if line.strip()]
    for name, words in whole.get("practitioners", {}).items():
        lines += [
            _("%(name)s : %(instruction)s", name=name, instruction=line) for line in words.splitlines() if line.strip()
        ]
    return lines or [_("Aucune.")]


def _agenda(value: Any) -> Told:
    if isinstance(value, Mapping):
        return _("Celui du cabinet, à %(address)s", address=value["external"])
    return _("Le nôtre")


def _reminders(value: Any) -> Told:
    whole = value if isinstance(value, Mapping) else {"mode": value}
    if whole["mode"] == "off":
        return MODES["off"]
    return _("%(who)s, %(hours)s heures avant", who=MODES[whole["mode"]], hours=whole.get("hours_before", 24))


def _bounds(setting: Setting, value: Mapping[str, Any]) -> list[Told]:
    if setting is Setting.ESCALATION:
        return [
            _("Le praticien est appelé après %(minutes)s minutes", minutes=value["after_minutes"]),
            _("la nuit aussi") if value["at_night"] else _("jamais la nuit"),
        ]
    return [
        _("Attente la plus longue : %(minutes)s minutes", minutes=value["longest_minutes"]),
        _("Personnes en attente au plus : %(most)s", most=value["most"]),
        _("Rappel à votre tour : proposé") if value["callbacks"] else _("Rappel à votre tour : non proposé"),
    ]


def _booking(value: Mapping[str, Any]) -> list[Told]:
    lines = [
        _(
            "%(key)s. %(name)s : créneaux de %(minutes)s minutes, de %(first)s à %(last)s jours à l’avance, %(new)s",
            key=key,
            name=name,
            minutes=rule["slot_minutes"],
            first=rule["first_day_ahead"],
            last=rule["days_ahead"],
            new=_("nouveaux patients acceptés") if rule["new_patients"] else _("patients déjà vus seulement"),
        )
        for key, (name, rule) in enumerate(value["practitioners"].items(), start=1)
    ]
    if not lines:
        return [_("Personne.")]
    return [
        *lines,
        _(
            "%(offers)s propositions par appel, %(open)s rendez-vous à venir par numéro",
            offers=value["offers"],
            open=value["open_per_caller"],
        ),
    ]
