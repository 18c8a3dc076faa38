"""Incidents on their database: who sees which, what is on record, and that nothing of a held call is erased."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callcenter.calls.call_references import short_reference
from callcenter.calls.upkeep import Upkeep
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.inbox import erase_handled
from callcenter.routing.old_calls import OldCalls
from callcenter.routing.values import LeftReason
from callcenter.staff import incidents
from callcenter.staff.records import Act, Actor, HouseLog, records_of
from callcenter.staff.values import Account, Role
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.conftest import ROOT, Cluster
from tests.integration.consoles import BY as _BY
from tests.integration.supervising import Supervised, supervised
from tests.unit.console.guest import Answer

FACTS = "Une date a été dite à un tiers, appel cité plus bas."


@pytest.fixture
async def house(database: Database, sealer: Sealer, clock: DrivenClock) -> AsyncIterator[Supervised]:
    async with supervised(database, sealer, clock) as house:
        yield house


async def declared(house: Supervised, *practices: UUID, **fields: str) -> str:
    """An incident of whoever is signed in; the path of its register."""
    await house.guest.get("/incidents/nouveau")
    given = {"nature": "wrong_person", "connu": "2026-11-26T09:30", "facts": FACTS, **fields}
    answer = await house.guest.post("/incidents/nouveau", **given, **{f"cabinet-{one.hex}": "1" for one in practices})
    assert answer.status == 303, answer.words
    return answer.location


def incident_of(path: str) -> UUID:
    return UUID(path.rpartition("/")[2])


async def events(house: Supervised, incident: UUID) -> list[dict[str, Any]]:
    async with house.console.database.house() as connection:
        return [record.body for record in await records_of(connection, incident)]


async def ledger(house: Supervised, practice: UUID) -> list[dict[str, Any]]:
    async with house.console.database.practice(practice) as tx:
        rows = await tx.connection.execute(text("SELECT body FROM audit_record ORDER BY seq"))
        return [json.loads(body) for body in rows.scalars()]


async def test_an_incident_is_declared_read_added_to_and_closed_each_on_record(house: Supervised) -> None:
    mine = await house.staff("nous")
    await house.signed_in(mine)
    path = await declared(house, house.practice, measures="Appel rappelé.")
    page = await house.guest.get(path)
    assert FACTS in page.words
    assert "Il reste 71 h 30" in page.words
    assert "il reste 71 h 30 pour la notification" in (await house.guest.get("/")).words.replace("\u00a0", " ")
    told = {"le": "2026-11-26T09:45", "moyen": "telephone", "precisions": "À l’accueil."}
    for status in (303, 422):
        assert (await house.guest.post(f"{path}/cabinets/{house.practice}/informe", **told)).status == status
    await house.guest.post(path + "/ecritures", nature="notified", texte="Dossier 7 de la CNIL.")
    assert "Incident en cours" not in (await house.guest.get("/")).words
    await house.guest.post(path + "/ecritures", nature="closed", texte="Sans suite.")
    too_late = await house.guest.post(path + "/ecritures", nature="note", texte="Encore.")
    assert (too_late.status, "Encore." in too_late.words) == (422, True)
    told = await events(house, incident_of(path))
    assert [one["event"] for one in told] == [
        "incident.declared",
        "incident.read",
        "incident.written",
        "incident.read",  # a form that was sent twice says that it was noted
        "incident.written",
        "incident.closed",
        "incident.read",
    ]
    assert {one["actor"]["id"] for one in told} == {str(mine.id)}
    assert FACTS not in json.dumps(told, ensure_ascii=False)
    assert [one["event"] for one in await ledger(house, house.practice)] == ["incident.declared", "incident.told"]


async def test_a_practice_that_is_told_late_stands_on_every_page_beyond_the_notification(house: Supervised) -> None:
    other, late = await house.ours.practice(), "{} après un jour"
    await house.signed_in(await house.staff("nous"))
    path = await declared(house, house.practice, other, connu="2026-11-25T09:30")
    assert late.format("2 cabinets ne sont pas informés") in (await house.guest.get("/")).words
    await house.guest.post(path + "/ecritures", nature="notified", texte="Dossier 7 de la CNIL.")
    assert late.format("2 cabinets ne sont pas informés") in (await house.guest.get("/")).words
    told = {"le": "2026-11-26T09:45", "moyen": "telephone"}
    await house.guest.post(f"{path}/cabinets/{other}/informe", **told)
    assert late.format("1 cabinet n’est pas informé") in (await house.guest.get("/")).words
    await house.guest.post(f"{path}/cabinets/{house.practice}/informe", **told)
    assert "Incident en cours" not in (await house.guest.get("/")).words
    await declared(house, house.practice, connu="2026-11-25T10:30")
    assert "après un jour" not in (await house.guest.get("/")).words, "not yet"


async def test_a_register_is_sealed_and_only_added_to(house: Supervised, cluster: Cluster, database_name: str) -> None:
    await house.signed_in(await house.staff("nous"))
    incident = incident_of(await declared(house, house.practice))
    root = Database(cluster.server.url(user=ROOT, database=database_name), pool_size=1)
    try:
        async with root.house() as connection:
            sealed = (await connection.execute(text("SELECT words FROM incident_entry"))).scalars().all()
            assert len(sealed) == 1
            assert FACTS.encode()[:20] not in sealed[0]
        for statement in ("UPDATE incident_entry SET kind = 'note'", "DELETE FROM incident_entry"):
            with pytest.raises(DBAPIError, match="only ever"):
                async with root.house() as connection:
                    await connection.execute(text(statement))
    finally:
        await root.close()
    async with house.console.database.house() as connection:
        with pytest.raises(DBAPIError, match="invalid input syntax for type uuid"):
            await connection.execute(text("SELECT words FROM incident_entry"))
    async with house.console.database.house() as connection:
        await connection.execute(text("SELECT set_config('app.row', :other, true)"), {"other": str(uuid4())})
        assert (await connection.execute(text("SELECT count(*) FROM incident_entry"))).scalar_one() == 0
    assert incident


async def reached(house: Supervised, who: Account, path: str) -> Answer:
    await house.signed_in(who)
    return await house.guest.get(path)


async def test_an_incident_is_seen_by_who_watches_over_all_that_it_concerns(house: Supervised) -> None:
    declarer, colleague = await house.staff("nous"), await house.staff("collegue")
    administrator = await house.staff("admin", Role.ADMINISTRATOR)
    operator = await house.staff("operatrice", Role.OPERATOR)
    foreigner = await house.staff("eux", of=house.theirs.organisation)
    other = await house.ours.practice()
    half = await house.staff("moitie", Role.OPERATOR)
    portfolio = await house.console.room.portfolios.create(half.organisation, "Un seul", _BY)
    await house.console.room.portfolios.add(portfolio, house.practice, _BY)
    await house.console.room.administration.grant(half, Role.SUPERVISOR, portfolio, _BY)
    await house.signed_in(declarer)
    both, nobodys = await declared(house, house.practice, other), await declared(house)
    one = await declared(house, house.practice)
    seen = {
        who.login: [(await reached(house, who, path)).status == 200 for path in (both, nobodys, one)]
        for who in (declarer, colleague, administrator, half, operator, foreigner)
    }
    assert seen == {
        "nous": [True, True, True],
        "collegue": [True, True, True],
        "admin": [True, True, True],
        "moitie": [False, False, True],
        "operatrice": [False, False, False],
        "eux": [False, False, False],
    }
    await house.signed_in(half)
    listed = (await house.guest.get("/incidents")).text
    assert listed.count('href="/incidents/') == 4, "new, twice; its own, and the clock"


async def test_a_practice_of_others_cannot_be_named(house: Supervised) -> None:
    await house.signed_in(await house.staff("nous"))
    await house.guest.get("/incidents/nouveau")
    given = {"nature": "other", "connu": "2026-11-26T09:30", "facts": "x"}
    by_id = await house.guest.post("/incidents/nouveau", **given, **{f"cabinet-{house.foreign.hex}": "1"})
    assert by_id.status == 404
    by_name = await house.guest.post("/incidents/nouveau", **given, autres=f"cabinet-{house.foreign}")
    assert "Un de ces identifiants" in by_name.words
    async with house.console.database.house() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM incident"))).scalar_one() == 0


async def test_a_paper_is_written_down_before_it_leaves(house: Supervised) -> None:
    await house.signed_in(await house.staff("nous"))
    path = await declared(house, house.practice)
    await house.guest.get(path + "/registre.txt")
    assert "incident.exported" not in [one["event"] for one in await events(house, incident_of(path))]
    await house.guest.get(path)
    assert FACTS in (await house.guest.post(path + "/registre.txt")).text
    page = await house.guest.get(path)
    assert "Registre exporté" in page.words
    assert "incident.exported" in [one["event"] for one in await events(house, incident_of(path))]


async def test_a_paper_holds_all_that_was_written_however_much(
    house: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incidents, "MOST_ENTRIES", 2)
    await house.signed_in(await house.staff("nous"))
    path = await declared(house, house.practice)
    await house.guest.get(path)
    for words in ("Deuxième.", "Troisième.", "Dernière."):
        house.console.clock.advance(1)
        await house.guest.post(path + "/ecritures", nature="note", texte=words)
    assert "Dernière." not in (await house.guest.get(path)).words
    assert "Dernière." in (await house.guest.post(path + "/registre.txt")).text


async def test_an_export_and_what_is_written_never_wait_for_one_another(house: Supervised) -> None:
    """The order is the incident, then the log of the house: an export that had the log first would close the circle."""
    who = await house.staff("nous")
    await house.signed_in(who)
    path = await declared(house, house.practice)
    await house.guest.get(path)
    incident, log = incident_of(path), HouseLog(house.console.clock, SeededRandom(5))
    async with house.console.database.house() as writer:
        sight = {"organisation": who.organisation, "staff": who.id, "reach": [house.practice], "whole": True}
        await writer.execute(incidents._ONE_TO_CHANGE, {**sight, "incident": incident})
        async with house.console.database.house() as other:
            of_a_foreign_key = text("SELECT id FROM incident WHERE id = :incident FOR KEY SHARE NOWAIT")
            await other.execute(of_a_foreign_key, {"incident": incident})
        export = asyncio.create_task(house.guest.post(path + "/registre.txt"))
        while (await writer.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))).scalar_one() == 0:
            assert not export.done(), "it has not waited for the incident"
            await asyncio.sleep(0.01)
        await writer.execute(text("SET LOCAL lock_timeout = '5s'"))
        await log.note(writer, Act.INCIDENT_WRITTEN, Actor.staff(who.id), None, {"kind": "note"}, stream=incident)
    assert (await export).status == 200


# --- what is not erased


async def _left_behind(house: Supervised) -> UUID:
    """A call that left the queue, with what the house knows of it, older than everything is kept."""
    call, floor = await house.ours.waits(house.practice), house.ours
    await floor.do(floor.queue.leave, call, LeftReason.HUNG_UP)
    old, challenge = house.console.clock.now(), uuid4()
    async with house.console.database.practice(house.practice) as tx:
        run = tx.connection.execute
        values = {"practice": house.practice, "call": call, "old": old, "id": challenge}
        await run(text(_CHALLENGE), {**values, "later": old + timedelta(minutes=10)})
        await run(text(_ATTEMPT), values)
        await run(text(_TRY), values)
        await run(text(_OUTREACH), {**values, "id": uuid4()})
        await run(text(_MESSAGE), {**values, "id": uuid4()})
    return call


_CHALLENGE = (
    "INSERT INTO challenge (id, practice_id, call_id, created_at, expires_at) "
    "VALUES (:id, :practice, :call, :old, :later)"
)
_ATTEMPT = (
    "INSERT INTO challenge_attempt (practice_id, challenge_id, document, keyed, at) "
    "VALUES (:practice, :id, 1, sha256('x'), :old)"
)
_TRY = (
    "INSERT INTO reference_try (practice_id, call_id, document, keyed, kind, target, at) "
    "VALUES (:practice, :call, 1, sha256('x'), 'reference', sha256('y'), :old)"
)
_OUTREACH = (
    "INSERT INTO outreach (id, practice_id, kind, call_id, asked_at) VALUES (:id, :practice, 'reminder', :call, :old)"
)
_MESSAGE = (
    "INSERT INTO message (id, practice_id, kind, reason, call_reference, created_at, handled_at, handled_by) "
    "VALUES (:id, :practice, 'voice', 'voice_message', :call, :old, :old, 'somebody')"
)
_COUNTED = (
    "SELECT (SELECT count(*) FROM challenge WHERE call_id = :call) AS challenges, "
    "(SELECT count(*) FROM challenge_attempt a JOIN challenge c ON c.id = a.challenge_id WHERE c.call_id = :call) "
    "AS attempts, (SELECT count(*) FROM reference_try WHERE call_id = :call) AS tries, "
    "(SELECT count(*) FROM outreach WHERE call_id = :call) AS outreaches, "
    "(SELECT count(*) FROM message WHERE call_reference = :call) AS messages, "
    "(SELECT count(*) FROM routing_event WHERE call_id = :call) AS events, "
    "(SELECT count(*) FROM queue_entry WHERE call_id = :call) AS entries"
)


async def test_of_a_held_call_nothing_is_erased_until_the_hold_is_lifted(
    house: Supervised, cluster: Cluster, database_name: str
) -> None:
    house.console.clock.set(datetime(2026, 6, 1, 9, tzinfo=UTC))
    held, free = await _left_behind(house), await _left_behind(house)
    root = Database(cluster.server.url(user=ROOT, database=database_name), pool_size=1)
    async with root.house() as connection:  # as if the database had known of them since then
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        await connection.execute(text("UPDATE queue_entry SET noted_at = left_at"))
        await connection.execute(text("UPDATE message SET handling_noted_at = handled_at"))
    await root.close()
    house.console.clock.set(datetime(2026, 11, 26, 9, tzinfo=UTC))
    await house.signed_in(await house.staff("nous"))
    path = await declared(house, house.practice)
    assert (await house.guest.post(path + "/gels", reference=str(held))).status == 303
    assert (await house.guest.post(path + "/gels", reference=str(held))).status == 303

    async def left(call: UUID) -> set[int]:
        async with house.console.database.practice(house.practice) as tx:
            return set((await tx.connection.execute(text(_COUNTED), {"call": call})).one())

    async def purged() -> None:
        clock, database = house.console.clock, house.console.database
        unused: Any = None
        await Upkeep(database, clock, unused, unused).forget()
        await OldCalls(database, clock, timedelta(days=31)).erase()
        async with database.practice(house.practice) as tx:
            await erase_handled(tx, clock.now() - timedelta(days=30), 100)

    assert 0 not in await left(free)
    await purged()
    assert await left(free) == {0}
    assert 0 not in await left(held)
    page = await house.guest.get(path)
    lift = re.search(rf'action="({path}/gels/[0-9a-f-]+/levee)"', page.text)
    assert lift
    assert (await house.guest.post(lift[1])).status == 303
    await purged()
    assert await left(held) == {0}
    kinds = [one["event"] for one in await ledger(house, house.practice) if one["event"].startswith("call.")]
    assert kinds == ["call.held", "call.hold_lifted"]


async def test_a_call_of_another_practice_is_not_held(house: Supervised) -> None:
    await house.signed_in(await house.staff("nous"))
    path, other = await declared(house, house.practice), await house.ours.practice()
    foreign, not_concerned = await house.theirs.call(house.foreign), await house.ours.call(other)
    for reference in (
        str(foreign),
        str(not_concerned),
        short_reference(foreign),
        f"CA{foreign.hex}",
        str(uuid4()),
        "",
        "Jeanne",
        "\x00",
    ):
        answer = await house.guest.post(path + "/gels", reference=reference)
        assert "Aucun appel d’un cabinet concerné" in answer.words, reference
    async with house.console.database.house() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM call_hold"))).scalar_one() == 0
