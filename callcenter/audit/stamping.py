"""A time stamp authority as a holder of heads: what it has signed, with its own time, is the receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import aiohttp
from cryptography import x509

from callcenter.audit.anchors import AnchorKind
from callcenter.audit.depositories import NotDeposited
from callcenter.audit.timestamps import MOST_OF_AN_ANSWER, NotStamped, read_answer, request_of
from callcenter.kernel.errors import ConfigurationError, Problem
from callcenter.kernel.randomness import Random

#: Seconds for one stamp; nobody waits for it but a job.
TIMEOUT = 20.0
#: A day: a token has some kilobytes and stays for good, and authorities count what they are asked.
EVERY = timedelta(days=1)
_NONCE_BYTES = 8


@dataclass(frozen=True, slots=True)
class Authority:
    """A time stamp authority (RFC 3161 §3.4). It is given a digest, and learns nothing else.

    Arguments:
        url: of the authority.
        issuers: certificates of those who vouch for it.
    """

    url: str
    issuers: Sequence[x509.Certificate] = field(repr=False)
    random: Random = field(repr=False)

    @property
    def kind(self) -> AnchorKind:
        return AnchorKind.TIMESTAMP

    @property
    def place(self) -> str:
        return self.url

    @property
    def every(self) -> timedelta:
        return EVERY

    async def deposit(self, origin: str, size: int, note: str) -> bytes:
        """See :class:`callcenter.audit.depositories.Depository`. The receipt is the token, over the note's SHA-256."""
        digest = sha256(note.encode()).digest()
        nonce = int.from_bytes(self.random.token_bytes(_NONCE_BYTES))
        answer = await self._ask(request_of(digest, nonce))
        try:
            # Certificates are read and signatures checked by somebody else than the loop.
            return (await asyncio.to_thread(read_answer, answer, digest, nonce, self.issuers)).token
        except NotStamped as error:
            raise NotDeposited(f"{self.url}: {error}") from error

    async def _ask(self, request: bytes) -> bytes:
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT)) as session,
                session.post(self.url, data=request, headers=headers, allow_redirects=False) as answer,
            ):
                if answer.status != 200:
                    raise NotDeposited(f"{self.url} answers with status {answer.status}")
                body = b""
                async for part in answer.content.iter_any():
                    body += part
                    if len(body) > MOST_OF_AN_ANSWER:
                        raise NotDeposited(f"{self.url} answers more than a stamp")
                return body
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotDeposited(f"{self.url} does not answer ({type(error).__name__})") from error


def load_issuers(path: Path) -> list[x509.Certificate]:
    """The certificates in a PEM file.

    Raises:
        ConfigurationError: it cannot be read, or there is none in it.
    """
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        mend = "put the certificate there, in PEM, of whoever issues the authority's: the authority publishes it"
        problem = Problem(str(path), 0, "these are no certificates of a time stamp authority", mend)
        raise ConfigurationError([problem]) from error
