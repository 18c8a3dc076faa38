"""The pages of administration: who may sign in, for which practices, and how the installation stands.

Every change asks for a second factor that was given lately, and is done on the page of what it changes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from aiohttp import web

from callcenter.console import paths
from callcenter.console.administration_ports import (
    ROLES,
    Administering,
    Fault,
    Invitation,
    NewColleague,
)
from callcenter.console.paths import with_return
from callcenter.console.troubles import Trouble, Turned
from callcenter.console.visits import Door, For, Problem, Visit

#: What was done, as the page is told by its own address.
DONE = frozenset(
    {"lock", "unlock", "close", "signed", "trained", "expires", "languages", "grant", "take", "session", "sessions"}
    | {"made", "put", "removed"}
)
#: Which field a fault belongs to, on whichever form has it.
_FIELDS = {
    Fault.LOGIN: "login",
    Fault.LOGIN_TAKEN: "login",
    Fault.NAME: "nom",
    Fault.LANGUAGES: "langues",
    Fault.FUTURE: "engagement",
    Fault.FOLDER_NAME: "portefeuille-nom",
    Fault.FOLDER_TAKEN: "portefeuille-nom",
}
#: Languages that are offered, in the order of the page; ISO 639-1.
LANGUAGES = ("fr", "en", "de", "es", "it", "pt", "ar", "tr")

Handler = Callable[[Visit], Awaitable[web.StreamResponse]]
Change = Callable[[Visit, UUID], Awaitable[Fault | None]]


class AdministrationPages:
    """The pages below ``/administration``."""

    def __init__(self, administering: Administering) -> None:
        self._house = administering
        self._changes: Mapping[str, tuple[str, Change]] = {
            "verrou": ("lock", self._lock),
            "ouverture": ("unlock", self._unlock),
            "fermeture": ("close", self._close),
            "engagement": ("signed", self._signed),
            "formation": ("trained", self._trained),
            "echeance": ("expires", self._expires),
            "langues": ("languages", self._languages),
            "role": ("grant", self._grant),
            "retrait": ("take", self._take),
            "session": ("session", self._session),
            "sessions": ("sessions", self._sessions),
        }

    def doors(self) -> list[Door]:
        account, folders = paths.ADMINISTRATION_ACCOUNT, paths.ADMINISTRATION_FOLDERS
        return [
            Door("GET", paths.ADMINISTRATION, For.STAFF, self._office),
            Door("POST", paths.ADMINISTRATION, For.STAFF, _confirmed(self._make), paths.ADMINISTRATION),
            Door("GET", account, For.STAFF, self._account),
            Door("POST", paths.ADMINISTRATION_ACCOUNT_ACT, For.STAFF, self._act, paths.ADMINISTRATION),
            Door("POST", folders, For.STAFF, _confirmed(self._make_folder), paths.ADMINISTRATION),
            Door("GET", paths.ADMINISTRATION_FOLDER, For.STAFF, self._folder),
            Door("POST", paths.ADMINISTRATION_FOLDER_ACT, For.STAFF, _confirmed(self._fill), paths.ADMINISTRATION),
            Door("GET", paths.ADMINISTRATION_HEALTH, For.STAFF, self._health),
        ]

    # --- the list

    async def _office(self, visit: Visit) -> web.StreamResponse:
        return await self._show_office(visit)

    async def _show_office(self, visit: Visit, *problems: Problem) -> web.Response:
        office = await self._house.office(visit.own_token)
        return visit.show(
            "administration.html",
            problems,
            office=office,
            roles=ROLES,
            languages=LANGUAGES,
            typed=visit.fields,
            chosen=_languages_of(visit) or ("fr",),
            account_path=paths.ADMINISTRATION_ACCOUNT.format,
            folder_path=paths.ADMINISTRATION_FOLDER.format,
            **_common(visit, paths.ADMINISTRATION),
        )

    async def _make(self, visit: Visit) -> web.StreamResponse:
        fields = visit.fields
        problems = [Problem("missing", name) for name in ("login", "nom") if not fields.get(name, "").strip()]
        until, wrong = _day(fields.get("echeance", ""), "echeance", needed=False)
        problems += wrong
        if problems:
            return await self._show_office(visit, *problems)
        new = NewColleague(
            login=fields["login"],
            name=fields["nom"],
            languages=_languages_of(visit),
            role=fields.get("role", ""),
            folder=_id(fields.get("portefeuille", "")),
            expires_on=until,
        )
        made = await self._house.make(visit.own_token, new)
        if isinstance(made, Fault):
            return await self._show_office(visit, _problem(made))
        account, invitation = made
        return await self._invited(visit, account, invitation)

    # --- one account

    async def _account(self, visit: Visit) -> web.StreamResponse:
        return await self._show_account(visit, visit.path_id("account"))

    async def _show_account(self, visit: Visit, account: UUID, *problems: Problem) -> web.Response:
        dossier = await self._house.dossier(visit.own_token, account)
        office = await self._house.office(visit.own_token)
        here = paths.ADMINISTRATION_ACCOUNT.format(account=account)
        return visit.show(
            "administration_account.html",
            problems,
            dossier=dossier,
            folders=office.folders,
            roles=ROLES,
            languages=LANGUAGES,
            typed=visit.fields,
            act=lambda act: paths.ADMINISTRATION_ACCOUNT_ACT.format(account=account, act=act),
            **_common(visit, here),
        )

    async def _invited(self, visit: Visit, account: UUID, invitation: Invitation) -> web.Response:
        """The address, this once: neither it nor what it opens is in any page's address."""
        dossier = await self._house.dossier(visit.own_token, account)
        there = paths.ADMINISTRATION_ACCOUNT.format(account=account)
        return visit.show("administration_invited.html", dossier=dossier, invitation=invitation, there=there)

    async def _act(self, visit: Visit) -> web.StreamResponse:
        account, act = visit.path_id("account"), visit.request.match_info["act"]
        here = paths.ADMINISTRATION_ACCOUNT.format(account=account)
        if not visit.own_session.confirmed and act not in ("session", "sessions"):
            return visit.go(with_return(paths.CONFIRM, here))
        if act == "invitation":
            made = await self._house.invite_anew(visit.own_token, account)
            if isinstance(made, Fault):
                return await self._show_account(visit, account, _problem(made))
            return await self._invited(visit, account, made)
        if act not in self._changes:
            raise Turned(Trouble.NOT_FOUND)
        done, change = self._changes[act]
        try:
            fault = await change(visit, account)
        except _Unusable as unusable:
            return await self._show_account(visit, account, unusable.problem)
        if fault is not None:
            return await self._show_account(visit, account, _problem(fault))
        return visit.go(f"{here}?fait={done}")

    async def _lock(self, visit: Visit, account: UUID) -> Fault | None:
        return await self._house.lock(visit.own_token, account, locked=True)

    async def _unlock(self, visit: Visit, account: UUID) -> Fault | None:
        return await self._house.lock(visit.own_token, account, locked=False)

    async def _close(self, visit: Visit, account: UUID) -> Fault | None:
        if visit.fields.get("certain") != "1":
            raise _Unusable(Problem("certain", "certain"))
        return await self._house.close(visit.own_token, account)

    async def _signed(self, visit: Visit, account: UUID) -> Fault | None:
        return await self._house.signed(visit.own_token, account, _needed(visit, "engagement"))

    async def _trained(self, visit: Visit, account: UUID) -> Fault | None:
        return await self._house.trained(visit.own_token, account, _needed(visit, "formation"))

    async def _expires(self, visit: Visit, account: UUID) -> Fault | None:
        until, wrong = _day(visit.fields.get("echeance", ""), "echeance", needed=False)
        if wrong:
            raise _Unusable(wrong[0])
        return await self._house.expires(visit.own_token, account, until)

    async def _languages(self, visit: Visit, account: UUID) -> Fault | None:
        return await self._house.speaks(visit.own_token, account, _languages_of(visit))

    async def _grant(self, visit: Visit, account: UUID) -> Fault | None:
        return await self._change_role(visit, account, give=True)

    async def _take(self, visit: Visit, account: UUID) -> Fault | None:
        return await self._change_role(visit, account, give=False)

    async def _change_role(self, visit: Visit, account: UUID, *, give: bool) -> Fault | None:
        folder = _id(visit.fields.get("portefeuille", ""))
        return await self._house.grant(visit.own_token, account, visit.fields.get("role", ""), folder, give=give)

    async def _session(self, visit: Visit, account: UUID) -> Fault | None:
        return await self._house.end_sessions(visit.own_token, account, _id(visit.fields.get("session", "")))

    async def _sessions(self, visit: Visit, account: UUID) -> Fault | None:
        return await self._house.end_sessions(visit.own_token, account, None)

    # --- portfolios

    async def _make_folder(self, visit: Visit) -> web.StreamResponse:
        name, whole = visit.fields.get("portefeuille-nom", ""), visit.fields.get("entier") == "1"
        made = await self._house.make_folder(visit.own_token, name[:200], whole=whole)
        if isinstance(made, Fault):
            return await self._show_office(visit, _problem(made))
        return visit.go(paths.ADMINISTRATION_FOLDER.format(folder=made) + "?fait=made")

    async def _folder(self, visit: Visit) -> web.StreamResponse:
        return await self._show_folder(visit, visit.path_id("folder"))

    async def _show_folder(self, visit: Visit, folder: UUID, *problems: Problem) -> web.Response:
        shown = await self._house.folder(visit.own_token, folder)
        here = paths.ADMINISTRATION_FOLDER.format(folder=folder)
        return visit.show(
            "administration_folder.html",
            problems,
            shown=shown,
            act=lambda act: paths.ADMINISTRATION_FOLDER_ACT.format(folder=folder, act=act),
            **_common(visit, here),
        )

    async def _fill(self, visit: Visit) -> web.StreamResponse:
        folder, act = visit.path_id("folder"), visit.request.match_info["act"]
        if act not in ("ajout", "retrait"):
            raise Turned(Trouble.NOT_FOUND)
        practice = _id(visit.fields.get("cabinet", ""))
        fault = await self._house.fill(visit.own_token, folder, practice, put=act == "ajout")
        if fault is not None:
            return await self._show_folder(visit, folder, _problem(fault))
        done = "put" if act == "ajout" else "removed"
        return visit.go(f"{paths.ADMINISTRATION_FOLDER.format(folder=folder)}?fait={done}")

    # --- health

    async def _health(self, visit: Visit) -> web.StreamResponse:
        health = await self._house.health(visit.own_token)
        return visit.show("administration_health.html", health=health)


def _common(visit: Visit, where: str) -> dict[str, Any]:
    done = visit.request.query.get("fait")
    return {"done": done if done in DONE else None, "confirm": with_return(paths.CONFIRM, where)}


class _Unusable(Exception):
    """A form cannot be used as it was filled in."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.word)
        self.problem = problem


def _problem(fault: Fault) -> Problem:
    return Problem(fault.value, _FIELDS.get(fault))


def _day(written: str, name: str, *, needed: bool) -> tuple[date | None, list[Problem]]:
    """A day as browsers send it (HTML, « valid date string »: YYYY-MM-DD); nothing where none is needed."""
    if not written.strip():
        return None, [Problem("missing", name)] if needed else []
    try:
        return date.fromisoformat(written.strip()), []
    except ValueError:
        return None, [Problem("day", name)]


def _needed(visit: Visit, name: str) -> date:
    day, wrong = _day(visit.fields.get(name, ""), name, needed=True)
    if day is None:
        raise _Unusable(wrong[0])
    return day


def _languages_of(visit: Visit) -> tuple[str, ...]:
    """The languages that are ticked; each is a box of its own, since a form's names are unique here."""
    return tuple(code for code in LANGUAGES if visit.fields.get(f"langue-{code}") == "1")


def _id(written: str) -> UUID:
    try:
        return UUID(written)
    except ValueError:
        raise Turned(Trouble.UNREADABLE) from None


def _confirmed(handler: Handler) -> Handler:
    """The handler, once a second factor has been given lately; before it, the page that asks for one."""

    async def after_confirmation(visit: Visit) -> web.StreamResponse:
        if not visit.own_session.confirmed:
            return visit.go(with_return(paths.CONFIRM, paths.ADMINISTRATION))
        return await handler(visit)

    return after_confirmation
