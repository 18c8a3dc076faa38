"""Telling practices of an incident: a page for each practice concerned, and ``/avis``, which is the practice's own.

What was written for other practices, and the register itself, are on no page of a practice.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from aiohttp import web

from callcenter.console import paths
from callcenter.console.dates import ZONE
from callcenter.console.incident import known_at, written
from callcenter.console.incident_notice_ports import IncidentNotices, ToTell
from callcenter.console.incident_papers import KINDS, MEANS, draft, unfinished
from callcenter.console.told import Told
from callcenter.console.troubles import Trouble, Turned
from callcenter.console.visits import Door, For, Problem, Visit
from callcenter.staff.incident_tables import Means
from callcenter.staff.incident_values import (
    LONGEST_NOTICE,
    WITHOUT_DELAY,
    NotPlausible,
    OwnNotice,
    Telling,
    Unchanged,
)

#: What forms send: what is told, and what before it its writer has seen; when, how and whom one has told.
NOTICE, AFTER, TOLD_AT, TOLD_BY, TOLD_WHOM = "avis", "apres", "le", "moyen", "precisions"
#: Characters of a line.
LONGEST_LINE = 300
#: What staff notes; the page notes by itself that it was read.
NOTED = (Means.TELEPHONE, Means.LETTER, Means.EMAIL)


class IncidentNoticePages:
    """Telling, noting that a practice was told; and what the practice reads."""

    def __init__(self, notices: IncidentNotices) -> None:
        self._notices = notices

    def doors(self) -> list[Door]:
        return [
            Door("GET", paths.INCIDENT_PRACTICE, For.STAFF, self._to_tell),
            Door("POST", paths.INCIDENT_NOTICE, For.STAFF, self._make, paths.INCIDENTS),
            Door("POST", paths.INCIDENT_INFORMED, For.STAFF, self._informed, paths.INCIDENTS),
            Door("GET", paths.NOTICES, For.STAFF, self._list),
            Door("GET", paths.NOTICE, For.STAFF, self._read),
            Door("POST", paths.NOTICE_READ, For.STAFF, self._acknowledge, paths.NOTICES),
        ]

    # --- staff

    async def _to_tell(self, visit: Visit) -> web.StreamResponse:
        return await self._shown(visit)

    async def _shown(self, visit: Visit, *problems: Problem) -> web.StreamResponse:
        found = await self._notices.to_tell(visit.own_token, visit.path_id("incident"), visit.path_id("practice"))
        return visit.show("incident_practice.html", problems, **_values(found, visit))

    async def _make(self, visit: Visit) -> web.StreamResponse:
        words, after = written(visit.fields.get(NOTICE, "")), visit.fields.get(AFTER, "")
        if not words:
            return await self._shown(visit, Problem("words", NOTICE))
        if len(words) > LONGEST_NOTICE:
            return await self._shown(visit, Problem("notice_long", NOTICE))
        if unfinished(words):
            return await self._shown(visit, Problem("unfinished", NOTICE))
        where = visit.path_id("incident"), visit.path_id("practice")
        try:
            made = await self._notices.make(visit.own_token, *where, words, _id(after) if after else None)
        except Unchanged:
            return await self._shown(visit, Problem("unchanged", NOTICE))
        return _back(visit) if made else await self._shown(visit, Problem("newer", NOTICE))

    async def _informed(self, visit: Visit) -> web.StreamResponse:
        at, means = known_at(visit.fields.get(TOLD_AT, "")), visit.fields.get(TOLD_BY, "")
        words = written(visit.fields.get(TOLD_WHOM, ""))
        problems = [Problem("told_at", TOLD_AT)] if at is None else []
        if means not in NOTED:
            problems.append(Problem("means", TOLD_BY))
        if len(words) > LONGEST_LINE:
            problems.append(Problem("line_long", TOLD_WHOM))
        if problems or at is None:
            return await self._shown(visit, *problems)
        telling = Telling(at, Means(means), words)
        where = visit.path_id("incident"), visit.path_id("practice")
        try:
            noted = await self._notices.informed(visit.own_token, *where, telling)
        except NotPlausible:
            return await self._shown(visit, Problem("told_at", TOLD_AT))
        return _back(visit) if noted else await self._shown(visit, Problem("already"))

    # --- the practice

    async def _list(self, visit: Visit) -> web.StreamResponse:
        incidents = await self._notices.mine(visit.own_token)
        return visit.show("notices.html", incidents=incidents, kinds=KINDS, means=MEANS)

    async def _read(self, visit: Visit) -> web.StreamResponse:
        return await self._one(visit)

    async def _one(self, visit: Visit, *problems: Problem) -> web.StreamResponse:
        found = await self._notices.read(visit.own_token, visit.path_id("incident"), visit.path_id("practice"))
        return visit.show("notice.html", problems, found=found, told=found.told, kinds=KINDS, means=MEANS)

    async def _acknowledge(self, visit: Visit) -> web.StreamResponse:
        where = visit.path_id("incident"), visit.path_id("practice")
        try:
            last = await self._notices.acknowledge(visit.own_token, *where, _id(visit.fields.get(NOTICE, "")))
        except OwnNotice:
            return await self._one(visit, Problem("own"))
        if not last:
            return await self._one(visit, Problem("read_newer"))
        return visit.go(paths.NOTICE.format(incident=where[0], practice=where[1]))


def _values(found: ToTell, visit: Visit) -> dict[str, Any]:
    shown, concerned = found.shown, found.concerned
    now = shown.now
    last = found.notices[0] if found.notices else None
    return {
        "found": found,
        "shown": shown,
        "one": concerned,
        "incident": shown.register.incident,
        "kinds": KINDS,
        "means": MEANS,
        "noted": [(means.value, Told(MEANS[means])) for means in NOTED],
        "late": concerned.informed_at is None and shown.register.incident.delayed(now),
        "since": now - shown.register.incident.known_at - WITHOUT_DELAY,
        "after": "" if last is None else last.id,
        "prepared": draft(shown, found.practice),
        "now": now.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M"),
        "longest": LONGEST_NOTICE,
        "longest_line": LONGEST_LINE,
        "typed": visit.fields,
    }


def _back(visit: Visit) -> web.Response:
    where = {"incident": visit.path_id("incident"), "practice": visit.path_id("practice")}
    return visit.go(paths.INCIDENT_PRACTICE.format(**where))


def _id(typed: str) -> UUID:
    """An identifier that a form of ours holds.

    Raises:
        Turned: it is none.
    """
    try:
        return UUID(typed)
    except ValueError:
        raise Turned(Trouble.UNREADABLE) from None
