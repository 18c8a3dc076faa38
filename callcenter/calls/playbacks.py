"""Whether what was told was heard: a second record for each disclosure.

Words about a patient stand in a document of their own that goes on by itself (``calls.documents``). So a request for
what follows shows that they were heard whole, if the whole sound had left; a call that ends before it shows that they
were cut. Where no sound left at all, nothing was heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from callcenter.audit.ledger import Entry, EventKind, Writing
from callcenter.calls import rows
from callcenter.calls.desk import IVR_ACTOR
from callcenter.calls.session import Playback
from callcenter.store.database import Transaction


class Heard(StrEnum):
    """How much of it was heard."""

    FULL = "full"
    INTERRUPTED = "interrupted"
    UNKNOWN = "unknown"
    NOT_DELIVERED = "not_delivered"


async def settle(tx: Transaction, writing: Writing, playbacks: Sequence[Playback], *, reached: bool) -> None:
    """Record how each of ``playbacks`` ended.

    Arguments:
        reached: what follows the words was asked for; otherwise the call has ended.
    """
    if not playbacks:
        return
    audio = [playback.audio for playback in playbacks if playback.audio is not None]
    fetched: dict[UUID, Row[Any]] = {}
    if audio:
        fetched = {row.id: row for row in await tx.connection.execute(rows.FETCHED, {"ids": audio})}
    for playback in playbacks:
        heard = _spoken(reached=reached)
        if playback.audio is not None:
            heard = _played(fetched.get(playback.audio), reached=reached)
        content = {"of": str(playback.record), "playback": heard.value}
        await writing.add(Entry(EventKind.PLAYBACK, IVR_ACTOR, None, content))


def _spoken(*, reached: bool) -> Heard:
    """How much of the carrier's voice was heard: it does not tell how far it came."""
    return Heard.FULL if reached else Heard.UNKNOWN


def _played(audio: Row[Any] | None, *, reached: bool) -> Heard:
    """How much of our own sound was heard; ``None``: its row is forgotten, the end was told too late."""
    if audio is None:
        return Heard.UNKNOWN
    if not audio.fetches:
        return Heard.NOT_DELIVERED
    if not reached:
        return Heard.INTERRUPTED
    return Heard.FULL if audio.completed else Heard.UNKNOWN
