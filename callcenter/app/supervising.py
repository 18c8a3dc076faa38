"""What stands behind the pages of supervisors, put together."""

from __future__ import annotations

from datetime import timedelta

from callcenter.app.by_board import StaffBoards
from callcenter.app.by_incident_notices import StaffIncidentNotices
from callcenter.app.by_incidents import StaffIncidents
from callcenter.app.by_locks import StaffLocks
from callcenter.console.board_ports import Targets
from callcenter.console.supervision import Supervision
from callcenter.identity.challenges import Limits
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random
from callcenter.routing.statistics import Marks
from callcenter.settings.sections import BoardSettings
from callcenter.staff.acts import StaffActs
from callcenter.staff.incident_notices import IncidentNotices
from callcenter.staff.incidents import Incidents
from callcenter.staff.records import HouseLog
from callcenter.staff.room import StaffRoom
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer


def supervision_of(
    room: StaffRoom,
    database: Database,
    sealer: Sealer,
    clock: Clock,
    random: Random,
    limits: Limits | None = None,
    board: BoardSettings | None = None,
) -> Supervision:
    """The board, the incidents and the locks, on a room of staff.

    Arguments:
        limits: of codes.
        board: what the board counts by and measures against.
    """
    measured = board or BoardSettings()
    log, acts = HouseLog(clock, random), StaffActs(clock, random)
    return Supervision(
        boards=StaffBoards(room, database, clock, marks_of(measured), targets_of(measured)),
        incidents=StaffIncidents(room, Incidents(database, sealer, clock, random, log, acts), database, clock),
        locks=StaffLocks(room, database, sealer, clock, random, acts, (limits or Limits()).wrong_window),
    )


def incident_notices_of(
    room: StaffRoom, database: Database, sealer: Sealer, clock: Clock, random: Random
) -> StaffIncidentNotices:
    """What practices are told of incidents, on a room of staff."""
    acts = StaffActs(clock, random)
    incidents = Incidents(database, sealer, clock, random, HouseLog(clock, random), acts)
    notices = IncidentNotices(database, sealer, clock, random, acts, incidents)
    return StaffIncidentNotices(room, notices, database, clock)


def marks_of(board: BoardSettings) -> Marks:
    """By what the board counts."""
    return Marks(
        short=timedelta(seconds=board.short_seconds),
        within=timedelta(seconds=board.answered_within_seconds),
        late=timedelta(minutes=board.late_callback_minutes),
    )


def targets_of(board: BoardSettings) -> Targets:
    """Against what the board measures."""
    return Targets(
        service=board.service_percent / 100,
        answered=board.answered_percent / 100,
        abandoned=board.abandoned_percent / 100,
        speed=timedelta(seconds=board.speed_seconds),
        longest=timedelta(seconds=board.longest_seconds),
    )
