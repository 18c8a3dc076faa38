"""Whether a log of records is what it was: the one file that an auditor reads, and that runs alone.

    python verify.py FILE --trust KEY [--since CHECKPOINT] [--keep FILE]

It needs Python 3.11 and the ``cryptography`` package, and imports nothing of callcenter, which takes from it what it
hashes and signs by. From top to bottom: Merkle trees (RFC 6962), signed notes and checkpoints (https://c2sp.org), the
next key of a log and its export (``docs/ledger-format.md``). What is checked either returns or raises; it is never a
bool that somebody may forget to look at. What is wrong with an export is a finding, whatever its bytes are: there
nothing is raised.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, IntEnum
from functools import partial
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO, NoReturn

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
except ImportError as missing:  # as a program it says so, by the exit code for what could not be checked
    if __name__ != "__main__":
        raise
    print(f"could not check: {missing}. Install it: python -m pip install cryptography", file=sys.stderr)
    sys.exit(2)


class Malformed(Exception):
    """A text, a key or a proof does not have the form that it must have."""


class Unproven(Exception):
    """A proof or a signature has its form, and does not prove what it is to prove."""


class Unsigned(Unproven):
    """None of the keys that are trusted has signed it. Of those that have, nothing is known."""


# ---- Merkle trees: RFC 6962 §2.1 ------------------------------------------------------------------------------------

LEAF_PREFIX = b"\x00"  # leaves and nodes never collide
NODE_PREFIX = b"\x01"
HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
_WIDEST = 1 << 16  # leaves of a subtree that are added at once
NO_LEAF = bytes(HASH_SIZE)  # what the first record of a stream names as the leaf before it


def leaf_hash(body: bytes) -> bytes:
    """The leaf of a record's bytes."""
    return sha256(LEAF_PREFIX + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The node above two hashes."""
    return sha256(NODE_PREFIX + left + right).digest()


class Frontier:
    """A tree that leaves are added to, by the roots of its whole subtrees alone: at most 64 hashes, largest first.

    Arguments:
        size: number of its leaves.
        peaks: root of each whole subtree: one for each bit of ``size`` that is set.
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)
        if size < 0 or len(self.peaks) != size.bit_count() or any(len(peak) != HASH_SIZE for peak in self.peaks):
            raise Malformed(f"{len(self.peaks)} hashes are not the frontier of a tree of {size} leaves")

    def add(self, leaf: bytes) -> None:
        """Add the hash of one leaf."""
        self._add_whole(leaf, 1)

    def extend(self, leaves: bytes | bytearray) -> None:
        """Add the hashes of many leaves, one after another: whole subtrees at once, level by level."""
        for start, width in self._steps(len(leaves) // HASH_SIZE):
            level = leaves[start * HASH_SIZE : (start + width) * HASH_SIZE]
            while len(level) > HASH_SIZE:
                pairs = range(0, len(level), 2 * HASH_SIZE)
                level = b"".join([sha256(NODE_PREFIX + level[at : at + 2 * HASH_SIZE]).digest() for at in pairs])
            self._add_whole(bytes(level), width)

    def _steps(self, many: int) -> Iterator[tuple[int, int]]:
        """Where among the next leaves subtrees begin that are whole in this tree, and how many leaves each has."""
        start = 0
        while start < many:
            here = self.size or _WIDEST
            width = min(here & -here, 1 << ((many - start).bit_length() - 1), _WIDEST)
            yield start, width
            start += width

    def _add_whole(self, root: bytes, width: int) -> None:
        """Add a whole subtree of ``width`` leaves, of which the tree so far is a multiple."""
        peaks, bit = self.peaks, width
        while self.size & bit:
            root = node_hash(peaks.pop(), root)
            bit <<= 1
        peaks.append(root)
        self.size += width

    def root(self) -> bytes:
        """The root of the tree so far."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def to_bytes(self) -> bytes:
        """Its hashes, one after another."""
        return b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Frontier:
        """What ``to_bytes`` has written of a tree of ``size`` leaves.

        Raises:
            Malformed: it is none.
        """
        return cls(size, (data[start : start + HASH_SIZE] for start in range(0, len(data), HASH_SIZE)))


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """That ``leaf`` stands at ``index`` of the tree of ``size`` leaves with that root (RFC 9162 §2.1.3.2).

    Raises:
        Unproven: the proof does not show it.
    """
    if not 0 <= index < size:
        raise Unproven(f"there is no leaf {index} in a tree of {size}")
    at, last, found = index, size - 1, leaf
    for beside in proof:
        if last == 0:
            raise Unproven("the proof is longer than the way to the root")
        if at & 1 or at == last:
            found = node_hash(beside, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, beside)
        at, last = at >> 1, last >> 1
    if last or found != root:
        raise Unproven(f"the proof does not lead from leaf {index} to the root of the tree of {size}")


def check_consistency(first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes) -> None:
    """That the tree of ``second`` leaves continues the one of ``first`` (RFC 9162 §2.1.4.2).

    Raises:
        Unproven: the proof does not show it.
    """
    if not 0 <= first <= second:
        raise Unproven(f"a tree of {second} leaves cannot continue one of {first}")
    if first in (0, second):
        if proof or first_root != (EMPTY_ROOT if first == 0 else second_root):
            raise Unproven(f"the root of the first {first} leaves is another one")
        return
    nodes = list(proof)
    if first & (first - 1) == 0:
        nodes.insert(0, first_root)  # a whole subtree is its own first node
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if not nodes:
        raise Unproven("the proof is shorter than the way to the root")
    old = new = nodes[0]
    for beside in nodes[1:]:
        if last == 0:
            raise Unproven("the proof is longer than the way to the root")
        if at & 1 or at == last:
            old, new = node_hash(beside, old), node_hash(beside, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, beside)
        at, last = at >> 1, last >> 1
    if last or old != first_root or new != second_root:
        raise Unproven(f"the tree of {second} leaves does not continue the one of {first}")


# ---- Signed notes: https://c2sp.org/signed-note ----------------------------------------------------------------------

MOST_OF_A_NOTE = 1_000_000  # bytes
MOST_SIGNATURES = 100
SIGNATURE = 0x01  # Ed25519 over the text
COSIGNATURE = 0x04  # Ed25519 over a time and the text: https://c2sp.org/tlog-cosignature
_DASH = "\N{EM DASH} "
_KEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key, its name, and for what it signs.

    Arguments:
        name: of the log (its origin) or of whoever cosigns.
        public: 32 bytes.
        kind: ``SIGNATURE`` or ``COSIGNATURE``.
    """

    name: str
    public: bytes
    kind: int = SIGNATURE

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public) != 32 or self.kind not in (SIGNATURE, COSIGNATURE):
            raise Malformed("a key is 32 bytes of Ed25519, for signatures (1) or cosignatures (4)")

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell the keys of one name apart."""
        return sha256(_utf8(self.name) + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """A key as it is written: name, identifier and key with a plus sign between them.

        Raises:
            Malformed: it is none, or its identifier is not its own.
        """
        written = _KEY.fullmatch(text)
        if written is None:
            raise Malformed("a key is written name+identifier+key")
        name, key_id, encoded = written.groups()
        decoded = unbase64(encoded)
        key = cls(name, decoded[1:], decoded[0])
        if key.key_id.hex() != key_id:
            raise Malformed(f"this key has the identifier {key.key_id.hex()}, and {key_id} is written")
        return key

    @classmethod
    def of(cls, name: str, private: Ed25519PrivateKey, kind: int = SIGNATURE) -> VerifierKey:
        """What verifies the signatures that ``private`` makes as ``name``."""
        return cls(name, private.public_key().public_bytes_raw(), kind)

    def check(self, text: str, signature: bytes) -> int | None:
        """That ``signature`` is this key's, over ``text``; the time (seconds since 1970) that a cosignature names.

        Raises:
            Unproven: it is not.
        """
        message, at = text, None
        if self.kind == COSIGNATURE:
            at, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            message = _cosigned(text, at)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, _utf8(message))
        except (InvalidSignature, ValueError):
            raise Unproven(f"the signature by {ascii(self.name)[1:-1]}+{self.key_id.hex()} is wrong") from None
        return at


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature of a note, which was checked.

    Arguments:
        key: whose it is.
        line: as it stands in the note.
        at: seconds since 1970 that a cosigner names; ``None`` for others.
    """

    key: VerifierKey
    line: str
    at: int | None = None


def signature_line(name: str, private: Ed25519PrivateKey, text: str) -> str:
    """The line that signs ``text``; a note is the text, an empty line, and lines like this one.

    Raises:
        Malformed: this text or this name cannot be signed.
    """
    return _line(VerifierKey.of(name, private), private.sign(_signable(text)))


def cosignature_line(name: str, private: Ed25519PrivateKey, text: str, at: int) -> str:
    """The line by which somebody other than the log signs a checkpoint.

    Arguments:
        at: when they saw that it continues what they saw before; seconds since 1970.

    Raises:
        Malformed: this text or this name cannot be signed.
    """
    _signable(text)
    signature = private.sign(_utf8(_cosigned(text, at)))
    return _line(VerifierKey.of(name, private, COSIGNATURE), at.to_bytes(8, "big") + signature)


def signatures_of(note: bytes | str, keys: Iterable[VerifierKey]) -> tuple[str, tuple[Signed, ...]]:
    """The text of a note, and the signatures on it by ``keys``. Those by others are passed over, as the format wants.

    Raises:
        Malformed: it is not a note.
        Unsigned: none of ``keys`` has signed it.
        Unproven: a signature in the name of one of them is wrong.
    """
    text, lines = _parts(note)
    known = {(key.name, key.key_id): key for key in keys}
    found: dict[VerifierKey, Signed] = {}
    for line, name, key_id, signature in lines:
        key = known.get((name, key_id))
        if key is not None:
            found[key] = Signed(key, line, key.check(text, signature))
    if not found:
        raise Unsigned("none of the trusted keys has signed this")
    return text, tuple(found.values())


def open_note(note: bytes | str, keys: Iterable[VerifierKey]) -> tuple[str, tuple[str, ...]]:
    """The text of a note, and the names of those of ``keys`` that have signed it; raises like ``signatures_of``."""
    text, signed = signatures_of(note, keys)
    return text, tuple(one.key.name for one in signed)


def signers_of(note: bytes | str) -> set[tuple[str, bytes]]:
    """Whoever a note says has signed it, by the name of the key and its identifier; nothing is checked.

    Raises:
        Malformed: it is not a note.
    """
    return {(name, key_id) for _, name, key_id, _ in _parts(note)[1]}


_Lines = list[tuple[str, str, bytes, bytes]]


def _parts(note: bytes | str) -> tuple[str, _Lines]:
    """The text of a note, and of each line below it: the line, the key's name and identifier, the signature."""
    raw = _utf8(note) if isinstance(note, str) else note
    if len(raw) > MOST_OF_A_NOTE:
        raise Malformed(f"a note has at most {MOST_OF_A_NOTE} bytes")
    try:
        whole = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("a note is UTF-8") from None
    before, gap, below = whole.rpartition("\n\n")
    if not gap or not below.endswith("\n"):
        raise Malformed("a note is a text, an empty line, and lines that sign it, the last one ended")
    text = before + "\n"
    _signable(text)
    lines = below[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise Malformed(f"a note has at most {MOST_SIGNATURES} signatures")
    parts = []
    for line in lines:
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        _check_name(name)
        signature = unbase64(encoded)
        if not line.startswith(_DASH) or len(signature) < 5:
            raise Malformed("below a note stands a line that is no signature")
        parts.append((line, name, signature[:4], signature[4:]))
    return text, parts


def _check_name(name: str) -> None:
    if not name or "+" in name or any(letter.isspace() or letter < " " for letter in name):
        raise Malformed("the name of a key is empty, or has a space, a plus sign or a control character in it")
    _utf8(name)


def _line(key: VerifierKey, signature: bytes) -> str:
    return f"{_DASH}{key.name} {b64encode(key.key_id + signature).decode()}\n"


def _cosigned(text: str, at: int) -> str:
    return f"cosignature/v1\ntime {at}\n{text}"


def _signable(text: str) -> bytes:
    if not text.endswith("\n") or any(letter < " " and letter != "\n" for letter in text):
        raise Malformed("the text of a note ends with a newline, and has no other control character in it")
    return _utf8(text)


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise Malformed("this text cannot be written in UTF-8") from None


def unbase64(encoded: str) -> bytes:
    """The bytes that are written so, and in no second way.

    Raises:
        Malformed: they are not.
    """
    try:
        decoded = b64decode(encoded, validate=True)
    except ValueError:
        raise Malformed("this is not base64") from None
    if b64encode(decoded).decode() != encoded:
        raise Malformed("this base64 has a second spelling")
    return decoded


# ---- Checkpoints: https://c2sp.org/tlog-checkpoint -------------------------------------------------------------------

_SIZE = re.compile("0|[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log is at one size.

    Arguments:
        origin: which log.
        size: number of its leaves.
        root: the root of the tree over them, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """The checkpoint in the text of a note. Lines below the root may follow, and mean nothing here.

        Raises:
            Malformed: it is none.
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]) or not _SIZE.fullmatch(lines[1]):
            raise Malformed("a checkpoint is three lines: the log, its size, its root")
        root = unbase64(lines[2])
        if len(root) != HASH_SIZE:
            raise Malformed("the root of a checkpoint has 32 bytes")
        return cls(lines[0], int(lines[1]), root)


# ---- The next key of a log: docs/ledger-format.md --------------------------------------------------------------------

_OF_A_ROTATION = "callcenter/key-rotation"  # where a checkpoint has its origin, which is of no log


@dataclass(frozen=True, slots=True)
class Rotation:
    """That a log has another key from now on, as the key that it had until then signs it.

    Arguments:
        former: the key until then.
        following: the next one, of the same log.
        last_good: the last head that nobody but the log has signed with ``former``, which was stolen; of no records, if
            there is none. ``None``: nothing has happened to it, and whatever it has signed counts.
    """

    former: VerifierKey
    following: VerifierKey
    last_good: Checkpoint | None = None

    def __post_init__(self) -> None:
        former, following, good = self.former, self.following, self.last_good
        if former == following or former.name != following.name or {former.kind, following.kind} != {SIGNATURE}:
            raise Malformed("the key of a log is followed by another one of that log")
        if good is not None and (good.origin != former.name or (good.size == 0 and good.root != EMPTY_ROOT)):
            raise Malformed("the last good head is none of that log")

    def text(self) -> str:
        """What is signed. No checkpoint reads so: it has its size where the log is named here."""
        lines = [_OF_A_ROTATION, self.former.name, str(self.former), str(self.following)]
        if self.last_good is None:
            lines.append("planned")
        else:
            lines += ["compromised", str(self.last_good.size), b64encode(self.last_good.root).decode()]
        return "\n".join(lines) + "\n"

    def members(self, private: Ed25519PrivateKey) -> dict[str, Any]:
        """What the record says besides what every record does, signed with the private half of ``former``."""
        line = signature_line(self.former.name, private, self.text())
        said = {"from": str(self.former), "vkey": str(self.following), "signature": line.removesuffix("\n")}
        if self.last_good is None:
            return {**said, "cause": "planned"}
        good = {"size": self.last_good.size, "root": b64encode(self.last_good.root).decode()}
        return {**said, "cause": "compromised", "last_good": good}

    @classmethod
    def parse(cls, value: Mapping[str, Any], origin: str) -> Rotation:
        """What a record of the log ``origin`` says, the signature checked by the very key that it names.

        Raises:
            Malformed: it says nothing of the kind, or something of another log.
            Unproven: that key has not signed it.
        """
        good = None
        match value:
            case {"from": str(former), "vkey": str(following), "signature": str(line), "cause": "planned"}:
                if "last_good" in value:
                    raise Malformed("a change that was planned has no last good head")
            case {
                "from": str(former),
                "vkey": str(following),
                "signature": str(line),
                "cause": "compromised",
                "last_good": {"size": int(size), "root": str(root), **rest},
            } if not rest:
                good = Checkpoint.parse(f"{origin}\n{size}\n{root}\n")
            case _:
                raise Malformed("it lacks the former key, the next one, a cause or a signature")
        said = cls(VerifierKey.parse(former), VerifierKey.parse(following), good)
        if said.former.name != origin:
            raise Malformed("the keys that it names are none of this log")
        if "\n" in line:
            raise Malformed("one line signs it")
        signatures_of(f"{said.text()}\n{line}\n", [said.former])
        return said


# ---- The export of a log: docs/ledger-format.md ----------------------------------------------------------------------

FORMAT = 1
MOST_OF_A_LINE = 1_000_000  # bytes
MOST_NESTED = 32  # objects and lists, one within another; ours have four
MOST_FINDINGS = 100  # that are told one by one
MOST_WRONG = 10_000  # findings after which nothing more is read
MOST_BEYOND = 1_000  # records beyond those of the head, after which nothing more is read
MOST_ERASED_AGAIN = 10_000  # times that erasures may name as many records as there are
MOST_ORDERED = 5_000  # records that one order erases
MOST_KEYS = 100  # changes of its key that the records of a log may tell of
MOST_DEFERRED = 200_000  # signatures by keys that may turn out to be former ones: 22 years of hourly checkpoints
MOST_CHECKPOINTS = 400_000  # by keys that are known
ERASURE = "erasure"  # the event that names which bodies are gone, and why
ORDER = "callcenter-erasure/v1"  # what the text of an order begins with: no checkpoint does
ROTATION = "key.rotated"  # the event that names the next key
REFUSED = "record.refused"  # the event that stands in the place of a record that the sealer has refused
_CAUSES = {"retention": ": their time was over", "request": ": it was ordered"}
_PLACED = re.compile("(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12} ){2}[0-9a-f]{64}")
_DIGEST = re.compile("[0-9a-f]{64}")
_MOST_SEQ = 1 << 53  # of a stream's numbers
_INDICES = 1 << 48  # more than a log has
_DEFERRED = Struct(">QQQ32s4s64s")  # a checkpoint's line, records before it, size, root; key, signature


class Verdict(IntEnum):
    """What an export turned out to be, as the status that the program exits with."""

    INTACT = 0
    TAMPERED = 1
    UNCHECKED = 2


class What(Enum):
    """What a finding is of, and what it means to whoever has to act on it."""

    NOT_OURS = "This is not an export of a log, or of a later version than this verifier: nothing was checked."
    NO_KEY = "Signatures can only be checked with the key of this very log, got from somebody else than this file."
    NO_SIGNATURE = "The key of the log has signed nothing in this file: not even that the log is empty."
    NOT_HELD = "Only a checkpoint of this log, signed by its key, can be compared with: nothing follows from this one."
    LINE = "No program of ours wrote this line so: it was changed, or put in."
    LOG = "The record was written for another log, and put into this one."
    STREAM = "A record was taken out, put in, or moved to another place."
    CHAIN = "Either this record or the one before it in its stream was changed after it was written."
    ERASED = "The body of a record is missing, and no erasure on record says why: it was removed."
    ERASURE = "An erasure names records before itself, in order; this one was changed, or never written by ours."
    STOLEN = "The log says that the key you trust was stolen. Get the next one from somebody else than this file."
    ROTATION = "A next key is named by the key before it, which signs that; what stands here changes no key."
    SIGNATURE = "The checkpoint was edited or forged; or the key that you trust is not the one of this log."
    PLACE = "Checkpoints follow the records that they cover, smallest first: lines are missing, or were moved."
    ROOT = "The checkpoint was signed over other records: some were changed, taken out, put in or moved."
    UNSIGNED = "No signature stands for these records: the last checkpoint was removed, or they were added."
    COUNT = "Lines were cut off or added; or the file was not received whole."
    CUT = "The log was longer when your checkpoint was signed: its end was cut off."
    FORK = "A fork: your checkpoint was signed over another past than the one in this file. It was made anew."


_UNCHECKED = (What.NOT_OURS, What.NO_KEY, What.NO_SIGNATURE, What.NOT_HELD, What.STOLEN)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be.

    Arguments:
        what: which kind of thing, and what that means.
        text: what it is here.
        line: number of the line in the file, from 1.
        index: of the record in the log, from 0.
        record: its identifier.
    """

    what: What
    text: str
    line: int | None = None
    index: int | None = None
    record: str | None = None

    def __str__(self) -> str:
        places = (("line", self.line), ("index", self.index), ("record", self.record))
        place = ", ".join(f"{name} {value}" for name, value in places if value is not None)
        return f"{place}: {self.text}" if place else self.text


@dataclass(frozen=True, slots=True)
class Erasure:
    """A record that says why bodies are missing.

    Arguments:
        index, record: where it stands, and its identifier.
        at: its time, as it says.
        bodies: how many of the bodies that are missing it explains.
        cause: ``retention``: their time was over; ``request``: somebody ordered it; as it says.
        ordered_by: the name of the trusted key that has signed the order; empty: there is none, or by no trusted key.
    """

    index: int
    record: str
    at: str
    bodies: int
    cause: str = ""
    ordered_by: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found.

    Arguments:
        verdict: the worst of the findings.
        findings: the first hundred; ``more``: how many came after them; ``left_off``: nothing was read after those.
        origin, records, streams: what the file holds.
        checkpoints: how many are signed by a trusted key and have the root of the records; ``covered``: the records
            under the last of them; ``keep``: that one, with the signatures that were checked, to be held.
        since: the records under the checkpoint that was held, if the log continues it.
        erasures: that explain a missing body, the first hundred; ``erased``: all bodies that are missing with cause.
        rotated: keys that records have added to the trusted ones; ``former``: those that came before them.
        stolen: keys that are said to be, each with the number of records up to which its signatures count.
        cosigned: for each cosigner that is trusted: name, size of the largest checkpoint, and its time, if it has one.
        anchors: how many are named; what they hold is compared where they are kept.
        refused: records that the sealer has refused, in whose places its own stand.
        strange: checkpoints that other keys have signed, where the trusted ones have signed none, and none was stolen.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    more: int = 0
    origin: str = ""
    records: int = 0
    streams: int = 0
    checkpoints: int = 0
    covered: int = 0
    keep: str = ""
    since: int | None = None
    erased: int = 0
    erasures: tuple[Erasure, ...] = ()
    rotated: tuple[str, ...] = ()
    former: tuple[str, ...] = ()
    stolen: tuple[tuple[str, int], ...] = ()
    cosigned: tuple[tuple[str, int, int | None], ...] = ()
    anchors: int = 0
    refused: int = 0
    left_off: bool = False
    strange: int = 0

    def lines(self) -> Iterator[str]:
        """The report for people."""
        title = {Verdict.INTACT: "intact", Verdict.TAMPERED: "TAMPERED", Verdict.UNCHECKED: "could not check"}
        yield f"{title[self.verdict]}: {self.origin or 'this file'}, {self.records} records in {self.streams} streams"
        if self.strange:
            yield (
                f"  your key has signed none of its {self.strange} checkpoints, and another key has: one that came "
                "before yours or after it, or a forger's"
            )
        for finding in self.findings:
            yield f"  {finding}"
            yield f"      {finding.what.value}"
        if self.more:
            yield f"  and {self.more} more findings"
        if self.left_off:
            yield "  what follows was not read: this is no file of ours any more"
        if self.checkpoints:
            yield f"  {self.checkpoints} checkpoints have the records' root; the last one covers {self.covered} records"
        if self.since is not None:
            yield f"  the log continues the checkpoint that you hold, of {self.since} records"
        elif self.verdict is Verdict.INTACT:
            yield "  no earlier checkpoint was given: a cut end, and a past made anew with the key, would not be seen"
        for name, size, at in self.cosigned:
            yield f"  cosigned by {name} at {size} records" + ("" if at is None else f", {_time(at)}")
        if self.erased:
            yield f"  {self.erased} bodies are erased with cause:"
        for one in self.erasures:
            why = _CAUSES.get(one.cause, "")
            if one.cause == "request":
                why += f" by {one.ordered_by}" if one.ordered_by else ", by a key that was not given to trust"
            yield f"      {one.bodies} by record {one.record} at index {one.index}, of {one.at}{why}"
        for key in self.rotated:
            yield f"  a record adds the key {key}"
        for key in self.former:
            yield f"  a record names the key before yours, {key}"
        for key, size in self.stolen:
            yield f"  a record says that this key was stolen, and counts for {size} records alone: {key}"
        if self.refused:
            records, places = ("record was", "its place") if self.refused == 1 else ("records were", "their places")
            yield f"  {self.refused} {records} refused by the sealer, which has put its own in {places}"
        if self.anchors:
            yield f"  {self.anchors} anchors are named; what they hold is compared where they are kept"


def verify_export(lines: Iterable[bytes], trust: Iterable[VerifierKey], since: bytes | str | None = None) -> Report:
    """Look an export through, once from its first line to its last.

    What is kept meanwhile: some 200 bytes for each stream and each checkpoint, and 33 for each record. A file that
    holds far more records than its head says, or thousands of findings, is not read on.

    Arguments:
        lines: of the file, each with its newline.
        trust: the key of the log, any of those that it has had, and those of cosigners who are believed.
        since: the note of an earlier checkpoint that the log must continue.
    """
    examination = _Examination(list(trust))
    try:
        examination.begin(since)
        for number, line in enumerate(lines, 1):
            if number == 1:
                examination.head(line)
            else:
                examination.line(number, line)
        examination.end()
    except _Stopped:
        pass  # what stopped it is a finding, and in the report
    return examination.report()


class _Stopped(Exception):
    """Nothing that follows can be checked."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A change of the key, and where it is told: index, line and identifier of the record."""

    index: int
    line: int
    record: str
    rotation: Rotation


@dataclass(frozen=True, slots=True)
class _Signed:
    """A checkpoint and keys of the log that have signed it; whether these count is known at the end.

    Arguments:
        line, place: where it stands: its line, and how many records come before it.
        seen: names and times of cosigners.
    """

    line: int
    place: int
    size: int
    root: bytes
    keys: tuple[VerifierKey, ...]
    seen: tuple[tuple[str, int | None], ...] = ()


class _Examination:
    """How far the examination of one export has come."""

    def __init__(self, trust: list[VerifierKey]) -> None:
        self.pinned = trust
        self.trust = [*trust]  # and what records may add to it; at the end, what they have added
        self.findings: list[Finding] = []
        self.more = 0
        self.worst = Verdict.INTACT
        self.origin = ""
        self.size = -1  # as the head says; -1: there is no head yet
        self.records = 0
        self.streams: dict[str, int] = {}  # of the last record of each: its number there, times _INDICES, and its index
        self.instead: dict[str, bytes] = {}  # by stream, the leaf of a record that was refused, where it would be next
        self.leaves = bytearray()  # of all records
        self.people = [key for key in trust if key.kind == COSIGNATURE]
        self.missing = bytearray()  # for each record: 1 its body is missing, 2 and an erasure says why
        self.rotations: list[_Told] = []  # each that reads otherwise than those before it
        self.limits: dict[VerifierKey, int] = {}  # stolen keys: how many records their signatures cover at most
        self.former: dict[bytes, VerifierKey] = {}  # keys before those that are trusted, by their identifiers
        self.signed: list[_Signed] = []  # checkpoints, as they stand in the file
        self.counted: list[tuple[int, int]] = []  # line and size of each that counts, where it stands in its place
        self.notes: dict[int, tuple[str, tuple[Signed, ...]]] = {}  # by line, of those that cover all records
        self.deferred = bytearray()  # signatures of the log by keys that are not known yet
        self.since: tuple[bytes | str, Checkpoint] | None = None
        self.continued: int | None = None  # size of the held checkpoint, once the records continue it
        self.roots: dict[int, bytes] = {}  # of as many records as somebody names
        self.signed_to = 0  # records under the last checkpoint that a trusted key has signed
        self.agreed_to = 0  # and under the last one that has the records' root
        self.forked = False  # whether one has had another
        self.checkpoints = 0
        self.keep = ""
        self.erasures: list[Erasure] = []
        self.cosigned: dict[str, tuple[int, int | None]] = {}
        self.anchors = 0
        self.named = 0  # records that erasures have named, each as often as it was
        self.strange = 0  # checkpoints by keys that are not known in the end
        self.refused = 0  # records in whose places the sealer's own stand
        self.left_off = False

    def find(self, what: What, text: str, **where: Any) -> None:
        if what not in _UNCHECKED:
            self.worst = Verdict.TAMPERED
        elif self.worst is Verdict.INTACT:
            self.worst = Verdict.UNCHECKED
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(what, text, **where))
        else:
            self.more += 1
            if self.more >= MOST_WRONG - MOST_FINDINGS:
                self.leave_off()

    def leave_off(self) -> NoReturn:
        self.left_off = True
        raise _Stopped

    def stop(self, what: What, text: str, **where: Any) -> NoReturn:
        self.find(what, text, **where)
        raise _Stopped

    # The head, and what is compared with.

    def begin(self, since: bytes | str | None) -> None:
        try:
            if since is not None:
                self.since = since, Checkpoint.parse(_parts(since)[0])
        except Malformed as error:
            self.stop(What.NOT_HELD, f"what was given as a checkpoint is none: {error}")

    def head(self, line: bytes) -> None:
        match body_value(line.removesuffix(b"\n")):
            case {"callcenter-audit": int(version), "origin": str(origin), "size": int(size), **rest} if not rest:
                if version != FORMAT or isinstance(version, bool) or isinstance(size, bool) or size < 0:
                    self.stop(What.NOT_OURS, "the head is one of another version", line=1)
            case _:
                self.stop(What.NOT_OURS, "the first line is not the head of an export", line=1)
        if not any(key.name == origin and key.kind == SIGNATURE for key in self.trust):
            names = ", ".join(_plain(key.name) for key in self.trust) or "none"
            self.stop(What.NO_KEY, f"this is the log {_plain(origin)}; the keys that you trust: {names}", line=1)
        if self.since is not None and self.since[1].origin != origin:
            self.stop(What.NOT_HELD, f"the checkpoint that you hold is of {_plain(self.since[1].origin)}", line=1)
        self.origin, self.size = origin, size

    # One line after the other.

    def line(self, number: int, line: bytes) -> None:
        if not line.endswith(b"\n"):
            self.find(What.COUNT, "the line is not ended, or is longer than any of ours", line=number)
        body = line.removesuffix(b"\n")
        value = body_value(body)
        if value is None:
            self.find(What.LINE, "the line is no JSON object that reads one way only", line=number, index=self.records)
            self.leaf(leaf_hash(body), 0)
        elif len(value) > 4:  # as most are
            self.record(number, body, value)
        elif value.keys() == {"checkpoint"}:
            self.checkpoint(number, value["checkpoint"])
        elif value.keys() == {"anchor"}:
            self.anchors += 1
        elif value.keys() == {"erased", "leaf", "seq", "stream"}:
            self.erased(number, value)
        else:
            self.record(number, body, value)

    def record(self, number: int, body: bytes, value: dict[str, Any]) -> None:
        leaf, placed, event = leaf_hash(body), _placed(value, "id", "prev"), value.get("event")
        if placed is None or value.get("v") != FORMAT or not isinstance(event, str):
            text = "the line is neither a record of this version nor anything else of ours"
            self.find(What.LINE, text, line=number, index=self.records)
            return self.leaf(leaf, 0)
        name, stream, seq, prev = placed
        if value.get("log") != self.origin:
            text = f"the record is of the log {_plain(value.get('log'))}"
            self.find(What.LOG, text, line=number, index=self.records, record=name)
        self.follow(number, name, stream, seq, prev)
        if event == ERASURE:
            self.erasure(number, name, value)
        elif event == ROTATION:
            self.rotation(number, name, value)
        elif event == REFUSED:
            self.refusal(number, name, stream, value)
        return self.leaf(leaf, 0)

    def erased(self, number: int, value: dict[str, Any]) -> None:
        placed = _placed(value, "erased", "leaf")
        if placed is None:
            self.find(What.LINE, "what stands for an erased record is none", line=number, index=self.records)
            return self.leaf(NO_LEAF, 0)
        name, stream, seq, leaf = placed
        self.follow(number, name, stream, seq, None)
        return self.leaf(leaf, 1)

    def leaf(self, leaf: bytes, missing: int) -> None:
        self.leaves += leaf
        self.missing.append(missing)
        self.records += 1
        if self.records > self.size + MOST_BEYOND:
            self.find(What.COUNT, f"the head says {self.size} records, and the file holds more than {self.records - 1}")
            self.leave_off()

    def follow(self, number: int, name: str, stream: str, seq: int, prev: bytes | None) -> None:
        """That a record follows the one before it in its stream. Of an erased one, ``prev`` is not known any more."""
        before = self.streams.get(stream)
        place, index = (-1, None) if before is None else divmod(before, _INDICES)
        last = NO_LEAF if index is None else self.leaf_at(index)
        if self.instead:
            last = self.instead.pop(stream, last)
        if seq != place + 1:
            text = f"it is number {seq} of stream {stream}, where {place + 1} comes next"
            self.find(What.STREAM, text, line=number, index=self.records, record=name)
        elif prev is not None and prev != last:
            other = "no record stands" if index is None else f"the record at index {index} stands"
            text = f"before it in stream {stream} {other}, and it names another leaf"
            self.find(What.CHAIN, text, line=number, index=self.records, record=name)
        self.streams[stream] = seq * _INDICES + self.records

    def leaf_at(self, index: int) -> bytes:
        """The leaf of the record at an index; nothing, if there is none."""
        return bytes(self.leaves[index * HASH_SIZE : (index + 1) * HASH_SIZE])

    def erasure(self, number: int, name: str, value: dict[str, Any]) -> None:
        ranges, bodies = ranges_of(value), 0
        if ranges is None or (ranges and ranges[-1][1] >= self.records):
            text = "what it erases is no list of ranges of records before it"
            self.find(What.ERASURE, text, line=number, index=self.records, record=name)
            ranges = None
        for first, last in ranges or ():
            self.named += last - first + 1
            start = self.missing.find(1, first, last + 1)
            if start >= 0:
                named = self.missing[start : last + 1]
                self.missing[start : last + 1] = named.replace(b"\x01", b"\x02")
                bodies += named.count(1)
        if self.named > MOST_ERASED_AGAIN * self.records:  # each is looked for: of an honest log, in a moment
            text = "erasures name the same records again and again"
            self.find(What.ERASURE, text, line=number, index=self.records, record=name)
            self.leave_off()
        cause, by = _plain(value.get("cause")), ""
        if cause == "request" and ranges is not None:
            by = self.ordered_by(number, name, value, ranges)
        if bodies and len(self.erasures) < MOST_FINDINGS:
            self.erasures.append(Erasure(self.records, name, _plain(value.get("ts")), bodies, cause, by))

    def ordered_by(self, number: int, name: str, value: dict[str, Any], ranges: list[tuple[int, int]]) -> str:
        """Who of those that are trusted has signed the order."""
        order = value.get("order")
        try:
            if not isinstance(value.get("reason"), str):
                raise Malformed("no reason is given")
            text, signed = signatures_of(order if isinstance(order, str) else "", self.people)
            if sum(last - first + 1 for first, last in ranges) > MOST_ORDERED:
                raise Malformed(f"it is for more than {MOST_ORDERED} records")
            if text == order_text(self.origin, value, self.leaves_of(ranges)):
                return ", ".join(_plain(one.key.name) for one in signed)
            why = "it is an order to erase something else"
        except Unsigned:
            return ""
        except (Malformed, Unproven) as error:
            why = str(error)
        self.find(What.ERASURE, f"the order that it stands on: {why}", line=number, index=self.records, record=name)
        return ""

    def leaves_of(self, ranges: list[tuple[int, int]]) -> Iterator[tuple[int, bytes]]:
        """The indices of these ranges with their leaves; of one that stands nowhere, nothing."""
        for first, last in ranges:
            for index in range(first, last + 1):
                yield index, self.leaf_at(index)

    def rotation(self, number: int, name: str, value: dict[str, Any]) -> None:
        told, where = None, {"line": number, "index": self.records, "record": name}
        try:
            told = Rotation.parse(value, self.origin)
        except (Malformed, Unproven) as error:
            return self.find(What.ROTATION, f"the next key: {error}", **where)
        good = told.last_good
        if good is not None and good.size > self.records:
            return self.find(What.ROTATION, "the last good head that it names covers records behind it", **where)
        if any(one.rotation == told for one in self.rotations):
            return None  # said again, it changes nothing
        if len(self.rotations) >= MOST_KEYS:
            text = f"it is beyond the first {MOST_KEYS} changes of the key, more than any log of ours has"
            return self.find(What.ROTATION, text, **where)
        self.rotations.append(_Told(self.records, number, name, told))
        if good is not None:  # a key that says of itself that it was stolen is believed that much, whoever has it
            self.limits[told.former] = min(good.size, self.limits.get(told.former, good.size))
        return None

    def refusal(self, number: int, name: str, stream: str, value: dict[str, Any]) -> None:
        """The record behind it in its stream names the leaf of the one that was refused, of which nothing else follows:
        neither an erasure nor a key."""
        refused = value.get("refused")
        if not isinstance(refused, str) or not _DIGEST.fullmatch(refused):
            text = "it does not say which record was refused"
            return self.find(What.LINE, text, line=number, index=self.records, record=name)
        self.instead[stream] = bytes.fromhex(refused)
        self.refused += 1
        return None

    def counts(self, key: VerifierKey, size: int) -> bool:
        """Whether what a key of the log has signed over so many records counts; it may have been stolen since."""
        return size <= self.limits.get(key, size)

    # Checkpoints.

    def checkpoint(self, number: int, note: Any) -> None:
        signed: tuple[Signed, ...] = ()
        try:
            text, lines = _parts(note if isinstance(note, str) else "")
            checkpoint = Checkpoint.parse(text)
            _, signed = signatures_of(note, self.trust)
        except Unsigned:
            pass  # by the trusted keys; it may be by one that came before
        except (Malformed, Unproven) as error:
            return self.find(What.SIGNATURE, f"the checkpoint: {error}", line=number)
        size = checkpoint.size
        if checkpoint.origin != self.origin:
            return self.find(What.SIGNATURE, "the key of this log has not signed it for this log", line=number)
        if not any(is_key_of(one.key, self.origin) for one in signed):
            return self.defer(number, text, checkpoint, lines)
        seen = tuple((one.key.name, one.at) for one in signed if one.key.name != self.origin)
        keys = tuple(one.key for one in signed if is_key_of(one.key, self.origin))
        if len(self.signed) >= MOST_CHECKPOINTS:
            self.find(What.COUNT, f"it holds more than {MOST_CHECKPOINTS} checkpoints", line=number)
            self.leave_off()
        self.signed.append(_Signed(number, self.records, size, checkpoint.root, keys, seen))
        if size == self.size and len(self.notes) < MOST_FINDINGS:
            self.notes[number] = text, signed
        self.follow_keys(self.trust, size)
        return None

    def follow_keys(self, trust: list[VerifierKey], size: int) -> None:
        """Add the keys that records under a checkpoint of ``size`` lead to from these, one after another."""
        before = -1
        while before != len(trust):
            before = len(trust)
            for told in self.rotations:
                former, following = told.rotation.former, told.rotation.following
                # By the record that says that it was stolen, a key leads nowhere: that is beyond its last good head.
                leads = told.index < size and former in trust and self.counts(former, told.index + 1)
                if leads and following not in trust:
                    trust.append(following)

    def differs(self, number: int, size: int) -> None:
        """The records have another root than a checkpoint that counts."""
        if self.forked:
            self.more += 1  # once they differ, every later checkpoint does
            return None
        self.forked, where = True, f"what differs lies among the indices {self.agreed_to} to {size - 1}"
        if size == self.agreed_to:
            where = "one before it, of as many records, has theirs"
        elif size < self.agreed_to:
            where = "a later one has theirs"
        return self.find(What.ROOT, f"the checkpoint of {size} records has not their root; {where}", line=number)

    def defer(self, number: int, text: str, checkpoint: Checkpoint, lines: _Lines) -> None:
        """Look once more, at the end, at a checkpoint by a key that is not known: a later record may name it."""
        ours = [(key_id, signed) for _, name, key_id, signed in lines if name == self.origin and len(signed) == 64]
        if (
            not ours
            or checkpoint.text() != text
            or len(self.deferred) + len(ours) * _DEFERRED.size > MOST_DEFERRED * _DEFERRED.size
        ):
            return self.find(What.SIGNATURE, "the key of this log has not signed it for this log", line=number)
        for one in ours:
            self.deferred += _DEFERRED.pack(number, self.records, checkpoint.size, checkpoint.root, *one)
        return None

    # The end.

    def end(self) -> None:
        if self.size < 0:
            self.stop(What.NOT_OURS, "the file is empty")
        if self.records != self.size:
            self.find(What.COUNT, f"the head says {self.size} records, and the file holds {self.records}")
        self.work_out_roots()
        unknown = self.judge()
        is_stolen = self.look_back(unknown)
        if self.signed_to < self.records and not is_stolen:
            text = f"the last checkpoint covers {self.signed_to} records, and the log holds {self.records}"
            self.find(What.UNSIGNED, text, index=self.signed_to)
        start = self.missing.find(1)
        while start >= 0:
            stop = next((at for at in range(start, self.records) if self.missing[at] != 1), self.records)
            self.find(What.ERASED, f"{stop - start} bodies are missing from here on without a cause", index=start)
            start = self.missing.find(1, stop)
        self.compare_last_good()
        if self.since is not None:
            self.compare(*self.since)
        if not self.checkpoints and self.worst is Verdict.INTACT:
            self.find(What.NO_SIGNATURE, "it holds no record and no checkpoint")

    def work_out_roots(self) -> None:
        """The roots of as many records as anybody names, once through them, smallest first."""
        named = {one.size for one in self.signed} | {size for _, _, size, *_ in _DEFERRED.iter_unpack(self.deferred)}
        named |= {one.rotation.last_good.size for one in self.rotations if one.rotation.last_good is not None}
        named |= set() if self.since is None else {self.since[1].size}
        tree = Frontier()
        for size in sorted(one for one in named if one <= self.records):
            tree.extend(self.leaves[tree.size * HASH_SIZE : size * HASH_SIZE])
            self.roots[size] = tree.root()

    def judge(self) -> list[_Signed]:
        """Follow the keys from those that were given, checkpoint by checkpoint, and see which of them count; returns
        those that none of these keys has signed.

        What is known of stolen keys, wherever that stands, holds for all: no line says more for standing elsewhere.
        """
        trust, unknown = [*self.pinned], list[_Signed]()
        for one in self.signed:
            keys = [key for key in one.keys if key in trust]
            counting = {key for key in keys if self.counts(key, one.size)}
            if not keys:
                unknown.append(one)
            elif not counting:
                continue  # by a stolen key, when it was one: it counts for nothing
            elif not self.signed_to <= one.size <= one.place:
                text = f"the checkpoint covers {one.size} records, and stands behind {one.place}"
                self.find(What.PLACE, text, line=one.line)
            else:
                self.signed_to = one.size
                self.counted.append((one.line, one.size))
                if self.roots[one.size] != one.root:
                    self.differs(one.line, one.size)
                    continue
                self.agreed_to, self.checkpoints = one.size, self.checkpoints + 1
                self.cosigned.update((name, (one.size, at)) for name, at in one.seen)
                if one.line in self.notes:
                    text, signed = self.notes[one.line]
                    lines = (line.line for line in signed if line.key in counting or line.key.name != self.origin)
                    self.keep = text + "\n" + "".join(f"{line}\n" for line in lines)
                self.follow_keys(trust, one.size)
        self.trust = trust
        return unknown

    def look_back(self, unknown: list[_Signed]) -> bool:
        """What the changes of the key say of what stands before them; whether the key that is trusted was stolen, and
        no other one leads on.

        Arguments:
            unknown: checkpoints by keys that are not trusted in the end.
        """
        before = -1
        while before != len(self.former):
            before, known = len(self.former), (*self.trust, *self.former.values())
            for told in self.rotations:
                former = told.rotation.former
                # What a trusted key has signed holds this record: so the key that it names was the log's.
                if told.index < self.agreed_to and told.rotation.following in known and former not in known:
                    self.former[former.key_id] = former
        known = (*self.trust, *self.former.values())
        stolen = [
            one
            for one in self.rotations
            if one.rotation.last_good is not None
            and one.rotation.former in known
            and one.rotation.following not in known
        ]
        for one in stolen:
            text = f"the key was stolen; what it has signed counts for {self.limits[one.rotation.former]} records"
            self.find(What.STOLEN, text, line=one.line, index=one.index, record=one.record)
        # Whoever has the stolen key alone cannot know what such a change leads to; nor what came before, if no head of
        # theirs counts.
        led_to, before = [*known], -1
        while stolen and before != len(led_to):
            before = len(led_to)
            for one in self.rotations:
                named = [one.rotation.former, one.rotation.following]
                if any(key in led_to for key in named):
                    led_to += [key for key in named if key not in led_to]
        for one in self.rotations:
            if one.rotation.former not in led_to:
                text = "the key before the one that it names is none that you trust, or that leads to one"
                self.find(What.ROTATION, text, line=one.line, index=one.index, record=one.record)
        limits = [self.limits[one.rotation.former] for one in stolen]
        unknown_from = min(self.agreed_to, *limits) if stolen else None
        for signed in unknown:
            keys = tuple(key for key in signed.keys if key in self.former.values())
            self.late_checkpoint(signed.line, signed.place, signed.size, signed.root, keys, unknown_from)
        for number, rows in groupby(_DEFERRED.iter_unpack(self.deferred), key=lambda row: row[0]):
            self.deferred_checkpoint(number, list(rows), unknown_from)
        last = 0
        for number, size in sorted(self.counted):
            if size < last:
                self.find(What.PLACE, f"the checkpoint covers {size} records, and one before it {last}", line=number)
            last = max(last, size)
        return bool(stolen)

    def deferred_checkpoint(self, number: int, rows: list[tuple[Any, ...]], unknown_from: int | None) -> None:
        """A checkpoint that none of the trusted keys has signed.

        Arguments:
            rows: one for each of its signatures.
            unknown_from: from how many records on it may be by a key that nobody can know yet.
        """
        _, place, size, root, *_ = rows[0]
        signed = [(self.former[key_id], line) for *_, key_id, line in rows if key_id in self.former]
        try:
            for key, line in signed:
                key.check(Checkpoint(self.origin, size, root).text(), line)
        except Unproven as error:
            return self.find(What.SIGNATURE, f"the checkpoint: {error}", line=number)
        return self.late_checkpoint(number, place, size, root, tuple(key for key, _ in signed), unknown_from)

    def late_checkpoint(
        self, number: int, place: int, size: int, root: bytes, keys: tuple[VerifierKey, ...], unknown_from: int | None
    ) -> None:
        """One whose signers, ``keys``, came before those that are trusted; none of them: they are unknown."""
        if not keys:
            self.strange += 1
            if unknown_from is None or size <= unknown_from:
                self.find(What.SIGNATURE, "the checkpoint: none of the trusted keys has signed this", line=number)
        elif not any(self.counts(key, size) for key in keys):
            pass  # by a stolen key, when it was one
        elif size > place:
            self.find(What.PLACE, f"the checkpoint covers {size} records, and stands behind {place}", line=number)
        else:
            self.counted.append((number, size))
            if self.roots[size] == root:
                self.checkpoints += 1
            else:
                self.differs(number, size)

    def compare_last_good(self) -> None:
        """That each last good head that is named has the root of these records."""
        for told in self.rotations:
            good = told.rotation.last_good
            if good is not None and self.roots[good.size] != good.root:
                text = f"the last good head that it names, of {good.size} records, has another root than they"
                self.find(What.ROTATION, text, line=told.line, index=told.index, record=told.record)

    def compare(self, note: bytes | str, held: Checkpoint) -> None:
        try:
            _, signed = signatures_of(note, (*self.trust, *self.former.values()))
        except Unproven as error:
            return self.find(What.NOT_HELD, f"the checkpoint that you hold: {error}")
        signers = [one.key for one in signed if is_key_of(one.key, self.origin)]
        if not signers:
            return self.find(What.NOT_HELD, "the checkpoint that you hold is not signed by the key of the log")
        continues = held.size <= self.records and held.root == self.roots[held.size]
        if not continues and not any(self.counts(key, held.size) for key in signers):
            text = (
                "the checkpoint that you hold is none of this file. It was signed with a key that was stolen then, as "
                "the log says: either by the thief, or the log was made anew since; keep both"
            )
            return self.find(What.NOT_HELD, text)
        if held.size > self.records:
            return self.find(What.CUT, f"checkpoint covers {held.size}, log holds {self.records}", index=self.records)
        if held.root != self.roots[held.size]:
            text = f"the first {held.size} records have another root than the checkpoint that you hold"
            return self.find(What.FORK, text)
        self.continued = held.size
        return None

    def report(self) -> Report:
        return Report(
            verdict=self.worst,
            findings=tuple(sorted(self.findings, key=lambda one: one.line or sys.maxsize)),  # as they stand in the file
            more=self.more,
            origin=_plain(self.origin) if self.origin else "",
            records=self.records,
            streams=len(self.streams),
            checkpoints=self.checkpoints,
            covered=self.agreed_to,
            keep=self.keep,
            since=self.continued,
            erased=self.missing.count(2),
            erasures=tuple(self.erasures),
            rotated=tuple(_plain(str(key)) for key in self.trust if key not in self.pinned),
            former=tuple(_plain(str(key)) for key in self.former.values()),
            stolen=tuple((_plain(str(key)), size) for key, size in self.limits.items()),
            cosigned=tuple((_plain(name), size, at) for name, (size, at) in self.cosigned.items()),
            anchors=self.anchors,
            refused=self.refused,
            left_off=self.left_off,
            # No verdict by this: whoever makes a log anew leaves nothing in it that the true key has signed.
            strange=0 if self.counted or self.limits else self.strange,
        )


def _refused(_: str) -> NoReturn:
    raise ValueError("a number with a fraction, or none at all")


def _each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a name stands twice in one object")
    return found


_JSON = json.JSONDecoder(object_pairs_hook=_each_once, parse_float=_refused, parse_constant=_refused)


def body_value(line: bytes) -> dict[str, Any] | None:
    """The object that a line is; ``None``: it is none, or one that two readers could read differently. How deep a
    reader can look depends on where it stands itself: so what is nested deeper than a fixed bound is none."""
    if len(line) > MOST_OF_A_LINE:
        return None
    try:
        text = line.decode("utf-8")
        value, end = _JSON.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or end != len(text):
        return None
    # Few lines have so many brackets at all: only those are looked at closer. To double them shows it several times
    # faster than to count them, and that is done for every record.
    doubled = len(line.replace(b"[", b"[[", MOST_NESTED)) + len(line.replace(b"{", b"{{", MOST_NESTED))
    if doubled >= 2 * len(line) + MOST_NESTED and _is_deep(value):
        return None
    return value


def _is_deep(value: Any) -> bool:
    """Whether objects and lists stand in one another deeper than is read; looked at level by level."""
    level = [value]
    for _ in range(MOST_NESTED):
        within = [one.values() if isinstance(one, dict) else one for one in level]
        level = [item for one in within for item in one if isinstance(item, (dict, list))]
        if not level:
            return False
    return True


def is_record(value: Mapping[str, Any], origin: str) -> bool:
    """Whether an object is a record of the log ``origin`` in this version, as far as it shows by itself."""
    named = _placed(value, "id", "prev") is not None and value.get("log") == origin
    return named and value.get("v") == FORMAT and isinstance(value.get("event"), str)


def ranges_of(erasure: dict[str, Any]) -> list[tuple[int, int]] | None:
    """The indices that an erasure names, both ends included; ``None``: it is no list of ascending ranges."""
    ranges, after = erasure.get("erases"), -1
    found: list[tuple[int, int]] = []
    for one in ranges if isinstance(ranges, list) else [None]:
        match one:
            case [int(first), int(last)] if after < first <= last and bool not in map(type, one):
                found.append((first, last))
                after = last
            case _:
                return None
    return found


def order_text(origin: str, erasure: Mapping[str, Any], leaves: Iterable[tuple[int, bytes]]) -> str:
    """What whoever orders an erasure signs: in which log, why, whether what proves disclosures goes too, and which
    records, by the digest of their indices (8 bytes, most significant first) each followed by its leaf.

    Arguments:
        leaves: of what is erased, by ascending index.

    Raises:
        Malformed: the erasure gives no reason.
    """
    reason = erasure.get("reason")
    if not isinstance(reason, str):
        raise Malformed("no reason is given")
    whole = "disclosures" if erasure.get("disclosures") is True else "no disclosures"
    digest = sha256(b"".join(index.to_bytes(8, "big") + leaf for index, leaf in leaves)).hexdigest()
    return "".join(f"{line}\n" for line in (ORDER, origin, reason, whole, digest))


def _placed(value: Mapping[str, Any], name: str, leaf: str) -> tuple[str, str, int, bytes] | None:
    """Of a record or what stands for it: identifier, stream, number there, and a leaf; ``None``: one is none.

    Arguments:
        name, leaf: under which the identifier and the leaf stand.
    """
    try:
        record, stream, seq, digest = value[name], value["stream"], value["seq"], value[leaf]
        if type(seq) is int and 0 <= seq < _MOST_SEQ and _PLACED.fullmatch(record + " " + stream + " " + digest):
            return record, stream, seq, bytes.fromhex(digest)
    except (KeyError, TypeError):  # there is none, or it is no text
        pass
    return None


def is_key_of(key: VerifierKey, origin: str) -> bool:
    """Whether a key is one of the log ``origin``, and not a cosigner's."""
    return key.name == origin and key.kind == SIGNATURE


def _plain(value: Any) -> str:
    """Something out of a file, as it can be printed anywhere: nothing in it moves a cursor or mirrors letters."""
    return ascii(value if isinstance(value, str) else type(value).__name__)[1:-1][:200]


def _time(at: int) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{at} seconds after 1970"


# ---- The command -----------------------------------------------------------------------------------------------------

INTERRUPTED = 130  # what a shell says of a program that Ctrl-C has ended: no verdict


def keys_of(text: str) -> list[VerifierKey]:
    """The keys of a file: one a line; empty lines, and those that begin with ``#``, are passed over.

    Raises:
        Malformed: a line is no key, or there is none.
    """
    written = [line.strip() for line in text.splitlines()]
    keys = [VerifierKey.parse(line) for line in written if line and not line.startswith("#")]
    if not keys:
        raise Malformed("there is no key in it")
    return keys


def keys_named(trusted: Iterable[str]) -> list[VerifierKey]:
    """Keys, each given as it is written or by a file of such lines.

    Raises:
        Malformed: one is none.
        OSError: a file is not to be read.
    """
    keys: list[VerifierKey] = []
    for one in trusted:
        keys += [VerifierKey.parse(one)] if "+" in one and not Path(one).exists() else _keys_in(Path(one))
    return keys


def _keys_in(path: Path) -> list[VerifierKey]:
    try:
        return keys_of(path.read_text("utf-8-sig"))  # an editor may have put its mark before the first one
    except UnicodeDecodeError:
        raise Malformed(f"{path} holds no keys") from None
    except Malformed as error:
        raise Malformed(f"{path} holds no keys as `callcenter audit key` shows them: {error}") from error


def why_not(error: OSError | Malformed) -> str:
    """Why something could not be checked, its file named once."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file, none longer than what is looked at."""
    return iter(partial(file.readline, MOST_OF_A_LINE + 1), b"")


def verify_file(
    file: Path, trust: Iterable[VerifierKey], since: Path | None = None, keep: Path | None = None
) -> Report:
    """Look an export through; if all is intact, write its last checkpoint to ``keep``, to be given as ``since`` later.

    What is kept is a note byte for byte. One that comes back has perhaps been in a letter or an editor, which end lines
    in their own way.

    Raises:
        OSError: a file cannot be read or written.
    """
    held = None if since is None else since.read_bytes().replace(b"\r\n", b"\n")
    with file.open("rb") as opened:
        report = verify_export(lines_of(opened), trust, held)
    if keep is not None and report.verdict is Verdict.INTACT:
        keep_note(keep, report.keep)
    return report


def keep_note(path: Path, note: str) -> None:
    """Write a note to be held, whole or not at all: it may take the place of the only one that somebody holds.

    Raises:
        OSError: it cannot be written.
    """
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(note.encode("utf-8"))
    new.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """The program: prints the report; returns 0 intact, 1 tampered, 2 could not check."""
    parser = argparse.ArgumentParser(description="Verify the export of a log: 0 intact, 1 tampered, 2 could not check.")
    parser.add_argument("file", type=Path, help="the export")
    add_trust(parser)
    parser.add_argument("--since", type=Path, help="an earlier checkpoint, which the log must continue")
    parser.add_argument("--keep", type=Path, help="where to write the last checkpoint, if all is intact: for --since")
    given = parser.parse_args(arguments)
    try:
        report = verify_file(given.file, keys_named(given.trust), given.since, given.keep)
    except (OSError, Malformed) as error:
        print(f"could not check: {why_not(error)}", file=sys.stderr)
        return Verdict.UNCHECKED
    print(*report.lines(), sep="\n")
    return report.verdict


def add_trust(parser: argparse.ArgumentParser) -> None:
    """Let a program be told which keys are trusted: what ``keys_named`` reads."""
    what = "the log's key, as it is written, or a file of keys, one a line; cosigners' too"
    parser.add_argument("--trust", action="append", required=True, metavar="KEY|FILE", help=what)


def answered(program: Callable[[], int]) -> int:
    """What a program exits with; one that Ctrl-C ends has no answer, where a traceback would exit with 1."""
    try:
        return program()
    except KeyboardInterrupt:
        print("interrupted: there is no answer", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(answered(main))
