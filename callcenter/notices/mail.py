"""E-mail over SMTP, by aiosmtplib: one connection a mail, which are few."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from enum import Enum
from ssl import SSLError
from typing import Literal
from uuid import UUID

import aiosmtplib
import structlog

from callcenter.calls.delivery import MessageNotTaken, Undeliverable
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Unavailable

_log = structlog.get_logger(__name__)


class MailNotTaken(MessageNotTaken):
    """The mail server has not taken the mail."""


class MailServerDown(Unavailable):
    """The mail server does not answer as it should."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """How mails leave.

    Arguments:
        security: ``starttls``, ``tls`` from the first byte, or ``none``.
        sender: whom mails come from.
        username, password: both, or neither.
        seconds: how long one mail may take.
    """

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    seconds: float = 20.0


class _Stage(Enum):
    """How far one mail has come."""

    GREETING = "greeting"
    ADDRESSING = "addressing"
    HANDING_OVER = "handing over"
    TAKEN = "taken"


class Mailer:
    """Sends mails. Implements :class:`callcenter.notices.ports.Mails`."""

    def __init__(self, server: MailServer, clock: Clock) -> None:
        self._server = server
        self._clock = clock

    async def send_mail(self, to: str, subject: str, body: str, *, reference: UUID) -> Undeliverable | None:
        """See the port. Nothing of an SMTP error is chained or logged but its code: its text may name the address."""
        stage, code, failed = _Stage.GREETING, 0, ""
        try:
            async with self._connected() as client:
                stage = _Stage.ADDRESSING
                await client.mail(self._server.sender)
                await client.rcpt(to)
                letter = self._letter(to, subject, body, reference).as_bytes()
                stage = _Stage.HANDING_OVER
                await client.data(letter)
                stage = _Stage.TAKEN
        except aiosmtplib.SMTPResponseException as error:
            code = error.code
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            failed = type(error).__name__
        if stage is _Stage.TAKEN:  # whatever went wrong with the goodbye
            return None
        _log.warning("mail_not_sent", reference=str(reference), stage=stage.value, code=code, error=failed)
        if 500 <= code < 600 and stage is not _Stage.GREETING:  # for good (RFC 5321 §4.2.1)
            return Undeliverable(code)
        if stage is _Stage.HANDING_OVER and not code:
            raise MailServerDown("whether the mail server took the mail is not known")
        raise MailNotTaken("the mail server has not taken the mail")

    async def check(self) -> str:
        """What the mail server says of itself, once it lets us in.

        Raises:
            MailServerDown: it does not; with the mend.
        """
        server = self._server
        where, why = f"{server.host}:{server.port}", ""
        try:
            async with self._connected() as client:
                await client.noop()
            return f"{where} takes mails ({server.security})"
        except aiosmtplib.SMTPAuthenticationError:
            why = "does not let us in: correct mail.username and mail.password"
        except aiosmtplib.SMTPResponseException as error:
            why = f"refuses us (code {error.code}): ask whoever runs it"
        except SSLError:
            why = "has no certificate that we can trust: correct mail.host, or ask whoever runs it"
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            why = f"does not answer as expected ({type(error).__name__}): correct mail.host, mail.port, mail.security"
        raise MailServerDown(f"the mail server {where} {why}")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.seconds,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",  # and nothing is sent where it is refused
            username=server.username,
            password=server.password,
        )
        async with client:
            yield client

    def _letter(self, to: str, subject: str, body: str, reference: UUID) -> EmailMessage:
        sender = self._server.sender
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = sender, to, subject
        letter["Date"] = format_datetime(self._clock.now())
        letter["Message-ID"] = f"<{reference}@{sender.rpartition('@')[2]}>"
        letter["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: nothing answers it by itself
        letter.set_content(body)
        return letter
