"""The kill switch: one practice's calls, or all, go to the rescue numbers at once.

It is a file beside the keys, read at every webhook, so that it works while the database does not and without a restart.
``callcenter switch rescue`` writes it; a host that shares no disk with this one needs the command too.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callcenter.kernel.errors import CallcenterError


class SwitchUnwritable(CallcenterError):
    """The switch cannot be written: run the command as the account that may write beside the key file."""


@dataclass(frozen=True, slots=True)
class Switched:
    """Whose calls go to rescue numbers.

    Arguments:
        everybody: all calls do.
        practices: short names of the practices whose calls do.
        by: who last turned the switch; empty if nobody did.
        readable: the file could be read. One that cannot is taken for a switch that is on: whoever wrote it meant
            something by it.
    """

    everybody: bool = False
    practices: frozenset[str] = field(default_factory=frozenset)
    by: str = ""
    readable: bool = True

    def takes(self, practice: str) -> bool:
        """Whether the calls of ``practice`` (short name) go to its rescue number."""
        return self.everybody or practice in self.practices

    def with_practices(self, practices: Iterable[str], by: str) -> Switched:
        return Switched(self.everybody, self.practices | set(practices), by)

    def without_practices(self, practices: Iterable[str], by: str) -> Switched:
        return Switched(self.everybody, self.practices - set(practices), by)


_OFF = Switched()
_UNREADABLE = Switched(everybody=True, readable=False)


class RescueSwitch:
    """The switch as this process sees it.

    Arguments:
        path: of its file, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._switched = _OFF

    def now(self) -> Switched:
        """How the switch stands. The file is read again only when it has changed."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._seen, self._switched = None, _OFF
            return _OFF
        except OSError:
            return _UNREADABLE
        seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if seen != self._seen:
            self._seen, self._switched = seen, _read(self._path)
        return self._switched

    def turn(self, switched: Switched) -> None:
        """Turn it, at once and whole.

        Raises:
            SwitchUnwritable: the file cannot be written.
        """
        body = {"all": switched.everybody, "practices": sorted(switched.practices), "by": switched.by}
        try:
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}-")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(body, stream, ensure_ascii=False)
            made = Path(name)
            made.chmod(0o644)  # no secret in it, and the server may run as another account
            made.replace(self._path)
        except OSError as error:
            raise SwitchUnwritable(f"{self._path} cannot be written: {error.strerror}") from error


def _read(path: Path) -> Switched:
    try:
        body: Any = json.loads(path.read_text(encoding="utf-8"))
        everybody, practices, by = body["all"], body["practices"], body["by"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return _UNREADABLE
    if not isinstance(everybody, bool) or not isinstance(practices, list):
        return _UNREADABLE
    return Switched(everybody, frozenset(str(slug) for slug in practices), str(by))
