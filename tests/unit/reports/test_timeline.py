"""What a step lets be heard stands behind what it has written down, and before what comes later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from callcenter.audit.reading import Checked, Record
from callcenter.reports.timeline import _turns, in_order
from callcenter.reports.values import Area

BEGAN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def _checked(after: float, event: str, kind: str = "ivr") -> Checked:
    at = BEGAN + timedelta(seconds=after)
    body = {"ts": at.isoformat(), "event": event, "actor": {"kind": kind, "id": "x"}}
    return Checked(Record(UUID(int=1), 0, body), b"", holds=True)


def _row(after: float) -> Any:
    return SimpleNamespace(at=BEGAN + timedelta(seconds=after))


def _heard(rows: list[Any], checked: list[Checked]) -> list[float]:
    return [(until - BEGAN).total_seconds() for _, until in _turns(rows, checked)]


def test_a_greeting_is_heard_once_the_call_has_begun_and_an_answer_once_it_is_on_record() -> None:
    records = [
        _checked(0.004, "call.started"),
        _checked(10.02, "verification.challenge"),
        _checked(10.05, "disclosure"),
        _checked(14, "call.waits"),
    ]
    assert _heard([_row(0), _row(10)], records) == [0.004, 10.05]


def test_what_others_write_and_what_comes_later_moves_nothing() -> None:
    others = [
        _checked(0.5, "verification.code_sent", "job"),
        _checked(0.6, "call.ended"),
        _checked(0.7, "disclosure.redelivered"),
        _checked(1.5, "call.waits"),
    ]
    assert _heard([_row(0), _row(1)], others) == [0, 1.5]


def test_of_one_instant_what_is_proved_stands_before_what_it_opens() -> None:
    areas = [Area.HEARD, Area.DISCLOSURE, Area.ACT, Area.PROOF, Area.TYPED]
    moments: list[Any] = [SimpleNamespace(at=BEGAN, area=area) for area in areas]
    wanted = [Area.TYPED, Area.PROOF, Area.DISCLOSURE, Area.ACT, Area.HEARD]
    assert [moment.area for moment in in_order(moments)] == wanted
