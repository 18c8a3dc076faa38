"""Telling practices of incidents, on the database: each reads what was written for it, and it is all on record."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callcenter.kernel.clock import DrivenClock
from callcenter.staff.records import records_of
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.conftest import ROOT, Cluster
from tests.integration.incidents import FACTS, declared, practitioner, remitted
from tests.integration.supervising import Supervised, supervised

FIRST = "Nature : une date dite à un tiers. Une personne. Contact : dpo@example.fr."
SECOND = "Complément : la personne a été rappelée. Contact : dpo@example.fr."


@pytest.fixture
async def house(database: Database, sealer: Sealer, clock: DrivenClock) -> AsyncIterator[Supervised]:
    async with supervised(database, sealer, clock) as house:
        yield house


async def ledger(house: Supervised, practice: UUID) -> list[str]:
    async with house.console.database.practice(practice) as tx:
        rows = (await tx.connection.execute(text("SELECT body FROM audit_record"))).scalars()
        return sorted(json.loads(body)["event"] for body in rows)


async def test_p5_each_practice_is_told_for_itself_reads_it_and_is_informed_by_that(house: Supervised) -> None:
    clock, guest, other = house.console.clock, house.guest, await house.ours.practice()
    supervisor = await house.staff("nous")
    mine = await practitioner(house, "docteur", house.practice)
    theirs = await practitioner(house, "voisine", other)
    await house.signed_in(supervisor)
    incident = await declared(house, house.practice, other)
    page, own = f"/incidents/{incident}/cabinets/{house.practice}", f"/avis/{house.practice}/{incident}"

    await house.signed_in(mine)
    assert "Un incident concerne votre cabinet" in (await guest.get("/compte")).words, "from its declaration on"
    assert "L’avis n’est pas encore écrit" in (await guest.get(own)).words

    await house.signed_in(supervisor)
    shown = await guest.get(page)
    assert "Docteur" in shown.words, "whom to call"
    assert "Voisine" not in shown.words
    first = await remitted(house, incident, house.practice, FIRST)
    clock.advance(60)
    second = await remitted(house, incident, house.practice, SECOND)
    stale = await guest.post(page + "/remise", avis="Autre.", apres=first)
    assert (stale.status, "Un autre avis vient d’être remis" in stale.words) == (422, True)

    await house.signed_in(theirs)
    for path in (own, f"/avis/{other}/{incident}", "/avis"):
        assert FIRST not in (await guest.get(path)).words, path
        assert FACTS not in (await guest.get(path)).words, path

    await house.signed_in(mine)
    read = await guest.get(own)
    assert FIRST in read.words
    assert SECOND in read.words
    assert FACTS not in read.words, "the register is the organisation's"
    assert (await guest.post(own + "/lecture", avis=first)).status == 422, "there is more to read"
    for _ in range(2):
        assert (await guest.post(own + "/lecture", avis=second)).location == own
    assert "concerne votre cabinet" not in (await guest.get("/compte")).words

    await house.signed_in(supervisor)
    told = await guest.get(f"/incidents/{incident}")
    assert "par sa page" in told.words
    assert "Avis lu par le cabinet" in told.words
    assert "1 cabinet à informer" in (await guest.get("/incidents")).words, "the other one"
    assert "Lu par Docteur" in (await guest.get(page)).words
    taken = (await guest.post(page + "/avis")).text
    assert taken.index(FIRST) < taken.index(SECOND)
    assert FACTS not in taken
    assert "Registre exporté" in (await guest.get(f"/incidents/{incident}")).words
    noted = {"le": "2026-11-26T09:31", "moyen": "letter"}
    assert "déjà noté" in (await guest.post(page + "/informe", **noted)).words
    assert await ledger(house, house.practice) == [
        "incident.declared",
        "incident.notice_made",
        "incident.notice_made",
        "incident.notice_read",
    ]
    assert await ledger(house, other) == ["incident.declared"]
    async with house.console.database.house() as connection:
        acts = [one.body for one in await records_of(connection, incident)]
    by_practice = [(one["event"], one.get("kind")) for one in acts if one["actor"]["id"] == str(mine.id)]
    assert by_practice.count(("incident.written", "practice_read")) == 1
    assert ("incident.read", None) in by_practice
    (taken_along,) = [one["refs"] for one in acts if one["event"] == "incident.exported"]
    assert f"practice:{house.practice}" in taken_along
    assert FIRST not in json.dumps(acts, ensure_ascii=False)


async def test_p5_the_same_words_are_sealed_and_on_record_for_each_and_who_was_told_is_left_out(
    house: Supervised,
) -> None:
    guest, second, third = house.guest, await house.ours.practice(), await house.ours.practice()
    supervisor = await house.staff("nous")
    theirs = await practitioner(house, "voisine", second)
    await house.signed_in(supervisor)
    incident = await declared(house, house.practice, second, third)
    page, boxes = f"/incidents/{incident}/avis", {f"cabinet-{one.hex}": "1" for one in (house.practice, second, third)}
    assert page in (await guest.get(f"/incidents/{incident}")).text
    assert FACTS not in (await guest.get(page)).words
    told = {"le": "2026-11-26T09:31", "moyen": "telephone"}
    await guest.post(f"/incidents/{incident}/cabinets/{third}/informe", **told)
    given = await guest.post(page, avis=FIRST, etape="remettre", **boxes)
    assert "remis à 2 cabinets." in given.words
    assert "laissés de côté" in given.words
    again = await guest.post(page, avis=SECOND, etape="remettre", **boxes)
    assert "remis à 0 cabinet" in again.words, "a form that is sent twice tells nobody twice"

    sealed: set[bytes] = set()
    for practice, notices in ((house.practice, 1), (second, 1), (third, 0)):
        async with house.console.database.practice(practice) as tx:
            rows = (await tx.connection.execute(text("SELECT words FROM incident_notice_words"))).scalars().all()
        assert len(rows) == notices
        sealed |= set(rows)
        assert (await ledger(house, practice)).count("incident.notice_made") == notices
    assert len(sealed) == 2
    words = (await guest.get(f"/incidents/{incident}")).words
    assert words.count("Avis remis sur la page du cabinet") == 2
    await house.signed_in(theirs)
    assert FIRST in (await guest.get(f"/avis/{second}/{incident}")).words


async def test_p5_what_a_practice_was_told_is_sealed_in_its_own_scope_and_stays(
    house: Supervised, cluster: Cluster, database_name: str
) -> None:
    await house.signed_in(await house.staff("nous"))
    incident = await declared(house, house.practice)
    notice = await remitted(house, incident, house.practice, FIRST)
    doctor = await practitioner(house, "docteur", house.practice)
    await house.signed_in(doctor)
    await house.guest.get("/avis")
    await house.guest.post(f"/avis/{house.practice}/{incident}/lecture", avis=notice)
    careless = text("SELECT words FROM incident_notice_words")
    async with house.console.database.practice(house.foreign) as tx:
        assert (await tx.connection.execute(careless)).all() == []
    async with house.console.database.practice(house.practice) as tx:
        ((sealed,),) = (await tx.connection.execute(careless)).all()
        assert FIRST.encode()[:20] not in sealed
    root = Database(cluster.server.url(user=ROOT, database=database_name), pool_size=1)
    try:
        for table, column in (
            ("incident_notice", "made_at = made_at"),
            ("incident_notice_words", "words = words"),
            ("incident_receipt", "at = at"),
        ):
            for statement in (f"UPDATE {table} SET {column}", f"DELETE FROM {table}"):
                with pytest.raises(DBAPIError, match="only ever"):
                    async with root.house() as connection:
                        await connection.execute(text(statement))
        for change in ("means = 'letter'", "informed_at = now()"):
            with pytest.raises(DBAPIError, match="what is over stays over"):
                async with root.house() as connection:
                    await connection.execute(text(f"UPDATE incident_practice SET {change}"))
    finally:
        await root.close()
