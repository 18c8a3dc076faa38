"""The ledger's logs, as the pages of supervisors and administrators ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from uuid import UUID

from callcenter.app.ledger_holders import Holder, holdings_of
from callcenter.audit.agreement import anchor_at, anchors_on, compared
from callcenter.audit.anchors import AnchorKind
from callcenter.audit.export import one_moment
from callcenter.audit.logs import HOUSE_LOG, fingerprint, origin_of
from callcenter.audit.proof import NoKey, Proof
from callcenter.audit.proving import Erased, NotSealedYet, is_written, places_of, prove, way_of
from callcenter.audit.signing import PublicKeys
from callcenter.audit.standing import HOUR, MOST_WAITING, held_where, hours_of, marks_of, sealed_so_far
from callcenter.audit.verify import Checkpoint, Malformed, Unproven, VerifierKey, check_inclusion, leaf_hash
from callcenter.audit.watching import AHEAD, LedgerWatch, waiting
from callcenter.audit.watching import LONGEST as LONGEST_WAIT
from callcenter.calls.call_references import NoCall, ReferredCall, call_of
from callcenter.console.ledger_ports import (
    CallPlaces,
    Deposits,
    Download,
    KeyIs,
    LogLine,
    Logs,
    LogState,
    NoRecord,
    Pace,
    Proved,
    ShownKey,
)
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import IntegrityError
from callcenter.kernel.randomness import Random
from callcenter.practice.called import practice_names
from callcenter.staff.ledger_acts import LedgerActs
from callcenter.staff.records import is_theirs
from callcenter.staff.rights import NotTheirs
from callcenter.staff.room import StaffRoom
from callcenter.staff.sessions import StaffSession
from callcenter.staff.values import Role
from callcenter.store.database import Database

#: On one page; of logs, of a call's records, of what others hold.
MOST_LOGS, MOST_OF_A_CALL, PER_PAGE = 100, 200, 20
#: How far back the picture goes.
SHOWN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class StaffLedgers:
    """Implements ``console.ledger_ports.Ledgers``.

    Arguments:
        ledger: knows whether what is told is sealed in time.
        public: halves of the keys that sign and have signed, by which heads are checked; none where another process
            seals.
        holders: to whom heads are given by settings.
    """

    room: StaffRoom
    database: Database
    clock: Clock
    random: Random
    ledger: LedgerWatch
    public: Callable[[], PublicKeys] = PublicKeys
    holders: Sequence[Holder] = ()
    #: What passes by all leaves of a log does so one at a time: nobody's call waits for pages.
    _one: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1), repr=False)

    async def logs(self, token: str, search: str) -> Logs:
        session = await self.room.standing(token)
        mine = await self._mine(session)
        waits = await waiting(self.database)
        async with self.database.house() as connection:
            names = await practice_names(connection, sorted(mine - {HOUSE_LOG}), self.clock.now())
        lines = [self._line(one, names[one], waits) for one in names if search.casefold() in names[one].casefold()]
        lines.sort(key=lambda one: (one.name.casefold(), one.id))
        if HOUSE_LOG in mine and not search:
            lines.insert(0, self._line(HOUSE_LOG, "", waits))
        if not mine:
            raise NotTheirs
        return Logs(lines[:MOST_LOGS], len(lines))

    async def state(self, token: str, log: UUID) -> LogState:
        _, line = await self._log(token, log)
        now = self.clock.now()
        since = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - SHOWN + HOUR
        waits = (await waiting(self.database)).get(log)
        async with one_moment(self.database, log) as tx:
            sealed = await sealed_so_far(tx)
            held = await held_where(tx)
            hours, marks = await hours_of(tx, since), await marks_of(tx, since)
        return LogState(
            log=line,
            now=now,
            size=sealed.size,
            sealed_at=sealed.at,
            waiting=sealed.waiting,
            many=sealed.waiting >= MOST_WAITING,
            waits=waits if waits is not None and waits >= AHEAD else None,
            closed=log != HOUSE_LOG and self.ledger.is_behind(log),
            origin=origin_of(log),
            keys=_shown(origin_of(log), self.public()),
            holdings=holdings_of(held, self.holders, now),
            alone_since=sealed.alone_since,
            exported_at=sealed.exported_at,
            refused=sealed.refused,
            refused_at=sealed.refused_at,
            since=since,
            hours=hours,
            marks=marks,
        )

    async def find(self, token: str, log: UUID, reference: str) -> UUID | CallPlaces | NoCall:
        await self._log(token, log)
        async with self.database.house() as connection:
            call = NoCall.UNKNOWN if log == HOUSE_LOG else await call_of(connection, reference, [log])
        if isinstance(call, ReferredCall):
            async with self.database.practice(log) as tx:
                places = await places_of(tx, call.id, MOST_OF_A_CALL + 1)
            return CallPlaces(call.id, places[:MOST_OF_A_CALL], more=len(places) > MOST_OF_A_CALL)
        try:
            return UUID(reference.strip())
        except ValueError:
            return call

    async def proved(self, token: str, log: UUID, record: UUID) -> Proved | tuple[LogLine, NoRecord]:
        session, line = await self._log(token, log)
        came = await self._proof(session, log, record)
        if isinstance(came, NoRecord):
            return line, came
        proof, head = came
        return Proved(
            log=line,
            record=record,
            index=proof.index,
            leaf=leaf_hash(proof.body),
            size=head.size,
            way=way_of(proof, head.size),
            root=head.root,
            signed=bool(self._keys(log)),
        )

    async def proof(self, token: str, log: UUID, record: UUID) -> Download | NoRecord:
        session, _ = await self._log(token, log)
        if self.ledger.is_behind(log):
            return NoRecord.BEHIND
        came = await self._proof(session, log, record)
        if isinstance(came, NoRecord):
            return came
        await self._acts(session).proven(log, record)  # P1: committed before anything of it leaves
        return Download(f"inscription-{record}.tlog-proof", came[0].text().encode())

    async def deposits(self, token: str, log: UUID, page: int) -> Deposits:
        _, line = await self._log(token, log)
        keys = self._keys(log)
        async with self._one, one_moment(self.database, log) as tx:
            found, total = await anchors_on(tx, (page - 1) * PER_PAGE, PER_PAGE)
            listed = await compared(tx, found, keys)
        return Deposits(line, listed, total, page, max(1, -(-total // PER_PAGE)), signed=bool(keys))

    async def deposit(
        self, token: str, log: UUID, kind: str, place: str, size: int, *, receipt: bool
    ) -> Download | None:
        session, _ = await self._log(token, log)
        if kind not in set(AnchorKind):
            return None
        async with self.database.practice(log) as tx:
            anchor = await anchor_at(tx, AnchorKind(kind), place, size)
        if anchor is None or (receipt and anchor.receipt is None):
            return None
        await self._acts(session).head_taken(log, size, kind)
        if receipt and anchor.receipt is not None:
            return Download(f"horodatage-{size}.tsr", anchor.receipt)
        return Download(f"point-de-controle-{size}.txt", anchor.note.encode())

    # --- whose

    async def _mine(self, session: StaffSession) -> set[UUID]:
        """The logs that somebody may see at this moment."""
        found: set[UUID] = set()
        for role in _roles(session):
            found |= set(await self.room.rights.practices(session.account, role))
        return found | ({HOUSE_LOG} if session.administers_all else set())

    async def _log(self, token: str, log: UUID) -> tuple[StaffSession, LogLine]:
        """A log that is theirs.

        Raises:
            NotTheirs: it is not, or there is none.
        """
        session = await self.room.standing(token)
        if log == HOUSE_LOG:
            if not session.administers_all:
                raise NotTheirs
        elif not [role for role in _roles(session) if await self.room.rights.may(session.account, role, log)]:
            raise NotTheirs
        names: Mapping[UUID, str] = {}
        if log != HOUSE_LOG:
            async with self.database.house() as connection:
                names = await practice_names(connection, [log], self.clock.now())
        return session, self._line(log, names.get(log, ""), await waiting(self.database))

    def _line(self, log: UUID, name: str, waits: Mapping[UUID, timedelta]) -> LogLine:
        return LogLine(log, name, _pace(waits.get(log), blind=self.ledger.is_behind(log)))

    # --- what for

    async def _proof(self, session: StaffSession, log: UUID, record: UUID) -> tuple[Proof, Checkpoint] | NoRecord:
        """The proof of a record of this log, checked, with its head; or why there is none."""
        async with self._one, one_moment(self.database, log) as tx:
            # Others' records in the house's log are none of theirs.
            ours = session.account.organisation
            if not await is_written(tx, record) or (
                log == HOUSE_LOG and not await is_theirs(tx.connection, ours, record)
            ):
                return NoRecord.UNKNOWN
            try:
                proof = await prove(tx, record)
                return proof, _checked(proof, self._keys(log))
            except NotSealedYet:
                return NoRecord.NOT_YET
            except Erased:
                return NoRecord.ERASED
            except (IntegrityError, Malformed, Unproven, NoKey):
                return NoRecord.BROKEN

    def _keys(self, log: UUID) -> list[VerifierKey]:
        return self.public().all(origin_of(log))

    def _acts(self, session: StaffSession) -> LedgerActs:
        return LedgerActs(self.database, self.clock, self.random, session.account.id)


def _roles(session: StaffSession) -> Sequence[Role]:
    """By which somebody sees practices' logs: an administrator of a part opens no page (decision 52)."""
    return (Role.SUPERVISOR, Role.ADMINISTRATOR) if session.administers_all else (Role.SUPERVISOR,)


def _shown(origin: str, keys: PublicKeys) -> Sequence[ShownKey]:
    """The keys that sign a log, with what is to be thought of each."""
    match keys.signing:
        case ():
            standings: Sequence[KeyIs] = ()
        case (_,):
            standings = (KeyIs.ALONE,)
        case _:
            standings = (KeyIs.STOLEN if keys.stolen else KeyIs.LEAVING, KeyIs.NEXT)
    signing = zip(keys.signing, standings, strict=True)
    return [ShownKey(fingerprint(VerifierKey(origin, one)), standing) for one, standing in signing]


def _checked(proof: Proof, keys: Sequence[VerifierKey]) -> Checkpoint:
    """The head of a proof that leads to it; signed, where keys are here.

    Raises:
        Malformed, Unproven, NoKey: it does not, is not, or is of another log.
    """
    if keys:
        return proof.check(keys).head
    head = Checkpoint.parse(proof.note.partition("\n\n")[0] + "\n")
    check_inclusion(leaf_hash(proof.body), proof.index, head.size, proof.beside, head.root)
    return head


def _pace(waits: timedelta | None, *, blind: bool) -> Pace:
    if waits is None:
        return Pace.UNKNOWN if blind else Pace.CURRENT
    if waits < AHEAD:
        return Pace.UNKNOWN
    return Pace.LATE if waits > LONGEST_WAIT else Pace.SEALING
