"""What notices and reminders leave by, and whom they cry to: ports, with doubles in the tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from callcenter.calls.delivery import Messenger, Undeliverable


class Mails(Protocol):
    """What carries e-mail."""

    async def send_mail(self, to: str, subject: str, body: str, *, reference: UUID) -> Undeliverable | None:
        """Send one mail.

        Raises:
            MessageNotTaken: it was not taken.
            Unavailable: any other, that it is not known whether it was.
        """


class Telephone(Protocol):
    """What rings people."""

    async def ring(self, to: str, shown: str, practice: UUID, *, reference: UUID) -> Undeliverable | None:
        """Ring somebody about the notice ``reference``; what they hear, the carrier asks us for.

        Arguments:
            shown: E.164 number of ours that they see.

        Raises:
            MessageNotTaken, Unavailable: as for a mail.
        """


class Alarms(Protocol):
    """Somebody of the house must look. Opaque identifiers only."""

    def notice_failed(self, practice: UUID, notice: UUID, why: str) -> None:
        """A notice did not reach anybody, or nobody knows whether it did."""

    def reminder_failed(self, practice: UUID, reminder: UUID, why: str) -> None:
        """A reminder did not leave, or nobody knows whether it did."""

    def message_unread(self, practice: UUID, message: UUID) -> None:
        """An urgent message waits, and neither the practitioner nor the deputy has confirmed it."""


@dataclass(frozen=True, slots=True)
class Ways:
    """By what a notice leaves.

    Arguments:
        mails: ``None`` where no mail server is set.
    """

    texts: Messenger[Undeliverable | None]
    mails: Mails | None
    telephone: Telephone
