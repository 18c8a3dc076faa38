"""The jobs of the staff room, as the worker runs them."""

from __future__ import annotations

import procrastinate

from callcenter.staff.upkeep import StaffUpkeep


def register_staff_upkeep(jobs: procrastinate.App, upkeep: StaffUpkeep) -> None:
    """Put the forgetting of what opens nothing any more on ``jobs``, before its worker runs."""

    @jobs.periodic(cron="11 * * * *")
    @jobs.task(name="forget_staff_sessions", queue="upkeep", queueing_lock="forget_staff_sessions")
    async def forget_staff_sessions(timestamp: int) -> None:
        await upkeep.forget()
