"""Whether the kill switch takes a call: the same answer for whoever calls, and for whoever waits already."""

from __future__ import annotations

from callcenter.telephony.alerts import AlertKind, Alerts
from callcenter.telephony.callers import Line
from callcenter.telephony.fallback import StaticAnswers
from callcenter.telephony.switch import RescueSwitch


def is_switched(switch: RescueSwitch, static: StaticAnswers, alerts: Alerts, line: Line) -> bool:
    """Whether the call on ``line`` goes to its rescue number at once; then it is an alert."""
    switched = switch.now()
    if not switched.takes(static.practice(line.called)):
        return False
    alerts.report(AlertKind.RESCUE_SWITCHED, readable="yes" if switched.readable else "no")
    return True
