"""How a server is ended: asked, urged, then killed."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from callcenter.store.embedded.places import EmbeddedPlaces
from callcenter.store.embedded.postmaster import UNREADABLE, Occupant, disown_number, number_in, occupant
from callcenter.store.embedded.problems import DataInUse, ServerFailed

POLL_SECONDS = 0.02

_log = structlog.get_logger(__name__)


async def end_orphan(places: EmbeddedPlaces, patience: float) -> None:
    """End the server of a callcenter that was killed; we hold the lock, so nobody else looks after it.

    Arguments:
        patience: as for ``end``.

    Raises:
        DataInUse: it is not ours, but one that somebody started by hand.
        ServerFailed: it does not end.
    """
    try:
        pid = number_in(places.data)
        if pid == UNREADABLE:
            await asyncio.sleep(1.0)  # longer than a server started by hand takes to write its number
            pid = number_in(places.data)
    except FileNotFoundError:
        return
    match occupant(pid, places):
        case Occupant.GONE:
            return  # PostgreSQL itself clears up, and checks that no process of the dead server lives
        case Occupant.STRANGER:
            disown_number(places)
        case Occupant.BY_HAND:
            raise DataInUse(f"Process {pid} is a PostgreSQL started by hand on {places.data}: stop it first.")
        case Occupant.OURS:
            _log.warning("embedded_postgres.ending_orphan", pid=pid)
            await end(
                places,
                lambda number: os.kill(pid, number),
                lambda: occupant(pid, places) is not Occupant.OURS,
                patience,
            )


async def end(places: EmbeddedPlaces, send: Callable[[int], None], ended: Callable[[], bool], patience: float) -> None:
    """End a server: fast (transactions are rolled back), then immediate, then killed.

    Arguments:
        send: sends it a signal, by its number.
        patience: seconds given to the fast shutdown before the immediate one, then to that (5 at most) before a kill.

    Raises:
        ServerFailed: it did not even end when it was killed.
    """
    bounds = ((signal.SIGINT, patience), (signal.SIGQUIT, min(patience, 5.0)), (signal.SIGKILL, 5.0))
    for number, seconds in bounds:
        with suppress(ProcessLookupError):
            send(number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if ended():
                return
            await asyncio.sleep(POLL_SECONDS)
        _log.warning("embedded_postgres.slow_to_end", signal=number.name)
    raise ServerFailed(f"The PostgreSQL on {places.data} does not end, even killed: restart the machine.")
