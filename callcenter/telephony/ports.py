"""What stands behind the edge: the calls themselves, and the messages whose delivery the carrier reports."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol
from uuid import UUID

from callcenter.calls.operators import NotReached, PutThrough, Taken
from callcenter.calls.own_legs import InRoom
from callcenter.calls.values import (
    Answer,
    AtAWait,
    AudioGone,
    AudioText,
    Incoming,
    Meeting,
    NotDelivered,
    Reached,
    RecordingReady,
    Render,
    RingsLine,
    StatusChanged,
    StepAnswered,
    WaitOver,
    Waits,
)


class Calls(Protocol):
    """One step of one call at a time; every answer exists only after its commit."""

    async def step(self, event: Incoming | Reached | StepAnswered, render: Render) -> Answer:
        """Answer a webhook.

        Raises:
            NotFound: the number called, or the call, is not ours.
            Forbidden: the step is another call's.
            Unavailable: a part that the step needs does not answer.
        """

    async def status(self, event: StatusChanged) -> None:
        """Keep how far a leg has come; a repeated or late event changes nothing."""

    async def recording(self, event: RecordingReady, render: Render) -> None:
        """See to it that what was spoken is fetched; a repeated event changes nothing."""

    async def audio(self, call: UUID, token: str) -> AudioText | AudioGone:
        """The words of one fetch; the fetch is on record, and holds a place, before they are returned."""

    async def audio_complete(self, call: UUID, fetch: UUID) -> None:
        """Nothing is left of the fetch but its last byte, which leaves next."""

    async def audio_given_back(self, call: UUID, fetch: UUID, why: NotDelivered) -> None:
        """The fetch did not deliver the whole sound."""


class Lobby(Protocol):
    """Where callers wait for operators, as far as the carrier asks."""

    async def heard(self, at: AtAWait) -> Waits | WaitOver:
        """What is heard there now; changes nothing.

        Raises:
            NotFound: there is no such call, or it waits at no such document.
            Forbidden: the webhook is another call's.
            Unavailable: a part that is needed does not answer.
        """

    async def keyed(self, at: AtAWait, keys: str) -> Waits | WaitOver:
        """Whoever waits has typed something: what it asks for is kept. Raises as :meth:`heard` does."""

    async def let_out(self, at: AtAWait) -> Waits | WaitOver:
        """Whoever waits is to go elsewhere: nobody is offered the call any more. Whoever is about to be led to somebody
        goes on waiting for that. Raises as :meth:`heard` does."""

    async def meeting(self, at: AtAWait) -> Meeting | WaitOver:
        """Where the caller meets an operator, who is there: from here on they talk. Raises as :meth:`heard` does."""

    async def at_line(self, at: AtAWait) -> RingsLine | WaitOver:
        """Which line rings for a caller whom an operator has sent on; changes nothing. Raises as :meth:`heard` does."""

    async def line_over(self, at: AtAWait) -> WaitOver:
        """The line rings no more, or was hung up: words for a caller whom it has not taken; changes nothing. Raises as
        :meth:`heard` does."""


class Invited(Protocol):
    """Whoever is rung to come in, as far as the carrier asks: operators, and those who are asked into a talk."""

    async def offer(self, offer: UUID) -> str | None:
        """The practice for which a caller waits, as it is spoken; ``None`` if the offer stands no more.

        Raises:
            Unavailable: a part that is needed does not answer.
        """

    async def take(self, offer: UUID, operator_leg: str) -> Taken | NotReached | PutThrough | None:
        """The operator takes the call, and the caller is led to them, or rung, or is there already; ``None`` if it is
        not theirs to take.

        Arguments:
            operator_leg: the carrier's identifier of the leg on which they are.
        """

    async def left(self, offer: UUID) -> None:
        """The operator's leg is over; a repeated event changes nothing."""


class Operators(Invited, Protocol):
    """Operators who answer by a telephone."""

    async def over(self, offer: UUID) -> None:
        """The leg of a caller who was rung back is over, answered or not; a repeated event changes nothing."""


class OwnLegs(Protocol):
    """Operators who answer in the browser, as far as the carrier asks."""

    async def joins(self, staff: UUID, offer: UUID, leg: str) -> InRoom | None:
        """The browser of ``staff`` has placed the leg ``leg``, for a call that they have taken or a talk that they are
        asked into: where it comes in, or ``None`` where that is not theirs. The same leg again has the same answer, and
        no effect.

        Raises:
            Unavailable: a part that is needed does not answer.
        """

    async def ended(self, leg: str) -> None:
        """That leg is over; a repeated event changes nothing."""


class TextsReceived(Protocol):
    """Who minds STOP and START. Nothing is answered to either, whoever sends them."""

    async def stop(self, number: str, message: UUID) -> None:
        """``number`` (E.164) wants no more reminders; the same ``message`` again has no effect."""

    async def start(self, number: str, message: UUID) -> None:
        """``number`` (E.164) takes that back; the same ``message`` again has no effect."""


class Confirmations(Protocol):
    """Who is told that somebody whom we rang has confirmed."""

    async def acknowledge(self, practice: UUID, notice: UUID) -> bool:
        """Whether there is such a notice; to confirm it again changes nothing."""


class MessageStatus(StrEnum):
    """How far an outbound message has come, in the carrier's words (Twilio: Message resource, ``status``)."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    READ = "read"
    CANCELED = "canceled"
    PARTIALLY_DELIVERED = "partially_delivered"

    @property
    def rank(self) -> int:
        """How far that is. Callbacks come in any order: only a greater rank is news, and an end stays the end."""
        return _RANKS.get(self, _ENDED)


_ENDED = 5
_RANKS = {
    MessageStatus.ACCEPTED: 0,
    MessageStatus.SCHEDULED: 1,
    MessageStatus.QUEUED: 2,
    MessageStatus.SENDING: 3,
    MessageStatus.SENT: 4,
    MessageStatus.READ: 6,  # after it was delivered
}


class MessageStatuses(Protocol):
    """Who wants to know what became of a message."""

    async def message_status(self, sid: str, status: MessageStatus, error_code: int | None) -> None:
        """Keep the status. The carrier repeats it and does not keep its order.

        Arguments:
            sid: the carrier's identifier of the message.
            status: what it says.
            error_code: the carrier's code when the message failed.
        """
