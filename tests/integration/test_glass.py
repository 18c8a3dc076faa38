"""Broken glass on the database: on record before it is shown, one file and one topic, and reviewed by somebody else."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from callcenter.doctor import _glass
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.demo import seed
from callcenter.reports.on_record import Sought as OnRecord
from callcenter.reports.on_record import patients_on_record
from callcenter.reports.paper import Edition, on_paper
from callcenter.reports.searching import search
from callcenter.reports.spreadsheet import spreadsheet
from callcenter.reports.timeline import timeline_of
from callcenter.reports.values import Criteria, Kind
from callcenter.staff import glass as rows
from callcenter.staff.values import Role
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.integration.breaking import (
    JEANNE,
    NUMBER,
    PATH,
    PORT,
    TILLEULS,
    WHO,
    WHY,
    WITHHELD,
    YVES,
    GlassHouse,
    glass_house,
    value_on,
)
from tests.integration.practice_office import flows


@pytest.fixture
async def glass(
    database: Database, sealer: Sealer, clock: DrivenClock, random: SeededRandom
) -> AsyncIterator[GlassHouse]:
    await seed(database, sealer, clock, random)
    async with glass_house(database, sealer, clock) as glass:
        yield glass


async def test_p1_each_topic_is_on_record_before_it_is_shown_and_only_one_is(glass: GlassHouse) -> None:
    await glass.switch()
    who = await glass.supervisor("premier")
    page = (await glass.breaks()).location
    assert re.fullmatch(rf"{PATH}/[0-9a-f-]{{36}}", page)
    first = await glass.house.guest.get(page)
    assert value_on(first) == []
    shown = {topic: await glass.opens(page, topic) for topic in ("identity", "telephones", "appointments")}
    assert value_on(shown["identity"]) == ["Martin-Duval", "Jeanne", "14/03/1962", "F"]
    assert value_on(shown["telephones"]) == ["06 39 98 00 01"]
    assert len(value_on(shown["appointments"])) == 2
    assert "14\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}30" in value_on(shown["appointments"])[0]
    assert {answer.headers["Refresh"] for answer in shown.values()} == {f"60; url={page}"}
    assert value_on(await glass.house.guest.get(page)) == []
    records = await glass.records(TILLEULS, "glass.broken", "disclosure")
    assert {record["actor"]["id"] for record in records} == {str(who.id)}
    assert len({record["stream"] for record in records}) == 1
    told = [(one["event"], one.get("decision"), one["refs"][-1], one["purpose"]) for one in records]
    identifier = f"glass_break:{page.rpartition('/')[2]}"
    assert told == [
        ("glass.broken", None, identifier, "ETREAT"),
        ("disclosure", "granted", "file", "ETREAT"),
        ("disclosure", "granted", "patient.identity", "ETREAT"),
        ("disclosure", "granted", "patient.telephones", "ETREAT"),
        ("disclosure", "granted", "appointments.next", "ETREAT"),
    ]
    assert {record["recipient"] for record in records[1:]} == {"rescue"}
    assert len({record["subject"] for record in records[1:]}) == 1


async def test_practitioners_are_named_only_where_none_is_sensitive(glass: GlassHouse) -> None:
    for practice in (TILLEULS, PORT):
        await glass.switch(practice=practice)
    who = await glass.supervisor("premier")
    page = (await glass.breaks()).location
    withheld = await glass.opens(page, "practitioners")
    assert value_on(withheld) == []
    assert "Cette rubrique ne peut pas être ouverte." in withheld.words
    await glass.comes(who)
    page = (await glass.breaks(YVES, PORT)).location
    assert value_on(await glass.opens(page, "practitioners")) == ["Dr Yann Kervella"]


async def test_p6_whoever_is_withheld_and_nobody_are_told_in_the_same_words(glass: GlassHouse) -> None:
    await glass.switch()
    told = {}
    for number, (name, whom) in enumerate(WITHHELD.items()):
        await glass.supervisor(f"personne{number}")
        page = (await glass.breaks(whom)).location
        seen = await glass.house.guest.get(page)
        refused = await glass.opens(page, "identity")
        words = "".join(one.words for one in (seen, refused))
        told[name] = re.sub(r"\d+ h \d+|\d+ h", "", words)
        assert "Aucun dossier ne peut être ouvert" in words, name
        assert value_on(refused) == [], name
    assert len(set(told.values())) == 1
    records = await glass.records(TILLEULS, "disclosure")
    assert {record["decision"] for record in records} == {"refused"}
    assert {record["reason"] for record in records} == {"minor", "sensitive", "deceased", "doubtful", "no_file"}
    assert len({tuple(sorted(record)) for record in records}) == 1


async def test_the_practice_is_told_at_once_without_a_word_about_the_patient(glass: GlassHouse) -> None:
    await glass.switch()
    await glass.supervisor("premier")
    await glass.breaks()
    listed = await glass.house.guest.get("/messages")
    assert "Bris de glace à relire" in listed.words
    message = re.search(rf'href="(/messages/{TILLEULS}/[0-9a-f-]{{36}})"', listed.text)
    assert message
    await glass.house.guest.get(message[1])
    opened = await glass.house.guest.post(message[1])
    assert "Un superviseur a brisé la glace d’un dossier en urgence" in opened.words
    for told in ("Martin", "1962", WHY, WHO):
        assert told not in opened.words


async def test_somebody_else_reviews_it_with_what_was_opened_and_why(glass: GlassHouse) -> None:
    await glass.switch()
    mine = await glass.supervisor("premier")
    page = (await glass.breaks()).location
    await glass.opens(page, "telephones")
    assert WHY not in (await glass.house.guest.get(page)).words
    assert (await glass.reviews(page)).status == 404
    assert await glass.records(TILLEULS, "glass.reviewed", "glass.read") == []
    await glass.doctor()
    listed = await glass.house.guest.get(PATH)
    assert "À relire avant le" in " ".join(listed.words.split())
    seen = await glass.house.guest.get(page)
    assert value_on(seen) == []
    for told in (WHY, WHO, NUMBER, "Téléphones du dossier : ouvert", "Recherche du dossier : ouvert"):
        assert told in seen.words
    assert "Martin" not in seen.words
    assert (await glass.house.guest.post(f"{page}/relecture", verdict="", texte="oui")).status == 422
    done = await glass.reviews(page, "unjustified")
    assert done.location == page
    after = await glass.house.guest.get(page)
    assert "Le SAMU a rappelé." in after.words
    assert "déclare un incident" in after.words
    assert 'href="/incidents/nouveau"' not in after.text.partition("<main")[2]
    await glass.comes(await glass.house.staff("second"))
    assert 'href="/incidents/nouveau"' in (await glass.house.guest.get(page)).text.partition("<main")[2]
    late = await glass.house.guest.post(f"{page}/relecture", verdict="justified", texte="Trop tard pour cela.")
    assert "Quelqu’un d’autre vient de le relire" in late.words
    reviewed = await glass.records(TILLEULS, "glass.reviewed")
    assert [record["kind"] for record in reviewed] == ["unjustified"]
    assert str(mine.id) not in {record["actor"]["id"] for record in reviewed}


async def test_what_waits_too_long_is_late_on_the_list_the_board_and_for_the_doctor(glass: GlassHouse) -> None:
    await glass.switch()
    await glass.supervisor("premier")
    page = (await glass.breaks()).location
    database = glass.house.console.database
    assert "Bris de glace à relire, en retard 0" in " ".join((await glass.house.guest.get("/en-direct")).words.split())
    glass.clock.advance(timedelta(hours=72, minutes=1).total_seconds())
    await glass.supervisor("second")
    assert "En retard" in (await glass.house.guest.get(PATH)).words
    assert "Bris de glace à relire, en retard 1" in " ".join((await glass.house.guest.get("/en-direct")).words.split())
    async with database.house() as connection:
        assert await rows.late_anywhere(connection, glass.clock.now()) == 1
        assert await rows.late(connection, [PORT], glass.clock.now()) == 0
    await glass.reviews(page)
    async with database.house() as connection:
        assert await rows.late_anywhere(connection, glass.clock.now()) == 0
    assert await _glass(database)


async def test_after_a_quarter_of_an_hour_nothing_is_opened_any_more(glass: GlassHouse) -> None:
    await glass.switch()
    who = await glass.supervisor("premier")
    page = (await glass.breaks()).location
    glass.clock.advance(15 * 60)
    await glass.comes(who)
    assert "Le quart d’heure est passé" in (await glass.house.guest.get(page)).words
    assert value_on(await glass.opens(page, "identity")) == []
    assert len(await glass.records(TILLEULS, "disclosure")) == 1


async def test_what_is_wrong_with_the_form_is_said_and_nothing_typed_is_lost(glass: GlassHouse) -> None:
    await glass.switch()
    await glass.supervisor("premier")
    page = await glass.breaks(demandeur="", numero="12", texte="non", naissance="")
    assert page.status == 422
    for said in ("Choisissez qui demande.", "Écrivez le numéro", "de 10 à 500", "Indiquez la date de naissance."):
        assert said in page.words
    for typed in (WHO, 'value="12"', ">\nnon</textarea>", JEANNE["nom"], JEANNE["prenom"]):
        assert typed in page.text
    lost = await glass.breaks(appel="nothing that is a call")
    assert "Aucun appel de ce cabinet n’a cette référence." in lost.words
    assert await glass.records(TILLEULS, "glass.broken") == []


async def test_a_call_that_is_named_has_it_in_its_ledger_its_replay_its_paper_and_the_lists(glass: GlassHouse) -> None:
    await glass.switch()
    call = await glass.house.ours.call(TILLEULS)
    await glass.supervisor("premier")
    page = (await glass.breaks(appel=str(call))).location
    both = await asyncio.gather(glass.opens(page, "appointments"), glass.opens(page, "identity"))
    assert [len(value_on(answer)) for answer in both] == [2, 4], "one waits for the other"
    await glass.supervisor("second")
    await glass.reviews(page)
    own = [record for record in await glass.records(TILLEULS) if record["call"] == str(call)]
    assert [record["event"] for record in own][-2:] == ["glass.read", "glass.reviewed"]
    assert [record["seq"] for record in own] == list(range(len(own)))
    day, now = glass.clock.now().date(), glass.clock.now()
    async with glass.house.console.database.practice(TILLEULS) as tx:
        timeline = await timeline_of(tx, call, flows())
        lists = [
            spreadsheet((await search(tx, Criteria(TILLEULS, kind, day, day))).found).decode()
            for kind in (Kind.STAFF, Kind.DISCLOSURES)
        ]
    assert timeline is not None
    assert timeline.chain.faults == ()
    titles = [moment.title for moment in timeline.moments]
    for told in ("Un superviseur brise la glace d’un dossier", "Communication", "Un bris de glace est relu"):
        assert told in titles
        assert any(told in listed for listed in lists)
    facts = {(fact.label, fact.value) for moment in timeline.moments for fact in moment.facts}
    assert {("kind", "service de secours"), ("purpose", "urgence vitale"), ("step", "bris de glace")} <= facts
    assert on_paper(timeline, Edition("Superviseur", now, "Cabinet")).startswith(b"%PDF")


async def test_p6_whoever_was_withheld_is_no_more_findable_in_the_review_than_nobody(glass: GlassHouse) -> None:
    await glass.switch()
    async with glass.house.console.database.practice(TILLEULS) as tx:
        await tx.connection.exec_driver_sql("UPDATE patient SET contact_restricted = true WHERE NOT deceased")
    day = glass.clock.now().date()
    looked_for = Criteria(TILLEULS, Kind.DISCLOSURES, day, day), OnRecord(date(1962, 3, 14), "")
    await glass.supervisor("premier")
    await glass.opens((await glass.breaks()).location, "identity")
    async with glass.house.console.database.practice(TILLEULS) as tx:
        assert await patients_on_record(tx, glass.sealer, *looked_for) == []
        await tx.connection.exec_driver_sql("UPDATE patient SET contact_restricted = false")
    await glass.supervisor("second")
    await glass.breaks()
    async with glass.house.console.database.practice(TILLEULS) as tx:
        assert len(await patients_on_record(tx, glass.sealer, *looked_for)) == 1


async def test_five_a_day_and_a_lapsed_training_are_the_bounds(glass: GlassHouse) -> None:
    await glass.switch()
    who = await glass.supervisor("premier")
    for _ in range(5):
        assert (await glass.breaks(WITHHELD["nobody"])).status == 303
        await glass.comes(who)
    assert "brisé la glace cinq fois en 24 heures" in (await glass.breaks()).words


async def test_the_database_takes_a_second_factor_once_and_no_review_of_ones_own(glass: GlassHouse) -> None:
    await glass.switch()
    await glass.supervisor("premier")
    await glass.breaks()
    run = glass.house.ours.run
    with pytest.raises(DBAPIError, match="ck_glass_break_two_persons"):
        await run("UPDATE glass_break SET reviewed_at = broken_at, reviewed_by = staff_id, verdict = 'justified'")
    with pytest.raises(DBAPIError, match="uq_glass_break_staff_id_confirmed_at"):
        await run(
            "INSERT INTO glass_break (id, practice_id, staff_id, asks, broken_at, confirmed_at) "
            "SELECT gen_random_uuid(), practice_id, staff_id, asks, broken_at, confirmed_at FROM glass_break"
        )


async def test_an_operator_and_a_practice_without_it_have_no_such_page(glass: GlassHouse) -> None:
    await glass.comes(await glass.house.staff("operatrice", Role.OPERATOR))
    assert (await glass.house.guest.get(PATH)).status == 404
    await glass.supervisor("premier")
    page = await glass.house.guest.get(PATH)
    assert "Aucun cabinet que vous supervisez ne l’a permis." in page.words
    assert "Briser la glace" not in page.words


async def test_the_doctor_says_what_to_do_about_what_is_late(
    glass: GlassHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def one(*_: object) -> int:
        return 1

    monkeypatch.setattr("callcenter.doctor.late_anywhere", one)
    with pytest.raises(CallcenterError, match="« Bris de glace »"):
        await _glass(glass.house.console.database)


async def test_the_number_that_is_rung_back_stands_sealed(glass: GlassHouse) -> None:
    await glass.switch()
    await glass.supervisor("premier")
    await glass.breaks()
    async with glass.house.console.database.practice(TILLEULS) as tx:
        (words,) = (await tx.connection.exec_driver_sql("SELECT words FROM glass_words")).scalars().all()
    for told in (WHY, WHO, NUMBER, "+33465710099"):
        assert told.encode() not in words
        assert told not in str(await glass.records(TILLEULS))
