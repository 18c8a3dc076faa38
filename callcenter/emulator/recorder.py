"""Recording a caller: how long they speak, what ends it, what was said."""

from __future__ import annotations

from collections import deque

from callcenter.emulator.calls import Call
from callcenter.emulator.prompts import CHARACTERS_A_SECOND
from callcenter.emulator.verbs import Record


class Recorder:
    """Takes what is said on a leg until silence, a key, the longest time or the end of the call.

    Arguments:
        call: the leg.
        record: what ends it.
    """

    def __init__(self, call: Call, record: Record) -> None:
        self._call = call
        self._record = record
        self._unsaid: deque[str] = deque()
        self._said: list[str] = []
        self._began = self._ended = call.timeline.elapsed
        self._first: float | None = None
        self._last = 0.0
        self.key: str | None = None

    @property
    def hears_speech(self) -> bool:
        return self.key is None

    @property
    def text(self) -> str:
        """Everything that was said, as far as there was time for it."""
        return " ".join(self._said)

    @property
    def seconds(self) -> float:
        """How long the recording lasts: trimmed, from the first word to the last."""
        if self._record.trim:
            return self._last - self._first if self._first is not None else 0.0
        return self._ended - self._began

    def press(self, key: str) -> bool:
        """Take a key that ends it; others are lost."""
        if self.key is not None or key not in self._record.finish_on:
            return False
        self.key = key
        return True

    def speak(self, text: str) -> bool:
        """Take words; said one after the other."""
        if self.key is not None:
            return False
        self._unsaid.append(text)
        return True

    async def run(self) -> None:
        """Record."""
        call, timeline = self._call, self._call.timeline
        self._began = timeline.elapsed
        limit = self._began + self._record.max_length
        call.bell.clear()
        call.listen(self)
        try:
            while self.key is None and timeline.elapsed < limit:
                if self._unsaid:
                    await self._say(self._unsaid.popleft(), limit)
                elif not await self._rings_before_silence(limit) and not (self._unsaid or self.key):
                    return
        finally:
            self._ended = timeline.elapsed
            call.listen(None)

    async def _rings_before_silence(self, limit: float) -> bool:
        timeline = self._call.timeline
        silence = timeline.elapsed + self._record.timeout if self._record.timeout else limit  # 0: as long as there is
        return await timeline.wait(self._call.bell, min(silence, limit))

    async def _say(self, text: str, limit: float) -> None:
        timeline = self._call.timeline
        start = timeline.elapsed
        until = min(start + len(text) / CHARACTERS_A_SECOND, limit)
        self._first = start if self._first is None else self._first
        try:
            while self.key is None and timeline.elapsed < until:
                await timeline.spend(until - timeline.elapsed, self._call.bell)
        finally:
            self._last = min(timeline.elapsed, until)
            self._said.append(text[: max(1, round((self._last - start) * CHARACTERS_A_SECOND))])
