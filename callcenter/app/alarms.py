"""What rooms below cry about, as alerts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from time import monotonic
from uuid import UUID

from callcenter.audit.logs import HOUSE_LOG
from callcenter.calls.carrier_values import Difference
from callcenter.kernel.errors import Unavailable
from callcenter.telephony.alerts import AlertKind, Alerts, failure


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

    def key_lacking(self, log: UUID, why: str) -> None:
        self.alerts.report(AlertKind.SEALER_LACKS_KEY, log=str(log), why=why)

    def record_refused(self, log: UUID, why: str) -> None:
        if self._is_news(AlertKind.LEDGER_REFUSED, log):
            self.alerts.report(AlertKind.LEDGER_REFUSED, log=str(log), why=why)

    def key_unusable(self, why: str) -> None:
        if self._is_news(AlertKind.SEALER_KEY_UNUSABLE, HOUSE_LOG):
            self.alerts.report(AlertKind.SEALER_KEY_UNUSABLE, why=why)

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


_DIFFERS = {
    Difference.CALL_UNKNOWN: AlertKind.CARRIER_CALL_UNKNOWN,
    Difference.CALL_NEVER_HAD: AlertKind.CARRIER_CALL_NEVER_HAD,
    Difference.TIMES_DIFFER: AlertKind.CARRIER_TIMES_DIFFER,
}


@dataclass(frozen=True, slots=True)
class CarrierAlarm:
    """Alerts about calls that the carrier knows otherwise. Implements ``calls.carrier_values.ComparisonAlarm``."""

    alerts: Alerts

    def call_differs(self, finding: UUID, kind: Difference) -> None:
        self.alerts.report(_DIFFERS[kind], finding=str(finding))

    def not_compared(self, day: date, error: Unavailable) -> None:
        self.alerts.report(AlertKind.CARRIER_NOT_COMPARED, day=day.isoformat(), **failure(error))
