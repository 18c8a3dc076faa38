"""What callers left as recordings: kept, reported, fetched, deleted; and failures on request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from callcenter.emulator.calls import Call
from callcenter.emulator.identifiers import new_sid, rfc2822
from callcenter.emulator.reports import Reports
from callcenter.emulator.verbs import Record
from callcenter.emulator.voice import spoken
from callcenter.emulator.webhooks import Parameters

RecordingStatus = Literal["in-progress", "processing", "completed", "absent"]
Operation = Literal["media", "deletion"]

OPERATIONS: tuple[Operation, ...] = ("media", "deletion")


@dataclass(slots=True)
class Recording:
    """One recording.

    Arguments:
        call: the leg that was recorded.
        record: who is told about it.
        url: where it is fetched, without a suffix.
        text: what was said.
        seconds: how long it lasts.
    """

    sid: str
    call: Call
    record: Record
    url: str
    created: datetime
    updated: datetime
    status: RecordingStatus = "in-progress"
    text: str = ""
    seconds: float = 0.0
    deleted: bool = False

    @property
    def duration(self) -> int:
        """Whole seconds, as they are told; none is shorter than one."""
        return max(1, round(self.seconds)) if self.text else 0

    @property
    def sound(self) -> bytes | None:
        """A WAV file, once there is one and as long as it is kept."""
        return spoken(self.text, self.seconds) if self.status == "completed" and not self.deleted else None

    def parameters(self) -> Parameters:
        """As the Record's action is told."""
        return (
            ("RecordingUrl", self.url),
            ("RecordingSid", self.sid),
            ("RecordingDuration", str(self.duration)),
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """How something that the REST interface is asked fails: the carrier's code, the HTTP status, what it says."""

    code: int
    status: int
    message: str


@dataclass(slots=True)
class _Trouble:
    """A fault, and how often it comes yet; None is for ever."""

    fault: Fault
    left: int | None


@dataclass(slots=True)
class Recordings:
    """The account's recordings.

    Arguments:
        account_sid: goes into callbacks and addresses.
        reports: sends callbacks.
        now: dates them.
        base_url: where the REST interface is; known once it listens.
    """

    account_sid: str
    reports: Reports
    now: Callable[[], datetime]
    base_url: str = ""
    all: list[Recording] = field(default_factory=list)
    _troubles: dict[Operation, _Trouble] = field(default_factory=dict)

    def begin(self, call: Call, record: Record) -> Recording:
        """A recording begins."""
        sid, moment = new_sid("RE"), self.now()
        url = f"{self.base_url}/2010-04-01/Accounts/{self.account_sid}/Recordings/{sid}"
        recording = Recording(sid, call, record, url, moment, moment)
        self.all.append(recording)
        self._tell(recording)
        return recording

    def finish(self, recording: Recording, text: str, seconds: float) -> None:
        """It has ended: with words it is worked on until :meth:`ready`, without them there is none."""
        recording.text, recording.seconds = text, seconds
        self._become(recording, "processing" if text else "absent")

    def ready(self, call: Call) -> None:
        """A call's recordings that were worked on can be fetched."""
        for recording in self.all:
            if recording.call is call and recording.status == "processing":
                self._become(recording, "completed")

    def find(self, sid: str) -> Recording | None:
        """One that is there and was not deleted."""
        return next((one for one in self.all if one.sid == sid and not one.deleted), None)

    def delete(self, recording: Recording) -> None:
        """Forget what was said."""
        recording.deleted, recording.updated = True, self.now()

    def fail(self, operation: Operation, fault: Fault, count: int | None) -> None:
        """Let the next requests fail, all of them without a count."""
        self._troubles[operation] = _Trouble(fault, count)

    def mend(self, operation: Operation | None) -> None:
        """Let requests of a kind, or of every kind, succeed again."""
        for one in OPERATIONS:
            if operation in (None, one):
                self._troubles.pop(one, None)

    def fault(self, operation: Operation) -> Fault | None:
        """What this request fails with, if it does; it counts as one."""
        trouble = self._troubles.get(operation)
        if trouble is None:
            return None
        if trouble.left is not None:
            trouble.left -= 1
            if not trouble.left:
                del self._troubles[operation]
        return trouble.fault

    def _become(self, recording: Recording, status: RecordingStatus) -> None:
        recording.status, recording.updated = status, self.now()
        self._tell(recording)

    def _tell(self, recording: Recording) -> None:
        record = recording.record
        if record.callback is None or recording.status not in record.events:
            return
        pairs = (
            ("AccountSid", self.account_sid),
            ("CallSid", recording.call.sid),
            *recording.parameters(),
            ("RecordingStatus", recording.status),
            ("RecordingChannels", "1"),
            ("RecordingStartTime", rfc2822(recording.created)),
            ("RecordingSource", "RecordVerb"),
            ("RecordingTrack", "inbound"),
            ("ErrorCode", "0"),
        )
        self.reports.told(recording.call, recording.sid, record.callback, record.callback_method, pairs)
