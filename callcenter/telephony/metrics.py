"""What is counted at the edge. Labels are routes and outcomes: no numbers, no call identifiers."""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Histogram

#: Seconds. The carrier gives up on a webhook after 15 s in all.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)


@dataclass(slots=True)
class Metrics:
    """The edge's counters.

    Arguments:
        registry: where they are registered; one registry takes one ``Metrics``.
    """

    registry: CollectorRegistry
    requests: Counter = field(init=False)
    seconds: Histogram = field(init=False)
    refused: Counter = field(init=False)
    alerts: Counter = field(init=False)

    def __post_init__(self) -> None:
        self.requests = Counter(
            "callcenter_edge_requests_total",
            "Requests at the carrier's edge",
            ("route", "outcome"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "callcenter_edge_request_seconds",
            "Time to answer a request at the carrier's edge",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.refused = Counter(
            "callcenter_edge_refused_total",
            "Requests refused before they were read",
            ("reason",),
            registry=self.registry,
        )
        self.alerts = Counter(
            "callcenter_alerts_total",
            "Events that somebody must look at",
            ("kind",),
            registry=self.registry,
        )
