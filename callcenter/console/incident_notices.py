"""Telling practices of an incident: a page for each practice concerned, and ``/avis``, which is the practice's own.

What was written for other practices, and the register itself, are on no page of a practice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from aiohttp import web

from callcenter.console import paths
from callcenter.console.dates import ZONE
from callcenter.console.incident import file_of, known_at, practices_of, written
from callcenter.console.incident_notice_ports import IncidentNotices, NotPossible, ToTell
from callcenter.console.incident_papers import KINDS, MEANS, TO_COMPLETE, as_text, draft, given_lines, letter_lines
from callcenter.console.incident_ports import Shown
from callcenter.console.troubles import Trouble, Turned
from callcenter.console.visits import Door, For, Problem, Visit
from callcenter.practice.called import plain_name
from callcenter.staff.incident_tables import Means
from callcenter.staff.incident_values import LONGEST_NOTICE, MOST_AT_ONCE, WITHOUT_DELAY, Telling

#: What forms send: what is told, and what before it its writer has seen; when, how and whom one has told.
NOTICE, AFTER, TOLD_AT, TOLD_BY, TOLD_WHOM = "avis", "apres", "le", "moyen", "precisions"
STEP, CHOSEN = "etape", "cabinets"
#: Practices of a list that one ticks: its page is under 100 kB with it.
MOST_LISTED = 200
#: Characters of a line.
LONGEST_LINE = 300
#: What staff notes; the page notes by itself that it was read.
NOTED = (Means.TELEPHONE, Means.LETTER, Means.EMAIL)


class Step(StrEnum):
    """What a button of the form for several practices asks for."""

    TICK = "cocher"
    READ = "relire"
    BACK = "reprendre"
    GIVE = "remettre"


class IncidentNoticePages:
    """Telling, noting that a practice was told; and what the practice reads."""

    def __init__(self, notices: IncidentNotices) -> None:
        self._notices = notices

    def doors(self) -> list[Door]:
        return [
            Door("GET", paths.INCIDENT_PRACTICE, For.STAFF, self._to_tell),
            Door("GET", paths.INCIDENT_NOTICES, For.STAFF, self._several),
            Door("POST", paths.INCIDENT_NOTICES, For.STAFF, self._tell_several, paths.INCIDENTS),
            Door("POST", paths.INCIDENT_NOTICE, For.STAFF, self._make, paths.INCIDENTS),
            Door("POST", paths.INCIDENT_LETTER, For.STAFF, self._letter, paths.INCIDENTS),
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
        if TO_COMPLETE in words.lower():
            return await self._shown(visit, Problem("unfinished", NOTICE))
        where = visit.path_id("incident"), visit.path_id("practice")
        if not await self._notices.make(visit.own_token, *where, words, _id(after) if after else None):
            return await self._shown(visit, Problem("newer", NOTICE))
        return _back(visit)

    async def _several(self, visit: Visit) -> web.StreamResponse:
        shown = await self._notices.several(visit.own_token, visit.path_id("incident"))
        return _same_for(visit, shown, draft(shown, None))

    async def _tell_several(self, visit: Visit) -> web.StreamResponse:
        """The steps of one form: ticked, read again, given; or gone back to."""
        incident, step = visit.path_id("incident"), visit.fields.get(STEP, "")
        words, sent = written(visit.fields.get(NOTICE, "")), practices_of(visit.fields)
        shown = await self._notices.several(visit.own_token, incident)
        if step not in set(Step) or not set(sent) <= {one.practice for one in shown.register.concerned}:
            raise Turned(Trouble.UNREADABLE)
        if step == Step.TICK:
            return _same_for(visit, shown, words, ticked=shown.untold[:MOST_AT_ONCE])
        if step == Step.BACK:
            return _same_for(visit, shown, words, ticked=sent)
        if problems := _wrong_for_several(shown, sent, words):
            return _same_for(visit, shown, words, problems, ticked=sent)
        if step == Step.READ:
            ticked = [one for one in shown.untold if one in sent]
            told = [one for one in sent if one not in ticked]
            return _same_for(visit, shown, words, ticked=ticked, left=told, previewed=bool(ticked))
        left = await self._notices.make_each(visit.own_token, incident, sent, words)
        after = await self._notices.several(visit.own_token, incident)
        return _same_for(visit, after, words, left=left, given=[one for one in sent if one not in left])

    async def _letter(self, visit: Visit) -> web.StreamResponse:
        """What tells the practice, to be sent otherwise: what it was given, word for word; a draft before that."""
        where = visit.path_id("incident"), visit.path_id("practice")
        found = await self._notices.to_tell(visit.own_token, *where, exported=True)
        lines = given_lines(found) if found.notices else letter_lines(found.shown, found.practice)
        return file_of(as_text(lines).encode(), "text/plain", "avis.txt")

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
        except NotPossible:
            return await self._shown(visit, Problem("told_at", TOLD_AT))
        return _back(visit) if noted else await self._shown(visit, Problem("already"))

    # --- the practice

    async def _list(self, visit: Visit) -> web.StreamResponse:
        return visit.show("notices.html", incidents=await self._notices.mine(visit.own_token), kinds=KINDS)

    async def _read(self, visit: Visit) -> web.StreamResponse:
        return await self._one(visit)

    async def _one(self, visit: Visit, *problems: Problem) -> web.StreamResponse:
        found = await self._notices.read(visit.own_token, visit.path_id("incident"), visit.path_id("practice"))
        return visit.show("notice.html", problems, found=found, told=found.told, kinds=KINDS)

    async def _acknowledge(self, visit: Visit) -> web.StreamResponse:
        where = visit.path_id("incident"), visit.path_id("practice")
        if not await self._notices.acknowledge(visit.own_token, *where, _id(visit.fields.get(NOTICE, ""))):
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
        "noted": [(means, MEANS[means]) for means in NOTED],
        "late": concerned.informed_at is None and shown.register.incident.delayed(now),
        "since": now - shown.register.incident.known_at - WITHOUT_DELAY,
        "after": "" if last is None else last.id,
        "prepared": draft(shown, found.practice),
        "now": now.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M"),
        "longest": LONGEST_NOTICE,
        "longest_line": LONGEST_LINE,
        "typed": visit.fields,
    }


def _wrong_for_several(shown: Shown, sent: Sequence[UUID], words: str) -> list[Problem]:
    """Why words may not be told to several; what one practice is called would be at the others."""
    problems = [] if sent else [Problem("none_ticked", CHOSEN)]
    if len(sent) > MOST_AT_ONCE:
        problems.append(Problem("too_many_ticked", CHOSEN))
    if not words:
        problems.append(Problem("words", NOTICE))
    if len(words) > LONGEST_NOTICE:
        problems.append(Problem("notice_long", NOTICE))
    if TO_COMPLETE in words.lower():
        problems.append(Problem("unfinished", NOTICE))
    plain = plain_name(words)
    if any(re.search(rf"\b{re.escape(plain_name(name))}\b", plain) for name in shown.names.values()):
        problems.append(Problem("names_one", NOTICE))
    return problems


def _same_for(
    visit: Visit,
    shown: Shown,
    words: str,
    problems: Sequence[Problem] = (),
    *,
    ticked: Sequence[UUID] = (),
    left: Sequence[UUID] = (),
    given: Sequence[UUID] | None = None,
    previewed: bool = False,
) -> web.Response:
    """The page on which several practices are told the same.

    Arguments:
        left: who is left out, having been told meanwhile.
        given: who was told just now; ``None`` before.
    """
    values: dict[str, Any] = {
        "shown": shown,
        "incident": shown.register.incident,
        "choices": shown.untold[:MOST_LISTED],
        "more": max(0, len(shown.untold) - MOST_LISTED),
        "words": words,
        "ticked": ticked,
        "left": left,
        "given": given,
        "previewed": previewed,
        "most": MOST_AT_ONCE,
        "longest": LONGEST_NOTICE,
    }
    return visit.show("incident_notice_several.html", problems, **values)


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
