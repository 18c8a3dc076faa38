"""Somebody on duty who has a screen beside the telephone: what a transcript sees there, and answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Protocol

from callcenter.emulator.nodes import plain

#: Seconds between two looks at a screen that something is awaited on.
BETWEEN_LOOKS = 0.05


class Desks(Protocol):
    """The screens of the application's staff, as whoever runs a transcript can reach them."""

    async def words(self, login: str) -> str | None:
        """What stands on the screen of ``login``; ``None`` while they have none."""

    async def answer(self, login: str, choice: str | None, values: Mapping[str, str]) -> str | None:
        """Answer the screen of ``login``; what stands in the way, or ``None`` where it is answered.

        Arguments:
            choice: the key of an option, or its name; ``None`` sends the form.
            values: what is typed, by the fields' names; what stands in the others stays.
        """

    async def emergency(self, login: str) -> str | None:
        """Press the red button beside the screen of ``login``; what stands in the way, or ``None``."""


async def seen(
    desks: Desks, login: str, pattern: re.Pattern[str] | None, seconds: float, *, absent: bool
) -> str | None:
    """Wait until something matching ``pattern`` stands on a screen, or nothing does; what stands there instead, or
    ``None`` where it came.

    Arguments:
        pattern: ``None`` awaits any screen.
        seconds: for which it is awaited.
        absent: nothing is to match; then it is looked at once.
    """
    until = asyncio.get_running_loop().time() + seconds
    while True:
        words = await desks.words(login)
        found = words is not None and (pattern is None or pattern.search(plain(words)) is not None)
        if found != absent:
            return None
        if absent or asyncio.get_running_loop().time() >= until:
            return "aucun écran" if words is None else f"« {plain(words)} »"
        await asyncio.sleep(BETWEEN_LOOKS)
