"""The control interface to the network: which lines forward, and what telephones do when they are called."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from callcenter.emulator.clients import is_client
from callcenter.emulator.errors import Refusal
from callcenter.emulator.lines import AFTER, MANNERS, SHOWN, WHENS, Forwarding, Lines, Voicemail
from callcenter.emulator.messages import E164
from callcenter.emulator.reading import Body, Query

FORWARDINGS = "/emulator/forwardings"
LINES = "/emulator/lines"
LONGEST_RING = 600.0  # seconds


class LinesControl:
    """``/emulator/forwardings`` and ``/emulator/lines``.

    Arguments:
        lines: what is set up.
        serves: whether a number is one of the account's, where calls end.
    """

    def __init__(self, lines: Lines, serves: Callable[[str], bool]) -> None:
        self._lines = lines
        self._serves = serves

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        return [
            web.post(FORWARDINGS, self.forward),
            web.get(FORWARDINGS, self.forwardings),
            web.delete(FORWARDINGS, self.unforward),
            web.post(LINES, self.behave),
            web.get(LINES, self.lines),
            web.delete(LINES, self.forget),
        ]

    async def forward(self, request: web.Request) -> web.Response:
        """A line forwards: ``{"line", "to", "when": "always"|"busy"|"unanswered", "caller": "kept"|"replaced",
        "reported": true|false, "after": seconds}``, in place of what it did with such calls."""
        body = await Body.read(request)
        line, to = body.text("line", "the line that forwards"), body.text("to", "where its calls go")
        when, caller = body.choice("when", WHENS, "always"), body.choice("caller", SHOWN, "kept")
        reported, after = body.flag("reported", default=True), body.seconds("after", LONGEST_RING, AFTER)
        body.finish()
        self._own(_number("line", line), "forwards nothing: forward the practice's own line to it")
        if line == _number("to", to):
            raise Refusal('"to" is the line itself: forward it to another number')
        forwarding = Forwarding(line, to, when, caller, reported, after)
        self._lines.forward(forwarding)
        return web.json_response(forwarding_body(forwarding), status=201)

    async def forwardings(self, request: web.Request) -> web.Response:
        """All forwardings, in the order of their making; ``?line=`` only those of one line."""
        query = Query(request)
        line = query.telephone("line")
        query.finish()
        shown = [forwarding_body(one) for one in self._lines.forwardings if line in (None, one.line)]
        return web.json_response({"forwardings": shown})

    async def unforward(self, request: web.Request) -> web.Response:
        """Take forwardings off: ``?line=`` and ``?when=`` say which, all without; those that were taken off."""
        query = Query(request)
        line, when = query.telephone("line"), query.choice("when", WHENS)
        query.finish()
        removed = self._lines.unforward(line, when)
        return web.json_response({"removed": [forwarding_body(one) for one in removed]})

    async def behave(self, request: web.Request) -> web.Response:
        """What a telephone does from now on when it is called: ``{"number", "when_called": "rings"|"answers"|"busy"|
        "no-answer"|"failed"|"voicemail"}``; ``rings`` waits for somebody to answer it here, and so does ``voicemail``
        for ``"after"`` seconds, when a machine answers and says what ``"says"`` has."""
        body = await Body.read(request)
        number = body.text("number", "the telephone's number")
        manner = body.choice("when_called", MANNERS, "rings")
        voicemail = None
        if manner == "voicemail":
            usual = Voicemail()
            after = body.seconds("after", LONGEST_RING, usual.after)
            voicemail = Voicemail(after, body.text("says", "what the machine says", usual.says))
        body.finish()
        if not is_client(number):
            self._own(_number("number", number), "is answered by the application: name another telephone")
        self._lines.behave(number, manner, voicemail)
        return web.json_response({"number": number, "when_called": manner}, status=201)

    async def lines(self, request: web.Request) -> web.Response:
        """The telephones that were told what to do."""
        Query(request).finish()
        shown = [{"number": number, "when_called": manner} for number, manner in self._lines.manners.items()]
        return web.json_response({"lines": shown})

    async def forget(self, request: web.Request) -> web.Response:
        """Let a telephone ring again like any other: ``?number=``; all of them without."""
        query = Query(request)
        number = query.telephone("number")
        query.finish()
        removed = [one for one in self._lines.manners if number in (None, one) and self._lines.forget(one)]
        return web.json_response({"removed": removed})

    def _own(self, number: str, what: str) -> None:
        if self._serves(number):
            raise Refusal(f"{number} is a number of the account and {what}")


def _number(name: str, text: str) -> str:
    if E164.fullmatch(text) is None:
        raise Refusal(f'"{name}" is no number: send it in E.164, such as {{"{name}": "+33465710001"}}')
    return text


def forwarding_body(forwarding: Forwarding) -> dict[str, object]:
    """A forwarding as it is sent and listed."""
    return {
        "line": forwarding.line,
        "to": forwarding.to,
        "when": forwarding.when,
        "caller": forwarding.caller,
        "reported": forwarding.reported,
        "after": forwarding.after,
    }
