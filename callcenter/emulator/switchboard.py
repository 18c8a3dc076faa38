"""The calls of the emulator: starting them, finding them, ringing telephones, ending everything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from callcenter.emulator.audio import Sounds
from callcenter.emulator.calls import Call, Ending, Fetch, HungUp, Parties, Source, Subscription
from callcenter.emulator.clients import SCHEME, Clients
from callcenter.emulator.conferences import Conference, Conferences, Participant
from callcenter.emulator.conferring import Conferring
from callcenter.emulator.dialling import GRACE, Dialling, Program
from callcenter.emulator.identifiers import new_call_token, new_sid
from callcenter.emulator.interpreter import Carrier, Interpreter
from callcenter.emulator.legs import Leg
from callcenter.emulator.lines import Approach, Lines
from callcenter.emulator.queueing import Queueing
from callcenter.emulator.queues import Queues
from callcenter.emulator.recordings import Recordings
from callcenter.emulator.reports import Reports
from callcenter.emulator.results import Ended, Exhausted, Left, Place
from callcenter.emulator.settings import CallClock, EmulatorSettings, NumberSettings
from callcenter.emulator.timeline import Changes, LiveTimeline, Pace, ScriptedTimeline, Timeline
from callcenter.emulator.verbs import DialledConference
from callcenter.emulator.webhooks import Parameters, Webhooks

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """A call that the application asks for over REST.

    Arguments:
        source: the document that runs once it is answered.
        timeout: seconds it rings, the carrier's grace not counted.
    """

    caller: str
    called: str
    source: Source
    fallback: Fetch | None = None
    subscription: Subscription | None = None
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody whom the application rings for a conference over REST.

    Arguments:
        wanted: how they come.
        timeout: seconds it rings, the carrier's grace not counted.
        time_limit: seconds that they may stay.
    """

    caller: str
    called: str
    wanted: DialledConference
    subscription: Subscription | None = None
    timeout: float = 60.0
    time_limit: float = 14_400.0


class Switchboard:
    """Everything that rings or talks.

    Arguments:
        settings: numbers and account.
        webhooks, sounds, reports, recordings: the carrier's ways to the application.
        clock: shared with the application, if given.
        now: dates what happens.
    """

    def __init__(
        self,
        settings: EmulatorSettings,
        webhooks: Webhooks,
        sounds: Sounds,
        reports: Reports,
        recordings: Recordings,
        clock: CallClock | None,
        now: Callable[[], datetime],
    ) -> None:
        self.calls: dict[str, Call] = {}
        self.changes = Changes()
        self.lines = Lines(self.serves if settings.numbers else None)
        self.clients = Clients(now)
        self._legs: dict[str, Leg] = {}
        self._settings = settings
        self._reports = reports
        self._clock = clock
        self._now = now
        self.queues = Queues(now)
        queueing = Queueing(self, self.queues)
        self.conferring = Conferring(self, Conferences(now), now)
        self._dialling = Dialling(self, queueing, self.conferring)
        self._carrier = Carrier(webhooks, sounds, self._dialling, queueing, recordings)
        self._tasks: set[asyncio.Task[None]] = set()

    def timeline(self, pace: Pace) -> Timeline:
        """A fresh conversation's time."""
        timeline: Timeline = LiveTimeline() if pace == "live" else ScriptedTimeline(self._clock)
        timeline.changes.lead_to(self.changes)
        return timeline

    def pass_time(self, seconds: float) -> bool:
        """Move the shared clock; False where there is none."""
        if self._clock is not None:
            self._clock.advance(seconds)
        return self._clock is not None

    def serves(self, number: str) -> bool:
        """Whether a dialled number is an inbound call of ours rather than somebody's telephone."""
        return number in self._settings.numbers

    def call(self, caller: str, called: str, timeline: Timeline, forwarded_from: str | None = None) -> Call:
        """Somebody calls a number; it reaches us, perhaps over lines that forward, or other people's telephones."""
        approach = Approach(caller, called, forwarded_from)
        reached = self.lines.follow(approach)
        if reached is not None and (self.lines.ours(reached) or not (reached.forwards or self.lines.known(called))):
            return self.inbound(reached.caller, reached.number, timeline, forwarded_from=reached.forwarded_from)
        parties = Parties(new_sid("CA"), self._settings.account_sid, caller, called, "inbound")
        call = self._new(parties, timeline)
        call.outside = True
        self.start(call, self._elsewhere(call, approach))
        return call

    def inbound(
        self,
        caller: str,
        called: str,
        timeline: Timeline,
        hops: int = 0,
        mirror: Call | None = None,
        forwarded_from: str | None = None,
    ) -> Call:
        """Somebody calls one of our numbers.

        Arguments:
            caller: sent as it is, however withheld or malformed.
            called: the number; its settings decide.
            timeline: the conversation's time.
            hops: how many served numbers were dialled to get here.
            mirror: a leg that hears what is heard here.
            forwarded_from: the line that was dialled and is forwarded to ours, sent as it is.
        """
        parties = Parties(
            new_sid("CA"), self._settings.account_sid, caller, called, "inbound", hops=hops,
            forwarded_from=forwarded_from,
        )  # fmt: skip
        call = self._new(parties, timeline)
        call.mirror = mirror
        self.start(call, self._converse(call, self._welcome(call)))
        return call

    def dial_application(
        self, identity: str, application: str, parameters: Parameters, timeline: Timeline
    ) -> Call | None:
        """A softphone calls a TwiML application; None where the account has none of that identifier.

        Arguments:
            identity: the softphone's.
            application: ``AP…``.
            parameters: what the application is told besides, with its first request.
            timeline: the conversation's time.
        """
        settings = self._settings.applications.get(application)
        if settings is None:
            return None
        parties = Parties(
            new_sid("CA"), self._settings.account_sid, SCHEME + identity, "", "inbound", application=application
        )
        call = self._new(parties, timeline)
        self.start(call, self._converse(call, self._received(call, settings, parameters)))
        return call

    def order(self, order: Order) -> Call:
        """The application calls somebody; scripted when a clock is shared, live otherwise."""
        timeline = self.timeline("live" if self._clock is None else "scripted")
        leg = self._outward(order.caller, order.called, timeline, order.timeout)
        leg.call.fallback, leg.call.subscription = order.fallback, order.subscription
        self.start(leg.call, self._outbound(leg, order.source))
        return leg.call

    def invite(self, invitation: Invitation, conference: Conference) -> Participant:
        """The application rings somebody for a conference; their time is that of those who are in it."""
        others = conference.everybody()
        timeline = others[0].call.timeline if others else self.timeline("live" if self._clock is None else "scripted")
        leg = self._outward(invitation.caller, invitation.called, timeline, invitation.timeout)
        leg.call.subscription = invitation.subscription
        participant = self.conferring.prepare(conference, leg.call, invitation.wanted)
        conference.invited.append(participant)
        self.start(leg.call, self._invited(leg, participant, invitation.time_limit))
        return participant

    def put_out(self, participant: Participant) -> None:
        """Put somebody out of a conference, or ring them no longer."""
        if participant in participant.conference.invited:
            participant.call.interrupt(HungUp("carrier"))
        else:
            self.conferring.kick(participant)

    def _outward(self, caller: str, called: str, timeline: Timeline, timeout: float) -> Leg:
        parties = Parties(new_sid("CA"), self._settings.account_sid, caller, called, "outbound-api")
        call = self._new(parties, timeline)
        leg = self._legs[call.sid] = Leg(call, timeline.elapsed + timeout + GRACE, called)
        return leg

    def new_leg(
        self, parent: Call, number: str, caller_id: str, subscription: Subscription | None, ring_until: float
    ) -> Leg:
        """A leg that a Dial makes; it shares the conversation's time."""
        parties = Parties(
            new_sid("CA"), self._settings.account_sid, caller_id, number, "outbound-dial", parent.sid,
            parent.parties.hops,
        )  # fmt: skip
        call = self._new(parties, parent.timeline)
        call.subscription = subscription
        leg = self._legs[call.sid] = Leg(call, ring_until, number)
        return leg

    def start(self, call: Call, program: Program) -> None:
        """Let a leg live; the conversation is busy at once, not only when its task gets a turn."""
        call.timeline.enter()
        task = asyncio.ensure_future(call.live(program, lambda source: self._converse(call, source)))
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def ringing(self) -> list[Leg]:
        """Telephones that ring now."""
        return [
            leg
            for leg in self._legs.values()
            if leg.call.status == "ringing" and leg.partner is None and not leg.picked_up and leg.refused is None
        ]

    def unregister(self, identity: str) -> bool:
        """A client waits for calls no more: what rings on it is not answered; False if it was not registered."""
        known = self.clients.unregister(identity)
        for leg in self.ringing():
            if not self.clients.reachable(leg.rings_at):
                leg.refuse("no-answer")
        return known

    async def interpret(self, call: Call, source: Source) -> Ended | None:
        """Run a document on a leg; None when it came to its end without ending the call."""
        outcome = await Interpreter(call, self._carrier).run(source)
        return outcome if isinstance(outcome, Ended) else None

    async def perform(self, call: Call, source: Source, place: Place) -> Exhausted | Ended | Left:
        """Run a document in a place.

        Raises:
            DocumentFailed: it cannot be fetched, or holds a verb that is not legal there.
        """
        return await Interpreter(call, self._carrier, place).run(source)

    def tell(self, call: Call, asked: Fetch) -> None:
        """Make a request whose answer has no effect."""
        self._reports.ask(call, asked)

    def conference_changed(self, call: Call, sid: str, subscription: Subscription, parameters: Parameters) -> None:
        """Tell of a conference, because of a call in it."""
        self._reports.told(call, sid, subscription.url, subscription.method, parameters)

    async def close(self) -> None:
        """End everything at once, without telling anybody."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _new(self, parties: Parties, timeline: Timeline) -> Call:
        call = self.calls[parties.sid] = Call(parties, timeline, self._now, self._status_changed)
        return call

    def _status_changed(self, call: Call) -> None:
        log.debug("emulator.call", sid=call.sid, status=call.status, direction=call.parties.direction)
        self._reports.call_changed(call)
        if call.over:
            self._legs.pop(call.sid, None)
        self.changes.notify()

    async def _converse(self, call: Call, source: Source) -> Ending:
        ended = await self.interpret(call, source)
        return ended.ending if ended is not None else "completed"

    async def _outbound(self, leg: Leg, source: Source) -> Ending:
        try:
            return await self._dialling.reach(leg) or await self._converse(leg.call, source)
        finally:
            self._dialling.release(leg)

    async def _invited(self, leg: Leg, participant: Participant, seconds: float) -> Ending:
        """Somebody who is rung for a conference: once they have answered they are in it, then the call is over."""
        invited = participant.conference.invited
        try:
            unreached = await self._dialling.reach(leg)
            invited.remove(participant)
            if unreached is None and participant.conference.state != "completed":
                await self.conferring.sit(participant, seconds)
            return unreached or "completed"
        finally:
            if participant in invited:
                invited.remove(participant)
            self.conferring.close_if_empty(participant.conference)
            self._dialling.release(leg)

    async def _elsewhere(self, call: Call, approach: Approach) -> Ending:
        """A call to a line that is not ours, which may come to us yet."""

        def arrive(reached: Approach) -> None:
            call.parties = replace(
                call.parties, caller=reached.caller, called=reached.number, forwarded_from=reached.forwarded_from
            )
            call.outside = False

        ending = await self._dialling.place(call, approach, arrive)
        return ending or await self._converse(call, self._welcome(call))

    def _welcome(self, call: Call) -> Fetch:
        """The first document of a call to one of our numbers, which begins to ring."""
        settings = self._settings.number(call.parties.called)
        return self._received(call, settings, (("CallToken", new_call_token()),))

    def _received(self, call: Call, settings: NumberSettings, extras: Parameters) -> Fetch:
        call.fallback = Fetch(settings.fallback_url) if settings.fallback_url else None
        call.subscription = Subscription(settings.status_callback) if settings.status_callback else None
        call.become("ringing")
        return Fetch(settings.voice_url, extras=extras)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("emulator.call_crashed", error=type(error).__name__, exc_info=error)
