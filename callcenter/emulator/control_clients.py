"""The control interface to clients: registering a softphone, and calling with one.

It is rung, answered and hung up like a telephone. Nothing of this asks for an access token: that is what a softphone in
a browser needs (:mod:`callcenter.emulator.softphones`), while whoever may use the control interface may do anything.
"""

from __future__ import annotations

from aiohttp import web

from callcenter.emulator.clients import IDENTITY, Registration, trouble_with
from callcenter.emulator.errors import Refusal
from callcenter.emulator.reading import Body, Query
from callcenter.emulator.switchboard import Switchboard

CLIENTS = "/emulator/clients"
MOST = 1000  # ours: a script that registers without end must not eat the machine


class ClientsControl:
    """``/emulator/clients``.

    Arguments:
        switchboard: has them.
    """

    def __init__(self, switchboard: Switchboard) -> None:
        self._switchboard = switchboard

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        return [
            web.post(CLIENTS, self.register),
            web.get(CLIENTS, self.clients),
            web.delete(CLIENTS, self.unregister),
            web.post(CLIENTS + "/{identity}/calls", self.call),
        ]

    async def register(self, request: web.Request) -> web.Response:
        """A softphone waits for calls: ``{"identity": "alice"}``; it rings as the telephone ``client:alice``."""
        body = await Body.read(request)
        identity = body.text("identity", "the name under which it is called")
        body.finish()
        if IDENTITY.fullmatch(identity) is None:
            raise Refusal('"identity" has 256 characters at most, none of them a space, a colon, a ? or a /')
        clients = self._switchboard.clients
        if len(clients.all) >= MOST:
            raise Refusal(f"{MOST} clients are registered: unregister some", 409)
        return web.json_response(registration_body(clients.register(identity)), status=201)

    async def clients(self, request: web.Request) -> web.Response:
        """The softphones that wait for calls."""
        Query(request).finish()
        shown = [registration_body(one) for one in self._switchboard.clients.all]
        return web.json_response({"clients": shown})

    async def unregister(self, request: web.Request) -> web.Response:
        """One waits for calls no more: ``?identity=``; what rings on it is not answered."""
        query = Query(request)
        identity = query.text("identity")
        query.finish()
        if identity is None:
            raise Refusal('"identity" is missing: say which client, as in ?identity=alice')
        return web.json_response({"removed": self._switchboard.unregister(identity)})

    async def call(self, request: web.Request) -> web.Response:
        """One calls a TwiML application: ``{"application": "AP…", "parameters": {"offer": "…"}, "pace": "live"}``."""
        identity, body = request.match_info["identity"], await Body.read(request)
        application = body.text("application", "the identifier of the application that is called")
        parameters = body.texts("parameters", "what the application is told besides")
        pace = body.choice("pace", ("live", "scripted"), "live")
        body.finish()
        if IDENTITY.fullmatch(identity) is None:
            raise Refusal("an identity has 256 characters at most, none of them a space, a colon, a ? or a /")
        if (trouble := trouble_with(parameters)) is not None:
            raise Refusal(trouble)
        timeline = self._switchboard.timeline("scripted" if pace == "scripted" else "live")
        call = self._switchboard.dial_application(identity, application, parameters, timeline)
        if call is None:
            raise Refusal("there is no such application: name one of EmulatorSettings.applications", 404)
        return web.json_response({"sid": call.sid}, status=201)


def registration_body(registration: Registration) -> dict[str, object]:
    """A client as it is listed."""
    return {
        "identity": registration.identity,
        "address": registration.address,
        "since": registration.since.isoformat(),
    }
