"""The jobs of the staff room, as the worker runs them."""

from __future__ import annotations

import procrastinate

from callcenter.staff.old_records import OldRecords
from callcenter.staff.upkeep import StaffUpkeep


def register_staff_upkeep(jobs: procrastinate.App, upkeep: StaffUpkeep, records: OldRecords) -> None:
    """Put the forgetting of what opens nothing any more on ``jobs``, before its worker runs; and the erasing of records
    of the ledger that have had their time, by night: one run names them, and the next one erases what was sealed."""

    @jobs.periodic(cron="11 * * * *")
    @jobs.task(name="forget_staff_sessions", queue="upkeep", queueing_lock="forget_staff_sessions")
    async def forget_staff_sessions(timestamp: int) -> None:
        await upkeep.forget()

    @jobs.periodic(cron="*/10 1-4 * * *")
    @jobs.task(name="erase_records", queue="upkeep", queueing_lock="erase_records")
    async def erase_records(timestamp: int) -> None:
        await records.erase()
