"""What rooms below cry about, as alerts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from time import monotonic
from uuid import UUID

from callcenter.telephony.alerts import AlertKind, Alerts


@dataclass(frozen=True, slots=True)
class HouseAlarms:
    """Alarms of notices and reminders, as alerts. Implements ``notices.ports.Alarms``."""

    alerts: Alerts

    def notice_failed(self, practice: UUID, notice: UUID, why: str) -> None:
        self.alerts.report(AlertKind.NOTICE_FAILED, practice=str(practice), notice=str(notice), why=why)

    def reminder_failed(self, practice: UUID, reminder: UUID, why: str) -> None:
        self.alerts.report(AlertKind.REMINDER_FAILED, practice=str(practice), reminder=str(reminder), why=why)

    def message_unread(self, practice: UUID, message: UUID) -> None:
        self.alerts.report(AlertKind.MESSAGE_UNREAD, practice=str(practice), message=str(message))


@dataclass(frozen=True, slots=True)
class RecordingAlarm:
    """Alerts about recordings that the carrier keeps. Implements ``calls.recordings.Alarm``."""

    alerts: Alerts

    def recording_left(self, voice: UUID) -> None:
        self.alerts.report(AlertKind.RECORDING_LEFT, reference=str(voice))


#: Seconds for which the same is not cried again.
QUIET_FOR = 60.0


@dataclass(slots=True)
class LedgerAlarm:
    """Alerts about the ledger, each log's once a minute for as long as it lasts. Implements
    ``audit.sealer.SealingAlarm`` and ``audit.watching.LagAlarm``.

    Arguments:
        now: seconds that only grow.
    """

    alerts: Alerts
    now: Callable[[], float] = monotonic
    _cried: dict[tuple[AlertKind, UUID], float] = field(default_factory=dict)

    def log_broken(self, log: UUID, why: str) -> None:
        if self._is_news(AlertKind.LEDGER_BROKEN, log):
            self.alerts.report(AlertKind.LEDGER_BROKEN, log=str(log), why=why)

    def logs_behind(self, logs: Collection[UUID]) -> None:
        for log in logs:
            if self._is_news(AlertKind.LEDGER_BEHIND, log):
                self.alerts.report(AlertKind.LEDGER_BEHIND, log=str(log))

    def _is_news(self, kind: AlertKind, log: UUID) -> bool:
        now, last = self.now(), self._cried.get((kind, log))
        if last is not None and now - last < QUIET_FOR:
            return False
        self._cried[kind, log] = now
        return True
