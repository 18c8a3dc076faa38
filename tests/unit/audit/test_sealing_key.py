"""The sealer's key: a file of its own, for its owner alone; what it has signed it knows again."""

from __future__ import annotations

from pathlib import Path

import pytest

from callcenter.audit.sealing_key import create_sealing_key, load_sealing_key
from callcenter.audit.signing import NotOurs
from callcenter.audit.verify import Checkpoint, VerifierKey, open_note
from callcenter.kernel.errors import ConfigurationError
from callcenter.kernel.randomness import SeededRandom

ORIGIN = "callcenter/house"
HEAD = Checkpoint(ORIGIN, 3, bytes(range(32)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create_sealing_key(tmp_path / "sealer.key", SeededRandom(3))
    return tmp_path / "sealer.key"


def test_a_head_that_it_signs_is_verified_by_the_key_that_is_given_out_and_known_again(path: Path) -> None:
    key = load_sealing_key(path)
    note = key.sign(HEAD)
    text, names = open_note(note, [VerifierKey.parse(str(key.verifier_key(ORIGIN)))])
    assert (Checkpoint.parse(text), names) == (HEAD, (ORIGIN,))
    assert key.open(note, ORIGIN) == HEAD


def test_what_another_key_or_another_log_has_signed_is_not_ours(path: Path, tmp_path: Path) -> None:
    key, other = load_sealing_key(path), create_sealing_key(tmp_path / "other.key", SeededRandom(4))
    for note, origin in (
        (other.sign(HEAD), ORIGIN),
        (key.sign(HEAD), "callcenter/another"),
        (key.sign(HEAD).replace("\n3\n", "\n4\n"), ORIGIN),
        ("", ORIGIN),
        ("no head\n\n— callcenter/house AAAA\n", ORIGIN),
    ):
        with pytest.raises(NotOurs):
            key.open(note, origin)


def test_it_is_shown_nowhere(path: Path) -> None:
    assert repr(load_sealing_key(path)) == "SealingKey()"


def test_it_is_never_overwritten_and_is_its_owners_alone(path: Path) -> None:
    with pytest.raises(FileExistsError):
        create_sealing_key(path, SeededRandom(5))
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_sealing_key(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"no json", b"{}", b"[]", b'"sealer"', b'{"sealer": 5}', b'{"sealer": "%%"}', b'{"sealer": "AAAA"}', b"\xff"],
)
def test_a_file_that_is_no_key_is_said_to_be_none(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="backup"):
        load_sealing_key(path)


def test_where_there_is_none_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="keys create"):
        load_sealing_key(tmp_path / "sealer.key")
