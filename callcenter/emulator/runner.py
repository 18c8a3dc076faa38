"""Running a transcript against an emulator: make the call, follow the steps, compare."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from callcenter.emulator.client import ControlClient
from callcenter.emulator.desks import Desks
from callcenter.emulator.errors import EmulatorError
from callcenter.emulator.follower import PATIENT, Follower, Narrator, Patience, silently
from callcenter.emulator.ledger_rows import compare
from callcenter.emulator.outcomes import CouldNotRun, Outcome, Passed
from callcenter.emulator.passing import Upkeep
from callcenter.emulator.steps import Transcript

__all__ = ["Follower", "LedgerReader", "Narrator", "Patience", "Upkeep", "run"]

LedgerReader = Callable[[str], Awaitable[list[dict[str, Any]]]]


class SettableClock(Protocol):
    """The clock that the application and the emulator share."""

    def set(self, at: datetime) -> None: ...


async def run(
    transcript: Transcript,
    *,
    base_url: str,
    ledger: LedgerReader | None = None,
    clock: SettableClock | None = None,
    upkeep: Upkeep | None = None,
    desks: Desks | None = None,
    patience: Patience = PATIENT,
    narrate: Narrator = silently,
) -> Outcome:
    """Make the call that a transcript describes.

    Arguments:
        transcript: from :func:`~callcenter.emulator.transcript.load_transcript`.
        base_url: a running emulator.
        ledger: given a call's sid, the records that it left, in order.
        clock: set to the transcript's ``at``, if both are there.
        upkeep: lets the application look at a clock that is driven, wherever a transcript lets time pass.
        desks: the screens of those on duty, where a transcript has them answered.
        patience: how long to wait for what should happen beside the call.
        narrate: gets a line for whatever is heard, pressed or received, as it happens.
    """
    if transcript.ledger is not None and ledger is None:
        return CouldNotRun("le scénario vérifie le registre, mais rien ici ne permet de le lire.")
    if clock is not None and transcript.at is not None:
        clock.set(transcript.at)
    try:
        async with ControlClient(base_url) as client:
            return await _run(client, transcript, ledger, upkeep, desks, patience, narrate)
    except EmulatorError as error:
        return CouldNotRun(str(error))


async def _run(
    client: ControlClient,
    transcript: Transcript,
    ledger: LedgerReader | None,
    upkeep: Upkeep | None,
    desks: Desks | None,
    patience: Patience,
    narrate: Narrator,
) -> Outcome:
    follower = await Follower.calling(client, transcript, patience, narrate, upkeep, desks)
    try:
        difference = await follower.follow(transcript.steps)
    finally:
        state = await follower.hang_up()
    if difference is not None:
        return difference
    if state.activity != "ended" or state.callbacks_pending:
        return CouldNotRun("l'appel ne s'est pas terminé, ou l'application n'a pas pris note de sa fin.")
    if transcript.ledger is None or ledger is None:
        return Passed()
    return await _ledger(transcript, ledger, follower.calls, patience.ledger)


async def _ledger(transcript: Transcript, ledger: LedgerReader, calls: Sequence[str], seconds: float) -> Outcome:
    """Compare the records, for some seconds: what the end of a call leaves may be written a little later."""
    until = asyncio.get_running_loop().time() + seconds
    while True:
        difference = compare(transcript, [record for sid in calls for record in await ledger(sid)])
        if difference is None:
            return Passed()
        if asyncio.get_running_loop().time() >= until:
            return difference
        await asyncio.sleep(0.1)
