"""The words of notices and of calls about them.

A notice holds nothing of a message: no caller, no number, no reason, no patient; it says how many wait, and where they
are read.
"""

from __future__ import annotations

from dataclasses import dataclass

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
