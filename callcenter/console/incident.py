"""Incidents at ``/incidents``: declared on one page, then a register that grows; every page shows its clock."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from aiohttp import hdrs, web

from callcenter.calls.call_references import NoCall
from callcenter.console import paths
from callcenter.console.dates import ZONE
from callcenter.console.incident_papers import (
    ENTRIES,
    KINDS,
    MEANS,
    as_paper,
    as_text,
    entry_title,
    register_lines,
)
from callcenter.console.incident_ports import Declared, Implausible, Incidents, Shown, UnknownPractice
from callcenter.console.troubles import Trouble, Turned
from callcenter.console.visits import Door, For, Problem, Visit
from callcenter.kernel.errors import NotFound
from callcenter.staff.incident_tables import EntryKind, IncidentKind
from callcenter.staff.incident_values import LONGEST

#: Fields of a declaration that become entries, in the order of art. 33.3.
TOLD = (EntryKind.FACTS, EntryKind.PERSONS, EntryKind.CONSEQUENCES, EntryKind.MEASURES)
#: What may be written into a register by hand.
WRITABLE = (
    *TOLD,
    EntryKind.NOTE,
    EntryKind.PERSONS_INFORMED,
    EntryKind.NOTIFIED,
    EntryKind.CLOSED,
)
KIND, KNOWN, OTHERS, PRACTICE, WORDS, REFERENCE = "nature", "connu", "autres", "cabinet-", "texte", "reference"
#: Of a declaration that begins at a call: which, and that nothing of it is erased; then, that it could not be had.
CALL, CONCERNED, HELD, NOT_HELD = "appel", "cabinet", "conserver", "sans-appel"
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
#: What a person writes has no other control characters than ends of lines.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


class IncidentPages:
    """Declaring, reading, adding, taking along."""

    def __init__(self, incidents: Incidents) -> None:
        self._incidents = incidents

    def doors(self) -> list[Door]:
        one = paths.INCIDENTS
        # What is taken along is written down in the register: no link and no page that is fetched ahead does that.
        return [
            Door("GET", paths.INCIDENTS, For.STAFF, self._list),
            Door("GET", paths.INCIDENT_NEW, For.STAFF, self._form),
            Door("POST", paths.INCIDENT_NEW, For.STAFF, self._declare, paths.INCIDENT_NEW),
            Door("GET", paths.INCIDENT, For.STAFF, self._register),
            Door("POST", paths.INCIDENT_TEXT, For.STAFF, self._text, one),
            Door("POST", paths.INCIDENT_PAPER, For.STAFF, self._paper, one),
            Door("POST", paths.INCIDENT_ENTRIES, For.STAFF, self._write, one),
            Door("POST", paths.INCIDENT_HOLDS, For.STAFF, self._hold, one),
            Door("POST", paths.INCIDENT_HOLD_LIFTED, For.STAFF, self._lift, one),
        ]

    async def _list(self, visit: Visit) -> web.StreamResponse:
        now, listed = await self._incidents.all(visit.own_token)
        return visit.show("incidents.html", incidents=listed, now=now, kinds=KINDS)

    async def _form(self, visit: Visit) -> web.StreamResponse:
        return await self._asked(visit, (), from_call(visit.request.query))

    async def _asked(self, visit: Visit, problems: Sequence[Problem], typed: dict[str, str]) -> web.StreamResponse:
        choices = await self._incidents.choices(visit.own_token)
        known = choices.now.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")
        values: dict[str, Any] = {
            "choices": choices,
            "kinds": KINDS,
            "told": [(kind, ENTRIES[kind]) for kind in TOLD],
            "typed": {KNOWN: known, **typed},
            "longest": LONGEST,
            "unlisted": sorted(_ticked(typed) - {practice.hex for practice, _ in choices.practices}),
        }
        return visit.show("incident_new.html", problems, **values)

    async def _declare(self, visit: Visit) -> web.StreamResponse:
        fields, token = visit.fields, visit.own_token
        problems, typed = [], dict(fields)
        kind, known = fields.get(KIND, ""), known_at(fields.get(KNOWN, ""))
        entries = [(one, written(fields.get(one.value, ""))) for one in TOLD]
        practices, slugs = practices_of(fields), fields.get(OTHERS, "").split()
        if kind not in set(IncidentKind):
            problems.append(Problem("kind", KIND))
        if known is None:
            problems.append(Problem("known", KNOWN))
        if not entries[0][1]:
            problems.append(Problem("facts", EntryKind.FACTS.value))
        problems += [Problem("too_long", one.value) for one, words in entries if len(words) > LONGEST]
        if any(_SLUG.fullmatch(slug) is None for slug in slugs):
            problems.append(Problem("slug", OTHERS))
        if problems or known is None:
            return await self._asked(visit, problems, typed)
        told = [(one, words) for one, words in entries if words]
        try:
            incident = await self._incidents.declare(token, Declared(IncidentKind(kind), known, practices, slugs, told))
        except Implausible:
            return await self._asked(visit, [Problem("known", KNOWN)], typed)
        except UnknownPractice:
            return await self._asked(visit, [Problem("slug", OTHERS)], typed)
        page, call = paths.INCIDENT.format(incident=incident), fields.get(CALL, "")
        not_held = await self._incidents.hold(token, incident, call) if call and HELD in fields else None
        return visit.go(page if not_held is None else f"{page}?{NOT_HELD}={not_held.value}")

    async def _register(self, visit: Visit) -> web.StreamResponse:
        not_held = visit.request.query.get(NOT_HELD, "")
        return await self._shown(visit, *([Problem(not_held, REFERENCE)] if not_held in set(NoCall) else []))

    async def _shown(self, visit: Visit, *problems: Problem) -> web.StreamResponse:
        shown = await self._incidents.read(visit.own_token, visit.path_id("incident"))
        return visit.show("incident.html", problems, **_values(shown, visit))

    async def _text(self, visit: Visit) -> web.StreamResponse:
        shown = await self._exported(visit)
        return file_of(as_text(register_lines(shown)).encode(), "text/plain", "registre.txt")

    async def _paper(self, visit: Visit) -> web.StreamResponse:
        shown = await self._exported(visit)
        return file_of(as_paper(register_lines(shown)), "application/pdf", "registre.pdf")

    async def _exported(self, visit: Visit) -> Shown:
        return await self._incidents.read(visit.own_token, visit.path_id("incident"), exported=True)

    async def _write(self, visit: Visit) -> web.StreamResponse:
        kind, words = visit.fields.get(KIND, ""), written(visit.fields.get(WORDS, ""))
        if kind not in WRITABLE:
            raise Turned(Trouble.UNREADABLE)
        if not words or len(words) > LONGEST:
            return await self._shown(visit, Problem("too_long" if words else "words", WORDS))
        try:
            await self._incidents.write(visit.own_token, visit.path_id("incident"), EntryKind(kind), words)
        except NotFound:  # somebody has closed it meanwhile; where it is not to be seen, its page is not there either
            return await self._shown(visit, Problem("closed", WORDS))
        return self._back(visit)

    async def _hold(self, visit: Visit) -> web.StreamResponse:
        incident, reference = visit.path_id("incident"), visit.fields.get(REFERENCE, "")
        no_call = await self._incidents.hold(visit.own_token, incident, reference)
        if no_call is not None:
            return await self._shown(visit, Problem(no_call.value, REFERENCE))
        return self._back(visit)

    async def _lift(self, visit: Visit) -> web.StreamResponse:
        if not await self._incidents.lift(visit.own_token, visit.path_id("incident"), visit.path_id("hold")):
            return await self._shown(visit, Problem("not_lifted", "gel"))
        return self._back(visit)

    @staticmethod
    def _back(visit: Visit) -> web.StreamResponse:
        return visit.go(paths.INCIDENT.format(incident=visit.path_id("incident")))


def _values(shown: Shown, visit: Visit) -> dict[str, Any]:
    incident = shown.register.incident
    return {
        "shown": shown,
        "incident": incident,
        "register": shown.register,
        "left": incident.deadline - shown.now,
        "never": timedelta(),
        "kinds": KINDS,
        "means": MEANS,
        "writable": [(kind, ENTRIES[kind]) for kind in WRITABLE],
        "entry_title": entry_title,
        "longest": LONGEST,
        "typed": visit.fields,
        "address": paths,
        "untold": shown.untold,
    }


def address_from_call(call: UUID, practice: UUID) -> str:
    """Where an incident is declared that begins at a call: of its practice, and nothing of it erased meanwhile."""
    return f"{paths.INCIDENT_NEW}?{urlencode({CALL: call, CONCERNED: practice})}"


def from_call(query: Mapping[str, str]) -> dict[str, str]:
    """What :func:`address_from_call` fills in; nothing of any other address. Whoever declares may change all of it."""
    try:
        call, practice = UUID(query.get(CALL, "")), UUID(query.get(CONCERNED, ""))
    except ValueError:
        return {}
    return {CALL: str(call), HELD: "1", PRACTICE + practice.hex: "1"}


def _ticked(typed: Mapping[str, str]) -> set[str]:
    return {name.removeprefix(PRACTICE) for name in typed if name.startswith(PRACTICE)}


def known_at(typed: str) -> datetime | None:
    """A moment as a browser sends it (HTML, « local date and time »), in Paris; ``None`` for none."""
    try:
        at = datetime.strptime(typed.strip()[:16], "%Y-%m-%dT%H:%M")  # noqa: DTZ007 - the zone is ours to say
    except ValueError:
        return None
    return at.replace(tzinfo=ZONE)


def practices_of(fields: Any) -> list[UUID]:
    """The practices whose boxes are ticked.

    Raises:
        Turned: a box is none of ours.
    """
    try:
        return [UUID(name.removeprefix(PRACTICE)) for name in fields if name.startswith(PRACTICE)]
    except ValueError:
        raise Turned(Trouble.UNREADABLE) from None


def written(typed: str) -> str:
    """What somebody has written, without what cannot be seen."""
    return _CONTROL.sub("", typed.replace("\r\n", "\n")).strip()


def file_of(body: bytes, kind: str, name: str) -> web.Response:
    """What is taken along, for a browser to keep."""
    headers = {hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"'}
    charset = "utf-8" if kind == "text/plain" else None
    return web.Response(body=body, content_type=kind, charset=charset, headers=headers)
