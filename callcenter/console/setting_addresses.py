"""The settings of a practice in addresses."""

from __future__ import annotations

from collections.abc import Mapping

from callcenter.console.troubles import Trouble, Turned
from callcenter.practice.practice_form import Setting

_PATHS: Mapping[Setting, str] = {
    Setting.NAME: "nom",
    Setting.SPOKEN_NAME: "nom-annonce",
    Setting.ADDRESS: "adresse",
    Setting.ACCESS: "acces",
    Setting.TIMEZONE: "fuseau",
    Setting.HOLIDAY_SUBDIVISION: "jours-feries",
    Setting.NUMBERS: "numeros",
    Setting.RESCUE_NUMBER: "numero-de-secours",
    Setting.OTHER_LINES: "autres-lignes",
    Setting.HOURS: "horaires",
    Setting.RECEPTION: "qui-repond-quand",
    Setting.ANSWER_MODE: "facon-de-repondre",
    Setting.MESSAGE_OF_THE_DAY: "message-du-jour",
    Setting.INSTRUCTIONS: "consignes",
    Setting.CLOSING_CONDUCT: "fermeture",
    Setting.OUT_OF_HOURS_NUMBER: "permanence-des-soins",
    Setting.EMERGENCY_LINE: "ligne-du-samu",
    Setting.VOICE: "voix",
    Setting.AGENDA: "agenda",
    Setting.VOICE_MESSAGES: "messages-vocaux",
    Setting.REMINDERS: "rappels",
    Setting.ESCALATION: "relance",
    Setting.BOOKING: "rendez-vous",
    Setting.WAITING: "file-d-attente",
    Setting.BREAK_GLASS: "bris-de-glace",
}
_SETTINGS = {path: setting for setting, path in _PATHS.items()}


def setting_path(setting: Setting) -> str:
    """What stands for a setting in an address."""
    return _PATHS[setting]


def setting_at(path: str) -> Setting:
    """The setting that an address names.

    Raises:
        Turned: it names none.
    """
    if path not in _SETTINGS:
        raise Turned(Trouble.NOT_FOUND)
    return _SETTINGS[path]
