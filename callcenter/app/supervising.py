"""What stands behind the pages of supervisors, put together."""

from __future__ import annotations

from callcenter.app.by_board import StaffBoards
from callcenter.app.by_incidents import StaffIncidents
from callcenter.app.by_locks import StaffLocks
from callcenter.console.supervision import Supervision
from callcenter.identity.challenges import Limits
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random
from callcenter.staff.acts import StaffActs
from callcenter.staff.incidents import Incidents
from callcenter.staff.records import HouseLog
from callcenter.staff.room import StaffRoom
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer


def supervision_of(
    room: StaffRoom, database: Database, sealer: Sealer, clock: Clock, random: Random, limits: Limits | None = None
) -> Supervision:
    """The board, the incidents and the locks, on a room of staff.

    Arguments:
        limits: of codes.
    """
    log, acts = HouseLog(clock, random), StaffActs(clock, random)
    return Supervision(
        boards=StaffBoards(room, database, clock),
        incidents=StaffIncidents(room, Incidents(database, sealer, clock, random, log, acts), database, clock),
        locks=StaffLocks(room, database, sealer, clock, random, acts, (limits or Limits()).wrong_window),
    )
