"""Softphones in browsers: a WebSocket that an access token opens, and the legs that are made and answered over it.

The first message is ``{"type": "open", "token": "…"}``. Then a page may ``connect`` to the application that its token
names, ``answer`` or ``reject`` what rings under its identity, and with its own legs ``mute``, ``keys``, ``hang_up`` and
``signal``. It is told ``opened``, ``calling``, ``ringing``, ``call``, ``heard``, ``sound``, ``signal`` and ``error``.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from callcenter.emulator.access_tokens import EXPIRED, AccessTokens, Grant, TokenError
from callcenter.emulator.calls import Call, HungUp
from callcenter.emulator.clients import SCHEME, trouble_with
from callcenter.emulator.control import KEYS
from callcenter.emulator.errors import Refusal
from callcenter.emulator.legs import Leg
from callcenter.emulator.patchboard import Patchboard, signal_of
from callcenter.emulator.reading import Body
from callcenter.emulator.sockets import Departure, Fault, Line, Message, Sockets
from callcenter.emulator.switchboard import Switchboard

SOFTPHONE = "/softphone"
OPENING = 5.0  # seconds in which the token must come
#: Seconds for which a leg outlives a page that was lost without a word. A page that is closed or loaded again says so,
#: and its legs end at once, as the carrier's own library hangs up then. A browser that has crashed says nothing: the
#: carrier learns of it by packets that do not come, which takes some seconds, and a caller hears silence meanwhile.
LOST = 5.0
MOST_LEGS = 4  # of one page

RATE, JWT, DECLINED, APPLICATION = 31206, 31204, 31002, 21218


class Softphones:
    """``/softphone``.

    Arguments:
        switchboard: has the calls.
        tokens: verifies.
        patchboard: links what they carry.
        sockets: serves them, within bounds.
        now: the time by which tokens end.
    """

    def __init__(
        self,
        switchboard: Switchboard,
        tokens: AccessTokens,
        patchboard: Patchboard,
        sockets: Sockets,
        now: Callable[[], datetime],
    ) -> None:
        self.switchboard = switchboard
        self.tokens = tokens
        self.patchboard = patchboard
        self.now = now
        self._sockets = sockets
        self._open: set[Softphone] = set()
        self._registered: Counter[str] = Counter()
        self._lost: set[asyncio.TimerHandle] = set()

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        return [web.get(SOFTPHONE, self.serve)]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One softphone, until it is gone."""
        return await self._sockets.serve(request, self._begin)

    def look(self) -> None:
        """Something has changed: tell whom it concerns."""
        for softphone in list(self._open):
            softphone.look()

    def close(self) -> None:
        """Nothing is to happen any more."""
        for handle in self._lost:
            handle.cancel()

    def register(self, identity: str) -> bool:
        """One more may be called under an identity; False where the control interface has registered it anyway."""
        clients = self.switchboard.clients
        if not self._registered[identity] and clients.reachable(SCHEME + identity):
            return False
        self._registered[identity] += 1
        clients.register(identity)
        return True

    def unregister(self, identity: str) -> None:
        """One less may be."""
        self._registered[identity] -= 1
        if not self._registered[identity]:
            self.switchboard.unregister(identity)
        self._registered += Counter()  # forgets those that are at nothing, or below

    def gone(self, softphone: Softphone, legs: list[Call], how: Departure) -> None:
        """A page is gone, and so are its legs, soon."""
        self._open.discard(softphone)
        self.patchboard.leave(softphone)
        if how != "lost":
            _hang_up(legs)
            return

        def too_long() -> None:
            self._lost.discard(handle)
            _hang_up(legs)

        handle = asyncio.get_running_loop().call_later(LOST, too_long)
        self._lost.add(handle)

    def _begin(self, line: Line) -> Softphone:
        softphone = Softphone(self, line)
        self._open.add(softphone)
        return softphone


class Softphone:
    """One page's softphone.

    Arguments:
        house: what all of them share.
        line: the way to the page.
    """

    def __init__(self, house: Softphones, line: Line) -> None:
        self._house = house
        self._line = line
        self._grant: Grant | None = None
        self._rings = self._counted = False  # whether it can be called now, and is registered for that
        self._ringing: set[str] = set()
        self._legs: dict[str, _Leg] = {}
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(OPENING, line.end, "no token came")

    def tell(self, message: Message) -> None:
        """Tell the page."""
        self._line.tell(message)

    def gone(self, how: Departure) -> None:
        """The page is gone."""
        self._timer.cancel()
        self._ring_no_more()
        self._house.gone(self, [leg.call for leg in self._legs.values()], how)

    def take(self, kind: str, body: Body) -> None:
        """Do what the page asks.

        Raises:
            Refusal: it is refused.
        """
        if self._grant is None:
            self._open(kind, body)
            return
        match kind:
            case "token":
                self._renew(self._grant, body)
            case "connect":
                self._connect(self._grant, body)
            case "answer" | "reject":
                self._decide(kind, body)
            case "mute" | "keys" | "hang_up" | "signal":
                self._act(kind, body)
            case _:
                raise Refusal("a message is one of token, connect, answer, reject, mute, keys, hang_up, signal")

    def look(self) -> None:
        """Something has changed: tell the page what of it concerns it."""
        if self._grant is None:
            return
        for sid, leg in list(self._legs.items()):
            leg.look(self._line)
            if leg.call.over:
                del self._legs[sid]
        ringing = {leg.call.sid: leg for leg in self._rung()} if self._rings else {}
        for sid in self._ringing - ringing.keys() - self._legs.keys():
            self.tell({"type": "call", "call": sid, "state": "over"})
        for sid in ringing.keys() - self._ringing:
            rung = ringing[sid]
            caller, parameters = rung.call.parties.caller, dict(rung.parameters)
            self.tell({"type": "ringing", "call": sid, "from": caller, "parameters": parameters})
        self._ringing = set(ringing)

    def _open(self, kind: str, body: Body) -> None:
        try:
            if kind != "open":
                raise TokenError(JWT, 'the first message is {"type": "open", "token": "…"}')
            grant = self._verified(body)
        except (TokenError, Refusal) as refused:
            self._line.refuse(refused.code if isinstance(refused, TokenError) else JWT, str(refused))
            self._line.end("no access")
            return
        self._admit(grant)

    def _renew(self, before: Grant, body: Body) -> None:
        """A newer token: it must be the same softphone's."""
        try:
            grant = self._verified(body)
        except TokenError as refused:
            raise Fault(refused.code, str(refused)) from refused
        _check_same(before, grant)
        self._admit(grant)

    def _verified(self, body: Body) -> Grant:
        token = body.text("token", "the access token")
        body.finish()
        return self._house.tokens.verify(token)

    def _admit(self, grant: Grant) -> None:
        self._timer.cancel()
        if not grant.rings:
            self._ring_no_more()
        self._grant = grant
        if grant.rings and not self._rings:  # one that rings meanwhile rings on
            self._rings, self._counted = True, self._house.register(grant.identity)
        left = max(0.0, (grant.until - self._house.now()).total_seconds())
        self._timer = self._loop.call_later(left, self._expired)
        self.tell({"type": "opened", "identity": grant.identity, "seconds": round(left)})
        self.look()

    def _expired(self) -> None:
        """The token has ended: nothing begins any more, what goes on does so."""
        self._ring_no_more()
        self._line.refuse(EXPIRED, "Access Token expired: send a newer one")
        self.look()

    def _ring_no_more(self) -> None:
        if self._rings and self._grant is not None:
            self._rings = False
            if self._counted:
                self._house.unregister(self._grant.identity)

    def _connect(self, grant: Grant, body: Body) -> None:
        """A call to the application of the token: the page cannot name another one."""
        given = body.texts("parameters", "what the application is told")
        body.finish()
        if grant.until <= self._house.now():
            raise Fault(EXPIRED, "Access Token expired: send a newer one")
        if grant.application is None:
            raise Fault(APPLICATION, "this token grants no outgoing calls")
        parameters = tuple((dict(given) | dict(grant.parameters)).items())
        if (trouble := trouble_with(parameters)) is not None:
            raise Fault(DECLINED, trouble)
        self._room()
        timeline = self._house.switchboard.timeline("live")
        call = self._house.switchboard.dial_application(grant.identity, grant.application, parameters, timeline)
        if call is None:
            raise Fault(APPLICATION, "the account has no application of this identifier")
        self._carry(call)

    def _decide(self, kind: str, body: Body) -> None:
        """Take what rings, or not; nobody answers for another identity."""
        sid = body.text("call", "what rings")
        body.finish()
        leg = next((leg for leg in self._rung() if leg.call.sid == sid and self._rings), None)
        if leg is None:
            raise Refusal("that call does not ring here", 404)
        if kind == "reject":
            leg.refuse("busy")
            return
        self._room()
        leg.answer()
        self._carry(leg.call)

    def _act(self, kind: str, body: Body) -> None:
        """Do something with a leg of its own."""
        sid = body.text("call", "one of its calls")
        leg = self._own(sid)
        match kind:
            case "mute":
                silent = body.flag("muted", default=True)
                body.finish()
                self._house.patchboard.mute(self, sid, silent=silent)
            case "keys":
                digits = body.text("digits", "keys to press, of 0-9 * #", longest=64)
                body.finish()
                if set(digits) - KEYS:
                    raise Refusal('"digits" takes 0-9 * # only')
                leg.call.press(digits)
            case "signal":
                number, signal = body.whole("link", 0, most=1 << 40), signal_of(body)
                body.finish()
                self._house.patchboard.relay(self, sid, number, signal)
            case _:
                body.finish()
                leg.call.interrupt(HungUp("telephone"))

    def _own(self, sid: str) -> _Leg:
        leg = self._legs.get(sid)
        if leg is None:
            raise Refusal("this page has no such call", 404)
        return leg

    def _carry(self, call: Call) -> None:
        self._legs[call.sid] = _Leg(call)
        self.tell({"type": "calling", "call": call.sid})
        self._house.patchboard.carry(self, call, first=True)
        self.look()

    def _rung(self) -> list[Leg]:
        address = SCHEME + self._grant.identity if self._grant is not None else ""
        return [leg for leg in self._house.switchboard.ringing() if leg.rings_at == address]

    def _room(self) -> None:
        if len(self._legs) >= MOST_LEGS:
            raise Fault(RATE, f"{MOST_LEGS} calls are the most of one softphone: end one")


def _check_same(before: Grant, after: Grant) -> None:
    if after.identity != before.identity:
        raise Fault(JWT, "this token is of another identity: close, and open with it")


class _Leg:
    """A leg, and what its page has been told of it."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self._state = "connecting"
        self._heard = 0

    def look(self, line: Line) -> None:
        """Tell what is new."""
        call = self.call
        for index in range(self._heard, len(call.heard)):
            heard = call.heard[index]
            sound = {"index": index, "kind": heard.kind, "text": heard.text, "language": heard.language}
            line.tell({"type": "heard", "call": call.sid, "fetched": heard.url is not None, **sound})
        self._heard = len(call.heard)
        state = "over" if call.over else "open" if call.answered is not None else "connecting"
        if state != self._state:
            self._state = state
            line.tell({"type": "call", "call": call.sid, "state": state, "status": call.status})


def _hang_up(legs: list[Call]) -> None:
    for call in legs:
        call.interrupt(HungUp("telephone"))
