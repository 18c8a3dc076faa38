"""Putting a call through to the practice's own telephone: whether that may ring, and what of it goes on record."""

from __future__ import annotations

from typing import Protocol

from callcenter.audit.ledger import Entry, EventKind, Value
from callcenter.calls.desk import IVR_ACTOR, Desk
from callcenter.calls.session import Beginning, Way
from callcenter.flow.conversation import Rang
from callcenter.flow.ports import MayNotRing, MayRing


class OpenLines(Protocol):
    """Who knows which calls were sent to which line, and are still up."""

    def may_ring(self, line: str, way: Way) -> bool:
        """Whether ``line`` (E.164) may be rung for a call that came that way: not if the call may come from it, and not
        if it may be a call that was sent there already. Then it is remembered; the same call may be sent again."""


class CallSwitchboard:
    """Puts one call through. Implements ``flow.ports.Switchboard``."""

    def __init__(self, desk: Desk, beginning: Beginning, lines: OpenLines) -> None:
        self._desk = desk
        self._beginning = beginning
        self._lines = lines

    async def put_through(self) -> MayRing | MayNotRing:
        """Its line is the one of the settings with which the call began."""
        desk, way = self._desk, self._beginning.way
        desk.challenge = desk.evidence = desk.card = None  # P2: what was proved dies by transfer
        line = desk.facts.rescue_number
        if way is None or not self._lines.may_ring(line, way):
            await self._note(EventKind.CALL_NOT_PUT_THROUGH)
            return MayNotRing()
        await self._note(EventKind.CALL_PUT_THROUGH)
        return MayRing(line, way.called)

    async def came_back(self, rang: Rang) -> None:
        await self._note(EventKind.CALL_CAME_BACK, rang=rang.value)

    async def _note(self, kind: EventKind, **content: Value) -> None:
        """LG-01: which setting named the line, never the line."""
        named: dict[str, Value] = {"refs": ["setting:rescue_number"], "settings": self._beginning.revision}
        await self._desk.writing.add(Entry(kind, IVR_ACTOR, None, {**named, **content}))
