"""The page of differences with the carrier's list, on the room of staff and its database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from callcenter.kernel.clock import DrivenClock
from callcenter.staff.sessions import Stage
from callcenter.staff.values import Role
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.integration.consoles import ORGANISATION
from tests.integration.supervising import Supervised, supervised

PAGE = "/ecarts"
DAY = datetime(2026, 11, 24, tzinfo=UTC).date()
SID = "CA" + "a" * 32
THEIRS = "CA" + "b" * 32

_FOUND = (
    "INSERT INTO carrier_finding (id, practice_id, sid, kind, day, found_at) "
    "VALUES (:id, :practice, :sid, :kind, :day, :now)"
)
_COMPARED = "INSERT INTO carrier_day (day, compared_at, theirs, ours) VALUES (:day, :now, 12, 11)"


@pytest.fixture
async def house(database: Database, sealer: Sealer, clock: DrivenClock) -> AsyncIterator[Supervised]:
    async with supervised(database, sealer, clock) as house:
        yield house


async def found(house: Supervised, practice: UUID, sid: str = SID, kind: str = "call_unknown") -> UUID:
    finding = uuid4()
    values = {"id": finding, "practice": practice, "sid": sid, "kind": kind, "day": DAY}
    await house.ours.run(_FOUND, **values, now=house.console.clock.now())
    return finding


async def causes(house: Supervised) -> list[tuple[UUID, str, str]]:
    query = "SELECT id, cause, settled_by FROM carrier_finding WHERE settled_at IS NOT NULL"
    return [(row.id, row.cause, row.settled_by) for row in await house.ours.run(query)]


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ADMINISTRATOR])
async def test_a_difference_is_shown_settled_and_on_record(house: Supervised, role: Role) -> None:
    finding = await found(house, house.practice)
    await found(house, house.foreign, THEIRS)
    account = await house.staff("premier", role)
    await house.signed_in(account)
    page = await house.guest.get(PAGE)
    assert SID in page.text
    assert THEIRS not in page.text
    assert "rien n’en est écrit ici" in page.words
    done = await house.guest.post(PAGE, **{f"ecart-{finding}": "1", "cause": "outage"})
    assert done.location == "/ecarts?fait=1"
    shown = await house.guest.follow(done)
    assert "La cause est inscrite" in shown.words
    assert "Rien n’est à expliquer" in shown.words
    assert await causes(house) == [(finding, "outage", str(account.id))]
    async with house.console.database.practice(house.practice) as tx:
        bodies = (await tx.connection.execute(text("SELECT body FROM audit_record"))).scalars().all()
    (body,) = [body for body in bodies if b'"event":"carrier.settled"' in body]
    assert f'"id":"{account.id}"'.encode() in body
    assert b'"cause":"outage"' in body


async def test_what_was_compared_and_what_was_not_is_said(house: Supervised) -> None:
    await house.signed_in(await house.staff("premier"))
    assert "Aucun jour n’a encore été comparé" in (await house.guest.get(PAGE)).words
    for days in (0, 2):  # 24 November and the 22nd; it is the 26th
        await house.ours.run(_COMPARED, day=DAY - timedelta(days=days), now=house.console.clock.now())
    words = (await house.guest.get(PAGE)).words.replace("\u00a0", " ")
    assert "Dernier jour comparé : 24 novembre 2026." in words
    assert "23 novembre 2026" in words
    assert "25 novembre 2026" in words
    assert "22 novembre 2026" not in words


@pytest.mark.parametrize(
    ("ticked", "cause", "says"),
    [(False, "outage", "Cochez au moins un appel"), (True, "", "Choisissez une cause"), (True, "x", "Choisissez une")],
)
async def test_a_form_that_is_incomplete_changes_nothing_and_loses_nothing(
    house: Supervised, ticked: bool, cause: str, says: str
) -> None:
    finding = await found(house, house.practice)
    await house.signed_in(await house.staff("premier"))
    await house.guest.get(PAGE)
    fields = {f"ecart-{finding}": "1"} if ticked else {"ecart-no-identifier": "1"}
    answer = await house.guest.post(PAGE, **fields, cause=cause)
    assert answer.status == 422
    assert says in answer.words
    assert (f'name="ecart-{finding}" value="1" checked' in answer.text) is ticked
    assert await causes(house) == []


async def test_without_a_second_factor_of_the_last_minutes_nothing_is_settled(house: Supervised) -> None:
    finding, account = await found(house, house.practice), await house.staff("premier")
    async with house.console.database.house() as connection:
        token = await house.console.room.sessions.begin(connection, account.id, Stage.FULL, stepped_up=False)
    house.guest.cookies["__Host-callcenter"] = token
    assert "Confirmez d’abord que c’est vous" in (await house.guest.get(PAGE)).words
    answer = await house.guest.post(PAGE, **{f"ecart-{finding}": "1", "cause": "test"})
    assert (answer.status, await causes(house)) == (422, [])
    assert "rien de ce que vous avez écrit n’est perdu" in answer.words


async def test_what_is_settled_or_anothers_is_answered_alike(house: Supervised) -> None:
    mine, theirs = await found(house, house.practice), await found(house, house.foreign, THEIRS)
    await house.signed_in(await house.staff("premier"))
    await house.guest.get(PAGE)
    assert (await house.guest.post(PAGE, **{f"ecart-{mine}": "1", "cause": "test"})).status == 303
    answers = set()
    for finding in (mine, theirs, uuid4()):
        await house.guest.get(PAGE)
        answer = await house.guest.post(PAGE, **{f"ecart-{finding}": "1", "cause": "test"})
        answers.add((answer.status, answer.words))
    assert len(answers) == 1
    assert "ne sont plus ouverts" in next(iter(answers))[1]
    assert [one for one, *_ in await causes(house)] == [mine]


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.PRACTITIONER])
async def test_others_have_no_such_page(house: Supervised, role: Role) -> None:
    finding = await found(house, house.practice)
    await house.signed_in(await house.staff("autre", role, of=ORGANISATION))
    assert (await house.guest.get(PAGE)).status == 404
    await house.guest.get("/compte")
    assert (await house.guest.post(PAGE, **{f"ecart-{finding}": "1", "cause": "test"})).status == 404
    assert await causes(house) == []
