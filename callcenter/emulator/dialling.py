"""Dial: other telephones ring, one is answered, hears its whisper, and is joined with the caller."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Protocol

from callcenter.emulator.calls import Call, Ending, Fetch, HungUp, Source, Subscription
from callcenter.emulator.clients import Clients, is_client
from callcenter.emulator.conferring import Conferring
from callcenter.emulator.legs import Leg, Pair, Tether
from callcenter.emulator.lines import Approach, Lines, Unreached
from callcenter.emulator.queueing import Queueing
from callcenter.emulator.results import DialResult, Ended
from callcenter.emulator.timeline import Changes, Timeline
from callcenter.emulator.verbs import Alert, Dial, DialledNumber

E164 = re.compile(r"\+[1-9]\d{6,14}")
GRACE = 5.0  # seconds the carrier adds to the timeout before it gives up
PATIENCE = 60.0  # seconds that a telephone rings for another one
HOPS = 10  # served numbers dialled from one another: ours, so that a line forwarded to itself ends
MOST_RUNG = 10  # together: https://www.twilio.com/docs/voice/twiml/dial
RINGING_TONE = "[sonnerie]"

Program = Coroutine[None, None, Ending]


class Exchange(Protocol):
    """Makes legs, runs documents and starts calls."""

    changes: Changes
    lines: Lines
    clients: Clients

    def serves(self, number: str) -> bool: ...

    def new_leg(
        self, parent: Call, number: str, caller_id: str, subscription: Subscription | None, ring_until: float
    ) -> Leg: ...

    def start(self, call: Call, program: Program) -> None: ...

    def inbound(
        self,
        caller: str,
        called: str,
        timeline: Timeline,
        hops: int,
        mirror: Call | None,
        forwarded_from: str | None,
    ) -> Call: ...

    async def interpret(self, call: Call, source: Source) -> Ended | None: ...


class Dialling:
    """Executes Dial.

    Arguments:
        exchange: makes the legs.
        queueing: fetches from queues.
        conferring: leads into conferences.
    """

    def __init__(self, exchange: Exchange, queueing: Queueing, conferring: Conferring) -> None:
        self._exchange = exchange
        self._queueing = queueing
        self._conferring = conferring

    async def dial(self, call: Call, dial: Dial) -> DialResult:
        """Ring, join, and wait for the end."""
        if call.parties.parent is not None and not call.diverted:  # led elsewhere over REST, it is on its own
            return self._failed(call, 13201, "<Dial> on a leg that was dialled itself")
        if dial.queue is not None:
            return await self._queueing.fetch(call, dial, dial.queue)
        if dial.conference is not None:
            return await self._conferring.confer(call, dial, dial.conference)
        outbound = call.parties.direction == "outbound-api"  # there the number that is ours is the one that called
        caller_id = dial.caller_id or (call.parties.called if outbound else call.parties.caller)
        own = {call.parties.caller, call.parties.called}
        outward = [one.number for one in dial.numbers if not is_client(one.number)]  # a client may be shown anything
        known = E164.fullmatch(caller_id) and (caller_id in own or self._exchange.serves(caller_id))
        if (outward or not dial.numbers) and not known:
            return self._failed(call, 13214, "callerId is neither a number of the account nor one of the call")
        if not dial.numbers or not all(E164.fullmatch(number) for number in outward):
            return self._failed(call, 13224, "<Dial> needs numbers in E.164, such as +33465710001")
        if len(dial.numbers) > MOST_RUNG:
            return self._failed(call, 13215, f"<Dial> rings {MOST_RUNG} at most")
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
            Subscription(number.status_callback, number.status_method, number.events)
            if number.status_callback is not None
            else None
        )
        leg = self._exchange.new_leg(
            call, number.number, caller_id, subscription, call.timeline.elapsed + timeout + GRACE
        )
        leg.parameters = number.parameters
        leg.whisper = Fetch(number.url, number.method) if number.url is not None else None
        leg.call.watchers.append(call.bell)
        self._exchange.start(leg.call, self._dialled(leg, call))
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
        pair = Pair(call, leg.call, partner=leg.partner, star=star)
        if leg.partner is None:
            pair.announce()
        until = call.timeline.elapsed + dial.time_limit
        try:
            while leg.joined and not leg.call.over:
                if not await call.timeline.wait(call.bell, until):
                    return
        finally:
            pair.part()

    async def _dialled(self, leg: Leg, parent: Call) -> Ending:
        """A leg that a Dial made, wherever it leads: it answers, hears its whisper, is joined."""
        try:
            unreached = await self.reach(leg, parent)
            if unreached is not None:
                return unreached
            if leg.whisper is not None:
                ended = await self._exchange.interpret(leg.call, leg.whisper)
                if ended is not None:
                    return "completed"
            await self._stay(leg)
            return "completed"
        finally:
            self.release(leg)

    async def reach(self, leg: Leg, mirror: Call | None = None) -> Ending | None:
        """Ring where the called number leads, from line to line; None when somebody, or a call of ours, answered.

        Whoever asks for it releases the leg.

        Arguments:
            mirror: hears what a call of ours says that is reached.
        """
        call = leg.call
        call.become("initiated")
        onward: Approach | None = Approach(call.parties.caller, call.parties.called)
        unreached: Unreached = "busy"
        while onward is not None:
            reached = self._exchange.lines.follow(onward)
            if reached is None:
                return "busy"
            if self._exchange.lines.ours(reached):
                call.become("ringing")
                return await self._served(leg, reached, mirror)
            missed = await self.ring(leg, reached.number)
            if missed is None or call.timeline.elapsed >= leg.ring_until:
                return missed
            unreached, onward = missed, self._exchange.lines.onward(reached, missed)
        return unreached

    async def ring(self, leg: Leg, number: str) -> Unreached | None:
        """Ring a telephone until somebody decides or time is up; None when it was picked up."""
        call, lines = leg.call, self._exchange.lines
        leg.rings_at, leg.refused = number, None
        if not self._exchange.clients.reachable(number):
            return "no-answer"
        match lines.manner(number):
            case "busy" | "no-answer" | "failed" as refused:
                leg.refused = refused
            case "answers":
                leg.picked_up = True
        call.become("ringing")
        self._exchange.changes.notify()  # it may have rung before, elsewhere
        voicemail = lines.voicemail(number)
        patience = lines.rings_for(number) if voicemail is None else voicemail.after
        until = leg.ring_until if patience is None else min(leg.ring_until, call.timeline.elapsed + patience)
        while not leg.picked_up:
            if leg.refused is not None:
                return leg.refused
            if not await call.timeline.wait(call.bell, until) and not leg.picked_up:
                if voicemail is None or until >= leg.ring_until:
                    return "no-answer"
                leg.picked_up, call.greeting = True, voicemail.says
        call.become("in-progress")
        return None

    async def _served(self, leg: Leg, reached: Approach, mirror: Call | None) -> Ending | None:
        """Be an inbound call of ours behind the leg."""
        call = leg.call
        partner = self._exchange.inbound(
            reached.caller, reached.number, call.timeline, call.parties.hops + 1, mirror, reached.forwarded_from
        )
        leg.partner = partner
        partner.watchers.append(call.bell)
        while partner.answered is None and not partner.over:
            if not await call.timeline.wait(call.bell, leg.ring_until):
                return "no-answer"
        if partner.answered is None:
            return _unanswered(partner)
        call.become("in-progress")
        partner.watchers.append(Tether(partner, call))
        return None

    def release(self, leg: Leg) -> None:
        """Let go of a call of ours behind the leg."""
        if leg.partner is not None:
            leg.partner.interrupt(HungUp("telephone"))

    async def place(self, call: Call, approach: Approach, arrive: Callable[[Approach], None]) -> Ending | None:
        """Somebody calls a line that is not ours; None when the call has come to us, as the same call.

        Arguments:
            arrive: makes the call an inbound one of ours.
        """
        call.become("ringing")
        onward: Approach | None = approach
        unreached: Unreached = "busy"
        while onward is not None:
            reached = self._exchange.lines.follow(onward)
            if reached is None:
                return "busy"
            if self._exchange.lines.ours(reached):
                arrive(reached)
                return None
            leg = self._exchange.new_leg(call, reached.number, reached.caller, None, call.timeline.elapsed + PATIENCE)
            leg.call.outside = True
            leg.call.watchers.append(call.bell)
            self._exchange.start(leg.call, self._telephone(leg))
            if await self._talked(call, leg):
                return "completed"
            unreached = _unanswered(leg.call)
            onward = self._exchange.lines.onward(reached, unreached)
        return unreached

    async def _talked(self, call: Call, leg: Leg) -> bool:
        """Whether the telephone was answered; then the two have talked."""
        try:
            return (await self._connect(call, Dial((DialledNumber(leg.rings_at),)), [leg])).status == "completed"
        finally:
            call.listen(None)
            leg.call.interrupt(HungUp("carrier"))

    async def _telephone(self, leg: Leg) -> Ending:
        """Somebody's telephone, called from another one."""
        leg.call.become("initiated")
        unreached = await self.ring(leg, leg.rings_at)
        if unreached is not None:
            return unreached
        await self._stay(leg)
        return "completed"

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


def _unanswered(call: Call) -> Unreached:
    match call.status:
        case "busy" | "failed":
            return call.status
        case _:
            return "no-answer"
