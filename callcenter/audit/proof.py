"""That one record is in a log, to be shown to somebody without the log: https://c2sp.org/tlog-proof.

A text: the record, its index, what stands beside the way from its leaf to the root, and a signed head with that root.
Of callcenter it imports ``audit.verify`` alone: with these two files in a folder ``callcenter/audit``, and with
``cryptography``, ``python -m callcenter.audit.proof FILE --trust KEY`` checks one without the rest of the program.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from callcenter.audit.verify import (
    HASH_SIZE,
    SIGNATURE,
    Checkpoint,
    Malformed,
    Unproven,
    Unsigned,
    Verdict,
    VerifierKey,
    add_trust,
    answered,
    check_inclusion,
    keys_named,
    leaf_hash,
    signatures_of,
    unbase64,
    why_not,
)

FIRST_LINE = "c2sp.org/tlog-proof@v1"
MOST_OF_A_PROOF = 3_000_000  # bytes: of a record and a note, a million each at most
_INDEX = re.compile("index (0|[1-9][0-9]{0,17})")


class NoKey(Exception):
    """A proof can only be checked with the key of its very log."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof has shown.

    Arguments:
        head: signed by the log's key, and the record is under it.
        signers: names of the trusted keys that have signed it, cosigners among them.
        record: what the record says.
    """

    head: Checkpoint
    signers: tuple[str, ...]
    record: dict[str, object]


@dataclass(frozen=True, slots=True)
class Proof:
    """A record, and that it is in the log.

    Arguments:
        body: its exact bytes.
        index: its place in the log.
        beside: hashes beside the way from its leaf to the root, lowest first (RFC 6962 §2.1.1).
        note: the signed head.
    """

    body: bytes
    index: int
    beside: tuple[bytes, ...]
    note: str

    def text(self) -> str:
        """As it is written to a file. The record stands where the format has room for what its leaf is made of."""
        lines = [
            FIRST_LINE,
            f"extra {b64encode(self.body).decode()}",
            f"index {self.index}",
            *(b64encode(one).decode() for one in self.beside),
        ]
        return "\n".join(lines) + f"\n\n{self.note}"

    @classmethod
    def parse(cls, text: bytes) -> Proof:
        """What :meth:`text` has written.

        Raises:
            Malformed: it is no such proof.
        """
        if len(text) > MOST_OF_A_PROOF:
            raise Malformed(f"a proof has at most {MOST_OF_A_PROOF} bytes")
        try:
            above, gap, note = text.decode("utf-8").partition("\n\n")
        except UnicodeDecodeError:
            raise Malformed("a proof is UTF-8") from None
        lines = above.split("\n")
        if not gap or lines[0] != FIRST_LINE or len(lines) < 3:
            raise Malformed("this is not the proof of a record")
        index = _INDEX.fullmatch(lines[2])
        if not lines[1].startswith("extra ") or index is None:
            raise Malformed("a proof holds the record, then its index")
        beside = tuple(unbase64(line) for line in lines[3:])
        if any(len(one) != HASH_SIZE for one in beside):
            raise Malformed("what stands beside the way to the root are hashes of 32 bytes")
        return cls(unbase64(lines[1].removeprefix("extra ")), int(index[1]), beside, note)

    def check(self, trust: Iterable[VerifierKey]) -> Proven:
        """That the record is in a log whose key is among ``trust``, at this index.

        Raises:
            NoKey: none of ``trust`` is of the log that the head names: nothing follows from that.
            Malformed: something in it has not the form that it must have.
            Unproven: it shows nothing of the kind.
        """
        keys = list(trust)
        origin = self.note.partition("\n")[0]
        if not any((key.name, key.kind) == (origin, SIGNATURE) for key in keys):
            raise NoKey(f"this is of the log {ascii(origin[:200])[1:-1]}, of which you trust no key")
        text, signed = signatures_of(self.note, keys)
        head = Checkpoint.parse(text)
        record = _read(self.body)
        if not any((one.key.name, one.key.kind) == (head.origin, SIGNATURE) for one in signed):
            raise Unproven("the key of the log has not signed the head")
        if record.get("log") != head.origin:
            raise Unproven("the record is of another log than the head")
        check_inclusion(leaf_hash(self.body), self.index, head.size, self.beside, head.root)
        return Proven(head, tuple(one.key.name for one in signed), record)


def _read(body: bytes) -> dict[str, object]:
    """What a record says; nothing, if it is none, or is nested some thousand deep."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def main(arguments: Sequence[str] | None = None) -> int:
    """The program: prints what is shown; returns 0 proven, 1 not, 2 could not check."""
    parser = argparse.ArgumentParser(description="Check the proof of a record: 0 proven, 1 not, 2 could not check.")
    parser.add_argument("file", type=Path, help="the proof")
    add_trust(parser)
    given = parser.parse_args(arguments)
    try:
        trust = keys_named(given.trust)
        with given.file.open("rb") as opened:
            proof = Proof.parse(opened.read(MOST_OF_A_PROOF + 1))
    except (OSError, Malformed) as error:
        print(f"could not check: {why_not(error)}", file=sys.stderr)
        return Verdict.UNCHECKED
    try:
        proven = proof.check(trust)
    except (NoKey, Unsigned) as error:
        print(f"could not check: {error}: get the key from somebody else than this file", file=sys.stderr)
        return Verdict.UNCHECKED
    except (Malformed, Unproven) as error:
        print(f"NOT PROVEN: {error}")
        return Verdict.TAMPERED
    print(f"proven: record {proof.index} of {proven.head.size} of {proven.head.origin}")
    print(f"  signed by {', '.join(ascii(name)[1:-1] for name in proven.signers)}")
    print(f"  {ascii(proof.body.decode(errors='replace'))[1:-1]}")
    return Verdict.INTACT


if __name__ == "__main__":
    sys.exit(answered(main))
