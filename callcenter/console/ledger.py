"""The sealed ledger at ``/registre``: how each log stands, the proof of a record, what others hold of it.

Nothing here shows what a record tells. To look is no disclosure; what leaves as a file is on record before.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from typing import Any
from uuid import UUID

from aiohttp import hdrs, web

from callcenter.audit.agreement import Agreement
from callcenter.audit.anchors import AnchorKind
from callcenter.audit.logs import HOUSE_LOG
from callcenter.calls.call_references import NoCall
from callcenter.console import paths
from callcenter.console.ledger_picture import FLOOR, HEIGHT, ROWS, picture_of
from callcenter.console.ledger_ports import Age, CallPlaces, Download, KeyIs, Ledgers, NoRecord, Pace
from callcenter.console.review import clock
from callcenter.console.troubles import Trouble, Turned
from callcenter.console.visits import Door, For, Problem, Visit

SEARCH, REFERENCE = "recherche", "reference"
KIND, PLACE, SIZE, WHAT = "genre", "lieu", "taille", "piece"
#: Of an address: the page of a list.
PAGE = "page"
NOTE, RECEIPT = "point", "jeton"
#: In an address, in place of a practice.
HOUSE = "maison"
LONGEST_SEARCH, LONGEST_REFERENCE, MOST_PAGES = 80, 60, 5_000


class LedgerPages:
    """The pages below ``/registre``."""

    def __init__(self, ledgers: Ledgers) -> None:
        self._ledgers = ledgers

    def doors(self) -> list[Door]:
        return [
            Door("GET", paths.LEDGERS, For.STAFF, self._list),
            Door("POST", paths.LEDGERS, For.STAFF, self._list, paths.LEDGERS),
            Door("GET", paths.LEDGER, For.STAFF, self._state),
            Door("POST", paths.LEDGER_SEARCH, For.STAFF, self._find, paths.LEDGERS),
            Door("GET", paths.LEDGER_RECORD, For.STAFF, self._record),
            Door("POST", paths.LEDGER_RECORD, For.STAFF, self._proof, paths.LEDGERS),
            Door("GET", paths.LEDGER_DEPOSITS, For.STAFF, self._deposits),
            Door("POST", paths.LEDGER_DEPOSITS, For.STAFF, self._deposit, paths.LEDGERS),
        ]

    async def _list(self, visit: Visit) -> web.StreamResponse:
        search = " ".join(visit.fields.get(SEARCH, "").split())[:LONGEST_SEARCH]
        logs = await self._ledgers.logs(visit.own_token, search)
        return visit.show("ledger_list.html", logs=logs, search=search, search_field=SEARCH, **_VALUES)

    async def _state(self, visit: Visit) -> web.StreamResponse:
        return await self._shown(visit)

    async def _shown(self, visit: Visit, *problems: Problem, found: CallPlaces | None = None) -> web.Response:
        state = await self._ledgers.state(visit.own_token, _log(visit))
        return visit.show(
            "ledger.html",
            problems,
            state=state,
            log=state.log,
            picture=picture_of(state.since, state.now, state.hours, state.marks),
            found=found,
            typed=visit.fields.get(REFERENCE, ""),
            **_VALUES,
        )

    async def _find(self, visit: Visit) -> web.StreamResponse:
        log = _log(visit)
        found = await self._ledgers.find(visit.own_token, log, visit.fields.get(REFERENCE, "")[:LONGEST_REFERENCE])
        if isinstance(found, UUID):
            return visit.go(record_path(log, found))
        if isinstance(found, NoCall):
            code = "several_calls" if found is NoCall.SEVERAL else "reference"
            return await self._shown(visit, Problem(code, REFERENCE))
        return await self._shown(visit, found=found)

    async def _record(self, visit: Visit) -> web.StreamResponse:
        return await self._proved(visit)

    async def _proved(self, visit: Visit, *problems: Problem) -> web.Response:
        log, record = _log(visit), visit.path_id("record")
        came = await self._ledgers.proved(visit.own_token, log, record)
        line, proved = (came[0], None) if isinstance(came, tuple) else (came.log, came)
        missing = came[1] if isinstance(came, tuple) else None
        return visit.show(
            "ledger_record.html", problems, log=line, record=record, proved=proved, missing=missing, **_VALUES
        )

    async def _proof(self, visit: Visit) -> web.StreamResponse:
        came = await self._ledgers.proof(visit.own_token, _log(visit), visit.path_id("record"))
        if isinstance(came, NoRecord):
            return await self._proved(visit, *([Problem(came.value)] if came is NoRecord.BEHIND else []))
        return _file(came)

    async def _deposits(self, visit: Visit) -> web.StreamResponse:
        return await self._held(visit)

    async def _held(self, visit: Visit, *problems: Problem) -> web.Response:
        asked = visit.request.query.get(PAGE, "1")
        page = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else 1
        held = await self._ledgers.deposits(visit.own_token, _log(visit), min(max(page, 1), MOST_PAGES))
        wrong = [one for one in held.listed if one.agreement.is_wrong]
        return visit.show("ledger_deposits.html", problems, held=held, log=held.log, wrong=wrong, **_VALUES)

    async def _deposit(self, visit: Visit) -> web.StreamResponse:
        fields = visit.fields
        what, size = fields.get(WHAT, ""), fields.get(SIZE, "")
        if what not in (NOTE, RECEIPT) or not (size.isascii() and size.isdecimal()) or len(size) > 18:
            raise Turned(Trouble.UNREADABLE)
        given = (fields.get(KIND, ""), fields.get(PLACE, ""), int(size))
        came = await self._ledgers.deposit(visit.own_token, _log(visit), *given, receipt=what == RECEIPT)
        return await self._held(visit, Problem("gone")) if came is None else _file(came)


def _log(visit: Visit) -> UUID:
    """Which log an address names.

    Raises:
        Turned: none.
    """
    named = visit.request.match_info["log"]
    if named == HOUSE:
        return HOUSE_LOG
    log = visit.path_id("log")
    if log == HOUSE_LOG:  # it has one address
        raise Turned(Trouble.NOT_FOUND)
    return log


def _named(log: UUID) -> str:
    return HOUSE if log == HOUSE_LOG else str(log)


def state_path(log: UUID) -> str:
    return paths.LEDGER.format(log=_named(log))


def record_path(log: UUID, record: UUID) -> str:
    return paths.LEDGER_RECORD.format(log=_named(log), record=record)


def _file(download: Download) -> web.Response:
    headers = {hdrs.CONTENT_DISPOSITION: f'attachment; filename="{download.name}"'}
    return web.Response(body=download.content, content_type="application/octet-stream", headers=headers)


def encoded(digest: bytes) -> str:
    """A digest as files of proofs have it."""
    return b64encode(digest).decode()


def counted(time: timedelta) -> tuple[int, str]:
    """How long something lasts, in the largest unit of which there are two, or seconds; never negative."""
    seconds = max(0, int(time.total_seconds()))
    for length, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * length:
            return seconds // length, unit
    return seconds, "seconds"


_VALUES: dict[str, Any] = {
    "Age": Age,
    "Agreement": Agreement,
    "AnchorKind": AnchorKind,
    "KeyIs": KeyIs,
    "NoRecord": NoRecord,
    "Pace": Pace,
    "house": HOUSE_LOG,
    "clock": clock,
    "counted": counted,
    "encoded": encoded,
    "reference_field": REFERENCE,
    "longest_reference": LONGEST_REFERENCE,
    "deposit_fields": {"kind": KIND, "place": PLACE, "size": SIZE, "what": WHAT, "note": NOTE, "receipt": RECEIPT},
    "page_field": PAGE,
    "state_path": state_path,
    "record_path": record_path,
    "search_path": lambda log: paths.LEDGER_SEARCH.format(log=_named(log)),
    "deposits_path": lambda log: paths.LEDGER_DEPOSITS.format(log=_named(log)),
    "rows": ROWS,
    "floor": FLOOR,
    "height": HEIGHT,
}
