"""The first page: who one is, for which practices, and what is about to lapse."""

from __future__ import annotations

from aiohttp import web

from callcenter.console import paths
from callcenter.console.ports import Reception
from callcenter.console.visits import Door, For, Visit


class FirstPage:
    """The page at ``/``."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception

    def doors(self) -> list[Door]:
        return [Door("GET", paths.HOME, For.STAFF, self._page)]

    async def _page(self, visit: Visit) -> web.StreamResponse:
        return visit.show("home.html", welcome=await self._reception.welcome(visit.own_token))
