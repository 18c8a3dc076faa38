"""What many tries, or two requests at the same moment, do to an account of staff and to those of its colleagues."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2.profiles import CHEAPEST

from callcenter.kernel.clock import DrivenClock
from callcenter.staff import login, sessions
from callcenter.staff.limits import Bound, LoginLimits
from callcenter.staff.proofs import Proofs
from callcenter.staff.room import StaffLimits
from callcenter.staff.throttle import Counted, Tallies
from callcenter.staff.values import Refused, SignedIn
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained
from tests.attack.ground import Ground, ground_on
from tests.conftest import TEMPLATE, Cluster
from tests.locks import over_or_waiting
from tests.staff import ADDRESS, BY, PASSWORD, Desk

ELSEWHERE, A_NETWORK = "203.0.113.66", "2001:db8:0:1::"
A_QUARTER = timedelta(minutes=15)
#: As in an installation, with less to do.
BOUNDS = LoginLimits(login=Bound(3, A_QUARTER), address=Bound(6, A_QUARTER), all=Bound(12, A_QUARTER))

_numbers = itertools.count(1)


@pytest.fixture
async def ground(cluster: Cluster, keys_file: Path, sabotage: Sabotage) -> AsyncIterator[Ground]:
    """A database of one's own: tries of all tests are counted together in another."""
    name = f"attacked_crowd_{next(_numbers)}"
    async with ground_on(cluster, TEMPLATE, name, keys_file, sabotage.statements) as ground:
        yield ground
    await cluster.drop(name)


@pytest.fixture
async def desk(ground: Ground, clock: DrivenClock) -> AsyncIterator[Desk]:
    desk = await Desk.on(ground.app, ground.sealer, clock, limits=StaffLimits(login=BOUNDS, parameters=CHEAPEST))
    yield desk
    desk.room.close()


# --- shutting others out


def _everything_is_counted(sabotage: Sabotage) -> None:
    """Each try counts towards every bound, whichever has refused it."""
    count = Tallies.count

    async def each(self: Tallies, tries: tuple[Counted, ...]) -> int | None:
        waits = [await count(self, [one]) for one in tries]
        return max((wait for wait in waits if wait is not None), default=None)

    sabotage.replace(Tallies, "count", each)


APART = Defence("what is refused counts towards no other bound", "staff can sign in", _everything_is_counted)


@pytest.mark.parametrize("whom", ["one colleague", "everybody"])
@attack(stopped_by=APART)
async def test_one_machine_shuts_staff_out(desk: Desk, whom: str) -> Outcome:
    """It has used up its own tries, and goes on."""
    person = await desk.person()
    for number in range(BOUNDS.address.tries):
        await desk.room.logins.begin(f"nobody{number}", "x", ELSEWHERE)
    for number in range(BOUNDS.all.tries):
        tried = person.account.login if whom == "one colleague" else f"nobody{number}"
        assert isinstance(await desk.room.logins.begin(tried, "x", ELSEWHERE), Refused)
    return gained(await desk.room.logins.begin(person.account.login, PASSWORD, ADDRESS) == Refused(900))


def _no_place_is_familiar(sabotage: Sabotage) -> None:
    async def never(*_: object) -> None:
        return None

    sabotage.replace(Tallies, "when", never)


FAMILIAR = Defence("tries from a familiar place are counted apart", "staff can sign in", _no_place_is_familiar)


@pytest.mark.parametrize("how", ["by their login", "by any logins"])
@attack(stopped_by=FAMILIAR)
async def test_many_machines_shut_somebody_out_of_their_office(desk: Desk, how: str) -> Outcome:
    """As often as tries are forgotten again."""
    person = await desk.person()
    await desk.begun(person)  # a while ago, from the office
    desk.clock.advance(timedelta(days=3).total_seconds())
    for number in range(BOUNDS.all.tries + 1):
        tried = person.account.login if how == "by their login" else f"nobody{number}"
        await desk.room.logins.begin(tried, "x", f"203.0.113.{number}")
    return gained(isinstance(await desk.room.logins.begin(person.account.login, PASSWORD, ADDRESS), Refused))


def _an_address_is_a_place(sabotage: Sabotage) -> None:
    sabotage.replace(login, "origin_of", lambda address: address)


NETWORKS = Defence("an IPv6 network counts as one address", "AU-01: guessing is bounded", _an_address_is_a_place)


@attack(stopped_by=NETWORKS)
async def test_one_machine_tries_from_each_address_of_its_network(desk: Desk) -> Outcome:
    begun = [
        await desk.room.logins.begin(f"nobody{number}", "x", f"{A_NETWORK}{number:x}")
        for number in range(BOUNDS.address.tries + 1)
    ]
    return gained(begun[-1] == Refused())


# --- at the moment in which one is put out


def _sessions_are_ended_beside_one_that_rises(sabotage: Sabotage) -> None:
    async def beside(*_: object, **__: object) -> None: ...

    sabotage.replace(sessions, "hold_account", beside)


HELD = Defence(
    "whoever ends all sessions waits for one that rises",
    "AU-06: revocation is immediate",
    _sessions_are_ended_beside_one_that_rises,
)


@attack(stopped_by=HELD)
async def test_a_session_rises_while_its_owner_ends_them_all(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """Whoever knows the password, and has found a printed code, gives it at that moment."""
    person, compare, ending = await desk.person(), Proofs.recovery, asyncio.Event()

    async def end_all() -> None:
        await desk.room.sessions.revoke_all(person.account.id, by=BY)
        ending.set()

    async def meanwhile(self: Proofs, *how: Any) -> bool:
        right = await compare(self, *how)
        tasks.append(asyncio.create_task(end_all()))
        await over_or_waiting(tasks[-1], desk.database)
        return right

    tasks: list[asyncio.Task[None]] = []
    monkeypatch.setattr(Proofs, "recovery", meanwhile)
    signed = await desk.room.logins.recovery(await desk.begun(person), person.codes[0])
    await asyncio.gather(*tasks)
    assert ending.is_set()
    return gained(isinstance(signed, SignedIn) and await desk.room.sessions.of(signed.token))
