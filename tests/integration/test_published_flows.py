"""Flows that are published while calls go on: begun in the new release, ended in the old one, by whichever server."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.app import publishing as app_publishing
from callcenter.app.publishing import FLOWS_STREAM, NoSuchRelease, follow
from callcenter.background import in_background
from callcenter.calls import flows as loading
from callcenter.calls.flows import FlowRefused, Flows, NoSuchFlow
from callcenter.calls.release import Release
from callcenter.calls.releases import current_of, holders_of, in_use, listed, release_called
from callcenter.calls.shelf import Shelf
from callcenter.calls.values import LONGEST_CALL
from callcenter.disclosure.policy import load_policy
from callcenter.flow.language import Flow
from callcenter.flow.prover import prover_version
from callcenter.flow.screens import Choice, Finished, Form
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import DataProblems, IntegrityError
from callcenter.reports.timeline import timeline_of
from callcenter.reports.values import Area
from callcenter.routing.waking import About, Waking
from callcenter.routing.waking import wake as routing_wake
from callcenter.settings import PROJECT
from callcenter.staff.records import Act, Actor, records_of
from callcenter.store.database import Database
from tests.attack.defence import Sabotage
from tests.attack.ground import Ground
from tests.attack.scene import START, TILLEULS, House, house_of, served
from tests.publishing import (
    ANNA,
    HOURS,
    OUR_HOURS,
    POLICY,
    folder_of,
    loaded,
    published,
    publishing,
    refusing,
    reworded,
    taken_over,
)
from tests.scripting import at_the_desk

BENOIT = Actor.command("benoit")
RESCUE = "+33465710002"


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock(START)


@pytest.fixture
def made(ground: Ground, clock: DrivenClock, monkeypatch: pytest.MonkeyPatch) -> Callable[..., House]:
    """Makes servers on the ground, not started yet."""
    return lambda **changes: house_of(ground, clock, Sabotage(monkeypatch), **changes)


@pytest.fixture(scope="module")
def shipped() -> Flows:
    return loaded(PROJECT / "flows")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Flows:
    """A release with other words for opening hours."""
    return loaded(reworded(tmp_path_factory.mktemp("other")))


def shelf(house: House) -> Shelf:
    assert house._running is not None
    return house._running.flows


def run_by(folder: Path) -> dict[str, Any]:
    """Settings of a server whose own folder is this one."""
    return {"folder": folder, "prompts": folder / "prompts" / "fr.yaml"}


async def record(ground: Ground, sid: str) -> str:
    """The digest of the flow that the record of a call's beginning names."""
    (row,) = await ground.rows(
        "SELECT r.body FROM audit_record r JOIN call c ON c.id = r.call_id "
        "WHERE c.carrier_sid = :sid AND convert_from(r.body, 'UTF8')::json->>'event' = 'call.started'",
        sid=sid,
    )
    return str(json.loads(row.body)["flow"]["sha256"])


# --- at start


async def test_a_server_publishes_its_folder_once_and_goes_by_what_is_current_afterwards(
    ground: Ground, clock: DrivenClock, made: Callable[..., House], shipped: Flows, other: Flows, tmp_path: Path
) -> None:
    async with served(made()) as house:
        assert shelf(house).current.release.digest == shipped.release.digest
        (first,) = await ground.rows("SELECT release, by FROM flow_publication")
        assert tuple(first) == (shipped.release.digest, "serve")
    await published(ground.app, clock, other)
    async with served(made()) as house:  # its own folder was published before: what somebody chose since stands
        assert shelf(house).current.release.digest == other.release.digest
        line = await house.line().dial()
        await line.press("3")
        assert any(OUR_HOURS in words for words in line.heard)
    upgraded = reworded(tmp_path, "Voici nos horaires : ")
    async with served(made(flows=run_by(upgraded))) as house:  # an upgrade brings its flows
        assert shelf(house).current.release.digest == loaded(upgraded).release.digest
    assert len(await ground.rows("SELECT release FROM flow_publication")) == 3
    proofs = await ground.rows("SELECT flow, policy, summary FROM flow_proof WHERE prover = :by", by=prover_version())
    assert {row.flow for row in proofs} >= shipped.by_digest.keys() | other.by_digest.keys()
    entry = next(row for row in proofs if row.flow == shipped.entry.digest)
    assert entry.policy == shipped.policy.digest
    assert {step["step"] for step in json.loads(entry.summary)} == {
        step.step for step in shipped.proofs[shipped.entry.digest].summary
    }


async def test_two_servers_that_start_at_once_publish_once(
    ground: Ground, made: Callable[..., House], shipped: Flows
) -> None:
    async with AsyncExitStack() as stack:
        await asyncio.gather(*(stack.enter_async_context(served(made())) for _ in range(2)))
    (row,) = await ground.rows("SELECT release FROM flow_publication")
    assert row.release == shipped.release.digest


# --- in mid-call


async def test_a_call_ends_on_the_words_with_which_it_began_and_the_next_begins_in_the_new_ones(
    ground: Ground, clock: DrivenClock, made: Callable[..., House], shipped: Flows, other: Flows
) -> None:
    async with served(made()) as house:
        before = await house.line().dial()
        digest = await published(ground.app, clock, other)
        await taken_over(shelf(house), digest)
        after = await house.line().dial()
        for line in (before, after):
            await line.press("3")
        assert any(HOURS in words for words in before.heard)
        assert not any(OUR_HOURS in words for words in before.heard)
        assert any(OUR_HOURS in words for words in after.heard)
        assert (await record(ground, before.sid), await record(ground, after.sid)) == (
            shipped.entry.digest,
            other.entry.digest,
        )
        assert await in_use(ground.app, clock.now()) == {shipped.entry.digest: 1, other.entry.digest: 1}
        await before.hang_up()
        assert await in_use(ground.app, clock.now()) == {other.entry.digest: 1}
        assert await in_use(ground.app, clock.now() + LONGEST_CALL + timedelta(seconds=1)) == {}
    async with ground.app.practice(TILLEULS) as tx:
        (call,) = await ground.rows("SELECT id FROM call WHERE carrier_sid = :sid", sid=before.sid)
        timeline = await timeline_of(tx, call.id, Shelf(other))
    assert timeline is not None
    told = [one for moment in timeline.moments if moment.area is Area.HEARD for one in moment.words]
    assert any(one.text is not None and HOURS in one.text for one in told)
    assert not any(one.text is not None and OUR_HOURS in one.text for one in told)
    assert all(moment.flow is None or moment.flow.startswith("accueil ") for moment in timeline.moments)


async def test_an_upgrade_proves_again_what_calls_are_in_and_they_go_on(
    ground: Ground, clock: DrivenClock, made: Callable[..., House], other: Flows, tmp_path: Path
) -> None:
    await published(ground.app, clock, other)
    async with served(made()) as house:
        assert await publishing(ground.app, clock).use(other.release.digest, other.policy, ANNA)
        await taken_over(shelf(house), other.release.digest)
        line = await house.line().dial()
    await ground.change("DELETE FROM flow_proof")
    upgraded = reworded(tmp_path, "Voici nos horaires : ")
    async with served(made(flows=run_by(upgraded))) as house:
        assert shelf(house).current.release.digest == loaded(upgraded).release.digest
        assert shelf(house).in_memory(other.entry.digest) is not None
        assert await ground.rows("SELECT flow FROM flow_proof WHERE flow = :flow", flow=other.entry.digest)
        line.house, line.question = house, house.base + urlsplit(line.question or "").path
        await line.press("3")
        assert any(OUR_HOURS in words for words in line.heard)


async def test_a_call_that_one_server_began_goes_on_at_another_that_has_not_seen_its_release(
    ground: Ground,
    clock: DrivenClock,
    made: Callable[..., House],
    other: Flows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def nobody_is_told(*_: object) -> None: ...

    monkeypatch.setattr(app_publishing, "wake", nobody_is_told)
    async with served(made()) as one, served(made()) as another:
        digest = await published(ground.app, clock, other)
        await follow(ground.app, shelf(one))
        line = await one.line().dial()
        assert shelf(another).current.release.digest != digest
        line.house, line.question = another, (line.question or "").replace(one.base, another.base)
        await line.press("3")
        assert any(OUR_HOURS in words for words in line.heard)
        assert shelf(another).current.release.digest != digest, "calls begin there as before"


async def test_a_publication_of_which_nobody_was_told_is_found_among_other_news(
    ground: Ground, clock: DrivenClock, made: Callable[..., House], other: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    wake = app_publishing.wake

    async def of_something_else(connection: AsyncConnection, *_: object) -> None:
        await wake(connection, Waking(About.QUEUE, FLOWS_STREAM))

    monkeypatch.setattr(app_publishing, "wake", of_something_else)
    monkeypatch.setattr(app_publishing, "LOOKS_AGAIN", 0.2)
    async with served(made()) as house, in_background(news(ground.app)):
        await taken_over(shelf(house), await published(ground.app, clock, other))


async def news(database: Database) -> None:
    """Of a busy queue, faster than anybody looks by themselves."""
    while True:
        async with database.house() as connection:
            await routing_wake(connection, Waking(About.QUEUE, FLOWS_STREAM))
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("held", [True, False], ids=["in-memory", "fetched"])
async def test_a_script_in_progress_is_answered_to_its_end_after_a_publication(
    ground: Ground, clock: DrivenClock, shipped: Flows, tmp_path: Path, held: bool
) -> None:
    """By the server that began it, and by one that has started since."""
    await published(ground.app, clock, shipped)
    later = loaded(reworded(tmp_path))
    parts = [(flow.name, flow.digest) for flow in shipped.by_digest.values()]
    assert shipped.operator is not None
    assert (shipped.operator.name, shipped.operator.digest) in parts
    desk = await at_the_desk(ground, clock, shipped=True)
    stands = await desk.look()
    assert isinstance(stands.screen, Choice)
    without = replace(later, operator=None, by_digest={later.entry.digest: later.entry})
    if held:
        desk.house.flows.put(without)
    else:
        desk.scripts._house = replace(desk.house, flows=Shelf(without))
    assert (await desk.look()).screen == stands.screen
    await desk.hang_up()
    again = await desk.look()
    assert isinstance(again.screen, Choice)
    assert again.book is not None
    assert isinstance((await desk.answer(again.screen.options[-1].choice)).screen, Form)
    assert isinstance((await desk.answer("send", disposition="information")).screen, Finished)


# --- what is not run


async def test_a_call_whose_flow_a_new_version_refuses_reaches_the_practice_and_the_house_cries_once(
    ground: Ground,
    clock: DrivenClock,
    made: Callable[..., House],
    shipped: Flows,
    other: Flows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And calls begin in the server's own folder, where what was published is what it refuses."""
    await published(ground.app, clock, shipped)
    await published(ground.app, clock, other)
    async with served(made()) as house:
        line = await house.line().dial()
        await house.stop()
        refusing(monkeypatch, other.entry.digest)
        await house.start()
        assert shelf(house).current.release.digest == shipped.release.digest
        assert await house.alerts("flows_refused") == 2  # the release, and the flow that a call is in
        for _ in range(2):
            webhook = await house.post(line.question or "", {"CallSid": line.sid, "Digits": "3", "To": "", "From": ""})
            assert webhook.status == 200
        assert await house.alerts("flows_refused") == 2
        assert await house.alerts("unavailable") == 2
        await line.press("3")
        assert not any(OUR_HOURS in words for words in line.heard)
        following = await house.line().dial()
        await following.press("3")
        assert any(HOURS in words for words in following.heard)
    (row,) = await ground.rows("SELECT release FROM flow_publication ORDER BY number DESC LIMIT 1")
    assert row.release == other.release.digest, "another version may prove it: nothing is taken back"


async def test_a_server_keeps_its_flows_where_it_does_not_prove_what_is_published(
    ground: Ground,
    clock: DrivenClock,
    made: Callable[..., House],
    shipped: Flows,
    other: Flows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with served(made()) as house:
        refusing(monkeypatch, other.entry.digest)
        await published(ground.app, clock, other)
        async with asyncio.timeout(60):
            while not await house.alerts("flows_refused"):
                await asyncio.sleep(0.01)
        assert shelf(house).current.release.digest == shipped.release.digest
        line = await house.line().dial()
        await line.press("3")
        assert any(HOURS in words for words in line.heard)


async def test_a_flow_that_no_release_held_is_run_once_it_is_published(
    ground: Ground,
    clock: DrivenClock,
    made: Callable[..., House],
    shipped: Flows,
    other: Flows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Though the server that starts has looked for it in vain, and hears nothing of the publication."""

    async def nobody_is_told(*_: object) -> None: ...

    monkeypatch.setattr(app_publishing, "wake", nobody_is_told)
    await published(ground.app, clock, shipped)
    await published(ground.app, clock, other)
    async with served(made()) as house:
        line = await house.line().dial()
        await house.stop()
        assert await publishing(ground.app, clock).use(shipped.release.digest, shipped.policy, ANNA)
        for table, column in (("publication", "release"), ("version", "release"), ("release", "digest")):
            await ground.change(f"DELETE FROM flow_{table} WHERE {column} = :other", other=other.release.digest)
        await house.start()
        assert await house.alerts("flows_refused") == 1
        await published(ground.app, clock, other)
        await publishing(ground.app, clock).use(shipped.release.digest, shipped.policy, ANNA)
        await line.press("3")
        assert any(OUR_HOURS in words for words in line.heard)


async def test_what_is_refused_is_told_once_and_tried_again_after_a_publication(
    ground: Ground, clock: DrivenClock, shipped: Flows, other: Flows, tmp_path: Path
) -> None:
    await published(ground.app, clock, other)
    told: list[tuple[str, str]] = []
    here = Shelf(shipped, lambda digest, why: told.append((digest, why)))

    async def refused(error: type[Exception], digest: str) -> None:
        async with ground.app.house() as connection:
            for _ in range(2):
                with pytest.raises(error):
                    await here.of(connection, digest)

    with pytest.MonkeyPatch.context() as version:
        refusing(version, other.entry.digest)
        await follow(ground.app, here)
        await refused(FlowRefused, other.entry.digest)
        await refused(NoSuchFlow, "cd" * 32)
        assert [digest for digest, _ in told] == [other.release.digest, other.entry.digest, "cd" * 32]
    await follow(ground.app, here)
    assert here.current is shipped, "nothing is new: nothing is tried again"
    later = loaded(reworded(tmp_path, "Voici nos horaires : "))
    await published(ground.app, clock, later)
    await follow(ground.app, here)
    async with ground.app.house() as connection:
        assert (await here.of(connection, other.entry.digest)).flow.digest == other.entry.digest
    assert here.current.release.digest == later.release.digest


async def test_the_word_of_a_publication_is_news_even_if_the_same_release_is_current_again(
    ground: Ground, clock: DrivenClock, made: Callable[..., House], other: Flows
) -> None:
    async with served(made()) as house:
        shelf(house).refuse(other.release.digest, IntegrityError("spoilt"))
        async with ground.app.house() as connection:
            await routing_wake(connection, Waking(About.FLOWS, FLOWS_STREAM))
        async with asyncio.timeout(60):
            while shelf(house).refuses(other.release.digest):
                await asyncio.sleep(0.01)


async def test_a_want_that_passes_refuses_nothing_for_good(
    ground: Ground, clock: DrivenClock, shipped: Flows, other: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    await published(ground.app, clock, other)
    prove, here = loading.prove, Shelf(shipped)

    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(loading, "prove", exhausted)
    await follow(ground.app, here)
    async with ground.app.house() as connection:
        with pytest.raises(FlowRefused):
            await here.of(connection, other.entry.digest)
        monkeypatch.setattr(loading, "prove", prove)
        assert (await here.of(connection, other.entry.digest)).flow.digest == other.entry.digest
    await follow(ground.app, here)
    assert here.current.release.digest == other.release.digest


async def test_while_one_flow_is_proven_slowly_another_is_fetched(
    ground: Ground, clock: DrivenClock, shipped: Flows, other: Flows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = loaded(reworded(tmp_path))
    await published(ground.app, clock, shipped)
    await published(ground.app, clock, other)
    empty = Shelf(replace(later, by_digest={}))
    prove, begun, go_on, times = loading.prove, threading.Event(), threading.Event(), []

    def slowly(flow: Flow, *about: Any) -> Any:
        if flow.digest == other.entry.digest:
            times.append(flow.digest)
            begun.set()
            assert go_on.wait(60)
        return prove(flow, *about)

    async def fetched(digest: str) -> str:
        async with ground.app.house() as connection:
            return (await empty.of(connection, digest)).flow.digest

    monkeypatch.setattr(loading, "prove", slowly)
    slow = [asyncio.create_task(fetched(other.entry.digest)) for _ in range(2)]
    try:
        assert await asyncio.to_thread(begun.wait, 60)
        async with asyncio.timeout(60):
            assert await fetched(shipped.entry.digest) == shipped.entry.digest
    finally:
        go_on.set()
    assert await asyncio.gather(*slow) == [other.entry.digest] * 2
    assert times == [other.entry.digest], "who asks for the same flow waits for the same proof"


async def test_texts_that_are_not_those_that_were_published_are_not_run(
    ground: Ground, clock: DrivenClock, shipped: Flows, other: Flows
) -> None:
    await published(ground.app, clock, other)
    swapped = "UPDATE flow_release SET content = replace(content, 'Nos heures', 'Nos autres heures')"
    with pytest.raises(DBAPIError, match="ck_flow_release_digest_of_content"):
        await ground.change(swapped)
    await ground.change("ALTER TABLE flow_release DROP CONSTRAINT ck_flow_release_digest_of_content")
    await ground.change(swapped)
    here = Shelf(shipped)
    await follow(ground.app, here)
    assert here.current is shipped
    assert here.refuses(other.release.digest)
    async with ground.app.house() as connection:
        with pytest.raises(FlowRefused):
            await here.of(connection, other.entry.digest)
        told = await here.told(connection, [other.entry.digest])
        with pytest.raises(IntegrityError):
            await release_called(connection, other.release.digest)
    assert told[other.entry.digest].name == "accueil"
    assert told[other.entry.digest].book is None
    with pytest.raises(IntegrityError):
        await publishing(ground.app, clock).use(other.release.digest, other.policy, ANNA)


async def test_a_flow_that_stands_under_anothers_digest_is_not_run(
    ground: Ground, clock: DrivenClock, shipped: Flows, other: Flows
) -> None:
    await published(ground.app, clock, other)
    await ground.change("UPDATE flow_version SET digest = :other WHERE name = 'accueil'", other="ab" * 32)
    async with ground.app.house() as connection:
        with pytest.raises(FlowRefused):
            await Shelf(shipped).of(connection, "ab" * 32)


async def test_what_nobody_has_published_is_no_flow(ground: Ground, shipped: Flows) -> None:
    async with ground.app.house() as connection:
        with pytest.raises(NoSuchFlow):
            await Shelf(shipped).of(connection, "cd" * 32)
        assert await Shelf(shipped).told(connection, ["cd" * 32]) == {}
        assert await Shelf(shipped).book_of(connection, "cd" * 32) is shipped.book, "whoever waits goes on waiting"


async def test_who_waits_hears_the_words_of_their_own_release(
    ground: Ground, clock: DrivenClock, shipped: Flows, tmp_path: Path
) -> None:
    later = loaded(folder_of(tmp_path, ("prompts/fr.yaml", "queue.still: Vous", "queue.still: Bien, vous")))
    await published(ground.app, clock, shipped)
    async with ground.app.house() as connection:
        book = await Shelf(later).book_of(connection, shipped.entry.digest)
    assert book["queue.still"] == shipped.book["queue.still"] != later.book["queue.still"]


_COLUMNS = {"flow_release": "content", "flow_version": "name", "flow_proof": "summary", "flow_publication": "by"}


@pytest.mark.parametrize("table", _COLUMNS)
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {} CASCADE", "UPDATE {} SET {} = {}"])
async def test_the_server_changes_nothing_that_was_published(
    ground: Ground, clock: DrivenClock, other: Flows, table: str, statement: str
) -> None:
    await published(ground.app, clock, other)
    column = {"flow_release": "content", "flow_version": "name", "flow_proof": "summary", "flow_publication": "by"}[
        table
    ]

    async with ground.app.engine.connect() as connection:
        with pytest.raises(DBAPIError, match="permission denied"):
            await connection.execute(text(statement.format(table, f'"{column}"', f'"{column}"')))


# --- publishing, and going back


async def test_who_published_what_is_one_chain_of_records(
    ground: Ground, clock: DrivenClock, shipped: Flows, other: Flows
) -> None:
    await published(ground.app, clock, shipped)
    await published(ground.app, clock, other)
    assert not await publishing(ground.app, clock).publish(other, ANNA), "calls begin in it already"
    assert await publishing(ground.app, clock).use(shipped.release.digest, shipped.policy, BENOIT)
    async with ground.app.house() as connection:
        records = [one.body for one in await records_of(connection, FLOWS_STREAM)]
        assert await current_of(connection) == shipped.release.digest
        first, second = await listed(connection, shipped.policy.digest)
        elsewhere = await listed(connection, "ef" * 32)
    assert [(one["event"], one["release"], one["before"]) for one in records] == [
        (Act.FLOWS_PUBLISHED.value, shipped.release.digest, None),
        (Act.FLOWS_PUBLISHED.value, other.release.digest, shipped.release.digest),
        (Act.FLOWS_PUBLISHED.value, shipped.release.digest, other.release.digest),
    ]
    assert [one["actor"]["id"] for one in records] == ["anna", "anna", "benoit"]
    assert (first.digest, first.published_by, first.proven) == (shipped.release.digest, "benoit", True)
    assert (second.digest, second.published_by, second.proven) == (other.release.digest, "anna", True)
    assert first.flows == {flow.digest: flow.name for flow in shipped.by_digest.values()}
    assert not any(one.proven for one in elsewhere), "against that policy nobody has proven them"


async def test_a_release_that_is_not_proven_any_more_is_not_gone_back_to(
    ground: Ground, clock: DrivenClock, shipped: Flows, other: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    await published(ground.app, clock, other)
    await published(ground.app, clock, shipped)
    refusing(monkeypatch, other.entry.digest)
    with pytest.raises(DataProblems, match="this version knows better"):
        await publishing(ground.app, clock).use(other.release.digest, shipped.policy, ANNA)
    async with ground.app.house() as connection:
        assert await current_of(connection) == shipped.release.digest
    with pytest.raises(NoSuchRelease):
        await publishing(ground.app, clock).use("ab" * 32, shipped.policy, ANNA)


async def test_a_release_holds_all_that_was_read_and_loads_alike(
    ground: Ground, clock: DrivenClock, other: Flows
) -> None:
    digest = await published(ground.app, clock, other)
    async with ground.app.house() as connection:
        kept = await release_called(connection, digest)
        (holder,) = await holders_of(connection, [other.entry.digest])
    assert kept == other.release
    assert holder.release == digest
    assert Release.kept(kept.content, digest) == kept
    again = loading.load_release(kept, load_policy(POLICY))
    assert again.by_digest.keys() == other.by_digest.keys()
    assert (again.entry.digest, again.book.prompts, again.book.translations) == (
        other.entry.digest,
        other.book.prompts,
        other.book.translations,
    )
    assert "en" in again.book.translations
