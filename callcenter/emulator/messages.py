"""Text messages: accepted, sent, delivered to an inbox; and failures on request."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from callcenter.emulator.identifiers import new_sid
from callcenter.emulator.reports import Reports
from callcenter.emulator.timeline import Changes

LONGEST = 1600  # characters: error 21617
E164 = re.compile(r"\+[1-9]\d{6,14}")
FRENCH = re.compile(r"\+33[1-9]\d{8}")
FRENCH_MOBILE = re.compile(r"\+33[67]\d{8}")

# GSM 03.38; one character outside it turns a whole message to UCS-2 and more than halves what a segment holds.
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("^{}\\[~]|€")  # two places each

MessageStatus = Literal["queued", "sent", "delivered", "undelivered", "received"]
MessageDirection = Literal["outbound-api", "outbound-reply", "inbound"]
OptOut = Literal["STOP", "START"]

# What a carrier that minds them takes for one, as the whole message: https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
OPT_OUTS: dict[OptOut, frozenset[str]] = {
    "STOP": frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}),
    "START": frozenset({"START", "YES", "UNSTOP"}),
}


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that is not accepted: the carrier's code, what it says, and the HTTP status."""

    code: int
    message: str
    status: int = 400


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message that is accepted and then not delivered, and why."""

    code: int


Failure = Refused | Undelivered


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as it is asked for; empty strings for what was not given."""

    to: str
    sender: str
    service: str
    body: str
    status_callback: str = ""


@dataclass(slots=True)
class Message:
    """An accepted message; ``number`` counts them from 1."""

    sid: str
    number: int
    draft: Draft
    created: datetime
    updated: datetime
    direction: MessageDirection = "outbound-api"
    status: MessageStatus = "queued"
    sent: datetime | None = None
    error_code: int | None = None
    arrived: bool = False


class Messages:
    """The account's messages and everybody's inbox.

    Arguments:
        account_sid: goes into callbacks.
        reports: sends callbacks.
        now: dates messages.
        senders: from whom they may come; empty: from anybody.
        minds_stop: whether the carrier minds STOP and START itself, as some do for some senders.
    """

    def __init__(
        self,
        account_sid: str,
        reports: Reports,
        now: Callable[[], datetime],
        senders: frozenset[str] = frozenset(),
        *,
        minds_stop: bool = False,
    ) -> None:
        self.minds_stop = minds_stop
        self.opted_out: set[tuple[str, str]] = set()
        self.changes = Changes()
        self.all: list[Message] = []
        self._account_sid = account_sid
        self._reports = reports
        self._now = now
        self._senders = senders
        self._failures: deque[Failure] = deque()

    def fail_next(self, failure: Failure, count: int) -> None:
        """Let the next messages fail."""
        self._failures.extend([failure] * count)

    def fail_no_more(self) -> None:
        """Forget the failures that no message has met yet."""
        self._failures.clear()

    def receive(self, draft: Draft) -> tuple[Message, OptOut | None]:
        """Take a message that a telephone sends; with what it means to a carrier that minds STOP."""
        moment = self._now()
        message = Message(new_sid("SM"), len(self.all) + 1, draft, moment, moment, "inbound", "received", moment)
        self.all.append(message)
        self.changes.notify()
        word = draft.body.strip().upper()
        opt_out = next((kind for kind, words in OPT_OUTS.items() if self.minds_stop and word in words), None)
        if opt_out == "STOP":
            self.opted_out.add((draft.sender, draft.to))
        elif opt_out == "START":
            self.opted_out.discard((draft.sender, draft.to))
        return message, opt_out

    def create(
        self, draft: Draft, direction: MessageDirection = "outbound-api", *, unblocked: bool = False
    ) -> Message | Refused:
        """Accept a message and deliver it, or refuse it.

        Arguments:
            unblocked: it is the carrier's own word to somebody who has just sent STOP.
        """
        problem = _problem(draft) or self._foreign(draft)
        if problem is None and not unblocked and (draft.to, draft.sender) in self.opted_out:
            problem = Refused(21610, "Attempt to send to unsubscribed recipient")
        if problem is not None:
            return problem
        failure = self._failures.popleft() if self._failures else None
        if isinstance(failure, Refused):
            return failure
        moment = self._now()
        message = Message(new_sid("SM"), len(self.all) + 1, draft, moment, moment, direction)
        self.all.append(message)
        return self._dispatch(message, failure)

    def arrived(self, number: str | None, after: int = 0) -> list[Message]:
        """Messages in an inbox, or in all of them, oldest first; ``after`` is the number of one seen already."""
        return [
            message
            for message in self.all[after:]
            if message.arrived and (number is None or message.draft.to == number)
        ]

    def find(self, sid: str) -> Message | None:
        """One message by its identifier."""
        return next((message for message in self.all if message.sid == sid), None)

    def _foreign(self, draft: Draft) -> Refused | None:
        if not draft.sender or not self._senders or draft.sender in self._senders:
            return None
        return Refused(
            21606, f"The 'From' phone number {draft.sender} is not one of the account that can send messages"
        )

    def _dispatch(self, message: Message, failure: Undelivered | None) -> Message:
        """Send it; the answer to the request still shows it queued."""
        accepted = replace(message)
        self._become(message, "sent")
        if failure is None:
            message.arrived = True
            self._become(message, "delivered")
        else:
            message.error_code = failure.code
            self._become(message, "undelivered")
        return accepted

    def _become(self, message: Message, status: MessageStatus) -> None:
        message.status, message.updated = status, self._now()
        message.sent = message.sent or message.updated
        self.changes.notify()
        if not message.draft.status_callback:
            return
        pairs = [
            ("MessageSid", message.sid),
            ("SmsSid", message.sid),
            ("MessageStatus", status),
            ("SmsStatus", status),
            ("To", message.draft.to),
            ("From", message.draft.sender),
            ("AccountSid", self._account_sid),
            ("ApiVersion", "2010-04-01"),
        ]
        if message.draft.service:
            pairs.append(("MessagingServiceSid", message.draft.service))
        if message.error_code is not None:
            pairs.append(("ErrorCode", str(message.error_code)))
        self._reports.message_changed(message.sid, message.draft.status_callback, tuple(pairs))


def segments(body: str) -> int:
    """How many segments a text takes."""
    if set(body) <= GSM | GSM_EXTENDED:
        length, one, each = len(body) + sum(character in GSM_EXTENDED for character in body), 160, 153
    else:
        length, one, each = len(body.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= one else -(-length // each)


def _problem(draft: Draft) -> Refused | None:
    if not draft.to:
        return Refused(21604, "A 'To' phone number is required.")
    if not E164.fullmatch(draft.to) or (draft.to.startswith("+33") and not FRENCH.fullmatch(draft.to)):
        return Refused(21211, f"Invalid 'To' Phone Number: {draft.to}")
    if draft.to.startswith("+33") and not FRENCH_MOBILE.fullmatch(draft.to):
        return Refused(21614, f"'To' number is not a valid mobile number: {draft.to}")
    if not draft.sender and not draft.service:
        return Refused(21603, "A 'From' phone number or a MessagingServiceSid is required.")
    if not draft.body:
        return Refused(21602, "Message body is required.")
    if len(draft.body) > LONGEST:
        return Refused(21617, f"The concatenated message body exceeds the {LONGEST} character limit")
    return None
