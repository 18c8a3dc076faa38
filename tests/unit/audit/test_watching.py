"""The watch over the ledger: what was seen last holds for its time, and whoever sees nothing tells nothing (P4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from callcenter.app.alarms import QUIET_FOR, LedgerAlarm
from callcenter.audit import watching
from callcenter.audit.watching import EVERY, FRESH_FOR, LONGEST, SETTLING, Watch
from callcenter.store.database import DatabaseDown
from callcenter.telephony.alerts import Alerts
from callcenter.telephony.metrics import Metrics

ONE, OTHER = UUID(int=1), UUID(int=2)


class Seconds:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


class Waits:
    """In place of the database: what waits, or that it is down."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.found: Mapping[UUID, timedelta] | None = {}
        self.asked: list[timedelta] = []
        monkeypatch.setattr(watching, "waiting", self._waiting)

    async def _waiting(self, _: object, longer_than: timedelta) -> Mapping[UUID, timedelta]:
        self.asked.append(longer_than)
        if self.found is None:
            raise DatabaseDown
        return {log: waited for log, waited in self.found.items() if waited > longer_than}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    return Waits(monkeypatch)


def watch(seconds: Seconds, heard: list[Collection[UUID]]) -> Watch:
    alarm = SimpleNamespace(logs_behind=heard.append)
    return Watch(None, alarm, now=seconds)  # type: ignore[arg-type]


async def test_p4_before_anybody_has_looked_every_log_is_behind() -> None:
    one = watch(Seconds(), [])
    assert one.is_behind(ONE)
    assert one.is_any_behind()


async def test_p4_a_log_is_behind_whose_record_waits_too_long_and_no_other(waits: Waits) -> None:
    heard: list[Collection[UUID]] = []
    seconds = Seconds()
    one = watch(seconds, heard)
    await one.look()
    seconds.at += SETTLING
    waits.found = {ONE: LONGEST + timedelta(milliseconds=1), OTHER: LONGEST}
    await one.look()
    assert (one.is_behind(ONE), one.is_behind(OTHER), one.is_any_behind()) == (True, False, True)
    waits.found = {}
    await one.look()
    assert (one.is_behind(ONE), one.is_any_behind()) == (False, False)
    assert heard == [[ONE]]


async def test_p4_what_waited_before_a_server_starts_is_cried_within_a_minute_unless_it_is_sealed(waits: Waits) -> None:
    """Nothing is told meanwhile; but the first server after an enrolment cried one second before it sealed."""
    sealed: list[Collection[UUID]] = []
    never: list[Collection[UUID]] = []
    for heard in (sealed, never):
        seconds = Seconds()
        begun = seconds.at
        one = watch(seconds, heard)
        waits.found = {ONE: LONGEST * 100}
        await one.look()
        assert one.is_behind(ONE)
        while seconds.at - begun < 60 - EVERY:
            seconds.at += EVERY
            waits.found = {} if heard is sealed else waits.found
            await one.look()
    assert sealed == []
    assert set(map(tuple, never)) == {(ONE,)}


async def test_p4_what_was_seen_holds_for_its_time_and_then_everything_is_behind(waits: Waits) -> None:
    seconds = Seconds()
    one = watch(seconds, [])
    await one.look()
    waits.found = None
    seconds.at += FRESH_FOR
    with pytest.raises(DatabaseDown):
        await one.look()
    assert not one.is_behind(ONE)
    seconds.at += 0.001
    assert one.is_behind(ONE)
    assert one.is_any_behind()
    waits.found = {}
    await one.look()
    assert not one.is_behind(ONE)


def test_an_alarm_is_cried_once_a_minute_for_each_log() -> None:
    registry, seconds = CollectorRegistry(), Seconds()
    alarm = LedgerAlarm(Alerts(Metrics(registry)), seconds)

    def cried(kind: str) -> float:
        return registry.get_sample_value("callcenter_alerts_total", {"kind": kind}) or 0

    for _ in range(3):
        alarm.logs_behind([ONE])
        alarm.log_broken(ONE, "a reason")
        alarm.key_unusable("a reason")
    assert (cried("ledger_behind"), cried("ledger_broken"), cried("sealer_key_unusable")) == (1, 1, 1)
    alarm.logs_behind([ONE, OTHER])
    assert cried("ledger_behind") == 2
    seconds.at += QUIET_FOR
    alarm.logs_behind([ONE])
    alarm.log_broken(ONE, "a reason")
    assert (cried("ledger_behind"), cried("ledger_broken")) == (3, 2)
