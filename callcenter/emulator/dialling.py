"""Dial: other telephones ring, one is answered, hears its whisper, and is joined with the caller."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Literal, Protocol

from callcenter.emulator.calls import Call, Ending, Fetch, HungUp, Source, Subscription
from callcenter.emulator.interpreter import DialResult, Ended
from callcenter.emulator.timeline import Timeline
from callcenter.emulator.verbs import Alert, Dial, DialledNumber

E164 = re.compile(r"\+[1-9]\d{6,14}")
GRACE = 5.0  # seconds the carrier adds to the timeout before it gives up
HOPS = 10  # served numbers dialled from one another: ours, so that a line forwarded to itself ends
RINGING_TONE = "[sonnerie]"

Refusal = Literal["busy", "no-answer", "failed"]
Program = Coroutine[None, None, Ending]


@dataclass(eq=False, slots=True)
class Leg:
    """A called telephone and its answer.

    Arguments:
        call: the leg.
        ring_until: when nobody will have answered, in the conversation's seconds.
        whisper: what it hears before it is joined.
        partner: the inbound call that it is, if the number is one of ours.
        joined: whether it is joined now; ``bridged``, whether it ever was.
    """

    call: Call
    ring_until: float
    whisper: Source | None = None
    partner: Call | None = None
    picked_up: bool = False
    refused: Refusal | None = None
    joined: bool = False
    bridged: bool = False

    def answer(self) -> None:
        """The telephone is picked up."""
        self.picked_up = True
        self.call.bell.ring()

    def refuse(self, refusal: Refusal) -> None:
        """The telephone is not picked up, and will not be."""
        self.refused = refusal
        self.call.bell.ring()


class Exchange(Protocol):
    """Makes legs, runs documents and starts calls."""

    def serves(self, number: str) -> bool: ...

    def new_leg(
        self, parent: Call, number: str, caller_id: str, subscription: Subscription | None, ring_until: float
    ) -> Leg: ...

    def start(self, call: Call, program: Program) -> None: ...

    def inbound(self, caller: str, called: str, timeline: Timeline, hops: int, mirror: Call | None) -> Call: ...

    async def interpret(self, call: Call, source: Source) -> Ended | None: ...


class Bridge:
    """What one party's keys do while two are joined: the other hears them.

    Arguments:
        far: the other party.
        partner: a call of ours behind it, which takes the keys itself.
        on_star: what ``*`` does instead, if anything.
    """

    def __init__(self, far: Call, partner: Call | None = None, on_star: Callable[[], None] | None = None) -> None:
        self._far = far
        self._partner = partner
        self._on_star = on_star

    @property
    def hears_speech(self) -> bool:
        listener = self._partner.listener if self._partner else None
        return listener is not None and listener.hears_speech

    def press(self, key: str) -> bool:
        """Pass a key on."""
        if key == "*" and self._on_star is not None:
            self._on_star()
            return True
        if self._partner is not None:
            return bool(self._partner.press(key))
        self._far.hear("tone", key)
        return True

    def speak(self, text: str) -> bool:
        """Pass speech on to a call of ours; a person's ears are no part of the emulator."""
        return self._partner is not None and self._partner.speak(text)


class Dialling:
    """Executes Dial.

    Arguments:
        exchange: makes the legs.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def dial(self, call: Call, dial: Dial) -> DialResult:
        """Ring, join, and wait for the end."""
        if call.parties.parent is not None:
            return self._failed(call, 13201, "<Dial> on a leg that was dialled itself")
        outbound = call.parties.direction == "outbound-api"  # there the number that is ours is the one that called
        caller_id = dial.caller_id or (call.parties.called if outbound else call.parties.caller)
        own = {call.parties.caller, call.parties.called}
        if not E164.fullmatch(caller_id) or not (caller_id in own or self._exchange.serves(caller_id)):
            return self._failed(call, 13214, "callerId is neither a number of the account nor one of the call")
        if not dial.numbers or not all(E164.fullmatch(number.number) for number in dial.numbers):
            return self._failed(call, 13224, "<Dial> needs numbers in E.164, such as +33465710001")
        if call.parties.hops >= HOPS:
            return self._failed(call, 13201, f"The emulator ends a chain of {HOPS} forwarded calls")
        legs = [self._ring(call, number, caller_id, dial.timeout) for number in dial.numbers]
        try:
            return await self._connect(call, dial, legs)
        finally:
            call.listen(None)
            for leg in legs:
                if not leg.call.diverted:  # a leg that was given another document goes its own way
                    leg.call.interrupt(HungUp("carrier"))

    def _failed(self, call: Call, code: int, message: str) -> DialResult:
        call.alert(Alert(code, "error", message))
        return DialResult("failed")

    def _ring(self, call: Call, number: DialledNumber, caller_id: str, timeout: float) -> Leg:
        subscription = (
            Subscription(number.status_callback, events=number.events) if number.status_callback is not None else None
        )
        leg = self._exchange.new_leg(
            call, number.number, caller_id, subscription, call.timeline.elapsed + timeout + GRACE
        )
        leg.whisper = Fetch(number.url, number.method) if number.url is not None else None
        leg.call.watchers.append(call.bell)
        served = self._exchange.serves(number.number)
        self._exchange.start(leg.call, self._served(leg, call) if served else self._telephone(leg))
        return leg

    async def _connect(self, call: Call, dial: Dial, legs: list[Leg]) -> DialResult:
        if call.answered is not None:
            call.hear("tone", RINGING_TONE)
        winner = await self._winner(call, legs)
        if winner is None:
            last = legs[-1]
            busy = all(leg.call.status == "busy" for leg in legs)
            status: Ending = "busy" if busy else "failed" if last.call.status == "failed" else "no-answer"
            return DialResult(status, last.call.sid)
        if winner.joined:
            await self._join(call, dial, winner)
        return DialResult("completed", winner.call.sid, winner.call.duration, winner.bridged)

    async def _winner(self, call: Call, legs: list[Leg]) -> Leg | None:
        """The first leg that was answered, when its whisper is over; None when all have ended unanswered."""
        winner = None
        while winner is None:
            winner = next((leg for leg in legs if leg.call.answered is not None), None)
            if winner is None:
                if all(leg.call.over for leg in legs):
                    return None
                await call.timeline.wait(call.bell, None)
        for leg in legs:
            if leg is not winner:
                leg.call.interrupt(HungUp("carrier"))
        while not (winner.joined or winner.call.over):
            await call.timeline.wait(call.bell, None)
        return winner

    async def _join(self, call: Call, dial: Dial, leg: Leg) -> None:
        if call.answered is None:
            call.become("in-progress")
        star = (lambda: leg.call.interrupt(HungUp("carrier"))) if dial.hangup_on_star else None
        call.listen(Bridge(leg.call, leg.partner, star))
        leg.call.listen(Bridge(call))
        if leg.partner is None:
            call.hear("joined", f"[en communication avec {leg.call.parties.called}]")
            leg.call.hear("joined", f"[en communication avec {leg.call.parties.caller}]")
        until = call.timeline.elapsed + dial.time_limit
        while leg.joined and not leg.call.over:
            if not await call.timeline.wait(call.bell, until):
                return

    async def _telephone(self, leg: Leg) -> Ending:
        """A leg to somebody's telephone."""
        refused = await self.ring(leg)
        if refused is not None:
            return refused
        if leg.whisper is not None:
            ended = await self._exchange.interpret(leg.call, leg.whisper)
            if ended is not None:
                return "completed"
        await self._stay(leg)
        return "completed"

    async def ring(self, leg: Leg) -> Ending | None:
        """Ring until somebody decides or time is up; None when the telephone was picked up."""
        call = leg.call
        call.become("initiated")
        call.become("ringing")
        while not leg.picked_up:
            if leg.refused is not None:
                return leg.refused
            if not await call.timeline.wait(call.bell, leg.ring_until) and not leg.picked_up:
                return "no-answer"
        call.become("in-progress")
        return None

    async def _served(self, leg: Leg, parent: Call) -> Ending:
        """A leg to a number of ours: an inbound call of its own, which the caller hears."""
        call = leg.call
        call.become("initiated")
        call.become("ringing")
        partner = self._exchange.inbound(
            call.parties.caller, call.parties.called, call.timeline, parent.parties.hops + 1, parent
        )
        leg.partner = partner
        partner.watchers.append(call.bell)
        try:
            while partner.answered is None and not partner.over:
                if not await call.timeline.wait(call.bell, leg.ring_until):
                    return "no-answer"
            if partner.answered is None:
                return _unanswered(partner)
            call.become("in-progress")
            await self._stay(leg)
            return "completed"
        finally:
            partner.interrupt(HungUp("telephone"))

    async def _stay(self, leg: Leg) -> None:
        """Be joined until the caller's side, or the call of ours, ends it."""
        leg.joined = leg.bridged = True
        for watcher in leg.call.watchers:
            watcher.ring()
        try:
            while leg.partner is None or not leg.partner.over:
                await leg.call.timeline.wait(leg.call.bell, None)
        finally:
            leg.joined = False
            for watcher in leg.call.watchers:
                watcher.ring()


def _unanswered(call: Call) -> Ending:
    match call.status:
        case "busy" | "failed" | "canceled" | "no-answer":
            return call.status
        case _:
            return "no-answer"
