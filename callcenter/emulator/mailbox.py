"""Everybody's mailbox: what was sent by SMTP is kept for whoever asks, or refused on request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Literal

from callcenter.emulator.timeline import Changes

Stage = Literal["recipient", "message"]

STAGES: tuple[Stage, ...] = ("recipient", "message")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it arrived; ``number`` counts them from 1.

    Arguments:
        sender, to: of the envelope.
        text: its plain text, or what else can be read of it.
        raw: as it came over the wire.
    """

    number: int
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    raw: bytes
    at: datetime


@dataclass(slots=True)
class Refusing:
    """How mails are refused: the SMTP code, what it says, at which stage, to whom.

    Arguments:
        to: only mails to this address; None for all.
        left: how many more; None is for ever.
    """

    code: int
    message: str
    stage: Stage
    to: str | None
    left: int | None

    @property
    def line(self) -> str:
        """As the server says it."""
        return f"{self.code} {self.message}"


class Mailbox:
    """Keeps what arrives.

    Arguments:
        now: dates it.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.changes = Changes()
        self.all: list[Mail] = []
        self.refusing: Refusing | None = None
        self._now = now

    def arrived(self, to: str | None, after: int = 0) -> list[Mail]:
        """Mails to an address, or all of them, oldest first; ``after`` is the number of one seen already."""
        return [mail for mail in self.all[after:] if to is None or to.lower() in map(str.lower, mail.to)]

    def refused(self, stage: Stage, to: list[str]) -> str | None:
        """The line that a mail is refused with, if it is; it counts as one."""
        refusing = self.refusing
        if refusing is None or refusing.stage != stage:
            return None
        if refusing.to is not None and refusing.to.lower() not in map(str.lower, to):
            return None
        if refusing.left is not None:
            refusing.left -= 1
            if not refusing.left:
                self.refusing = None
        return refusing.line

    def take(self, sender: str, to: list[str], raw: bytes) -> Mail:
        """Keep a mail."""
        message = BytesParser(policy=policy.default).parsebytes(raw)
        subject = str(message.get("Subject", ""))
        mail = Mail(len(self.all) + 1, sender, tuple(to), subject, _text(message), raw, self._now())
        self.all.append(mail)
        self.changes.notify()
        return mail


def _text(message: EmailMessage) -> str:
    """What can be read of a mail; a mail that is badly made is no reason to lose it."""
    part = message.get_body(("plain", "html")) or message
    try:
        content = part.get_content()
    except (KeyError, LookupError, ValueError):
        content = part.get_payload(decode=True)
    text = content.decode(errors="replace") if isinstance(content, bytes) else str(content)
    return text.replace("\r\n", "\n").strip()
