"""What the carrier's edge hands to ``calls`` and gets back: plain values that know nothing of the carrier's format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum, StrEnum
from uuid import UUID

from callcenter.flow.conversation import Dequeued, Dialled, Keyed, Recorded
from callcenter.flow.language import Pace

#: The carrier ends a call there, whether or not it says so.
LONGEST_CALL = timedelta(hours=4)


class Slot(StrEnum):
    """Which of a document's continuations a webhook answers: the carrier may fire several of one document."""

    NEXT = "next"
    ENQUEUED = "enqueued"
    DIALLED = "dialled"
    RECORDED = "recorded"
    WHISPER = "whisper"


class CallStatus(IntEnum):
    """How far a leg has come. Only moves forward; a terminal status never changes."""

    QUEUED = 0
    INITIATED = 1
    RINGING = 2
    IN_PROGRESS = 3
    COMPLETED = 10
    BUSY = 11
    FAILED = 12
    NO_ANSWER = 13
    CANCELED = 14

    @property
    def terminal(self) -> bool:
        return self >= CallStatus.COMPLETED


@dataclass(frozen=True, slots=True)
class Incoming:
    """A call has come in: document 0 of a call that may not be known yet.

    Arguments:
        carrier_sid: the carrier's identifier of the leg.
        caller: E.164 number or ``None`` when withheld; one of the practice's own lines is told apart later.
        called: the E.164 number that was dialled.
        fingerprint: SHA-256 of the webhook's meaningful fields.
        origins: every number that the call is said to come from, as received: caller and forwarding lines.
    """

    carrier_sid: str
    caller: str | None
    called: str
    fingerprint: bytes
    origins: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Reached:
    """A line that we ring has answered: document 0 of a call that is not known yet.

    Arguments:
        carrier_sid: the carrier's identifier of the leg.
        token: from the address that we gave when we placed the call.
        shown: the E.164 number that the call shows, one of ours.
        fingerprint: SHA-256 of the webhook's meaningful fields.
    """

    carrier_sid: str
    token: str = field(repr=False)
    shown: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class StepAnswered:
    """A document's continuation was requested.

    Arguments:
        call: our identifier, from the action's URL.
        carrier_sid: from the webhook's fields; must be the call's own.
        document: number of the document whose question was answered, from 1.
        slot: which continuation.
        keyed: what the caller typed.
        fingerprint: SHA-256 of the meaningful fields (Digits, RecordingSid, DialCallStatus, QueueResult).
        recorded: what the caller has spoken; only in the slot ``recorded``, and always there.
        dialled: what became of the line that was rung; only in the slot ``dialled``, and always there.
        dequeued: that the caller waits no more; only in the slot ``enqueued``, and always there.
    """

    call: UUID
    carrier_sid: str
    document: int
    slot: Slot
    keyed: Keyed
    fingerprint: bytes
    recorded: Recorded | None = None
    dialled: Dialled | None = None
    dequeued: Dequeued | None = None


@dataclass(frozen=True, slots=True)
class RecordingReady:
    """The carrier has worked on what a caller has spoken: it can be fetched, or there is nothing.

    Arguments:
        step: what the document's own continuation would tell, should it not have come.
        heard: whether anything was spoken; the carrier tells of silence too.
    """

    step: StepAnswered
    heard: bool


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """A status callback.

    Arguments:
        carrier_sid: the leg.
        status: what it says; one that lies behind, or is repeated, changes nothing.
    """

    carrier_sid: str
    status: CallStatus


# --- what telephony renders


@dataclass(frozen=True, slots=True)
class SayText:
    """Words for the carrier's voice: public ones, or a patient's where the practice chose that voice."""

    text: str = field(repr=False)
    language: str = "fr"
    pace: Pace = Pace.NORMAL


@dataclass(frozen=True, slots=True)
class PlayAudio:
    """Words that we synthesise ourselves when the carrier fetches ``token``."""

    token: str = field(repr=False)


Element = SayText | PlayAudio


@dataclass(frozen=True, slots=True)
class Gather:
    """Wait for keys while ``elements`` are heard; the answer comes to (call, document, ``next``)."""

    elements: tuple[Element, ...]
    max_keys: int | None
    seconds: int


@dataclass(frozen=True, slots=True)
class Record:
    """Let ``elements`` be heard, then a tone, and keep what is said.

    What is said comes to (call, document, ``recorded``), silence to (call, document, ``next``).

    Arguments:
        seconds: how long it may be.
    """

    elements: tuple[Element, ...]
    seconds: int


@dataclass(frozen=True, slots=True)
class Dial:
    """Let ``elements`` be heard, then ring another line; what became of it comes to (call, document, ``dialled``).

    Arguments:
        line: that is rung, E.164.
        shown: the number of ours that it is shown, E.164.
    """

    elements: tuple[Element, ...]
    line: str = field(repr=False)
    shown: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Let ``elements`` be heard, then let the caller wait; that they wait no more comes to (call, document,
    ``enqueued``), or to ``dialled`` once they have been with somebody.

    Arguments:
        queue: opaque name of the carrier's queue.
        expected: somebody waits for them: they go to where the two meet, and not into the queue.
    """

    elements: tuple[Element, ...]
    queue: str
    expected: bool = False


@dataclass(frozen=True, slots=True)
class Continue:
    """Go on to (call, document, ``next``) by itself, once everything before has been heard."""


@dataclass(frozen=True, slots=True)
class End:
    """The call ends."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document for the carrier.

    Arguments:
        call: our identifier of the call.
        number: of this document, from 1; continuations carry it.
        before: heard whole, outside the question.
        then: the question, the next document, or the end.
    """

    call: UUID
    number: int
    before: tuple[Element, ...]
    then: Gather | Record | Dial | Wait | Continue | End


# --- a wait


@dataclass(frozen=True, slots=True)
class AtAWait:
    """Somebody waits at a document, or is led from it to an operator.

    Arguments:
        call: our identifier, from the URL.
        carrier_sid: from the webhook's fields; must be the call's own.
        document: number of the document that let them wait.
    """

    call: UUID
    carrier_sid: str
    document: int


@dataclass(frozen=True, slots=True)
class Waits:
    """What somebody hears who waits: public words, made anew each time.

    Arguments:
        lines: words, then music.
        keys: words that tell what may be asked for instead.
    """

    lines: tuple[SayText, ...]
    keys: tuple[SayText, ...]


@dataclass(frozen=True, slots=True)
class WaitOver:
    """They wait no more: the carrier lets them out of its queue, and asks what follows.

    Arguments:
        lines: public words that say why, where they did not ask for it.
    """

    lines: tuple[SayText, ...] = ()


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where two are brought together.

    Arguments:
        room: opaque name of the carrier's conference.
        lines: public words for the caller, before they meet.
    """

    room: str
    lines: tuple[SayText, ...]


@dataclass(frozen=True, slots=True)
class RingsLine:
    """A line rings for somebody whom an operator has sent on.

    Arguments:
        line, shown: whom it rings, and as which of our numbers (E.164).
        party: the request that whoever answers is asked by.
        lines: public words for the caller, before it rings.
    """

    line: str
    shown: str
    party: UUID
    lines: tuple[SayText, ...]


Render = Callable[[Document], bytes]

_COMMITTED = object()


class Answer:
    """The only thing that an edge may send for a step. Made after the commit, and only by :func:`committed`."""

    __slots__ = ("body", "replayed")

    def __init__(self, body: bytes, *, replayed: bool, proof: object) -> None:
        if proof is not _COMMITTED:
            raise TypeError("an Answer is made by calls.values.committed alone, after the commit")
        self.body = body
        self.replayed = replayed


def committed(body: bytes, *, replayed: bool) -> Answer:
    """The answer of a step whose transaction has committed. Called by ``calls.steps`` alone (ruff TID251)."""
    return Answer(body, replayed=replayed, proof=_COMMITTED)


# --- audio


@dataclass(frozen=True, slots=True)
class AudioText:
    """Words to synthesise for one fetch.

    Arguments:
        text: the words; about a patient: they go to our own voice and nowhere else.
        fetch: identifies the fetch, to say that it was complete.
    """

    text: str = field(repr=False)
    language: str
    fetch: UUID
    pace: Pace = Pace.NORMAL


class NotDelivered(StrEnum):
    """How far a fetch came that did not deliver the whole sound."""

    NO_SOUND = "no_sound"  # nothing was made that could leave
    BROKEN_OFF = "broken_off"
    AT_THE_LAST_BYTE = "at_the_last_byte"  # it had been noted as complete


@dataclass(frozen=True, slots=True)
class AudioGone:
    """Unknown, too old, or fetched too often."""
