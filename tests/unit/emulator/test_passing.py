"""How time passes for the telephones of a transcript: driven, with looks of the application, or really, on all."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest

from callcenter.emulator import passing as emulator_passing
from callcenter.emulator.client import CallState, ControlClient, Ringing
from callcenter.emulator.errors import EmulatorError, Refusal
from callcenter.emulator.passing import LONGEST_WAIT, MOST_LOOKS, Passing
from callcenter.emulator.timeline import Pace


@dataclass
class Telephones:
    """What the control interface says of some telephones, and what it is asked.

    Arguments:
        paces: of those that are on the line.
        just_ended: their calls end before they are told anything.
    """

    paces: dict[str, Pace]
    shared: bool = True
    rung: list[str] = field(default_factory=list)
    just_ended: frozenset[str] = frozenset()
    done: list[tuple[str, float]] = field(default_factory=list)
    met: list[str] = field(default_factory=list)

    async def state(self, sid: str) -> CallState:
        activity = "waiting" if sid in self.paces else "ended"
        return CallState(sid, "", activity, None, False, 0, None, 0, pace=self.paces.get(sid, "scripted"))

    settled = closed = state

    async def ringing(self, _number: None, _wait: float) -> list[Ringing]:
        return [Ringing(sid, None) for sid in self.rung]

    async def meet(self, _sid: str, other: str) -> None:
        self.met.append(other)

    async def advance(self, sid: str, seconds: float) -> None:
        if sid in self.just_ended:
            raise Refusal("the call is over", 409)
        self.done.append((sid, seconds))

    async def pass_time(self, seconds: float) -> bool:
        if self.shared:
            self.done.append(("clock", seconds))
        return self.shared


class Looks:
    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> None:
        self.times += 1


def passing(telephones: Telephones, looks: Looks | None = None, *, really: bool = False) -> Passing:
    return Passing(cast(ControlClient, telephones), "caller", looks, really=really)


@pytest.mark.parametrize(("seconds", "times"), [(1, 1), (12, 6), (3_600, MOST_LOOKS)])
async def test_the_application_looks_every_few_seconds_and_no_second_is_lost(seconds: float, times: int) -> None:
    telephones, looks = Telephones({"caller": "scripted"}), Looks()
    await passing(telephones, looks).on("caller", seconds)
    assert looks.times == times
    assert sum(passed for _, passed in telephones.done) == pytest.approx(seconds)


async def test_a_telephone_that_rings_meanwhile_shares_the_time_and_meets_once() -> None:
    telephones = Telephones({"caller": "scripted", "desk": "scripted"}, rung=["desk"])
    await passing(telephones, Looks()).on("caller", 10)
    assert telephones.met == ["desk"]


@pytest.mark.parametrize("ended", ["before", "meanwhile"])
async def test_once_a_caller_has_gone_time_passes_on_who_is_left(ended: str) -> None:
    telephones = Telephones({"desk": "scripted"} | ({"caller": "scripted"} if ended == "meanwhile" else {}))
    telephones.just_ended = frozenset({"caller"})
    time = passing(telephones)
    await time.joins("caller", "desk")
    await time.on("caller", 5)
    assert telephones.done == [("desk", 5)]
    telephones.paces.clear()
    await time.on("caller", 5)
    assert telephones.done[1:] == [("clock", 5)]


async def test_where_the_application_keeps_its_own_time_it_really_passes_on_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(emulator_passing, "asyncio", SimpleNamespace(sleep=sleep))
    telephones = Telephones({"caller": "scripted", "other": "scripted", "desk": "live"}, shared=False)
    time = passing(telephones, really=True)
    await time.joins("caller", "other")
    await time.joins("caller", "desk")
    await time.on("desk", 0.05)
    assert slept == [0.05]
    assert telephones.done == [("caller", 0.05), ("other", 0.05)]


@pytest.mark.parametrize("really", [True, False])
async def test_nobody_really_waits_for_longer_than_is_bearable(really: bool) -> None:
    telephones = Telephones({"caller": "live"}, shared=False)
    with pytest.raises(EmulatorError):
        await passing(telephones, really=really).on("caller", LONGEST_WAIT + 1)
