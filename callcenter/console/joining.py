"""From an invitation to an account: a password, a second factor, the codes for when that is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import segno
from aiohttp import web
from markupsafe import Markup

from callcenter.console import paths
from callcenter.console.cookies import FORM, take_back
from callcenter.console.ports import Enrolment, Entrance, PasswordFault
from callcenter.console.second_factor import LONGEST_RESPONSE
from callcenter.console.visits import Door, For, Problem, Visit

LONGEST_LABEL = 60

#: Where the parts of a page that sets up a second factor lead.
FIRST = {
    "begin_code": paths.FIRST_TOTP,
    "code": paths.FIRST_TOTP_CONFIRMED,
    "passkey": paths.FIRST_PASSKEY,
    "options": paths.FIRST_PASSKEY_OPTIONS,
}


class Joining:
    """The pages of an invitation."""

    def __init__(self, enrolment: Enrolment, entrance: Entrance) -> None:
        self._enrolment = enrolment
        self._entrance = entrance

    def doors(self) -> list[Door]:
        return [
            Door("GET", paths.INVITATION, For.ANYBODY, self._invitation),
            Door("POST", paths.INVITATION, For.ANYBODY, self._accepted),
            Door("GET", paths.FIRST_FACTOR, For.NEWCOMER, self._choice),
            Door("POST", paths.FIRST_TOTP, For.NEWCOMER, self._secret, paths.FIRST_FACTOR),
            Door("POST", paths.FIRST_TOTP_CONFIRMED, For.NEWCOMER, self._code, paths.FIRST_FACTOR),
            Door("POST", paths.FIRST_PASSKEY_OPTIONS, For.NEWCOMER, self._options, paths.FIRST_FACTOR),
            Door("POST", paths.FIRST_PASSKEY, For.NEWCOMER, self._passkey, paths.FIRST_FACTOR),
        ]

    # --- the password

    async def _invitation(self, visit: Visit) -> web.StreamResponse:
        return await self._asked(visit)

    async def _asked(self, visit: Visit, *problems: Problem) -> web.Response:
        invited = await self._enrolment.invited(visit.request.match_info["token"])
        if invited is None:
            response = visit.show("invitation_gone.html")
            response.set_status(410)
            return response
        return visit.show("invitation.html", problems, invited=invited)

    async def _accepted(self, visit: Visit) -> web.StreamResponse:
        problems = new_password_problems(visit.fields)
        if problems:
            return await self._asked(visit, *problems)
        token = visit.request.match_info["token"]
        accepted = await self._enrolment.accept(token, visit.fields["new_password"])
        match accepted:
            case None:
                return await self._asked(visit)
            case PasswordFault():
                return await self._asked(visit, Problem(accepted.value, "new_password"))
            case str():
                if visit.token is not None:  # whoever was in before is out
                    await self._entrance.leave(visit.token)
                return visit.go(paths.FIRST_FACTOR, token=accepted)

    # --- the second factor

    async def _choice(self, visit: Visit) -> web.StreamResponse:
        return visit.show("first_factor.html", addresses=FIRST)

    async def _secret(self, visit: Visit) -> web.StreamResponse:
        secret = await self._enrolment.begin_code(visit.own_token)
        return visit.show(
            "application.html", addresses=FIRST, secret=in_fours(secret.secret), picture=picture_of(secret.uri)
        )

    async def _code(self, visit: Visit) -> web.StreamResponse:
        code = "".join(visit.fields.get("code", "").split())
        token = await self._enrolment.confirm_code(visit.own_token, code) if 0 < len(code) <= 10 else None
        if token is None:
            problem = Problem("code" if code else "missing", "code")
            return visit.show("application.html", [problem], addresses=FIRST, secret=None, picture=None)
        return await self._enrolled(visit, token)

    async def _options(self, visit: Visit) -> web.StreamResponse:
        options = await self._enrolment.new_passkey_options(visit.own_token)
        return web.Response(text=options, content_type="application/json")

    async def _passkey(self, visit: Visit) -> web.StreamResponse:
        label, problems = passkey_label(visit.fields)
        token = None
        if not problems:
            token = await self._enrolment.add_passkey(visit.own_token, visit.fields["response"], label)
            problems = [] if token else [Problem("passkey", "cle")]
        if token is None:
            return visit.show("first_factor.html", problems, addresses=FIRST)
        return await self._enrolled(visit, token)

    async def _enrolled(self, visit: Visit, token: str) -> web.Response:
        codes = await self._enrolment.new_recovery_codes(token)
        response = visit.show("recovery_codes.html", token=token, codes=codes, going_on=paths.HOME)
        take_back(response, FORM)
        return response


def new_password_problems(fields: Mapping[str, str]) -> list[Problem]:
    """What can be said of a new password before it is looked at."""
    new, again = fields.get("new_password", ""), fields.get("again", "")
    if not new:
        return [Problem("missing", "new_password")]
    return [] if new == again else [Problem("differs", "again")]


def passkey_label(fields: Mapping[str, str]) -> tuple[str, list[Problem]]:
    """What a key is to be called, and what is wrong with the form that brings it."""
    label, response = " ".join(fields.get("label", "").split()), fields.get("response", "")
    problems = [] if 0 < len(label) <= LONGEST_LABEL and label.isprintable() else [Problem("label", "label")]
    if not 0 < len(response) <= LONGEST_RESPONSE:
        problems.append(Problem("passkey", "cle"))
    return label, problems


def in_fours(secret: str) -> Sequence[str]:
    """A secret in groups that one can read aloud."""
    return [secret[start : start + 4] for start in range(0, len(secret), 4)]


def picture_of(uri: str) -> Markup:
    """A QR code as SVG, in attributes alone: no style that the page's policy would refuse."""
    code = segno.make(uri, error="m", micro=False)
    svg = code.svg_inline(omitsize=True, border=2, dark="#000", light="#fff", svgclass=None, lineclass=None)
    return Markup(svg)  # noqa: S704 - made of numbers; nothing of the text stands in it
