"""Erasing records of a log: what has had its time is named by a record; what the sealer has let go is deleted.

In this order: the record is sealed while the bytes that it names still stand, and only then they go. Whoever stops in
between, the next run goes on. What is not sealed yet is never named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from callcenter.audit.about import FOLLOW
from callcenter.audit.covering import COVERING
from callcenter.audit.ledger import Value, timestamp
from callcenter.audit.letting_go import MOST_NAMED, RETENTION, is_due, may_go, runs
from callcenter.audit.logs import HOUSE_LOG
from callcenter.audit.not_refused import HOUSE_STANDS, STANDS
from callcenter.audit.reading import body_of
from callcenter.audit.retention import RecordClass, RetentionTerms, events_of
from callcenter.audit.verify import leaf_hash, ranges_of
from callcenter.kernel.errors import NotFound
from callcenter.store.database import Database, Transaction

#: So much later than its time a record is named: the sealer's clock may be behind ours, and refuses what is too young.
LATER = timedelta(days=1)
#: Records that are looked at at once, and how often one run does it, for one class of one log.
PAGE, MOST_PAGES = 2_000, 25
#: Before any record.
NO_RECORD = UUID(int=0)
#: Records that one transaction deletes; the function of the database deletes no more than that.
MOST_DELETED = 2_000


async def due(tx: Transaction, terms: RetentionTerms, now: datetime) -> list[Mapping[str, Value]]:
    """What erasures in the log of ``tx`` are to say: one for each class of which some records have had their time, and
    name it. Nothing while an erasure waits for its seal.

    Arguments:
        now: aware.
    """
    log, run = tx.practice, tx.connection.execute
    if (await run(_WAITS[log == HOUSE_LOG], {"log": log})).scalar_one():
        return []
    erasures: list[Mapping[str, Value]] = []
    for of_class in RecordClass:
        before = terms.cut_off(of_class, now - LATER)
        if before is None:
            continue
        indices = await _indices(tx, of_class, before)
        if indices:
            content = {"cause": RETENTION, "class": of_class.value, "before": timestamp(before)}
            erasures.append({**content, "erases": erases(indices)})
    return erasures


async def _indices(tx: Transaction, of_class: RecordClass, before: datetime) -> list[int]:
    """The records of a class that were written before a moment, as many as one erasure names; none that the sealer
    would refuse, which asks bodies, and no column. Of what is passed over, ``MOST_PAGES`` are read at most."""
    house = tx.practice == HOUSE_LOG
    asked: dict[str, Any] = {"events": events_of(of_class), "before": timestamp(before)}
    values = {**asked, "log": tx.practice, "most": PAGE}
    at, record, found = "", NO_RECORD, list[int]()
    for _ in range(MOST_PAGES):
        rows = (await tx.connection.execute(_DUE[house], {**values, "at": at, "id": record})).all()
        found += [row.idx for row in rows if row.body is not None and is_due(row.body, row.leaf, of_class, before)]
        if len(rows) < PAGE or len(found) >= MOST_NAMED:
            break
        at, record = rows[-1].at, rows[-1].id
    return found[:MOST_NAMED]


def erases(indices: Sequence[int]) -> list[Value]:
    """As an erasure names records."""
    return [[first, last] for first, last in runs(indices)]


async def erase_let_go(tx: Transaction) -> int:
    """Delete what the sealer has let go in the log of ``tx``, a day ago or longer by the database's clock, and tokens
    of persons whom nothing names any more; returns how many records went, of which there are some at most."""
    return int((await tx.connection.execute(_ERASE, {"most": MOST_DELETED})).scalar_one())


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that somebody wants erased.

    Arguments:
        id: its identifier.
        index: its place in the log; ``None``: it is not sealed yet.
        leaf: of its bytes, as they stand there.
        said: what it says.
        by: the record that has named it to be erased; ``None``: none has.
        waits: that record is not sealed yet: the sealer may refuse it.
    """

    id: UUID
    index: int | None
    leaf: bytes
    said: Mapping[str, Any]
    by: UUID | None = None
    waits: bool = False


async def candidates_about(tx: Transaction, subject: UUID) -> list[Candidate]:
    """The records that name somebody, and those that follow on them: how it was heard, that it was fetched again. None
    that was refused: an order that names one is refused whole.

    Arguments:
        subject: their token in the ledger.
    """
    values = {"log": tx.practice, "subject": str(subject), "follow": sorted(FOLLOW)}
    return await _candidates(tx, (await tx.connection.execute(_ABOUT, values)).all())


async def refused_about(tx: Transaction, subject: UUID) -> int:
    """How many records that the sealer has refused name somebody: no order reaches them.

    Arguments:
        subject: their token in the ledger.
    """
    values = {"log": tx.practice, "subject": str(subject)}
    return int((await tx.connection.execute(_REFUSED_ABOUT, values)).scalar_one())


async def candidates_named(tx: Transaction, records: Sequence[UUID]) -> list[Candidate]:
    """These records of the log of ``tx``.

    Raises:
        NotFound: one of them is not in it, is erased, or was refused: what is in no tree, no order lets go.
    """
    log = tx.practice
    rows = (await tx.connection.execute(_THESE[log == HOUSE_LOG], {"log": log, "ids": [*records]})).all()
    found = await _candidates(tx, rows)
    if missing := set(records) - {one.id for one in found}:
        raise NotFound(
            f"this log has no record {min(missing)}, or it is erased: `callcenter audit show --json`; or it was "
            "refused, and is in no tree: `callcenter audit refused`"
        )
    return found


async def _candidates(tx: Transaction, rows: Sequence[Row[Any]]) -> list[Candidate]:
    log = tx.practice
    waiting = (await tx.connection.execute(_WAITING[log == HOUSE_LOG], {"log": log})).all() if rows else []
    named = [(erasure.id, ranges_of(dict(body_of(erasure.body))) or []) for erasure in waiting]
    found = []
    for row in rows:
        by = row.by
        if by is None and row.idx is not None:
            by = next((id_ for id_, ranges in named if any(first <= row.idx <= last for first, last in ranges)), None)
        waits = by is not None and row.by is None
        found.append(Candidate(row.id, row.idx, leaf_hash(row.body), body_of(row.body), by, waits))
    return found


@dataclass(frozen=True, slots=True)
class Plan:
    """What of these records would be erased on an order.

    Arguments:
        goes: is erased.
        kept: is kept by law until its time is over.
        unsealed: is not sealed yet, and can be erased only then.
        named: a record names it to be erased already; a second one would stand there for ever, and do nothing.
    """

    goes: tuple[Candidate, ...]
    kept: tuple[Candidate, ...]
    unsealed: tuple[Candidate, ...]
    named: tuple[Candidate, ...] = ()

    @classmethod
    def of(cls, records: Sequence[Candidate], terms: RetentionTerms, now: datetime, *, whole: bool) -> Plan:
        """What may be erased of these, and what stays, by the rules that the sealer has.

        Arguments:
            whole: what is kept as proof goes too.
        """
        left = [one for one in records if one.by is None]
        may = [one for one in left if may_go(one.said, terms, now, whole=whole)]
        return cls(
            goes=tuple(one for one in may if one.index is not None),
            kept=tuple(one for one in left if one not in may),
            unsealed=tuple(one for one in may if one.index is None),
            named=tuple(one for one in records if one.by is not None),
        )


async def overdue(database: Database, terms: RetentionTerms, now: datetime) -> int:
    """How many records of all logs have had their time and stand, although nothing holds them."""
    many = 0
    async with database.house() as connection:
        for of_class in RecordClass:
            before = terms.cut_off(of_class, now)
            if before is not None:
                values: dict[str, Any] = {"events": events_of(of_class), "before": timestamp(before)}
                many += (await connection.execute(_OVERDUE, values)).scalar_one()
    return many


async def unfinished(database: Database) -> int:
    """How many records were let go, and are not deleted yet; those that are held among them."""
    async with database.house() as connection:
        many: int = (await connection.execute(_UNFINISHED)).scalar_one()
    return many


_WAITS = {
    False: text(
        "SELECT EXISTS (SELECT FROM audit_outbox o JOIN audit_record r ON r.id = o.record_id "
        "WHERE o.practice_id = :log AND r.event = 'erasure')"
    ),
    True: text(
        "SELECT EXISTS (SELECT FROM house_outbox o JOIN house_record r ON r.id = o.record_id "
        "WHERE cast(:log AS uuid) IS NOT NULL AND r.body::jsonb ->> 'event' = 'erasure')"
    ),
}
# By (at, id) a page of what is old is taken first; only of that is it asked whether something holds it.
_DUE = {
    False: text(
        f"""
        SELECT r.id, r.at, l.idx, l.leaf, CASE
            WHEN NOT ledger_holds(r.id, r.practice_id, r.call_id, r.ref)
                AND NOT ledger_in_force(r.practice_id, r.event, r.subject, r.at)
                AND l.idx IS NOT NULL AND e.idx IS NULL
            THEN r.body
        END AS body
        FROM (
            SELECT * FROM audit_record r
            WHERE practice_id = :log AND event = ANY(cast(:events AS text[])) AND at < :before
                AND (at, id) > (cast(:at AS text), cast(:id AS uuid)) AND {STANDS}
            ORDER BY at, id LIMIT :most
        ) AS r LEFT JOIN audit_leaf l ON l.log_id = r.practice_id AND l.record_id = r.id
        {COVERING}
        ORDER BY r.at, r.id
        """  # noqa: S608 - our own words alone
    ),
    True: text(
        f"""
        SELECT r.id, r.at, l.idx, l.leaf, CASE
            WHEN l.idx IS NOT NULL AND e.idx IS NULL THEN convert_to(r.body, 'UTF8')
        END AS body
        FROM (
            SELECT id, body, body::jsonb ->> 'ts' AS at FROM house_record r
            WHERE body::jsonb ->> 'event' = ANY(cast(:events AS text[])) AND body::jsonb ->> 'ts' < :before
                AND (body::jsonb ->> 'ts', id) > (cast(:at AS text), cast(:id AS uuid)) AND {HOUSE_STANDS}
            ORDER BY 3, 1 LIMIT :most
        ) AS r LEFT JOIN audit_leaf l ON l.log_id = :log AND l.record_id = r.id
        {COVERING}
        ORDER BY r.at, r.id
        """  # noqa: S608 - our own words alone
    ),
}
# Erasures that are not sealed yet: few, as they are within seconds.
_WAITING = {
    False: text(
        "SELECT r.id, r.body FROM audit_outbox o JOIN audit_record r ON r.id = o.record_id "
        "WHERE o.practice_id = :log AND r.event = 'erasure' ORDER BY o.n"
    ),
    True: text(
        "SELECT r.id, convert_to(r.body, 'UTF8') AS body FROM house_outbox o JOIN house_record r ON r.id = o.record_id "
        "WHERE cast(:log AS uuid) IS NOT NULL AND r.body::jsonb ->> 'event' = 'erasure' ORDER BY o.n"
    ),
}
# ``w`` is the erasure that covers the leaf.
_LEAF_OF = f"""
    LEFT JOIN audit_leaf l ON l.log_id = :log AND l.record_id = r.id
    {COVERING}
    LEFT JOIN audit_leaf w ON w.log_id = l.log_id AND w.idx = e.idx
"""
_ABOUT = text(
    f"""
    WITH theirs AS (
        SELECT id, stream FROM audit_record r WHERE practice_id = :log AND subject = :subject AND {STANDS}
    )
    SELECT r.id, l.idx, r.body, w.record_id AS by FROM audit_record r {_LEAF_OF}
    WHERE r.practice_id = :log AND (r.id IN (SELECT id FROM theirs) OR (
        r.stream IN (SELECT stream FROM theirs) AND r.event = ANY(cast(:follow AS text[]))
        AND ledger_text(r.body, '{{of}}') IN (SELECT id::text FROM theirs)
    )) AND {STANDS}
    ORDER BY l.idx, r.id
    """  # noqa: S608 - our own words alone
)
_REFUSED_ABOUT = text(
    "SELECT count(*) FROM audit_refused x JOIN audit_record r ON r.practice_id = x.log_id AND r.id = x.record_id "
    "WHERE x.log_id = :log AND r.subject = :subject"
)
_THESE = {
    False: text(
        f"SELECT r.id, l.idx, r.body, w.record_id AS by FROM audit_record r {_LEAF_OF} "  # noqa: S608 - our own words alone
        f"WHERE r.practice_id = :log AND r.id = ANY(cast(:ids AS uuid[])) AND {STANDS} ORDER BY l.idx, r.id"
    ),
    True: text(
        "SELECT r.id, l.idx, convert_to(r.body, 'UTF8') AS body, w.record_id AS by "  # noqa: S608 - the same
        f"FROM house_record r {_LEAF_OF} "
        f"WHERE r.id = ANY(cast(:ids AS uuid[])) AND {HOUSE_STANDS} ORDER BY l.idx, r.id"
    ),
}
_ERASE = text("SELECT erase_sealed(:most)")
_OVERDUE = text("SELECT ledger_overdue(cast(:events AS text[]), :before)")
_UNFINISHED = text("SELECT ledger_unerased()")
