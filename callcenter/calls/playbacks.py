"""Whether what was told was heard: a second record for each disclosure.

Words about a patient stand in a document of their own that goes on by itself (``calls.documents``). So a request for
what follows shows that they were heard whole; a call that ends before it shows that they were cut, or never fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

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
    fetched: set[UUID] = set()
    if audio:
        fetched = set((await tx.connection.execute(rows.FETCHED, {"ids": audio})).scalars())
    for playback in playbacks:
        heard = _heard(playback, fetched, reached=reached)
        content = {"of": str(playback.record), "playback": heard.value}
        await writing.add(Entry(EventKind.PLAYBACK, IVR_ACTOR, None, content))


def _heard(playback: Playback, fetched: set[UUID], *, reached: bool) -> Heard:
    if playback.audio is None:  # the carrier's voice: it does not tell how far it came
        return Heard.FULL if reached else Heard.UNKNOWN
    if playback.audio not in fetched:
        return Heard.NOT_DELIVERED
    return Heard.FULL if reached else Heard.INTERRUPTED
