"""A backup's folder stands whole or not at all, whatever happens on the way."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from callcenter.backup.folders import BackupRefused, NoRoom, check_files, made_whole, manifest_of, stored
from callcenter.backup.manifest import NAME, NotABackup
from callcenter.backup.sealed_files import SealedFileDamaged
from callcenter.kernel.errors import Conflict
from callcenter.store.files import whole_file
from tests.unit.backup.test_manifest import MANIFEST


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_stands_under_its_name_once_it_is_whole_and_is_its_owners_alone(tmp_path: Path) -> None:
    medium = tmp_path / "medium" / "nightly"
    with made_whole(medium, "one") as begun:
        with whole_file(begun / "file") as file:
            file.write(b"content")
        assert "one" not in names(medium)
    assert names(medium) == ["one"]
    assert (medium / "one" / "file").read_bytes() == b"content"
    for path, mode in ((medium, 0o700), (medium / "one", 0o700), (medium / "one" / "file", 0o600)):
        assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), NoRoom),
        (OSError(errno.EDQUOT, "Quota exceeded"), NoRoom),
        (OSError(errno.EROFS, "Read-only file system"), BackupRefused),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (Conflict("whatever"), Conflict),
    ],
)
def test_what_fails_on_the_way_leaves_nothing(tmp_path: Path, fault: BaseException, seen: type[BaseException]) -> None:
    def half() -> None:
        with made_whole(tmp_path, "one") as begun:
            (begun / "file").write_bytes(b"half")
            raise fault

    with pytest.raises(seen):
        half()
    assert names(tmp_path) == []


def test_a_disk_that_is_full_when_the_file_is_closed_is_said_too(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no disk that is always full")
    with pytest.raises(NoRoom, match="is full"), made_whole(tmp_path, "one"), full.open("wb") as file:
        file.write(b"content")
    assert names(tmp_path) == []


def test_a_name_that_is_taken_is_not_overwritten(tmp_path: Path) -> None:
    with made_whole(tmp_path, "one") as begun:
        (begun / "file").write_bytes(b"first")
    with pytest.raises(Conflict), made_whole(tmp_path, "one") as begun:
        (begun / "file").write_bytes(b"second")
    assert (tmp_path / "one" / "file").read_bytes() == b"first"
    assert names(tmp_path) == ["one"]


def test_what_was_killed_on_the_way_is_no_backup_and_goes_with_the_next_one(tmp_path: Path) -> None:
    killed, busy = tmp_path / ".begun-killed", tmp_path / ".begun-busy"
    for folder in (killed, busy):
        folder.mkdir()
        (folder / NAME).write_text(MANIFEST.to_json())
        with pytest.raises(NotABackup, match="never ended"):
            manifest_of(folder)
    held = os.open(busy, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)  # another process fills it
    try:
        with made_whole(tmp_path, "one"):
            assert not killed.exists()
    finally:
        os.close(held)
    assert names(tmp_path) == [".begun-busy", "one"]


def test_a_folder_that_is_no_backup_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(NotABackup, match="name the folder of one backup"):
        manifest_of(tmp_path)
    with pytest.raises(NotABackup, match="name the folder of one backup"):
        manifest_of(tmp_path / "nowhere")
    (tmp_path / NAME).write_bytes(b" " * (16 * 1024 * 1024 + 1))
    with pytest.raises(NotABackup, match="too large"):
        manifest_of(tmp_path)


def test_a_file_that_is_missing_or_another_one_is_named(tmp_path: Path) -> None:
    for name in MANIFEST.files:
        (tmp_path / name).write_bytes(name.encode())
    manifest = replace(MANIFEST, files={name: stored(tmp_path / name) for name in MANIFEST.files})
    check_files(tmp_path, manifest)
    (tmp_path / "keys.json.sealed").write_bytes(b"keys.json.sealee")
    with pytest.raises(SealedFileDamaged, match=r"keys\.json\.sealed is not as it was written"):
        check_files(tmp_path, manifest)
    (tmp_path / "keys.json.sealed").unlink()
    with pytest.raises(SealedFileDamaged, match=r"keys\.json\.sealed cannot be read"):
        check_files(tmp_path, manifest)
