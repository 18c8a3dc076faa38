"""Extracts of the register where a verified call has taken place: what is read of the ledger, decided, and kept."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from callcenter.audit.ledger import canonical, leaf_of
from callcenter.calls.upkeep import Upkeep
from callcenter.console.extract_ports import Given, NotNow
from callcenter.kernel.clock import DrivenClock, SystemClock
from callcenter.reports import extracts as rows
from callcenter.reports.extract_rules import Choice, Form
from callcenter.reports.extract_tables import Asks, ExtractOutcome, IdentityCheck
from callcenter.reports.register_words import Section
from callcenter.staff.rights import NotTheirs
from callcenter.staff.sessions import Stage
from callcenter.staff.values import Role
from tests.attack.extracting import WHY, Extracting, words_on
from tests.attack.ground import ground_on
from tests.attack.reviewing import BY, DAY, reviewing
from tests.attack.scene import TILLEULS
from tests.conftest import Cluster


@pytest.fixture
async def scene(cluster: Cluster, told: str, keys_file: Path, clock: DrivenClock) -> AsyncIterator[Extracting]:
    """Extracts on a database of one's own, with every defence in place."""
    async with (
        ground_on(cluster, told, "extracted", keys_file) as ground,
        reviewing(ground, clock) as review,
    ):
        yield await Extracting.on(review)
    await cluster.drop("extracted")


async def test_p1_what_is_given_is_on_record_with_its_digest_and_made_again_for_a_month(scene: Extracting) -> None:
    review, extracts = scene.review, scene.extracts
    own = {"check": IdentityCheck.VERIFIED_CALL, "call": str(review.call)}
    extract = await scene.prepared(**own)
    first = await scene.given(extract)
    second = await scene.given(extract, Form.JSON, staff_named=True, why=WHY)
    records = [*await review.records("extract.asked"), *await review.records("extract.released")]
    assert [one["refs"] for one in records] == [[f"extract:{extract}"]] * 3
    assert len({one["stream"] for one in records}) == 1
    assert {one["subject"] for one in records} != {None}
    asked, pdf, structured = records
    assert (asked["recipient"], asked["check"]) == ("patient", "verified_call")
    assert (pdf["form"], pdf["digest"], pdf["staff"]) == ("pdf", sha256(first.content).hexdigest(), "unnamed")
    assert (structured["form"], structured["digest"]) == ("json", sha256(second.content).hexdigest())
    assert structured["categories"] == ["D17"]
    assert "Superviseur 1" not in words_on(first.content)
    assert "Superviseur 1" in second.content.decode()
    (row,) = await review.ground.rows("SELECT * FROM register_extract WHERE id = :id", id=extract)
    assert (row.outcome, row.closed_by) == (ExtractOutcome.RELEASED, review.people["doctor"])
    assert await extracts.decline(scene.doctor, extract, WHY) is False
    stored = await review.ground.rows("SELECT encode(named, 'escape') AS said FROM extract_file")
    assert not any("Martin" in one.said for one in stored), "names stand sealed"
    review.clock.advance(timedelta(days=31).total_seconds())
    async with review.ground.app.house() as connection:
        token = await review.room.sessions.begin(connection, review.people["doctor"], Stage.FULL, stepped_up=True)
    late = await extracts.release(token, extract, Choice(Form.PDF))
    assert late is NotNow.CLOSED
    assert (await extracts.read(token, extract)).extract is None


async def test_what_was_given_is_shown_as_recorded_and_nothing_is_made_or_read_anew(scene: Extracting) -> None:
    extract = await scene.prepared()
    assert (await scene.extracts.read(scene.review.ours, extract)).given == []
    first = await scene.given(extract)
    second = await scene.given(extract, Form.JSON, staff_named=True, why=WHY)
    reads = len(await scene.review.records("extract.read"))
    for token in (scene.doctor, scene.review.ours):
        shown = await scene.extracts.read(token, extract)
        assert (shown.extract, shown.named) == (None, None)
        assert [one.digest for one in shown.given] == [sha256(one.content).hexdigest() for one in (first, second)]
        assert [(one.form, one.staff_named) for one in shown.given] == [("pdf", False), ("json", True)]
        assert {(one.by, one.held_back, one.at is None) for one in shown.given} == {("Docteur Blanc", 0, False)}
        assert shown.given[0].lines == json.loads(second.content)["lines"].__len__() - 1, (
            "the paper itself is the other"
        )
    assert len(await scene.review.records("extract.read")) == reads, "what is on record of it tells nothing of whom"
    again = await scene.extracts.read(scene.doctor, extract, again=True)
    assert again.extract is not None
    assert len(await scene.review.records("extract.read")) == reads + 1


async def test_one_person_with_both_roles_prepares_and_gives(scene: Extracting) -> None:
    """A practice whose own staff answer its telephone; a supervisor alone sees it, and it is nobody else's."""
    review = scene.review
    extract = await scene.prepared()
    with pytest.raises(NotTheirs):
        await scene.extracts.release(review.ours, extract, Choice(Form.PDF))
    assert (await scene.extracts.read(review.ours, extract)).extract is not None
    (whole,) = [one for _, one, _ in await review.room.portfolios.all() if one.name == "Tout"]
    ours = (await review.room.standing(review.ours)).account
    await review.room.administration.grant(ours, Role.PRACTITIONER, whole, BY)
    assert isinstance(await scene.extracts.release(review.ours, extract, Choice(Form.PDF)), Given)
    (listed,) = [one for one in (await scene.extracts.desk(review.ours)).listed if one.request.id == extract]
    assert (listed.decides, listed.request.outcome) == (True, ExtractOutcome.RELEASED)
    with pytest.raises(NotTheirs):
        await scene.extracts.desk(review.operator)


async def test_what_is_gone_and_what_was_changed_is_said(scene: Extracting) -> None:
    """Edits by a superuser with triggers dropped: one record of her call is gone, another says something else."""
    ground = scene.review.ground
    await ground.change("ALTER TABLE audit_record DISABLE TRIGGER ALL")
    await ground.change("ALTER TABLE audit_outbox DISABLE TRIGGER ALL")
    extract = await scene.prepared()
    before = (await scene.extracts.read(scene.doctor, extract)).extract
    assert before is not None
    told = before.of(Section.TOLD)
    assert all(line.intact for line in before.lines)
    (gone,) = await ground.rows(
        "SELECT id FROM audit_record WHERE call_id = :call AND event = 'verification.challenge'", call=scene.review.call
    )
    await ground.change("DELETE FROM audit_outbox WHERE record_id = :id", id=gone.id)
    await ground.change("DELETE FROM audit_record WHERE id = :id", id=gone.id)
    (row,) = await ground.rows("SELECT body FROM audit_record WHERE id = :id", id=told[-1].record)
    changed = canonical({**json.loads(row.body), "level": 3})
    await ground.change(
        "UPDATE audit_record SET body = :body, leaf = :leaf WHERE id = :id",
        body=changed,
        leaf=leaf_of(changed),
        id=told[-1].record,
    )
    given = await scene.given(extract)
    words = words_on(given.content)
    assert "1 inscription n’existe plus" in words
    read = (await scene.extracts.read(scene.doctor, extract, again=True)).extract
    assert read is not None
    assert read.missing == 1
    assert read.digest != before.digest


async def test_a_period_without_anything_makes_a_paper_that_says_so(scene: Extracting) -> None:
    day = DAY - timedelta(days=40)
    paper = words_on((await scene.given(await scene.prepared(first=day, last=day))).content)
    assert "Le registre ne contient aucune inscription sur la personne concernée pour cette période" in paper
    assert "Il commence le 26 novembre 2026" in paper


async def test_a_year_after_the_decision_it_is_forgotten_whose_it_was(scene: Extracting) -> None:
    """Nor sooner than a month after it, whatever the server asks; where nobody has decided, a year after it was asked
    for. The request itself stays."""
    ground, clock = scene.review.ground, SystemClock()
    old, young, waits, ignored = [await scene.prepared() for _ in range(4)]
    for extract in (old, young):
        assert await scene.extracts.decline(scene.doctor, extract, WHY) is True
    await ground.change("ALTER TABLE register_extract DISABLE TRIGGER USER")
    for extract, days in ((old, 400), (young, 20), (waits, 360), (ignored, 400)):
        await ground.change(
            "UPDATE register_extract SET prepared_at = now() - cast(:ago AS interval), "
            "closed_at = CASE WHEN closed_at IS NULL THEN NULL ELSE now() - cast(:ago AS interval) END WHERE id = :id",
            ago=timedelta(days=days),
            id=extract,
        )
    await Upkeep(ground.app, clock, None, None).forget()  # type: ignore[arg-type]  # neither is asked
    async with ground.app.practice(TILLEULS) as tx:
        await tx.connection.exec_driver_sql("SELECT forget_extracts(now())")
    left = {row.extract_id for row in await ground.rows("SELECT extract_id FROM extract_file")}
    assert left & {old, young, waits, ignored} == {young, waits}
    words = {row.extract_id for row in await ground.rows("SELECT extract_id FROM extract_words")}
    assert words & {old, young} == {young}
    assert {old, young, waits, ignored} <= {row.id for row in await ground.rows("SELECT id FROM register_extract")}
    read = await scene.extracts.read(scene.doctor, old)
    assert (read.extract, read.named) == (None, None)
    now = clock.now()
    async with ground.app.practice(TILLEULS) as tx:
        row = await rows.held(tx.connection, ignored)
    assert row is not None
    assert not row.may_be_made(now), "nobody is told that it waits, whose it was being forgotten"
    async with ground.app.house() as connection:
        listed = {one.id for one in await rows.listed(connection, [TILLEULS], now)}
    assert listed & {waits, ignored} == {waits}


async def test_the_schema_takes_no_call_as_a_proof_of_somebody_else(scene: Extracting) -> None:
    extract = await scene.prepared()
    for change in (
        "asks = 'parent', identity_check = 'verified_call', call_id = (SELECT min(id::text)::uuid FROM call)",
        "identity_check = 'verified_call'",
        "asks = 'curator'",
        "outcome = 'released'",
        "last_day = first_day - 1",
    ):
        with pytest.raises(IntegrityError):
            await scene.review.ground.change(f"UPDATE register_extract SET {change} WHERE id = :id", id=extract)
    marked = await scene.wanted(asks=Asks.MANDATED, check=IdentityCheck.VERIFIED_CALL, call=str(scene.review.call))
    assert await scene.extracts.prepare(scene.review.ours, marked) is NotNow.CALL
    wanted = await scene.wanted()
    assert await scene.extracts.start(scene.review.ours, TILLEULS, wanted.patient)
    with pytest.raises(NotTheirs):
        await scene.extracts.start(scene.review.ours, TILLEULS, "")
    with pytest.raises(NotTheirs):
        await scene.extracts.prepare(scene.review.theirs, replace(wanted))
    with pytest.raises(NotTheirs):
        await scene.extracts.read(scene.doctor, UUID(int=7))
