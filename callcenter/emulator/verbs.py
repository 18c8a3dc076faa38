"""The verbs of a TwiML document, as values. Times in seconds, URLs absolute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Method = Literal["GET", "POST"]


@dataclass(frozen=True, slots=True)
class Say:
    """Text to be spoken, without its SSML marks; ``language`` is its tag, or empty."""

    text: str
    loop: int = 1
    language: str = ""


@dataclass(frozen=True, slots=True)
class Play:
    """A sound file, or keys to be sounded."""

    url: str | None
    digits: str = ""
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence."""

    length: float = 1.0


Prompt = Say | Play | Pause


@dataclass(frozen=True, slots=True)
class Gather:
    """Keys or speech to be collected.

    Arguments:
        action: where the input goes; None in a document without address and without an action.
        keys, speech: what is listened to.
        num_digits: keys after which the input is complete, None for no such number.
        finish_on: keys that end the input, none if empty.
        empty_too: whether no input is reported as well.
        prompts: what is heard meanwhile.
    """

    action: str | None
    method: Method = "POST"
    keys: bool = True
    speech: bool = False
    timeout: float = 5.0
    num_digits: int | None = None
    finish_on: str = "#"
    empty_too: bool = False
    prompts: tuple[Prompt, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """What the caller says is to be kept.

    Arguments:
        action: where to go on once something was said; None in a document without address and without an action.
        timeout: seconds of silence that end it, 0 for none.
        finish_on: keys that end it.
        max_length: seconds after which it ends.
        beep: whether a tone says when to speak.
        trim: whether silence before the first word and after the last is cut off.
        callback, callback_method, events: who is told which of ``in-progress completed absent``.
    """

    action: str | None
    method: Method = "POST"
    timeout: float = 5.0
    finish_on: str = "1234567890*#"
    max_length: float = 3600.0
    beep: bool = True
    trim: bool = True
    callback: str | None = None
    callback_method: Method = "POST"
    events: frozenset[str] = frozenset({"completed"})


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go on with another document; None means the current one, which has no address."""

    url: str | None
    method: Method = "POST"


@dataclass(frozen=True, slots=True)
class Reject:
    """Do not answer."""

    reason: Literal["rejected", "busy"] = "rejected"


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""


@dataclass(frozen=True, slots=True)
class DialledNumber:
    """One number, or one client, that a Dial rings.

    Arguments:
        number: E.164, or ``client:`` and an identity.
        url: the whisper document, run on the called leg before the two are joined.
        status_callback, events: who is told which of ``initiated ringing answered completed``.
        parameters: what a client is told besides.
    """

    number: str
    url: str | None = None
    method: Method = "POST"
    status_callback: str | None = None
    events: frozenset[str] = frozenset({"completed"})
    status_method: Method = "POST"
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DialledQueue:
    """A queue whose first member a Dial fetches.

    Arguments:
        url: the document that the member hears before the two are joined.
    """

    name: str
    url: str | None = None
    method: Method = "POST"


@dataclass(frozen=True, slots=True)
class DialledConference:
    """A conference that a Dial enters.

    Arguments:
        muted: nobody hears whoever comes.
        starts: whether it may begin because of them.
        ends: whether it is over for all when they leave.
        label: their name in it.
        wait_url: what they hear until it begins: None for the carrier's music, empty for nothing.
        most: participants, beyond whom they are not let in.
        coach: the call that alone hears them.
        beep: as written; a beep is no part of the emulator.
        callback, callback_method, events: who is told of which events; only what the first says counts.
    """

    name: str
    muted: bool = False
    starts: bool = True
    ends: bool = False
    label: str | None = None
    wait_url: str | None = None
    wait_method: Method = "POST"
    most: int = 250
    coach: str | None = None
    beep: str = "true"
    callback: str | None = None
    callback_method: Method = "POST"
    events: frozenset[str] = frozenset({"start", "end"})


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring other numbers together; the first to answer is joined with the caller. Or fetch the first of a queue."""

    numbers: tuple[DialledNumber, ...]
    action: str | None = None
    method: Method = "POST"
    timeout: float = 30.0
    time_limit: float = 14_400.0
    caller_id: str | None = None
    hangup_on_star: bool = False
    answer_on_bridge: bool = False
    queue: DialledQueue | None = None
    conference: DialledConference | None = None


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Wait in a queue.

    Arguments:
        name: the queue's; it is created if there is none.
        action: where to go on once the queue is left; None for the next verb.
        wait_url: the document that is heard meanwhile, again and again; None for the carrier's music.
        max_size: how many the queue may have for this call to enter it, None for what the queue says.
    """

    name: str
    action: str | None = None
    method: Method = "POST"
    wait_url: str | None = None
    wait_method: Method = "POST"
    max_size: int | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave the queue."""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A verb or noun that the carrier has and this emulator has not: reaching it is an error."""

    name: str


Verb = Say | Play | Pause | Gather | Record | Redirect | Reject | Hangup | Dial | Enqueue | Leave | Unsupported


@dataclass(frozen=True, slots=True)
class Alert:
    """What the carrier's debugger would show: an error or a warning with its code."""

    code: int
    level: Literal["warning", "error"]
    message: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A document as far as it can be executed.

    Arguments:
        url: where it came from, None for inline TwiML.
        verbs: in order.
        alerts: warnings met while reading.
        audio: a sound that came instead of TwiML; it is played, then the call ends.
    """

    url: str | None
    verbs: tuple[Verb, ...]
    alerts: tuple[Alert, ...] = ()
    audio: bytes | None = None
