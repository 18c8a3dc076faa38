"""The first page: where one may go and how much waits there, who one is, and what is about to lapse."""

from __future__ import annotations

from aiohttp import web

from callcenter.console import paths
from callcenter.console.home_ports import Waiting, Waits
from callcenter.console.ports import Reception
from callcenter.console.visits import Door, For, Visit


class FirstPage:
    """The page at ``/``.

    Arguments:
        waiting: counts what waits; without it, the page leads to places alone.
    """

    def __init__(self, reception: Reception, waiting: Waiting | None = None) -> None:
        self._reception = reception
        self._waiting = waiting

    def doors(self) -> list[Door]:
        return [Door("GET", paths.HOME, For.STAFF, self._page)]

    async def _page(self, visit: Visit) -> web.StreamResponse:
        welcome = await self._reception.welcome(visit.own_token)
        waits = Waits() if self._waiting is None else await self._waiting.waits(visit.own_token)
        return visit.show("home.html", welcome=welcome, waits=waits)
