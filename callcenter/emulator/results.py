"""What comes of a document and of its verbs, and where which verbs are legal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from callcenter.emulator.calls import Call, Ending, Fetch
from callcenter.emulator.verbs import Gather, Hangup, Leave, Pause, Play, Redirect, Say, Verb
from callcenter.emulator.webhooks import Parameters

STANDSTILL = 100  # documents within a second without input: ours, so that a document that leads to itself ends


@dataclass(frozen=True, slots=True)
class Exhausted:
    """The document ended; an ordinary call is then hung up, a whispered-to one joined."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over."""

    ending: Ending = "completed"


@dataclass(frozen=True, slots=True)
class Left:
    """The queue is to be left."""


Outcome = Exhausted | Ended | Left | Fetch


@dataclass(frozen=True, slots=True)
class DialResult:
    """What became of a Dial.

    Arguments:
        status: ``DialCallStatus``.
        sid: the leg that answered, or the last that did not; None if none was made.
        seconds: how long it was up.
        bridged: whether the two were joined.
        skipped: whether the next verb follows even where there is an action.
    """

    status: Ending | Literal["answered"]
    sid: str | None = None
    seconds: int = 0
    bridged: bool = False
    skipped: bool = False

    def parameters(self) -> Parameters:
        """As the action is told."""
        pairs = [("DialCallStatus", self.status), ("DialBridged", "true" if self.bridged else "false")]
        if self.sid is not None:
            pairs += [("DialCallSid", self.sid), ("DialCallDuration", str(self.seconds))]
        return tuple(pairs)


@dataclass(frozen=True, slots=True)
class QueueLeft:
    """What became of an Enqueue, as its action is told."""

    parameters: Parameters


@dataclass(frozen=True, slots=True)
class Place:
    """Where else than on an ordinary call a document runs. What is heard there lasts as silence does, until somebody
    cuts it short or time is driven on; and what fails there fails for whoever runs it.

    Arguments:
        name: for messages.
        legal: the verbs that may stand there.
        code: the carrier's error for any other.
    """

    name: str
    legal: tuple[type[Verb], ...]
    code: int


#: Source: https://www.twilio.com/docs/voice/twiml/enqueue
QUEUE = Place("the document of a queue", (Say, Play, Pause, Gather, Redirect, Leave, Hangup), 14202)
#: Source: https://www.twilio.com/docs/voice/twiml/queue
FETCHED = Place("the document for whoever is fetched from a queue", (Say, Play, Pause, Redirect), 12200)

#: Source: https://www.twilio.com/docs/voice/twiml/conference and error 13238
CONFERENCE = Place("a document heard in a conference", (Say, Play, Pause, Redirect), 13238)


class Standstill:
    """Counts documents that follow one another while neither time passes nor anybody does anything.

    Arguments:
        call: the leg on which they run.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._since, self._inputs, self._documents = call.timeline.elapsed, call.inputs, 0

    def another(self) -> bool:
        """One more; True when there are too many."""
        call = self._call
        self._documents += 1
        if call.timeline.elapsed > self._since + 1.0 or call.inputs != self._inputs:
            self._since, self._inputs, self._documents = call.timeline.elapsed, call.inputs, 0
        return self._documents >= STANDSTILL
