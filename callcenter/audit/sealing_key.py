"""The file of the keys that sign the heads of logs. Only who seals reads it.

While the key is being changed for another, the file holds both, and both sign (``docs/ledger-format.md``).
"""

from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from callcenter.audit.signing import SEED_BYTES, SealingKey
from callcenter.audit.verify import Checkpoint, Malformed, Rotation, Unproven
from callcenter.kernel.errors import ConfigurationError, Conflict, Problem
from callcenter.kernel.randomness import Random
from callcenter.store.files import whole_file

NAME = "sealer.key"
#: What the file may hold besides the key; of it, what stays once the key has changed.
_BESIDE = {"next", "stolen", "voided", "good", "sizes", "former", "ends"}
_STAYS = {"former", "ends"}


@dataclass(slots=True)
class KeyFile:
    """The file of a sealer that runs, read anew once another one stands there: a change of the key needs no restart.

    Arguments:
        path: of the file.
        key: as it was read last.
    """

    path: Path
    key: SealingKey
    _seen: tuple[int, ...] | None = None
    _trouble: ConfigurationError | None = None

    @classmethod
    def read(cls, path: Path) -> KeyFile:
        """Read it for the first time.

        Raises:
            ConfigurationError: it is missing, open to others, or no key.
        """
        seen = _state_of(path)  # before it is read: what is written meanwhile is seen the next time
        return cls(path, load_sealing_key(path), seen)

    def renewed(self) -> SealingKey:
        """The key as it stands there now.

        Raises:
            ConfigurationError: what stands there cannot be used, or has nothing to do with the key so far, which goes
                on.
        """
        seen = _state_of(self.path)
        if seen != self._seen:
            self._seen, self._trouble = seen, None
            try:
                found = load_sealing_key(self.path)
                if not found.goes_on_from(self.key):
                    mend = "put back the file that was there: with another key no log can be gone on with"
                    raise _unusable(self.path, "this is another sealer's key than the one that seals", mend)
                self.key = found
            except ConfigurationError as error:
                self._trouble = error
        if self._trouble is not None:
            raise self._trouble
        return self.key


def _state_of(path: Path) -> tuple[int, ...] | None:
    """By which a file is known to be another one, or another's; ``None``: there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """While the body runs, nobody else changes the sealer's file by a command.

    Raises:
        Conflict: somebody does.
        ConfigurationError: there is no such folder.
    """
    try:
        number = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise _unusable(path, f"the sealer's key cannot be read ({error.strerror})", "name its file") from error
    try:
        try:
            flock(number, LOCK_EX | LOCK_NB)
        except OSError as error:
            raise Conflict(f"another command is changing {path} right now: wait for it") from error
        yield
    finally:
        os.close(number)


def create_sealing_key(path: Path, random: Random) -> SealingKey:
    """Make a file with a new key, mode 0600.

    Raises:
        FileExistsError: the file is there already; a key is never overwritten.
    """
    key = SealingKey.fresh(random)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(content_of(key))
    return key


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
        return _parsed(content)
    except ValueError as error:
        raise _unusable(path, "this is not a sealer's key of callcenter, or it is damaged", restore) from error


def _unusable(path: Path, what: str, mend: str) -> ConfigurationError:
    return ConfigurationError([Problem(str(path), 0, what, mend)])


# --- what stands in it


def content_of(key: SealingKey) -> bytes:
    """What stands in the file of a key."""
    value: dict[str, object] = {"sealer": _encoded(key.private.private_bytes_raw())}
    if key.following is not None:
        value["next"] = _encoded(key.following.private_bytes_raw())
    if key.stolen:
        value["stolen"] = True
        value["good"] = {name: {"size": one.size, "root": _encoded(one.root)} for name, one in key.good.items()}
    if key.voided is not None:
        value["voided"] = _encoded(key.voided.private_bytes_raw())
    if key.sizes is not None:
        value["sizes"] = dict(key.sizes)
    if key.ends:
        value["ends"] = {origin: [dict(one) for one in ends] for origin, ends in key.ends.items()}
    if key.former:
        value["former"] = [_encoded(one) for one in key.former]
    return json.dumps(value).encode() + b"\n"


def _parsed(content: str) -> SealingKey:
    """The key whose file says this.

    Raises:
        ValueError: it is none.
    """
    try:
        return _key_in(json.loads(content))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _key_in(value: object) -> SealingKey:
    """The key that a file holds.

    Raises:
        ValueError: it is none.
    """
    match value:
        case {"sealer": str(private), **more} if more.keys() <= _BESIDE:
            key = SealingKey(Ed25519PrivateKey.from_private_bytes(_decoded(private)))
        case _:
            raise ValueError("there is no key in it")
    match more.get("former", []):
        case list(former):
            key = replace(key, former=tuple(_decoded(one) for one in former))
        case _:
            raise ValueError("its former keys are none")
    for one in key.former:
        Ed25519PublicKey.from_public_bytes(one)
    if "ends" in more:
        key = replace(key, ends=_ends(more["ends"]))
    if "next" not in more:
        if more.keys() - _STAYS:
            raise ValueError("a key that was stolen is followed by another")
        return key
    key = replace(key, following=Ed25519PrivateKey.from_private_bytes(_decoded(more["next"])))
    if "stolen" not in more:
        if more.keys() - _STAYS - {"next"}:
            raise ValueError("nothing was stolen")
        return key
    if more["stolen"] is not True:
        raise ValueError("whether it was stolen is not said")
    voided = Ed25519PrivateKey.from_private_bytes(_decoded(more["voided"])) if "voided" in more else None
    sizes = _sizes(more["sizes"]) if "sizes" in more else None
    return replace(key, stolen=True, voided=voided, good=_good(more.get("good")), sizes=sizes)


def _good(value: object) -> dict[str, Checkpoint]:
    """Last good heads by log; raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError("the last good heads of a stolen key are not said")
    good = {}
    for origin, one in value.items():
        match one:
            case {"size": int(size), "root": str(root), **rest} if not rest:
                try:
                    good[origin] = Checkpoint.parse(f"{origin}\n{size}\n{root}\n")
                except Malformed as error:
                    raise ValueError(str(error)) from error
            case _:
                raise ValueError("a last good head has a size and a root")
    return good


def _ends(value: object) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """What keys that were put away have signed, by log; raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError("what keys have signed when they were put away is none")
    for origin, ends in value.items():
        if not isinstance(ends, list):
            raise ValueError("what keys have signed for a log when they were put away is a list")
        for one in ends:
            try:
                told = Rotation.parse(one if isinstance(one, dict) else {}, origin)
            except (Malformed, Unproven) as error:
                raise ValueError(str(error)) from error
            if told.last_good is None:
                raise ValueError("a key was put away at some head")
    return {origin: tuple(ends) for origin, ends in value.items()}


def _sizes(value: object) -> dict[str, int]:
    """Records by log; raises ValueError."""
    if not isinstance(value, dict) or not all(type(size) is int and size >= 0 for size in value.values()):
        raise ValueError("the sizes of logs are none")
    return value


def _encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _decoded(encoded: object) -> bytes:
    """32 bytes; raises ValueError."""
    if not isinstance(encoded, str):
        raise ValueError("a key is text")
    decoded = base64.b64decode(encoded, validate=True)  # whose error is a ValueError
    if len(decoded) != SEED_BYTES:
        raise ValueError("a key has 32 bytes")
    return decoded
