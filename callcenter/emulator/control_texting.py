"""The control interface to telephones that send text messages, and to the carrier's own handling of STOP."""

from __future__ import annotations

from aiohttp import web

from callcenter.emulator.errors import Refusal
from callcenter.emulator.messages import E164, LONGEST, Draft, Messages, Refused
from callcenter.emulator.reading import Body, Query
from callcenter.emulator.texting import Received, Texting

MESSAGES = "/emulator/messages"
OPT_OUTS = "/emulator/opt-outs"


class TextingControl:
    """``POST /emulator/messages`` and ``/emulator/opt-outs``.

    Arguments:
        texting: sends them on.
        messages: knows who does not want any.
    """

    def __init__(self, texting: Texting, messages: Messages) -> None:
        self._texting = texting
        self._messages = messages

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        return [
            web.post(MESSAGES, self.send),
            web.get(OPT_OUTS, self.opt_outs),
            web.post(OPT_OUTS, self.mind),
        ]

    async def send(self, request: web.Request) -> web.Response:
        """A telephone sends a message to the account: ``{"from", "to", "body"}``; answered when the application has
        answered, with its status and its replies."""
        body = await Body.read(request)
        sender, to = body.text("from", "the telephone's number"), body.text("to", "a number of the account")
        text = body.text("body", "what it says")
        body.finish()
        for name, number in (("from", sender), ("to", to)):
            if E164.fullmatch(number) is None:
                raise Refusal(f'"{name}" is no number: send it in E.164, such as {{"{name}": "+33639980001"}}')
        if not self._texting.takes(to):
            raise Refusal(f"{to} is none of the account's numbers: send it to one of them, or to one of its senders")
        if len(text) > LONGEST:
            raise Refusal(f'"body" has more than {LONGEST} characters: send a shorter one')
        received = await self._texting.receive(Draft(to, sender, "", text))
        return web.json_response(received_body(received), status=201)

    async def opt_outs(self, request: web.Request) -> web.Response:
        """Whether the carrier minds STOP itself, and who has sent it to whom."""
        Query(request).finish()
        shown = [{"number": number, "sender": sender} for number, sender in sorted(self._messages.opted_out)]
        return web.json_response({"minded": self._messages.minds_stop, "opted_out": shown})

    async def mind(self, request: web.Request) -> web.Response:
        """Let the carrier mind STOP and START itself, or leave them to the application: ``{"minded": true|false}``."""
        body = await Body.read(request)
        minded = body.flag("minded", default=True)
        body.finish()
        self._messages.minds_stop = minded
        return web.json_response({"minded": minded})


def received_body(received: Received) -> dict[str, object]:
    """What became of a message to the account."""
    replies = [
        {"code": reply.code, "error": reply.message}
        if isinstance(reply, Refused)
        else {"sid": reply.sid, "to": reply.draft.to, "from": reply.draft.sender, "body": reply.draft.body}
        for reply in received.replies
    ]
    return {
        "sid": received.message.sid,
        "application": received.status,
        "replies": replies,
        "alerts": [
            {"code": alert.code, "level": alert.level, "message": alert.message, "url": alert.url}
            for alert in received.alerts
        ],
    }
