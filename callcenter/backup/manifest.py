"""What a backup says of itself: ``manifest.json``, which a person can read in ten years without this program."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from callcenter.backup.sealed_files import derived
from callcenter.kernel.errors import CallcenterError, IntegrityError

NAME = "manifest.json"
FORMAT = 1
#: More than any installation's, and less than would hold up whoever reads it.
LARGEST = 16 * 1024 * 1024
#: How a backup says that nothing of it is locked.
IN_CLEAR: Mapping[str, str | int] = {"kind": "none"}

#: The files of a backup: the database, the keys of sealed fields, the key that signs the ledger.
DATABASE = "database.dump"
SEALED_SUFFIX = ".sealed"


class NotABackup(CallcenterError):
    """This folder is not a whole backup of callcenter."""


class ManifestChanged(IntegrityError):
    """The backup's manifest is not as it was written: somebody has changed it, or it is another backup's."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of a backup, as it lies there.

    Arguments:
        size: in bytes.
        sha256: its digest, hexadecimal.
    """

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Head:
    """The last checkpoint of one log of the ledger: from here on the ledger of a restored installation goes on.

    Arguments:
        log: the practice's identifier, or the nil one for the house's log.
        size: how many records it covers.
        note: the signed note.
    """

    log: str
    size: int
    note: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    Arguments:
        made_at: the moment of the snapshot, by the database's clock.
        version: of the callcenter that made it.
        server: version of the PostgreSQL that it comes from, as a number (180004).
        dump_by: which pg_dump made it, in its own words.
        revision: of the schema.
        rows: how many stand in each table.
        heads: the last checkpoints of the ledger; none where it is not sealed yet.
        keys: the names of the key files in it.
        key_marks: by which the keys are known again that the database was filled with (``store.key_marks``).
        lock: how the backup's key is locked (``locks``); ``IN_CLEAR`` where nothing is.
        files: by name.
        mark: HMAC-SHA256 of all the rest under the backup's key; empty where there is no such key.
    """

    made_at: datetime
    version: str
    server: int
    dump_by: str
    revision: str
    rows: Mapping[str, int]
    heads: tuple[Head, ...]
    keys: tuple[str, ...]
    key_marks: Mapping[str, str]
    lock: Mapping[str, str | int]
    files: Mapping[str, StoredFile]
    mark: str = ""

    @property
    def in_clear(self) -> bool:
        return self.lock == IN_CLEAR

    @property
    def oldest_server(self) -> int:
        """The first number of the oldest PostgreSQL that can take it: what a newer pg_dump wrote needs a newer one."""
        by = re.search(r"\(PostgreSQL\) (\d+)", self.dump_by)
        return max(self.server // 10000, int(by[1]) if by else 0)

    @property
    def all_rows(self) -> int:
        return sum(self.rows.values())

    def stored_as(self, name: str) -> str:
        """Under which name a file lies in the folder."""
        return stored_name(name, in_clear=self.in_clear)

    def marked(self, key: bytes) -> Manifest:
        """The same, with the mark of the backup's key."""
        return replace(self, mark=self._mark_by(key))

    def check_mark(self, key: bytes) -> None:
        """Check that the manifest was written by whoever had the backup's key.

        Raises:
            ManifestChanged: it was not.
        """
        if not hmac.compare_digest(self._mark_by(key).encode(), self.mark.encode(errors="replace")):
            raise ManifestChanged

    def to_json(self) -> str:
        return json.dumps({**self._values(), "mark": self.mark}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def _mark_by(self, key: bytes) -> str:
        content = json.dumps(self._values(), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hmac.digest(derived(key, "manifest"), content.encode(), sha256).hex()

    def _values(self) -> dict[str, Any]:
        return {
            "callcenter-backup": FORMAT,
            "made_at": self.made_at.isoformat(),
            "version": self.version,
            "postgresql": self.server,
            "dump_by": self.dump_by,
            "revision": self.revision,
            "rows": dict(self.rows),
            "ledger": [{"log": one.log, "size": one.size, "note": one.note} for one in self.heads],
            "keys": list(self.keys),
            "key_marks": dict(self.key_marks),
            "lock": dict(self.lock),
            "files": {name: {"size": one.size, "sha256": one.sha256} for name, one in self.files.items()},
        }


def stored_name(name: str, *, in_clear: bool) -> str:
    """Under which name a file lies in the folder of a backup."""
    return name if in_clear else name + SEALED_SUFFIX


def read_manifest(content: bytes) -> Manifest:
    """Read a manifest, whoever wrote it.

    Raises:
        NotABackup: it is none that this version can read.
    """
    try:
        values = json.loads(content)
        if not isinstance(values, dict) or "callcenter-backup" not in values:
            raise NotABackup(f"{NAME} is not the manifest of a backup of callcenter")
        if values["callcenter-backup"] != FORMAT:
            raise NotABackup(
                f"this backup has format {values['callcenter-backup']}, and this version knows {FORMAT}: "
                "restore it with the callcenter that made it, or a newer one"
            )
        return _manifest(values)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NotABackup(f"{NAME} is damaged: take another backup") from error


def _manifest(values: dict[str, Any]) -> Manifest:
    made_at = datetime.fromisoformat(_text(values["made_at"]))
    if made_at.tzinfo is None:
        raise ValueError("no zone")
    lock = {_text(name): value for name, value in values["lock"].items() if isinstance(value, str | int)}
    return Manifest(
        made_at=made_at,
        version=_text(values["version"]),
        server=_count(values["postgresql"]),
        dump_by=_text(values["dump_by"]),
        revision=_text(values["revision"]),
        rows={_text(name): _count(rows) for name, rows in values["rows"].items()},
        heads=tuple(Head(_text(one["log"]), _count(one["size"]), _text(one["note"])) for one in values["ledger"]),
        keys=tuple(_file_name(name) for name in values["keys"]),
        key_marks={_text(name): _text(mark) for name, mark in values["key_marks"].items()},
        lock=lock,
        files={
            _file_name(name): StoredFile(_count(one["size"]), _text(one["sha256"]))
            for name, one in values["files"].items()
        },
        mark=_text(values["mark"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(type(value).__name__)
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(type(value).__name__)
    return value


def _file_name(value: object) -> str:
    """A name within the folder: nothing that leads out of it."""
    name = _text(value)
    if not name or name in (".", "..") or "/" in name or "\0" in name:
        raise ValueError("not the name of a file")
    return name
