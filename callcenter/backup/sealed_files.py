"""Files that nobody reads, changes, shortens, reorders or exchanges without the backup's key.

A file is cut into chunks of 1 MiB, each sealed with AES-256-GCM. The nonce of a chunk is its number (11 bytes, big
endian) and whether it is the last one (1 byte): the construction STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, 2015).
The key is the file's own: HKDF-SHA256 (RFC 5869) of the backup's key, by the file's name. A backup's key is random and
seals one backup, so that no nonce is used twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from callcenter.kernel.errors import IntegrityError

#: How such a file begins: it says what it is, and how it was made.
HEAD = b"callcenter sealed file 1\n"
CHUNK_BYTES = 1024 * 1024
TAG_BYTES = 16
KEY_BYTES = 32


class SealedFileDamaged(IntegrityError):
    """A file of the backup does not open: it was damaged, shortened or exchanged. Take another backup."""


def derived(key: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose alone."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"callcenter backup|" + purpose.encode()).derive(
        key
    )


class SealedWriter:
    """Seals what is written to it, chunk by chunk. Nothing is whole before :meth:`close`.

    Arguments:
        file: takes the sealed bytes.
        key: of the backup, 32 bytes.
        name: of the file: under another one it does not open.
    """

    def __init__(self, file: BinaryIO, key: bytes, name: str) -> None:
        self._file = file
        self._cipher = AESGCM(derived(key, f"file|{name}"))
        self._waits = bytearray()
        self._number = 0
        file.write(HEAD)

    def write(self, content: bytes) -> None:
        """Take more of the content, of any length."""
        self._waits += content
        while len(self._waits) > CHUNK_BYTES:  # the last chunk is known when nothing follows
            self._seal(bytes(self._waits[:CHUNK_BYTES]), last=False)
            del self._waits[:CHUNK_BYTES]

    def close(self) -> None:
        """Seal the last chunk. The file itself stays open."""
        self._seal(bytes(self._waits), last=True)
        self._waits.clear()

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last=last), chunk, HEAD))
        self._number += 1


def opened_chunks(file: BinaryIO, key: bytes, name: str) -> Iterator[bytes]:
    """What was sealed, chunk by chunk. Only once it has ended without an error it is known to be whole.

    Raises:
        SealedFileDamaged: it was sealed with another key or under another name, or is not as it was sealed.
    """
    if file.read(len(HEAD)) != HEAD:
        raise SealedFileDamaged
    cipher = AESGCM(derived(key, f"file|{name}"))
    number, sealed = 0, file.read(CHUNK_BYTES + TAG_BYTES)
    while True:
        following = file.read(CHUNK_BYTES + TAG_BYTES)
        try:
            yield cipher.decrypt(_nonce(number, last=not following), sealed, HEAD)
        except InvalidTag as error:
            raise SealedFileDamaged from error
        if not following:
            return
        number, sealed = number + 1, following


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
