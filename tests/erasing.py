"""A ledger in which time passes, and what erases it."""

from __future__ import annotations

from datetime import timedelta

from callcenter.audit.retention import Terms
from callcenter.kernel.randomness import SystemRandom
from callcenter.staff.old_records import OldRecords
from tests.exporting import Archive

#: Seconds. After it an attempt, a look, a trace of operation have had their time, with the day that is waited besides.
A_YEAR = timedelta(days=370).total_seconds()
THREE_YEARS = timedelta(days=3 * 366).total_seconds()


def old_records(archive: Archive, terms: Terms | None = None) -> OldRecords:
    return OldRecords(archive.app, archive.clock, SystemRandom(), terms or Terms())


async def a_night(archive: Archive, terms: Terms | None = None) -> int:
    """Named, sealed, erased; returns how many records went."""
    work = old_records(archive, terms)
    gone = await work.erase()
    await archive.seal()
    return gone + await work.erase()
