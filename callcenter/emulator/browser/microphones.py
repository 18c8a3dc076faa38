"""The telephones' page and real sound: which of its calls it carries, and what it sends to those who hear them.

Messages: ``{"type": "carry", "call": "CA…", "first": true}`` when somebody dialled or answered here, without ``first``
when the page only shows the call; ``drop``; ``signal``. It is told ``sound``, ``signal`` and ``error``, as a softphone
is. No token is asked for: whoever may use the control interface may do anything.
"""

from __future__ import annotations

from aiohttp import web

from callcenter.emulator.control import PREFIX
from callcenter.emulator.errors import Refusal
from callcenter.emulator.patchboard import Patchboard, signal_of
from callcenter.emulator.reading import Body
from callcenter.emulator.sockets import Departure, Line, Message, Sockets
from callcenter.emulator.switchboard import Switchboard


class Microphones:
    """``/emulator/sound``.

    Arguments:
        switchboard: has the calls.
        patchboard: links what pages carry.
        sockets: serves them, within bounds.
    """

    def __init__(self, switchboard: Switchboard, patchboard: Patchboard, sockets: Sockets) -> None:
        self._switchboard = switchboard
        self._patchboard = patchboard
        self._sockets = sockets

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        return [web.get(PREFIX + "/sound", self.serve)]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One page, until it is gone; its calls go on, as the page shows them again when it is loaded again."""
        return await self._sockets.serve(request, lambda line: _Page(line, self._switchboard, self._patchboard))


class _Page:
    def __init__(self, line: Line, switchboard: Switchboard, patchboard: Patchboard) -> None:
        self._line = line
        self._switchboard = switchboard
        self._patchboard = patchboard

    def tell(self, message: Message) -> None:
        self._line.tell(message)

    def gone(self, how: Departure) -> None:
        self._patchboard.leave(self)

    def take(self, kind: str, body: Body) -> None:
        sid = body.text("call", "one of its calls")
        match kind:
            case "carry":
                first = body.flag("first", default=False)
                body.finish()
                call = self._switchboard.calls.get(sid)
                if call is None or call.parties.application is not None:  # a softphone's call is its own page's
                    raise Refusal("no telephone has such a call", 404)
                if not call.over:
                    self._patchboard.carry(self, call, first=first)
            case "drop":
                body.finish()
                self._patchboard.drop(self, sid)
            case "signal":
                number, signal = body.whole("link", 0, most=1 << 40), signal_of(body)
                body.finish()
                self._patchboard.relay(self, sid, number, signal)
            case _:
                raise Refusal("a message is one of carry, drop, signal")
