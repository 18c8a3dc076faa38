"""Queues: who waits in them in which order, and who waits for somebody to fetch from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from callcenter.emulator.calls import Call
from callcenter.emulator.identifiers import new_sid
from callcenter.emulator.interludes import Interlude
from callcenter.emulator.legs import Pair
from callcenter.emulator.verbs import DialledQueue
from callcenter.emulator.webhooks import Parameters

LONGEST_NAME = 64  # characters
USUAL_SIZE, LARGEST_SIZE = 1000, 5000


@dataclass(eq=False, slots=True)
class Claim:
    """A Dial that fetches the first of a queue.

    Arguments:
        call: the leg that dials.
        wanted: the queue, and what its member hears first.
        star: whether a ``*`` of whoever dials parts the two.
        member: whom it got; ``whisper``, what that one hears first.
        pair: the two, once joined.
        given_up: whether whoever dialled has left.
    """

    call: Call
    wanted: DialledQueue
    star: bool = False
    member: Member | None = None
    whisper: Interlude[Any] | None = None
    pair: Pair | None = None
    given_up: bool = False


@dataclass(eq=False, slots=True)
class Member:
    """A call in a queue.

    Arguments:
        since: when it came, in the call's seconds; ``entered`` as a date.
        music: what it hears.
        claim: the Dial that has fetched it.
        waited: how many seconds it was there when it was fetched.
    """

    call: Call
    since: float
    entered: datetime
    music: Interlude[Any]
    claim: Claim | None = None
    waited: int | None = None

    @property
    def seconds(self) -> int:
        """How long it has been there."""
        return int(self.call.timeline.elapsed - self.since + 1e-9)


@dataclass(eq=False, slots=True)
class Queue:
    """One queue.

    Arguments:
        members: those that wait, the first to be fetched first.
        claims: those that wait for somebody to come.
    """

    sid: str
    name: str
    max_size: int
    created: datetime
    updated: datetime
    members: list[Member] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)

    @property
    def average_wait(self) -> int:
        """Seconds that its members have been there, on the average."""
        return sum(member.seconds for member in self.members) // len(self.members) if self.members else 0

    def position(self, member: Member) -> int:
        """A member's place, from 1."""
        return self.members.index(member) + 1

    def give_up(self, claim: Claim) -> None:
        """Whoever dials has left, or has talked enough; harmless when all is over."""
        claim.given_up = True
        if claim in self.claims:
            self.claims.remove(claim)
        if claim.whisper is not None and claim.pair is None:
            claim.whisper.cut()
        if claim.pair is not None:
            claim.pair.part()

    def leave(self, member: Member) -> None:
        """A member has left, whichever way; whoever has fetched it in vain is the next to get another one."""
        claim = member.claim
        if member in self.members:
            self.members.remove(member)
        if claim is not None and claim.pair is not None:
            claim.pair.part()
        elif claim is not None and not claim.given_up:
            claim.member = claim.whisper = None
            self.claims.insert(0, claim)
            self.match()

    def match(self) -> None:
        """Give whoever waits for somebody the first who waits; from then on the two are one conversation."""
        while self.claims and self.members:
            claim, member = self.claims.pop(0), self.members.pop(0)
            claim.member, member.claim, member.waited = member, claim, member.seconds
            claim.call.timeline.meet(member.call.timeline)
            member.music.cut()
            claim.call.bell.ring()

    def told(self, member: Member) -> Parameters:
        """What a request for what a member hears says. Source: https://www.twilio.com/docs/voice/twiml/enqueue"""
        return (
            ("QueuePosition", str(self.position(member))),
            ("QueueSid", self.sid),
            ("QueueTime", str(member.seconds)),
            ("AvgQueueTime", str(self.average_wait)),
            ("CurrentQueueSize", str(len(self.members))),
            ("MaxQueueSize", str(self.max_size)),
        )


class Queues:
    """Every queue of the account.

    Arguments:
        now: dates them.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.all: dict[str, Queue] = {}
        self._now = now

    def named(self, name: str) -> Queue | None:
        """The queue of a name."""
        return next((queue for queue in self.all.values() if queue.name == name), None)

    def create(self, name: str, max_size: int = USUAL_SIZE) -> Queue:
        """A new queue."""
        now = self._now()
        queue = Queue(new_sid("QU"), name, max_size, now, now)
        self.all[queue.sid] = queue
        return queue

    def enter(self, queue: Queue, call: Call) -> Member:
        """Put a call at the end of a queue."""
        member = Member(call, call.timeline.elapsed, self._now(), Interlude(call))
        queue.members.append(member)
        return member
