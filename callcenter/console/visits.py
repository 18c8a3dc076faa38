"""Doors: each page's address, who may come in, and what is checked before its handler runs.

No handler is reached but through a door, and every door says for whom it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from uuid import UUID

from aiohttp import hdrs, web

from callcenter.console import paths
from callcenter.console.addresses import Network, asking_address
from callcenter.console.cookies import FORM, SESSION, form_seed, give, new_seed, session_token, take_back
from callcenter.console.forms import Fields, FormProofs, read_form
from callcenter.console.incident_ports import Deadline
from callcenter.console.navigation import STANDING, ways
from callcenter.console.origin import ConsoleOrigin
from callcenter.console.paths import safe_return, with_return
from callcenter.console.ports import Entrance, Session, Stage
from callcenter.console.rendering import page
from callcenter.console.troubles import Trouble, Turned
from callcenter.console.words import CHOSEN, Language, language_of
from callcenter.kernel.randomness import Random

#: Of a query: somebody is at the page.
PRESENT = "present"


class For(Enum):
    """Who may come in."""

    ANYBODY = "anybody"
    #: Whoever has given a password, and not yet a second factor.
    HALF_IN = "half in"
    #: Whoever has given a password and has no second factor to give.
    NEWCOMER = "newcomer"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a form.

    Arguments:
        word: its name in ``templates/parts.html``.
        field: of the form, if it is one's.
        minutes: to wait.
    """

    word: str
    field: str | None = None
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, let in.

    Arguments:
        token, session: of whoever is signed in, at least half.
        fields: of the form, without its proof.
        binding: what the proofs of forms on the answer are made for.
        address: from where, to be counted.
        deadlines: of incidents whose clock runs, for whoever may see them.
        notices: how many incidents have something to be read by whoever it is, a practitioner.
    """

    request: web.Request
    token: str | None
    session: Session | None
    fields: Fields
    binding: str
    address: str
    proofs: FormProofs
    deadlines: Sequence[Deadline] = ()
    notices: int = 0

    @property
    def own_token(self) -> str:
        """The token of a visitor whom a door has let in as having one."""
        if self.token is None or self.session is None:
            raise Turned(Trouble.FORBIDDEN)
        return self.token

    @property
    def own_session(self) -> Session:
        """The session of a visitor whom a door has let in as having one."""
        if self.session is None:
            raise Turned(Trouble.FORBIDDEN)
        return self.session

    @property
    def language(self) -> Language:
        """In which the answer is written: for what code says, with ``words.translations``."""
        return language_of(self.request)

    @property
    def back(self) -> str:
        """Where to go on to: a page of ours, whatever was asked."""
        asked = self.fields.get(paths.RETURN) or self.request.query.get(paths.RETURN)
        return safe_return(asked)

    def show(
        self, template: str, problems: Sequence[Problem] = (), *, token: str | None = None, **values: Any
    ) -> web.Response:
        """A page.

        Arguments:
            problems: what is wrong with the form that was sent.
            token: of the session that begins with this answer.
        """
        resource = self.request.match_info.route.resource
        here = "" if resource is None else resource.canonical
        standing = self.request.app[STANDING]
        given = {
            "proof": self.proofs.proof(token or self.binding),
            "session": self.session,
            "problems": problems,
            "here": here,
            "navigation": ways(self.session, standing, here),
            "deadlines": self.deadlines,
            "notices": self.notices,
            **values,
        }
        response = page(self.request, template, given, status=422 if problems else 200)
        if token is not None:
            give(response, SESSION, token)
        return response

    def go(self, where: str, *, token: str | None = None) -> web.Response:
        """Send on to another page of ours, by GET.

        Arguments:
            token: of the session that begins with this answer.
        """
        response = see_other(where)
        if token is not None:
            give(response, SESSION, token)
            take_back(response, FORM)
        return response

    def path_id(self, name: str) -> UUID:
        """An identifier that stands in the address.

        Raises:
            Turned: it is none.
        """
        try:
            return UUID(self.request.match_info[name])
        except ValueError:
            raise Turned(Trouble.NOT_FOUND) from None


def see_other(where: str) -> web.Response:
    return web.Response(status=303, headers={hdrs.LOCATION: where})


#: Who is told of incidents whose clock runs, on every page.
_WATCHED_BY = frozenset({"supervisor", "administrator"})
Clocks = Callable[[str], Awaitable[Sequence[Deadline]]]
#: Who is told of incidents that concern their practice, on every page.
_TOLD = frozenset({"practitioner"})
Unread = Callable[[str], Awaitable[int]]

Handler = Callable[[Visit], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Door:
    """One page.

    Arguments:
        back: the page on which one comes to this address, where it cannot be gone to: to come back to after signing in,
            and for whoever asks for it without sending anything.
        by_itself: a page fetches it without its reader's doing, so that it does not keep a session from ending; unless
            the page says that somebody is there (``present=1``).
    """

    method: str
    path: str
    who: For
    handler: Handler
    back: str = paths.HOME
    by_itself: bool = False


@dataclass(slots=True)
class Doorkeeper:
    """Lets requests in.

    Arguments:
        proxies: the networks of our own proxies.
        clocks: tells of incidents whose clock runs.
        unread: tells how many incidents of their practice somebody has to read of.
    """

    entrance: Entrance
    proofs: FormProofs
    random: Random
    origin: ConsoleOrigin
    proxies: Sequence[Network] = ()
    clocks: Clocks | None = None
    unread: Unread | None = None
    _none: Mapping[str, str] = field(default_factory=dict)

    def opened(self, door: Door) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The door as aiohttp takes it."""

        async def enter(request: web.Request) -> web.StreamResponse:
            return await self._enter(door, request)

        return enter

    async def _enter(self, door: Door, request: web.Request) -> web.StreamResponse:
        token = session_token(request)
        active = not door.by_itself or request.query.get(PRESENT) == "1"
        session = None if token is None else await self.entrance.session(token, active=active)
        if token is None and door.who is For.STAFF and _from_another_site(request):
            return page(request, "again.html", {"where": safe_return(request.path_qs)})
        if session is not None and session.language is not None:
            request[CHOSEN] = session.language
        elsewhere = _elsewhere(door.who, session)
        if elsewhere is not None:
            return self._sent_elsewhere(door, request, elsewhere, ended=token is not None and session is None)
        seed = form_seed(request)
        bound = token if session is not None else seed
        fields = self._none
        if door.method == hdrs.METH_POST:
            fields = await read_form(request)
            self.proofs.check(bound, fields)
        binding = bound or new_seed(self.random)
        address = asking_address(request, self.proxies)
        deadlines = () if door.by_itself else await self._deadlines(token, session)
        notices = 0 if door.by_itself else await self._notices(token, session)
        own = token if session else None
        visit = Visit(request, own, session, fields, binding, address, self.proofs, deadlines, notices)
        response = await door.handler(visit)
        if bound is None:
            give(response, FORM, binding)
        return response

    async def _deadlines(self, token: str | None, session: Session | None) -> Sequence[Deadline]:
        """What runs out for whoever has a part in it."""
        if self.clocks is None or token is None or session is None or session.stage is not Stage.FULL:
            return ()
        return await self.clocks(token) if session.roles & _WATCHED_BY else ()

    async def _notices(self, token: str | None, session: Session | None) -> int:
        """What waits to be read by whoever answers for a practice's data."""
        if self.unread is None or token is None or session is None or session.stage is not Stage.FULL:
            return 0
        return await self.unread(token) if session.roles & _TOLD else 0

    def _sent_elsewhere(self, door: Door, request: web.Request, where: str, *, ended: bool) -> web.Response:
        """To the page that comes first; and back again after it."""
        asked = request.path_qs if door.method == hdrs.METH_GET and door.who is For.STAFF else door.back
        more = {"fin": "1"} if ended else {}
        comes_back = where in (paths.LOGIN, paths.FACTOR)
        response = see_other(with_return(where, safe_return(asked), **more) if comes_back else where)
        if ended:
            take_back(response, SESSION)
        return response


def led_back(where: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """For whoever goes to an address that only takes forms, by a bookmark or « back »: the page that has the form."""

    async def lead(_: web.Request) -> web.StreamResponse:
        return see_other(where)

    return lead


def _from_another_site(request: web.Request) -> bool:
    """Whether somebody follows a link of another site, so that the browser has kept the session's cookie back.

    A page of ours that asks once more gets it sent (RFC 6265bis §8.8.2); nothing is shown before.
    """
    return request.method == hdrs.METH_GET and request.headers.get("Sec-Fetch-Site") == "cross-site"


def _elsewhere(who: For, session: Session | None) -> str | None:
    """Where somebody must go instead, ``None`` where they may come in."""
    if who is For.ANYBODY:
        return None
    if session is None:
        return paths.LOGIN
    if session.stage is Stage.FULL:
        return None if who is For.STAFF else paths.HOME
    if session.enrolled:
        return None if who is For.HALF_IN else paths.FACTOR
    return None if who is For.NEWCOMER else paths.FIRST_FACTOR
