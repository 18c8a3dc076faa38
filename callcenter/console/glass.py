"""Broken glass at ``/bris-de-glace``: broken by a form, read topic by topic, reviewed by somebody else.

Whoever is looked for is posted; an address holds the identifier of the act and nothing else. What is shown is the
answer to a form, leaves the page after a minute, and is on no page that one can go back to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from callcenter.console import paths
from callcenter.console.glass_ports import (
    Breaking,
    GlassBreaking,
    GlassDesk,
    NotNow,
    NotShown,
    Own,
    Shown,
)
from callcenter.console.incident import WORDS, written
from callcenter.console.paths import with_return
from callcenter.console.troubles import Trouble, Turned
from callcenter.console.typed import LONGEST_REASON, SHORTEST_REASON, birth_date
from callcenter.console.visits import Door, For, Problem, Visit
from callcenter.disclosure.emergency import SHOWN_SECONDS, Topic
from callcenter.practice.numbers import NumberProblem, parse_number
from callcenter.staff.glass import Asked
from callcenter.staff.glass_tables import Asks, Verdict

PRACTICE, ASKS, WHO, NUMBER, CALL = "cabinet", "demandeur", "qui", "numero", "appel"
BORN, NAME, FIRST_NAME = "naissance", "nom", "prenom"
TOPIC, VERDICT = "rubrique", "verdict"
#: Characters of a line.
LONGEST_LINE = 120
DONE = "fait"


class GlassPages:
    """The pages below ``/bris-de-glace``."""

    def __init__(self, glass: GlassBreaking) -> None:
        self._glass = glass

    def doors(self) -> list[Door]:
        return [
            Door("GET", paths.GLASS, For.STAFF, self._page),
            Door("POST", paths.GLASS, For.STAFF, self._break, paths.GLASS),
            Door("GET", paths.GLASS_ONE, For.STAFF, self._one),
            Door("POST", paths.GLASS_TOPIC, For.STAFF, self._open, paths.GLASS),
            Door("POST", paths.GLASS_REVIEW, For.STAFF, self._review, paths.GLASS),
        ]

    async def _page(self, visit: Visit) -> web.StreamResponse:
        return self._shown(visit, await self._glass.desk(visit.own_token), {})

    def _shown(self, visit: Visit, desk: GlassDesk, typed: Mapping[str, str], *problems: Problem) -> web.Response:
        first = {PRACTICE: str(desk.practices[0].id)} if len(desk.practices) == 1 else {}
        done = visit.request.query.get(DONE) == "relu" and not problems
        values = {"desk": desk, "typed": {**first, **typed}, "done": done, "confirm": _CONFIRM, **_VALUES}
        return visit.show("glass.html", problems, **values)

    async def _break(self, visit: Visit) -> web.StreamResponse:
        desk = await self._glass.desk(visit.own_token)
        wanted = _wanted(visit.fields, desk)
        if not isinstance(wanted, Breaking):
            return self._shown(visit, desk, visit.fields, *wanted)
        came = await self._glass.break_glass(visit.own_token, wanted)
        if isinstance(came, NotNow):
            problem = Problem(came.value, CALL if came in {NotNow.CALL, NotNow.SEVERAL_CALLS} else None)
            return self._shown(visit, desk, visit.fields, problem)
        return visit.go(paths.GLASS_ONE.format(glass=came))

    async def _one(self, visit: Visit) -> web.StreamResponse:
        return await self._looked_at(visit)

    async def _looked_at(
        self, visit: Visit, *problems: Problem, shown: Shown | None = None, not_shown: NotShown | None = None
    ) -> web.Response:
        found = await self._glass.look(visit.own_token, visit.path_id("glass"))
        template = "glass_own.html" if isinstance(found, Own) else "glass_review.html"
        values = {"found": found, "shown": shown, "not_shown": not_shown, "typed": visit.fields, **_VALUES}
        return visit.show(template, problems, **values)

    async def _open(self, visit: Visit) -> web.StreamResponse:
        glass, topic = visit.path_id("glass"), visit.fields.get(TOPIC, "")
        if topic not in set(Topic):
            raise Turned(Trouble.UNREADABLE)
        came = await self._glass.open(visit.own_token, glass, Topic(topic))
        if isinstance(came, NotShown):
            return await self._looked_at(visit, not_shown=came)
        response = await self._looked_at(visit, shown=came)
        # Without a script, too, it is gone after a minute.
        response.headers["Refresh"] = f"{SHOWN_SECONDS}; url={paths.GLASS_ONE.format(glass=glass)}"
        return response

    async def _review(self, visit: Visit) -> web.StreamResponse:
        verdict, words = visit.fields.get(VERDICT, ""), written(visit.fields.get(WORDS, ""))
        problems = [] if verdict in set(Verdict) else [Problem("verdict", VERDICT)]
        if not SHORTEST_REASON <= len(words) <= LONGEST_REASON:
            problems.append(Problem("words", WORDS))
        if problems:
            return await self._looked_at(visit, *problems)
        came = await self._glass.review(visit.own_token, visit.path_id("glass"), Verdict(verdict), words)
        if isinstance(came, NotNow) or not came:
            return await self._looked_at(visit, Problem(came.value if isinstance(came, NotNow) else "reviewed"))
        if verdict == Verdict.UNJUSTIFIED:  # the page offers to declare an incident
            return visit.go(paths.GLASS_ONE.format(glass=visit.path_id("glass")))
        return visit.go(f"{paths.GLASS}?{DONE}=relu")


_CONFIRM = with_return(paths.CONFIRM, paths.GLASS)
_VALUES: dict[str, Any] = {
    "declarers": frozenset({"supervisor", "administrator"}),
    "Topic": Topic,
    "Verdict": Verdict,
    "NotNow": NotNow,
    "longest": LONGEST_REASON,
    "longest_line": LONGEST_LINE,
    "NotShown": NotShown,
    "seconds": SHOWN_SECONDS,
}


def _wanted(fields: Mapping[str, str], desk: GlassDesk) -> Breaking | list[Problem]:
    """What the form asks for, or everything that is wrong with it."""
    practice = next((one.id for one in desk.practices if str(one.id) == fields.get(PRACTICE, "")), None)
    asks, who, why = fields.get(ASKS, ""), _line(fields, WHO), written(fields.get(WORDS, ""))
    number, born = parse_number(_line(fields, NUMBER)), birth_date(fields.get(BORN, ""), desk.now.date())
    name, first_name = _line(fields, NAME), _line(fields, FIRST_NAME)
    wrong = (
        (practice is None, "practice", PRACTICE),
        (asks not in set(Asks), "asks", ASKS),
        (not who, "who", WHO),
        (isinstance(number, NumberProblem), "number", NUMBER),
        (not SHORTEST_REASON <= len(why) <= LONGEST_REASON, "why", WORDS),
        (born is None, "born", BORN),
        (not name, "name", NAME),
        (not first_name, "first_name", FIRST_NAME),
    )
    problems = [Problem(word, field) for applies, word, field in wrong if applies]
    if problems or practice is None or born is None:
        return problems
    asked = Asked(why, who, str(number))
    return Breaking(practice, Asks(asks), asked, _line(fields, CALL), born, name, first_name)


def _line(fields: Mapping[str, str], name: str) -> str:
    return " ".join(written(fields.get(name, "")).split())[:LONGEST_LINE]
