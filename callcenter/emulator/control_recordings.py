"""The control interface to recordings: what was said, what was deleted, what fails."""

from __future__ import annotations

from aiohttp import web

from callcenter.emulator.errors import Refusal
from callcenter.emulator.reading import Body, Query
from callcenter.emulator.recordings import OPERATIONS, Fault, Recording, Recordings

RECORDINGS = "/emulator/recordings"


class RecordingsControl:
    """``/emulator/recordings``.

    Arguments:
        recordings: has them.
    """

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        return [
            web.get(RECORDINGS, self.recordings),
            web.post(RECORDINGS + "/failures", self.fail),
            web.delete(RECORDINGS + "/failures", self.mend),
        ]

    async def recordings(self, request: web.Request) -> web.Response:
        """Every recording, oldest first, with what was said, those that were deleted too; ``?call=`` only of one."""
        query = Query(request)
        call = query.text("call")
        query.finish()
        shown = [recording_body(one) for one in self._recordings.all if call in (None, one.call.sid)]
        return web.json_response({"recordings": shown})

    async def fail(self, request: web.Request) -> web.Response:
        """Let fetches or deletions fail: ``{"of": "media"|"deletion", "status", "code", "message"}``, the next
        ``"count"`` of them (one if left out), or all with ``"for_ever": true``."""
        body = await Body.read(request)
        operation = body.choice("of", OPERATIONS, "media")
        for_ever, count = body.flag("for_ever", default=False), body.whole("count", 0, least=0, most=10_000)
        fault = Fault(
            body.whole("code", 20500),
            body.whole("status", 500, least=400, most=599),
            body.text("message", "what the error says", "Internal server error"),
        )
        body.finish()
        if for_ever and count:
            raise Refusal('"count" and "for_ever" exclude each other: send one of them')
        self._recordings.fail(operation, fault, None if for_ever else count or 1)
        return web.json_response({"of": operation, "status": fault.status, "count": None if for_ever else count or 1})

    async def mend(self, request: web.Request) -> web.Response:
        """Let fetches and deletions succeed again; ``?of=`` only one of them."""
        query = Query(request)
        operation = query.choice("of", OPERATIONS)
        query.finish()
        self._recordings.mend(operation)
        return web.json_response({"mended": [operation] if operation else list(OPERATIONS)})


def recording_body(recording: Recording) -> dict[str, object]:
    """A recording with what was said."""
    return {
        "sid": recording.sid,
        "call": recording.call.sid,
        "status": recording.status,
        "text": recording.text,
        "seconds": round(recording.seconds, 3),
        "deleted": recording.deleted,
        "at": recording.created.isoformat(),
    }
