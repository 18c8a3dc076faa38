"""Enrolling many practices: each whole or not at all, whatever is wrong with another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from callcenter.kernel.errors import CallcenterError, Unavailable
from callcenter.kernel.randomness import Random
from callcenter.practice.changing import Recorder
from callcenter.practice.enrolling import Enrolled, NoOrganisation, enrol
from callcenter.practice.setting_versions import Author
from callcenter.store.database import Database


class NoDescriptions(CallcenterError):
    """A folder holds no description of a practice: they end in .yaml."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one file.

    Arguments:
        enrolled: what stands now, or ``None``.
        refused: why nothing of it was written, with the mend; or ``None``.
    """

    file: Path
    enrolled: Enrolled | None
    refused: str | None = None


def described_in(paths: Sequence[Path]) -> list[Path]:
    """The files among ``paths``, and for each folder the descriptions in it, by name.

    Raises:
        NoDescriptions: a folder holds none.
    """
    files: list[Path] = []
    for path in paths:
        found = sorted(file for end in ("*.yaml", "*.yml") for file in path.glob(end)) if path.is_dir() else [path]
        if not found:
            raise NoDescriptions(f"{path} holds no description of a practice: they end in .yaml")
        files += found
    return list(dict.fromkeys(files))


async def enrol_each(
    database: Database,
    files: Sequence[Path],
    organisation_name: str,
    random: Random,
    author: Author,
    recorder: Recorder,
) -> AsyncIterator[Attempt]:
    """Enrol, or change, the practice of each file (:func:`enrolling.enrol`); one that is refused keeps no other back.

    Raises:
        NoOrganisation: the name is empty.
        Unavailable: the database does not answer; those before stand.
    """
    if not organisation_name.strip():
        raise NoOrganisation
    for file in files:
        try:
            yield Attempt(file, await enrol(database, file, organisation_name, random, author, recorder))
        except Unavailable:
            raise
        except CallcenterError as error:
            yield Attempt(file, None, str(error))
