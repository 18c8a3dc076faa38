"""The words of notices, calls and reminders.

A notice holds nothing of a message: no caller, no number, no reason, no patient; it says how many wait, and where they
are read. A reminder is what OU-02 allows: date, hour, the practice's number, how to refuse; no name at all, since a
practice's or a practitioner's may tell the speciality.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from callcenter.practice.numbers import E164

#: Of the reminder's words: an opposition or consent names it. Changes with every change of them.
REMINDER_WORDING = "2026-11-1"

RING = (
    "Bonjour. Ceci est un appel automatique. Un message urgent vous attend dans votre boîte de réception. "
    "Pour confirmer que vous allez le lire, tapez 1."
)
CONFIRMED = "Merci, c'est noté. Au revoir."
NOT_CONFIRMED = "Sans confirmation de votre part, nous préviendrons une autre personne. Au revoir."
NOT_KEPT = "Votre confirmation n'a pas pu être enregistrée. Merci de lire le message sans attendre. Au revoir."


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice in words."""

    subject: str
    body: str


def urgent_notice(practice: str, slug: str) -> Notice:
    """That one urgent message waits.

    Arguments:
        practice: its public name.
        slug: by which the inbox is read.
    """
    return _notice(practice, slug, "1 message urgent à lire")


def digest(practice: str, slug: str, waiting: int, urgent: int) -> Notice:
    """How many messages wait, and how many of them are urgent."""
    count = f"{waiting} message{'s' if waiting > 1 else ''} à lire"
    return _notice(practice, slug, f"{count}, dont {urgent} urgent{'s' if urgent > 1 else ''}" if urgent else count)


def _notice(practice: str, slug: str, what: str) -> Notice:
    subject = f"{practice} : {what}"
    return Notice(subject, f"{subject}. Lire : callcenter inbox --practice {slug}")


def reminder(starts_at: datetime, practice_number: str, sender: str) -> str:
    """The text of a reminder.

    Arguments:
        starts_at: in the practice's zone.
        practice_number: E.164, where a person answers.
        sender: whom the text comes from: a number and a messaging service receive STOP, a name does not.
    """
    number = _national(practice_number)
    words = f"Rappel : RDV le {starts_at:%d/%m} à {starts_at:%H}h{starts_at:%M}. Infos : {number}."
    if sender.startswith("+"):
        return f"{words} STOP au {_national(sender)}"
    if sender.startswith("MG"):
        return f"{words} Plus de rappels : répondez STOP"
    return f"{words} Plus de rappels : appelez ce numéro"


def _national(number: str) -> str:
    """A French number as it is dialled in France."""
    return f"0{number.removeprefix('+33')}" if number.startswith("+33") else str(E164(number))
