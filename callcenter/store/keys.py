"""The keys of the installation. They live in a file outside the database, readable by its owner alone.

A *seal* key encrypts fields; several may be kept, each under an id, so that a new one can be put in use while old
fields still open. The *index* key makes blind indexes and keyed hashes. Every use derives a key of its own
(HKDF-SHA256, RFC 5869), so that no two practices and no two columns share one.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from callcenter.kernel.errors import ConfigurationError, IntegrityError, Problem
from callcenter.kernel.randomness import Random
from callcenter.store.files import whole_file

KEY_BYTES = 32  # AES-256, HMAC-SHA256
MARKED = b"callcenter"  # what a mark is the HMAC of


@dataclass(slots=True)
class Keyring:
    """The installation's keys, and the keys derived from them so far.

    Arguments:
        current: id of the seal key that new fields are sealed with.
        seals: seal keys of 32 bytes, by id (1 to 32 ASCII characters).
        index: the 32-byte key of blind indexes.
    """

    current: str
    seals: Mapping[str, bytes]
    index: bytes
    _derived: dict[tuple[str, str], bytes] = field(default_factory=dict, repr=False)

    def seal_key(self, key_id: str, purpose: str) -> bytes:
        """The derived key for ``purpose`` under seal key ``key_id``.

        Raises:
            IntegrityError: there is no key of that id.
        """
        if key_id not in self.seals:
            raise IntegrityError(f"a field is sealed with key {key_id!r}, which is not in the key file")
        return self._derive(key_id, self.seals[key_id], "seal|" + purpose)

    def index_key(self, purpose: str) -> bytes:
        """The derived key of one blind index or keyed hash."""
        return self._derive("", self.index, "index|" + purpose)

    def marks(self) -> Mapping[str, str]:
        """For each key a mark by which it is known again, and from which nothing can be opened or found."""
        roots = {"the index key": self.index, **{f"seal key {name}": key for name, key in self.seals.items()}}
        return {name: hmac.digest(self._derive(name, key, "mark"), MARKED, sha256).hex() for name, key in roots.items()}

    def _derive(self, key_id: str, root: bytes, info: str) -> bytes:
        cached = self._derived.get((key_id, info))
        if cached is None:
            cached = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info.encode()).derive(root)
            self._derived[key_id, info] = cached
        return cached


def create_keys(path: Path, random: Random) -> Keyring:
    """Make a key file with one seal key, mode 0600.

    Raises:
        FileExistsError: the file is there already; keys are never overwritten.
    """
    keyring = Keyring("k1", {"k1": random.token_bytes(KEY_BYTES)}, random.token_bytes(KEY_BYTES))
    content = {
        "current": keyring.current,
        "seals": {name: base64.b64encode(key).decode() for name, key in keyring.seals.items()},
        "index": base64.b64encode(keyring.index).decode(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(f"{json.dumps(content, indent=2)}\n".encode())
    return keyring


def load_keys(path: Path) -> Keyring:
    """Read a key file.

    Raises:
        ConfigurationError: it is missing, open to others, or not a key file; with what to do.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text()
    except OSError as error:
        mend = "restore it from your backup; `callcenter keys create` makes one for a database that is still empty"
        raise _unusable(path, f"the key file cannot be read ({error.strerror})", mend) from error
    if mode & 0o077:
        raise _unusable(path, f"the key file is open to other accounts (mode {mode:04o})", f"chmod 600 {path}")
    return keys_in(text, path)


def keys_in(text: str, path: Path) -> Keyring:
    """The keys in the content of a key file.

    Arguments:
        path: where it comes from, for whoever is told that it is none.

    Raises:
        ConfigurationError: it is not a key file.
    """
    try:
        content = json.loads(text)
        seals = {str(name): base64.b64decode(key, validate=True) for name, key in content["seals"].items()}
        keyring = Keyring(content["current"], seals, base64.b64decode(content["index"], validate=True))
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise _unusable(path, "this is not a key file of callcenter", "restore it from your backup") from error
    if keyring.current not in seals or any(len(key) != KEY_BYTES for key in (*seals.values(), keyring.index)):
        raise _unusable(path, "the key file is damaged", "restore it from your backup")
    return keyring


def _unusable(path: Path, what: str, mend: str) -> ConfigurationError:
    return ConfigurationError([Problem(str(path), 0, what, mend)])
