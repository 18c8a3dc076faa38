"""Enqueue, and Dial to a queue: waiting, being fetched, being joined, and what is told of it afterwards."""

from __future__ import annotations

import asyncio
from math import ceil
from typing import Literal, Protocol

from callcenter.emulator.calls import Afterwards, Call, Fetch, Source
from callcenter.emulator.interludes import Interlude
from callcenter.emulator.legs import Pair
from callcenter.emulator.prompts import LONGEST_CALL
from callcenter.emulator.queues import LONGEST_NAME, Claim, Member, Queue, Queues
from callcenter.emulator.results import (
    FETCHED,
    QUEUE,
    DialResult,
    Ended,
    Exhausted,
    Left,
    Place,
    QueueLeft,
    Standstill,
)
from callcenter.emulator.twiml import DocumentFailed
from callcenter.emulator.verbs import Alert, Dial, DialledQueue, Enqueue

GRACE = 5.0  # seconds the carrier adds to the timeout before it gives up
MUSIC = "[musique d'attente]"

Result = Literal[
    "bridged", "bridging-in-process", "leave", "hangup", "redirected", "redirected-from-bridged", "queue-full", "error"
]


class Exchange(Protocol):
    """Runs documents, and tells the application what is not answered with one."""

    async def perform(self, call: Call, source: Source, place: Place) -> Exhausted | Ended | Left: ...

    def tell(self, call: Call, asked: Fetch) -> None: ...


class Queueing:
    """Executes Enqueue, and Dial to a queue.

    Arguments:
        exchange: runs documents.
        queues: has the queues.
    """

    def __init__(self, exchange: Exchange, queues: Queues) -> None:
        self._exchange = exchange
        self._queues = queues

    async def enqueue(self, call: Call, enqueue: Enqueue) -> QueueLeft | Ended:
        """Wait until the queue is left, whichever way."""
        if not 0 < len(enqueue.name) <= LONGEST_NAME:
            message = f"<Enqueue> needs the name of a queue, of {LONGEST_NAME} characters at most"
            call.alert(Alert(12200, "error", message))
            return QueueLeft((("QueueResult", "error"),))
        if call.parties.parent is not None and not call.diverted:
            call.alert(Alert(12200, "error", "<Enqueue> on a leg that was dialled and is not joined yet"))
            return QueueLeft((("QueueResult", "error"),))
        queue = self._queues.named(enqueue.name) or self._queues.create(enqueue.name)
        if len(queue.members) >= min(queue.max_size, enqueue.max_size or queue.max_size):
            return QueueLeft((("QueueResult", "queue-full"),))
        member = self._queues.enter(queue, call)
        queue.match()
        try:
            result = await self._stay(queue, member, enqueue)
        except asyncio.CancelledError:
            if call.interrupted:
                self._tell_of_interruption(queue, member, enqueue)
            raise
        finally:
            queue.leave(member)
        if isinstance(result, Ended):
            self._tell_afterwards(enqueue, member, _left(queue, member, "hangup"))
            return result
        return _left(queue, member, result)

    async def fetch(self, call: Call, dial: Dial, wanted: DialledQueue) -> DialResult:
        """Be joined with the first of a queue, after waiting for one to come."""
        queue = self._queues.named(wanted.name)
        if queue is None:
            call.alert(Alert(12200, "error", f"<Dial><Queue>: there is no queue {wanted.name!r}"))
            return DialResult("failed")
        claim = Claim(call, wanted, dial.hangup_on_star)
        queue.claims.append(claim)
        queue.match()
        try:
            if not await self._joined(claim, call.timeline.elapsed + dial.timeout + GRACE):
                return DialResult("no-answer")
            return await self._talk(claim, dial.time_limit)
        finally:
            queue.give_up(claim)

    async def _joined(self, claim: Claim, until: float) -> bool:
        """Wait for somebody, and for them to have heard what they hear first; False when nobody comes in time."""
        call = claim.call
        while claim.pair is None:
            in_time = await call.timeline.wait(call.bell, until if claim.member is None else None)
            if not in_time and claim.member is None:
                return False
        return True

    async def _talk(self, claim: Claim, seconds: float) -> DialResult:
        call, pair, member = claim.call, claim.pair, claim.member
        if call.answered is None:
            call.become("in-progress")
        began = call.timeline.elapsed
        while pair is not None and not pair.parted:
            if not await call.timeline.wait(call.bell, began + seconds):
                break
        lasted = max(0, ceil(call.timeline.elapsed - began - 1e-9))
        return DialResult("completed", member.call.sid if member is not None else None, lasted, bridged=True)

    async def _stay(self, queue: Queue, member: Member, enqueue: Enqueue) -> Result | Ended:
        """Hear what is heard in the queue, then whoever fetches the call."""
        try:
            outcome = await member.music.run(self._wait(queue, member, enqueue))
            if member.claim is None:
                return outcome if isinstance(outcome, Ended) else "leave"
            return await self._fetched(queue, member, member.claim)
        except DocumentFailed as failed:
            member.call.alert(Alert(failed.code, "error", str(failed), failed.url))
            return "error"

    async def _wait(self, queue: Queue, member: Member, enqueue: Enqueue) -> Left | Ended:
        """The document that is heard meanwhile, asked for again whenever it has come to its end."""
        call = member.call
        if enqueue.wait_url is None:
            call.hear("tone", MUSIC)
            while await call.timeline.wait(call.bell, LONGEST_CALL):
                continue
            return Ended()
        standstill = Standstill(call)
        while True:
            asked = Fetch(enqueue.wait_url, enqueue.wait_method, queue.told(member))
            outcome = await self._exchange.perform(call, asked, QUEUE)
            if not isinstance(outcome, Exhausted):
                return outcome
            if standstill.another():
                raise DocumentFailed(14202, enqueue.wait_url, "The document of the queue lasts no time")

    async def _fetched(self, queue: Queue, member: Member, claim: Claim) -> Result | Ended:
        """Hear what whoever is fetched hears first, then be joined.

        Source: https://www.twilio.com/docs/voice/twiml/queue
        """
        call, wanted = member.call, claim.wanted
        if wanted.url is not None and not claim.given_up:
            told = (
                ("QueueSid", queue.sid),
                ("QueueTime", str(member.seconds)),
                ("DequeingCallSid", claim.call.sid),  # the carrier's spelling
            )
            claim.whisper = Interlude(call)
            asked = Fetch(wanted.url, wanted.method, told)
            outcome = await claim.whisper.run(self._exchange.perform(call, asked, FETCHED))
            if isinstance(outcome, Ended):
                return outcome
        if claim.given_up:
            return "bridging-in-process"
        pair = claim.pair = Pair(claim.call, call, star=(lambda: pair.part()) if claim.star else None)
        claim.call.bell.ring()
        pair.announce()
        while not pair.parted:
            await call.timeline.wait(call.bell, None)
        return "bridged"

    def _tell_of_interruption(self, queue: Queue, member: Member, enqueue: Enqueue) -> None:
        """Tell the action of a queue that was left by hanging up or by REST; what it answers has no effect."""
        call, claim = member.call, member.claim
        joined = claim is not None and claim.pair is not None
        if not call.leads_elsewhere:
            result: Result = "bridged" if joined else "hangup" if claim is None else "bridging-in-process"
            self._tell_afterwards(enqueue, member, _left(queue, member, result))
        elif enqueue.action is not None:
            left = _left(queue, member, "redirected-from-bridged" if joined else "redirected")
            self._exchange.tell(call, Fetch(enqueue.action, enqueue.method, left.parameters))

    def _tell_afterwards(self, enqueue: Enqueue, member: Member, left: QueueLeft) -> None:
        if enqueue.action is not None:
            asked = Fetch(enqueue.action, enqueue.method, left.parameters)
            member.call.afterwards = Afterwards(asked, lambda: None)


def _left(queue: Queue, member: Member, result: Result) -> QueueLeft:
    waited = member.waited if member.waited is not None else member.seconds
    return QueueLeft((("QueueResult", result), ("QueueSid", queue.sid), ("QueueTime", str(waited))))
