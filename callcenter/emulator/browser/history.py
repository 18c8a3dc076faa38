"""What a call consisted of: every request about it with its answer, and the sounds that were heard on it."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import parse_qsl, urldefrag, urlsplit
from xml.etree import ElementTree

from aiohttp import web

from callcenter.emulator.calls import Call, Heard
from callcenter.emulator.control import PREFIX
from callcenter.emulator.errors import Refusal
from callcenter.emulator.reading import Query
from callcenter.emulator.switchboard import Switchboard
from callcenter.emulator.tape import Exchange, Tape
from callcenter.emulator.twiml import LARGEST

DEEPEST = 40  # elements within one another; a deeper document is shown as it came

Node = dict[str, object]


class History:
    """Serves the tape by call.

    Arguments:
        switchboard: has the calls.
        tape: has the exchanges.
    """

    def __init__(self, switchboard: Switchboard, tape: Tape) -> None:
        self._switchboard = switchboard
        self._tape = tape

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        call = PREFIX + "/calls/{sid}"
        return [
            web.get(call + "/exchanges", self.exchanges),
            web.get(call + "/sounds/{index}", self.sound),
        ]

    async def exchanges(self, request: web.Request) -> web.Response:
        """Every request about one call with its answer, oldest first; ``?after=`` how many are known already."""
        call, query = self._call(request), Query(request)
        after = query.whole("after", 0)
        query.finish()
        found = [exchange for exchange in self._tape.exchanges if exchange.call_sid == call.sid]
        shown = [described(exchange, number, call.created) for number, exchange in enumerate(found, start=1)]
        return web.json_response({"exchanges": shown[after:], "count": len(found)})

    async def sound(self, request: web.Request) -> web.Response:
        """The audio that was heard as the ``index``-th thing of a call, counted from 0, as it was fetched then."""
        call, index = self._call(request), request.match_info["index"]
        heard = call.heard[int(index)] if index.isascii() and index.isdigit() and int(index) < len(call.heard) else None
        if heard is None or heard.url is None:
            raise Refusal('no sound was heard there: take the place in "heard" of something of kind "play"', 404)
        if (fetched := self._fetched(heard)) is None:
            raise Refusal("the tape has forgotten this sound: it keeps the latest exchanges only", 404)
        kind = _content_type(fetched)
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=fetched.response_body, headers=headers, content_type=kind)

    def _fetched(self, heard: Heard) -> Exchange | None:
        """The last time that a sound's address gave audio before it was heard."""
        url = urldefrag(heard.url or "").url
        for exchange in reversed(self._tape.exchanges):
            if exchange.url == url and exchange.at <= heard.at and _content_type(exchange).startswith("audio/"):
                return exchange
        return None

    def _call(self, request: web.Request) -> Call:
        call = self._switchboard.calls.get(request.match_info["sid"])
        if call is None:
            raise Refusal("no such call: GET /emulator/calls lists them", 404)
        return call


def described(exchange: Exchange, number: int, since: datetime) -> dict[str, object]:
    """An exchange as JSON: parameters in their order, the answer as text, and as a tree where it is XML.

    Arguments:
        number: its place among the call's, from 1.
        since: when the call began.
    """
    kind = _content_type(exchange)
    sound = kind.startswith("audio/")
    query = urlsplit(exchange.url).query if exchange.method == "GET" else exchange.request_body.decode()
    return {
        "number": number,
        "kind": exchange.kind,
        "method": exchange.method,
        "url": exchange.url,
        "at": exchange.at.isoformat(),
        "second": round((exchange.at - since).total_seconds(), 3),
        "seconds": exchange.seconds,
        "status": exchange.status,
        "error": exchange.error,
        "parameters": parse_qsl(query, keep_blank_values=True),
        "request_headers": list(exchange.request_headers.items()),
        "response_headers": list(exchange.response_headers.items()),
        "content_type": kind,
        "size": len(exchange.response_body),
        "body": None if sound else exchange.text,
        "document": None if sound else tree(exchange.response_body),
    }


def tree(body: bytes) -> Node | None:
    """XML as ``{"name", "attributes", "content"}``, content being texts and elements; None if it is none."""
    if not body.strip() or len(body) > LARGEST:
        return None
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - from the application under test; expat bounds entities
    except (ElementTree.ParseError, ValueError, LookupError):
        return None
    return _node(root, DEEPEST)


def _node(element: ElementTree.Element, depth: int) -> Node | None:
    if depth == 0:
        return None
    content: list[object] = [text] if (text := (element.text or "").strip()) else []
    for child in element:
        node = _node(child, depth - 1)
        if node is None:
            return None
        content.append(node)
        if tail := (child.tail or "").strip():
            content.append(tail)
    return {"name": element.tag, "attributes": list(element.attrib.items()), "content": content}


def _content_type(exchange: Exchange) -> str:
    """The answer's media type in lower case, without parameters; empty if there is none, or no good answer."""
    if exchange.status is None or exchange.status >= 300:
        return ""
    named = {name.lower(): value for name, value in exchange.response_headers.items()}
    return named.get("content-type", "").partition(";")[0].strip().lower()
