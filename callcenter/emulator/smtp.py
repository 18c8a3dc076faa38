"""The mail server of the emulator, which fills the mailbox. It needs ``aiosmtpd``, of the ``demo`` dependencies."""

from __future__ import annotations

import asyncio
from types import ModuleType
from typing import Protocol
from weakref import WeakSet

from callcenter.emulator.errors import EmulatorError
from callcenter.emulator.mailbox import Mailbox

HOSTNAME = "courrier.invalid"
LARGEST = 10 * 1024 * 1024  # bytes of a mail


class _Envelope(Protocol):
    """What the library knows of a mail."""

    mail_from: str | None
    rcpt_tos: list[str]
    content: bytes | str | None


class _Connection(Protocol):
    """The library's side of one connection."""

    transport: asyncio.Transport | None


class MailServer:
    """Listens for SMTP.

    Arguments:
        mailbox: keeps what arrives.
        host, port: where; port 0 is any free one.
    """

    def __init__(self, mailbox: Mailbox, host: str, port: int) -> None:
        self._mailbox = mailbox
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: WeakSet[_Connection] = WeakSet()

    async def listen(self) -> int:
        """Start; the port.

        Raises:
            EmulatorError: the library is not installed.
            OSError: the address is taken.
        """
        smtp, handler, loop = _library(), _Handler(self._mailbox), asyncio.get_running_loop()

        def connected() -> asyncio.Protocol:
            connection = smtp.SMTP(
                handler, hostname=HOSTNAME, ident="ESMTP", data_size_limit=LARGEST, enable_SMTPUTF8=True, loop=loop
            )
            self._connections.add(connection)
            protocol: asyncio.Protocol = connection
            return protocol

        self._server = await loop.create_server(connected, self._host, self._port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop, and drop every connection."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0)  # they learn of it in the next turn of the loop


class _Handler:
    """What the library asks at each stage of a mail; the names of its methods are the library's."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_RCPT(
        self, server: object, session: object, envelope: _Envelope, address: str, options: list[str]
    ) -> str:
        """One recipient is named."""
        refused = self._mailbox.refused("recipient", [address])
        if refused is not None:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: object, session: object, envelope: _Envelope) -> str:
        """The mail itself has come."""
        refused = self._mailbox.refused("message", envelope.rcpt_tos)
        if refused is not None:
            return refused
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        self._mailbox.take(envelope.mail_from or "", list(envelope.rcpt_tos), content)
        return "250 OK"


def _library() -> ModuleType:
    try:
        from aiosmtpd import smtp
    except ImportError as error:
        raise EmulatorError("the mailbox needs aiosmtpd: pip install 'callcenter[demo]', or run without it") from error
    return smtp
