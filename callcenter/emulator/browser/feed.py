"""One stream of server-sent events a page: everything that is, then everything that changes.

``snapshot`` comes first, and again whenever a browser comes back; ``call``, ``message``, ``mail`` and ``ringing``
follow. A call is sent whole but for what was heard and entered, of which only the rest is sent that this page has not
had.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

from aiohttp import web

from callcenter.emulator.calls import Call
from callcenter.emulator.control import PREFIX, full, message_body
from callcenter.emulator.control_mailbox import mail_body
from callcenter.emulator.mailbox import Mailbox
from callcenter.emulator.messages import Message, Messages
from callcenter.emulator.switchboard import Switchboard
from callcenter.emulator.timeline import Changes

HEARTBEAT = 15.0  # seconds after which a silent stream says that it is still there, and finds out if nobody is
TOGETHER = 0.02  # seconds in which changes are gathered: a call changes several times at every step
CALLS = 200  # the latest that a page is given
MESSAGES = 500  # and mails
GROWING = ("heard", "entered")

Event = tuple[str, dict[str, object]]


class Feed:
    """Serves the stream.

    Arguments:
        switchboard, messages, mailbox: what it tells about.
    """

    def __init__(self, switchboard: Switchboard, messages: Messages, mailbox: Mailbox) -> None:
        self._switchboard = switchboard
        self._messages = messages
        self._mailbox = mailbox
        self._changes = Changes()
        self._ended = False
        switchboard.changes.lead_to(self._changes)
        messages.changes.lead_to(self._changes)
        mailbox.changes.lead_to(self._changes)

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        return [web.get(PREFIX + "/events", self.stream)]

    async def end(self, _: web.Application) -> None:
        """Let every stream come to its end."""
        self._ended = True
        self._changes.notify()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """The events, until the browser leaves or the emulator stops."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        reader = _Reader(self._switchboard, self._messages, self._mailbox)
        try:
            revision = self._changes.revision
            await _send(response, [reader.snapshot()])
            while not self._ended:
                before = revision
                await self._changes.beyond(revision, HEARTBEAT)
                await asyncio.sleep(TOGETHER)
                revision = self._changes.revision
                await (_send(response, reader.news()) if revision > before else response.write(b": still here\n\n"))
        except ConnectionError:
            pass  # the page is closed
        return response


class _Reader:
    """What one page has been told."""

    def __init__(self, switchboard: Switchboard, messages: Messages, mailbox: Mailbox) -> None:
        self._switchboard = switchboard
        self._messages = messages
        self._mailbox = mailbox
        self._revisions: dict[str, int] = {}
        self._had: dict[str, tuple[int, ...]] = {}
        self._message = 0
        self._mail = 0
        self._ringing: list[dict[str, str]] = []

    def snapshot(self) -> Event:
        """All that there is."""
        self._ringing = self._rings()
        return "snapshot", {
            "calls": [self._told(call) for call in self._latest()],
            "messages": self._texts()[-MESSAGES:],
            "mails": self._letters()[-MESSAGES:],
            "ringing": self._ringing,
        }

    def news(self) -> Iterator[Event]:
        """What has changed since."""
        for call in self._latest():
            if self._revisions.get(call.sid) != call.timeline.changes.revision:
                yield "call", self._told(call)
        for message in self._texts():
            yield "message", message
        for mail in self._letters():
            yield "mail", mail
        if (ringing := self._rings()) != self._ringing:
            self._ringing = ringing
            yield "ringing", {"ringing": ringing}

    def _latest(self) -> list[Call]:
        return list(self._switchboard.calls.values())[-CALLS:]

    def _texts(self) -> list[dict[str, object]]:
        """The messages that telephones have got or sent since they were last asked for."""
        after, self._message = self._message, len(self._messages.all)
        shown = [one for one in self._messages.all[after:] if one.arrived or _sent_by_a_telephone(one)]
        return [message_body(one) | {"direction": one.direction} for one in shown]

    def _letters(self) -> list[dict[str, object]]:
        """The mails that have arrived since they were last asked for."""
        after, self._mail = self._mail, len(self._mailbox.all)
        return [mail_body(mail) for mail in self._mailbox.all[after:]]

    def _rings(self) -> list[dict[str, str]]:
        """The legs that ring, and where."""
        return [{"sid": leg.call.sid, "number": leg.rings_at} for leg in self._switchboard.ringing()]

    def _told(self, call: Call) -> dict[str, object]:
        had = self._had.get(call.sid, (0,) * len(GROWING))
        self._revisions[call.sid] = call.timeline.changes.revision
        self._had[call.sid] = (len(call.heard), len(call.entered))
        told = full(call)
        for name, start in zip(GROWING, had, strict=True):
            items = told[name]
            told |= {name: items[start:] if isinstance(items, list) else items, f"{name}_from": start}
        return told


def _sent_by_a_telephone(message: Message) -> bool:
    return message.direction == "inbound"


async def _send(response: web.StreamResponse, events: Iterator[Event] | list[Event]) -> None:
    for name, data in events:
        await response.write(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode())
