"""The ledger in the private metrics: of the whole house, since practices would be labels, asked for when it is read."""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Gauge

from callcenter.audit.anchors import unheld_since
from callcenter.audit.erasing import unfinished
from callcenter.audit.watching import sealed_at, waiting
from callcenter.store.database import Database


@dataclass(slots=True)
class LedgerGauges:
    """Four figures.

    Arguments:
        registry: where they are registered, once.
    """

    database: Database
    registry: CollectorRegistry
    unsealed: Gauge = field(init=False)
    sealed: Gauge = field(init=False)
    unheld: Gauge = field(init=False)
    unerased: Gauge = field(init=False)

    def __post_init__(self) -> None:
        self.unsealed = Gauge(
            "callcenter_ledger_unsealed_seconds",
            "How long the record has waited for its seal that has waited longest; 0 where none waits",
            registry=self.registry,
        )
        self.sealed = Gauge(
            "callcenter_ledger_sealed_timestamp_seconds",
            "When the head of a log was signed last, in seconds since 1970; 0 where none was",
            registry=self.registry,
        )

        self.unheld = Gauge(
            "callcenter_ledger_unheld_timestamp_seconds",
            "When the oldest head was signed that nobody else holds, nor a later one, in seconds since 1970, or 0",
            registry=self.registry,
        )

        self.unerased = Gauge(
            "callcenter_ledger_unerased_records",
            "Records of which the sealer has signed that they are erased, and that stand: those of held calls, or the "
            "job that erases by night is behind",
            registry=self.registry,
        )

    async def read(self) -> None:
        """Ask the database.

        Raises:
            DatabaseDown: the figures are those of the last reading.
        """
        waits = await waiting(self.database)
        at = await sealed_at(self.database)
        self.unsealed.set(max((abs(one.total_seconds()) for one in waits.values()), default=0))
        self.sealed.set(0 if at is None else at.timestamp())
        since = await unheld_since(self.database)
        self.unheld.set(0 if since is None else since.timestamp())
        self.unerased.set(await unfinished(self.database))
