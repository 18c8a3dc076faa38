"""Whether an erasure is lawful: what the sealer asks itself before it signs one, and believes nobody else.

Whoever writes records, or owns the database, may put one there that names whatever they want gone. What it names must
stand there still, be what was sealed, and have had its time; or somebody whose key is known must have ordered it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.covering import COVERING
from callcenter.audit.logs import HOUSE_LOG, origin_of
from callcenter.audit.retention import CLASS_OF, RecordClass, RetentionTerms
from callcenter.audit.sealed_leaves import OtherLeaves, SealedLeaves
from callcenter.audit.verify import (
    ERASURE,
    Frontier,
    Malformed,
    Unproven,
    VerifierKey,
    body_value,
    leaf_hash,
    order_text,
    ranges_of,
    signatures_of,
)
from callcenter.kernel.errors import IntegrityError

#: Records that one erasure names; each is looked at.
MOST_NAMED = 5_000

#: What is taken for now where no clock is believed: all that there is was written after it.
NOTHING_IS_OLD = datetime(2000, 1, 1, tzinfo=UTC)

RETENTION, REQUEST = "retention", "request"


#: Why somebody may order an erasure: a closed list, as free words could say who a person is.
REASONS = {
    "article_17": "a person's right to erasure (RGPD 17.1)",
    "court_order": "a court or an authority has ordered it",
    "wrongly_recorded": "it should never have been written: a fault, or the wrong person",
}
#: What is kept against a person's wish for as long as its term runs, as proof (RGPD 17.3 b and e).
KEPT_AS_PROOF = frozenset({RecordClass.DISCLOSURES, RecordClass.CONSENT})


class Unlawful(IntegrityError):
    """An erasure that must not be sealed. Says why, after « an erasure that »."""


class Unjudged(IntegrityError):
    """Whether an erasure is lawful cannot be known: the log itself is not what was signed. Says why."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What erasures are held against.

    Arguments:
        terms: how long each class is kept.
        keys: of those who may order an erasure; none: nobody may.
    """

    terms: RetentionTerms = field(default_factory=RetentionTerms)
    keys: tuple[VerifierKey, ...] = ()


@dataclass(frozen=True, slots=True)
class LetGo:
    """What an erasure lets go that none before it has.

    Arguments:
        ranges: of indices, both ends included, ascending.
    """

    ranges: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure that waits for its seal.

    Arguments:
        log: in which.
        body: its bytes.
        sealed: how far the log is sealed before it.
    """

    log: UUID
    body: bytes
    sealed: Frontier

    async def judge(
        self, connection: AsyncConnection, rules: Rules, leaves: SealedLeaves, now: datetime | None
    ) -> LetGo:
        """What it lets go.

        Arguments:
            connection: of the transaction that will seal it.
            leaves: of its log.
            now: aware; ``None``: what the clock says is not believed, and nothing is old.

        Raises:
            Unlawful: it names what must stay, what is gone, or what never was.
            Unjudged: the leaves of the log are not those that were signed.
        """
        said = body_value(self.body) or {}
        ranges = ranges_of(said)
        if not ranges or ranges[-1][1] >= self.sealed.size:
            raise Unlawful("names no range of records that are sealed")
        if sum(last - first + 1 for first, last in ranges) > MOST_NAMED:
            raise Unlawful(f"names more than {MOST_NAMED} records")
        may = self._allowed(said, rules, now)
        rows = await self._named(connection, ranges)
        check_each([row.idx for row in rows], ranges)
        proven = await self._check(connection, rows, leaves)
        may.check_order(origin_of(self.log), said, sorted(proven.items()))
        for row in rows:
            if row.body is not None:
                may.check(row.idx, body_value(row.body) or {})
        return LetGo(tuple(_runs(row.idx for row in rows if row.by is None)))

    def _allowed(self, said: dict[str, Any], rules: Rules, now: datetime | None) -> _Aged | _Ordered:
        match said.get("cause"):
            case "retention":
                return self._aged(said, rules, now)
            case "request":
                return self._ordered(said, rules, now)
        raise Unlawful("has a cause that is none")

    def _ordered(self, said: dict[str, Any], rules: Rules, now: datetime | None) -> _Ordered:
        order, reason = said.get("order"), said.get("reason")
        try:
            text, _ = signatures_of(order if isinstance(order, str) else "", rules.keys)
        except (Malformed, Unproven) as error:
            raise Unlawful(f"stands on an order that nobody has signed who may: {error}") from error
        if not isinstance(reason, str) or reason not in REASONS:
            raise Unlawful("has a reason that is none")
        whole = said.get("disclosures") is True
        if whole and reason == "article_17":
            raise Unlawful("erases the proof of disclosures at a person's wish")
        return _Ordered(rules.terms, NOTHING_IS_OLD if now is None else now, whole, text)

    def _aged(self, said: Mapping[str, Any], rules: Rules, now: datetime | None) -> _Aged:
        try:
            of_class = RecordClass(str(said.get("class")))
        except ValueError:
            raise Unlawful("names no class of records") from None
        if now is None:
            raise Unlawful(
                "stands on a clock that is not believed, since no head was signed in the week before what it says: set "
                "the clock; if it is right, and the server stood still, a day from now it is believed"
            )
        before = rules.terms.cut_off(of_class, now)
        if before is None:
            raise Unlawful("names records that are never erased")
        return _Aged(of_class, before)

    async def _named(self, connection: AsyncConnection, ranges: Sequence[tuple[int, int]]) -> Sequence[Row[Any]]:
        values = {"log": self.log, "firsts": [first for first, _ in ranges], "lasts": [last for _, last in ranges]}
        return (await connection.execute(_NAMED[self.log == HOUSE_LOG], values)).all()

    async def _check(
        self, connection: AsyncConnection, rows: Sequence[Row[Any]], leaves: SealedLeaves
    ) -> Mapping[int, bytes]:
        """That each record stands there as it was sealed, or was erased by a record that does; returns the leaves of
        all, as they were sealed."""
        earlier = {row.by for row in rows if row.body is None}
        if None in earlier:
            raise Unlawful("names a record that is gone already, which no erasure before it has named")
        wanted = {row.idx for row in rows} | earlier
        if max(wanted) >= self.sealed.size:
            raise Unlawful("names a record that an erasure that is not sealed is to have erased")
        try:
            proven = await leaves.proven(connection, self.sealed, wanted)
        except OtherLeaves as error:
            raise Unjudged(str(error)) from error
        for row in rows:
            if row.body is not None and leaf_hash(row.body) != proven[row.idx]:
                raise Unlawful(f"names the record at index {row.idx}, which is not what was sealed")
        if earlier:
            await self._check_earlier(connection, rows, earlier, proven)
        return {row.idx: proven[row.idx] for row in rows}

    async def _check_earlier(
        self, connection: AsyncConnection, rows: Sequence[Row[Any]], earlier: set[int], proven: Mapping[int, bytes]
    ) -> None:
        values = {"log": self.log, "indices": sorted(earlier)}
        named: dict[int, list[tuple[int, int]]] = {}
        for row in await connection.execute(_ERASURES[self.log == HOUSE_LOG], values):
            said = body_value(row.body) or {}
            if leaf_hash(row.body) == proven[row.idx] and said.get("event") == ERASURE:
                named[row.idx] = ranges_of(said) or []
        for row in rows:
            if row.body is None and not any(first <= row.idx <= last for first, last in named.get(row.by, ())):
                raise Unlawful(f"names the record at index {row.idx}, which is gone, and nothing sealed has erased it")


def check_each(found: Sequence[int], ranges: Sequence[tuple[int, int]]) -> None:
    """That each index that is named was found, once: what is not found is not looked at.

    Raises:
        Unlawful: one was not.
    """
    if list(found) != [index for first, last in ranges for index in range(first, last + 1)]:
        raise Unlawful("names a record whose leaf is not where it was sealed")


@dataclass(frozen=True, slots=True)
class _Aged:
    """What may go when its time is over: one class, written before a moment."""

    of_class: RecordClass
    before: datetime

    def check_order(self, origin: str, said: Mapping[str, Any], leaves: Sequence[tuple[int, bytes]]) -> None:
        """Nobody has to order it."""

    def check(self, index: int, said: Mapping[str, Any]) -> None:
        if CLASS_OF.get(str(said.get("event"))) is not self.of_class:
            raise Unlawful(f"names the record at index {index}, which is not of the class « {self.of_class} »")
        if not is_older(said, self.before):
            raise Unlawful(
                f"names the record at index {index} before its time: it is kept until it is older than "
                f"{self.before:%Y-%m-%d}. If retention was set longer a moment ago, set it back until this is sealed"
            )


@dataclass(frozen=True, slots=True)
class _Ordered:
    """What may go since somebody has ordered it.

    Arguments:
        text: of the order, whose signature was found to be of somebody who may.
    """

    terms: RetentionTerms
    now: datetime
    whole: bool
    text: str

    def check_order(self, origin: str, said: Mapping[str, Any], leaves: Sequence[tuple[int, bytes]]) -> None:
        """That it was ordered to erase these records, as they were sealed, and nothing else."""
        if self.text != order_text(origin, said, leaves):
            raise Unlawful("stands on an order to erase something else")

    def check(self, index: int, said: Mapping[str, Any]) -> None:
        if not may_go(said, self.terms, self.now, whole=self.whole):
            raise Unlawful(f"names the record at index {index}, which is kept by law until its time is over")


def may_go(said: Mapping[str, Any], terms: RetentionTerms, now: datetime, *, whole: bool) -> bool:
    """Whether a record may be erased because somebody orders it.

    Arguments:
        said: the record.
        whole: what is kept as proof goes too.
    """
    of_class = CLASS_OF.get(str(said.get("event")), RecordClass.ALWAYS)
    before = terms.cut_off(of_class, now)
    if before is None:
        return False
    if of_class is RecordClass.INCIDENTS or (of_class in KEPT_AS_PROOF and not whole):
        return is_older(said, before)
    return True


def is_due(body: bytes, leaf: bytes, of_class: RecordClass, before: datetime) -> bool:
    """Whether the sealer would let a record go as one that has had its time, as far as the record itself says.

    Arguments:
        leaf: that stands in the log for it.
        of_class: which it must be; ``before``: and written before when.
    """
    try:
        _Aged(of_class, before).check(0, body_value(body) or {})
    except Unlawful:
        return False
    return leaf_hash(body) == leaf


def is_older(said: Mapping[str, Any], before: datetime) -> bool:
    """Whether a record says that it was written before a moment."""
    try:
        return datetime.fromisoformat(str(said.get("ts"))) < before
    except (ValueError, TypeError):
        return False


def _runs(indices: Iterable[int]) -> Iterable[tuple[int, int]]:
    """Ascending indices, as ranges."""
    first = last = None
    for index in indices:
        if first is None or last is None:
            first = index
        elif index != last + 1:
            yield first, last
            first = index
        last = index
    if first is not None and last is not None:
        yield first, last


def runs(indices: Iterable[int]) -> list[tuple[int, int]]:
    """Indices in any order, as ascending ranges without overlap."""
    return list(_runs(sorted(set(indices))))


_OF_RANGES = (
    "FROM unnest(cast(:firsts AS bigint[]), cast(:lasts AS bigint[])) AS n(first, last) "
    "JOIN audit_leaf l ON l.log_id = :log AND l.idx BETWEEN n.first AND n.last"
)
_NAMED = {
    False: text(
        f"SELECT l.idx, r.body, e.idx AS by {_OF_RANGES} "
        f"LEFT JOIN audit_record r ON r.id = l.record_id AND r.practice_id = :log {COVERING} ORDER BY l.idx"
    ),
    True: text(
        f"SELECT l.idx, convert_to(r.body, 'UTF8') AS body, e.idx AS by {_OF_RANGES} "
        f"LEFT JOIN house_record r ON r.id = l.record_id {COVERING} ORDER BY l.idx"
    ),
}
_ERASURES = {
    False: text(
        "SELECT l.idx, r.body FROM audit_leaf l JOIN audit_record r ON r.id = l.record_id AND r.practice_id = :log "
        "WHERE l.log_id = :log AND l.idx = ANY(cast(:indices AS bigint[]))"
    ),
    True: text(
        "SELECT l.idx, convert_to(r.body, 'UTF8') AS body FROM audit_leaf l JOIN house_record r ON r.id = l.record_id "
        "WHERE l.log_id = :log AND l.idx = ANY(cast(:indices AS bigint[]))"
    ),
}
