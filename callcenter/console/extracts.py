"""Extracts of the register at ``/extraits``: prepared from a patient who was looked up, read, and given to them.

Whom it is about is posted; an address holds the identifier of the request and nothing else. A file leaves as the answer
to a form, and is on no page that one can go back to.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from aiohttp import hdrs, web

from callcenter.console import paths
from callcenter.console.extract_ports import Extracts, Given, NotNow, Start, Wanted
from callcenter.console.incident import WORDS, written
from callcenter.console.paths import with_return
from callcenter.console.troubles import Trouble, Turned
from callcenter.console.typed import LONGEST_REASON, SHORTEST_REASON, birth_date
from callcenter.console.visits import Door, For, Problem, Visit
from callcenter.reports import register_words as words
from callcenter.reports.extract_rules import Choice, Form
from callcenter.reports.extract_tables import Asks, ExtractOutcome, IdentityCheck
from callcenter.reports.register_dates import clock, day
from callcenter.reports.register_extract import Named
from callcenter.reports.register_notes import BROKEN_LINE
from callcenter.reports.register_words import Section

PRACTICE, PATIENT = "cabinet", "patient"
ASKS, CHECK, CALL, FIRST, LAST = "demandeur", "controle", "appel", "du", "au"
BORN, NAME, FIRST_NAME = "naissance", "nom", "prenom"
FORM, STAFF, SEEN, DIGEST = "forme", "personnel", "vu", "empreinte"
#: Where the reason of a refusal is written, on the page.
DECLINED = "refus"
#: Before the identifier of a record that is held back.
HELD = "retenir-"
#: Characters of a line.
LONGEST_LINE = 120
DONE, AGAIN = "fait", "encore"
_TYPES = {Form.PDF: "application/pdf", Form.JSON: "application/json"}


class ExtractPages:
    """The pages below ``/extraits``."""

    def __init__(self, extracts: Extracts) -> None:
        self._extracts = extracts

    def doors(self) -> list[Door]:
        return [
            Door("GET", paths.EXTRACTS, For.STAFF, self._page),
            Door("POST", paths.EXTRACTS, For.STAFF, self._prepare, paths.REVIEW),
            Door("POST", paths.EXTRACT_NEW, For.STAFF, self._new, paths.REVIEW),
            Door("GET", paths.EXTRACT, For.STAFF, self._one),
            Door("POST", paths.EXTRACT_RELEASE, For.STAFF, self._release, paths.EXTRACTS),
            Door("POST", paths.EXTRACT_DECLINE, For.STAFF, self._decline, paths.EXTRACTS),
        ]

    async def _page(self, visit: Visit) -> web.StreamResponse:
        desk = await self._extracts.desk(visit.own_token)
        done = visit.request.query.get(DONE) == "refus"
        return visit.show("extracts.html", desk=desk, done=done, **_VALUES)

    async def _new(self, visit: Visit) -> web.StreamResponse:
        return await self._form(visit, {})

    async def _form(self, visit: Visit, typed: Mapping[str, str], *problems: Problem) -> web.Response:
        start = await self._extracts.start(visit.own_token, _id(visit.fields, PRACTICE), visit.fields.get(PATIENT, ""))
        period = {FIRST: start.begins.isoformat(), LAST: start.today.isoformat()}
        kept = {PRACTICE: visit.fields.get(PRACTICE, ""), PATIENT: visit.fields.get(PATIENT, "")}
        values = {"start": start, "typed": {**period, **typed}, "kept": kept, "confirm": _CONFIRM, **_VALUES}
        return visit.show("extract_new.html", problems, **values)

    async def _prepare(self, visit: Visit) -> web.StreamResponse:
        practice, patient = _id(visit.fields, PRACTICE), visit.fields.get(PATIENT, "")
        wanted = _wanted(visit.fields, practice, await self._extracts.start(visit.own_token, practice, patient))
        if not isinstance(wanted, Wanted):
            return await self._form(visit, visit.fields, *wanted)
        came = await self._extracts.prepare(visit.own_token, wanted)
        if isinstance(came, NotNow):
            return await self._form(visit, visit.fields, Problem(came.value, _FIELDS.get(came)))
        return visit.go(paths.EXTRACT.format(extract=came))

    async def _one(self, visit: Visit) -> web.StreamResponse:
        return await self._read(visit, again=visit.request.query.get(AGAIN) == "oui")

    async def _read(self, visit: Visit, *problems: Problem, again: bool = True) -> web.Response:
        identifier = visit.path_id("extract")
        found = await self._extracts.read(visit.own_token, identifier, again=again)
        confirm = with_return(paths.CONFIRM, paths.EXTRACT.format(extract=identifier))
        values = {"found": found, "again": AGAIN, "typed": visit.fields, "confirm": confirm, **_VALUES}
        return visit.show("extract.html", problems, **values)

    async def _release(self, visit: Visit) -> web.StreamResponse:
        choice = _choice(visit.fields)
        if not isinstance(choice, Choice):
            return await self._read(visit, choice)
        came = await self._extracts.release(visit.own_token, visit.path_id("extract"), choice)
        if isinstance(came, NotNow):
            return await self._read(visit, Problem(came.value))
        return _file(came, f"extrait-{visit.path_id('extract')}.{came.form.value}")

    async def _decline(self, visit: Visit) -> web.StreamResponse:
        why = written(visit.fields.get(WORDS, ""))
        if not SHORTEST_REASON <= len(why) <= LONGEST_REASON:
            return await self._read(visit, Problem("declined_why", DECLINED))
        came = await self._extracts.decline(visit.own_token, visit.path_id("extract"), why)
        if isinstance(came, NotNow) or not came:
            return await self._read(visit, Problem(came.value if isinstance(came, NotNow) else "decided"))
        return visit.go(f"{paths.EXTRACTS}?{DONE}=refus")


_CONFIRM = with_return(paths.CONFIRM, paths.REVIEW)
#: With which field something is wrong.
_FIELDS = {
    NotNow.SOMEBODY_ELSE: NAME,
    NotNow.RESTRICTED: CHECK,
    NotNow.OF_AGE: ASKS,
    NotNow.CALL: CALL,
    NotNow.SEVERAL_CALLS: CALL,
}
_VALUES: dict[str, Any] = {
    "Asks": Asks,
    "IdentityCheck": IdentityCheck,
    "Outcome": ExtractOutcome,
    "NotNow": NotNow,
    "Section": Section,
    "sections": words.SECTIONS,
    "in_zone_day": day,
    "in_zone_clock": clock,
    "held": HELD,
    "broken_line": BROKEN_LINE,
    "longest": LONGEST_REASON,
    "longest_line": LONGEST_LINE,
}


def _wanted(fields: Mapping[str, str], practice: UUID, start: Start) -> Wanted | list[Problem]:
    """What the form asks for, or everything that is wrong with it."""
    asks, check, call = fields.get(ASKS, ""), fields.get(CHECK, ""), _line(fields, CALL)
    first, last = _day(fields, FIRST), _day(fields, LAST)
    born = birth_date(fields.get(BORN, ""), start.today)
    name, first_name = _line(fields, NAME), _line(fields, FIRST_NAME)
    by_call = check == IdentityCheck.VERIFIED_CALL
    wrong = (
        (asks not in set(Asks), "asks", ASKS),
        (check not in set(IdentityCheck), "check", CHECK),
        (by_call and asks in set(Asks) and asks != Asks.PATIENT, "check_acts", CHECK),
        (by_call and not call, "call_missing", CALL),
        (born is None, "born", BORN),
        (not name, "name", NAME),
        (not first_name, "first_name", FIRST_NAME),
        (first is None or last is None or first > last or last > start.today, "period", FIRST),
    )
    problems = [Problem(word, field) for applies, word, field in wrong if applies]
    if problems or born is None or first is None or last is None:
        return problems
    named = Named(name, first_name, born)
    return Wanted(
        practice=practice,
        patient=fields.get(PATIENT, ""),
        asks=Asks(asks),
        check=IdentityCheck(check),
        call=call if by_call else "",
        first=first,
        last=last,
        named=named,
    )


def _choice(fields: Mapping[str, str]) -> Choice | Problem:
    """How it is given, or what is wrong with that."""
    form, why = fields.get(FORM, ""), written(fields.get(WORDS, ""))
    if form not in set(Form):
        raise Turned(Trouble.UNREADABLE)
    staff_named = fields.get(STAFF, "") == "oui"
    if staff_named and not SHORTEST_REASON <= len(why) <= LONGEST_REASON:
        return Problem("staff_why", WORDS)
    try:
        held_back = frozenset(UUID(name.removeprefix(HELD)) for name in fields if name.startswith(HELD))
        seen_at = datetime.fromisoformat(fields.get(SEEN, "")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Turned(Trouble.UNREADABLE) from None
    return Choice(Form(form), staff_named, why if staff_named else "", held_back, seen_at, fields.get(DIGEST, ""))


def _id(fields: Mapping[str, str], name: str) -> UUID:
    try:
        return UUID(fields.get(name, ""))
    except ValueError:
        raise Turned(Trouble.UNREADABLE) from None


def _day(fields: Mapping[str, str], name: str) -> date | None:
    try:
        return date.fromisoformat(fields.get(name, ""))
    except ValueError:
        return None


def _line(fields: Mapping[str, str], name: str) -> str:
    return " ".join(written(fields.get(name, "")).split())[:LONGEST_LINE]


def _file(given: Given, name: str) -> web.Response:
    headers = {hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"'}
    return web.Response(body=given.content, content_type=_TYPES[given.form], headers=headers)
