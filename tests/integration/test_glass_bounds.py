"""Broken glass at its bounds: policies, files, second factors and topics; and what is left of it after a year."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from callcenter.app.by_glass import StaffGlass
from callcenter.calls.upkeep import Upkeep
from callcenter.console.glass_ports import Breaking, NotNow
from callcenter.disclosure import emergency
from callcenter.kernel.clock import DrivenClock, SystemClock
from callcenter.kernel.randomness import SeededRandom, SystemRandom
from callcenter.practice.demo import seed
from callcenter.practice.numbers import parse_number
from callcenter.staff import glass as rows
from callcenter.staff import sessions
from callcenter.staff.glass import Asked
from callcenter.staff.glass_tables import Asks
from callcenter.staff.limits import Bound
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.integration.breaking import (
    JEANNE,
    NUMBER,
    PATH,
    TILLEULS,
    WHO,
    WHY,
    WITHHELD,
    GlassHouse,
    glass_house,
    value_on,
)
from tests.integration.consoles import POLICY
from tests.sealing import Behind, InTime


@pytest.fixture
async def glass(
    database: Database, sealer: Sealer, clock: DrivenClock, random: SeededRandom
) -> AsyncIterator[GlassHouse]:
    await seed(database, sealer, clock, random)
    async with glass_house(database, sealer, clock) as glass:
        yield glass


def behind_the_pages(glass: GlassHouse, **how: Any) -> StaffGlass:
    room, database = glass.house.console.room, glass.house.console.database
    made = StaffGlass(room, database, database, glass.sealer, glass.clock, SystemRandom(), POLICY, InTime())
    return replace(made, **how)


def wanted(who: dict[str, str] = JEANNE) -> Breaking:
    asked = Asked(WHY, WHO, str(parse_number(NUMBER)))
    born = date.fromisoformat(who["naissance"])
    return Breaking(TILLEULS, Asks.RESCUE, asked, "", born, who["nom"], who["prenom"])


async def test_p6_whom_a_closed_policy_is_asked_for_is_told_by_no_reason(glass: GlassHouse) -> None:
    """Lists show that the policy opens nothing, and hide that nobody fits: the one must not depend on the other."""
    await glass.switch()
    rules = {category: replace(rule, emergency=False) for category, rule in POLICY.rules.items()}
    closed = behind_the_pages(glass, policy=replace(POLICY, rules=rules))
    for number, who in enumerate((JEANNE, WITHHELD["nobody"], WITHHELD["deceased"])):
        glass.clock.advance(1)
        token = await glass.house.signed_in(await glass.house.staff(f"personne{number}"))
        assert isinstance(await closed.break_glass(token, wanted(who)), UUID)
    records = await glass.records(TILLEULS, "disclosure")
    assert [(record["decision"], record["reason"]) for record in records] == [("refused", "never")] * 3


async def test_p4_while_the_ledger_is_behind_no_glass_is_broken_and_why_is_said(glass: GlassHouse) -> None:
    await glass.switch()
    glass.clock.advance(1)
    token = await glass.house.signed_in(await glass.house.staff("premier"))
    behind = behind_the_pages(glass, ledger=Behind())
    assert await behind.break_glass(token, wanted()) is NotNow.UNSEALED
    assert await glass.records(TILLEULS, "disclosure", "glass.broken") == []
    assert isinstance(await behind_the_pages(glass).break_glass(token, wanted()), UUID)


async def test_of_more_files_than_are_looked_through_none_opens(
    glass: GlassHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A homonym might stand among the rest."""
    await glass.switch()
    async with glass.house.console.database.practice(TILLEULS) as tx:
        stand = (await tx.connection.exec_driver_sql("SELECT count(*) FROM patient")).scalar_one()
    for files, opens in ((stand - 1, 0), (stand, 4)):
        monkeypatch.setattr(emergency, "MOST_FILES", files)
        await glass.supervisor(f"devant{files}")
        page = (await glass.breaks()).location
        assert len(value_on(await glass.opens(page, "identity"))) == opens
    first, *_ = await glass.records(TILLEULS, "disclosure")
    assert (first["decision"], first["reason"], first["subject"]) == ("refused", "no_file", None)


async def test_a_longer_setting_for_second_factors_is_answered_and_nothing_is_counted(
    glass: GlassHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sessions._session

    def longer(*given: Any) -> Any:
        return made(*given[:-1], replace(given[-1], stepped_up=timedelta(minutes=30)))

    monkeypatch.setattr(sessions, "_session", longer)
    await glass.switch()
    account = await glass.house.staff("premier")
    once = behind_the_pages(glass, bound=Bound(1, timedelta(hours=24)))
    glass.clock.advance(1)
    token = await glass.house.signed_in(account)
    glass.clock.advance(5 * 60 + 1)
    assert (await once.desk(token)).not_now is NotNow.UNCONFIRMED
    assert await once.break_glass(token, wanted()) is NotNow.UNCONFIRMED
    token = await glass.house.signed_in(account)
    glass.clock.advance(5 * 60)
    assert isinstance(await once.break_glass(token, wanted()), UUID)


async def test_what_was_opened_is_told_however_often_it_is_read_afterwards(
    glass: GlassHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reading goes on record in the same stream."""
    monkeypatch.setattr("callcenter.app.by_glass._RECORDS", 3)
    await glass.switch()
    who = await glass.supervisor("premier")
    page = (await glass.breaks()).location
    await glass.opens(page, "telephones")
    await glass.doctor()
    for _ in range(4):
        seen = await glass.house.guest.get(page)
    assert "Recherche du dossier : ouvert" in seen.words
    assert "Téléphones du dossier : ouvert" in seen.words
    await glass.comes(who)
    assert len(value_on(await glass.opens(page, "identity"))) == 4
    enough = await glass.opens(page, "appointments")
    assert value_on(enough) == []
    assert "il ne s’ouvre plus d’ici" in enough.words


async def test_words_and_whose_file_it_was_are_forgotten_a_year_after_the_review_unless_the_call_is_held(
    glass: GlassHouse,
) -> None:
    run, database = glass.house.ours.run, glass.house.console.database
    by, other = (await glass.house.staff("premier")).id, (await glass.house.staff("second")).id
    kept = {"held": (400, True), "old": (400, True), "young": (30, True), "waits": (400, False), "no call": (400, True)}
    broken = {name: UUID(int=number) for number, name in enumerate(kept, 1)}
    calls = {name: None if name == "no call" else await glass.house.ours.call(TILLEULS) for name in kept}
    for name, (days, reviewed) in kept.items():
        values = {
            "id": broken[name],
            "practice": TILLEULS,
            "call": calls[name],
            "by": by,
            "at": timedelta(days=days, seconds=broken[name].int),
        }
        await run(
            "INSERT INTO glass_break (id, practice_id, staff_id, asks, call_id, broken_at, confirmed_at) "
            "SELECT :id, :practice, :by, 'rescue', :call, at, at "
            "FROM (SELECT now() - cast(:at AS interval) AS at) AS long_ago",
            **values,
        )
        async with database.practice(TILLEULS) as tx:
            await rows._keep(tx, glass.sealer, broken[name], "asked", json.dumps([WHY, WHO, "+33465710099"]))
            patient = (await tx.connection.exec_driver_sql("SELECT id FROM patient LIMIT 1")).scalar_one()
            await rows.open_file(tx, broken[name], patient)
            if reviewed:
                await rows._keep(tx, glass.sealer, broken[name], "verdict", "Le SAMU a rappelé.")
        if reviewed:
            await run(
                "UPDATE glass_break SET reviewed_at = broken_at, reviewed_by = :other, verdict = 'justified' "
                "WHERE id = :id",
                other=other,
                id=broken[name],
            )
    await run(
        "INSERT INTO incident (id, organisation_id, kind, known_at, declared_at, declared_by) "
        "VALUES (gen_random_uuid(), :ours, 'loss', now(), now(), :by)",
        ours=glass.house.ours.organisation,
        by=by,
    )
    await run(
        "INSERT INTO incident_practice (incident_id, practice_id) SELECT id, :practice FROM incident", practice=TILLEULS
    )
    await run(
        "INSERT INTO call_hold (id, incident_id, practice_id, call_id, placed_at, placed_by) "
        "SELECT gen_random_uuid(), i.id, :practice, :held, now(), :by FROM incident i",
        **{"practice": TILLEULS, "held": calls["held"], "by": by},
    )

    async def forget(before: timedelta) -> None:
        async with database.practice(TILLEULS) as tx:
            values = {"before": before}
            await tx.connection.execute(text("SELECT forget_glass(now() - cast(:before AS interval))"), values)

    async def left() -> set[str]:
        async with database.practice(TILLEULS) as tx:
            words = (await tx.connection.execute(text("SELECT glass_id, kind FROM glass_words"))).all()
            files = (await tx.connection.execute(text("SELECT glass_id FROM glass_file"))).scalars().all()
        assert {row.glass_id for row in words} == set(files)
        assert len(words) == sum(2 if kept[name][1] else 1 for name in kept if broken[name] in set(files))
        return {name for name in kept if broken[name] in set(files)}

    await forget(timedelta(days=500))
    assert await left() == set(kept)
    await Upkeep(database, SystemClock(), None, None).forget()  # type: ignore[arg-type]  # neither is asked
    assert await left() == {"held", "young", "waits"}
    await run("UPDATE call_hold SET lifted_at = now(), lifted_by = placed_by")
    await forget(timedelta())
    assert await left() == {"young", "waits"}, "a month is the least"
    assert len(await run("SELECT 1 FROM glass_break")) == len(kept)
    await glass.doctor()
    seen = await glass.house.guest.get(f"{PATH}/{broken['old']}")
    assert "Ce qui était écrit ici est effacé" in seen.words
    assert "Justifié" in seen.words
    assert WHY not in seen.words
    assert WHY in (await glass.house.guest.get(f"{PATH}/{broken['young']}")).words
    read = await glass.records(TILLEULS, "glass.read")
    assert [record["refs"] for record in read] == [[f"glass_break:{broken['young']}"]]
