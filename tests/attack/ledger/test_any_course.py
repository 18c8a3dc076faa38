"""Whatever is done to a ledger, in whatever order, verifying it fails if and only if somebody has tampered (P4).

What is to be expected comes from lists of what was written and sealed, and of what a head covered when somebody took
it: nothing of the verifier's, no tree and no hash. It all happens in one database, and what an example does is undone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from callcenter.audit.erasing import erase_let_go, erases
from callcenter.audit.key_changes import announced, vouched_since
from callcenter.audit.ledger import Entry, EventKind, note
from callcenter.audit.logs import origin_of
from callcenter.audit.sealer import LogSealer
from callcenter.audit.signing import SealingKey
from callcenter.audit.verify import Verdict, VerifierKey, verify_export
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.staff.ledger_acts import put_on_record
from callcenter.staff.old_records import JOB
from callcenter.store.database import Transaction, in_practice
from tests.conftest import ROOT, TODAY, Cluster
from tests.erasing import HEADS_SIGNED, LET_GO_EARLIER
from tests.exporting import IVR, TILLEULS, Meddler, unguard
from tests.sealing import Cries, a_key

ORIGIN = origin_of(TILLEULS)
#: Begin the texts of records that name others, and that are never erased.
ERASURE, CHANGE = "erasure", "change"
FOUR_YEARS = 4 * 366 * 86_400.0
STREAMS = [UUID(int=number, version=4) for number in range(1, 4)]


@dataclass(slots=True)
class InOneTransaction:
    """A connection for the sealer, whose transactions are parts of the example's."""

    connection: AsyncConnection

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def begin(self) -> Any:
        return self.connection.begin_nested()


@dataclass(frozen=True, slots=True)
class Change:
    """That one key follows another; keys are told by numbers. ``place``: of the record that says so."""

    place: int
    former: int
    following: int


@dataclass(slots=True)
class Keys:
    """Who signs.

    Arguments:
        signing: the key, and the next one while it is changed for that.
        signed: who has signed each head.
        changes: that are on record.
        held: who has signed the head that somebody holds, of those whom they trusted then.
    """

    signing: list[int] = field(default_factory=lambda: [0])
    signed: list[set[int]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    held: set[int] = field(default_factory=set)

    def copy(self) -> Keys:
        return Keys(list(self.signing), list(self.signed), list(self.changes), self.held)

    def believed(self, heads: list[int], first: int) -> tuple[bool, set[int], set[int]]:
        """For somebody who has the key ``first``: whether each head is signed by a key that they know; the keys that
        they know in the end, and those of them whom they knew when they came to the last head."""
        known, before, late = {first}, {first}, []
        for size, signed in zip(heads, self.signed, strict=True):
            before = set(known)
            if not signed & known:
                late.append(signed)
                continue
            for change in self.changes:
                if change.place < size and change.former in known:
                    known.add(change.following)
        seen = max((size for size, signed in zip(heads, self.signed, strict=True) if signed & known), default=0)
        earlier: set[int] = set()
        for change in reversed(self.changes):
            if change.place < seen and change.following in known | earlier and change.former not in known:
                earlier.add(change.former)
        is_known = all(signed & earlier for signed in late) and bool(self.signed[-1] & known)
        is_led_to = all(change.former in known | earlier for change in self.changes if change.place < heads[-1])
        return is_known and is_led_to, known | earlier, before


@dataclass(slots=True)
class Expected:
    """What stands there, as lists.

    Arguments:
        written: texts of records, in order; ``sealed``: how many of them.
        heads: numbers of records under each signed head, rising; ``times``: when each was signed.
        held: texts under the head that somebody holds.
        sealed_at: when the last one was signed. Time stands still but for jumps of years.
        is_tampered: something was changed that shows without any held head.
        is_cut: the end was cut off, and how far it is sealed is forgotten: nothing more is sealed.
        let_go: places of records that an erasure names, which is sealed, each with that one's place.
        erased: those of them that are gone.
        keys: who signs.
    """

    written: list[str] = field(default_factory=list)
    sealed: int = 0
    heads: list[int] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    held: list[str] | None = None
    sealed_at: datetime = TODAY
    is_tampered: bool = False
    is_cut: bool = False
    let_go: dict[int, int] = field(default_factory=dict)
    erased: set[int] = field(default_factory=set)
    keys: Keys = field(default_factory=Keys)

    def copy(self) -> Expected:
        return deepcopy(self)

    def standing(self) -> list[int]:
        """Places of sealed records that nothing has let go, and that may be."""
        lasting = (ERASURE, CHANGE)
        return [at for at in range(self.sealed) if not self.written[at].startswith(lasting) and at not in self.let_go]

    def signed(self, at: datetime) -> None:
        """What waited is sealed. Once an hour is over, of its heads by the same keys the last one stays."""
        signed, before = self.keys.signed, self.sealed_at
        if before != at:
            last = {frozenset(by): place for place, by in enumerate(signed) if self.times[place] == before}
            kept = [n for n, by in enumerate(signed) if self.times[n] != before or last[frozenset(by)] == n]
            self.heads, self.times = [self.heads[n] for n in kept], [self.times[n] for n in kept]
            self.keys.signed = [signed[n] for n in kept]
        self.sealed, self.sealed_at = len(self.written), at
        self.heads.append(self.sealed)
        self.times.append(at)
        self.keys.signed.append({*self.keys.signing})

    def verdict(self, first: int = 0) -> Verdict:
        """For somebody who has the key ``first``."""
        is_signed, known, _ = self.keys.believed(self.heads, first)
        if self.is_tampered or not is_signed:
            return Verdict.TAMPERED
        if self.held is None:
            return Verdict.INTACT
        if not self.keys.held & known:
            return Verdict.UNCHECKED
        return Verdict.INTACT if self.written[: self.sealed][: len(self.held)] == self.held else Verdict.TAMPERED


class Course(RuleBasedStateMachine):
    """One course of things. ``root`` and ``loop`` are given by the test."""

    root: AsyncEngine
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.expected = Expected()
        self.note = ""
        self.number = 0
        self.key, self.private = a_key(), [a_key().private]
        self.backup: tuple[Expected, SealingKey] | None = None
        self.clock, self.random = DrivenClock(TODAY), SeededRandom(1)
        self.connection = self.does(self.root.connect().start())
        self.does(self.connection.begin().start())
        self.db = Meddler(self.connection)

    def does(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.does(self.connection.rollback())
        self.does(self.connection.close())

    # --- what happens lawfully

    @initialize(
        held=st.booleans(), erases=st.sampled_from([None, True, False]), changes=st.lists(st.booleans(), max_size=2)
    )
    def begin(self, held: bool, erases: bool | None, changes: list[bool]) -> None:
        """Two heads, so that every rule can come first; something may be erased, and somebody hold the last one. Then
        the key may be changed.

        Arguments:
            erases: whether whoever erases is stopped before they do.
            changes: whether each is on record and sealed before it is gone on with.
        """
        for stream in STREAMS[:2]:
            self._write(stream)
            self._write(stream)
            self._seal()
        if erases is not None:
            self._erase(stops=erases)
            self._write(STREAMS[0])
            self._seal()
        if held:
            self.hold()
        for is_sealed in changes:
            self.rotate()
            if is_sealed:
                self._seal()
                self.retire()

    @rule(stream=st.sampled_from(STREAMS))
    def write(self, stream: UUID) -> None:
        self._write(stream)

    def _write(
        self, stream: UUID, kind: EventKind = EventKind.DISCLOSURE, content: Mapping[str, Any] | None = None
    ) -> None:
        self.number += 1
        entry = Entry(kind, IVR, None, {**(content or {}), "text": f"record {self.number}"})
        self.does(note(Transaction(self.connection, TILLEULS), entry, self.clock, self.random, stream=stream))
        word = CHANGE if kind is EventKind.KEY_ROTATED else "record"
        self.expected.written.append(f"{word} {self.number}")

    @precondition(lambda self: len(self.expected.written) > self.expected.sealed)
    @precondition(lambda self: not self.expected.is_tampered and not self.expected.is_cut)
    @rule()
    def seal(self) -> None:
        self._seal()

    def _seal(self) -> None:
        cries = Cries()
        sealer = LogSealer(self.key, self.clock, cries)
        self.does(sealer.round(InOneTransaction(self.connection)))  # type: ignore[arg-type]
        assert cries.heard == []
        self.expected.signed(self.clock.now())

    @precondition(lambda self: not self.expected.is_tampered and not self.expected.is_cut)
    @rule(stops=st.booleans())
    def erase(self, stops: bool) -> None:
        """Years later, what was sealed has had its time: it is named, sealed, erased; or whoever erases it is stopped
        before they do, and goes on the next time."""
        self._erase(stops=stops)

    def _erase(self, *, stops: bool) -> None:
        self.clock.advance(FOUR_YEARS)
        at = self.clock.now() - timedelta(days=2)  # somebody was there all the time
        self.does(self.connection.execute(text(HEADS_SIGNED), {"at": at}))
        self.finish()
        tx, standing = self.does(in_practice(self.connection, TILLEULS)), self.expected.standing()
        if standing:
            content = {"cause": "retention", "class": "disclosures", "erases": erases(standing)}
            self.does(put_on_record(tx, EventKind.ERASURE, content, JOB, self.clock, self.random))
            self.expected.let_go |= dict.fromkeys(standing, len(self.expected.written))
            self.number += 1
            self.expected.written.append(f"{ERASURE} {self.number}")
            self._seal()
        if not stops:
            self.finish()

    def finish(self) -> None:
        self.does(self.connection.execute(text(LET_GO_EARLIER)))
        gone = self.does(erase_let_go(self.does(in_practice(self.connection, TILLEULS))))
        assert gone == len(self.expected.let_go) - len(self.expected.erased)
        self.expected.erased = set(self.expected.let_go)

    @precondition(lambda self: self.expected.sealed and not self.expected.is_tampered)
    @rule()
    def hold(self) -> None:
        """Somebody verifies, and keeps the head."""
        if self.expected.verdict() is Verdict.INTACT:
            self.note = self.does(self.db.export()).report(self.note or None).keep
            self.expected.held = self.expected.written[: self.expected.sealed]
            keys = self.expected.keys
            keys.held = keys.signed[-1] & keys.believed(self.expected.heads, 0)[2]

    @precondition(lambda self: not self.is_announced() and not self.expected.is_tampered)
    @rule()
    def rotate(self) -> None:
        """The key begins to be changed for another; or what was said of it, and was lost, is said again."""
        keys = self.expected.keys
        self.key = self.key.changing(SeededRandom(100 + len(self.private)))
        following = self.key.changed().private
        if len(keys.signing) == 1:
            self.private.append(following)
            keys.signing.append(len(self.private) - 1)
        keys.changes.append(Change(len(self.expected.written), *keys.signing))
        (said,) = self.key.under_way(ORIGIN).values()
        self._write(STREAMS[0], EventKind.KEY_ROTATED, said)
        self.does(self.connection.execute(text(COMPUTED)))

    def is_announced(self) -> bool:
        """Whether the change that is under way is on record."""
        keys = self.expected.keys
        return any([change.former, change.following] == keys.signing for change in keys.changes)

    @precondition(lambda self: len(self.expected.keys.signing) == 2 and not self.expected.is_tampered)
    @rule()
    def retire(self) -> None:
        """The old key is put away, unless whoever has it would not be led to the next one."""
        keys, transaction = self.expected.keys, Transaction(self.connection, TILLEULS)
        places = [one.place for one in keys.changes if [one.former, one.following] == keys.signing]
        over = [
            signed for size, signed in zip(self.expected.heads, keys.signed, strict=True) if places and size > places[0]
        ]
        may = bool(over) and over[0] == over[-1] == {*keys.signing}
        found = self.does(announced(transaction, self.key))
        vouched = found is not None and found.index is not None
        assert may is (vouched and self.does(vouched_since(transaction, self.key, found.index)) is not None)
        if may:
            self.key = self.key.changed()
            del keys.signing[0]

    @precondition(lambda self: self.backup is None)
    @rule()
    def back_up(self) -> None:
        self.does(self.connection.execute(text("SAVEPOINT backup")))
        self.backup = self.expected.copy(), self.key

    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore(self) -> None:
        """What was written since is lost; it shows to whoever holds a head of it."""
        assert self.backup is not None
        self.does(self.connection.execute(text("ROLLBACK TO SAVEPOINT backup")))
        restored, self.key = self.backup[0].copy(), self.backup[1]
        restored.held, restored.keys.held = self.expected.held, self.expected.keys.held
        self.expected = restored

    # --- what the owner of the database does, once: done twice, some of it would be undone

    @precondition(lambda self: self.expected.standing() and not self.expected.is_tampered)
    @rule(at=st.integers(0, 50))
    def edit(self, at: int) -> None:
        body = "replace(body::text, encode('record ', 'hex'), encode('rumour ', 'hex'))::bytea"
        self.tamper(f"UPDATE audit_record SET body = {body} WHERE id = {NTH}", at)

    @precondition(lambda self: self.expected.standing() and not self.expected.is_tampered)
    @rule(at=st.integers(0, 50))
    def delete(self, at: int) -> None:
        self.tamper(f"DELETE FROM audit_record WHERE id = {NTH}", at)

    @precondition(lambda self: self.expected.sealed > 1 and not self.expected.is_tampered)
    @rule(at=st.integers(0, 50))
    def swap(self, at: int) -> None:
        first = at % (self.expected.sealed - 1)
        swap = "UPDATE audit_leaf SET idx = :both - idx WHERE log_id = :log AND idx IN (:one, :other)"
        self.does(self.db.do(swap, log=TILLEULS, both=2 * first + 1, one=first, other=first + 1))
        self.expected.is_tampered = True

    @precondition(lambda self: self.expected.sealed and not self.expected.is_tampered)
    @rule()
    def forge_a_head(self) -> None:
        statement = "UPDATE audit_checkpoint SET note = reverse(note) WHERE log_id = :log AND size = :size"
        self.does(self.db.do(statement, log=TILLEULS, size=self.expected.heads[-1]))
        self.expected.is_tampered = True

    @precondition(lambda self: len(self.expected.heads) > 1 and not self.expected.is_tampered)
    @rule()
    def cut(self) -> None:
        """Back to the head before the last one; shows to whoever holds more. What waited goes too. It shows to anybody
        where it takes the reason away why something is erased."""
        keys = self.expected.keys
        del self.expected.heads[-1], self.expected.times[-1], keys.signed[-1]
        self.expected.sealed = self.expected.heads[-1]
        del self.expected.written[self.expected.sealed :]
        keys.changes = [change for change in keys.changes if change.place < self.expected.sealed]
        for statement in CUT:
            self.does(self.connection.execute(text(statement), {"log": TILLEULS, "size": self.expected.sealed}))
        self.expected.is_cut = True
        explained = {at: why for at, why in self.expected.let_go.items() if why < self.expected.sealed}
        self.expected.erased &= set(range(self.expected.sealed))
        self.expected.is_tampered = not self.expected.erased <= set(explained)
        self.expected.let_go = explained

    def tamper(self, statement: str, at: int) -> None:
        standing = self.expected.standing()
        self.does(self.db.do(statement, log=TILLEULS, at=standing[at % len(standing)]))
        self.expected.is_tampered = True

    # --- what is verified

    @invariant()
    def verifying_fails_if_and_only_if_somebody_has_tampered(self) -> None:
        if self.expected.sealed:
            copy = self.does(self.db.export())
            # For whoever has had the first key since the beginning; and whoever comes today, and is given the last one.
            for first in {0, self.expected.keys.signing[-1]}:
                trust = [VerifierKey.of(ORIGIN, self.private[first])]
                verdict = verify_export(iter(copy.lines), trust, self.note or None).verdict
                assert verdict is self.expected.verdict(first)


#: What nobody computes here any more, and changes of the key are looked up by.
COMPUTED = "UPDATE audit_record SET event = ledger_text(body, '{event}') WHERE event IS NULL"
NTH = "(SELECT record_id FROM audit_leaf WHERE log_id = :log AND idx = :at)"
CUT = (
    "DELETE FROM audit_outbox WHERE practice_id = :log",
    "DELETE FROM audit_leaf WHERE log_id = :log AND idx >= :size",
    "DELETE FROM audit_checkpoint WHERE log_id = :log AND size > :size",
    "DELETE FROM audit_record WHERE practice_id = :log AND id NOT IN (SELECT record_id FROM audit_leaf)",
    "DELETE FROM audit_erasure WHERE log_id = :log AND idx >= :size",
    "DELETE FROM audit_log WHERE log_id = :log",
)


def test_p4_verifying_fails_if_and_only_if_somebody_has_tampered(cluster: Cluster, peopled_name: str) -> None:
    url = cluster.server.url(user=ROOT, database=peopled_name)
    loop = asyncio.new_event_loop()

    def does(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        return loop.run_until_complete(work())

    engine = create_async_engine(url, pool_size=1)

    async def nothing_is_in_the_way() -> None:
        async with engine.begin() as connection:
            await unguard(connection)
            await connection.execute(text("TRUNCATE audit_record, audit_outbox CASCADE"))

    class Here(Course):
        root = engine

    Here.loop = loop
    bounds = settings(
        max_examples=40,
        stateful_step_count=12,
        deadline=None,
        derandomize=True,
        phases=(Phase.generate,),  # making a failing course smaller takes minutes
        suppress_health_check=list(HealthCheck),
    )
    try:
        does(nothing_is_in_the_way)
        run_state_machine_as_test(Here, settings=bounds)
    finally:
        does(engine.dispose)
        loop.close()
