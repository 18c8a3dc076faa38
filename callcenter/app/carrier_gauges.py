"""The comparison with the carrier's list in the private metrics: asked for when they are read."""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Gauge

from callcenter.calls.carrier_findings import days_not_compared, open_counts
from callcenter.kernel.clock import Clock
from callcenter.store.database import Database


@dataclass(slots=True)
class CarrierGauges:
    """What nobody has settled, and what was not compared.

    Arguments:
        registry: where they are registered, once.
    """

    database: Database
    clock: Clock
    registry: CollectorRegistry
    findings: Gauge = field(init=False)
    days: Gauge = field(init=False)

    def __post_init__(self) -> None:
        self.findings = Gauge(
            "callcenter_carrier_findings_open",
            "Calls about which the carrier and we do not agree, and that nobody has settled",
            ("kind",),
            registry=self.registry,
        )
        self.days = Gauge(
            "callcenter_carrier_days_not_compared",
            "Days of the last month whose calls were not compared with the carrier's list",
            registry=self.registry,
        )

    async def read(self) -> None:
        """Ask the database.

        Raises:
            DatabaseDown: the figures are those of the last reading.
        """
        async with self.database.house() as connection:
            counts = await open_counts(connection)
            days = await days_not_compared(connection, self.clock.now())
        self.days.set(len(days))
        for kind, count in counts.items():
            self.findings.labels(kind.value).set(count)
