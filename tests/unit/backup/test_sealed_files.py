"""A sealed file opens whole, with its own key and under its own name, or not at all."""

from __future__ import annotations

import io

import pytest

from callcenter.backup.sealed_files import CHUNK_BYTES, HEAD, TAG_BYTES, SealedFileDamaged, SealedWriter, opened_chunks

KEY, OTHER = bytes(range(32)), bytes(32)
WHOLE = CHUNK_BYTES + TAG_BYTES


def sealed(content: bytes, *, pieces: int = 1, name: str = "database.dump") -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, KEY, name)
    for start in range(0, len(content), max(1, len(content) // pieces)):
        writer.write(content[start : start + max(1, len(content) // pieces)])
    writer.close()
    return file.getvalue()


def opened(file: bytes, key: bytes = KEY, name: str = "database.dump") -> bytes:
    return b"".join(opened_chunks(io.BytesIO(file), key, name))


@pytest.mark.parametrize("length", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_whatever_its_length_it_opens_as_it_was(length: int) -> None:
    content = (b"what stands in the database, " * (length // 29 + 1))[:length]
    for pieces in (1, 7):
        assert opened(sealed(content, pieces=pieces)) == content


def test_what_is_sealed_cannot_be_read_and_costs_a_tag_a_chunk() -> None:
    content = b"MARTIN-DUVAL" * CHUNK_BYTES
    file = sealed(content[: 2 * CHUNK_BYTES])
    assert b"MARTIN" not in file
    assert len(file) == len(HEAD) + 2 * WHOLE


THREE = sealed(b"a" * CHUNK_BYTES + b"b" * CHUNK_BYTES + b"c")
START = len(HEAD)
FIRST, SECOND, LAST = THREE[START : START + WHOLE], THREE[START + WHOLE : START + 2 * WHOLE], THREE[START + 2 * WHOLE :]


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(HEAD + FIRST + SECOND, id="the last chunk is missing"),
        pytest.param(HEAD + FIRST + LAST, id="a chunk in between is missing"),
        pytest.param(HEAD + SECOND + FIRST + LAST, id="chunks are exchanged"),
        pytest.param(HEAD + FIRST + SECOND + LAST + LAST, id="something follows"),
        pytest.param(THREE[:-1], id="a byte is missing"),
        pytest.param(THREE[:-1] + bytes([THREE[-1] ^ 1]), id="a bit is another one"),
        pytest.param(HEAD, id="nothing but its head"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"PGDMP" + THREE[5:], id="another head"),
    ],
)
def test_what_is_not_as_it_was_sealed_does_not_open(file: bytes) -> None:
    assert opened(THREE)[-1:] == b"c"
    with pytest.raises(SealedFileDamaged):
        opened(file)


def test_it_opens_with_its_own_key_and_name_alone() -> None:
    with pytest.raises(SealedFileDamaged):
        opened(THREE, key=OTHER)
    with pytest.raises(SealedFileDamaged):
        opened(THREE, name="keys.json")
