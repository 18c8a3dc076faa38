"""Locks at ``/blocages``: after too many wrong codes, two supervisors may let the count begin anew.

By the call's reference, never by a name; and the answer is the same whether the call concerned a patient or nobody.
"""

from __future__ import annotations

from aiohttp import web

from callcenter.console import paths
from callcenter.console.incident import REFERENCE, WORDS, written
from callcenter.console.lock_ports import Locks
from callcenter.console.visits import Door, For, Problem, Visit

#: Characters of a reason.
LONGEST = 500
DONE = "fait"
#: What has been done, as the address says it.
SAID = frozenset({"demande", "confirme"})


class LockPages:
    """One page, two forms."""

    def __init__(self, locks: Locks) -> None:
        self._locks = locks

    def doors(self) -> list[Door]:
        return [
            Door("GET", paths.LOCKS, For.STAFF, self._page),
            Door("POST", paths.LOCKS, For.STAFF, self._ask, paths.LOCKS),
            Door("POST", paths.LOCK_CONFIRMED, For.STAFF, self._confirm, paths.LOCKS),
        ]

    async def _page(self, visit: Visit) -> web.StreamResponse:
        return await self._shown(visit)

    async def _shown(self, visit: Visit, *problems: Problem) -> web.StreamResponse:
        now, waiting = await self._locks.waiting(visit.own_token)
        asked = visit.request.query.get(DONE, "")
        done = asked if asked in SAID else ""
        return visit.show(
            "locks.html", problems, done=done, now=now, waiting=waiting, typed=visit.fields, longest=LONGEST
        )

    async def _ask(self, visit: Visit) -> web.StreamResponse:
        reason = written(visit.fields.get(WORDS, ""))
        if not reason or len(reason) > LONGEST:
            return await self._shown(visit, Problem("too_long" if reason else "reason", WORDS))
        if not await self._locks.ask(visit.own_token, visit.fields.get(REFERENCE, "")[:LONGEST], reason):
            return await self._shown(visit, Problem("reference", REFERENCE))
        return visit.go(f"{paths.LOCKS}?{DONE}=demande")

    async def _confirm(self, visit: Visit) -> web.StreamResponse:
        if not await self._locks.confirm(visit.own_token, visit.path_id("release")):
            return await self._shown(visit, Problem("not_confirmed", "attente"))
        return visit.go(f"{paths.LOCKS}?{DONE}=confirme")
