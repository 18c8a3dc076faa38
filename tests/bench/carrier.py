"""The carrier's REST interface, as far as the bench needs it: it takes text messages, and callers read their code."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

from aiohttp import web

_CODE = re.compile(r"(\d{3}) (\d{3})")
#: A message that has not come by then will not come: the call is counted as failed.
PATIENCE = 20.0


def code_in(words: str) -> str | None:
    """The six digits in a message, if there are."""
    found = _CODE.search(words)
    return None if found is None else found[1] + found[2]


class NoMessage(Exception):
    """a caller waited in vain for a code: did everybody get as many as a day allows? Give fewer seconds or rounds"""


class Messages:
    """The messages that came, by number. Implements ``walk.Codes``."""

    def __init__(self) -> None:
        self._boxes: defaultdict[str, asyncio.Queue[str]] = defaultdict(asyncio.Queue)
        self._sids = count(1)

    def forget(self, number: str) -> None:
        """What came to ``number`` in an earlier call is no code of the next one."""
        self._boxes.pop(number, None)

    async def code(self, number: str) -> str:
        """The code that was sent to ``number``.

        Raises:
            NoMessage: none came.
        """
        try:
            return await asyncio.wait_for(self._boxes[number].get(), PATIENCE)
        except TimeoutError:
            raise NoMessage(NoMessage.__doc__) from None

    async def take(self, request: web.Request) -> web.Response:
        """``POST /2010-04-01/Accounts/…/Messages.json``"""
        form = await request.post()
        code = code_in(str(form["Body"]))
        if code is None:
            return web.json_response({"code": 21617, "message": "no code", "status": 400}, status=400)
        self._boxes[str(form["To"])].put_nowait(code)
        return web.json_response({"sid": f"SM{next(self._sids):032x}", "status": "queued"}, status=201)


@asynccontextmanager
async def fake_carrier(port: int) -> AsyncIterator[Messages]:
    """Listen on ``port`` of 127.0.0.1."""
    messages = Messages()
    application = web.Application()
    application.add_routes([web.post("/2010-04-01/Accounts/{account}/Messages.json", messages.take)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield messages
    finally:
        await runner.cleanup()
