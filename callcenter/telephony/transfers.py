"""Calls that we have sent to a practice's line, remembered for a minute: one that comes back is not sent again.

A carrier tells a forwarded call from a new one only if it cares to. What it cannot hide is that the call which we sent
away is still up while the next one comes in.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from callcenter.telephony.callers import WITHHELD, Line, line_ending

#: A line rings for less: a call that was sent away comes back within seconds, or never.
REMEMBERED_SECONDS = 60.0
#: Withheld callers are all one to us: so many may be under way at once before the next is taken for one that came back.
WITHHELD_AT_ONCE = 3
#: Under a flood the oldest are forgotten.
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Sent:
    way: tuple[str, str]
    at: float


class Transfers:
    """What this process has sent away.

    Arguments:
        seconds: a clock that never goes back.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._sent: dict[str, _Sent] = {}

    def may_go(self, line: Line) -> bool:
        """Whether a call on ``line`` may be sent to the practice; then it is remembered, and may be sent again."""
        now = self._seconds()
        self._forget(now)
        if line.sid in self._sent:
            return True
        caller = _shown(line)
        most = 1 if caller else WITHHELD_AT_ONCE
        way = (caller, line.called or "")
        if sum(sent.way == way for sent in self._sent.values()) >= most:
            return False
        if line.sid is not None:
            self._sent[line.sid] = _Sent(way, now)
        return True

    def ended(self, sid: str) -> None:
        """The call ``sid`` is over: its caller may ring again."""
        self._sent.pop(sid, None)

    def _forget(self, now: float) -> None:
        for sid in list(self._sent):  # oldest first
            if now - self._sent[sid].at < REMEMBERED_SECONDS and len(self._sent) < MOST_REMEMBERED:
                break
            del self._sent[sid]


def _shown(line: Line) -> str:
    """What is shown of the caller, in any spelling; empty for all who withhold their number, spelt or typed."""
    first = line.origins[0] if line.origins else ""
    return "" if first in WITHHELD else line_ending(first)
