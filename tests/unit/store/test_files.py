"""A file is there whole or not at all, and what stands under its name already is nobody's to replace unasked."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from callcenter.audit.sealing_key import create_sealing_key
from callcenter.cli.installation import _is_made
from callcenter.kernel.errors import CallcenterError
from callcenter.store.files import whole_file


@pytest.fixture(params=[True, False], ids=["links", "no links"])
def _medium(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk, and a stick whose files have one name alone."""

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not request.param:
        monkeypatch.setattr(Path, "hardlink_to", refused)


def write(path: Path, meanwhile: Callable[[], object] = lambda: None, *, replace: bool = False) -> None:
    with whole_file(path, replace=replace) as file:
        file.write(b"a key")
        meanwhile()


@pytest.mark.usefixtures("_medium")
def test_it_is_its_owners_alone_whatever_the_process_gives_to_its_files(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write(tmp_path / "key")
    finally:
        os.umask(before)
    assert [(one.name, one.read_bytes(), stat.S_IMODE(one.stat().st_mode)) for one in tmp_path.iterdir()] == [
        ("key", b"a key", 0o600)
    ]


@pytest.mark.usefixtures("_medium")
def test_what_fails_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write(tmp_path / "key", lambda: 1 // 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_medium")
def test_what_is_there_or_has_come_meanwhile_stays_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    path, tried = tmp_path / "key", list[int]()
    with pytest.raises(FileExistsError) as refused:
        write(path, lambda: path.write_bytes(b"faster"))
    assert refused.value.filename == str(path)
    with pytest.raises(FileExistsError):
        write(path, lambda: tried.append(1))
    assert not tried  # nothing is done for a file that could not be written
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"faster"]
    write(path, replace=True)
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"a key"]


def test_an_empty_file_that_a_crash_has_left_is_in_the_way_and_it_is_said_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where files have one name alone it is taken first: who is killed then leaves nothing in it."""

    class Killed(BaseException):
        pass

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    def killed(*_: object) -> None:
        raise Killed

    path = tmp_path / "key"
    with monkeypatch.context() as dying:
        dying.setattr(Path, "hardlink_to", refused)
        dying.setattr(Path, "replace", killed)
        with pytest.raises(Killed):
            write(path)
    assert path.read_bytes() == b""
    with pytest.raises(FileExistsError, match="remove it"):
        write(path)
    with pytest.raises(CallcenterError, match="remove it"):  # and not that there is a key already
        _is_made(path, create_sealing_key)
    path.unlink()
    write(path)
    assert path.read_bytes() == b"a key"


@pytest.mark.parametrize(("number", "fails"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_a_folder_that_has_no_such_call_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, fails: bool
) -> None:
    real = os.fsync

    def fsync(file: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(number, os.strerror(number))
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="error") if fails else nullcontext():
        write(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == b"a key"
