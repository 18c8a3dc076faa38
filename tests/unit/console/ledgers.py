"""The sealed ledger as the pages' tests have it: one practice's log, what others hold of it, and a record in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from callcenter.audit.agreement import Agreement, Deposit
from callcenter.audit.anchors import Anchor, AnchorKind
from callcenter.audit.logs import HOUSE_LOG
from callcenter.audit.proving import RecordPlace, Step, Stretch
from callcenter.audit.standing import Hour, Mark
from callcenter.calls.call_references import NoCall
from callcenter.console.ledger_ports import (
    Age,
    CallPlaces,
    Deposits,
    Download,
    Holding,
    KeyIs,
    LogLine,
    Logs,
    LogState,
    NoRecord,
    Pace,
    Proved,
    ShownKey,
)
from callcenter.kernel.errors import NotFound

PRACTICE = UUID("44444444-2222-4333-8444-555555555555")
RECORD = UUID(int=1)
CALL = UUID("33333333-2222-4333-8444-555555555555")
NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
SINCE = datetime(2026, 11, 19, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
LINE = LogLine(PRACTICE, "Cabinet des Tilleuls", Pace.CURRENT)
FOLDER = "/mnt/worm/callcenter"
AUTHORITY = "https://horodatage.example/tsa"
CLAIRE = "cabinet.example/claire"


def digest(of: str) -> bytes:
    return sha256(of.encode()).digest()


#: In working hours, with a morning in which nothing was sealed.
HOURS = tuple(
    Hour(SINCE + at * HOUR, 7 * (at % 9) + 3)
    for at in range(168)
    if 7 <= (SINCE + at * HOUR).hour < 19 and not 90 <= at < 96
)
MARKS = (
    *(Mark(AnchorKind.FILE, one.begins + timedelta(minutes=37)) for one in HOURS),
    *(Mark(AnchorKind.TIMESTAMP, SINCE + timedelta(days=days)) for days in range(1, 7)),
    Mark(AnchorKind.COSIGNATURE, SINCE + timedelta(days=4)),
)
HOLDINGS = (
    Holding(AnchorKind.COSIGNATURE, CLAIRE, 800, NOW - timedelta(days=12), Age.OLD),
    Holding(AnchorKind.FILE, FOLDER, 1200, NOW - timedelta(minutes=53), Age.LATEST),
    Holding(AnchorKind.FILE, "/mnt/ancien", 400, NOW - timedelta(days=40), Age.LEFT),
    Holding(AnchorKind.TIMESTAMP, AUTHORITY, 1100, NOW - timedelta(hours=10), Age.RECENT),
)
STATE = LogState(
    log=LINE,
    now=NOW,
    size=1203,
    sealed_at=NOW - timedelta(seconds=40),
    waiting=0,
    many=False,
    waits=None,
    closed=False,
    origin=f"callcenter/{PRACTICE}",
    keys=(ShownKey("12345 67890 12345 67890 12345 67890 12345 67890", KeyIs.ALONE),),
    holdings=HOLDINGS,
    alone_since=NOW - timedelta(minutes=12),
    exported_at=NOW - timedelta(days=3),
    refused=0,
    refused_at=None,
    since=SINCE,
    hours=HOURS,
    marks=MARKS,
)
WAY = (
    Step(Stretch(8, 9), digest("a"), False, digest("b")),
    Step(Stretch(0, 8), digest("c"), True, digest("d")),
    Step(Stretch(16, 1203), digest("e"), False, digest("f")),
)
PROVED = Proved(LINE, RECORD, 9, digest("leaf"), 1203, WAY, digest("f"), signed=True)
PLACES = CallPlaces(
    CALL,
    (
        RecordPlace(RECORD, NOW - HOUR, 9),
        RecordPlace(UUID(int=2), NOW - HOUR + timedelta(seconds=9), None),
        RecordPlace(UUID(int=3), None, 12),
    ),
    more=True,
)
ANCHOR = Anchor(AnchorKind.FILE, FOLDER, 1200, "a note", None, NOW)
LISTED = tuple(
    Deposit(
        replace(ANCHOR, kind=AnchorKind.TIMESTAMP, place=AUTHORITY, receipt=b"")
        if agreement is Agreement.HEAD
        else replace(ANCHOR, size=1200 - at),
        agreement,
    )
    for at, agreement in enumerate(Agreement)
)


@dataclass(slots=True)
class LedgersDouble:
    """Implements ``console.ledger_ports.Ledgers``.

    Arguments:
        theirs: whoever asks may see the log.
        closed: the ledger is behind.
        taken: what has left.
    """

    theirs: bool = True
    listed: tuple[LogLine, ...] = (LogLine(HOUSE_LOG, "", Pace.SEALING), LINE)
    stated: LogState = STATE
    found: UUID | CallPlaces | NoCall = PLACES
    came: Proved | NoRecord = PROVED
    held: tuple[Deposit, ...] = LISTED
    pages: int = 3
    closed: bool = False
    asked: list[object] = field(default_factory=list)
    taken: list[object] = field(default_factory=list)

    def _reach(self, log: UUID = PRACTICE) -> None:
        if not self.theirs or log not in (PRACTICE, HOUSE_LOG):
            raise NotFound

    def _line(self, log: UUID) -> LogLine:
        return LogLine(HOUSE_LOG, "", Pace.CURRENT) if log == HOUSE_LOG else self.stated.log

    async def logs(self, token: str, search: str) -> Logs:
        self._reach()
        self.asked.append(search)
        return Logs(self.listed, len(self.listed))

    async def state(self, token: str, log: UUID) -> LogState:
        self._reach(log)
        return replace(self.stated, log=self._line(log))

    async def find(self, token: str, log: UUID, reference: str) -> UUID | CallPlaces | NoCall:
        self._reach(log)
        self.asked.append(reference)
        return self.found

    async def proved(self, token: str, log: UUID, record: UUID) -> Proved | tuple[LogLine, NoRecord]:
        self._reach(log)
        return (self._line(log), self.came) if isinstance(self.came, NoRecord) else self.came

    async def proof(self, token: str, log: UUID, record: UUID) -> Download | NoRecord:
        self._reach(log)
        if self.closed or isinstance(self.came, NoRecord):
            return self.came if isinstance(self.came, NoRecord) else NoRecord.BEHIND
        self.taken.append(record)
        return Download(f"inscription-{record}.tlog-proof", b"a proof")

    async def deposits(self, token: str, log: UUID, page: int) -> Deposits:
        self._reach(log)
        self.asked.append(page)
        return Deposits(self._line(log), self.held, len(self.held), page, self.pages, signed=True)

    async def deposit(
        self, token: str, log: UUID, kind: str, place: str, size: int, *, receipt: bool
    ) -> Download | None:
        self._reach(log)
        for one in (deposit.anchor for deposit in self.held):
            if (one.kind, one.place, one.size) == (kind, place, size) and not (receipt and one.receipt is None):
                self.taken.append((kind, place, size, receipt))
                return Download("horodatage-1.tsr" if receipt else "point-de-controle-1.txt", b"a piece")
        return None
