"""A backup's key opens with what it was locked to, and with nothing else, whatever the manifest says."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from callcenter.backup.locks import (
    PUBLIC_HEAD,
    Passphrase,
    RecoveryKey,
    RecoveryLock,
    UnusableRecoveryKey,
    WrongOpener,
    create_recovery_key,
)
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SeededRandom

KEY = bytes(range(32))
WORDS = Passphrase("quatre mots sans rapport", cost=16)
MINE, OTHERS = RecoveryKey(bytes([1]) * 32), RecoveryKey(bytes([2]) * 32)


def test_a_passphrase_opens_what_it_has_locked() -> None:
    locked = WORDS.lock(KEY, SeededRandom(1))
    assert WORDS.open(locked) == KEY
    assert KEY.hex() not in str(locked)
    assert locked != WORDS.lock(KEY, SeededRandom(2))
    with pytest.raises(WrongOpener):
        Passphrase("quatre mots sans rapports").open(locked)
    with pytest.raises(WrongOpener, match="locked with a passphrase"):
        MINE.open(locked)


def test_a_passphrase_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(CallcenterError, match="16 characters"):
        Passphrase("cabinet2026")


def test_the_public_half_locks_and_only_the_private_one_opens() -> None:
    locked = MINE.public_half().lock(KEY, SeededRandom(1))
    assert MINE.open(locked) == KEY
    with pytest.raises(WrongOpener):
        OTHERS.open(locked)
    with pytest.raises(WrongOpener, match="recovery key"):
        WORDS.open(locked)


@pytest.mark.parametrize("name", ["salt", "locked", "n", "r", "p"])
@pytest.mark.parametrize("value", ["", "zz", "00" * 32, 0, -1, 2**40, 3])
def test_a_passphrase_lock_that_somebody_has_changed_does_not_open(name: str, value: str | int) -> None:
    changed: Mapping[str, object] = {**WORDS.lock(KEY, SeededRandom(1)), name: value}
    with pytest.raises(WrongOpener):
        WORDS.open(changed)


@pytest.mark.parametrize("name", ["ephemeral", "locked"])
@pytest.mark.parametrize("value", ["", "zz", "00" * 32, "ff" * 31, 7])
def test_a_recovery_lock_that_somebody_has_changed_does_not_open(name: str, value: str | int) -> None:
    changed: Mapping[str, object] = {**MINE.public_half().lock(KEY, SeededRandom(1)), name: value}
    with pytest.raises(WrongOpener):
        MINE.open(changed)


@pytest.mark.parametrize("kind", [None, "none", "passphrase", "recovery", 7])
def test_a_lock_with_nothing_in_it_does_not_open(kind: object) -> None:
    for opener in (WORDS, MINE):
        with pytest.raises(WrongOpener):
            opener.open({"kind": kind})


def test_a_recovery_key_is_two_files_the_private_one_ones_own(tmp_path: Path) -> None:
    private, public = create_recovery_key(tmp_path / "recovery.key", SeededRandom(1))
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert RecoveryLock.read(public) == RecoveryLock.read(private) == RecoveryKey.read(private).public_half()
    assert RecoveryKey.read(private).private.hex() not in public.read_text()
    with pytest.raises(FileExistsError):
        create_recovery_key(tmp_path / "recovery.key", SeededRandom(2))
    private.unlink()
    with pytest.raises(FileExistsError):
        create_recovery_key(tmp_path / "recovery.key", SeededRandom(2))


def test_what_is_no_recovery_key_is_refused_with_what_it_is(tmp_path: Path) -> None:
    private, public = create_recovery_key(tmp_path / "recovery.key", SeededRandom(1))
    with pytest.raises(UnusableRecoveryKey, match="public half"):
        RecoveryKey.read(public)
    private.chmod(0o640)
    with pytest.raises(UnusableRecoveryKey, match="chmod 600"):
        RecoveryKey.read(private)
    for content in ("", "x", PUBLIC_HEAD, PUBLIC_HEAD + "00", PUBLIC_HEAD + "é" * 64):
        public.write_text(content, encoding="utf-8")
        with pytest.raises(UnusableRecoveryKey):
            RecoveryLock.read(public)
    with pytest.raises(UnusableRecoveryKey, match="cannot be read"):
        RecoveryLock.read(tmp_path / "nowhere")
