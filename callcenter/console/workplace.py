"""The workplace: where somebody answers calls. The server says how everything stands; the page shows it, and acts.

Without a script it is a page that is loaded again; with one, the part between its heading and its end is fetched and
put in the place of what stood there.
"""

from __future__ import annotations

from datetime import datetime
from math import ceil
from typing import Any

from aiohttp import web

from callcenter.console import paths
from callcenter.console.carrier_file import NAME
from callcenter.console.files import files
from callcenter.console.headers import SOUND, Sound
from callcenter.console.navigation import work_of
from callcenter.console.script_fields import values_of
from callcenter.console.script_ports import Emergency, Screen, Script
from callcenter.console.streams import Streams
from callcenter.console.troubles import Trouble, Turned
from callcenter.console.visits import Door, For, Problem, Visit
from callcenter.console.workplace_ports import Act, Doing, Softphone, Workplace, Workplaces
from callcenter.kernel.errors import Forbidden

#: Of a form: its sender is the script, which wants the part alone.
PART = "partie"
WHOM = "qui"
STATE = "etat"

#: What somebody may say of themselves, in the order of the page.
CHOICES = (Doing.AVAILABLE, Doing.BREAK, Doing.LUNCH, Doing.TRAINING, Doing.ADMIN, Doing.OFFLINE)

#: Seconds after which a clock asks to be looked at, and after which it is late; of wrapping up, seconds that are left.
TALK_PACE = (300, 600)
HOLD_PACE = (60, 120)
WRAP_UP_PACE = (15, 5)


class WorkplacePages:
    """The page at ``/poste``, and what it fetches.

    Arguments:
        script: of the call that somebody has, or has not closed yet.
        softphone: by which one speaks; ``None`` where calls are taken by a telephone.
    """

    def __init__(self, workplaces: Workplaces, script: Script, streams: Streams, softphone: Softphone | None) -> None:
        self._workplaces = workplaces
        self._script = script
        self._streams = streams
        self._softphone = softphone

    def doors(self) -> list[Door]:
        return [
            Door("GET", paths.WORKPLACE, For.STAFF, self._page),
            Door("GET", paths.WORKPLACE_STATE, For.STAFF, self._part, paths.WORKPLACE, by_itself=True),
            Door("GET", paths.WORKPLACE_NEWS, For.STAFF, self._streams.serve, paths.WORKPLACE, by_itself=True),
            Door("POST", paths.WORKPLACE_PASS, For.STAFF, self._pass, paths.WORKPLACE, by_itself=True),
            Door("POST", paths.WORKPLACE_PRESENCE, For.STAFF, self._move, paths.WORKPLACE),
            Door("POST", paths.WORKPLACE_THERE, For.STAFF, self._there, paths.WORKPLACE),
            Door("POST", paths.WORKPLACE_ACT, For.STAFF, self._act, paths.WORKPLACE),
        ]

    async def _page(self, visit: Visit) -> web.StreamResponse:
        work = work_of(visit.own_session)
        if work not in (paths.WORKPLACE, paths.HOME):  # a colleague's bookmark, or the address that everybody is told
            return visit.go(work)
        return await self._shown(visit, "workplace.html")

    async def _part(self, visit: Visit) -> web.StreamResponse:
        return await self._shown(visit, "workplace_part.html")

    async def _pass(self, visit: Visit) -> web.StreamResponse:
        made = await self._workplaces.softphone_pass(visit.own_token)
        if made is None:
            raise Turned(Trouble.NOT_FOUND)
        return web.json_response({"token": made.token, "seconds": made.seconds})

    async def _move(self, visit: Visit) -> web.StreamResponse:
        wanted = visit.fields.get(STATE, "")
        if wanted not in CHOICES:
            raise Turned(Trouble.UNREADABLE)
        moved = await self._workplaces.move(visit.own_token, Doing(wanted))
        return await self.answered(visit, None if moved else Problem("cannot_move"))

    async def _there(self, visit: Visit) -> web.StreamResponse:
        """Somebody is there: that they have said so is all that there is to do."""
        return await self.answered(visit, None)

    async def _act(self, visit: Visit) -> web.StreamResponse:
        act = visit.request.match_info["act"]
        if act not in set(Act):
            raise Turned(Trouble.NOT_FOUND)
        done = await self._workplaces.act(visit.own_token, Act(act), visit.path_id("call"), visit.fields.get(WHOM, ""))
        return await self.answered(visit, None if done else Problem("not_offered" if act in _OFFERS else "not_done"))

    async def answered(
        self, visit: Visit, problem: Problem | None, *, screen: Screen | None = None, emergency: Emergency | None = None
    ) -> web.StreamResponse:
        """How everything stands after an act: the part for the script, and the page for whoever has none.

        Arguments:
            screen: of the script, where the act was an answer to it.
            emergency: noted by the act.
        """
        if PART in visit.fields:
            return await self._shown(visit, "workplace_part.html", problem, screen, emergency)
        return visit.go(paths.WORKPLACE) if problem is None else await self._shown(visit, "workplace.html", problem)

    async def _shown(
        self,
        visit: Visit,
        template: str,
        problem: Problem | None = None,
        screen: Screen | None = None,
        emergency: Emergency | None = None,
    ) -> web.StreamResponse:
        softphone = self._softphone
        if softphone is not None:
            visit.request[SOUND] = Sound(softphone.connects, softphone.plays)
        place = await self._workplaces.look(visit.own_token)
        seen = await self._screen(visit.own_token, place, screen)
        values = {**_values(place, softphone), **values_of(seen, emergency)}
        return visit.show(template, () if problem is None else (problem,), **values)

    async def _screen(self, token: str, place: Workplace, given: Screen | None) -> Screen | None:
        """The script of the call that one has; without one, of the last that is not closed."""
        call = place.scripted
        if call is None:
            return None
        if given is not None and given.call == call:
            return given
        try:
            return await self._script.look(token, call)
        except Forbidden:  # one answers for that practice no more: the rest of the page stands
            return None


_OFFERS = frozenset({Act.ACCEPT.value, Act.REFUSE.value})


def _values(place: Workplace, softphone: Softphone | None) -> dict[str, Any]:
    return {
        "place": place,
        "softphone": softphone,
        "carriers_file": NAME if NAME in files() else None,
        "choices": CHOICES,
        "Act": Act,
        "Doing": Doing,
        "part_field": PART,
        "whom_field": WHOM,
        "state_field": STATE,
        "pace": pace,
        "TALK_PACE": TALK_PACE,
        "HOLD_PACE": HOLD_PACE,
        "WRAP_UP_PACE": WRAP_UP_PACE,
        "epoch": epoch,
        "minutes": minutes,
        "act_path": _act_path,
        "over": paths.with_return(paths.LOGIN, paths.WORKPLACE, fin="1"),
    }


def _act_path(call: object, act: Act) -> str:
    return paths.WORKPLACE_ACT.format(call=call, act=act.value)


def epoch(at: datetime) -> int:
    """Milliseconds, as a script reckons with."""
    return int(at.timestamp() * 1000)


def minutes(since: datetime, until: datetime) -> str:
    """« 1:05 » between two moments; what lies before is « 0:00 »."""
    seconds = max(0, ceil((until - since).total_seconds()))
    return f"{seconds // 60}:{seconds % 60:02}"


def pace(seconds: float, limits: tuple[int, int], *, left: bool = False) -> str:
    """How a clock stands: ``late``, ``soon``, or nothing to say.

    Arguments:
        seconds: that have passed, or that are left.
        limits: from which on it is « soon » and « late ».
    """
    soon, late = limits
    passed = (seconds <= late, seconds <= soon) if left else (seconds >= late, seconds >= soon)
    return "late" if passed[0] else "soon" if passed[1] else ""
