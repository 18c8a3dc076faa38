"""Sealed fields and blind indexes.

A field is sealed by AES-256-GCM under a key of its practice, table and column; its associated data names practice,
table, column and row, so that a ciphertext moved to another place does not open. Layout: version (1 byte), length of
the key id (1), key id, nonce (12), ciphertext with tag.

A blind index is an HMAC-SHA256 of a normalised value: equal values of one practice can be found, nothing can be read.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from callcenter.kernel.errors import IntegrityError
from callcenter.kernel.randomness import Random
from callcenter.store.keys import Keyring

VERSION = 1
NONCE_BYTES = 12  # NIST SP 800-38D §5.2.1.1


#: Stands for the practice in the place of what is no practice's.
NO_PRACTICE = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed field stands: it opens nowhere else.

    Arguments:
        practice: the practice that it belongs to.
        table, column: names in the schema.
        row: the row's identifier.
    """

    practice: UUID
    table: str
    column: str
    row: UUID | str

    def purpose(self) -> str:
        return f"{self.practice}|{self.table}|{self.column}"

    def associated_data(self, purpose: str) -> bytes:
        return f"{purpose}|{self.row}".encode()


class Sealer:
    """Seals and opens fields, and makes blind indexes.

    Arguments:
        keys: the installation's keys.
        random: where nonces come from.
    """

    def __init__(self, keys: Keyring, random: Random) -> None:
        self._keys = keys
        self._random = random

    @property
    def keys(self) -> Keyring:
        """The installation's keys."""
        return self._keys

    def seal(self, value: bytes, place: Place) -> bytes:
        """Seal ``value`` for ``place`` with the current key."""
        key_id = self._keys.current
        nonce = self._random.token_bytes(NONCE_BYTES)
        purpose = place.purpose()
        cipher = AESGCM(self._keys.seal_key(key_id, purpose))
        head = bytes((VERSION, len(key_id))) + key_id.encode()
        return head + nonce + cipher.encrypt(nonce, value, place.associated_data(purpose))

    def open(self, sealed: bytes, place: Place) -> bytes:
        """Open what was sealed for ``place``.

        Raises:
            IntegrityError: another place, a lost key, or tampering.
        """
        if len(sealed) < 2 + NONCE_BYTES or sealed[0] != VERSION:
            raise IntegrityError(f"{place.table}.{place.column} does not hold a sealed field")
        start = 2 + sealed[1]
        key_id = sealed[2:start].decode("ascii", "replace")
        nonce, body = sealed[start : start + NONCE_BYTES], sealed[start + NONCE_BYTES :]
        purpose = place.purpose()
        try:
            return AESGCM(self._keys.seal_key(key_id, purpose)).decrypt(nonce, body, place.associated_data(purpose))
        except (InvalidTag, ValueError) as error:
            raise IntegrityError(f"a sealed field of {place.table}.{place.column} does not open") from error

    def seal_text(self, value: str, place: Place) -> bytes:
        """Seal a text, as UTF-8."""
        return self.seal(value.encode(), place)

    def open_text(self, sealed: bytes, place: Place) -> str:
        """Open a text that :meth:`seal_text` sealed."""
        return self.open(sealed, place).decode()

    def blind_index(self, practice: UUID, name: str, value: str) -> bytes:
        """The 32 bytes under which ``value`` is found in the index ``name`` of ``practice``.

        Arguments:
            value: normalised by the caller: equal things must be equal text.
        """
        return hmac.digest(self._keys.index_key(f"{practice}|{name}"), value.encode(), sha256)
