"""Conferences over the carrier's REST interface: found by our name, their participants by our labels.

All of it may be asked again: to hold whoever is on hold, or to end what has ended, changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

_log = structlog.get_logger(__name__)

#: A conference in which somebody waits for the next has not begun, in the carrier's word.
_IN_USE = ("in-progress", "init")


class Refusal(Protocol):
    """What the carrier answers when it says no."""

    @property
    def code(self) -> int: ...


class Rooms(Protocol):
    """What we ask of the carrier about conferences; each raises as :class:`callcenter.telephony.carrier.Carrier`."""

    async def find(self, room: str) -> str | None:
        """The carrier's identifier of the conference that goes on under a name of ours."""

    async def change(
        self,
        conference: str,
        label: str,
        *,
        hold_url: str | None = None,
        hold: bool | None = None,
        ends: bool | None = None,
    ) -> bool:
        """Put a participant on hold, or off; let the conference end when they leave, or not. False if refused.

        Arguments:
            hold_url: of the document that is heard instead of the others.
        """

    async def put_out(self, conference: str, label: str) -> bool:
        """Put a participant out; whether there was one."""

    async def end(self, conference: str) -> bool:
        """End it for everybody; whether it went on."""

    async def hang_up(self, sid: str) -> bool:
        """End a leg, which may ring yet; whether it went on."""


@dataclass(frozen=True, slots=True)
class RestRooms:
    """Implements :class:`Rooms`.

    Arguments:
        api: the SDK's client, once it is started.
        ask: sends one request; gives a refusal as a value of type ``refused``.
    """

    api: Callable[[], Any]
    ask: Callable[[str, Awaitable[Any]], Awaitable[Any]]
    refused: type[Refusal]

    async def find(self, room: str) -> str | None:
        """See :meth:`Rooms.find`."""
        for status in _IN_USE:
            asked = self.api().conferences.list_async(friendly_name=room, status=status, limit=1)
            answer = await self.ask("find_room", asked)
            if not isinstance(answer, self.refused) and answer:
                return str(answer[0].sid)
        return None

    async def change(
        self,
        conference: str,
        label: str,
        *,
        hold_url: str | None = None,
        hold: bool | None = None,
        ends: bool | None = None,
    ) -> bool:
        """See :meth:`Rooms.change`."""
        wanted: dict[str, object] = {}
        if hold is not None:
            wanted["hold"] = hold
        if hold_url is not None:
            wanted |= {"hold_url": hold_url, "hold_method": "POST"}
        if ends is not None:
            wanted["end_conference_on_exit"] = ends
        participant = self.api().conferences(conference).participants(label)
        return self._done(
            "change_participant", await self.ask("change_participant", participant.update_async(**wanted))
        )

    async def put_out(self, conference: str, label: str) -> bool:
        """See :meth:`Rooms.put_out`."""
        participant = self.api().conferences(conference).participants(label)
        return self._done("put_out", await self.ask("put_out", participant.delete_async()))

    async def end(self, conference: str) -> bool:
        """See :meth:`Rooms.end`."""
        return self._done(
            "end_room", await self.ask("end_room", self.api().conferences(conference).update_async(status="completed"))
        )

    async def hang_up(self, sid: str) -> bool:
        """See :meth:`Rooms.hang_up`."""
        return self._done("hang_up", await self.ask("hang_up", self.api().calls(sid).update_async(status="completed")))

    def _done(self, what: str, answer: Any) -> bool:
        if isinstance(answer, self.refused):
            _log.warning("room_not_changed", request=what, code=answer.code)
            return False
        return True
