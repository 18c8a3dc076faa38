"""What a backup's key is locked to: a passphrase, or a recovery key whose private half stays away from the machine.

The machine that makes a backup every night needs no secret for it when it locks to a recovery key: only the public half
lies there, and whoever takes the machine and the medium can open none of the earlier backups with it.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from callcenter.backup.sealed_files import KEY_BYTES, derived
from callcenter.kernel.errors import CallcenterError, Forbidden
from callcenter.kernel.randomness import Random
from callcenter.store.files import PRIVATE, whole_file

#: RFC 7914; OWASP's first choice (N = 2^17, r = 8, p = 1): 128 MiB and a third of a second a try.
SCRYPT_COST, SCRYPT_BLOCK, SCRYPT_LANES = 2**17, 8, 1
#: A manifest is read before anything is known of who wrote it: more than this it cannot make us spend.
MOST_COST, MOST_BLOCK, MOST_LANES = 2**20, 16, 4
SALT_BYTES = 16
#: It is tried against a medium that somebody has taken away, for as long as they like.
SHORTEST_PASSPHRASE = 16

#: How the two halves of a recovery key are written, each as one line of a file.
PRIVATE_HEAD, PUBLIC_HEAD = "callcenter-recovery-secret:", "callcenter-recovery:"
#: The wrapping key is used once, for one backup's key.
_NONCE = bytes(12)


class WrongOpener(Forbidden):
    """This does not open the backup: it was locked with another passphrase or another recovery key. Type it again, or
    name the key that was kept when the backup was made; its folder is unharmed."""


class UnusableRecoveryKey(CallcenterError):
    """This is not a recovery key of callcenter: `callcenter backup key FILE` makes one."""


class Lock(Protocol):
    """Locks a backup's key, so that it may lie beside the backup."""

    def lock(self, key: bytes, random: Random) -> Mapping[str, str | int]:
        """``key`` (32 bytes), locked; as values for the manifest."""


class Opener(Protocol):
    """Opens what was locked."""

    def open(self, locked: Mapping[str, object]) -> bytes:
        """The backup's key.

        Raises:
            WrongOpener: it was locked with something else.
        """


@dataclass(frozen=True, slots=True)
class Passphrase:
    """Some words that a person keeps. Locks and opens.

    Arguments:
        words: at least 16 characters.
        cost: N of scrypt, a power of two.
    """

    words: str
    cost: int = SCRYPT_COST

    def __post_init__(self) -> None:
        if len(self.words) < SHORTEST_PASSPHRASE:
            raise CallcenterError(
                f"a passphrase has at least {SHORTEST_PASSPHRASE} characters, because who takes the medium may try for "
                f"years, and this one has {len(self.words)}: take five or six words that nobody would guess, and write "
                "them down where the medium is not"
            )

    def lock(self, key: bytes, random: Random) -> Mapping[str, str | int]:
        salt = random.token_bytes(SALT_BYTES)
        wrapping = _scrypt(self.words, salt, self.cost, SCRYPT_BLOCK, SCRYPT_LANES)
        return {
            "kind": "passphrase",
            "n": self.cost,
            "r": SCRYPT_BLOCK,
            "p": SCRYPT_LANES,
            "salt": salt.hex(),
            "locked": _wrap(wrapping, key),
        }

    def open(self, locked: Mapping[str, object]) -> bytes:
        if locked.get("kind") != "passphrase":
            raise WrongOpener("this backup is locked with a recovery key: name its file with --recovery-key")
        cost, block, lanes = (_number(locked, name) for name in ("n", "r", "p"))
        if not (
            1 < cost <= MOST_COST and cost & (cost - 1) == 0 and 0 < block <= MOST_BLOCK and 0 < lanes <= MOST_LANES
        ):
            raise WrongOpener
        return _unwrap(_scrypt(self.words, _hex(locked, "salt"), cost, block, lanes), locked)


@dataclass(frozen=True, slots=True)
class RecoveryLock:
    """The public half of a recovery key: locks, and opens nothing."""

    public: bytes

    @classmethod
    def read(cls, path: Path) -> RecoveryLock:
        """Read it from the file of either half.

        Raises:
            UnusableRecoveryKey: it is none, or cannot be read.
        """
        line = _line(path)
        if line.startswith(PRIVATE_HEAD):
            return RecoveryKey.read(path).public_half()
        return cls(_bytes_after(PUBLIC_HEAD, line, path))

    def lock(self, key: bytes, random: Random) -> Mapping[str, str | int]:
        ephemeral = X25519PrivateKey.from_private_bytes(random.token_bytes(KEY_BYTES))
        mine = ephemeral.public_key().public_bytes_raw()
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(self.public))
        return {
            "kind": "recovery",
            "to": self.public.hex(),
            "ephemeral": mine.hex(),
            "locked": _wrap(_agreed(shared, mine, self.public), key),
        }


@dataclass(frozen=True, slots=True)
class RecoveryKey:
    """The private half of a recovery key: opens. It is kept where neither machine nor backups are."""

    private: bytes

    @classmethod
    def read(cls, path: Path) -> RecoveryKey:
        """Read it from its file.

        Raises:
            UnusableRecoveryKey: it is none, is the public half, is open to others, or cannot be read.
        """
        line = _line(path)
        if line.startswith(PUBLIC_HEAD):
            raise UnusableRecoveryKey(
                f"{path} is the public half of a recovery key, which opens nothing: name the other"
            )
        private = _bytes_after(PRIVATE_HEAD, line, path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise UnusableRecoveryKey(f"{path} is open to other accounts: chmod 600 {path}")
        return cls(private)

    def public_half(self) -> RecoveryLock:
        """What locks to it."""
        return RecoveryLock(X25519PrivateKey.from_private_bytes(self.private).public_key().public_bytes_raw())

    def open(self, locked: Mapping[str, object]) -> bytes:
        if locked.get("kind") != "recovery":
            raise WrongOpener(
                "this backup is locked with a passphrase, not with a recovery key: leave --recovery-key out and type "
                "it, or name its file with --passphrase-file"
            )
        mine, theirs = X25519PrivateKey.from_private_bytes(self.private), _hex(locked, "ephemeral")
        try:
            shared = mine.exchange(X25519PublicKey.from_public_bytes(theirs))
        except ValueError as error:
            raise WrongOpener from error
        return _unwrap(_agreed(shared, theirs, mine.public_key().public_bytes_raw()), locked)


def create_recovery_key(path: Path, random: Random) -> tuple[Path, Path]:
    """Make a recovery key: the private half at ``path`` (mode 0600), the public one beside it, ending in ``.public``.

    Raises:
        FileExistsError: one of the files is there already; keys are never overwritten.
    """
    key = RecoveryKey(random.token_bytes(KEY_BYTES))
    public = path.with_name(path.name + ".public")
    if public.exists():
        raise FileExistsError(public)
    for target, mode, line in (
        (path, PRIVATE, PRIVATE_HEAD + key.private.hex()),
        (public, 0o644, PUBLIC_HEAD + key.public_half().public.hex()),
    ):
        with whole_file(target, mode=mode) as file:
            file.write(f"{line}\n".encode())
    return path, public


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise UnusableRecoveryKey(f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UnusableRecoveryKey(f"{path} is not a recovery key of callcenter") from error


def _bytes_after(head: str, line: str, path: Path) -> bytes:
    try:
        found = bytes.fromhex(line.removeprefix(head)) if line.startswith(head) else b""
    except ValueError:
        found = b""
    if len(found) != KEY_BYTES:
        raise UnusableRecoveryKey(f"{path} is not a recovery key of callcenter: `callcenter backup key FILE` makes one")
    return found


def _scrypt(words: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=cost, r=block, p=lanes).derive(words.encode())


def _agreed(shared: bytes, ephemeral: bytes, to: bytes) -> bytes:
    """Both public values are part of it, as RFC 7748 §6.1 asks."""
    return derived(shared, f"recovery|{ephemeral.hex()}|{to.hex()}")


def _wrap(wrapping: bytes, key: bytes) -> str:
    return AESGCM(wrapping).encrypt(_NONCE, key, None).hex()


def _unwrap(wrapping: bytes, locked: Mapping[str, object]) -> bytes:
    try:
        return AESGCM(wrapping).decrypt(_NONCE, _hex(locked, "locked"), None)
    except InvalidTag as error:
        raise WrongOpener from error


def _hex(locked: Mapping[str, object], name: str) -> bytes:
    try:
        return bytes.fromhex(str(locked.get(name)))
    except ValueError as error:
        raise WrongOpener from error


def _number(locked: Mapping[str, object], name: str) -> int:
    value = locked.get(name)
    return value if isinstance(value, int) else 0
