"""What a call loses, and what goes on record, when it is put through to the practice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from callcenter.audit.ledger import Entry, EventKind
from callcenter.calls.desk import Desk
from callcenter.calls.session import Beginning, Way
from callcenter.calls.switchboard import CallSwitchboard
from callcenter.flow.conversation import Rang
from callcenter.flow.ports import MayNotRing, MayRing
from callcenter.practice.facts import Arrival

CALLED, LINE = "+33465710001", "+33465710090"
WAY = Way(CALLED, ("+33639980001",), "CA1")


@dataclass
class Pen:
    entries: list[Entry] = field(default_factory=list)

    async def add(self, entry: Entry) -> None:
        self.entries.append(entry)


@dataclass
class Facts:
    rescue_number: str = LINE


@dataclass
class Bench:
    """As much of a desk as putting a call through needs."""

    writing: Pen = field(default_factory=Pen)
    facts: Facts = field(default_factory=Facts)
    challenge: Any = "a code that was sent"
    evidence: Any = "a code that was right"
    card: Any = "a card that was shown"


@dataclass
class Lines:
    free: bool = True
    asked: list[tuple[str, Way]] = field(default_factory=list)

    def may_ring(self, line: str, way: Way) -> bool:
        self.asked.append((line, way))
        return self.free


def switchboard(bench: Bench, lines: Lines, way: Way | None = WAY) -> CallSwitchboard:
    beginning = Beginning(datetime(2026, 11, 27, 9, tzinfo=UTC), 7, Arrival.PRACTICE, None, way)
    return CallSwitchboard(cast(Desk, bench), beginning, lines)


@pytest.mark.parametrize("free", [True, False])
def test_p2_all_that_was_proved_dies_whether_or_not_the_line_rings(free: bool) -> None:
    bench = Bench()
    answer = asyncio.run(switchboard(bench, Lines(free)).put_through())
    assert (bench.challenge, bench.evidence, bench.card) == (None, None, None)
    assert answer == (MayRing(LINE, CALLED) if free else MayNotRing())


def test_lg_01_the_record_names_the_setting_and_no_number() -> None:
    bench, lines = Bench(), Lines()
    at_work = switchboard(bench, lines)
    asyncio.run(at_work.put_through())
    asyncio.run(at_work.came_back(Rang.NO_ANSWER))
    named = {"refs": ["setting:rescue_number"], "settings": 7}
    assert [(entry.kind, entry.content) for entry in bench.writing.entries] == [
        (EventKind.CALL_PUT_THROUGH, named),
        (EventKind.CALL_CAME_BACK, {**named, "rang": "no_answer"}),
    ]
    assert lines.asked == [(LINE, WAY)]


def test_p7_a_call_whose_way_is_not_known_is_not_sent_anywhere() -> None:
    bench, lines = Bench(), Lines()
    assert asyncio.run(switchboard(bench, lines, way=None).put_through()) == MayNotRing()
    assert [entry.kind for entry in bench.writing.entries] == [EventKind.CALL_NOT_PUT_THROUGH]
    assert lines.asked == []


def test_a_call_keeps_the_way_that_it_came() -> None:
    beginning = Beginning(datetime(2026, 11, 27, 9, tzinfo=UTC), 7, Arrival.PRACTICE, None, WAY)
    assert Beginning.from_json(beginning.to_json()) == beginning
    before = {name: value for name, value in beginning.to_json().items() if name != "way"}
    assert Beginning.from_json(before).way is None, "calls under way when this came in have none"
