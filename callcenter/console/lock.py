"""Locks at ``/blocages``: after too many wrong codes, two supervisors may let the count begin anew.

By the call's reference, never by a name; and the answer is the same whether the call concerned a patient or nobody.
"""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from callcenter.console import paths
from callcenter.console.incident import REFERENCE, WORDS, written
from callcenter.console.lock_ports import Locks, Untrained
from callcenter.console.paths import with_return
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
            Door("POST", paths.LOCK_READ, For.STAFF, self._read, paths.LOCKS),
            Door("POST", paths.LOCK_CONFIRMED, For.STAFF, self._confirm, paths.LOCKS),
        ]

    async def _page(self, visit: Visit) -> web.StreamResponse:
        return await self._shown(visit)

    async def _shown(
        self, visit: Visit, *problems: Problem, opened: tuple[UUID, str] | None = None
    ) -> web.StreamResponse:
        """The page.

        Arguments:
            opened: a request, and why it was made, once that it is read is on record.
        """
        now, waiting = await self._locks.waiting(visit.own_token)
        asked = visit.request.query.get(DONE, "")
        return visit.show(
            "locks.html",
            problems,
            done=asked if asked in SAID else "",
            now=now,
            waiting=waiting,
            opened=opened,
            typed=visit.fields,
            longest=LONGEST,
            confirm=with_return(paths.CONFIRM, paths.LOCKS),
        )

    async def _ask(self, visit: Visit) -> web.StreamResponse:
        reason = written(visit.fields.get(WORDS, ""))
        if not reason or len(reason) > LONGEST:
            return await self._shown(visit, Problem("too_long" if reason else "reason", WORDS))
        if not visit.own_session.confirmed:  # nothing of what was typed is lost
            return await self._shown(visit, Problem("unconfirmed", WORDS))
        no_call = await self._locks.ask(visit.own_token, visit.fields.get(REFERENCE, ""), reason)
        if no_call is not None:
            return await self._shown(visit, Problem(no_call.value, REFERENCE))
        return visit.go(f"{paths.LOCKS}?{DONE}=demande")

    async def _read(self, visit: Visit) -> web.StreamResponse:
        release = visit.path_id("release")
        if not visit.own_session.confirmed:
            return visit.go(with_return(paths.CONFIRM, paths.LOCKS))
        try:
            reason = await self._locks.read(visit.own_token, release)
        except Untrained:
            return await self._shown(visit, Problem("untrained", "attente"))
        if reason is None:
            return await self._shown(visit, Problem("not_confirmed", "attente"))
        return await self._shown(visit, opened=(release, reason))

    async def _confirm(self, visit: Visit) -> web.StreamResponse:
        if not visit.own_session.confirmed:
            return visit.go(with_return(paths.CONFIRM, paths.LOCKS))
        if not await self._locks.confirm(visit.own_token, visit.path_id("release")):
            return await self._shown(visit, Problem("not_confirmed", "attente"))
        return visit.go(f"{paths.LOCKS}?{DONE}=confirme")
