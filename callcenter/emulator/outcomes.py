"""What became of a transcript; in French, for the secretary who reads it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passed:
    """The call went as written."""

    def __str__(self) -> str:
        return "L'appel s'est déroulé comme écrit."


@dataclass(frozen=True, slots=True)
class Differed:
    """The call went another way.

    Arguments:
        step: the step's place, from 1; one beyond the last for the ledger.
        line: its line in the file.
        expected: what was expected, in words.
        heard: what was heard or found instead, in words.
    """

    step: int
    line: int
    expected: str
    heard: str

    def __str__(self) -> str:
        return f"Étape {self.step} (ligne {self.line})\n  attendu : {self.expected}\n  constaté : {self.heard}"


@dataclass(frozen=True, slots=True)
class CouldNotRun:
    """The call could not be made, or not be judged, and why."""

    reason: str

    def __str__(self) -> str:
        return f"Impossible de dérouler l'appel : {self.reason}"


Outcome = Passed | Differed | CouldNotRun
