"""One root for every error of callcenter. A class's docstring is its default message.

What the outside sees is decided at the edge: callers hear what ``telephony.voice`` answers from memory, staff read what
``cli.failures`` writes; the detail stays in the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class CallcenterError(Exception):
    """Something went wrong in callcenter."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or " ".join((type(self).__doc__ or "").split()))


class Unavailable(CallcenterError):
    """A part that callcenter needs (database, carrier, voice) does not answer."""


class NotFound(CallcenterError):
    """No such call, practice or record."""


class Forbidden(CallcenterError):
    """The request is not allowed, or not proven to come from whom it says."""


class Conflict(CallcenterError):
    """The request contradicts what is already recorded."""


class Leak(CallcenterError):
    """A protected value was about to be formatted, compared or serialised outside its exits."""


class IntegrityError(CallcenterError):
    """Stored data does not open or does not verify: wrong key, moved row or tampering."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file of data, and how to mend it.

    Arguments:
        file: path as the user gave it.
        line: 1-based line, or 0 when the whole file is meant.
        what: what is wrong, one sentence.
        mend: what to do about it, one sentence.
    """

    file: str
    line: int
    what: str
    mend: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.what}\n    mend: {self.mend}"


class DataProblems(CallcenterError):
    """A file of data (configuration, flow, prompts, policy, import) cannot be used."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ConfigurationError(DataProblems):
    """The configuration cannot be used; no server starts with it."""
