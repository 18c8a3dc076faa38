"""What is sealed, worked out once more from the rows: by the RFC's own recursion, and nothing of the sealer's."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.letting_go import Rules
from callcenter.audit.sealer import LogSealer, elected
from callcenter.audit.sealing_key import load_sealing_key
from callcenter.audit.signing import SealingKey
from callcenter.kernel.clock import Clock
from callcenter.store.database import Database
from tests.unit.audit.merkle_by_hand import tree_hash

HOUSE = UUID(int=0)


class Cries:
    """Keeps what the sealer cries about."""

    def __init__(self) -> None:
        self.heard: list[tuple[UUID, str]] = []
        self.refused: list[tuple[UUID, str]] = []
        self.unusable: list[str] = []

    def log_broken(self, log: UUID, why: str) -> None:
        self.heard.append((log, why))

    def key_lacking(self, log: UUID, why: str) -> None:
        self.heard.append((log, why))

    def record_refused(self, log: UUID, why: str) -> None:
        """Heard too: nobody expects it."""
        self.heard.append((log, why))
        self.refused.append((log, why))

    def key_unusable(self, why: str) -> None:
        self.unusable.append(why)


@dataclass(frozen=True, slots=True)
class State:
    """What a log holds.

    Arguments:
        leaves: how many.
        heads: sizes that are signed.
        waiting: records that are not sealed.
    """

    leaves: int
    heads: tuple[int, ...]
    waiting: int


def a_key() -> SealingKey:
    """The same one in every test."""
    return SealingKey(Ed25519PrivateKey.from_private_bytes(sha256(b"the sealer of the tests").digest()))


async def seal_once(
    url: str, key: SealingKey | Path, clock: Clock, *, most: int = 5_000, rules: Rules | None = None
) -> list[tuple[UUID, str]]:
    """A sealer that begins anew, as it is begun after a crash, seals what waits, or one round of fewer records; returns
    what it cried about."""
    cries = Cries()
    sealer = LogSealer(load_sealing_key(key) if isinstance(key, Path) else key, clock, cries, most, rules or Rules())
    database = Database(url, pool_size=1)
    try:
        async with database.engine.connect() as connection:
            assert await elected(connection), "another sealer holds the lock"
            await sealer.round(connection)
            while sealer.more and most >= 5_000:
                await sealer.round(connection)
    finally:
        await database.close()
    return cries.heard


async def verified(root: AsyncConnection, key: SealingKey) -> dict[UUID, State]:
    """Every log, by identifier, once everything that stands of it has been found to fit.

    Arguments:
        root: of the superuser, whom nothing is hidden from.
    """
    rows = {
        name: (await root.execute(text(query))).all()
        for name, query in {
            "leaves": "SELECT * FROM audit_leaf ORDER BY log_id, idx",
            "heads": "SELECT * FROM audit_checkpoint ORDER BY log_id, size",
            "logs": "SELECT * FROM audit_log",
            "records": "SELECT id, practice_id AS log, stream, seq, body FROM audit_record UNION ALL "
            f"SELECT id, '{HOUSE}', stream, seq, convert_to(body, 'UTF8') FROM house_record",
            "waiting": "SELECT practice_id AS log, record_id FROM audit_outbox UNION ALL "
            f"SELECT '{HOUSE}', record_id FROM house_outbox",
        }.items()
    }
    records = {row.id: row for row in rows["records"]}
    sealed = [row.record_id for row in rows["leaves"]]
    everywhere = Counter([*sealed, *(row.record_id for row in rows["waiting"])])
    assert everywhere == Counter(records.keys()), "each record is sealed or waits, and once"
    states = {}
    for log in {row.log for row in records.values()}:
        leaves = [row for row in rows["leaves"] if row.log_id == log]
        heads = [row for row in rows["heads"] if row.log_id == log]
        further = [row for row in rows["logs"] if row.log_id == log]
        assert [row.idx for row in leaves] == list(range(len(leaves)))
        bodies = tuple(bytes(records[row.record_id].body) for row in leaves)
        for row, body in zip(leaves, bodies, strict=True):
            record = records[row.record_id]
            assert (row.leaf, row.stream, row.seq) == (sha256(b"\x00" + body).digest(), record.stream, record.seq)
            assert record.log == log
        _each_stream_is_in_order(leaves)
        for head in heads:
            _signed(head.note, log, head.size, tree_hash(bodies[: head.size]), key)
        assert [(row.size, row.frontier) for row in further] == ([(len(bodies), _peaks(bodies))] if bodies else [])
        assert not bodies or heads[-1].size == len(bodies)
        waiting = sum(row.log == log for row in rows["waiting"])
        states[log] = State(len(leaves), tuple(head.size for head in heads), waiting)
    return states


def _each_stream_is_in_order(leaves: Sequence[object]) -> None:
    came: Counter[UUID] = Counter()
    for row in leaves:
        assert row.seq == came[row.stream], "a record is sealed before one that stands before it in its stream"  # type: ignore[attr-defined]
        came[row.stream] += 1  # type: ignore[attr-defined]


def _signed(note: str, log: UUID, size: int, root: bytes, key: SealingKey) -> None:
    """That a note says this of the log, and is signed (C2SP signed-note, tlog-checkpoint)."""
    origin = "callcenter/house" if log == HOUSE else f"callcenter/{log}"
    said, _, signatures = note.rpartition("\n\n")
    assert said.split("\n") == [origin, str(size), base64.b64encode(root).decode()]
    dash, name, encoded = signatures.strip().split(" ")
    assert (dash, name) == ("—", origin)
    public = key.private.public_key().public_bytes_raw()
    identifier = sha256(f"{origin}\n".encode() + b"\x01" + public).digest()[:4]
    decoded = base64.b64decode(encoded)
    assert decoded[:4] == identifier
    Ed25519PublicKey.from_public_bytes(public).verify(decoded[4:], f"{said}\n".encode())


def _peaks(bodies: tuple[bytes, ...]) -> bytes:
    """The roots of the perfect trees that the tree consists of, largest first."""
    peaks, start = b"", 0
    for bit in reversed(range(len(bodies).bit_length())):
        if len(bodies) >> bit & 1:
            peaks += tree_hash(bodies[start : start + (1 << bit)])
            start += 1 << bit
    return peaks


class Behind:
    """A ledger that is never sealed in time. Implements ``audit.watching.LedgerWatch``."""

    async def look(self) -> None:
        pass

    def is_behind(self, _: UUID) -> bool:
        return True

    def is_any_behind(self) -> bool:
        return True


class InTime:
    """A ledger that is always sealed in time. Implements ``audit.watching.LedgerWatch``."""

    async def look(self) -> None:
        pass

    def is_behind(self, _: UUID) -> bool:
        return False

    def is_any_behind(self) -> bool:
        return False
