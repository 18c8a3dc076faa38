"""Our calls beside those that the carrier lists, over HTTP, on a database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import procrastinate
import pytest
from procrastinate.testing import InMemoryConnector
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from callcenter.app.alarms import CarrierAlarm
from callcenter.app.carrier_gauges import CarrierGauges
from callcenter.calls.carrier_findings import Settling, settle
from callcenter.calls.carrier_list import MOST_ASKED, NotOverYet
from callcenter.calls.carrier_values import AGREED, LEARNT_LATER, Cause, Difference, ListNotComplete
from callcenter.calls.jobs import register_comparison
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import Unavailable
from callcenter.kernel.randomness import SystemRandom
from callcenter.staff.acts import StaffActs
from callcenter.store.database import Database
from callcenter.store.schema import metadata
from callcenter.telephony import rest_list
from callcenter.telephony.alerts import Alerts
from callcenter.telephony.metrics import Metrics
from tests.integration.calling import PORT, TILLEULS
from tests.integration.comparing import DAY, FORGED, NOON, Night, listing, night
from tests.ports import free_port
from tests.unit.emulator.bench import CALLER, SECOND

MINUTE = timedelta(minutes=1)


@pytest.fixture
def database_name(peopled_name: str) -> str:
    return peopled_name


@pytest.fixture
async def tonight(database: Database, clock: DrivenClock) -> AsyncIterator[Night]:
    async with night(database, clock) as tonight:
        yield tonight


async def test_where_both_know_the_same_nothing_is_found(tonight: Night) -> None:
    began = tonight.clock.now()
    await tonight.known(await tonight.call(), began, tonight.clock.now())
    await tonight.call(SECOND)  # a number of the account that is none of ours
    assert await tonight.compared() == []
    async with tonight.database.house() as connection:
        row = (await connection.execute(text("SELECT day, theirs, ours FROM carrier_day"))).one()
        told = (await connection.execute(text("SELECT body FROM house_record ORDER BY id"))).scalars().all()
    assert (row.day, row.theirs, row.ours) == (DAY, 1, 1)
    assert any('"event":"carrier.list_compared"' in body and '"day":"2026-11-24"' in body for body in told)
    assert tonight.cries.differs == []


async def test_p4_a_call_whose_webhook_was_dropped_is_found(tonight: Night) -> None:
    sid = await tonight.call()
    with capture_logs() as logs:
        assert await tonight.compared() == [(sid, Difference.CALL_UNKNOWN)]
    (found,) = await tonight.open()
    assert (found.practice, found.day) == (TILLEULS, DAY)
    assert tonight.cries.differs == [(found.id, Difference.CALL_UNKNOWN)]
    async with tonight.database.practice(TILLEULS) as tx:
        query = "SELECT body FROM audit_record WHERE stream = :stream"
        (body,) = (await tx.connection.execute(text(query), {"stream": found.id})).scalars().all()
    assert b'"event":"carrier.differs"' in body
    assert sid.encode() in body
    assert CALLER not in str(logs)


async def test_nobodys_number_comes_into_the_tables_or_logs(tonight: Night, owner_database: Database) -> None:
    caller = "+33639989876"
    await tonight.call(caller=caller)
    tonight.until_due()
    with capture_logs() as logs:
        await tonight.comparison.compare_due()
    kept: list[str] = [str(logs)]
    async with owner_database.house() as connection:
        for name in [*metadata.tables, "procrastinate_jobs"]:
            kept += (await connection.execute(text(f"SELECT t::text FROM {name} t"))).scalars().all()
    assert len(await tonight.open()) == 1
    assert [one for one in kept if caller[1:] in one] == []


async def test_p4_a_call_that_the_carrier_never_had_is_found(tonight: Night) -> None:
    await tonight.known(FORGED, practice=PORT)
    assert await tonight.compared() == [(FORGED, Difference.CALL_NEVER_HAD)]
    assert (await tonight.open())[0].practice == PORT


async def test_of_many_that_are_missing_some_are_asked_for_and_all_are_found(tonight: Night) -> None:
    for number in range(MOST_ASKED + 2):
        await tonight.known(f"CA{number:032x}")
    assert len(await tonight.compared()) == 100  # as many as are shown
    assert len(tonight.cries.differs) == MOST_ASKED + 2
    single = [one for one in tonight.desk.tape("rest") if "/Calls/CA" in one.url]
    assert len(single) == MOST_ASKED


async def test_a_leg_of_an_operator_that_the_carrier_never_had_is_found(tonight: Night) -> None:
    call, staff = await tonight.known(await tonight.call()), uuid4()
    values = {"call": call, "staff": staff, "practice": TILLEULS, "now": NOON, "id": uuid4(), "leg": FORGED}
    async with tonight.database.house() as connection:
        for statement in _OPERATOR:
            await connection.execute(text(statement), values)
    assert await tonight.compared() == [(FORGED, Difference.CALL_NEVER_HAD)]


async def test_a_call_around_midnight_is_the_same_call_on_both_days(tonight: Night) -> None:
    tonight.clock.advance(12 * 3600 - 1)
    sid = await tonight.call()
    await tonight.known(sid, NOON + timedelta(hours=12, seconds=1))
    assert await tonight.compared(DAY) == []
    assert await tonight.compared(DAY + timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("began", "ended", "found"),
    [
        (timedelta(0), timedelta(0), False),
        (AGREED - MINUTE, AGREED - MINUTE, False),
        (MINUTE - AGREED, MINUTE - AGREED, False),
        (AGREED + MINUTE, AGREED + MINUTE, True),
        (-AGREED - MINUTE, timedelta(0), True),
        (timedelta(0), LEARNT_LATER - MINUTE, False),  # its end was asked for
        (timedelta(0), LEARNT_LATER + MINUTE, True),
        (timedelta(days=-2), timedelta(0), True),
    ],
)
async def test_times_may_differ_by_as_much_as_is_agreed(
    tonight: Night, began: timedelta, ended: timedelta, found: bool
) -> None:
    sid = await tonight.call()
    await tonight.known(sid, NOON + began, max(NOON + ended, NOON + began))
    day = (NOON + began).date()
    expected = [(sid, Difference.TIMES_DIFFER)] if found else []
    assert await tonight.compared(day) == expected


async def test_a_call_that_was_over_here_while_it_went_on_there_is_found(tonight: Night) -> None:
    tonight.desk.application.pages["/voice"] = (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Pause length="600"/><Hangup/></Response>'
    )
    sid = await tonight.call()
    await tonight.known(sid, NOON, NOON + 3 * MINUTE)
    assert await tonight.compared() == [(sid, Difference.TIMES_DIFFER)]


async def test_a_list_of_many_pages_is_read_to_its_end(tonight: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_list, "CALLS_PER_PAGE", 2)
    sids = [await tonight.call() for _ in range(5)]
    for sid in sids[1:4]:
        await tonight.known(sid)
    found = await tonight.compared()
    assert {sid for sid, _ in found} == {sids[0], sids[4]}
    pages = [one.url for one in tonight.desk.tape("rest") if one.method == "GET"]
    assert len(pages) == 3
    assert all("StartTime%3E=2026-11-23" in url and "StartTime%3C=2026-11-26" in url for url in pages)


async def test_a_list_that_is_too_long_says_nothing_of_what_is_missing(
    tonight: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest_list, "CALLS_PER_PAGE", 1)
    monkeypatch.setattr(rest_list, "MOST_PAGES", 2)
    for _ in range(3):
        await tonight.known(await tonight.call())
    tonight.until_due()
    with pytest.raises(ListNotComplete):
        await tonight.comparison.compare(DAY)
    assert await tonight.open() == []
    assert await tonight.missed() == [DAY]


async def test_a_night_without_the_carrier_is_made_up_for(tonight: Night) -> None:
    sid = await tonight.call()
    tonight.until_due()
    async with listing(f"http://127.0.0.1:{free_port()}") as nobody:
        with pytest.raises(Unavailable):
            await replace(tonight.comparison, carrier=nobody).compare_due()
    assert (await tonight.missed(), await tonight.open()) == ([DAY], [])
    assert tonight.cries.missed == [(DAY, "NotServed")]
    tonight.clock.advance(3600)
    assert await tonight.comparison.compare_due() == 1
    assert [one.sid for one in await tonight.open()] == [sid]
    assert await tonight.missed() == []
    assert await tonight.comparison.compare_due() == 0  # there is nothing to do


async def test_the_worker_compares_every_hour_what_was_not(tonight: Night) -> None:
    jobs = procrastinate.App(connector=InMemoryConnector())
    register_comparison(jobs, tonight.comparison)
    (periodic,) = jobs.periodic_registry.periodic_tasks.values()
    assert (periodic.task.name, periodic.cron) == ("compare_with_carrier", "11 * * * *")
    sid = await tonight.call()
    tonight.until_due()
    await periodic.task.func(timestamp=0)
    assert [one.sid for one in await tonight.open()] == [sid]


async def test_every_day_that_was_left_out_is_compared_the_latest_first(tonight: Night) -> None:
    await tonight.compared(DAY)
    tonight.until_due(DAY + timedelta(days=5))
    left = [DAY + timedelta(days=days) for days in (5, 4, 3, 2, 1)]
    assert await tonight.missed() == left
    await tonight.comparison.compare_due()
    assert await tonight.missed() == left[3:]
    await tonight.comparison.compare_due()
    assert await tonight.missed() == []


async def test_a_day_that_is_not_over_is_not_compared(tonight: Night) -> None:
    tonight.until_due()
    tonight.clock.advance(-12 * 60)  # one minute before the last call of the day must have ended
    with pytest.raises(NotOverYet, match="after 04:00 UTC"):
        await tonight.comparison.compare(DAY)
    assert DAY not in await tonight.missed()


async def test_what_is_found_again_is_found_once(tonight: Night) -> None:
    await tonight.call()
    first = await tonight.compared()
    assert await tonight.compared() == first
    assert len(tonight.cries.differs) == 1


async def test_a_difference_is_settled_once_on_record_by_who_may(tonight: Night) -> None:
    await tonight.call()
    await tonight.compared()
    (found,) = await tonight.open()
    acts, now = StaffActs(tonight.clock, SystemRandom()), tonight.clock.now()

    async def settled(practices: list[UUID] | None, cause: Cause) -> bool:
        async with tonight.database.house() as connection:
            return await settle(connection, found.id, Settling(cause, practices, "somebody", now), acts)

    assert not await settled([PORT], Cause.OUTAGE)
    assert await settled([TILLEULS, PORT], Cause.OUTAGE)
    assert not await settled(None, Cause.TEST)
    assert await tonight.open() == []
    async with tonight.database.practice(TILLEULS) as tx:
        query = "SELECT body FROM audit_record WHERE stream = :stream ORDER BY seq"
        bodies = (await tx.connection.execute(text(query), {"stream": found.id})).scalars().all()
    assert len(bodies) == 2
    assert b'"event":"carrier.settled"' in bodies[1]
    assert b'"cause":"outage"' in bodies[1]
    assert await tonight.compared() == []  # nor is it found again


async def test_what_was_settled_stays_so(tonight: Night, owner_database: Database) -> None:
    await tonight.call()
    await tonight.compared()
    acts = StaffActs(tonight.clock, SystemRandom())
    async with tonight.database.house() as connection:
        settling = Settling(Cause.TEST, None, "somebody", tonight.clock.now())
        assert await settle(connection, (await tonight.open())[0].id, settling, acts)
    for change in ("cause = 'outage'", "settled_by = 'another'", "settled_at = NULL, settled_by = NULL, cause = NULL"):
        with pytest.raises(DBAPIError):
            async with owner_database.house() as connection:
                await connection.execute(text(f"UPDATE carrier_finding SET {change}"))


async def test_alerts_and_metrics_tell_of_it(tonight: Night) -> None:
    registry = CollectorRegistry()
    gauges = CarrierGauges(tonight.database, tonight.clock, registry)
    alerts = Alerts(Metrics(registry))
    comparison = replace(tonight.comparison, alarm=CarrierAlarm(alerts))
    await tonight.call()
    await tonight.known(FORGED)
    tonight.until_due()
    await gauges.read()
    assert registry.get_sample_value("callcenter_carrier_days_not_compared") == 1
    await comparison.compare_due()
    await gauges.read()
    assert registry.get_sample_value("callcenter_carrier_days_not_compared") == 0
    for kind in ("call_unknown", "call_never_had"):
        assert registry.get_sample_value("callcenter_carrier_findings_open", {"kind": kind}) == 1
        assert registry.get_sample_value("callcenter_alerts_total", {"kind": f"carrier_{kind}"}) == 1
    assert registry.get_sample_value("callcenter_carrier_findings_open", {"kind": "times_differ"}) == 0


#: Somebody of staff who has taken a call, with the least that the schema asks for.
_OPERATOR = (
    "INSERT INTO staff_account (id, organisation_id, login, display_name, languages, made_at) "
    "SELECT :staff, organisation_id, 'operatrice-de-nuit', 'Télésecrétaire', '{fr}', :now FROM practice "
    "WHERE id = :practice",
    "INSERT INTO presence (staff_id, state, way, since, idle_since, seen_at) "
    "VALUES (:staff, 'offline', 'browser', :now, :now, :now)",
    "INSERT INTO queue_entry (call_id, practice_id, language, priority, place, kind, state, entered_at) "
    "VALUES (:call, :practice, 'fr', 3, :now, 'live', 'reserved', :now)",
    "INSERT INTO reservation (id, call_id, staff_id, state, made_at, ends_at, accepted_at, leg) "
    "VALUES (:id, :call, :staff, 'accepted', :now, cast(:now AS timestamptz) + interval '1 hour', :now, :leg)",
)


async def test_a_day_before_callcenter_was_installed_is_not_missed(tonight: Night) -> None:
    began = datetime.combine(DAY, datetime.min.time(), UTC) + timedelta(days=1, hours=9)
    async with tonight.database.house() as connection:
        mark = "INSERT INTO key_mark (key, mark, made_at) VALUES ('one', repeat('a', 64), :began)"
        await connection.execute(text(mark), {"began": began})
    tonight.until_due()
    assert await tonight.missed() == []
    tonight.until_due(began.date())
    assert await tonight.missed() == [began.date()]
