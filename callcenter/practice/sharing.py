"""Who shares a telephone changes without anybody writing it: on the day when a child becomes an adult."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from callcenter.kernel.clock import Clock
from callcenter.practice.file import PatientFile
from callcenter.practice.intake import lock_intake, refresh_shared
from callcenter.practice.practice_form import Setting
from callcenter.practice.setting_versions import SettingVersions
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer

#: Hours of a practice's night at which it is looked at: once the day has begun, and again if nobody worked then.
HOURS = (0, 3)


@dataclass(frozen=True, slots=True)
class SharedTelephones:
    """Keeps marked which telephones two adults or more have. Not computed where a claim is compared: opening the birth
    dates of all who have a telephone would take longer where somebody has it (P6).
    """

    database: Database
    sealer: Sealer
    clock: Clock

    async def refresh(self) -> int:
        """Mark them anew in the practices where a day has begun; called every hour. Returns how many practices."""
        now = self.clock.now()
        async with self.database.house() as connection:
            zones = await SettingVersions.everywhere(connection, Setting.TIMEZONE, now)
        local = {practice_id: now.astimezone(ZoneInfo(zone)) for practice_id, zone in zones.items()}
        due = {practice_id: at.date() for practice_id, at in local.items() if at.hour in HOURS}
        for practice_id, today in due.items():
            async with self.database.practice(practice_id) as tx:
                await lock_intake(tx)
                await refresh_shared(tx, PatientFile(self.sealer, practice_id), today)
        return len(due)
