"""Sub-flows: a way that several steps of a flow, or several flows, go through and come back from.

A sub-flow is proven once, whoever runs it: what it needs on arrival, and what holds behind each way out of it, is its
summary (``flow.must``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: By which a way goes into the sub-flow that a step runs. No outlet of its own can have that name: it is its verb.
INTO = "run"


@dataclass(frozen=True, slots=True)
class Run:
    """Go through a sub-flow, and on by the outlet that it is left by.

    Arguments:
        subflow: its name.
        ways: where each outlet leads.
    """

    name: str
    line: int
    subflow: str
    ways: Mapping[str, str]

    def outlets(self) -> Mapping[str, str]:
        return self.ways


@dataclass(frozen=True, slots=True)
class Leave:
    """Go back from a sub-flow to the step that runs it, and on by its outlet ``by``."""

    name: str
    line: int
    by: str

    def outlets(self) -> Mapping[str, str]:
        return {}


@dataclass(frozen=True, slots=True)
class Subflow:
    """A sub-flow of a flow.

    Arguments:
        name: its name, also the file's.
        file: where it was read.
        start: its first step.
        steps: names of its steps; the steps themselves stand among the flow's.
    """

    name: str
    file: str
    start: str
    steps: frozenset[str]


RunStep = Run | Leave
