"""A manifest says again what it said, knows who wrote it, and one that is none is refused, never a crash."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from callcenter.backup.manifest import (
    IN_CLEAR,
    Head,
    Manifest,
    ManifestChanged,
    NotABackup,
    StoredFile,
    read_manifest,
)

KEY = bytes(range(32))
MANIFEST = Manifest(
    made_at=datetime(2026, 11, 26, 2, 0, tzinfo=UTC),
    version="0.1.0",
    server=180004,
    dump_by="pg_dump (PostgreSQL) 18.4",
    revision="0036",
    rows={"patient": 3, "call": 0},
    heads=(Head("00000000-0000-0000-0000-000000000000", 7, "callcenter/house\n7\n…\n"),),
    keys=("keys.json",),
    key_marks={"the index key": "ab" * 32},
    lock={"kind": "recovery", "to": "00", "ephemeral": "00", "locked": "00"},
    files={"database.dump.sealed": StoredFile(12, "cd" * 32), "keys.json.sealed": StoredFile(3, "ef" * 32)},
).marked(KEY)


def test_what_is_written_is_read_again() -> None:
    found = read_manifest(MANIFEST.to_json().encode())
    assert found == MANIFEST
    found.check_mark(KEY)
    assert (found.all_rows, found.stored_as("keys.json"), found.in_clear) == (3, "keys.json.sealed", False)
    assert replace(found, lock=IN_CLEAR).stored_as("keys.json") == "keys.json"


@pytest.mark.parametrize(
    ("server", "dump_by", "oldest"),
    [(150018, "pg_dump (PostgreSQL) 15.18 (Debian)", 15), (150018, "pg_dump (PostgreSQL) 18.4", 18), (180004, "?", 18)],
)
def test_it_says_into_which_server_it_can_be_restored(server: int, dump_by: str, oldest: int) -> None:
    assert replace(MANIFEST, server=server, dump_by=dump_by).oldest_server == oldest


@pytest.mark.parametrize(
    "change",
    [
        {"made_at": "2026-11-30T02:00:00+00:00"},
        {"revision": "0001"},
        {"rows": {"patient": 2, "call": 0}},
        {"ledger": []},
        {"key_marks": {}},
        {"mark": ""},
        {"mark": "é"},
    ],
)
def test_a_manifest_that_was_changed_is_not_the_backups(change: dict[str, Any]) -> None:
    values = {**json.loads(MANIFEST.to_json()), **change}
    with pytest.raises(ManifestChanged):
        read_manifest(json.dumps(values).encode()).check_mark(KEY)


def without(name: str) -> bytes:
    values = json.loads(MANIFEST.to_json())
    del values[name]
    return json.dumps(values).encode()


@pytest.mark.parametrize("name", sorted(json.loads(MANIFEST.to_json())))
def test_a_manifest_that_lacks_something_is_refused(name: str) -> None:
    with pytest.raises(NotABackup):
        read_manifest(without(name))


@pytest.mark.parametrize("name", sorted({*json.loads(MANIFEST.to_json())} - {"callcenter-backup"}))
@pytest.mark.parametrize("value", [None, -1, 1.5, True, ["../x"], {"../keys": {"size": 1, "sha256": ""}}, {"": {}}])
def test_a_manifest_with_something_else_in_a_place_is_refused_or_noticed(name: str, value: object) -> None:
    changed = json.dumps({**json.loads(MANIFEST.to_json()), name: value}).encode()
    with pytest.raises((NotABackup, ManifestChanged)):
        read_manifest(changed).check_mark(KEY)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"\xff\xfe", b'{"a":1}', b"[" * 100_000])
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(NotABackup):
        read_manifest(content)


def test_one_of_a_later_format_says_so() -> None:
    values = {**json.loads(MANIFEST.to_json()), "callcenter-backup": 2}
    with pytest.raises(NotABackup, match="format 2"):
        read_manifest(json.dumps(values).encode())
