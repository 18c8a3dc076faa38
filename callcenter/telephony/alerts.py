"""What somebody must look at: one log event and one counter each, never with a patient word in it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath
from traceback import extract_tb

import structlog

from callcenter.telephony.metrics import Metrics

_log = structlog.get_logger(__name__)


class AlertKind(StrEnum):
    """Why somebody is alerted."""

    STEP_FAILED = "step_failed"
    STEP_SLOW = "step_slow"
    UNAVAILABLE = "unavailable"
    UNKNOWN_NUMBER = "unknown_number"
    UNKNOWN_CALL = "unknown_call"
    FOREIGN_STEP = "foreign_step"
    MALFORMED_WEBHOOK = "malformed_webhook"
    CARRIER_FALLBACK = "carrier_fallback"
    STATUS_FAILED = "status_failed"
    AUDIO_FAILED = "audio_failed"
    VOICE_DOWN = "voice_down"
    RESCUE_REFUSED = "rescue_refused"
    CALL_CAME_BACK = "call_came_back"
    RESCUE_SWITCHED = "rescue_switched"
    STATIC_STALE = "static_stale"
    JOBS_STOPPED = "jobs_stopped"
    QUEUE_STANDS = "queue_stands"
    EDGE_FAILED = "edge_failed"
    CONSOLE_FAILED = "console_failed"
    RECORDING_LEFT = "recording_left"
    NOTICE_FAILED = "notice_failed"
    REMINDER_FAILED = "reminder_failed"
    MESSAGE_UNREAD = "message_unread"
    TEXT_FAILED = "text_failed"
    CARRIER_CALL_UNKNOWN = "carrier_call_unknown"
    CARRIER_CALL_NEVER_HAD = "carrier_call_never_had"
    CARRIER_TIMES_DIFFER = "carrier_times_differ"
    CARRIER_NOT_COMPARED = "carrier_not_compared"
    FLOWS_REFUSED = "flows_refused"
    FLOWS_STALE = "flows_stale"
    #: Records wait too long for their seal: nothing about patients is told meanwhile. Or nobody knows how long they do.
    LEDGER_BEHIND = "ledger_behind"
    LEDGER_UNWATCHED = "ledger_unwatched"
    #: What stands in the database is not what was signed, or was written: somebody has changed it.
    LEDGER_BROKEN = "ledger_broken"
    #: The sealer has refused a record that waited, and sealed that it did: it was forged, or settings differ.
    LEDGER_REFUSED = "ledger_refused"
    SEALING_STOPPED = "sealing_stopped"
    #: What stands in the place of the sealer's key is none, or another's.
    SEALER_KEY_UNUSABLE = "sealer_key_unusable"
    #: A log is to be sealed with a key that this process has not: its file is on another machine, or in a backup.
    SEALER_LACKS_KEY = "sealer_lacks_key"
    #: Heads of the ledger could not be given to whoever is to hold them.
    LEDGER_NOT_HELD = "ledger_not_held"


def failure(error: BaseException) -> dict[str, str]:
    """What a log may keep of an exception: its type, its cause's type and where it was raised.

    Its text and its arguments are left out: they may hold anything that a step had in hand.
    """
    frames = extract_tb(error.__traceback__)
    fields = {"error": type(error).__name__}
    if error.__cause__ is not None:
        fields["cause"] = type(error.__cause__).__name__
    if frames:
        fields["where"] = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}"
    return fields


class Alerts:
    """Where alerts go.

    Arguments:
        metrics: counts them by kind.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def report(self, kind: AlertKind, **fields: str) -> None:
        """Alert. ``fields`` hold opaque identifiers, names of types and the carrier's codes only."""
        self._metrics.alerts.labels(kind=kind.value).inc()
        _log.error("alert", kind=kind.value, **fields)

    def failed(self, kind: AlertKind, error: BaseException, **fields: str) -> None:
        """Alert about an exception, of which only :func:`failure` is kept."""
        self.report(kind, **failure(error), **fields)
