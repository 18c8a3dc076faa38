"""The carrier as a port: messages, and calls that are asked about; with a double that behaves like one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from callcenter.calls.delivery import MessageNotTaken
from callcenter.calls.values import CallStatus
from callcenter.kernel.errors import Unavailable


class CarrierDown(Unavailable):
    """The carrier does not answer. A message may have been accepted all the same."""


class NotServed(CarrierDown, MessageNotTaken):
    """The carrier cannot be reached, does not let us in or is asked too often. No message was accepted."""


@dataclass(frozen=True, slots=True)
class MessageSent:
    """The carrier has accepted a message.

    Arguments:
        sid: its identifier there.
    """

    sid: str


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """The carrier will not send it.

    Arguments:
        code: the carrier's error code.
        permanent: asking again with the same recipient and text changes nothing.
    """

    code: int
    permanent: bool


@dataclass(frozen=True, slots=True)
class CallPlaced:
    """The carrier rings.

    Arguments:
        sid: the call's identifier there.
    """

    sid: str


@dataclass(frozen=True, slots=True)
class CallRefused:
    """The carrier will not ring that number.

    Arguments:
        code: the carrier's error code.
    """

    code: int


class Carrier(Protocol):
    """What we ask of the carrier."""

    async def send_message(self, to: str, body: str, *, reference: UUID) -> MessageSent | MessageRefused:
        """Send a text message.

        Arguments:
            to: E.164.
            body: at most 1,600 characters.
            reference: our own identifier of the message, for the log.

        Raises:
            NotServed: it was not accepted.
            CarrierDown: whether it was accepted is not known.
        """

    async def ring(
        self, to: str, shown: str, url: str, *, reference: UUID, status_url: str | None = None
    ) -> CallPlaced | CallRefused:
        """Ring somebody; the carrier asks ``url`` for what they hear, once they answer.

        Arguments:
            to, shown: E.164; ``shown`` is a number of the account.
            reference: our own identifier of the call, for the log.
            status_url: where it reports that the call is over.

        Raises:
            NotServed: nobody is rung.
            CarrierDown: whether anybody is rung is not known.
        """

    async def lead(self, sid: str, url: str) -> bool:
        """Lead a leg away from whatever it is at, to what ``url`` answers. False when it is over, or unknown.

        Raises:
            NotServed: nothing was done.
            CarrierDown: whether anything was done is not known.
        """

    async def call_status(self, sid: str) -> CallStatus | None:
        """How far a leg has come, or ``None`` if the carrier does not know it.

        Raises:
            CarrierDown: no usable answer.
        """


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message as the double received it."""

    sid: str
    to: str = field(repr=False)
    body: str = field(repr=False)
    reference: UUID


class CarrierDouble:
    """A carrier in memory.

    Arguments:
        refusals: recipients (E.164) whose messages are refused, and how.
    """

    def __init__(self, refusals: Mapping[str, MessageRefused] | None = None) -> None:
        self._refusals = dict(refusals or {})
        self.down = False
        self.messages: list[Delivered] = []
        self.legs: dict[str, CallStatus] = {}
        self.rung: list[tuple[str, str, str]] = []
        self.led: list[tuple[str, str]] = []

    def _reach(self) -> None:
        if self.down:
            raise CarrierDown

    async def send_message(self, to: str, body: str, *, reference: UUID) -> MessageSent | MessageRefused:
        self._reach()
        if to in self._refusals:
            return self._refusals[to]
        message = Delivered(f"SM{len(self.messages) + 1:032x}", to, body, reference)
        self.messages.append(message)
        return MessageSent(message.sid)

    async def ring(
        self, to: str, shown: str, url: str, *, reference: UUID, status_url: str | None = None
    ) -> CallPlaced | CallRefused:
        self._reach()
        self.rung.append((to, shown, url))
        return CallPlaced(f"CA{len(self.rung):032x}")

    async def lead(self, sid: str, url: str) -> bool:
        self._reach()
        self.led.append((sid, url))
        return True

    async def call_status(self, sid: str) -> CallStatus | None:
        self._reach()
        return self.legs.get(sid)
