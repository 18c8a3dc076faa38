"""A log leaves as a file that anybody verifies: whole, at one moment, as it stands, and on record."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from sqlalchemy import text

from callcenter.audit import export
from callcenter.audit.verify import Checkpoint, Verdict
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.staff.ledger_acts import LedgerActs
from callcenter.staff.records import NOBODY, Act, HouseLog
from callcenter.store.database import Database
from tests.conftest import Cluster
from tests.exporting import HOUSE, TILLEULS, Archive, archive_on
from tests.sealing import a_key


@pytest.fixture
def database_name(peopled_name: str) -> str:
    return peopled_name


@pytest.fixture
async def archive(cluster: Cluster, database_name: str, database: Database, clock: DrivenClock) -> Archive:
    archive = archive_on(cluster, database_name, database, clock)
    await archive.seal()
    for _ in range(2):
        await archive.call()
        await archive.seal()
    return archive


async def rows(archive: Archive, query: str, **values: object) -> list[object]:
    async with archive.superuser() as connection:
        return list((await connection.execute(text(query), values)).scalars())


async def test_an_export_holds_each_sealed_record_byte_for_byte_and_every_head(archive: Archive) -> None:
    await archive.call()  # is not sealed yet
    copy = await archive.export()
    report = copy.report()
    assert (report.verdict, report.findings) == (Verdict.INTACT, ())
    query = "SELECT r.body FROM audit_leaf l JOIN audit_record r ON r.id = l.record_id WHERE log_id = :log ORDER BY idx"
    bodies = await rows(archive, query, log=TILLEULS)
    assert [line for line in copy.lines if line.startswith(b'{"actor"')] == [body + b"\n" for body in bodies]  # type: ignore[operator]
    notes = await rows(archive, "SELECT note FROM audit_checkpoint WHERE log_id = :log ORDER BY size", log=TILLEULS)
    heads = [json.loads(line) for line in copy.lines if line.startswith(b'{"checkpoint"')]
    assert heads == [{"checkpoint": note} for note in notes]
    assert (report.records, report.checkpoints, report.covered) == (len(bodies), len(notes), len(bodies))
    assert (copy.exported.oddities, copy.exported.odd) == (0, [])


@pytest.mark.parametrize("page", [1, 2, 3, 5])
async def test_the_pages_that_are_read_at_once_do_not_show(archive: Archive, page: int) -> None:
    assert (await archive.export(page=page)).lines == (await archive.export()).lines


async def test_the_house_has_a_log_as_practices_have(archive: Archive) -> None:
    async with archive.app.house() as connection:
        for _ in range(3):
            await HouseLog(archive.clock, SystemRandom()).note(connection, Act.REFUSED, NOBODY, None, stream=HOUSE)
    await archive.seal()
    copy = await archive.export(HOUSE)
    report = copy.report(log=HOUSE)
    assert (report.verdict, report.origin, copy.exported.oddities) == (Verdict.INTACT, "callcenter/house", 0)
    assert report.records == len(await rows(archive, "SELECT 1 FROM house_record")) >= 3


async def test_an_export_is_of_one_moment_whatever_is_sealed_meanwhile(archive: Archive) -> None:
    before = await archive.export()
    async with export.one_moment(archive.app, TILLEULS) as tx:
        exported = await export.begin(tx)
        lines = []
        async for line in export.lines(tx, exported, 2):
            if not lines:
                await archive.call()
                await archive.seal()
            lines.append(line)
    assert tuple(lines) == before.lines
    assert len((await archive.export()).lines) == len(lines) + 5


async def test_that_a_log_leaves_is_on_record_in_it(archive: Archive) -> None:
    acts = LedgerActs(archive.app, archive.clock, SystemRandom(), "camille")
    for log in (TILLEULS, HOUSE):
        await acts.exported(log, 8)
        await archive.seal()
        copy = await archive.export(log)
        told = json.loads([line for line in copy.lines if line.startswith(b'{"actor"')][-1])
        assert (told["event"], told["size"], told["actor"]["id"]) == ("ledger.exported", 8, "camille")
        assert copy.report(log=log).verdict is Verdict.INTACT


async def test_a_checkpoint_that_somebody_holds_is_continued_by_what_comes_after_it(archive: Archive) -> None:
    held = (await archive.export()).report().keep
    await archive.call()
    await archive.seal()
    report = (await archive.export()).report(held)
    assert (report.verdict, report.since) == (Verdict.INTACT, a_key().open(held, report.origin).size)


async def test_no_log_holds_what_another_practice_has_on_record(archive: Archive) -> None:
    others = await rows(archive, "SELECT id FROM practice WHERE id <> :log ORDER BY id LIMIT 1", log=TILLEULS)
    other = UUID(str(others[0]))
    stream = await archive.call(practice=other)
    await archive.seal()
    assert str(stream).encode() not in b"".join((await archive.export()).lines)
    assert (await archive.export(other)).report(log=other).verdict is Verdict.INTACT
    assert Checkpoint.parse((await archive.export(other)).report(log=other).keep.split("\n\n")[0] + "\n").size >= 4
