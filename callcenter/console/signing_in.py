"""Signing in by login and password, and signing out."""

from __future__ import annotations

from aiohttp import web

from callcenter.console import paths
from callcenter.console.cookies import SESSION, take_back
from callcenter.console.demonstration import Demonstration
from callcenter.console.paths import safe_return, with_return
from callcenter.console.ports import Entered, Entrance, NotEntered, Stage
from callcenter.console.visits import Door, For, Problem, Visit, see_other

#: The longest login and password that are looked at.
LONGEST_LOGIN, LONGEST_PASSWORD = 40, 200


class SigningIn:
    """The pages of the first step.

    Arguments:
        demonstration: what the page tells its readers, where it is the demo's.
    """

    def __init__(self, entrance: Entrance, demonstration: Demonstration | None) -> None:
        self._entrance = entrance
        self._demonstration = demonstration

    def doors(self) -> list[Door]:
        return [
            Door("GET", paths.LOGIN, For.ANYBODY, self._form),
            Door("POST", paths.LOGIN, For.ANYBODY, self._sent),
            Door("POST", paths.LOGOUT, For.ANYBODY, self._leave),
        ]

    async def _form(self, visit: Visit) -> web.StreamResponse:
        if visit.session is not None:
            return visit.go(_next(visit))
        return self._page(visit)

    async def _sent(self, visit: Visit) -> web.StreamResponse:
        login, password = visit.fields.get("login", "").strip().lower(), visit.fields.get("password", "")
        problems = [
            *([Problem("missing", "login")] if not login else []),
            *([Problem("missing", "password")] if not password else []),
        ]
        if problems:
            return self._page(visit, *problems)
        if len(login) > LONGEST_LOGIN or len(password) > LONGEST_PASSWORD:
            return self._page(visit, Problem("refused"))  # nobody's; not looked up, and said as if it were
        entry = await self._entrance.begin(login, password, visit.address)
        if isinstance(entry, NotEntered):
            return self._page(visit, problem_of(entry, "refused", None))
        if visit.token is not None:  # whoever was in before is out
            await self._entrance.leave(visit.token)
        return await self._gone_on(visit, entry)

    async def _gone_on(self, visit: Visit, entry: Entered) -> web.StreamResponse:
        session = await self._entrance.session(entry.token)
        first = session is not None and not session.enrolled
        where = paths.FIRST_FACTOR if first else with_return(paths.FACTOR, visit.back)
        return visit.go(where, token=entry.token)

    def _page(self, visit: Visit, *problems: Problem) -> web.Response:
        ended, left = "fin" in visit.request.query, "sortie" in visit.request.query
        return visit.show(
            "login.html",
            problems,
            back=visit.back,
            login=visit.fields.get("login", ""),
            ended=ended and not problems,
            left=left and not problems,
            demonstration=self._demonstration,
        )

    async def _leave(self, visit: Visit) -> web.StreamResponse:
        if visit.token is not None:
            await self._entrance.leave(visit.token)
        response = see_other(with_return(paths.LOGIN, paths.HOME, sortie="1"))
        take_back(response, SESSION)
        return response


def _next(visit: Visit) -> str:
    """Where somebody who is in already goes on to."""
    if visit.session is not None and visit.session.stage is Stage.FULL:
        return safe_return(visit.back)
    return with_return(paths.FACTOR, visit.back)


def problem_of(entry: NotEntered, word: str, field: str | None) -> Problem:
    """What to say of a refusal: to wait, where that is it."""
    if entry.retry_after:
        return Problem("wait", field, minutes=max(1, -(-entry.retry_after // 60)))
    return Problem(word, field)
