"""Regular work on accounts: forgetting what opens nothing any more. Records are not forgotten here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from callcenter.kernel.clock import Clock
from callcenter.store.database import Database

#: More than the longest time in which anything is counted (``staff.limits.LoginLimits``), and than that for which a
#: place is remembered, which stands under no tries.
TALLIES_KEPT, PLACES_KEPT = timedelta(hours=25), timedelta(days=31)
#: For which somebody may see that a session has ended, and when. An invitation of that age opens nothing either.
SESSIONS_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class StaffUpkeep:
    """Done by the job worker, every few minutes."""

    database: Database
    clock: Clock

    async def forget(self) -> int:
        """Delete counts, sessions and invitations that are past their time; returns how many rows went."""
        now = self.clock.now()
        async with self.database.house() as connection:
            before = {"before": now - TALLIES_KEPT, "places": now - PLACES_KEPT}
            tallies = await connection.execute(_FORGET_TALLIES, before)
            sessions = await connection.execute(_FORGET_SESSIONS, {"before": now - SESSIONS_KEPT})
            invitations = await connection.execute(_FORGET_INVITATIONS, {"before": now - SESSIONS_KEPT})
            return int(tallies.rowcount + sessions.rowcount + invitations.rowcount)


_FORGET_TALLIES = text("DELETE FROM login_tally WHERE window_start < :before AND (tries > 0 OR window_start < :places)")
_FORGET_SESSIONS = text("DELETE FROM staff_session WHERE ends_at < :before")
_FORGET_INVITATIONS = text("DELETE FROM staff_invitation WHERE ends_at < :before")
