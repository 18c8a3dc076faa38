"""Differences with the carrier's list of calls at ``/ecarts``: what is open, what was not compared, and settling."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from callcenter.console import paths
from callcenter.console.carrier_list_ports import CAUSES, CarrierLists
from callcenter.console.paths import with_return
from callcenter.console.visits import Door, For, Problem, Visit

#: Names of the boxes, each before the identifier of what is ticked.
BOX = "ecart-"
CAUSE = "cause"
DONE = "fait"


class CarrierListPages:
    """One page, one form."""

    def __init__(self, lists: CarrierLists) -> None:
        self._lists = lists

    def doors(self) -> list[Door]:
        return [
            Door("GET", paths.CARRIER_LIST, For.STAFF, self._page),
            Door("POST", paths.CARRIER_LIST, For.STAFF, self._settle, paths.CARRIER_LIST),
        ]

    async def _page(self, visit: Visit) -> web.StreamResponse:
        return await self._shown(visit)

    async def _shown(self, visit: Visit, *problems: Problem) -> web.Response:
        comparison = await self._lists.comparison(visit.own_token)
        done = visit.request.query.get(DONE, "")
        return visit.show(
            "carrier_list.html",
            problems,
            comparison=comparison,
            causes=CAUSES,
            box=BOX,
            ticked=_ticked(visit),
            typed=visit.fields,
            done=done if done == "1" else "",
            confirm=with_return(paths.CONFIRM, paths.CARRIER_LIST),
        )

    async def _settle(self, visit: Visit) -> web.StreamResponse:
        ticked, cause = _ticked(visit), visit.fields.get(CAUSE, "")
        problems = [] if ticked else [Problem("none", "ecarts")]
        problems += [] if cause in CAUSES else [Problem("cause", CAUSE)]
        if not problems and not visit.own_session.confirmed:
            problems.append(Problem("unconfirmed", "ecarts"))  # nothing of what was chosen is lost
        if problems:
            return await self._shown(visit, *problems)
        if not await self._lists.settle(visit.own_token, ticked, cause):
            return await self._shown(visit, Problem("gone", "ecarts"))
        return visit.go(f"{paths.CARRIER_LIST}?{DONE}=1")


def _ticked(visit: Visit) -> list[UUID]:
    """What was ticked; a name that is none of ours is passed over."""
    found = []
    for name in visit.fields:
        if name.startswith(BOX) and visit.fields[name] == "1":
            try:
                found.append(UUID(name.removeprefix(BOX)))
            except ValueError:
                continue
    return found
