"""A witness: somebody who keeps what they have seen of a log, and signs what continues it, with a key of their own.

As https://c2sp.org/tlog-witness has it, from a file instead of over a network. What was seen is written down before a
signature leaves: whoever signs two heads that do not continue one another is no witness any more.
"""

from __future__ import annotations

import json
import re
import stat
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from callcenter.audit.continuation import Continuation
from callcenter.audit.verify import (
    COSIGNATURE,
    Checkpoint,
    Malformed,
    Report,
    Unproven,
    Unsigned,
    Verdict,
    VerifierKey,
    What,
    cosignature_line,
    signatures_of,
    verify_export,
)
from callcenter.kernel.errors import CallcenterError, IntegrityError
from callcenter.kernel.randomness import Random
from callcenter.store.files import whole_file

SEED_BYTES = 32
_NAME = re.compile(r"[^\s+]{1,100}")


class NotSigned(IntegrityError):
    """What was shown does not continue what was seen. Nothing was signed, and what was seen stays as it was."""

    def __init__(self, message: str, report: Report | None = None) -> None:
        super().__init__(message)
        self.report = report


@dataclass(frozen=True, slots=True)
class Witness:
    """Who cosigns.

    Arguments:
        name: under which their signature stands, such as ``cabinet.example/claire``.
    """

    name: str
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def key(self) -> VerifierKey:
        """By which their cosignatures are checked."""
        return VerifierKey.of(self.name, self.private, COSIGNATURE)

    def cosign(self, lines: Iterable[bytes], trust: Iterable[VerifierKey], seen: str | None, at: int) -> str:
        """The last head of an export, with our signature below the log's.

        Arguments:
            lines: of the export.
            trust: key of the log, or those that it has had one after the other.
            seen: the head that was signed before; ``None``: this is the first.
            at: now, seconds since 1970.

        Raises:
            NotSigned: it does not continue what was seen, or is not intact.
        """
        if seen is not None:
            self._check_seen(seen)
        report = verify_export(lines, trust, seen)
        if report.verdict is not Verdict.INTACT:
            kinds = {finding.what for finding in report.findings}
            why = "it is not intact"
            if What.FORK in kinds:
                why = "fork: its past is another one than what you have signed"
            elif What.CUT in kinds:
                why = "it is shorter than what you have signed"
            raise NotSigned(f"nothing is signed: {why}", report)
        if not report.keep:
            raise NotSigned("nothing is signed: there is no checkpoint in it", report)
        return self._below(report.keep, at)

    def cosign_continuation(self, shown: Continuation, trust: Iterable[VerifierKey], seen: str, at: int) -> str:
        """The head that a continuation leads to, with our signature below the log's. No record is needed for it.

        Arguments:
            trust: key of the log, or those that it has had one after the other.
            seen: the head that was signed before.
            at: now, seconds since 1970.

        Raises:
            NotSigned: it does not continue what was seen.
            NoKey, NotHeld, Unsigned, Malformed: nothing follows from it, neither good nor bad.
        """
        self._check_seen(seen)
        try:
            found = shown.check(trust, seen)
        except Unsigned:
            raise
        except Unproven as error:
            raise NotSigned(f"nothing is signed: {error}") from error
        return self._below(found.keep, at)

    def _below(self, note: str, at: int) -> str:
        return note + cosignature_line(self.name, self.private, note.partition("\n\n")[0] + "\n", at)

    def _check_seen(self, seen: str) -> None:
        try:
            signatures_of(seen, [self.key])
        except (Malformed, Unproven) as error:
            raise NotSigned(f"what you have seen last was not signed by {self.name}: {error}") from error


def head_of(note: str) -> Checkpoint:
    """The head that a note of ours is of.

    Raises:
        Malformed: it is none.
    """
    return Checkpoint.parse(note.partition("\n\n")[0] + "\n")


def create_witness(path: Path, name: str, random: Random) -> Witness:
    """Make a file with a new key, mode 0600.

    Raises:
        CallcenterError: the name has a space or a plus sign in it, or the file is there already or cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise CallcenterError("a cosigner's name has no space and no plus sign, such as cabinet.example/claire")
    seed = random.token_bytes(SEED_BYTES)
    try:
        with whole_file(path) as file:
            file.write(json.dumps({"cosigner": name, "seed": b64encode(seed).decode()}).encode() + b"\n")
    except OSError as error:
        raise CallcenterError(f"{path} cannot be made: {error.strerror}") from error
    return Witness(name, Ed25519PrivateKey.from_private_bytes(seed))


def load_witness(path: Path) -> Witness:
    """Read a cosigner's key.

    Raises:
        CallcenterError: it is missing, open to others, or none.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        value = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CallcenterError(
            f"{path} cannot be read: {error.strerror}; `callcenter audit cosign new-key` makes one"
        ) from error
    except ValueError as error:
        raise CallcenterError(f"{path} is no cosigner's key") from error
    if mode & 0o077:
        raise CallcenterError(f"{path} is open to other accounts (mode {mode:04o}): chmod 600 {path}")
    match value:
        case {"cosigner": str(name), "seed": str(seed)} if _NAME.fullmatch(name) and _is_a_seed(seed):
            return Witness(name, Ed25519PrivateKey.from_private_bytes(b64decode(seed)))
    raise CallcenterError(f"{path} is no cosigner's key")


def _is_a_seed(encoded: str) -> bool:
    try:
        return len(b64decode(encoded, validate=True)) == SEED_BYTES
    except ValueError:
        return False
