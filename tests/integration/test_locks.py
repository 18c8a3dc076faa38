"""Locks that two persons lift: the count begins anew, nobody is verified by it, and nobody learns whom it concerned."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from callcenter.calls.call_references import short_reference
from callcenter.flow.ports import CodeRight
from callcenter.kernel.clock import DrivenClock
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.integration.calling import TILLEULS, Exchange, Line, wrong
from tests.integration.supervising import Supervised, supervised
from tests.unit.console.guest import Answer

JEANNES_BIRTHDAY, JEANNES_MOBILE = date(1962, 3, 14), "+33639980001"
NOBODYS_BIRTHDAY = date(1962, 3, 15)
WHY = "A mal noté son code."


@pytest.fixture
def database_name(peopled_name: str) -> str:
    return peopled_name


@pytest.fixture
def exchange(database: Database, sealer: Sealer, clock: DrivenClock) -> Exchange:
    return Exchange(database, sealer, clock)


@pytest.fixture
async def house(
    exchange: Exchange, database: Database, sealer: Sealer, clock: DrivenClock
) -> AsyncIterator[Supervised]:
    async with supervised(database, sealer, clock) as house:
        # The demo's practice is staffed by the console's organisation.
        await house.ours.run(
            "UPDATE practice SET organisation_id = :ours WHERE id = :id", ours=house.ours.organisation, id=TILLEULS
        )
        yield house


async def barred(exchange: Exchange, born: date = JEANNES_BIRTHDAY) -> Line:
    """A call in which nothing is sent any more: five wrong codes, in two calls, and a last one."""
    for _ in range(2):
        line = await exchange.dial()
        await line.claim(born, JEANNES_MOBILE)
        sent = await exchange.deliver()
        for _ in range(3):
            await line.press(wrong(sent[0][1]) if sent else "000000")
    line = await exchange.dial()
    await line.claim(born, JEANNES_MOBILE)
    assert await exchange.deliver() == []
    return line


async def asks(house: Supervised, call: UUID, login: str = "premier") -> Answer:
    await house.signed_in(await house.staff(login))
    await house.guest.get("/blocages")
    return await house.guest.post("/blocages", reference=str(call), texte=WHY)


async def confirms(house: Supervised, login: str | None = "second", *, of: UUID | None = None) -> Answer:
    """Somebody else looks at what waits, and confirms it, by its address."""
    (row,) = await house.ours.run("SELECT id FROM lock_release ORDER BY asked_at DESC LIMIT 1")
    if login is not None:
        await house.signed_in(await house.staff(login, of=of or house.ours.organisation))
    await house.guest.get("/blocages")
    await house.guest.post(f"/blocages/{row.id}/motif")
    return await house.guest.post(f"/blocages/{row.id}/confirmation")


async def again(exchange: Exchange, born: date = JEANNES_BIRTHDAY) -> list[tuple[str, str]]:
    line = await exchange.dial()
    await line.claim(born, JEANNES_MOBILE)
    return await exchange.deliver()


async def test_two_persons_lift_a_lock_and_codes_are_sent_again(exchange: Exchange, house: Supervised) -> None:
    line = await barred(exchange)
    assert (await asks(house, line.call)).location == "/blocages?fait=demande"
    assert await again(exchange) == [], "asking alone lifts nothing"
    exchange.clock.advance(60)
    done = await confirms(house)
    assert done.location == "/blocages?fait=confirme"
    line = await exchange.dial()
    await line.claim(JEANNES_BIRTHDAY, JEANNES_MOBILE)
    ((_, code),) = await exchange.deliver()
    assert isinstance(await line.press(code), CodeRight)


async def test_five_wrong_codes_afterwards_lock_again(exchange: Exchange, house: Supervised) -> None:
    line = await barred(exchange)
    await asks(house, line.call)
    exchange.clock.advance(60)
    await confirms(house)
    exchange.clock.advance(1)
    await barred(exchange)


async def test_p2_lifting_gives_no_level(exchange: Exchange, house: Supervised) -> None:
    line = await barred(exchange)
    await asks(house, line.call)
    await confirms(house)
    assert line.evidence is None
    assert await exchange.rows("SELECT 1 FROM challenge WHERE consumed_at IS NOT NULL") == []


async def _told(exchange: Exchange, house: Supervised, born: date) -> dict[str, Any]:
    """Everything that both persons are shown, and what the ledger has, without identifiers and times."""
    exchange.clock.advance(60)
    line = await barred(exchange, born)
    asked = await asks(house, line.call, f"a{born.day}")
    pages = [asked, await house.guest.follow(asked)]
    done = await confirms(house, f"b{born.day}")
    pages += [done, await house.guest.follow(done)]
    rows = await exchange.rows("SELECT body FROM audit_record WHERE call_id IS NULL")
    bodies = sorted((json.loads(row.body) for row in rows), key=lambda body: (body["ts"], body["event"]))
    mine = [body for body in bodies if body["event"].startswith("lock.") and f"call:{line.call}" in body["refs"]]
    ids = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}|\b[ab]1[45]\b|\b[AB]1[45]\b|\d+ h \d+", re.IGNORECASE)
    return {
        "pages": [(page.status, page.location, ids.sub("", page.words)) for page in pages],
        "ledger": [(body["event"], body["subject"], len(body["refs"]), sorted(body)) for body in mine],
    }


async def test_p6_a_call_that_concerned_nobody_is_released_in_the_same_words(
    exchange: Exchange, house: Supervised
) -> None:
    known = await _told(exchange, house, JEANNES_BIRTHDAY)
    unknown = await _told(exchange, house, NOBODYS_BIRTHDAY)
    assert known == unknown
    assert {event for event, *_ in known["ledger"]} == {"lock.release_asked", "lock.reason_read", "lock.released"}
    assert {subject for _, subject, *_ in known["ledger"]} == {None}
    assert len(await exchange.rows("SELECT 1 FROM lock_lifted")) == 1


async def test_nobody_confirms_what_they_have_asked_for(exchange: Exchange, house: Supervised) -> None:
    line = await barred(exchange)
    await asks(house, line.call)
    assert "Un autre superviseur confirme." in (await house.guest.get("/blocages")).words
    assert "Cette demande ne peut pas être confirmée" in (await confirms(house, None)).words
    assert await again(exchange) == []
    (row,) = await house.ours.run("SELECT id, asked_by, asked_at FROM lock_release")
    with pytest.raises(DBAPIError, match="ck_lock_release_two_persons"):
        await house.ours.run(
            "UPDATE lock_release SET confirmed_by = asked_by, confirmed_at = asked_at WHERE id = :id", id=row.id
        )


async def test_a_request_is_confirmed_within_a_quarter_of_an_hour_and_once(
    exchange: Exchange, house: Supervised
) -> None:
    line = await barred(exchange)
    await asks(house, line.call)
    exchange.clock.advance(15 * 60)
    assert "ne peut pas être confirmée" in (await confirms(house)).words
    assert "Rien n’attend." in (await house.guest.get("/blocages")).words
    await house.guest.post("/blocages", reference=short_reference(line.call), texte=WHY)
    assert (await confirms(house, "troisieme")).location == "/blocages?fait=confirme"
    assert "ne peut pas être confirmée" in (await confirms(house, "quatrieme")).words


async def test_a_supervisor_of_others_neither_asks_nor_confirms_nor_sees(exchange: Exchange, house: Supervised) -> None:
    line = await barred(exchange)
    other = house.theirs.organisation
    await house.signed_in(await house.staff("eux", of=other))
    await house.guest.get("/blocages")
    answer = await house.guest.post("/blocages", reference=str(line.call), texte=WHY)
    in_short = await house.guest.post("/blocages", reference=short_reference(line.call), texte=WHY)
    assert "Aucun appel d’un cabinet concerné" in in_short.words
    nobodys = await house.guest.post("/blocages", reference=str(UUID(int=7)), texte=WHY)
    assert "Aucun appel d’un cabinet concerné" in answer.words
    assert answer.words.replace(str(line.call), "") == nobodys.words.replace(str(UUID(int=7)), "")
    await asks(house, line.call)
    await house.signed_in(await house.staff("eux2", of=other))
    assert WHY not in (await house.guest.get("/blocages")).words
    assert "ne peut pas être confirmée" in (await confirms(house, "eux3", of=other)).words
    assert await again(exchange) == []


async def test_why_is_sealed_and_the_ledger_has_no_word_of_it(exchange: Exchange, house: Supervised) -> None:
    line = await barred(exchange)
    await asks(house, line.call)
    (row,) = await exchange.rows("SELECT words FROM lock_release_reason")
    assert WHY.encode() not in row.words
    assert WHY not in "".join(str(one.body) for one in await exchange.rows("SELECT body FROM audit_record"))
    await house.signed_in(await house.staff("second"))
    assert WHY not in (await house.guest.get("/blocages")).words
    assert await _read_by(exchange) == [], "looking is no reading"
    (row,) = await house.ours.run("SELECT id FROM lock_release")
    assert (await house.guest.post(f"/blocages/{row.id}/confirmation")).status == 422, (
        "who has not read confirms nothing"
    )
    assert await house.ours.run("SELECT 1 FROM lock_release WHERE confirmed_at IS NOT NULL") == []
    assert WHY in (await house.guest.post(f"/blocages/{row.id}/motif")).words
    assert await _read_by(exchange) == [f"lock_release:{row.id}"]


async def test_sm_02_why_is_not_read_once_a_training_has_lapsed(exchange: Exchange, house: Supervised) -> None:
    line = await barred(exchange)
    await asks(house, line.call)
    await house.signed_in(await house.staff("second"))
    await house.guest.get("/blocages")
    await house.ours.run("UPDATE staff_account SET trained_until = '2026-01-31' WHERE login = 'second'")
    (row,) = await house.ours.run("SELECT id FROM lock_release")
    page = await house.guest.post(f"/blocages/{row.id}/motif")
    assert WHY not in page.words
    assert "un motif ne peut pas vous être montré" in page.words
    assert await _read_by(exchange) == []


async def _read_by(exchange: Exchange) -> list[str]:
    rows = await exchange.rows("SELECT body FROM audit_record WHERE event = 'lock.reason_read'")
    return [json.loads(row.body)["refs"][0] for row in rows]


async def test_a_request_is_forgotten_after_a_year_with_its_reason_unless_its_call_is_held(
    exchange: Exchange, house: Supervised
) -> None:
    by = (await house.staff("premier")).id
    calls = [(await exchange.dial()).call for _ in range(3)]
    for call, age in zip(calls, (400, 400, 30), strict=True):
        values = {"call": call, "age": timedelta(days=age), "by": by}
        await exchange.rows(
            "WITH made AS (INSERT INTO lock_release (id, practice_id, call_id, asked_by, asked_at) "
            "VALUES (gen_random_uuid(), current_setting('app.practice')::uuid, :call, :by, "
            "now() - cast(:age AS interval)) RETURNING id) SELECT id FROM made",
            **values,
        )
    await exchange.rows(
        "WITH why AS (INSERT INTO lock_release_reason (release_id, practice_id, words) "
        "SELECT id, practice_id, 'sealed'::bytea FROM lock_release RETURNING release_id) SELECT release_id FROM why"
    )
    await house.ours.run(
        "INSERT INTO incident (id, organisation_id, kind, known_at, declared_at, declared_by) "
        "VALUES (gen_random_uuid(), :ours, 'loss', now(), now(), :by)",
        ours=house.ours.organisation,
        by=by,
    )
    await house.ours.run(
        "INSERT INTO incident_practice (incident_id, practice_id) SELECT id, :practice FROM incident", practice=TILLEULS
    )
    await house.ours.run(
        "INSERT INTO call_hold (id, incident_id, practice_id, call_id, placed_at, placed_by) "
        "SELECT gen_random_uuid(), i.id, :practice, :held, now(), :by FROM incident i",
        **{"practice": TILLEULS, "held": calls[0], "by": by},
    )

    async def left(before: timedelta) -> list[UUID]:
        await exchange.rows("SELECT forget_lock_releases(now() - cast(:before AS interval))", before=before)
        rows = await exchange.rows(
            "SELECT r.call_id FROM lock_release r JOIN lock_release_reason w ON w.release_id = r.id"
        )
        assert len(rows) == len(await exchange.rows("SELECT 1 FROM lock_release_reason"))
        return [call for call in calls if call in {row.call_id for row in rows}]

    assert await left(timedelta(days=500)) == calls
    assert await left(timedelta(days=365)) == [calls[0], calls[2]]
    await house.ours.run("UPDATE call_hold SET lifted_at = now(), lifted_by = placed_by")
    assert await left(timedelta()) == [calls[2]], "a month is the least"


async def test_what_is_asked_without_a_call_or_a_reason_is_not_lost(exchange: Exchange, house: Supervised) -> None:
    await house.signed_in(await house.staff("premier"))
    await house.guest.get("/blocages")
    for reference, reason, words in (
        ("Jeanne Martin", WHY, "Aucun appel d’un cabinet concerné"),
        (str(UUID(int=3)), "", "Écrivez pourquoi"),
        (str(UUID(int=3)), "x" * 501, "trop long"),
    ):
        page = await house.guest.post("/blocages", reference=reference, texte=reason)
        assert page.status == 422
        assert words in page.words
        assert reference in page.text
        assert reason in page.text
    assert exchange.practice == TILLEULS
