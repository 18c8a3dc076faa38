"""The words of notices and of calls about them.

A notice holds nothing of a message or a booking: no caller, no number, no reason, no patient, no day; it says how many
wait, and where they are read. One about an incident says that there is one.
"""

from __future__ import annotations

from dataclasses import dataclass

from callcenter.notices.waiting import Waiting

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


def urgent_notice(practice: str, slug: str, page: str | None = None) -> Notice:
    """That one urgent message waits.

    Arguments:
        practice: its public name.
        slug: by which the inbox is read.
        page: the address at which messages are read, the same for everybody; ``None``: there is only the command.
    """
    return _notice(practice, "1 message urgent à lire", f"Lire : {page or _inbox(slug)}")


def digest(practice: str, slug: str, waiting: Waiting, page: str | None = None) -> Notice:
    """How many messages wait, how many of them are urgent, and how many bookings wait."""
    counts, where = [], []
    if waiting.messages:
        urgent = f", dont {_counted(waiting.urgent, 'urgent')}" if waiting.urgent else ""
        counts.append(f"{_counted(waiting.messages, 'message')} à lire{urgent}")
        where.append(page or _inbox(slug))
    if waiting.bookings:
        counts.append(f"{_counted(waiting.bookings, 'demande')} de rendez-vous à traiter")
        where.append(f"callcenter practice bookings {slug}")
    return _notice(practice, " ; ".join(counts), f"Lire : {' ; '.join(where)}")


def incident(practice: str, page: str | None = None) -> Notice:
    """That an incident concerns the practice; nothing of what has happened.

    Arguments:
        page: the address at which practices read of it, the same for all; ``None``: none opens from elsewhere.
    """
    subject = f"{practice} : un incident vous concerne"
    where = f" : {page}" if page else ", page « Avis d’incident »."
    return Notice(subject, f"{subject}. Connectez-vous à la console{where}")


def _inbox(slug: str) -> str:
    return f"callcenter inbox --practice {slug}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}"


def _notice(practice: str, what: str, where: str) -> Notice:
    subject = f"{practice} : {what}"
    return Notice(subject, f"{subject}. {where}")
