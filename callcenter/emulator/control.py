"""The control interface under ``/emulator``: what a telephone can do, and what tests may ask. JSON over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from callcenter.emulator.calls import Call, HungUp
from callcenter.emulator.conferences import Conference
from callcenter.emulator.errors import Refusal
from callcenter.emulator.legs import Leg
from callcenter.emulator.messages import Failure, Message, Messages, Refused, Undelivered
from callcenter.emulator.reading import Body, Query
from callcenter.emulator.switchboard import Switchboard
from callcenter.emulator.timeline import Changes, ScriptedTimeline

PREFIX = "/emulator"
KEYS = frozenset("0123456789*#")
LONGEST_POLL = 60.0  # seconds
LONGEST_ADVANCE = 24 * 3600.0
REFUSALS = ("busy", "no-answer", "failed")


class Control:
    """The control interface.

    Arguments:
        switchboard: has the calls and the telephones.
        messages: has the inboxes.
    """

    def __init__(self, switchboard: Switchboard, messages: Messages) -> None:
        self._switchboard = switchboard
        self._messages = messages

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        call = PREFIX + "/calls/{sid}"
        telephone = PREFIX + "/telephones/{sid}"
        return [
            web.post(PREFIX + "/calls", self.start),
            web.get(PREFIX + "/calls", self.calls),
            web.get(call, self.state),
            web.post(call + "/keys", self.press),
            web.post(call + "/speech", self.speak),
            web.post(call + "/advance", self.advance),
            web.post(call + "/meet", self.meet),
            web.post(call + "/hangup", self.hang_up),
            web.post(PREFIX + "/clock", self.pass_time),
            web.get(PREFIX + "/telephones", self.telephones),
            web.post(telephone + "/answer", self.answer),
            web.post(telephone + "/reject", self.reject),
            web.get(PREFIX + "/messages", self.inbox),
            web.post(PREFIX + "/messages/failures", self.fail_messages),
            web.delete(PREFIX + "/messages/failures", self.mend_messages),
        ]

    async def start(self, request: web.Request) -> web.Response:
        """Somebody calls: ``{"from", "to", "pace": "live"|"scripted"}``; ``"forwarded_from"`` where it was diverted."""
        body = await Body.read(request)
        caller, called = body.text("from", 'the calling number, or "anonymous"'), body.text("to", "the called number")
        pace = body.choice("pace", ("live", "scripted"), "live")
        forwarded_from = body.optional("forwarded_from", "the line that was dialled and is forwarded to the called one")
        body.finish()
        timeline = self._switchboard.timeline("scripted" if pace == "scripted" else "live")
        call = self._switchboard.call(caller, called, timeline, forwarded_from)
        return web.json_response({"sid": call.sid}, status=201)

    async def calls(self, request: web.Request) -> web.Response:
        """All calls, oldest first, without what was heard on them."""
        return web.json_response({"calls": [brief(call) for call in self._switchboard.calls.values()]})

    async def state(self, request: web.Request) -> web.Response:
        """One call; ``?after=<revision>`` or ``?until=settled|ended|closed`` waits up to ``wait`` seconds for it."""
        call, query = self._call(request), Query(request)
        until = query.choice("until", ("settled", "ended", "closed"))
        after, wait = query.whole("after", -1), query.seconds("wait", 0.0, LONGEST_POLL)
        query.finish()
        reached: Callable[[], bool] = {
            "settled": lambda: call.activity != "busy",
            "ended": lambda: call.over,
            "closed": lambda: call.over and not call.callbacks_pending,
        }.get(until or "", lambda: call.timeline.changes.revision > after)
        await poll(call.timeline.changes, reached, wait)
        return web.json_response(full(call))

    async def press(self, request: web.Request) -> web.Response:
        """Press keys: ``{"digits": "12#"}``; says which were taken and which nobody heard."""
        call, body = self._call(request), await Body.read(request)
        digits = body.text("digits", "keys to press, of 0-9 * #")
        body.finish()
        if set(digits) - KEYS:
            raise Refusal('"digits" takes 0-9 * # only; send for example {"digits": "1"}')
        self._alive(call)
        taken = call.press(digits)
        return web.json_response({"taken": taken, "dropped": len(digits) - len(taken), "call": brief(call)})

    async def speak(self, request: web.Request) -> web.Response:
        """Say something: ``{"text": "…"}``."""
        call, body = self._call(request), await Body.read(request)
        text = body.text("text", "what the caller says")
        body.finish()
        self._alive(call)
        if not call.speak(text):
            raise Refusal('nothing listens to speech now: wait for a Record, or a Gather with input="speech"', 409)
        return web.json_response({"call": brief(call)})

    async def advance(self, request: web.Request) -> web.Response:
        """Let time pass on a scripted call: ``{"seconds": 12}``."""
        call, body = self._call(request), await Body.read(request)
        seconds = body.seconds("seconds", LONGEST_ADVANCE)
        body.finish()
        if not isinstance(call.timeline, ScriptedTimeline):
            raise Refusal('a live call keeps the time of day: start the call with "pace": "scripted"', 409)
        self._alive(call)
        call.timeline.advance(seconds)
        return web.json_response({"call": brief(call)})

    async def meet(self, request: web.Request) -> web.Response:
        """Let time pass together on two scripted calls: ``{"with": "CA…"}``; a live one keeps the time of day."""
        call, body = self._call(request), await Body.read(request)
        sid = body.text("with", "the other call's sid")
        body.finish()
        other = self._switchboard.calls.get(sid)
        if other is None:
            raise Refusal('"with" is no call: send the "sid" of one', 404)
        call.timeline.meet(other.timeline)
        return web.json_response({"call": brief(call)})

    async def pass_time(self, request: web.Request) -> web.Response:
        """Let time pass between calls: ``{"seconds": 12}``; not moved where no clock is shared."""
        body = await Body.read(request)
        seconds = body.seconds("seconds", LONGEST_ADVANCE)
        body.finish()
        return web.json_response({"moved": self._switchboard.pass_time(seconds)})

    async def hang_up(self, request: web.Request) -> web.Response:
        """The telephone hangs up; harmless when the call is over."""
        call, body = self._call(request), await Body.read(request)
        body.finish()
        call.interrupt(HungUp("telephone"))
        return web.json_response({"call": brief(call)})

    async def telephones(self, request: web.Request) -> web.Response:
        """Telephones that ring; ``?number=`` only that one, ``?wait=`` seconds for one to ring."""
        query = Query(request)
        number, wait = query.text("number"), query.seconds("wait", 0.0, LONGEST_POLL)
        query.finish()

        def ringing() -> list[Leg]:
            return [leg for leg in self._switchboard.ringing() if number in (None, leg.rings_at)]

        await poll(self._switchboard.changes, lambda: bool(ringing()), wait)
        shown = [brief(leg.call) | {"number": leg.rings_at, "parameters": dict(leg.parameters)} for leg in ringing()]
        return web.json_response({"telephones": shown})

    async def answer(self, request: web.Request) -> web.Response:
        """Pick up a ringing telephone."""
        leg, body = self._telephone(request), await Body.read(request)
        body.finish()
        leg.answer()
        return web.json_response({"call": brief(leg.call)})

    async def reject(self, request: web.Request) -> web.Response:
        """Do not pick it up: ``{"reason": "busy"|"no-answer"|"failed"}``."""
        leg, body = self._telephone(request), await Body.read(request)
        reason = body.choice("reason", REFUSALS, "busy")
        body.finish()
        leg.refuse("no-answer" if reason == "no-answer" else "failed" if reason == "failed" else "busy")
        return web.json_response({"call": brief(leg.call)})

    async def inbox(self, request: web.Request) -> web.Response:
        """Messages that arrived; ``?to=`` a number, ``?after=`` a message's number, ``?wait=`` seconds for one."""
        query = Query(request)
        to, after = query.text("to"), query.whole("after", 0)
        wait = query.seconds("wait", 0.0, LONGEST_POLL)
        query.finish()
        await poll(self._messages.changes, lambda: bool(self._messages.arrived(to, after)), wait)
        shown = [message_body(message) for message in self._messages.arrived(to, after)]
        return web.json_response({"messages": shown, "last": len(self._messages.all)})

    async def fail_messages(self, request: web.Request) -> web.Response:
        """Let the next messages fail: ``{"count", "outcome": "refused"|"undelivered", "code", "status"}``."""
        body = await Body.read(request)
        count = body.whole("count", 1, most=10_000)
        outcome = body.choice("outcome", ("refused", "undelivered"), "refused")
        failure: Failure
        if outcome == "undelivered":
            failure = Undelivered(body.whole("code", 30003))
        else:
            failure = Refused(
                body.whole("code", 20500),
                body.text("message", "what the error says", "Internal server error"),
                body.whole("status", 500, least=400, most=599),
            )
        body.finish()
        self._messages.fail_next(failure, count)
        return web.json_response({"count": count, "outcome": outcome})

    async def mend_messages(self, request: web.Request) -> web.Response:
        """Let messages pass again: failures that none has met yet are forgotten."""
        Query(request).finish()
        self._messages.fail_no_more()
        return web.json_response({})

    def _call(self, request: web.Request) -> Call:
        call = self._switchboard.calls.get(request.match_info["sid"])
        if call is None:
            raise Refusal('no such call: POST {"from", "to"} to /emulator/calls and use the "sid" it answers', 404)
        return call

    def _alive(self, call: Call) -> None:
        if call.over:
            raise Refusal("the call is over: start another one", 409)

    def _telephone(self, request: web.Request) -> Leg:
        sid = request.match_info["sid"]
        leg = next((leg for leg in self._switchboard.ringing() if leg.call.sid == sid), None)
        if leg is None:
            raise Refusal("this telephone does not ring: GET /emulator/telephones lists those that do", 404)
        return leg


@web.middleware
async def refusals(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
    """Answer what the control interface refuses in JSON."""
    try:
        response: web.StreamResponse = await handler(request)
    except Refusal as refusal:
        return web.json_response({"error": str(refusal)}, status=refusal.status)
    except web.HTTPException as error:
        if not request.path.startswith(PREFIX):
            raise
        return web.json_response({"error": f"{request.method} {request.path}: {error.reason}"}, status=error.status)
    return response


async def poll(changes: Changes, reached: Callable[[], bool], wait: float) -> None:
    """Wait, some seconds at most, until something has come about."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    while not reached() and (left := until - loop.time()) > 0:
        await changes.beyond(changes.revision, left)


def brief(call: Call) -> dict[str, object]:
    """A call in a few words."""
    parties = call.parties
    seat = call.company.find(call.sid) if isinstance(call.company, Conference) else None
    return {
        "sid": parties.sid,
        "from": parties.caller,
        "to": parties.called,
        "forwarded_from": parties.forwarded_from,
        "created": call.created.isoformat(),
        "direction": parties.direction,
        "outside": call.outside,
        "parent": parties.parent,
        "pace": call.timeline.pace,
        "status": call.status,
        "activity": call.activity,
        "verb": call.verb,
        "listens": call.listener is not None,
        "listens_to_speech": call.listener is not None and call.listener.hears_speech,
        "elapsed": round(call.timeline.elapsed, 3),
        "duration": call.duration,
        "hears": [far.sid for far in call.hears],
        "conference": seat.conference.name if seat is not None else None,
        "held": seat is not None and seat.hold is not None,
        "muted": seat is not None and seat.muted,
        "hung_up_by": call.hung_up_by,
        "callbacks_pending": call.callbacks_pending,
        "revision": call.timeline.changes.revision,
        "heard_count": len(call.heard),
    }


def full(call: Call) -> dict[str, object]:
    """A call with everything that was heard on it and what the carrier would complain about."""
    return brief(call) | {
        "heard": [
            {
                "at": heard.at.isoformat(),
                "second": heard.second,
                "kind": heard.kind,
                "text": heard.text,
                "url": heard.url,
                "language": heard.language,
            }
            for heard in call.heard
        ],
        "entered": [
            {
                "at": entered.at.isoformat(),
                "second": entered.second,
                "kind": entered.kind,
                "text": entered.text,
                "after": entered.after,
                "taken": entered.taken,
            }
            for entered in call.entered
        ],
        "alerts": [
            {"code": alert.code, "level": alert.level, "message": alert.message, "url": alert.url}
            for alert in call.alerts
        ],
    }


def message_body(message: Message) -> dict[str, object]:
    """An arrived message."""
    draft = message.draft
    return {
        "number": message.number,
        "sid": message.sid,
        "to": draft.to,
        "from": draft.sender or draft.service,
        "body": draft.body,
        "at": message.updated.isoformat(),
    }
