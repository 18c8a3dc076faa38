"""What is done about extracts of the register, each tried on another practice's; and rows to be tried on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from callcenter.audit import about
from callcenter.audit.erasing import candidates_about
from callcenter.audit.ledger import EventKind, canonical, leaf_of
from callcenter.reports import extracts
from callcenter.reports.extract_tables import Asks, IdentityCheck
from callcenter.reports.extracts_given import given_before
from callcenter.reports.on_record import is_of
from callcenter.reports.register_extract import Named
from tests.attack.ground import Ground
from tests.attack.scene import JEANNE, TILLEULS

if TYPE_CHECKING:
    from tests.attack.repositories import Careless

#: The one that is planted, and as whom Jeanne is known.
EXTRACT = UUID(int=0xE87AC7)
NAMED = Named("Martin-Duval", "Jeanne", date(1962, 3, 14))


def _prepared(extract: UUID, staff: UUID, at: datetime) -> extracts.Prepared:
    day = at.date()
    return extracts.Prepared(extract, Asks.PATIENT, IdentityCheck.IN_PERSON, None, day, day, staff, at)


async def plant_extract(ground: Ground, now: datetime) -> None:
    """Jeanne has asked for an extract, and staff were named in it."""
    (reason,) = await ground.rows("SELECT id, staff_id FROM review_reason LIMIT 1")
    async with ground.app.practice(TILLEULS) as tx:
        prepared = _prepared(EXTRACT, reason.staff_id, now)
        await extracts.prepare(tx, ground.sealer, prepared, JEANNE, reason.id, NAMED)
        await extracts.keep_words(tx, ground.sealer, uuid4(), EXTRACT, "staff", "Pour une plainte.")


async def _subject(on: Careless) -> UUID:
    (row,) = await on.ground.rows("SELECT token FROM audit_subject WHERE patient_id = :jeanne", jeanne=JEANNE)
    return UUID(str(row.token))


async def _prepare(on: Careless) -> None:
    (reason,) = await on.ground.rows("SELECT id, staff_id FROM review_reason LIMIT 1")
    prepared = _prepared(uuid4(), reason.staff_id, on.now)
    await extracts.prepare(on.tx, on.ground.sealer, prepared, JEANNE, reason.id, NAMED)


async def _about(on: Careless) -> object:
    day = timedelta(days=1)
    return (await about.records_about(on.tx, await _subject(on), on.now - day, on.now + day, 10)).records


async def _to_be_erased(on: Careless) -> object:
    return await candidates_about(on.tx, await _subject(on))


async def _reach(on: Careless) -> object:
    return (await about.reach_of(on.tx)).begins


async def _verified(on: Careless) -> bool:
    return await extracts.was_verified(on.tx, on.call, await _subject(on), on.now)


async def plant_given(ground: Ground) -> None:
    """What Jeanne has asked for was given: on record in her practice."""
    body = canonical({"event": EventKind.EXTRACT_RELEASED.value, "refs": [f"extract:{EXTRACT}"], "form": "pdf"})
    await ground.change(
        "INSERT INTO audit_record (id, practice_id, stream, seq, leaf, body) "
        "VALUES (:id, :practice, :stream, 0, :leaf, :body)",
        **{"id": uuid4(), "practice": TILLEULS, "stream": uuid4(), "leaf": leaf_of(body), "body": body},
    )


EXTRACT_CASES: Mapping[str, Callable[[Careless], Awaitable[object]]] = {
    "audit.about.records_about": _about,
    "audit.about.reach_of": _reach,
    "audit.erasing.candidates_about": _to_be_erased,
    "reports.extracts.subject_of": lambda on: extracts.subject_of(on.tx, EXTRACT),
    "reports.extracts.prepare": _prepare,
    "reports.extracts.whose": lambda on: extracts.whose(on.tx, on.ground.sealer, EXTRACT),
    "reports.extracts.keep_words": lambda on: extracts.keep_words(
        on.tx, on.ground.sealer, uuid4(), EXTRACT, "declined", "Rien à dire."
    ),
    "reports.extracts.was_verified": _verified,
    "reports.extracts_given.given_before": lambda on: given_before(on.tx, EXTRACT),
    "reports.on_record.is_of": lambda on: is_of(on.tx, on.ground.sealer, JEANNE, NAMED),
}

EXTRACTS_NOT_ATTACKED: Mapping[str, str] = {
    "reports.extracts.close": "house scope: an identifier that whoever decides holds, and no word of whose it is",
    "reports.extracts.times_of": "house scope: when calls have begun and ended",
}
