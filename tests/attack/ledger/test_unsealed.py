"""What happens to records before they are sealed, and to bodies with and without a lawful cause (P4)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from enum import Enum

import pytest
from sqlalchemy import text

from callcenter.audit.ledger import Entry, EventKind, note
from callcenter.audit.verify import Verdict, What
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.store.database import Database
from callcenter.store.schema import APP
from tests.conftest import Cluster
from tests.exporting import IVR, TABLES, TILLEULS, Archive, archive_on


class Later(Enum):
    """Events that only the verifier needs to know."""

    ERASURE = "erasure"


@pytest.fixture
async def archive(cluster: Cluster, peopled_name: str, clock: DrivenClock) -> AsyncIterator[Archive]:
    database = Database(cluster.server.url(user=APP, database=peopled_name), pool_size=2)
    archive = archive_on(cluster, peopled_name, database, clock)
    await archive.call()
    await archive.seal()
    yield archive
    await database.close()


async def force(archive: Archive, *statements: str, **values: object) -> None:
    """Do this for good, with no trigger in the way."""
    async with archive.superuser() as connection:
        for table in TABLES:
            await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        for statement in statements:
            assert (await connection.execute(text(statement), values)).rowcount, statement  # -1: it changes no row


UNSEAL = (
    "DELETE FROM audit_outbox WHERE record_id = (SELECT id FROM audit_record WHERE stream = :stream AND seq = :seq)",
    "DELETE FROM audit_record WHERE stream = :stream AND seq = :seq",
)


async def test_p4_a_record_is_removed_before_it_is_sealed_and_others_of_its_call_are(archive: Archive) -> None:
    stream = await archive.call()
    await force(archive, *UNSEAL, stream=stream, seq=1)
    await archive.seal()
    report = (await archive.export()).report()
    assert report.verdict is Verdict.TAMPERED
    assert {finding.what for finding in report.findings} == {What.STREAM}


async def test_t87_the_last_record_of_a_call_that_is_removed_before_it_is_sealed_is_not_found(archive: Archive) -> None:
    """Known: the window is the seconds until the next round of the sealer; while it is longer, nothing is told."""
    stream = await archive.call()
    await force(archive, *UNSEAL, stream=stream, seq=3)
    await archive.seal()
    assert (await archive.export()).report().verdict is Verdict.INTACT


async def test_t87_what_a_conquered_server_writes_that_is_not_true_is_not_found(archive: Archive) -> None:
    """Known: a log says what was written when, not whether it is so. What was sealed before stays as it was."""
    held = (await archive.export()).report().keep
    await archive.call(EventKind.DISCLOSURE, reason="never happened")
    await archive.seal()
    copy = await archive.export()
    assert copy.report(held).verdict is Verdict.INTACT
    assert b"never happened" in b"".join(copy.lines)


CAUSES: Mapping[str, tuple[list[list[int]] | None, Verdict]] = {
    "that names it": ([[1, 1]], Verdict.INTACT),
    "that names another": ([[2, 2]], Verdict.TAMPERED),
    "there is none": (None, Verdict.TAMPERED),
}


@pytest.mark.parametrize(("erases", "verdict"), CAUSES.values(), ids=CAUSES)
async def test_p4_a_body_is_missing_with_an_erasure(
    archive: Archive, erases: list[list[int]] | None, verdict: Verdict
) -> None:
    """A lawful one is told as erased with cause; the log is intact."""
    held = (await archive.export()).report().keep
    if erases is not None:
        async with archive.app.practice(TILLEULS) as tx:
            entry = Entry(Later.ERASURE, IVR, None, {"erases": erases})  # type: ignore[arg-type]
            await note(tx, entry, archive.clock, SystemRandom())
    await archive.seal()
    gone = "DELETE FROM audit_record WHERE id = (SELECT record_id FROM audit_leaf WHERE log_id = :log AND idx = 1)"
    await force(archive, gone, log=TILLEULS)
    report = (await archive.export()).report(held)
    assert report.verdict is verdict
    assert report.erased == (verdict is Verdict.INTACT)


async def test_p4_another_body_stands_where_one_was_erased(archive: Archive) -> None:
    """Records hold no payload that could be changed; a body is held by its leaf, erased or not."""
    async with archive.app.practice(TILLEULS) as tx:
        entry = Entry(Later.ERASURE, IVR, None, {"erases": [[1, 1]]})  # type: ignore[arg-type]
        await note(tx, entry, archive.clock, SystemRandom())
    await archive.seal()
    other = (
        "UPDATE audit_record SET body = replace(body::text, '696e', '6e69')::bytea WHERE id = "
        "(SELECT record_id FROM audit_leaf WHERE log_id = :log AND idx = 1)"
    )
    await force(archive, "ALTER TABLE audit_record DROP CONSTRAINT ck_audit_record_leaf_is_of_its_body")
    await force(archive, other, log=TILLEULS)
    report = (await archive.export()).report()
    assert report.verdict is Verdict.TAMPERED
    assert What.ROOT in {finding.what for finding in report.findings}
