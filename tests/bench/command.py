"""What both benches are as commands: their bounds, their ends, and what they say."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.logs import configure_logs
from callcenter.settings import ENV_PREFIX
from tests.bench.ground import NotDurable
from tests.bench.servers import DidNotStart
from tests.bench.walk import WentWrong

RESULTS = Path("bench-results")
CANNOT_RUN = 2


class Failed(Exception):
    """A call failed: what was measured says nothing."""


def run(bench: Callable[[], Coroutine[Any, Any, None]], longest: float) -> int:
    """Run a bench by itself: 0 measured, 1 calls failed, 2 could not run.

    Arguments:
        longest: seconds after which it is stopped.
    """
    for name in [name for name in os.environ if name.startswith(ENV_PREFIX) or name == "DATABASE_URL"]:
        del os.environ[name]  # the bench measures a configuration of its own
    configure_logs("console", "warning")
    try:
        asyncio.run(_bounded(bench, longest))
    except Failed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except (CallcenterError, NotDurable, DidNotStart, WentWrong, OSError, TimeoutError) as error:
        print(f"bench could not run: {error or type(error).__doc__}", file=sys.stderr)
        return CANNOT_RUN
    except KeyboardInterrupt:
        return 130
    return 0


async def _bounded(bench: Callable[[], Coroutine[Any, Any, None]], longest: float) -> None:
    async with asyncio.timeout(longest):
        await bench()


def within(least: int, most: int) -> Callable[[str], int]:
    """A whole number from ``least`` to ``most``, as an argument."""

    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r}: write a whole number from {least} to {most}")
        return int(text)

    return number


def duration(text: str) -> float:
    """How long to measure, as an argument."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.2 <= number <= 60.0:
        raise argparse.ArgumentTypeError(f"{text!r}: write seconds from 0.2 to 60")
    return number


def say(*lines: str) -> None:
    """Tell whoever waits."""
    for line in lines:
        print(line, flush=True)
