"""A workplace that was left: at which calls may ring for a while, and which opens nothing for good."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from callcenter.app.workplaces import StaffWorkplaces
from callcenter.console.workplace_ports import Doing
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import Forbidden
from callcenter.routing.presence import move
from callcenter.routing.reservations import Reservations
from callcenter.routing.values import PresenceState
from callcenter.staff import sessions
from callcenter.staff.sessions import SessionLimits
from callcenter.telephony.access_tokens import Passes
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained
from tests.attack.ground import Ground, ground_on
from tests.conftest import TEMPLATE, Cluster
from tests.staff import Desk, Person

PASSES = Passes("AC" + "1" * 32, "SK" + "2" * 32, "a secret of the tests, long enough", "AP" + "3" * 32)
LIMITS = SessionLimits()
#: Seconds between two looks of a page.
LOOKS = 60


@dataclass(slots=True)
class Shift:
    """Somebody who is on duty at a page.

    Arguments:
        token: of the session of that page.
    """

    desk: Desk
    places: StaffWorkplaces
    person: Person
    token: str

    async def goes_on(self, lasting: timedelta, token: str | None = None) -> bool:
        """Whether the page still shows something after it has looked for so long, and nobody has touched it."""
        for _ in range(lasting // timedelta(seconds=LOOKS) + 1):
            self.desk.clock.advance(LOOKS)
            try:
                await self.places.look(token or self.token)
            except Forbidden:
                return False
        return True

    async def does(self, state: PresenceState) -> None:
        async with self.desk.database.house() as connection:
            assert await move(connection, self.person.account.id, state, self.desk.clock.now())


@pytest.fixture(scope="module")
async def ground(cluster: Cluster, keys_file: Path) -> AsyncIterator[Ground]:
    async with ground_on(cluster, TEMPLATE, "attacked_shift", keys_file) as ground:
        yield ground
    await cluster.drop("attacked_shift")


@pytest.fixture
async def shift(ground: Ground, clock: DrivenClock) -> AsyncIterator[Shift]:
    desk = await Desk.on(ground.app, ground.sealer, clock)
    person = await desk.person()
    token = await desk.signed_in(person)
    nothing = SimpleNamespace()
    places = StaffWorkplaces(desk.room, ground.app, ground.sealer, clock, Reservations(), nothing, nothing, PASSES)  # type: ignore[arg-type]
    shift = Shift(desk, places, person, token)
    await shift.does(PresenceState.AVAILABLE)
    yield shift
    desk.room.close()


# --- a chair that is empty


def _for_ever(sabotage: Sabotage) -> None:
    long_before = "s.seen_at > cast(:left_since AS timestamptz) - interval '1 day'"
    sabotage.rewrite(sessions, "_LIVE", "s.seen_at > :left_since", long_before)


A_HAND_NOW_AND_THEN = Defence(
    "on duty is three times as long as idle", "SM-09, AU-06: a screen that was left opens nothing", _for_ever
)


@attack(stopped_by=A_HAND_NOW_AND_THEN)
async def test_somebody_walks_away_while_available(shift: Shift) -> Outcome:
    """No call comes that would ring in vain and pause them; whoever passes by hours later finds the page open."""
    return gained(await shift.goes_on(LIMITS.on_duty))


def _a_pause_is_duty(sabotage: Sabotage) -> None:
    sabotage.replace(Doing, "on_duty", property(lambda _: True))


A_PAUSE_IS_IDLE = Defence("a pause is idle", "AU-06: sessions end", _a_pause_is_duty)


@pytest.mark.parametrize("state", [PresenceState.BREAK, PresenceState.LUNCH, PresenceState.ADMIN])
@attack(stopped_by=A_PAUSE_IS_IDLE)
async def test_a_page_is_left_in_a_pause(shift: Shift, state: PresenceState) -> Outcome:
    """By its owner, who has gone for a coffee; or by the queue, which has let calls ring there in vain."""
    await shift.does(state)
    return gained(await shift.goes_on(LIMITS.idle))


def _once_on_duty_always(sabotage: Sabotage) -> None:
    sabotage.rewrite(sessions, "_LIVE", "s.on_duty_at > :off_duty_since", "s.on_duty_at <> :off_duty_since")


STILL_ON_DUTY = Defence("the page has shown it just now", "AU-06: sessions end", _once_on_duty_always)


@attack(stopped_by=STILL_ON_DUTY)
async def test_a_page_that_was_on_duty_is_closed_and_its_token_is_found(shift: Shift) -> Outcome:
    """Half an hour later, on a disk or in a backup of the browser."""
    await shift.goes_on(timedelta(minutes=2))
    shift.desk.clock.advance(timedelta(minutes=30).total_seconds())
    return gained(await shift.desk.room.sessions.of(shift.token))


def _every_page_is_a_workplace(sabotage: Sabotage) -> None:
    sabotage.rewrite(
        sessions, "_ON_DUTY", "AND NOT EXISTS (", "AND NOT EXISTS (SELECT WHERE false) OR false AND EXISTS ("
    )


WHERE_THE_HAND_WAS = Defence(
    "on duty at one page", "AU-06: a place that was left opens nothing", _every_page_is_a_workplace
)


@attack(stopped_by=WHERE_THE_HAND_WAS)
async def test_somebody_changes_places_and_leaves_a_page_behind(shift: Shift) -> Outcome:
    """On duty at the other one, they keep the one that they have left open as well."""
    token = await shift.desk.signed_in(shift.person)
    assert await shift.desk.room.sessions.of(token)
    return gained(await shift.goes_on(LIMITS.idle))
