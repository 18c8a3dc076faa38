"""What a log of records is verified by, in the one file that an auditor reads.

It needs Python 3.11 and the ``cryptography`` package, and imports nothing of callcenter, which takes from it what it
hashes and signs by. From top to bottom: Merkle trees (RFC 6962), signed notes and checkpoints (https://c2sp.org). What
is checked either returns or raises; it is never a bool that somebody may forget to look at.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class Malformed(Exception):
    """A text, a key or a proof does not have the form that it must have."""


class Unproven(Exception):
    """A proof or a signature has its form, and does not prove what it is to prove."""


# ---- Merkle trees: RFC 6962 §2.1 ------------------------------------------------------------------------------------

LEAF_PREFIX = b"\x00"  # leaves and nodes never collide
NODE_PREFIX = b"\x01"
HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
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
        peaks, whole = self.peaks, self.size
        while whole & 1:
            leaf = node_hash(peaks.pop(), leaf)
            whole >>= 1
        peaks.append(leaf)
        self.size += 1

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


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root of the tree over ``leaves``, which are hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.add(leaf)
    return frontier.root()


def _split(size: int) -> int:
    """Where a tree of ``size`` leaves, two or more, has its halves: the largest power of two below its size."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """What stands beside the way from leaf ``index`` to the root, lowest first (§2.1.1).

    Raises:
        Malformed: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise Malformed(f"there is no leaf {index} among {len(leaves)}")
    start, end, proof = 0, len(leaves), []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(root_of(leaves[middle:end]))
            end = middle
        else:
            proof.append(root_of(leaves[start:middle]))
            start = middle
    return proof[::-1]


def consistency_proof(first: int, leaves: Sequence[bytes]) -> list[bytes]:
    """What shows that the tree of the first ``first`` leaves has only been added to, lowest first (§2.1.2).

    Raises:
        Malformed: there are not as many leaves.
    """
    if not 0 <= first <= len(leaves):
        raise Malformed(f"there are no {first} leaves among {len(leaves)}")
    if first == 0:
        return []  # anything continues the empty tree
    start, end, proof = 0, len(leaves), []
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            proof.append(root_of(leaves[middle:end]))
            end = middle
        else:
            proof.append(root_of(leaves[start:middle]))
            start = middle
    if start:  # otherwise what is left is the first tree itself, whose root is known
        proof.append(root_of(leaves[start:end]))
    return proof[::-1]


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
        decoded = _unbase64(encoded)
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
        Unproven: none of ``keys`` has signed it, or a signature in the name of one is wrong.
    """
    text, lines = _parts(note)
    known = {(key.name, key.key_id): key for key in keys}
    found: dict[VerifierKey, Signed] = {}
    for line, name, key_id, signature in lines:
        key = known.get((name, key_id))
        if key is not None:
            found[key] = Signed(key, line, key.check(text, signature))
    if not found:
        raise Unproven("none of the trusted keys has signed this")
    return text, tuple(found.values())


def open_note(note: bytes | str, keys: Iterable[VerifierKey]) -> tuple[str, tuple[str, ...]]:
    """The text of a note, and the names of those of ``keys`` that have signed it; raises like ``signatures_of``."""
    text, signed = signatures_of(note, keys)
    return text, tuple(one.key.name for one in signed)


def _parts(note: bytes | str) -> tuple[str, list[tuple[str, str, bytes, bytes]]]:
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
        signature = _unbase64(encoded)
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


def _unbase64(encoded: str) -> bytes:
    """The bytes that are written so, and in no second way."""
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
        root = _unbase64(lines[2])
        if len(root) != HASH_SIZE:
            raise Malformed("the root of a checkpoint has 32 bytes")
        return cls(lines[0], int(lines[1]), root)
