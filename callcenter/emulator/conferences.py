"""Conferences: who is in them, who hears whom, what each hears meanwhile, and what is told of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from callcenter.emulator.calls import Call, Subscription
from callcenter.emulator.identifiers import new_sid
from callcenter.emulator.interludes import Interlude
from callcenter.emulator.verbs import DialledConference, Method

State = Literal["init", "in-progress", "completed"]
WhyEnded = Literal[
    "conference-ended-via-api",
    "participant-with-end-conference-on-exit-left",
    "participant-with-end-conference-on-exit-kicked",
    "last-participant-kicked",
    "last-participant-left",
]
WhyLeft = Literal[
    "participant_hung_up",
    "participant_updated_via_api",
    "moderator_ended_conference",
    "conference_ended_via_api",
    "participant_add_failed",
]


@dataclass(eq=False, slots=True)
class Announcement:
    """Something that is announced to one or to all.

    Arguments:
        left: how many have not heard it yet.
        failed: why it could not be heard.
    """

    url: str
    left: int = 1
    failed: str | None = None


@dataclass(eq=False, slots=True)
class Sound:
    """A document that somebody in a conference hears; without an address it is the carrier's music.

    Arguments:
        announcement: what it belongs to, if it is one.
        over: whether it has been heard.
    """

    url: str | None
    method: Method = "POST"
    announcement: Announcement | None = None
    over: bool = False


@dataclass(eq=False, slots=True)
class Participant:
    """A leg in a conference.

    Arguments:
        given: the attributes with which it came.
        muted: nobody hears it; ``hold``, what it hears instead of the others.
        coached: the participant that alone hears this one, if it coaches.
        ends_all: whether the conference ends when it leaves.
        announcements: what it is to hear next.
        playing: what it hears now besides the others, and the interlude in which it does.
        out: why it is to leave; ``kicked``, whether the REST interface says so.
    """

    call: Call
    conference: Conference
    given: DialledConference
    joined: datetime
    muted: bool
    ends_all: bool
    waiting: Sound | None
    hold: Sound | None = None
    coached: Participant | None = None
    announcements: deque[Sound] = field(default_factory=deque)
    playing: tuple[Sound, Interlude[Any]] | None = None
    out: WhyLeft | None = None
    kicked: bool = False

    @property
    def label(self) -> str | None:
        """The name under which the application put it in."""
        return self.given.label

    def wants(self) -> Sound | None:
        """What it should hear now besides the others."""
        if self.announcements:
            return self.announcements[0]
        instead = self.hold or (self.waiting if self.conference.state == "init" else None)
        return instead if instead is not None and not instead.over else None

    def look(self) -> None:
        """Something has changed: hear something else, if that is what follows from it."""
        if self.playing is not None and (self.out is not None or self.playing[0] is not self.wants()):
            self.playing[1].cut()
        self.call.bell.ring()

    def leave(self, why: WhyLeft) -> None:
        """It is to leave."""
        if self.out is None:
            self.out = why
        self.look()


class Conference:
    """One conference.

    Arguments:
        name: what the application calls it.
        subscription: who is told of it: what the first participant said.
        now: dates it.
    """

    def __init__(self, name: str, subscription: Subscription | None, now: Callable[[], datetime]) -> None:
        self.sid = new_sid("CF")
        self.name = name
        self.subscription = subscription
        self.state: State = "init"
        self.participants: list[Participant] = []
        self.invited: list[Participant] = []  # whose telephones ring
        self.created = self.updated = now()
        self.why_ended: WhyEnded | None = None
        self.ended_by: Participant | None = None
        self.told = 0  # events, which are numbered from 1

    def find(self, wanted: str | None) -> Participant | None:
        """A participant by its call's identifier or by its label."""
        if wanted is None:
            return None
        return next((one for one in self.everybody() if wanted in (one.call.sid, one.label)), None)

    def everybody(self) -> list[Participant]:
        """Who is in it, and who is being rung for it."""
        return self.participants + self.invited

    def heard_by(self, listener: Call) -> Sequence[Call]:
        """Whom a participant hears: everybody who speaks to it, unless it is on hold or the conference waits."""
        hearing = self.find(listener.sid)
        if hearing is None or hearing in self.invited or hearing.hold is not None or self.state != "in-progress":
            return ()
        return [
            one.call
            for one in self.participants
            if one is not hearing and one.hold is None and not one.muted and one.coached in (None, hearing)
        ]

    def look(self) -> None:
        """Something has changed for everybody."""
        for participant in self.participants:
            participant.look()


class Seat:
    """What a participant's keys and words do: whoever hears it hears them.

    Arguments:
        participant: whose they are.
        on_star: what ``*`` does instead, if anything.
    """

    def __init__(self, participant: Participant, on_star: Callable[[], None] | None) -> None:
        self._participant = participant
        self._on_star = on_star

    @property
    def hears_speech(self) -> bool:
        return True

    def press(self, key: str) -> bool:
        """Pass a key on: nothing in a conference collects keys."""
        if key == "*" and self._on_star is not None:
            self._on_star()
            return True
        for call in self._listeners():
            call.hear("tone", key)
        return True

    def speak(self, text: str) -> bool:
        """Say something to whoever hears it."""
        for call in self._listeners():
            call.hear("voice", text)
        return True

    def _listeners(self) -> list[Call]:
        conference, call = self._participant.conference, self._participant.call
        return [one.call for one in conference.participants if call in conference.heard_by(one.call)]


class Conferences:
    """Every conference of the account.

    Arguments:
        now: dates them.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.all: dict[str, Conference] = {}
        self._latest: dict[str, Conference] = {}  # by name
        self._now = now

    def running(self, name: str) -> Conference | None:
        """The conference of a name, or of an identifier, that has not ended."""
        found = self._latest.get(name) or self.all.get(name)
        return found if found is not None and found.state != "completed" else None

    def begin(self, name: str, subscription: Subscription | None) -> Conference:
        """A conference that nobody is in yet."""
        conference = Conference(name, subscription, self._now)
        self.all[conference.sid] = self._latest[name] = conference
        return conference
