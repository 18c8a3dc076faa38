"""The queue in the private metrics: asked for when they are read, so that no figure is older than its reading."""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Gauge

from callcenter.calls.house import House
from callcenter.routing.figures import figures
from callcenter.routing.values import PresenceState


@dataclass(slots=True)
class QueueGauges:
    """Four figures of the whole house.

    Arguments:
        registry: where they are registered, once.
    """

    house: House
    registry: CollectorRegistry
    waiting: Gauge = field(init=False)
    longest: Gauge = field(init=False)
    operators: Gauge = field(init=False)
    callbacks: Gauge = field(init=False)

    def __post_init__(self) -> None:
        def gauge(name: str, says: str, *labels: str) -> Gauge:
            return Gauge(f"callcenter_{name}", says, labels, registry=self.registry)

        self.waiting = gauge("queue_waiting", "Callers on the line whom nobody has taken")
        self.longest = gauge("queue_longest_wait_seconds", "How long the caller has waited who has waited longest")
        self.operators = gauge("operators", "Operators by what they do", "state")
        self.callbacks = gauge("callbacks_outstanding", "Callers who are to be rung back")

    async def read(self) -> None:
        """Ask the database.

        Raises:
            DatabaseDown: the figures are those of the last reading.
        """
        async with self.house.database.house() as connection:
            now = await figures(connection, self.house.clock.now())
        self.waiting.set(now.waiting)
        self.longest.set(now.longest.total_seconds())
        self.callbacks.set(now.callbacks)
        for state in PresenceState:
            if state is not PresenceState.OFFLINE:
                self.operators.labels(state.value).set(now.operators.get(state, 0))
