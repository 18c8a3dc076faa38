"""Which ways of a flow were walked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from callcenter.flow.language import Flow


class Coverage:
    """Counts outlets taken.

    Arguments:
        flow: whose.
    """

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._taken: Counter[tuple[str, str]] = Counter()

    def add(self, visited: Sequence[tuple[str, str]]) -> None:
        """Outlets taken in one turn."""
        self._taken.update(visited)

    @property
    def missing(self) -> list[tuple[str, str]]:
        """Every (step, outlet) that was never taken."""
        return [(step, outlet) for step, outlet, _ in self._flow.edges() if not self._taken[step, outlet]]

    def __str__(self) -> str:
        lines = [f"outlets of flow {self._flow.name}, and how often they were taken:"]
        for step in self._flow.steps.values():
            taken = [f"{outlet} {self._taken[step.name, outlet]}" for outlet in step.outlets()]
            lines.append(f"  {step.name:22} {' · '.join(taken) or 'the call ends'}")
        edges = [(step, outlet) for step, outlet, _ in self._flow.edges()]
        lines.append(f"  {len(edges) - len(self.missing)} of {len(edges)} outlets")
        return "\n".join(lines)
