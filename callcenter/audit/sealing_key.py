"""The key that signs the heads of logs. It stands in a file of its own, and only who seals reads it.

One Ed25519 key signs for every log, under the name of each: so every log has a verifier's key of its own.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from callcenter.audit.verify import Checkpoint, Malformed, Unproven, VerifierKey, open_note, signature_line
from callcenter.kernel.errors import ConfigurationError, IntegrityError, Problem
from callcenter.kernel.randomness import Random

SEED_BYTES = 32  # RFC 8032 §5.1.5
NAME = "sealer.key"


class NotOurs(IntegrityError):
    """A signed head is none, is another log's, or was not signed by this key."""


@dataclass(frozen=True, slots=True)
class SealingKey:
    """Signs heads of logs, and knows its own signatures again."""

    private: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> bytes:
        """The half that anybody may have, 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    def verifier_key(self, origin: str) -> VerifierKey:
        """By which anybody checks the heads of that log."""
        return VerifierKey.of(origin, self.private)

    def sign(self, head: Checkpoint) -> str:
        """The signed note of a head (C2SP signed-note)."""
        return f"{head.text()}\n{signature_line(head.origin, self.private, head.text())}"

    def open(self, note: str, origin: str) -> Checkpoint:
        """The head that ``note`` signs.

        Raises:
            NotOurs: this key has not signed it, or it is not of that log.
        """
        try:
            text, _ = open_note(note, [self.verifier_key(origin)])
            head = Checkpoint.parse(text)
        except (Malformed, Unproven) as error:
            raise NotOurs(str(error)) from error
        if head.origin != origin:
            raise NotOurs("it is the head of another log")
        return head


def create_sealing_key(path: Path, random: Random) -> SealingKey:
    """Make a file with a new key, mode 0600.

    Raises:
        FileExistsError: the file is there already; a key is never overwritten.
    """
    seed = random.token_bytes(SEED_BYTES)
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"sealer": base64.b64encode(seed).decode()}, file)
        file.write("\n")
    return SealingKey(Ed25519PrivateKey.from_private_bytes(seed))


def load_sealing_key(path: Path) -> SealingKey:
    """Read the sealer's key.

    Raises:
        ConfigurationError: it is missing, open to others, or no key; with what to do.
    """
    restore = "restore it from your backup"
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        mend = f"{restore}; where nothing was ever sealed, `callcenter keys create` makes one"
        raise _unusable(path, f"the sealer's key cannot be read ({why})", mend) from error
    if mode & 0o077:
        raise _unusable(path, f"the sealer's key is open to other accounts (mode {mode:04o})", f"chmod 600 {path}")
    try:
        seed = base64.b64decode(json.loads(content)["sealer"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise _unusable(path, "this is not a sealer's key of callcenter", restore) from error
    if len(seed) != SEED_BYTES:
        raise _unusable(path, "the sealer's key is damaged", restore)
    return SealingKey(Ed25519PrivateKey.from_private_bytes(seed))


def _unusable(path: Path, what: str, mend: str) -> ConfigurationError:
    return ConfigurationError([Problem(str(path), 0, what, mend)])
