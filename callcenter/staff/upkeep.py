"""Regular work on accounts: forgetting what opens nothing any more. Records are not forgotten here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from callcenter.kernel.clock import Clock
from callcenter.store.database import Database

#: More than the longest time in which anything is counted (``staff.login.LoginLimits``).
TALLIES_KEPT = timedelta(hours=25)
#: For which somebody may see that a session has ended, and when.
SESSIONS_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class StaffUpkeep:
    """Done by the job worker, every few minutes."""

    database: Database
    clock: Clock

    async def forget(self) -> int:
        """Delete counts and sessions that are past their time; returns how many rows went."""
        now = self.clock.now()
        async with self.database.house() as connection:
            tallies = await connection.execute(_FORGET_TALLIES, {"before": now - TALLIES_KEPT})
            sessions = await connection.execute(_FORGET_SESSIONS, {"before": now - SESSIONS_KEPT})
            return int(tallies.rowcount + sessions.rowcount)


_FORGET_TALLIES = text("DELETE FROM login_tally WHERE window_start < :before")
_FORGET_SESSIONS = text("DELETE FROM staff_session WHERE ends_at < :before")
