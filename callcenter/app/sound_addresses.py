"""The sound of a preview: made when it is fetched, from an address that holds its words sealed.

So nothing is kept, and any process of ours can answer. The address opens for minutes, for the session that asked,
and at its practice alone; whoever holds it cannot read it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from callcenter.app.hearing import spoken
from callcenter.kernel.errors import IntegrityError, Unavailable
from callcenter.speech.voices import Voice
from callcenter.store.sealed import Place, Sealer

#: How long the address of a sound opens.
LIFE = timedelta(minutes=5)
#: Characters of an address: below what a server takes as the first line of a request.
LONGEST_ADDRESS = 6000
#: At once in this process: the voice is that of callers too.
_AT_ONCE, _PATIENCE = 1, 5.0


class VoiceBusy(Unavailable):
    """The voice reads something else to somebody; try again in a few seconds."""


@dataclass(frozen=True, slots=True)
class SoundAddresses:
    """Makes addresses, and the sounds behind them."""

    sealer: Sealer
    voice: Voice
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def address(self, practice: UUID, token: str, lines: Sequence[tuple[str, str]], now: datetime) -> str:
        """The last part of the address of a sound; empty for words that are too many for one.

        Arguments:
            token: of the session for which it opens.
            lines: (text, language), in order.
        """
        words = json.dumps([now.timestamp(), lines], ensure_ascii=False).encode()
        sealed = self.sealer.seal(zlib.compress(words, 9), _place(practice, token))
        address = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
        return address if len(address) <= LONGEST_ADDRESS else ""

    async def sound(self, practice: UUID, token: str, address: str, now: datetime) -> bytes | None:
        """The sound behind an address, ``None`` where it is none of this session's and practice's, or too old.

        Raises:
            VoiceBusy, VoiceUnavailable: there is no sound now.
        """
        try:
            sealed = base64.urlsafe_b64decode(address + "=" * (-len(address) % 4))
            opened = zlib.decompress(self.sealer.open(sealed, _place(practice, token)))
        except (IntegrityError, ValueError, binascii.Error, zlib.error):
            return None
        made, lines = json.loads(opened)
        if not timedelta(0) <= now - datetime.fromtimestamp(made, UTC) <= LIFE:
            return None
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._turn.acquire()
        except TimeoutError:
            raise VoiceBusy from None
        try:
            return await spoken(self.voice, [(text, language) for text, language in lines])
        finally:
            self._turn.release()


def _place(practice: UUID, token: str) -> Place:
    return Place(practice, "console", "preview", sha256(token.encode()).hexdigest())
