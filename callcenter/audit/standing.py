"""How one log stands, as its page shows it: how far it is sealed, what waits, who else holds it, the last days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from callcenter.audit.about import moment_of
from callcenter.audit.anchors import AnchorKind
from callcenter.audit.ledger import EventKind
from callcenter.audit.logs import HOUSE_LOG
from callcenter.audit.not_refused import STANDS
from callcenter.store.database import Transaction

HOUR = timedelta(hours=1)
#: Of what is counted and listed for a page.
MOST_WAITING, MOST_PLACES, MOST_MARKS = 10_000, 50, 1_000


@dataclass(frozen=True, slots=True)
class SealedSoFar:
    """How far a log is sealed.

    Arguments:
        size: records under its last signed head; 0: nothing is sealed yet.
        at: when that was signed, aware.
        waiting: records that wait, at most ``MOST_WAITING``.
        alone_since: when the oldest head was signed that nobody else holds, nor a later one; ``None``: all are held.
        exported_at: when the log has left last, to be verified; of the house's that is not looked for.
        refused: records that the sealer has refused; ``refused_at``: when it did so last, aware.
    """

    size: int
    at: datetime | None
    waiting: int
    alone_since: datetime | None
    exported_at: datetime | None
    refused: int
    refused_at: datetime | None


@dataclass(frozen=True, slots=True)
class Held:
    """The largest head that one place holds.

    Arguments:
        size: records under it.
        at: since when it is held, aware.
        behind_since: when the first head was signed that is larger; ``None``: there is none.
    """

    kind: AnchorKind
    place: str
    size: int
    at: datetime
    behind_since: datetime | None


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour in which heads were signed.

    Arguments:
        begins: aware, UTC.
        sealed: records that came under a head in it.
    """

    begins: datetime
    sealed: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A head went to somebody else."""

    kind: AnchorKind
    at: datetime


async def sealed_so_far(tx: Transaction) -> SealedSoFar:
    """How far the log of ``tx`` is sealed."""
    house = tx.practice == HOUSE_LOG
    state = (await tx.connection.execute(_STATE, {"log": tx.practice})).one()
    waiting = (await tx.connection.execute(_WAITING[house], {"log": tx.practice, "most": MOST_WAITING})).scalar_one()
    exported = None
    if not house:
        values = {"log": tx.practice, "event": EventKind.LEDGER_EXPORTED.value}
        said = (await tx.connection.execute(_EXPORTED, values)).scalar_one_or_none()
        exported = None if said is None else moment_of(said)
    return SealedSoFar(
        state.size or 0, state.sealed_at, waiting, state.alone_since, exported, state.refused, state.refused_at
    )


async def held_where(tx: Transaction) -> Sequence[Held]:
    """What each place holds of the log of ``tx``, by kind and place."""
    rows = (await tx.connection.execute(_HELD, {"log": tx.practice, "most": MOST_PLACES})).all()
    return [Held(AnchorKind(one.kind), one.place, one.size, one.anchored_at, one.behind_since) for one in rows]


async def hours_of(tx: Transaction, since: datetime) -> Sequence[Hour]:
    """The hours since then in which heads of the log of ``tx`` were signed, in order.

    Of an hour that is over only its last head is kept, so that hours are counted and not heads.

    Arguments:
        since: aware; the beginning of an hour of UTC.
    """
    values = {"log": tx.practice, "since": since}
    rows = (await tx.connection.execute(_HOURS, values)).all()
    before = (await tx.connection.execute(_BEFORE, values)).scalar_one()
    sizes = [before, *(row.size for row in rows)]
    return [Hour(row.hour, max(0, row.size - size)) for row, size in zip(rows, sizes, strict=False)]


async def marks_of(tx: Transaction, since: datetime) -> Sequence[Mark]:
    """When heads of the log of ``tx`` went to somebody else since then, the last of them, in order."""
    values = {"log": tx.practice, "since": since, "most": MOST_MARKS}
    rows = (await tx.connection.execute(_MARKS, values)).all()
    return [Mark(AnchorKind(row.kind), row.anchored_at) for row in reversed(rows)]


_STATE = text(
    """
    SELECT l.size, l.sealed_at, (
        SELECT c.signed_at FROM audit_checkpoint c
        WHERE c.log_id = this.log_id
            AND c.size > (SELECT coalesce(max(a.size), 0) FROM audit_anchor a WHERE a.log_id = this.log_id)
        ORDER BY c.size LIMIT 1
    ) AS alone_since, x.refused, x.refused_at
    FROM (SELECT cast(:log AS uuid) AS log_id) AS this LEFT JOIN audit_log l USING (log_id)
    CROSS JOIN (
        SELECT count(*) AS refused, max(refused_at) AS refused_at FROM audit_refused
        WHERE log_id = cast(:log AS uuid)
    ) AS x
    """
)
_WAITING = {
    False: text(
        "SELECT count(*) FROM (SELECT FROM audit_outbox WHERE practice_id = cast(:log AS uuid) LIMIT :most) AS waits"
    ),
    True: text("SELECT count(*) FROM (SELECT FROM house_outbox WHERE cast(:log AS uuid) IS NOT NULL LIMIT :most) AS w"),
}
_EXPORTED = text(
    f"SELECT at FROM audit_record r WHERE practice_id = :log AND event = :event AND {STANDS} "  # noqa: S608 - ours alone
    "ORDER BY practice_id DESC, event DESC, at DESC LIMIT 1"
)
_HELD = text(
    """
    SELECT held.kind, left(held.place, 1000) AS place, held.size, held.anchored_at, (
        SELECT c.signed_at FROM audit_checkpoint c WHERE c.log_id = :log AND c.size > held.size ORDER BY c.size LIMIT 1
    ) AS behind_since
    FROM (
        SELECT DISTINCT ON (kind, place) kind, place, size, anchored_at FROM audit_anchor
        WHERE log_id = :log ORDER BY kind, place, size DESC LIMIT :most
    ) AS held ORDER BY held.kind, held.place
    """
)
_HOURS = text(
    """
    SELECT date_trunc('hour', signed_at, 'UTC') AS hour, max(size) AS size FROM audit_checkpoint
    WHERE log_id = :log AND signed_at >= :since GROUP BY hour ORDER BY hour
    """
)
_BEFORE = text(
    "SELECT coalesce((SELECT size FROM audit_checkpoint WHERE log_id = :log AND signed_at < :since "
    "ORDER BY log_id, signed_at DESC LIMIT 1), 0)"
)
_MARKS = text(
    "SELECT kind, anchored_at FROM audit_anchor WHERE log_id = :log AND anchored_at >= :since "
    "ORDER BY log_id, anchored_at DESC LIMIT :most"
)
