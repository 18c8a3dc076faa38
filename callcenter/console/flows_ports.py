"""What the pages of flows need of the house: those that calls begin in now, how each is proven, and its picture.

As in ``console.ports``, every method finds out anew whose the session is. Nothing here is about anybody: a flow is
what callers meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from callcenter.kernel.errors import NotFound
from callcenter.kernel.levels import Channel


class NoSuchScenario(NotFound):
    """No such flow runs here, or the flows are not for whoever asks: nobody is told which."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A flow that runs.

    Arguments:
        digest: SHA-256 of its words, in hexadecimal; its address.
        channel: by which it speaks.
        incoming: callers ring us, or we ring them.
        policy: version of the policy against which it is proven.
        steps: how many it has.
        guarded: how many of them need something to be known of the caller.
    """

    digest: str
    name: str
    channel: Channel
    incoming: bool
    policy: str
    steps: int
    guarded: int


@dataclass(frozen=True, slots=True)
class GuardedStep:
    """A step that needs something to be known of the caller.

    Arguments:
        does: what it says or does, in French, as its author wrote it.
        tells: code and French name of each category that it tells, of a patient.
        needs: facts that must hold on arrival, as the proof names them.
        holds: facts that are guaranteed on arrival.
    """

    name: str
    does: str
    tells: tuple[tuple[str, str], ...]
    needs: tuple[str, ...]
    holds: tuple[str, ...]


class Scenarios(Protocol):
    """The flows that run now.

    Raises, all of them:
        Forbidden: the session is over.
        NoSuchScenario: there is none, or its owner is neither supervisor nor administrator of anything.
    """

    async def running(self, token: str) -> Sequence[Scenario]:
        """All of them, by name."""

    async def one(self, token: str, digest: str) -> tuple[Scenario, Sequence[GuardedStep]]:
        """One, with its guarded steps in its own order."""

    async def picture(self, token: str, digest: str) -> str:
        """One as SVG."""
