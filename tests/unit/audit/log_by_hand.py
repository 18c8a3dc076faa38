"""A log and its export, written by hand from ``docs/ledger-format.md``: nothing here is the verifier's.

Hashes, trees, signatures and JSON are made anew, so that a mistake of the verifier is not made twice. What attackers do
to an export they do to the lines that :meth:`LogByHand.lines` returns, or with the pen and the key of another log.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.unit.audit.merkle_by_hand import tree_hash

ORIGIN = "callcenter/5b1ffb4a-6c0d-4b0a-8f0c-0d8f5c3f2a11"


def secret(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


OLD, NEW, WITNESS, THIEF = map(secret, (1, 2, 3, 4))


def written(value: dict[str, Any]) -> bytes:
    """One line's JSON, as RFC 8785 writes it where names are ASCII and numbers whole."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def head(origin: str, size: int) -> bytes:
    return written({"callcenter-audit": 1, "origin": origin, "size": size}) + b"\n"


def checkpoint(note: str) -> bytes:
    return written({"checkpoint": note}) + b"\n"


def key_id(name: str, private: Ed25519PrivateKey, kind: int) -> bytes:
    public = private.public_key().public_bytes_raw()
    return hashlib.sha256(name.encode() + bytes([10, kind]) + public).digest()[:4]


def vkey(private: Ed25519PrivateKey, name: str = ORIGIN, kind: int = 1) -> str:
    public = base64.b64encode(bytes([kind]) + private.public_key().public_bytes_raw()).decode()
    return f"{name}+{key_id(name, private, kind).hex()}+{public}"


def head_text(origin: str, size: int, root: bytes) -> str:
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def signature(text: str, private: Ed25519PrivateKey, name: str = ORIGIN) -> str:
    raw = key_id(name, private, 1) + private.sign(text.encode())
    return f"— {name} {base64.b64encode(raw).decode()}\n"


def cosignature(text: str, private: Ed25519PrivateKey, name: str, at: int) -> str:
    raw = private.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
    return f"— {name} {base64.b64encode(key_id(name, private, 4) + at.to_bytes(8, 'big') + raw).decode()}\n"


def rotation(
    old: Ed25519PrivateKey,
    new: Ed25519PrivateKey,
    good: tuple[int, bytes] | None = None,
    *,
    origin: str = ORIGIN,
    by: Ed25519PrivateKey | None = None,
) -> dict[str, Any]:
    """What a record says besides what all do, where ``old`` is followed by ``new``.

    Arguments:
        good: size and root of the last good head of ``old``, which was stolen; ``None``: the change was planned.
        by: who signs it; ``None``: ``old``.
    """
    lines = ["callcenter/key-rotation", origin, vkey(old, origin), vkey(new, origin)]
    said: dict[str, Any] = {"from": lines[2], "vkey": lines[3], "cause": "planned"}
    if good is not None:
        size, root = good[0], base64.b64encode(good[1]).decode()
        said |= {"cause": "compromised", "last_good": {"size": size, "root": root}}
        lines += ["compromised", str(size), root]
    else:
        lines.append("planned")
    line = signature("".join(f"{one}\n" for one in lines), by or old, origin)
    return {**said, "signature": line.removesuffix("\n")}


@dataclass
class LogByHand:
    """One log, while it is written.

    Arguments:
        seed: of identifiers.
        bodies: the records, as they were written.
        gone: indices of those whose bodies have been erased.
        notes: checkpoints in order, each with its size.
    """

    seed: int = 1
    origin: str = ORIGIN
    bodies: list[bytes] = field(default_factory=list)
    gone: set[int] = field(default_factory=set)
    notes: list[tuple[int, str]] = field(default_factory=list)
    anchors: list[dict[str, Any]] = field(default_factory=list)
    chance: Random = field(init=False)
    ends: dict[str, tuple[int, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)

    def stream(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    def add(self, stream: str | None = None, event: str = "disclosure", **content: Any) -> int:
        """Write one record; returns its index. ``None``: the first of a stream of its own."""
        stream = stream or self.stream()
        seq, prev = self.ends.get(stream, (0, "00" * 32))
        header = {
            "v": 1,
            "log": self.origin,
            "id": self.stream(),
            "stream": stream,
            "seq": seq,
            "prev": prev,
            "ts": f"2026-11-26T09:00:{len(self.bodies) % 60:02d}.000000Z",
            "event": event,
            "actor": {"kind": "ivr", "id": "nœud 2"},
            "call": stream,
            "subject": None,
        }
        body = written({**header, **content})
        self.ends[stream] = (seq + 1, hashlib.sha256(b"\x00" + body).hexdigest())
        self.bodies.append(body)
        return len(self.bodies) - 1

    def text(self, size: int | None = None) -> str:
        """What is signed of the first ``size`` records; ``None``: of all."""
        size = len(self.bodies) if size is None else size
        return head_text(self.origin, size, tree_hash(tuple(self.bodies[:size])))

    def sign(self, *secrets: Ed25519PrivateKey, below: str = "", size: int | None = None) -> str:
        """Sign a checkpoint over what stands so far; returns its note.

        Arguments:
            secrets: of the log, the first one if none is named.
            below: further lines of signatures.
        """
        text = self.text(size)
        note = text + "\n" + "".join(signature(text, one, self.origin) for one in secrets or (OLD,)) + below
        self.notes.append((len(self.bodies) if size is None else size, note))
        return note

    def erase(self, *indices: int, by: Sequence[Sequence[int]] | None = None) -> int:
        """Erase bodies, and put on record that they were; returns the index of that record.

        Arguments:
            by: the ranges on record; ``None``: each index by itself.
        """
        self.gone |= set(indices)
        return self.add(None, "erasure", erases=[[one, one] for one in sorted(indices)] if by is None else by)

    def rotate(self, old: Ed25519PrivateKey, new: Ed25519PrivateKey, good: int | None = None) -> int:
        """Put on record that ``old`` is followed by ``new``; returns the index of that record.

        Arguments:
            good: records under the last good head of ``old``, which was stolen; ``None``: it was not.
        """
        known = None if good is None else (good, tree_hash(tuple(self.bodies[:good])))
        return self.add(None, "key.rotated", **rotation(old, new, known, origin=self.origin))

    def lines(self, *, last: bool = False) -> list[bytes]:
        """The export; ``last``: checkpoints stand behind all records, not each behind those that it covers."""
        found = [head(self.origin, len(self.bodies))]
        for index, body in enumerate(self.bodies):
            found.append(self._line(index, body) + b"\n")
            found += [checkpoint(note) for size, note in self.notes if size == index + 1 and not last]
        found += [checkpoint(note) for _, note in self.notes if last]
        return found + [written({"anchor": anchor}) + b"\n" for anchor in self.anchors]

    def _line(self, index: int, body: bytes) -> bytes:
        if index not in self.gone:
            return body
        record = json.loads(body)
        leaf = hashlib.sha256(b"\x00" + body).hexdigest()
        return written({"erased": record["id"], "stream": record["stream"], "seq": record["seq"], "leaf": leaf})


def five_calls(by: Ed25519PrivateKey = OLD, instead: Mapping[int, str] | None = None) -> LogByHand:
    """Five calls of four records, a checkpoint after each round: of 5, 10, 15 and 20 records.

    Arguments:
        by: whose signatures stand on the checkpoints.
        instead: what records at some indices tell, as if it had always been so.
    """
    log = LogByHand()
    streams = [log.stream() for _ in range(5)]
    for number in range(4):
        for stream in streams:
            log.add(stream, step=(instead or {}).get(len(log.bodies), f"pas {number}"))
        log.sign(by)
    return log
