"""One leg of a call: who it joins, what it has come to, what was heard on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Literal, Protocol

import aiohttp

from callcenter.emulator.timeline import Bell, Timeline
from callcenter.emulator.verbs import Alert, Method
from callcenter.emulator.webhooks import Parameters

Direction = Literal["inbound", "outbound-api", "outbound-dial"]
Status = Literal[
    "queued", "initiated", "ringing", "in-progress", "completed", "busy", "no-answer", "failed", "canceled"
]
Ending = Literal["completed", "busy", "no-answer", "failed", "canceled"]
Side = Literal["telephone", "carrier"]
HeardKind = Literal["say", "play", "pause", "tone", "voice", "joined", "error"]


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing heard: when (date, and seconds of the call), what, from which file if from one, in which language."""

    at: datetime
    second: float
    kind: HeardKind
    text: str
    url: str | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class Entered:
    """Keys that were pressed, or words that were said.

    Arguments:
        after: how many things had been heard by then.
        taken: whether anything listened.
    """

    at: datetime
    second: float
    kind: Literal["keys", "speech"]
    text: str
    after: int
    taken: bool


class Listener(Protocol):
    """Whatever takes a telephone's keys and speech at the moment."""

    @property
    def hears_speech(self) -> bool: ...

    def press(self, key: str) -> bool:
        """Take one key; False if it is not wanted."""

    def speak(self, text: str) -> bool:
        """Take an utterance; False if it is not wanted."""


class Company(Protocol):
    """Those whom a leg is together with."""

    def heard_by(self, listener: Call) -> Sequence[Call]:
        """Whom one of them hears now."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """A document to be asked for."""

    url: str
    method: Method = "POST"
    extras: Parameters = ()


@dataclass(frozen=True, slots=True)
class Inline:
    """A document given with the REST request."""

    twiml: str


Source = Fetch | Inline


@dataclass(frozen=True, slots=True)
class HungUp:
    """The call is over, by whom."""

    by: Side


@dataclass(frozen=True, slots=True)
class Diverted:
    """The REST interface gave the call another document."""

    source: Source


Interruption = HungUp | Diverted


@dataclass(frozen=True, slots=True)
class Afterwards:
    """A request that is made when its caller has hung up already; what it answers has no effect."""

    asked: Fetch
    done: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Parties:
    """What never changes about a leg.

    Arguments:
        parent: the leg that dialled this one.
        hops: how many served numbers were dialled to get here.
        forwarded_from: the line that the caller dialled and that was forwarded here, if the network told.
        application: the TwiML application that a softphone called.
    """

    sid: str
    account_sid: str
    caller: str
    called: str
    direction: Direction
    parent: str | None = None
    hops: int = 0
    forwarded_from: str | None = None
    application: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who is told about a leg's progress, and of which events."""

    url: str
    method: Method = "POST"
    events: frozenset[str] = frozenset({"completed"})


class Watcher(Protocol):
    """Rung whenever something changed on a leg."""

    def ring(self) -> None: ...


class Call:
    """A leg while it lives, and after.

    Arguments:
        parties: what does not change, but for a call on its way that the network forwards.
        timeline: the conversation's time.
        now: dates what happens.
        on_status: told after every change of status.
    """

    def __init__(
        self, parties: Parties, timeline: Timeline, now: Callable[[], datetime], on_status: Callable[[Call], None]
    ) -> None:
        self.parties = parties
        self.outside = False  # between other people's telephones: the account does not know of it
        self.timeline = timeline
        self.status: Status = "queued"
        self.fallback: Fetch | None = None
        self.subscription: Subscription | None = None
        self.heard: list[Heard] = []
        self.entered: list[Entered] = []
        self.alerts: list[Alert] = []
        self.cookies = aiohttp.CookieJar(unsafe=True)  # the application may well be at an IP address
        self.bell = Bell()
        self.watchers: list[Watcher] = []
        self.mirror: Call | None = None
        self.listener: Listener | None = None
        self.company: Company | None = None
        self.greeting: str | None = None  # what a machine on the telephone says as soon as anything listens
        self.verb: str | None = None
        self.created = now()
        self.updated = self.created
        self.answered: datetime | None = None
        self.ended: datetime | None = None
        self.hung_up_by: Side | None = None
        self.callbacks_pending = 0
        self.inputs = 0
        self.over = False
        self.diverted = False
        self.afterwards: Afterwards | None = None
        self._now = now
        self._on_status = on_status
        self._answered_second = 0.0
        self._ended_second = 0.0
        self._interruption: Interruption | None = None
        self._work: asyncio.Task[Ending] | None = None

    @property
    def sid(self) -> str:
        return self.parties.sid

    @property
    def left(self) -> bool:
        """Whether it is the telephone's side that is hanging up, or has."""
        return isinstance(self._interruption, HungUp) and self._interruption.by == "telephone"

    @property
    def leads_elsewhere(self) -> bool:
        """Whether the REST interface is giving it another document."""
        return isinstance(self._interruption, Diverted)

    @property
    def interrupted(self) -> bool:
        """Whether it is being hung up or led elsewhere, so that what runs on it ends."""
        return self._interruption is not None

    @property
    def hears(self) -> Sequence[Call]:
        """The legs that are heard on this one now."""
        return self.company.heard_by(self) if self.company is not None and not self.over else ()

    @property
    def duration(self) -> int:
        """Whole seconds from the answer to the end, or until now."""
        if self.answered is None:
            return 0
        end = self._ended_second if self.ended is not None else self.timeline.elapsed
        return max(0, ceil(end - self._answered_second - 1e-9))

    @property
    def activity(self) -> Literal["busy", "waiting", "ended"]:
        """Whether something happens on the call, it waits for its caller, or it is over."""
        if self.over:
            return "ended"
        return "waiting" if self.timeline.settled else "busy"

    def base_parameters(self) -> Parameters:
        """The parameters of every request about this leg."""
        parties = self.parties
        pairs = [
            ("AccountSid", parties.account_sid),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", parties.sid),
            ("CallStatus", self.status),
            ("Direction", parties.direction),
        ]
        for number, roles in ((parties.caller, ("From", "Caller")), (parties.called, ("To", "Called"))):
            for role in roles:
                pairs += [(role, number), (f"{role}Country", "FR" if number.startswith("+33") else "")]
                pairs += [(f"{role}{place}", "") for place in ("City", "State", "Zip")]
        if parties.forwarded_from is not None:  # one value in two places, as a recorded webhook of such a call shows
            pairs += [("ForwardedFrom", parties.forwarded_from), ("CalledVia", parties.forwarded_from)]
        if parties.application is not None:
            pairs.append(("ApplicationSid", parties.application))
        if parties.parent is not None:
            pairs.append(("ParentCallSid", parties.parent))
        return tuple(pairs)

    def become(self, status: Status) -> None:
        """Change status, and tell who subscribed."""
        if status == self.status:
            return
        self.status = status
        self.updated = self._now()
        if status == "in-progress":
            self.answered, self._answered_second = self.updated, self.timeline.elapsed
        self._on_status(self)
        self._tell()

    def hear(self, kind: HeardKind, text: str, url: str | None = None, language: str = "") -> None:
        """Something is heard on this leg, and by whoever listens through it."""
        self.heard.append(Heard(self._now(), round(self.timeline.elapsed, 3), kind, text, url, language))
        self.timeline.changes.notify()
        if self.mirror is not None:
            self.mirror.hear(kind, text, url, language)

    def alert(self, *alerts: Alert) -> None:
        """What the carrier's debugger would show."""
        self.alerts.extend(alerts)

    def listen(self, listener: Listener | None) -> None:
        """From now on keys and speech go there; to nobody with None."""
        self.listener = listener
        self.timeline.changes.notify()
        if listener is not None and self.greeting is not None:
            words, self.greeting = self.greeting, None
            if not self.speak(words):
                self._enter("speech", words, taken=False)

    def press(self, keys: str) -> str:
        """Press keys, one after the other; those that were taken. The others are lost, as on the carrier."""
        taken = []
        for key in keys:
            if wanted := self.listener is not None and self.listener.press(key):
                taken.append(key)
            self._enter("keys", key, taken=wanted)
        if taken:
            self.inputs += 1
            self.bell.ring()
        return "".join(taken)

    def speak(self, text: str) -> bool:
        """Say something; False if nothing listens to speech."""
        if self.listener is None or not self.listener.speak(text):
            return False
        self._enter("speech", text, taken=True)
        self.inputs += 1
        self.bell.ring()
        return True

    def _enter(self, kind: Literal["keys", "speech"], text: str, *, taken: bool) -> None:
        second = round(self.timeline.elapsed, 3)
        self.entered.append(Entered(self._now(), second, kind, text, len(self.heard), taken))
        self.timeline.changes.notify()

    def interrupt(self, interruption: Interruption) -> None:
        """Stop whatever happens on the leg."""
        if self.over or isinstance(self._interruption, HungUp):
            return
        self._interruption = interruption
        self.diverted = self.diverted or isinstance(interruption, Diverted)
        self.bell.ring()  # busy from now on, not only when the task gets its turn
        if self._work is not None:
            self._work.cancel()

    async def live(
        self, program: Coroutine[None, None, Ending], divert: Callable[[Source], Coroutine[None, None, Ending]]
    ) -> None:
        """Run a leg to its end; whoever starts it has entered it in the timeline.

        Arguments:
            program: what happens on it; how it ended.
            divert: the program for a document given by REST.
        """
        ending: Ending | None = None
        try:
            while ending is None:
                self._work = asyncio.ensure_future(program)
                if self._interruption is not None:  # it came before the program could start
                    self._work.cancel()
                ending = await self._finished(self._work)
                if ending is None and isinstance(self._interruption, Diverted):
                    self.listener = self.company = None  # nobody's any more, before anything new begins
                    program = divert(self._interruption.source)
                    self._interruption = None
                elif ending is None:
                    ending = "completed" if self.answered is not None else "canceled"
            self._end(ending)
        finally:
            self.over = True
            self.timeline.leave()
            self._tell()

    async def _finished(self, work: asyncio.Task[Ending]) -> Ending | None:
        """How the program ended, or None if it was interrupted."""
        try:
            return await work
        except asyncio.CancelledError:
            if self._interruption is None:
                raise
            return None

    def _end(self, ending: Ending) -> None:
        by = self._interruption.by if isinstance(self._interruption, HungUp) else "carrier"
        self.hung_up_by = by
        self.ended, self._ended_second = self._now(), self.timeline.elapsed
        self.verb = None
        self.listener = self.company = None
        self.over = True
        self.become(ending)

    def _tell(self) -> None:
        self.timeline.changes.notify()
        for watcher in self.watchers:
            watcher.ring()
