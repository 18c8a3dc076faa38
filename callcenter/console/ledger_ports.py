"""What the pages of the sealed ledger need of the house. They show no record: sizes, times, digests, who holds what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from callcenter.audit.agreement import Deposit
from callcenter.audit.anchors import AnchorKind
from callcenter.audit.proving import RecordPlace, Step
from callcenter.audit.standing import Hour, Mark
from callcenter.calls.call_references import NoCall


class Pace(StrEnum):
    """Whether a log is sealed in time."""

    #: Nothing waits.
    CURRENT = "current"
    #: Something does, for as long as it may.
    SEALING = "sealing"
    LATE = "late"
    #: For how long, nobody can know: the database's clock was put back, or nobody has looked lately.
    UNKNOWN = "unknown"


class Age(StrEnum):
    """Whether what somebody holds is recent enough."""

    #: Nothing was signed since.
    LATEST = "latest"
    RECENT = "recent"
    OLD = "old"
    #: Nothing is put there any more.
    LEFT = "left"
    #: Something should be there, and nothing is yet.
    NEVER = "never"


class NoRecord(StrEnum):
    """Why there is no proof of a record. The words stand in ``templates/ledger_words.html``."""

    #: There is none such; or it is another practice's, which nobody is told apart (P5, P6).
    UNKNOWN = "unknown"
    #: It waits for its seal.
    NOT_YET = "not_yet"
    ERASED = "erased"
    #: The log does not lead from it to its head: it was changed.
    BROKEN = "broken"
    #: The ledger is behind: nothing about patients leaves.
    BEHIND = "ledger_behind"


class KeyIs(StrEnum):
    """What is to be thought of a key that signs."""

    #: It signs alone.
    ALONE = "alone"
    #: It is being changed for the next one, which signs beside it.
    LEAVING = "leaving"
    #: Somebody else has it: what it signs without the next one proves nothing.
    STOLEN = "stolen"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A key that signs a log.

    Arguments:
        fingerprint: by which two people find, reading aloud, that they hold the same.
    """

    fingerprint: str
    standing: KeyIs


@dataclass(frozen=True, slots=True)
class LogLine:
    """A log among those that one may see.

    Arguments:
        id: of the practice; of the house's, ``audit.logs.HOUSE_LOG``.
        name: of the practice; empty for the house.
        pace: whether it is sealed in time.
    """

    id: UUID
    name: str
    pace: Pace


@dataclass(frozen=True, slots=True)
class Logs:
    """What one may choose from.

    Arguments:
        shown: the first by name.
        total: of all.
    """

    shown: Sequence[LogLine]
    total: int


@dataclass(frozen=True, slots=True)
class Holding:
    """What one place holds of a log.

    Arguments:
        size, at: of the largest head that is there, and since when; of a place that has none yet, 0 and ``None``.
    """

    kind: AnchorKind
    place: str
    size: int
    at: datetime | None
    age: Age


@dataclass(frozen=True, slots=True)
class LogState:
    """How a log stands.

    Arguments:
        now: when this was read.
        size, sealed_at: how far it is sealed, and since when.
        waiting: records that wait for their seal; ``many``: at least so many.
        waits: for how long the oldest of them does, where that is known.
        closed: nothing about patients is told in this practice for now.
        origin: what the log is called where it is signed.
        keys: those that sign, the one that has done so for longer first; none where another process seals, which alone
            has them.
        holdings: by kind and place.
        alone_since: since when something is held by nobody else.
        exported_at: when it has left last to be verified.
        refused, refused_at: records that the sealer has refused, and when it did so last.
        since: where ``hours`` and ``marks`` begin.
        hours: in which something was sealed.
        marks: when heads went to somebody else.
    """

    log: LogLine
    now: datetime
    size: int
    sealed_at: datetime | None
    waiting: int
    many: bool
    waits: timedelta | None
    closed: bool
    origin: str
    keys: Sequence[ShownKey]
    holdings: Sequence[Holding]
    alone_since: datetime | None
    exported_at: datetime | None
    refused: int
    refused_at: datetime | None
    since: datetime
    hours: Sequence[Hour]
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True)
class Proved:
    """A record, and that it is in its log: checked by the server, as anybody may with the file.

    Arguments:
        index: its place, from 0.
        leaf: of its bytes.
        size: of the head.
        way: from the leaf to the root.
        root: of the head.
        signed: its signature was checked; false: the key is not here.
    """

    log: LogLine
    record: UUID
    index: int
    leaf: bytes
    size: int
    way: Sequence[Step]
    root: bytes
    signed: bool


@dataclass(frozen=True, slots=True)
class CallPlaces:
    """Where the records of a call are.

    Arguments:
        more: there are others.
    """

    call: UUID
    places: Sequence[RecordPlace]
    more: bool


@dataclass(frozen=True, slots=True)
class Deposits:
    """What others hold, newest first.

    Arguments:
        page, pages: from 1.
        signed: whether signatures were checked; false: the key is not here.
    """

    log: LogLine
    listed: Sequence[Deposit]
    total: int
    page: int
    pages: int
    signed: bool


@dataclass(frozen=True, slots=True)
class Download:
    """A file, whose leaving is on record."""

    name: str
    content: bytes = field(repr=False)


class Ledgers(Protocol):
    """The logs of practices that one supervises or administers; the house's, for who administers all of it.

    Raises, all of them: Forbidden where the session is over; NotFound for a log that is not theirs, and where there is
    none.
    """

    async def logs(self, token: str, search: str) -> Logs:
        """Those that one may see.

        Arguments:
            search: part of a name; empty for all.
        """

    async def state(self, token: str, log: UUID) -> LogState:
        """How a log stands."""

    async def find(self, token: str, log: UUID, reference: str) -> UUID | CallPlaces | NoCall:
        """The record, or the call of this practice, that was typed; or why it is neither.

        Arguments:
            reference: a record's identifier, which need not be one of this log's; or a call's, ours or the carrier's.
        """

    async def proved(self, token: str, log: UUID, record: UUID) -> Proved | tuple[LogLine, NoRecord]:
        """The place of a record, and its way to the last signed head, checked."""

    async def proof(self, token: str, log: UUID, record: UUID) -> Download | NoRecord:
        """The same as a file, as ``callcenter audit prove`` writes it; that it leaves is committed before it does."""

    async def deposits(self, token: str, log: UUID, page: int) -> Deposits:
        """What others hold of it, and whether that is what stands here."""

    async def deposit(
        self, token: str, log: UUID, kind: str, place: str, size: int, *, receipt: bool
    ) -> Download | None:
        """A head as it is held, or what a time stamp authority has given for it; ``None``: there is none such.

        Arguments:
            receipt: what was given for it.
        """
