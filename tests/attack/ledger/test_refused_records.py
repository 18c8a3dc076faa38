"""What a record says that the sealer has refused is told to nobody, and stands in nobody's way (P1, P4)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from callcenter.audit.about import reach_of, records_about
from callcenter.audit.erasing import candidates_named, due, overdue
from callcenter.audit.ledger import Entry, EventKind, note, stream_so_far
from callcenter.audit.logs import HOUSE_LOG
from callcenter.audit.reading import first_of_stream, latest_of_stream
from callcenter.audit.retention import RetentionTerms
from callcenter.audit.standing import sealed_so_far
from callcenter.audit.verify import Verdict
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import NotFound
from callcenter.kernel.randomness import SystemRandom
from callcenter.reports.fhir_export import Standing, lines_of, standing
from callcenter.reports.searching import search
from callcenter.reports.values import Criteria, Kind, Outcome
from callcenter.staff.records import NOBODY, Act, HouseLog, records_of
from callcenter.store.database import Database
from callcenter.store.schema import APP
from tests.attack.ledger.forging import forge
from tests.conftest import Cluster
from tests.exporting import IVR, TILLEULS, Archive, archive_on

#: Before any term of any class.
LONG_AGO = "1999-11-26T09:00:00.000000Z"


@pytest.fixture
async def archive(cluster: Cluster, peopled_name: str, clock: DrivenClock) -> AsyncIterator[Archive]:
    """A call of four records, two of which tell something."""
    database = Database(cluster.server.url(user=APP, database=peopled_name), pool_size=2)
    archive = archive_on(cluster, peopled_name, database, clock)
    await archive.call()
    await archive.seal()
    yield archive
    await database.close()


async def test_p1_p4_a_refused_disclosure_is_in_no_report_and_keeps_none_from_leaving(archive: Archive) -> None:
    """Not as FHIR, in no extract, not where somebody is looked for by it; in a list it shows as refused."""
    token, day = uuid4(), timedelta(days=1)
    told = {"subject": str(token), "decision": "granted", "level": 2, "categories": ["D02"], "step": "x"}
    forged = await forge(archive, EventKind.DISCLOSURE, **told)
    stands = await standing(archive.app, TILLEULS)
    assert stands == Standing(sealed=2, waiting=0, size=5, refused=1)
    assert len([line async for line in lines_of(archive.app, TILLEULS, "https://here", stands.size)]) == 2
    now = archive.clock.now()
    async with archive.app.practice(TILLEULS) as tx:
        about = await records_about(tx, token, now - day, now + day, 10)
        assert (about.records, about.whole) == ((), True)
        criteria = Criteria(TILLEULS, Kind.DISCLOSURES, date(2020, 1, 1), date(2030, 1, 1))
        found = {one.id: one for one in (await search(tx, criteria)).found}
        assert len(found) == 3
        shown = found[forged]
        assert (shown.what, shown.outcomes, shown.categories, shown.level) == ("record.refused", (), (), None)
        by_it = Criteria(TILLEULS, Kind.DISCLOSURES, criteria.first, criteria.last, outcome=Outcome.GRANTED)
        assert forged not in {one.id for one in (await search(tx, by_it)).found}
        by_it = Criteria(TILLEULS, Kind.DISCLOSURES, criteria.first, criteria.last, subject=token)
        assert (await search(tx, by_it)).found == ()


async def test_p4_what_was_refused_is_in_no_stream_that_the_server_reads_on(archive: Archive) -> None:
    """A forged last record would tell that something is done; what follows names its leaf, and verifies."""
    stream = UUID(int=7)
    forged = await forge(archive, EventKind.DISCLOSURE, stream=stream, actor=IVR)
    async with archive.app.practice(TILLEULS) as tx:
        assert await latest_of_stream(tx, stream, 10) == []
        assert await first_of_stream(tx, stream, EventKind.DISCLOSURE, 10) == []
        segment, told = await stream_so_far(tx, stream)
        assert (segment.seq, told) == (1, None)
        await note(tx, Entry(EventKind.DISCLOSURE, IVR, None, {}), archive.clock, SystemRandom(), stream=stream)
        assert [record.seq for record in await latest_of_stream(tx, stream, 10)] == [1]
        with pytest.raises(NotFound):
            await candidates_named(tx, [forged])
    await archive.seal()
    report = (await archive.export()).report()
    assert (report.verdict, report.refused) == (Verdict.INTACT, 1)


async def test_p4_of_an_account_is_told_what_the_sealer_says_and_not_what_was_refused(archive: Archive) -> None:
    account = uuid4()
    await forge(archive, EventKind.LEDGER_EXPORTED, HOUSE_LOG, account)
    async with archive.app.house() as connection:
        await HouseLog(archive.clock, SystemRandom()).note(connection, Act.SIGNED_IN, NOBODY, account)
    async with archive.app.house() as connection:
        said = [record.body["event"] for record in await records_of(connection, account)]
    assert said == ["record.refused", Act.SIGNED_IN.value]


async def test_p4_what_was_refused_is_never_late_and_how_far_the_ledger_reaches_is_not_told_by_it(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ages and is never erased: otherwise doctor is red for ever, and the nights read through it in vain."""
    terms, now = RetentionTerms(), archive.clock.now()
    async with archive.app.practice(TILLEULS) as tx:
        before = (await reach_of(tx)).begins, (await sealed_so_far(tx)).exported_at
    for kind in (EventKind.DISCLOSURE, EventKind.LEDGER_EXPORTED):
        await forge(archive, kind, ts=LONG_AGO)
    await forge(archive, EventKind.LEDGER_EXPORTED, HOUSE_LOG, ts=LONG_AGO)
    assert await overdue(archive.app, terms, now) == 0
    async with archive.app.practice(TILLEULS) as tx:
        assert ((await reach_of(tx)).begins, (await sealed_so_far(tx)).exported_at) == before
    # The last word of somebody on reminders is kept; a later one that was refused is none.
    whose, written = str(uuid4()), "2026-01-01T00:00:00.000000Z"
    await forge(archive, EventKind.REMINDERS_CHOSEN, subject=whose)
    async with archive.app.practice(TILLEULS) as tx:
        in_force = text("SELECT ledger_in_force(:log, 'reminders.chosen', :whose, :written)")
        values = {"log": TILLEULS, "whose": whose, "written": written}
        assert (await tx.connection.execute(in_force, values)).scalar_one()
    monkeypatch.setattr("callcenter.audit.erasing.PAGE", 1)
    monkeypatch.setattr("callcenter.audit.erasing.MOST_PAGES", 1)
    archive.clock.advance(4 * 366 * 86_400.0)
    async with archive.app.practice(TILLEULS) as tx:
        assert await due(tx, terms, archive.clock.now())
