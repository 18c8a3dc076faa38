"""A ledger in which time passes, and what erases it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text

from callcenter.audit.retention import RetentionTerms
from callcenter.kernel.randomness import SystemRandom
from callcenter.staff.old_records import OldRecords
from callcenter.store.database import Database
from tests.exporting import Archive

#: Seconds. After it an attempt, a look, a trace of operation have had their time, with the day that is waited besides.
A_YEAR = timedelta(days=370).total_seconds()
THREE_YEARS = timedelta(days=3 * 366).total_seconds()


def old_records(archive: Archive, terms: RetentionTerms | None = None) -> OldRecords:
    async def the_same(_: Database) -> datetime:
        return archive.clock.now()

    return OldRecords(archive.app, archive.clock, SystemRandom(), terms or RetentionTerms(), the_same)


async def a_night(archive: Archive, terms: RetentionTerms | None = None) -> int:
    """Named, sealed, erased; returns how many records went."""
    work = old_records(archive, terms)
    await days_pass(archive)
    gone = await work.erase()
    await archive.seal()
    await days_pass(archive)
    return gone + await work.erase()


#: What the sealer has let go was let go two days earlier; and heads were signed then.
LET_GO_EARLIER = "UPDATE audit_erasure SET let_go_at = let_go_at - interval '2 days'"
HEADS_SIGNED = "UPDATE audit_checkpoint SET signed_at = :at"
GUARDS = "SELECT tgrelid::regclass::text AS guarded, tgname FROM pg_trigger WHERE tgenabled = 'A' AND tgrelid IN " + (
    "('audit_erasure'::regclass, 'audit_checkpoint'::regclass)"
)


async def days_pass(archive: Archive) -> None:
    """As if two days had passed: heads were signed then, and what the sealer has let go has waited for as long."""
    async with archive.superuser() as root:
        guards = (await root.execute(text(GUARDS))).all()
        for guard in guards:
            await root.execute(text(f"ALTER TABLE {guard.guarded} DISABLE TRIGGER {guard.tgname}"))
        await root.execute(text(LET_GO_EARLIER))
        await root.execute(text(HEADS_SIGNED), {"at": archive.clock.now() - timedelta(days=2)})
        for guard in guards:
            await root.execute(text(f"ALTER TABLE {guard.guarded} ENABLE ALWAYS TRIGGER {guard.tgname}"))
