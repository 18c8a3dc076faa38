"""The port by which a flow leaves something for people."""

from __future__ import annotations

from callcenter.audit.ledger import Entry, EventKind
from callcenter.calls.desk import IVR_ACTOR, Desk
from callcenter.flow.ports import CallbackRequest
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.inbox import Inbox


class CallMessages:
    """The practice's inbox, as a flow sees it. Implements ``flow.ports.Messages``."""

    def __init__(self, desk: Desk, inbox: Inbox, random: Random) -> None:
        self._desk = desk
        self._inbox = inbox
        self._random = random

    async def leave(self, request: CallbackRequest) -> None:
        desk = self._desk
        message = new_id(self._random)
        await self._inbox.leave(
            desk.tx,
            id=message,
            reason=request.reason,
            number=request.number,
            call_reference=desk.call,
            now=desk.now,
        )
        content = {"refs": [f"message:{message}"], "reason": request.reason}
        await desk.writing.add(Entry(EventKind.MESSAGE_TAKEN, IVR_ACTOR, None, content))
