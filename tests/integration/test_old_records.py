"""Records of the ledger are erased when their time is over: on record first, then for good; and the log verifies."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from callcenter.app.erasing import erase_what_is_over
from callcenter.audit import erasing
from callcenter.audit.erasing import overdue, unfinished
from callcenter.audit.ledger import Entry, EventKind, Segment, note, stream_so_far, writing
from callcenter.audit.reading import read_call
from callcenter.audit.retention import RetentionTerms
from callcenter.audit.verify import Verdict
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import IntegrityError
from callcenter.kernel.randomness import SeededRandom, SystemRandom, new_id
from callcenter.settings.sections import RetentionSettings
from callcenter.staff.ledger_acts import put_on_record
from callcenter.staff.old_records import JOB, OldRecords
from callcenter.staff.records import NOBODY, Act, HouseLog, records_of
from callcenter.store.database import Database, Transaction
from callcenter.store.sealed import Sealer
from tests.conftest import Cluster
from tests.erasing import A_YEAR, THREE_YEARS, a_night, days_pass, old_records
from tests.exporting import HOUSE, IVR, TILLEULS, Archive, archive_on
from tests.locks import somebody_waits

OLD = (EventKind.CALL_STARTED, EventKind.VERIFICATION_FAILED, EventKind.DISCLOSURE, EventKind.CALL_ENDED)


@pytest.fixture
def database_name(peopled_name: str) -> str:
    return peopled_name


@pytest.fixture
async def archive(cluster: Cluster, database_name: str, database: Database, clock: DrivenClock) -> Archive:
    archive = archive_on(cluster, database_name, database, clock)
    await archive.seal()
    return archive


async def standing(archive: Archive, stream: UUID, table: str = "audit_record") -> list[int]:
    """The places of a stream whose records stand."""
    async with archive.superuser() as connection:
        query = text(f"SELECT seq FROM {table} WHERE stream = :stream ORDER BY seq")
        return list((await connection.execute(query, {"stream": stream})).scalars())


async def test_p4_what_has_had_its_time_is_erased_on_record_and_the_log_verifies_and_says_why(
    archive: Archive, clock: DrivenClock
) -> None:
    call = await archive.call(*OLD)
    await archive.seal()
    clock.advance(A_YEAR)
    young = await archive.call(*OLD)
    await archive.seal()
    held = (await archive.export()).report().keep
    work = old_records(archive)
    await days_pass(archive)
    assert await work.erase() == 0  # named, not erased: nothing has sealed it
    assert await work.erase() == 0
    assert await standing(archive, call) == [0, 1, 2, 3]
    assert await overdue(archive.app, RetentionTerms(), clock.now()) == 3
    assert await unfinished(archive.app) == 0
    await archive.seal()
    assert await unfinished(archive.app) == 3
    assert await work.erase() == 0  # a day is left to notice
    await days_pass(archive)
    assert await work.erase() == 3
    assert await overdue(archive.app, RetentionTerms(), clock.now()) == await unfinished(archive.app) == 0
    assert await standing(archive, call) == [2]
    assert await standing(archive, young) == [0, 1, 2, 3]
    report = (await archive.export()).report(held)
    assert (report.verdict, report.findings) == (Verdict.INTACT, ())
    assert report.erased >= 3
    assert {one.cause for one in report.erasures} == {"retention"}
    clock.advance(THREE_YEARS)
    await a_night(archive)
    assert (await standing(archive, call), await standing(archive, young)) == ([], [])
    assert (await archive.export()).report(held).verdict is Verdict.INTACT
    assert await a_night(archive) == 0  # erasures stay


async def test_p4_a_stream_whose_last_record_is_erased_is_gone_on_with(archive: Archive, clock: DrivenClock) -> None:
    stream, entry = new_id(SystemRandom()), Entry(EventKind.MESSAGE_READ, IVR)
    house = HouseLog(clock, SystemRandom())
    for _ in range(2):
        for _ in range(2):
            async with archive.app.practice(TILLEULS) as tx:
                await note(tx, entry, clock, SystemRandom(), stream=stream)
            async with archive.app.house() as connection:
                await house.note(connection, Act.SIGNED_IN, NOBODY, stream)
        await archive.seal()
        clock.advance(A_YEAR)
        await a_night(archive)
        assert await standing(archive, stream) == []
        assert await standing(archive, stream, "house_record") == []
        async with archive.app.practice(TILLEULS) as tx:
            segment, told = await stream_so_far(tx, stream)
        assert (segment.seq > 0, segment.last != bytes(32), told) == (True, True, None)
    assert segment.seq == 4
    async with archive.app.practice(TILLEULS) as tx:
        await note(tx, entry, clock, SystemRandom(), stream=stream)
    async with archive.app.house() as connection:
        await house.note(connection, Act.SIGNED_IN, NOBODY, stream)
    await archive.seal()
    async with archive.app.house() as connection:
        assert [record.seq for record in await records_of(connection, stream)] == [4]
    for log in (TILLEULS, HOUSE):
        assert (await archive.export(log)).report(log=log).verdict is Verdict.INTACT


async def a_call(archive: Archive, *events: EventKind) -> UUID:
    """A call of the practice, with these records in one stream."""
    call = new_id(SystemRandom())
    async with archive.superuser() as connection:
        insert = (
            "INSERT INTO call (id, practice_id, carrier_sid, status, started_at) VALUES (:id, :own, :sid, 0, now())"
        )
        await connection.execute(text(insert), {"id": call, "own": TILLEULS, "sid": f"CA{call.hex}"})
    async with (
        archive.app.practice(TILLEULS) as tx,
        writing(tx, Segment(new_id(SystemRandom()), call), archive.clock, SystemRandom()) as pen,
    ):
        for event in events:
            await pen.add(Entry(event, IVR))
    return call


async def test_p4_a_call_is_read_with_what_was_erased_of_it_and_what_was_taken_away_still_shows(
    archive: Archive, clock: DrivenClock
) -> None:
    call = await a_call(archive, *OLD)
    await archive.seal()
    clock.advance(A_YEAR)
    await a_night(archive)
    async with archive.app.practice(TILLEULS) as tx:
        reading = await read_call(tx, call)
    assert [one.record.body["event"] for one in reading.checked] == ["disclosure"]
    assert [one.holds for one in reading.checked] == [True]
    assert [(one.seq, one.why and one.why.cause) for one in reading.gone] == [
        (0, "retention"),
        (1, "retention"),
        (3, "retention"),
    ]
    assert len(reading.records()) == 1
    taken = (
        "ALTER TABLE audit_record DISABLE TRIGGER ALL",
        "ALTER TABLE audit_erasure DISABLE TRIGGER ALL",
        # Whoever takes the disclosure away says that some erasure has named it; that one says otherwise.
        "INSERT INTO audit_erasure SELECT log_id, idx, idx, (SELECT max(idx) FROM audit_erasure), now(), now() "
        f"FROM audit_leaf WHERE log_id = '{TILLEULS}' AND record_id = '{reading.checked[0].record.id}'",
    )
    other = await a_call(archive, *OLD)
    await archive.seal()
    async with archive.superuser() as connection:
        for statement in taken:
            await connection.execute(text(statement))
        await connection.execute(text("DELETE FROM audit_record WHERE call_id = :call AND seq = 2"), {"call": other})
    async with archive.app.practice(TILLEULS) as tx:
        reading = await read_call(tx, other)
    assert reading.taken == 1
    with pytest.raises(IntegrityError):
        reading.records()
    assert (await archive.export()).report().verdict is Verdict.TAMPERED


async def test_a_choice_stays_for_as_long_as_it_is_the_persons_last_word(archive: Archive, clock: DrivenClock) -> None:
    async with archive.superuser() as root:
        query = "SELECT id FROM patient WHERE practice_id = :log ORDER BY id LIMIT 1"
        patient = (await root.execute(text(query), {"log": TILLEULS})).scalar_one()
    stream = new_id(SystemRandom())
    for _ in range(2):
        async with archive.app.practice(TILLEULS) as tx:
            await note(tx, Entry(EventKind.REMINDERS_CHOSEN, IVR, patient), clock, SystemRandom(), stream=stream)
        clock.advance(1)
    await archive.seal()
    clock.advance(THREE_YEARS)
    await a_night(archive)
    assert await standing(archive, stream) == [1]
    assert await overdue(archive.app, RetentionTerms(), clock.now()) == 0


async def test_a_token_goes_with_the_last_record_that_names_its_person_unless_somebody_writes_of_them(
    archive: Archive, clock: DrivenClock
) -> None:
    tokens = "SELECT count(*) FROM audit_subject WHERE patient_id = :patient"
    async with archive.superuser() as root:
        query = "SELECT id FROM patient WHERE practice_id = :log ORDER BY id LIMIT 1"
        patient = (await root.execute(text(query), {"log": TILLEULS})).scalar_one()

    async def mention(tx: Transaction) -> None:
        await note(tx, Entry(EventKind.PATIENT_FOLLOWED, IVR, patient), clock, SystemRandom())

    async def known() -> int:
        async with archive.superuser() as root:
            found: int = (await root.execute(text(tokens), {"patient": patient})).scalar_one()
        return found

    async with archive.app.practice(TILLEULS) as tx:
        await mention(tx)
    await archive.seal()
    clock.advance(A_YEAR)
    work = old_records(archive)
    await days_pass(archive)
    await work.erase()
    await archive.seal()
    await days_pass(archive)
    async with archive.app.practice(TILLEULS) as writes:
        await mention(writes)  # has read the token, and stands nowhere yet
        erases = asyncio.create_task(work.finish())
        while not await somebody_waits(archive.app):  # bounded by the lock time-out of `erases`
            assert not erases.done(), erases
            await asyncio.sleep(0.01)
    await erases
    assert await known() == 1
    async with archive.app.practice(TILLEULS) as tx:
        named = "SELECT count(*) FROM audit_record r JOIN audit_subject s ON s.token::text = r.subject"
        assert (await tx.connection.execute(text(named))).scalar_one() == 1
    await archive.seal()
    clock.advance(A_YEAR)
    await a_night(archive)
    assert await known() == 0


async def test_nothing_is_named_while_clocks_differ_or_no_head_was_signed_lately(
    archive: Archive, clock: DrivenClock
) -> None:
    await archive.call(*OLD)
    await archive.seal()
    clock.advance(A_YEAR)
    waits = "SELECT count(*) FROM audit_record WHERE event = 'erasure'"

    async def named() -> int:
        async with archive.superuser() as root:
            found: int = (await root.execute(text(waits))).scalar_one()
        return found

    await old_records(archive).erase()
    assert await named() == 0  # the last head is a year old: the clock has jumped
    await days_pass(archive)
    await OldRecords(archive.app, clock, SystemRandom(), RetentionTerms()).erase()
    assert await named() == 0  # the database's clock, which is the machine's, says otherwise
    await old_records(archive).erase()
    assert await named() > 0


async def test_a_record_that_the_sealer_would_refuse_is_not_named_and_keeps_no_other(
    archive: Archive, clock: DrivenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its columns it is old; by its body it is not what was sealed. A page of them stands first."""
    monkeypatch.setattr(erasing, "PAGE", 2)
    rotten = [await archive.call(EventKind.MESSAGE_READ) for _ in range(3)]
    whole = await archive.call(EventKind.MESSAGE_READ)
    await archive.seal()
    async with archive.superuser() as root:
        await root.execute(text("ALTER TABLE audit_record DROP CONSTRAINT ck_audit_record_leaf_is_of_its_body"))
        await root.execute(text("ALTER TABLE audit_record DISABLE TRIGGER audit_record_append_only"))
        other = "convert_to(replace(convert_from(body, 'UTF8'), '\"ivr\"', '\"ivs\"'), 'UTF8')"
        change = f"UPDATE audit_record SET body = {other} WHERE stream = ANY(:streams)"
        await root.execute(text(change), {"streams": rotten})
        await root.execute(text("ALTER TABLE audit_record ENABLE ALWAYS TRIGGER audit_record_append_only"))
    clock.advance(A_YEAR)
    await a_night(archive)  # the sealer seals what was named
    assert await standing(archive, whole) == []
    assert [await standing(archive, stream) for stream in rotten] == [[0]] * 3


async def test_a_restore_erases_what_was_let_go_and_no_more(
    archive: Archive, clock: DrivenClock, sealer: Sealer, random: SeededRandom
) -> None:
    """As the backup has it: the sealer has let something go, and nobody has erased it yet."""
    call = await archive.call(*OLD)
    await archive.seal()
    clock.advance(A_YEAR)
    work = old_records(archive)
    await days_pass(archive)
    await work.erase()
    await archive.seal()
    await days_pass(archive)
    erased = await erase_what_is_over(archive.app, sealer, RetentionSettings(), clock, random)
    assert erased["records of the ledger that were let go"] >= 3
    assert await standing(archive, call) == [2]
    assert await work.finish() == 0


async def test_a_call_that_is_held_keeps_its_records_until_the_hold_is_lifted(
    archive: Archive, clock: DrivenClock
) -> None:
    call = await a_call(archive, EventKind.CALL_STARTED, EventKind.CALL_ENDED)
    await archive.seal()
    clock.advance(A_YEAR)
    work = old_records(archive)
    await days_pass(archive)
    await work.erase()
    async with archive.superuser() as connection:  # held after it was named, before it is erased
        await connection.execute(text("SET session_replication_role = replica"))
        hold = (
            "INSERT INTO call_hold (id, incident_id, practice_id, call_id, placed_at, placed_by) "
            "VALUES (gen_random_uuid(), gen_random_uuid(), :practice, :call, now(), gen_random_uuid())"
        )
        await connection.execute(text(hold), {"practice": TILLEULS, "call": call})
    await archive.seal()
    await days_pass(archive)
    await work.erase()
    async with archive.app.practice(TILLEULS) as tx:
        assert len((await read_call(tx, call)).records()) == 2
    assert (await archive.export()).report().verdict is Verdict.INTACT
    async with archive.superuser() as connection:
        await connection.execute(text("SET session_replication_role = replica"))
        await connection.execute(text("UPDATE call_hold SET lifted_at = now(), lifted_by = placed_by"))
    assert await work.erase() == 2
    assert (await archive.export()).report().verdict is Verdict.INTACT


async def test_p4_two_erasers_at_once_erase_each_record_once_and_the_log_verifies(
    archive: Archive, clock: DrivenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines that work on jobs: both name the same, and both erase what was let go, each something else."""
    calls = [await archive.call(*OLD) for _ in range(3)]
    await archive.seal()
    held = (await archive.export()).report().keep
    clock.advance(A_YEAR)
    await days_pass(archive)
    async with archive.app.practice(TILLEULS) as one, archive.app.practice(TILLEULS) as other:
        for tx in (one, other):
            for content in await erasing.due(tx, RetentionTerms(), clock.now()):
                await put_on_record(tx, EventKind.ERASURE, content, JOB, clock, SystemRandom())
    await archive.seal()
    await days_pass(archive)
    let_go = await unfinished(archive.app)
    monkeypatch.setattr(erasing, "MOST_DELETED", 2)
    async with archive.app.practice(TILLEULS) as one, archive.app.practice(TILLEULS) as other:
        # Neither waits for the other, and neither takes what the other has.
        took = [await erasing.erase_let_go(one), await erasing.erase_let_go(other)]
    work = old_records(archive)
    took += await asyncio.gather(work.finish(), work.finish())
    assert took[:2] == [2, 2]
    assert (sum(took), await unfinished(archive.app)) == (let_go, 0)
    assert [await standing(archive, call) for call in calls] == [[2], [2], [2]]
    report = (await archive.export()).report(held)
    assert (report.verdict, report.findings) == (Verdict.INTACT, ())
    assert report.erased >= 9
