"""Hashing passwords: Argon2id, with the second recommended parameters of RFC 9106, and a bound on what it may cost.

One hash takes 64 MiB. Whoever sends many logins at once must not be able to take the machine's memory: few are hashed
at a time, few wait for that, and anybody beyond is told at once to come back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from callcenter.kernel.errors import Unavailable
from callcenter.kernel.randomness import Random
from callcenter.staff.password_rules import normalised

T = TypeVar("T")

#: RFC 9106 §4, second recommended option: 3 passes over 64 MiB by 4 lanes. The first one takes 2 GiB a login.
RECOMMENDED = RFC_9106_LOW_MEMORY


class TooBusy(Unavailable):
    """More people sign in at this moment than passwords can be compared for; try again in a few seconds."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of comparing.

    Arguments:
        right: it is the password.
        outdated: it was hashed with other parameters than today's: hash it anew.
    """

    right: bool
    outdated: bool = False


class Passwords:
    """Hashes and compares in threads of its own. One for a whole process: the bound is its own.

    Arguments:
        random: where salts come from.
        parameters: of Argon2id.
        at_once: how many are hashed at a time, each taking the parameters' memory.
        waiting: how many more may wait for that.
    """

    def __init__(
        self, random: Random, parameters: Parameters = RECOMMENDED, *, at_once: int = 2, waiting: int = 20
    ) -> None:
        self._random = random
        self._hasher = PasswordHasher.from_parameters(parameters)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="passwords")
        self._room = at_once + waiting
        self._held = 0
        self._lock = Lock()

    def close(self) -> None:
        """End the threads, once what they hash is done."""
        self._threads.shutdown(cancel_futures=True)

    async def hash(self, password: str) -> str:
        """The hash of a password, to be kept.

        Raises:
            TooBusy: too many wait already.
        """
        salt = self._random.token_bytes(self._hasher.salt_len)
        return await self._run(lambda: self._hasher.hash(normalised(password) or "", salt=salt))

    async def verify(self, kept: str | None, password: str) -> Verdict:
        """Whether ``password`` is the one that was kept. It costs the same where none is kept.

        Raises:
            TooBusy: too many wait already.
        """
        plain = normalised(password)
        if kept is None or plain is None:
            await self.hash(plain or "")
            return Verdict(right=False)
        return await self._run(lambda: self._compare(kept, plain))

    def _compare(self, kept: str, password: str) -> Verdict:
        try:
            self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return Verdict(right=False)
        return Verdict(right=True, outdated=self._hasher.check_needs_rehash(kept))

    async def _run(self, work: Callable[[], T]) -> T:
        """Do this in a thread.

        Whoever goes away while it is done does not make room: the memory is taken until it ends.
        """
        self._take_place()
        try:
            done = self._threads.submit(work)
        except BaseException:
            self._give_place()
            raise
        done.add_done_callback(self._given)
        return await asyncio.wrap_future(done)

    def _take_place(self) -> None:
        with self._lock:
            if self._held >= self._room:
                raise TooBusy
            self._held += 1

    def _given(self, _done: Future[T]) -> None:
        self._give_place()

    def _give_place(self) -> None:
        with self._lock:
            self._held -= 1
