"""Hashing: the parameters, the room that there is, and what is the same for everybody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from threading import Event

import pytest
from argon2.profiles import CHEAPEST

from callcenter.kernel.randomness import SystemRandom
from callcenter.staff.passwords import RECOMMENDED, Passwords, TooBusy, Verdict
from callcenter.staff.room import StaffLimits

PASSWORD = "Le merle du jardin 7"


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    passwords = Passwords(SystemRandom(), CHEAPEST, at_once=1, waiting=2)
    yield passwords
    passwords.close()


def test_the_parameters_are_the_second_recommended_ones_of_rfc_9106() -> None:
    """§4: t=3, p=4, m=2^16 (64 MiB), a salt of 128 bits, a tag of 256."""
    told = RECOMMENDED
    assert (told.time_cost, told.parallelism, told.memory_cost, told.salt_len, told.hash_len) == (3, 4, 65_536, 16, 32)


def test_an_installation_hashes_by_them(rooms_as_installed: StaffLimits) -> None:
    assert rooms_as_installed.parameters == RECOMMENDED


async def test_a_password_is_kept_as_a_salted_hash_by_the_recommended_parameters() -> None:
    passwords = Passwords(SystemRandom())
    first, second = await passwords.hash(PASSWORD), await passwords.hash(PASSWORD)
    passwords.close()
    assert first != second
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PASSWORD not in first


async def test_what_is_right_is_right_however_it_was_composed(passwords: Passwords) -> None:
    kept = await passwords.hash("Eté à la mer bleue")
    assert await passwords.verify(kept, "Ete\u0301 a\u0300 la mer bleue") == Verdict(right=True)
    assert await passwords.verify(kept, "ete a la mer bleue") == Verdict(right=False)
    assert await passwords.verify(kept, "x" * 10_000) == Verdict(right=False)
    assert await passwords.verify(None, "Eté à la mer bleue") == Verdict(right=False)
    assert await passwords.verify("$argon2id$damaged", "Eté à la mer bleue") == Verdict(right=False)


async def test_a_hash_of_other_parameters_is_right_and_outdated(passwords: Passwords) -> None:
    other = Passwords(SystemRandom())
    assert await other.verify(await passwords.hash(PASSWORD), PASSWORD) == Verdict(right=True, outdated=True)
    other.close()


async def test_room_is_made_only_when_a_hash_is_done_not_when_somebody_goes_away(passwords: Passwords) -> None:
    done, started = Event(), Event()

    def work() -> None:
        started.set()
        done.wait(10)

    working = asyncio.create_task(passwords._run(work))
    await asyncio.to_thread(started.wait, 10)
    waiting = [asyncio.create_task(passwords.hash(PASSWORD)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(TooBusy):
        await passwords.hash(PASSWORD)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    with pytest.raises(TooBusy):  # the memory is still taken
        await passwords.hash(PASSWORD)
    waiting[0].cancel()  # nothing is taken for one that only waits
    await asyncio.gather(waiting[0], return_exceptions=True)
    again = asyncio.create_task(passwords.hash(PASSWORD))
    await asyncio.sleep(0)
    done.set()
    assert (await waiting[1]).startswith("$argon2id$")
    assert (await again).startswith("$argon2id$")
    await asyncio.gather(*(passwords.hash(PASSWORD) for _ in range(3)))  # all room is there again
