"""The carrier's own file for browsers (Voice JavaScript SDK): fetched at set-up under a lock file, never committed.

Only the version that is locked is served: it is the one that ``softphone_twilio.js`` was written for. npm has compared
what it fetched with the lock's digest; who may change it afterwards may change our own files too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from callcenter.settings import PROJECT

#: Its name among the files of pages.
NAME = "twilio.min.js"
FOLDER = PROJECT / "browser"
_PACKAGE = Path("node_modules/@twilio/voice-sdk")


@dataclass(frozen=True, slots=True)
class NotInstalled:
    """It is not there, or is another version.

    Arguments:
        why: in a few words, for ``callcenter doctor``.
    """

    why: str


def carrier_file(folder: Path = FOLDER) -> Path | NotInstalled:
    """Where the file stands.

    Arguments:
        folder: in which ``make softphone`` has put it.
    """
    locked = _version(folder / "package-lock.json", "packages", _PACKAGE.as_posix())
    installed = _version(folder / _PACKAGE / "package.json")
    path = folder / _PACKAGE / "dist" / NAME
    if installed is None or not path.is_file():
        return NotInstalled("the carrier's file for browsers is not there: make softphone fetches it (npm)")
    if installed != locked:
        return NotInstalled(f"the carrier's file for browsers is {installed}, not {locked}: make softphone mends it")
    return path


def _version(file: Path, *within: str) -> str | None:
    """The version that a package file names; ``None`` where it cannot be read."""
    try:
        part = json.loads(file.read_text(encoding="utf-8"))
        for name in within:
            part = part[name]
        return str(part["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
