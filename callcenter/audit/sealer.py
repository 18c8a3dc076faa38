"""The sealer: takes records out of the outboxes in their order, appends their leaves to their log, signs its head.

All of a round for one log is one transaction, so that whatever happens, leaves, frontier, head and outbox say the same.
The frontier is trusted only against the head that this key has signed: a head that contradicts an earlier one is never
signed (C2SP tlog-checkpoint). A log that does not fit its own head is not sealed any further, and somebody is called. A
record that verifiers must not obey is refused: that it was, is sealed in its place, and the log goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import structlog
from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.believed import believed
from callcenter.audit.folding import fold
from callcenter.audit.letting_go import Erasure, LetGo, Rules, Unjudged, Unlawful
from callcenter.audit.logs import HOUSE_LOG, origin_of
from callcenter.audit.refusing import Cause, Refusal, Unsealed
from callcenter.audit.sealed_leaves import SealedLeaves
from callcenter.audit.sealing_key import KeyFile
from callcenter.audit.signing import NewerFile, NotOurs, SealingKey
from callcenter.audit.verify import (
    ERASURE,
    NO_LEAF,
    REFUSED,
    ROTATION,
    Checkpoint,
    Frontier,
    Malformed,
    Rotation,
    Unproven,
    body_value,
    is_record,
    leaf_hash,
)
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import ConfigurationError, IntegrityError
from callcenter.kernel.randomness import Random, SystemRandom, new_id
from callcenter.store.database import is_down, is_timeout

_log = structlog.get_logger(__name__)

#: Records of one log that one transaction seals; about 5 MB of bodies.
MOST_AT_ONCE = 5_000
#: Erasures of one log that one transaction judges; a night has a handful.
MOST_JUDGED = 16
#: Heads are kept, all of them, for the hour that goes on and the one before: whoever anchors one has time to say so.
ALL_KEPT = timedelta(hours=1)


class LogBroken(IntegrityError):
    """A log does not fit its last signed head, or a record that waits is not what was written. Says which, in words."""


class LacksKey(LogBroken):
    """A log is to be sealed with a later key, which is not in the file here; elsewhere it may be."""


#: What is never one record's fault, so that nothing is refused because of it.
_NO_RECORDS_FAULT = (SQLAlchemyError, OSError, MemoryError, ConfigurationError, LogBroken)


class SealingAlarm(Protocol):
    """Cries for somebody."""

    def log_broken(self, log: UUID, why: str) -> None:
        """A log cannot be sealed any further: somebody or something has changed what stands in the database."""

    def key_lacking(self, log: UUID, why: str) -> None:
        """A log is to be sealed with a key that is not in the file here. Said once, however many logs that is so of,
        until another file stands here."""

    def record_refused(self, log: UUID, why: str) -> None:
        """A record that waited is not sealed, and never will be; another says so, and the log goes on. Said just before
        that is for good, so that no crash keeps it unsaid; after one it may be said again."""

    def key_unusable(self, why: str) -> None:
        """What stands in the place of the sealer's key now is none, or another's: it seals with what it had read."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """How far a log is sealed, as it was found and checked.

    Arguments:
        frontier: that of its size.
        signed_at: when its last head was signed; ``None`` where nothing was sealed yet.
    """

    frontier: Frontier
    signed_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A record that waits.

    Arguments:
        n: its place in the outbox.
        leaf: of its bytes.
        erasure: its bytes, if it is one.
        ends: the head up to which a stolen key counts, if it says so.
        refusal: why it is not sealed; ``None``: it is.
        again: one of its identifier is sealed already.
        instead: the bytes that are sealed in its place.
    """

    n: int
    record: UUID
    stream: UUID
    seq: int
    call: UUID | None
    leaf: bytes
    erasure: bytes | None = None
    ends: Checkpoint | None = None
    refusal: Refusal | None = None
    instead: bytes | None = None
    again: bool = False

    @property
    def sealed_leaf(self) -> bytes:
        """The leaf that goes into the log."""
        return self.leaf if self.instead is None else leaf_hash(self.instead)


@dataclass(slots=True)
class LogSealer:
    """Seals logs on one connection, whose session holds :func:`elected`'s lock.

    Arguments:
        clock: of heads.
        most: records of one log that one transaction seals.
        rules: that an erasure is held against.
        random: of places that nobody can have taken.
        file: where the key stands, read anew when another one does; ``None``: it stays.
    """

    key: SealingKey
    clock: Clock
    alarm: SealingAlarm
    most: int = MOST_AT_ONCE
    rules: Rules = field(default_factory=Rules)
    file: KeyFile | None = None
    random: Random = field(default_factory=SystemRandom)
    #: Whether the last round took of some log as many records as it takes at once: there may be more.
    more: bool = field(default=False, init=False)
    #: Whether the last round met a log that another process may seal, with a newer file than ours.
    lacks_key: bool = field(default=False, init=False)
    #: The last heads that we have signed ourselves: a database that is set back to before them is found out.
    _signed: dict[UUID, Checkpoint] = field(default_factory=dict, repr=False)
    #: Records that one transaction takes of logs that were too slow lately.
    _fewer: dict[UUID, int] = field(default_factory=dict, repr=False)
    #: Whether it was said already that a key is lacking in the file that stands here.
    _lack_said: bool = field(default=False, init=False)
    #: Of logs of which something was erased.
    _leaves: dict[UUID, SealedLeaves] = field(default_factory=dict, repr=False)
    #: Whether logs have the heads up to which our stolen keys count; there are as many as keys were put away.
    _ends: dict[Checkpoint, bool] = field(default_factory=dict, repr=False)
    #: Whether in this round no log was folded yet for the first time.
    _may_fold: bool = field(default=True, init=False)

    async def round(self, connection: AsyncConnection) -> int:
        """Seal once what waits, log by log; returns how many records were sealed. What keeps one log from being sealed
        keeps no other.

        Raises:
            DBAPIError: the database is down.
        """
        self._renew_key()
        async with connection.begin():
            logs = list((await connection.execute(_LOGS)).scalars())
        sealed, self.more, self.lacks_key, self._may_fold = 0, False, False, True
        for log in logs:
            try:
                taken = await self.seal(connection, log)
            except LacksKey as lacking:
                self.lacks_key = True
                if not self._lack_said:
                    self._lack_said = True
                    self.alarm.key_lacking(log, str(lacking))
            except LogBroken as broken:
                self.alarm.log_broken(log, str(broken))
            except DBAPIError as error:
                if is_timeout(error):
                    most = self._fewer[log] = max(1, self._at_once(log) // 2)
                    self.alarm.log_broken(log, f"the database was too slow with it; next, {most} records are tried")
                elif is_down(error):
                    raise
                else:
                    self.alarm.log_broken(log, _refusal(error))
            except Exception as error:  # whatever it is: no log keeps the others from being sealed
                if connection.closed or connection.invalidated:
                    raise
                _log.exception("log not sealed", log=str(log))
                self.alarm.log_broken(log, f"it was not sealed, and why is unforeseen: {type(error).__name__}")
            else:
                sealed += taken
                self.more |= taken == self._at_once(log)
                self._fewer[log] = min(self.most, self._at_once(log) * 2)
        return sealed

    def changes_key(self, told: Rotation | None) -> bool:
        """Whether this is the change of its log's key that is under way, as this key has signed it.

        Verifiers trust the next key because of it: so it must be the one in the sealer's own file.
        """
        if told is None:
            return False
        if not self.key.changes(told):
            self._renew_key()  # it may have come since the round began
        return self.key.changes(told)

    def _renew_key(self) -> None:
        """Take the key as it stands in its file now; one that cannot be used is cried, and changes nothing."""
        if self.file is None:
            return
        before = self.key
        try:
            self.key = self.file.renewed()
        except ConfigurationError as error:
            self.alarm.key_unusable(str(error))
        if self.key is not before:
            self._lack_said = False

    def _at_once(self, log: UUID) -> int:
        return self._fewer.get(log, self.most)

    async def seal(self, connection: AsyncConnection, log: UUID) -> int:
        """Seal what waits of one log; returns how many records that were.

        Raises:
            LogBroken: nothing of it was sealed.
        """
        async with connection.begin():
            waiting = await self._waiting(connection, log)
            if not waiting:
                return 0
            waiting = await self._but_once(connection, log, waiting)
            if not waiting:
                return 0
            sealed = await self._sealed(connection, log)
            waiting = self._before_folding(log, waiting)
            if not waiting:
                return 0
            frontier, before = sealed.frontier, sealed.frontier.size
            now = self.clock.now()
            waiting = [await self._ended(connection, log, frontier, one) for one in waiting]
            waiting = await self._let_go(connection, log, frontier, waiting, now)
            waiting = await self._put_in_place(connection, log, before, waiting, now)
            for one in waiting:
                frontier.add(one.sealed_leaf)
            head = Checkpoint(origin_of(log), frontier.size, frontier.root())
            await connection.execute(_APPEND, _leaves(log, before, waiting))
            row = {"log": log, "size": head.size, "at": now}
            await connection.execute(_SIGN, {**row, "note": self.key.sign(head)})
            further = {**row, "frontier": frontier.to_bytes()}
            moved = await connection.execute(
                _MOVE if before else _BEGIN, {**further, "before": before} if before else further
            )
            if moved.rowcount != 1:
                raise LogBroken(_IN_THE_SAME_MOMENT)
            await self._take(connection, log, waiting)
            await self._thin(connection, log, sealed.signed_at, now)
            self._cry(log, waiting)
        self._signed[log] = head
        return len(waiting)

    async def _take(self, connection: AsyncConnection, log: UUID, waiting: list[_Waiting]) -> None:
        """Have these wait no more."""
        statement = _HOUSE_TAKEN if log == HOUSE_LOG else _PRACTICE_TAKEN
        taken = await connection.execute(statement, {"numbers": [one.n for one in waiting]})
        if taken.rowcount != len(waiting):
            raise LogBroken(_IN_THE_SAME_MOMENT)

    def _cry(self, log: UUID, waiting: list[_Waiting]) -> None:
        """The most urgent first: of what comes at once, somebody may hear the first alone."""
        refused = [(one.refusal, one.record) for one in waiting if one.refusal is not None]
        for refusal, record in sorted(refused, key=lambda one: one[0].rank):
            self.alarm.record_refused(log, f"record {record} {refusal.why}")

    async def _but_once(self, connection: AsyncConnection, log: UUID, waiting: list[_Waiting]) -> list[_Waiting]:
        """These without those whose identifiers are sealed: whoever may say that a record waits can say so of one that
        was sealed long ago, or of other bytes in the name of one that was erased. Such wait no more."""
        again = [one for one in waiting if one.again]
        if not again:
            return waiting
        self.more = True
        await self._take(connection, log, again)
        self._cry(log, again)
        return [one for one in waiting if not one.again]

    def _before_folding(self, log: UUID, waiting: list[_Waiting]) -> list[_Waiting]:
        """What of it is sealed now. All leaves of a log are folded once, before its first erasure is judged: of one log
        a round, so that no other waits for that of many; what stands before the erasure is sealed meanwhile. And some
        erasures are judged at once, of which each may name thousands of records: whoever forges them by the hundred
        keeps no other log waiting."""
        erasures = [at for at, one in enumerate(waiting) if one.erasure is not None]
        if not erasures:
            return waiting
        if len(erasures) > MOST_JUDGED:
            waiting = waiting[: erasures[MOST_JUDGED]]
            self.more = True
        if log in self._leaves:
            return waiting
        if self._may_fold:
            self._may_fold = False
            return waiting
        self.more = True
        return waiting[: erasures[0]]

    async def _waiting(self, connection: AsyncConnection, log: UUID) -> list[_Waiting]:
        if log == HOUSE_LOG:
            found = await connection.execute(_HOUSE_WAITS, {"log": log, "most": self._at_once(log)})
        else:
            found = await connection.execute(_PRACTICE_WAITS, {"log": log, "most": self._at_once(log)})
        waiting = []
        for row in found:
            if row.body is None:
                raise LogBroken(f"record {row.record_id}, which waits to be sealed, is gone")
            leaf = leaf_hash(row.body)
            if leaf.hex() != row.leaf:
                raise LogBroken(f"record {row.record_id}, which waits to be sealed, was changed")
            waiting.append(self._judged(log, row, leaf))
        return waiting

    def _judged(self, log: UUID, row: Row[Any], leaf: bytes) -> _Waiting:
        """One that waits, and why it is refused, if that shows by itself. Whatever it holds, it stops no log.

        Raises:
            LacksKey: it is to be sealed where another file is.
        """
        one = _Waiting(row.n, row.record_id, row.stream, row.seq, row.call_id, leaf, again=row.is_sealed)
        if one.again:
            return replace(one, refusal=Refusal(Cause.PLACE, "is sealed already, and was said to wait once more"))
        if row.is_taken:
            return self._displaced(one, "is to stand where another record of its stream is sealed already")
        try:
            value = _value_of(row.body)
            refusal = self._refusal(log, one, value)
            if refusal is not None and refusal.cause is Cause.PLACE:
                return self._displaced(one, refusal.why)
            told = None if refusal or value is None else _rotation_in(value, log)
        except _NO_RECORDS_FAULT:
            raise
        except Exception as error:
            return replace(one, refusal=_unforeseen(one, error))
        erasure = row.body if refusal is None and value is not None and value["event"] == ERASURE else None
        return replace(one, refusal=refusal, erasure=erasure, ends=None if told is None else told.last_good)

    def _displaced(self, one: _Waiting, why: str) -> _Waiting:
        """It is told of where nothing else stands: at its place the chain would go on from its leaf, and whoever moves
        an honest row before its seal would leave no gap."""
        return replace(one, stream=new_id(self.random), seq=0, refusal=Refusal(Cause.PLACE, why))

    def _refusal(self, log: UUID, one: _Waiting, value: Mapping[str, Any] | None) -> Refusal | None:
        """Why a record is not sealed, as far as it shows by itself.

        Arguments:
            value: what it says; ``None``: it is none.

        Raises:
            LacksKey: it is to be sealed where another file is.
        """
        if value is None:
            return Refusal(Cause.UNREADABLE, "is none: nobody could read it")
        if not is_record(value, origin_of(log)):
            return Refusal(Cause.UNREADABLE, "is none of this log and version: every verifier would find it changed")
        if (value["id"], value["stream"], value["seq"]) != (str(one.record), str(one.stream), one.seq):
            return Refusal(Cause.PLACE, "names another place than the one where it stands: it is forged")
        event = value["event"]
        if event == REFUSED:
            return Refusal(Cause.REFUSAL, "says that a record was refused, which the sealer alone says: it is forged")
        if event != ROTATION:
            return None
        told = _rotation_in(value, log)
        if self.changes_key(told):
            return None
        if told is not None and self.key.names_one_that_is_missing(told):
            raise LacksKey(
                f"record {one.record}, which waits to be sealed, tells of a change of the key, signed by the key "
                "itself, that is not in this sealer's file: if the key was changed on another machine, copy its file "
                "here; if nobody has changed it, the key is stolen (docs/ledger.md)"
            )
        return Refusal(
            Cause.KEY,
            "names a next key that is not in the sealer's file, and the key that seals has not signed for it: it is "
            "forged",
        )

    async def _ended(self, connection: AsyncConnection, log: UUID, sealed: Frontier, one: _Waiting) -> _Waiting:
        """This one, refused if it says that a stolen key counts up to a head that this log does not have: every
        verifier would find it. It was signed before the database was set back."""
        good = one.ends
        if good is None or (good.size <= sealed.size and await self._has(connection, log, good)):
            return one
        why = (
            f"says that a stolen key counts for {good.size} records, which are not those of this log: its database was "
            "set back to before the key was put away"
        )
        return replace(one, refusal=Refusal(Cause.KEY, why))

    async def _has(self, connection: AsyncConnection, log: UUID, head: Checkpoint) -> bool:
        if head not in self._ends:
            tree = (await fold(connection, log, 0, head.size)).tree
            self._ends[head] = (tree.size, tree.root()) == (head.size, head.root)
        return self._ends[head]

    async def _let_go(
        self, connection: AsyncConnection, log: UUID, sealed: Frontier, waiting: list[_Waiting], now: datetime
    ) -> list[_Waiting]:
        """What erasures among these name may go, once this is committed; returns these, with those refused that are not
        lawful. Of such nothing goes, and what they name stays as it is.

        Raises:
            LogBroken: the log itself is not what was signed.
        """
        judged = [*waiting]
        for at, one in enumerate(waiting):
            if one.erasure is None:
                continue
            leaves = self._leaves.setdefault(log, SealedLeaves(log))
            try:
                when = await believed(connection, now)
                let_go = await Erasure(log, one.erasure, sealed).judge(connection, self.rules, leaves, when)
            except Unlawful as error:
                judged[at] = replace(one, refusal=Refusal(Cause.ERASURE, f"is an erasure that {error}"))
                continue
            except Unjudged as error:
                raise LogBroken(
                    f"record {one.record}, which waits to be sealed, is an erasure that cannot be judged: {error}"
                ) from error
            except _NO_RECORDS_FAULT:
                raise
            except Exception as error:
                judged[at] = replace(one, refusal=_unforeseen(one, error))
                continue
            if let_go.ranges:
                await connection.execute(_LET_GO, _ranges(log, sealed.size + at, let_go))
        return judged

    async def _put_in_place(
        self, connection: AsyncConnection, log: UUID, first: int, waiting: list[_Waiting], now: datetime
    ) -> list[_Waiting]:
        """These, with what is sealed in the place of those that are refused.

        Arguments:
            first: index of the first of them.
        """
        done, rows, leaves = [*waiting], list[Mapping[str, object]](), dict[tuple[UUID, int], bytes]()
        for at, one in enumerate(waiting):
            leaves[one.stream, one.seq] = one.leaf
            if one.refusal is None:
                continue
            before = leaves.get((one.stream, one.seq - 1)) or await self._before(connection, log, one)
            refused = Unsealed(one.record, one.stream, one.seq, one.call, one.leaf, before)
            instead = refused.stand_in(log, one.refusal.cause, now)
            done[at] = replace(one, instead=instead)
            row = {"log": log, "record": one.record, "index": first + at, "refused": one.leaf, "at": now}
            rows.append({**row, "body": instead, "why": one.refusal.why})
        if rows:
            await connection.execute(_REFUSE, rows)
        return done

    async def _before(self, connection: AsyncConnection, log: UUID, one: _Waiting) -> bytes:
        """The leaf that a record must name: of what was sealed before it in its stream, or refused."""
        values = {"log": log, "stream": one.stream, "seq": one.seq - 1}
        found: bytes | None = (await connection.execute(_BEFORE, values)).scalar_one_or_none()
        return NO_LEAF if found is None else found

    async def _sealed(self, connection: AsyncConnection, log: UUID) -> Sealed:
        """How far the log is sealed.

        Raises:
            LogBroken: what says so does not fit the head that we have signed.
        """
        found = (await connection.execute(_STATE, {"log": log})).one()
        known = self._signed.get(log)
        if found.size is None and found.latest is None and found.leaves is None and known is None:
            return Sealed(Frontier(), None)
        if found.size is None or found.note is None:
            raise LogBroken("its frontier or the signed head of its size is gone")
        if found.latest != found.size or found.leaves != found.size:
            raise LogBroken(f"it is sealed to {found.size}, has a head of {found.latest} and {found.leaves} leaves")
        try:
            head = self.key.open(found.note, origin_of(log))
            frontier = Frontier.from_bytes(found.size, found.frontier)
        except NewerFile as error:
            raise LacksKey(
                f"its last head: {error}; copy that file here from the machine where the key was changed, or put back "
                "the copy that `callcenter audit key rotate --copy` has made"
            ) from error
        except (NotOurs, Malformed) as error:
            raise LogBroken(f"its last head or its frontier is not ours: {error}") from error
        if (head.size, head.root) != (frontier.size, frontier.root()):
            raise LogBroken(f"its frontier of {frontier.size} leaves does not fold to the root that was signed")
        if known is not None and (head.size < known.size or (head.size == known.size and head.root != known.root)):
            raise LogBroken(f"it was sealed to {known.size}, and was set back to {head.size}")
        return Sealed(frontier, found.signed_at)

    async def _thin(self, connection: AsyncConnection, log: UUID, before: datetime | None, now: datetime) -> None:
        """Of the heads of each hour that is over keep the last one by the same keys; done with the first sealing of an
        hour. Where the key changes, whoever has one of the two needs a head that both have signed."""
        if before is None or _hour(before) == _hour(now):
            return
        await connection.execute(_THIN, {"log": log, "since": _hour(before) - ALL_KEPT, "until": _hour(now) - ALL_KEPT})


async def elected(connection: AsyncConnection) -> bool:
    """Whether this session is the one that seals, from now on and until it ends. At most one is."""
    async with connection.begin():
        return bool((await connection.execute(_ELECT)).scalar_one())


async def resign(connection: AsyncConnection) -> None:
    """Let another session be the one that seals."""
    async with connection.begin():
        await connection.execute(_RESIGN)


async def signed_by(connection: AsyncConnection, key: SealingKey) -> int:
    """How many logs have a last head that this key has signed.

    Raises:
        LogBroken: one has one that it has not.
    """
    heads = (await connection.execute(_HEADS)).all()
    for head in heads:
        try:
            key.open(head.note, origin_of(head.log_id))
        except NotOurs as error:
            raise LogBroken(
                f"the last head of log {head.log_id} was not signed by the key in the sealer's file: restore that file "
                f"from your backup; if it is the right one, somebody has written another head ({error})"
            ) from error
    return len(heads)


def _leaves(log: UUID, first: int, waiting: list[_Waiting]) -> Mapping[str, object]:
    return {
        "log": log,
        "indices": list(range(first, first + len(waiting))),
        "records": [one.record for one in waiting],
        "streams": [one.stream for one in waiting],
        "seqs": [one.seq for one in waiting],
        "leaves": [one.sealed_leaf for one in waiting],
    }


def _ranges(log: UUID, index: int, let_go: LetGo) -> Mapping[str, object]:
    firsts, lasts = [first for first, _ in let_go.ranges], [last for _, last in let_go.ranges]
    return {"log": log, "index": index, "firsts": firsts, "lasts": lasts}


def _value_of(body: bytes) -> Mapping[str, Any] | None:
    """What a record says, as verifiers read it; ``None``: it is no object on one line, of one meaning, or tells
    nothing. A line of an export is a record."""
    value = None if b"\n" in body else body_value(body)
    return value if value is not None and isinstance(value.get("event"), str) else None


def _rotation_in(value: Mapping[str, Any], log: UUID) -> Rotation | None:
    """The change of the log's key that a record tells of; ``None``: of none that the key before it has signed."""
    if value["event"] != ROTATION:
        return None
    try:
        return Rotation.parse(value, origin_of(log))
    except (Malformed, Unproven):
        return None


def _unforeseen(one: _Waiting, error: Exception) -> Refusal:
    _log.exception("record not judged", record=str(one.record))
    return Refusal(Cause.UNFORESEEN, f"could not be judged, and why is unforeseen: {type(error).__name__}")


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _refusal(error: DBAPIError) -> str:
    """Why the database did not let a log be sealed: the class of the error, which holds no value of a row."""
    return f"the database refuses what would be appended to it ({getattr(error.orig, 'sqlstate', None) or 'unknown'})"


_IN_THE_SAME_MOMENT = "somebody else has sealed it in the same moment"

_ELECT = text("SELECT pg_try_advisory_lock(hashtextextended('callcenter sealer', 0))")

_RESIGN = text("SELECT pg_advisory_unlock(hashtextextended('callcenter sealer', 0))")

# However a clock was set meanwhile, what waits has waited for longer than this.
_LOGS = text("SELECT log_id FROM ledger_waiting(interval '-100 years') ORDER BY waits DESC, log_id")


# By row, never by « greater than the last one »: a number is taken before its transaction commits. A record follows the
# one before it in its stream, since that one was committed before it was written.
# What is sealed under that identifier or at that place; each is looked up by itself, whatever a planner thinks of many.
_SEALED = """
    LEFT JOIN LATERAL (
        SELECT idx FROM audit_leaf WHERE log_id = :log AND record_id = o.record_id LIMIT 1
    ) AS again ON true
    LEFT JOIN LATERAL (
        SELECT idx FROM audit_leaf WHERE log_id = :log AND stream = r.stream AND seq = r.seq LIMIT 1
    ) AS place ON true
"""
_PRACTICE_WAITS = text(
    f"""
    SELECT o.n, o.record_id, r.stream, r.seq, r.call_id, encode(r.leaf, 'hex') AS leaf, r.body,
        again.idx IS NOT NULL AS is_sealed, place.idx IS NOT NULL AS is_taken
    FROM audit_outbox o LEFT JOIN audit_record r ON r.id = o.record_id AND r.practice_id = o.practice_id {_SEALED}
    WHERE o.practice_id = :log ORDER BY o.n LIMIT :most
    """  # noqa: S608 - our own words alone
)
_HOUSE_WAITS = text(
    f"""
    SELECT o.n, o.record_id, r.stream, r.seq, NULL AS call_id, r.leaf, convert_to(r.body, 'UTF8') AS body,
        again.idx IS NOT NULL AS is_sealed, place.idx IS NOT NULL AS is_taken
    FROM house_outbox o LEFT JOIN house_record r ON r.id = o.record_id {_SEALED}
    ORDER BY o.n LIMIT :most
    """  # noqa: S608 - our own words alone
)
_PRACTICE_TAKEN = text("DELETE FROM audit_outbox WHERE n = ANY(cast(:numbers AS bigint[]))")
_HOUSE_TAKEN = text("DELETE FROM house_outbox WHERE n = ANY(cast(:numbers AS bigint[]))")

_HEADS = text("SELECT DISTINCT ON (log_id) log_id, note FROM audit_checkpoint ORDER BY log_id, size DESC")
_STATE = text(
    """
    SELECT l.size, l.frontier, c.note, c.signed_at,
        (SELECT max(size) FROM audit_checkpoint WHERE log_id = :log) AS latest,
        (SELECT max(idx) + 1 FROM audit_leaf WHERE log_id = :log) AS leaves
    FROM (SELECT cast(:log AS uuid) AS log_id) AS this
    LEFT JOIN audit_log l USING (log_id)
    LEFT JOIN audit_checkpoint c ON c.log_id = l.log_id AND c.size = l.size
    """
)
_APPEND = text(
    """
    INSERT INTO audit_leaf (log_id, idx, record_id, stream, seq, leaf)
    SELECT :log, r.* FROM unnest(cast(:indices AS bigint[]), cast(:records AS uuid[]), cast(:streams AS uuid[]),
                                 cast(:seqs AS int[]), cast(:leaves AS bytea[])) AS r
    """
)
_LET_GO = text(
    """
    INSERT INTO audit_erasure (log_id, first, last, idx)
    SELECT :log, n.first, n.last, :index
    FROM unnest(cast(:firsts AS bigint[]), cast(:lasts AS bigint[])) AS n(first, last)
    """
)
_REFUSE = text(
    "INSERT INTO audit_refused (log_id, record_id, idx, refused, body, why, refused_at) "
    "VALUES (:log, :record, :index, :refused, :body, :why, :at)"
)
# Of one that was refused the leaf of its own bytes: so the next record of its stream names it.
_BEFORE = text(
    "SELECT coalesce(x.refused, l.leaf) FROM audit_leaf l LEFT JOIN audit_refused x USING (log_id, record_id) "
    "WHERE l.log_id = :log AND l.stream = :stream AND l.seq = :seq"
)
_SIGN = text("INSERT INTO audit_checkpoint (log_id, size, note, signed_at) VALUES (:log, :size, :note, :at)")
_BEGIN = text("INSERT INTO audit_log (log_id, size, frontier, sealed_at) VALUES (:log, :size, :frontier, :at)")
_MOVE = text(
    "UPDATE audit_log SET size = :size, frontier = :frontier, sealed_at = :at WHERE log_id = :log AND size = :before"
)
# By the same keys: of each line below a note its beginning, which is the key's name and 30 bits of its identifier.
_THIN = text(
    r"""
    DELETE FROM audit_checkpoint c WHERE c.log_id = :log AND c.signed_at >= :since AND c.signed_at < :until
    AND EXISTS (
        SELECT FROM audit_checkpoint later WHERE later.log_id = c.log_id AND later.size > c.size
        AND later.signed_at >= :since AND later.signed_at < :until
        AND date_trunc('hour', later.signed_at, 'UTC') = date_trunc('hour', c.signed_at, 'UTC')
        AND regexp_replace(split_part(later.note, E'\n\n', 2), '(?n)^([^ ]+ [^ ]+ .{5}).*$', '\1', 'g')
            = regexp_replace(split_part(c.note, E'\n\n', 2), '(?n)^([^ ]+ [^ ]+ .{5}).*$', '\1', 'g')
    )
    """
)
