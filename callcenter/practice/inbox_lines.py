"""The inbox in words, for staff: one line a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from callcenter.practice.facts import PracticeFacts
from callcenter.practice.values import WaitingMessage

NOBODY_WAITS = "personne n'attend d'être rappelé"

_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "appointment": "rendez-vous",
        "prescription": "ordonnance",
        "administrative": "question administrative",
        "other": "autre demande",
        "unspecified": "motif non précisé",
    }
)


def waiting(facts: PracticeFacts, messages: Sequence[WaitingMessage], more: int) -> list[str]:
    """The requests that wait in one practice.

    Arguments:
        messages: those that are shown, in their order.
        more: how many wait beside them.
    """
    lines = [_line(facts, message) for message in messages]
    return [*lines, f"{facts.name} : et {more} de plus"] if more > 0 else lines


def _line(facts: PracticeFacts, message: WaitingMessage) -> str:
    local = message.created_at.astimezone(facts.timezone)
    reason = _REASONS.get(message.reason, message.reason)
    return f"{local:%d/%m %H:%M}  {facts.name:<28} {message.number:<14} {reason:<24} {message.id}"


def handled(facts: PracticeFacts, by: str) -> str:
    """A request has been answered by ``by``."""
    return f"{facts.name} : rappel traité par {by}"
