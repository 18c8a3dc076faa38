"""What the ledger holds about one person: their records, with what followed on each and what is there no more."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from uuid import UUID

from sqlalchemy import and_, or_, select, text

from callcenter.audit.gaps import gaps, gone_of
from callcenter.audit.ledger import EventKind, timestamp
from callcenter.audit.not_refused import STANDS, stands
from callcenter.audit.reading import WHOLE, Checked, Record, checked_in_streams
from callcenter.audit.tables import audit_record
from callcenter.store.database import Transaction

#: Records that are read besides, of the streams in which somebody is named; of a call there are some dozens.
MOST_BESIDE = 50_000
#: Erasures of which the day is told.
MOST_ERASURES = 100

#: For what does not say when it was written: a moment that is one in every time zone, and mostly of that day.
NO_MOMENT = datetime(1970, 1, 1, 12, tzinfo=UTC)
#: They name the record on which they follow.
FOLLOW = frozenset(kind.value for kind in (EventKind.PLAYBACK, EventKind.REDELIVERED, EventKind.HIDDEN))
#: Somebody has gone through a call again in which the person is named: these name the call alone.
_LOOKS = frozenset(kind.value for kind in (EventKind.CALL_REVIEWED, EventKind.CALL_PRINTED, EventKind.CALL_NOTES_READ))

_r = audit_record.c


@dataclass(frozen=True, slots=True)
class Told:
    """A record about somebody.

    Arguments:
        one: the record, and whether it is the one that was written there.
        call: in which it was written, if in one.
        stream: of the ledger.
        followed: what followed on it, in order: how it was heard, that it was fetched again.
    """

    one: Checked
    call: UUID | None
    stream: UUID
    followed: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """What is on record about somebody.

    Arguments:
        records: in the order in which they were written.
        missing: how many records are there no more, of each stream in which the person is named and some are.
        taken: how many of those no erasure on record names: they were taken away.
        whole: all of them are here; of more than were asked for, the latest are.
    """

    records: tuple[Told, ...]
    missing: Mapping[UUID, int]
    whole: bool
    taken: Mapping[UUID, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the ledger of a practice reaches.

    Arguments:
        begins: when its first record was written, ``None`` of an empty one.
        erasures: when something was erased from it, in order.
    """

    begins: datetime | None
    erasures: tuple[datetime, ...] = ()


async def records_about(tx: Transaction, subject: UUID, since: datetime, until: datetime, most: int) -> About:
    """The records that name ``subject``, and those of looks at the calls in which they do. Nobody else's are here,
    though they stand in the same stream; nor is what the sealer has refused, which tells nothing of them.

    Arguments:
        subject: the person's token in the ledger.
        since, until: from this moment, and before that one.
        most: how many records.
    """
    named = (
        select(_r.id, _r.stream, _r.call_id)
        .where(_r.practice_id == tx.practice, _r.subject == str(subject), _r.subject.is_not(None))
        .where(_r.at >= timestamp(since), _r.at < timestamp(until), stands())
        .order_by(_r.at.desc(), _r.id.desc())
        .limit(most + 1)
    )
    found = (await tx.connection.execute(named)).all()
    theirs = {row.id for row in found[:most]}
    calls = {row.call_id for row in found[:most]} - {None}
    if not theirs:
        return About((), {}, whole=True)
    looked = and_(_r.call_id.in_(calls), _r.event.in_(sorted(_LOOKS)))
    beside = (
        select(*WHOLE)
        .where(_r.practice_id == tx.practice, or_(_r.stream.in_({row.stream for row in found[:most]}), looked))
        .order_by(_r.stream, _r.seq)
        .limit(MOST_BESIDE)
    )
    rows = (await tx.connection.execute(beside)).all()
    gone = await gone_of(tx, {row.stream for row in rows})
    checked = list(checked_in_streams(rows, gone))
    followed: dict[UUID, list[Record]] = defaultdict(list)
    for one, _ in checked:
        if (of := _followed(one.record)) in theirs and of is not None:
            followed[of].append(one.record)
    told = [
        Told(one, row.call_id, row.stream, tuple(followed[one.record.id]))
        for one, row in checked
        if one.record.id in theirs or _is_look(one.record, since, until)
    ]
    told.sort(key=lambda each: (str(each.one.record.body.get("ts", "")), each.one.record.seq))
    # What was taken away before it was sealed has left no leaf: only a gap, before whatever came after it.
    unsealed = gaps([*((row.stream, row.seq) for row in rows), *((one.stream, one.seq) for one in gone)])
    return About(
        tuple(told),
        missing=Counter(each.stream for each in gone) + unsealed,
        taken=Counter(each.stream for each in gone if each.why is None) + unsealed,
        whole=len(found) <= most and len(rows) < MOST_BESIDE,
    )


async def reach_of(tx: Transaction) -> Reach:
    """How far the ledger of this practice reaches."""
    begins = (await tx.connection.execute(_BEGINS, {"practice": tx.practice})).scalar_one_or_none()
    values = {"practice": tx.practice, "event": EventKind.ERASURE.value, "most": MOST_ERASURES}
    erased = (await tx.connection.execute(_ERASURES, values)).scalars().all()
    return Reach(moment_of(begins), tuple(at for each in reversed(erased) if (at := moment_of(each)) is not None))


def _followed(record: Record) -> UUID | None:
    """On which record this one follows."""
    if record.body.get("event") not in FOLLOW:
        return None
    try:
        return UUID(str(record.body.get("of")))
    except ValueError:
        return None


def _is_look(record: Record, since: datetime, until: datetime) -> bool:
    at = str(record.body.get("ts", ""))
    return record.body.get("event") in _LOOKS and timestamp(since) <= at < timestamp(until)


def leaves_of(records: Iterable[Told]) -> bytes:
    """The leaves of these records, one behind the other."""
    return b"".join(each.one.leaf for each in records)


def moment_of(written: object) -> datetime | None:
    """When a record says that it was written; ``None`` where no clock on earth can have said so.

    It is told in the time of a practice, and of the first and the last year not every moment is in every time zone.
    """
    try:
        at = datetime.fromisoformat(str(written)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if MINYEAR < at.year < MAXYEAR else None


_BEGINS = text(
    f"SELECT at FROM audit_record r WHERE practice_id = :practice AND {STANDS} ORDER BY at, id LIMIT 1"  # noqa: S608 - our own words alone
)
_ERASURES = text(
    f"SELECT at FROM audit_record r WHERE practice_id = :practice AND event = :event AND {STANDS} "  # noqa: S608 - the same
    "ORDER BY at DESC, id LIMIT :most"
)
