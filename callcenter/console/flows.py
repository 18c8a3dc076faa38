"""The flows that run, at ``/scenarios``: how each is proven, as a picture and as a table that says the same."""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web

from callcenter.console import paths
from callcenter.console.flows_ports import Scenarios
from callcenter.console.visits import Door, For, Visit

#: Of a picture's page: how large it is shown.
VIEW, WHOLE = "vue", "entiere"
SVG: Final = "image/svg+xml"


class FlowPages:
    """The pages at ``/scenarios``. They change nothing, and hold nothing about anybody."""

    def __init__(self, scenarios: Scenarios) -> None:
        self._scenarios = scenarios

    def doors(self) -> list[Door]:
        return [
            Door("GET", paths.SCENARIOS, For.STAFF, self._list),
            Door("GET", paths.SCENARIO, For.STAFF, self._one),
            Door("GET", paths.SCENARIO_PICTURE, For.STAFF, self._picture),
        ]

    async def _list(self, visit: Visit) -> web.StreamResponse:
        return visit.show("scenarios.html", scenarios=await self._scenarios.running(visit.own_token))

    async def _one(self, visit: Visit) -> web.StreamResponse:
        digest = visit.request.match_info["digest"]
        scenario, guarded = await self._scenarios.one(visit.own_token, digest)
        return visit.show(
            "scenario.html",
            scenario=scenario,
            guarded=guarded,
            whole=visit.request.query.get(VIEW) == WHOLE,
            here=paths.SCENARIO.format(digest=scenario.digest),
            view=VIEW,
            whole_view=WHOLE,
            picture=paths.SCENARIO_PICTURE.format(digest=scenario.digest),
        )

    async def _picture(self, visit: Visit) -> web.StreamResponse:
        picture = await self._scenarios.picture(visit.own_token, visit.request.match_info["digest"])
        response = web.Response(body=picture.encode(), headers={hdrs.CONTENT_TYPE: SVG})
        # It holds nothing that is secret, nor what anybody has typed: how well it packs tells nothing.
        response.enable_compression()
        return response
