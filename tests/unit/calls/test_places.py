"""Practices are read from the database once for all the calls that hear the same of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from callcenter.calls import places as kept_places
from callcenter.calls.places import Places
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import demo_id
from callcenter.practice.directory import Directory
from callcenter.practice.practice_file import read_practice_file
from callcenter.practice.practice_form import Setting, as_written
from callcenter.practice.setting_versions import Snapshot

PRACTICE, ORGANISATION = UUID(int=1), UUID(int=2)
TILLEULS_FILE = Path(FOLDER) / "practices" / "cabinet-des-tilleuls.yaml"
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CONNECTION: Any = None  # the directory below needs none


class CountedDirectory:
    """The settings of any practice as of any revision: another message of the day from each of ``bounds`` on."""

    def __init__(self, bounds: Sequence[datetime]) -> None:
        self.loads = 0
        self._bounds = sorted(bounds)
        self._written = as_written(read_practice_file(TILLEULS_FILE, ORGANISATION, demo_id).facts)

    async def snapshot(self, _: object, practice: UUID, at: datetime, revision: int | None = None) -> Snapshot:
        self.loads += 1
        message = str(sum(bound <= at for bound in self._bounds))
        written = {setting.value: value for setting, value in self._written.items()}
        until = next((bound for bound in self._bounds if bound > at), None)
        said = {**written, Setting.MESSAGE_OF_THE_DAY.value: message}
        return Snapshot(practice, ORGANISATION, "tilleuls", revision or 1, said, until)


def directory_of(monkeypatch: pytest.MonkeyPatch, *bounds: datetime) -> CountedDirectory:
    directory = CountedDirectory(bounds)
    monkeypatch.setattr(Directory, "snapshot", directory.snapshot)
    return directory


async def message(places: Places, at: datetime, revision: int = 1, practice: UUID = PRACTICE) -> str:
    return (await places.facts(CONNECTION, practice, revision, at)).message_of_the_day


async def test_one_load_serves_every_call_until_something_changes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    directory, places = directory_of(monkeypatch, NOON), Places()
    for minutes in (30, 20, 10, 1):
        assert await message(places, NOON - minutes * MINUTE) == "0"
    assert directory.loads == 1
    assert await message(places, NOON) == "1"
    assert await message(places, NOON + MINUTE, revision=2) == "1"
    assert directory.loads == 3


async def test_an_earlier_call_of_the_same_period_widens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    directory, places = directory_of(monkeypatch), Places()
    for _ in range(3):
        for at in (NOON + MINUTE, NOON):
            assert await message(places, at) == "0"
    assert directory.loads == 2


async def test_calls_on_either_side_of_a_boundary_do_not_drive_each_other_out(monkeypatch: pytest.MonkeyPatch) -> None:
    directory, places = directory_of(monkeypatch, NOON), Places()
    for _ in range(10):
        assert await message(places, NOON - MINUTE) == "0"
        assert await message(places, NOON + MINUTE) == "1"
    assert directory.loads == 2


async def test_of_the_periods_of_a_revision_two_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    directory, places = directory_of(monkeypatch, NOON, NOON + 10 * MINUTE), Places()
    before, between, after = NOON - MINUTE, NOON + MINUTE, NOON + 11 * MINUTE
    for at in (before, between, before, after):  # what was between is the least lately used
        await message(places, at)
    assert directory.loads == 3
    assert [await message(places, at) for at in (before, after)] == ["0", "2"]
    assert directory.loads == 3
    assert await message(places, between) == "1"
    assert directory.loads == 4


async def test_what_was_not_heard_of_for_long_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_places, "MOST_KEPT", 2)
    directory, places = directory_of(monkeypatch), Places()
    first, second, third = (UUID(int=number) for number in (11, 12, 13))
    for practice in (first, second, first, third):
        await message(places, NOON, practice=practice)
    assert directory.loads == 3
    await message(places, NOON, practice=first)
    assert directory.loads == 3
    await message(places, NOON, practice=second)
    assert directory.loads == 4
