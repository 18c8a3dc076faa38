"""What a sound file says and how long it lasts."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from callcenter.emulator.twiml import DocumentFailed
from callcenter.emulator.webhooks import Delivery, Unanswered, Webhooks

COMPRESSED = 8_000  # bytes a second: exact for µ-law, near enough for the usual MP3
CAPTION_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Sound:
    """A fetched sound: its length in seconds, and its words or a stand-in for them."""

    url: str
    seconds: float
    text: str


class Sounds:
    """Fetches sounds from the application, and captions from where they are published.

    Arguments:
        webhooks: how the application is asked.
        session: how captions are asked for; they are no part of what a carrier does and not on the tape.
        captions_url: see :class:`~callcenter.emulator.settings.EmulatorSettings`.
    """

    def __init__(self, webhooks: Webhooks, session: aiohttp.ClientSession, captions_url: str | None) -> None:
        self._webhooks = webhooks
        self._session = session
        self._captions_url = captions_url

    async def fetch(self, url: str, call_sid: str, cookies: aiohttp.CookieJar) -> Sound:
        """Get one sound.

        Raises:
            DocumentFailed: 11200 or what the connection failed with; 13420 if it is not audio.
        """
        delivery = Delivery("audio", url, method="GET", call_sid=call_sid, signed=False)
        reply = await self._webhooks.send(delivery, cookies)
        if isinstance(reply, Unanswered):
            raise DocumentFailed(reply.code, reply.url, f"The sound could not be fetched: {reply.why}")
        if not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
            raise DocumentFailed(11200, reply.url, f"The sound could not be fetched: HTTP {reply.status}")
        if not reply.content_type.startswith("audio/"):
            raise DocumentFailed(13420, reply.url, f"Not audio but {reply.content_type or 'without a content type'}")
        return await self.describe(url, reply.body)

    async def describe(self, url: str, body: bytes) -> Sound:
        """A sound that was received already: its length, and its caption or a stand-in."""
        seconds = length(body)
        return Sound(url, seconds, await self._caption(url) or f"[audio {seconds:.1f} s]")

    async def _caption(self, url: str) -> str | None:
        if self._captions_url is None:
            return None
        name = urlsplit(url).path.rpartition("/")[2]
        where = URL(f"{self._captions_url.rstrip('/')}/{name}", encoded=True)
        try:
            async with self._session.get(where, timeout=aiohttp.ClientTimeout(total=CAPTION_TIMEOUT)) as response:
                return (await response.text()).strip() if response.status == HTTPStatus.OK else None
        except (aiohttp.ClientError, TimeoutError):
            return None


def length(body: bytes) -> float:
    """Seconds that a sound lasts: read from a WAV's header, estimated for anything else.

    Source: RIFF WAVE; a header written before the length was known says 0 or 0xFFFFFFFF, then the bytes count.
    """
    if body[:4] != b"RIFF" or body[8:12] != b"WAVE":
        return len(body) / COMPRESSED
    rate, at = COMPRESSED, 12
    while at + 8 <= len(body):
        name, size = body[at : at + 4], int.from_bytes(body[at + 4 : at + 8], "little")
        if name == b"fmt ":
            rate = int.from_bytes(body[at + 16 : at + 20], "little") or COMPRESSED
        if name == b"data":
            there = len(body) - at - 8
            return (min(size, there) or there) / rate
        at += 8 + size + size % 2
    return 0.0
