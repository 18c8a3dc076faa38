"""Sending a message to a contact on file: the exit of a protected number, into the ``To`` and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from callcenter.disclosure.exits import Spoken, words_of
from callcenter.kernel.errors import Unavailable
from callcenter.kernel.protected import Protected, expose

R_co = TypeVar("R_co", covariant=True)


class MessageNotTaken(Unavailable):
    """The carrier has certainly not taken the message: it may be sent again without being sent twice."""


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """The carrier will not send that text to that telephone, now or later.

    Arguments:
        code: the carrier's error code.
    """

    code: int


class Messenger(Protocol[R_co]):
    """What carries text messages."""

    async def send_message(self, to: str, body: str, *, reference: UUID) -> R_co:
        """Send one message.

        Raises:
            MessageNotTaken: it was not taken.
            Unavailable: any other, that it is not known whether it was.
        """


async def deliver(messenger: Messenger[R_co], to: Protected[str], body: str, *, reference: UUID) -> R_co:
    """Send ``body`` to a telephone on file.

    Arguments:
        body: must hold nothing about a patient.
        reference: opaque; comes back with the delivery status.
    """
    return await messenger.send_message(expose(to), body, reference=reference)


async def deliver_spoken(messenger: Messenger[R_co], to: Protected[str], spoken: Spoken, *, reference: UUID) -> R_co:
    """Send words about a patient, which the gate has let out, to a telephone of theirs on file.

    Arguments:
        spoken: the record of their grant is committed.
        reference: opaque; comes back with the delivery status.
    """
    return await messenger.send_message(expose(to), words_of(spoken), reference=reference)


class Ringer(Protocol):
    """What places calls."""

    async def place_call(self, to: str, *, shown: str, token: str, reference: UUID) -> None:
        """Ring ``to`` once, showing ``shown``; when it is answered, the carrier comes back with ``token``.

        Raises:
            Unavailable: it is not known to ring.
        """


async def ring(ringer: Ringer, to: Protected[str], *, shown: str, token: str, reference: UUID) -> None:
    """Ring a telephone on file.

    Arguments:
        shown: a number of ours (E.164).
        token: that is in no log and no record.
        reference: opaque, for the log.
    """
    await ringer.place_call(expose(to), shown=shown, token=token, reference=reference)
