"""The second factor: to come in, and once more before the account is changed or a message is read. An application, a
printed code, a key."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from callcenter.console import paths
from callcenter.console.ports import Entrance, Entry, NotEntered
from callcenter.console.signing_in import problem_of
from callcenter.console.visits import Door, For, Problem, Visit

_BLANKS = re.compile(r"[\s-]+")
LONGEST_CODE = 40
#: Letters of what a key answers.
LONGEST_RESPONSE = 24_000

Try = Callable[[str, str], Awaitable[Entry]]


@dataclass(frozen=True, slots=True)
class Ways:
    """One occasion on which a second factor is asked for.

    Arguments:
        who: may be asked.
        page, by_code, by_recovery_code, by_passkey, options: addresses.
        template: of the page.
        try_code, try_recovery_code, try_passkey: compare.
        make_options: what a key is to sign.
    """

    who: For
    page: str
    by_code: str
    by_recovery_code: str
    by_passkey: str
    options: str
    confirming: bool
    try_code: Try
    try_recovery_code: Try
    try_passkey: Try
    make_options: Callable[[str], Awaitable[str]]


class SecondFactor:
    """The pages of one occasion."""

    def __init__(self, ways: Ways) -> None:
        self._ways = ways

    def doors(self) -> list[Door]:
        ways = self._ways
        return [
            Door("GET", ways.page, ways.who, self._page),
            Door("POST", ways.by_code, ways.who, self._code, ways.page),
            Door("POST", ways.by_recovery_code, ways.who, self._recovery_code, ways.page),
            Door("POST", ways.by_passkey, ways.who, self._passkey, ways.page),
            Door("POST", ways.options, ways.who, self._options, ways.page),
        ]

    async def _page(self, visit: Visit) -> web.StreamResponse:
        return self._shown(visit)

    def _shown(self, visit: Visit, *problems: Problem) -> web.Response:
        return visit.show("factor.html", problems, back=visit.back, ways=self._ways)

    async def _code(self, visit: Visit) -> web.StreamResponse:
        return await self._tried(visit, "code", "code", self._ways.try_code)

    async def _recovery_code(self, visit: Visit) -> web.StreamResponse:
        return await self._tried(visit, "secours", "recovery", self._ways.try_recovery_code)

    async def _tried(self, visit: Visit, field: str, word: str, attempt: Try) -> web.StreamResponse:
        typed = _BLANKS.sub("", visit.fields.get(field, ""))
        if not typed or len(typed) > LONGEST_CODE:
            return self._shown(visit, Problem("missing" if not typed else word, field))
        return self._judged(visit, await attempt(visit.own_token, typed), word, field)

    async def _passkey(self, visit: Visit) -> web.StreamResponse:
        response = visit.fields.get("response", "")
        if not response or len(response) > LONGEST_RESPONSE:
            return self._shown(visit, Problem("passkey", "cle"))
        return self._judged(visit, await self._ways.try_passkey(visit.own_token, response), "passkey", "cle")

    def _judged(self, visit: Visit, entry: Entry, word: str, field: str) -> web.Response:
        if isinstance(entry, NotEntered):
            return self._shown(visit, problem_of(entry, word, field))
        return visit.go(visit.back, token=entry.token)

    async def _options(self, visit: Visit) -> web.StreamResponse:
        options = await self._ways.make_options(visit.own_token)
        return web.Response(text=options, content_type="application/json")


def entering(entrance: Entrance) -> Ways:
    """To come in."""
    return Ways(
        who=For.HALF_IN,
        page=paths.FACTOR,
        by_code=paths.FACTOR_TOTP,
        by_recovery_code=paths.FACTOR_RECOVERY,
        by_passkey=paths.FACTOR_PASSKEY,
        options=paths.FACTOR_PASSKEY_OPTIONS,
        confirming=False,
        try_code=entrance.by_code,
        try_recovery_code=entrance.by_recovery_code,
        try_passkey=entrance.by_passkey,
        make_options=entrance.passkey_options,
    )


def confirming(entrance: Entrance) -> Ways:
    """Before the account is changed."""
    return Ways(
        who=For.STAFF,
        page=paths.CONFIRM,
        by_code=paths.CONFIRM_TOTP,
        by_recovery_code=paths.CONFIRM_RECOVERY,
        by_passkey=paths.CONFIRM_PASSKEY,
        options=paths.CONFIRM_PASSKEY_OPTIONS,
        confirming=True,
        try_code=entrance.confirm_by_code,
        try_recovery_code=entrance.confirm_by_recovery_code,
        try_passkey=entrance.confirm_by_passkey,
        make_options=entrance.confirmation_options,
    )
