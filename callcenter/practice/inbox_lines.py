"""The inbox in words, for staff: one line a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from callcenter.practice.facts import PracticeFacts
from callcenter.practice.values import SpokenMessage, Urgency, VoiceState, WaitingMessage

NOBODY_WAITS = "personne n'attend d'être rappelé"
NOBODY_WAITS_SO = "rien n'attend qui réponde à ces critères ; sans eux, `callcenter inbox` montre tout"

_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "appointment": "rendez-vous",
        "prescription": "ordonnance",
        "administrative": "question administrative",
        "other": "autre demande",
        "unspecified": "motif non précisé",
        "not_reached": "rappel demandé, n'a pas pu être rappelé",
        "wants_callback": "rappel demandé, à faire par le cabinet",
        "emergency": "urgence vitale signalée pendant un appel",
        "break_glass": "bris de glace à relire",
    }
)
#: Kinds of message that say by themselves what is asked for.
_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "voice": "message vocal",
        "renewal": "renouvellement d'ordonnance",
        "certificate": "certificat",
    }
)
_NO_NUMBER = "sans numéro"
#: How to speak to whoever is called back; French is not told.
_LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "EN ANGLAIS"})
_RELAYED = "PAR UN SERVICE DE RELAIS"
_STATES: Mapping[VoiceState, str] = MappingProxyType(
    {
        VoiceState.WAITING: "pas encore reçu de l'opérateur",
        VoiceState.KEPT: "à écouter",
        VoiceState.LOST: "irrécupérable : rappelez sans l'avoir entendu",
        VoiceState.ERASED: "effacé, délai passé",
    }
)
_LEFT_AT_CARRIER = "PAS EFFACÉ chez l'opérateur"


def waiting(facts: PracticeFacts, messages: Sequence[WaitingMessage], more: int, now: datetime) -> list[str]:
    """The messages that wait in one practice.

    Arguments:
        messages: those that are shown, in their order.
        more: how many wait beside them.
        now: aware.
    """
    lines = [_line(facts, message, now) for message in messages]
    return [*lines, f"{facts.name} : et {more} de plus"] if more > 0 else lines


def _line(facts: PracticeFacts, message: WaitingMessage, now: datetime) -> str:
    local = message.created_at.astimezone(facts.timezone)
    what = _KINDS.get(message.kind) or _REASONS.get(message.reason, message.reason)
    urgent = "URGENT " if message.urgency is Urgency.URGENT else ""
    whom = f"pour {message.practitioner}" if message.practitioner else "pour le cabinet"
    number = message.number or _NO_NUMBER
    how = [_LANGUAGES.get(message.language, message.language)] if message.language != "fr" else []
    how += [_RELAYED] if message.relayed else []
    parts = [f"{urgent}{what}", whom, *how, f"depuis {age(now - message.created_at)}"]
    told = ", ".join([*parts, *(_voice(message.voice) if message.voice else ())])
    return f"{local:%d/%m %H:%M}  {facts.name:<28} {number:<14} {told}  {message.id}"


def _voice(voice: SpokenMessage) -> tuple[str, ...]:
    says = f"voix {voice.seconds} s : {_STATES[voice.state]}"
    return (says, _LEFT_AT_CARRIER) if voice.alerted else (says,)


def age(lasted: timedelta) -> str:
    """How long a message has waited, in its largest unit."""
    minutes = max(0, int(lasted.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} jours"


def handled(facts: PracticeFacts, by: str) -> str:
    """A message has been answered by ``by``."""
    return f"{facts.name} : demande traitée par {by}"


def opened(facts: PracticeFacts, file: Path) -> str:
    """A spoken message stands in ``file`` now."""
    return f"{facts.name} : message vocal dans {file} ; effacez ce fichier après l'écoute"
