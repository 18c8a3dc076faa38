"""What rooms below cry about, as alerts."""

from __future__ import annotations

from dataclasses import dataclass
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
