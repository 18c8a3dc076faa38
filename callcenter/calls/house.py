"""What every step of every call is done with."""

from __future__ import annotations

from dataclasses import dataclass, field

from callcenter.audit.watching import LedgerWatch
from callcenter.calls.places import Places
from callcenter.calls.shelf import Shelf
from callcenter.calls.switchboard import OpenLines
from callcenter.identity.challenges import Limits
from callcenter.identity.references import ReferenceLimits
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random
from callcenter.routing.queue import Queue
from callcenter.routing.reservations import Reservations
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer


@dataclass(frozen=True, slots=True)
class House:
    """What every step is done with.

    Arguments:
        database: for the step's transaction.
        attempts: connections of their own, for counting codes.
        flows: that calls begin in, and those that they are in.
        lines: knows which calls were sent to other lines.
        ledger: knows whether what is told is sealed in time.
        queue, reservations: where callers wait for operators.
    """

    database: Database
    attempts: Database
    sealer: Sealer
    clock: Clock
    random: Random
    flows: Shelf
    limits: Limits
    places: Places
    lines: OpenLines
    ledger: LedgerWatch
    reference_limits: ReferenceLimits = field(default_factory=ReferenceLimits)
    queue: Queue = field(default_factory=Queue)
    reservations: Reservations = field(default_factory=Reservations)
