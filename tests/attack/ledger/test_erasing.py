"""Somebody makes a removal look like an erasure, or has erased what must stay (P4).

The owner of the database writes what they like, with nothing in the way, and the server's own login writes records. Of
the sealer they have no hold, which judges an erasure before it signs. An attack has succeeded once a record that must
stand is gone, and the verifier passes the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit import letting_go
from callcenter.audit import sealer as sealer_module
from callcenter.audit.cosigning import Witness
from callcenter.audit.ledger import Entry, EventKind, Value, note
from callcenter.audit.letting_go import Erasure, Rules
from callcenter.audit.orders import sign_order
from callcenter.audit.retention import RetentionTerms
from callcenter.audit.sealed_leaves import SealedLeaves
from callcenter.audit.sealer import LogSealer
from callcenter.audit.verify import Verdict, What
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.store.database import Transaction
from callcenter.store.schema import APP
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Outcome, Sabotage, attack, gained, replaced
from tests.attack.ground import Ground
from tests.attack.ledger.conftest import Scene
from tests.attack.ledger.test_any_course import InOneTransaction
from tests.attack.ledger.test_sealing import sealed
from tests.attack.ledger.test_tampering import looks_for, place
from tests.conftest import TODAY
from tests.erasing import HEADS_SIGNED
from tests.exporting import TILLEULS, Meddler
from tests.sealing import Cries, a_key

JOB = {"kind": "job", "id": "retention"}
#: When all of the scene but its disclosures have had their time; and all of it.
A_YEAR_ON, LONG_AFTER = TODAY + timedelta(days=400), TODAY + timedelta(days=3_000)


async def _nothing_is_checked(*_: object) -> Mapping[int, bytes]:
    return {}


async def _as_the_table_says(
    self: SealedLeaves, connection: AsyncConnection, _: object, wanted: set[int]
) -> Mapping[int, bytes]:
    query = text("SELECT idx, leaf FROM audit_leaf WHERE log_id = :log AND idx = ANY(:wanted)")
    found = await connection.execute(query, {"log": self.log, "wanted": sorted(wanted)})
    return {row.idx: row.leaf for row in found}


class _AnyOrder(letting_go._Ordered):
    def check_order(self, *_: object) -> None:
        pass


def _whoever_orders_may(self: Erasure, said: Mapping[str, Any], rules: Rules, now: Any) -> object:
    return _AnyOrder(rules.terms, now, True, "")


async def _any_clock(_: object, now: datetime) -> datetime:
    return now


PRESENT = replaced("what is named must stand", "P4: nothing is explained later", Erasure, "_check", _nothing_is_checked)
EARLIER = replaced(
    "what has erased it must be sealed",
    "P4: nothing is explained later",
    Erasure,
    "_check_earlier",
    _nothing_is_checked,
)
AGE = replaced("what is named has had its time", "P4: nothing goes before", letting_go._Aged, "check", lambda *_: None)
EACH = replaced("each index is found", "P4: what goes is looked at", letting_go, "check_each", lambda *_: None)
PROVEN = replaced(
    "leaves are those that were signed", "P4: what goes is known", SealedLeaves, "proven", _as_the_table_says
)
ORDERED = replaced("who orders it may", "P4: nothing goes at nobody's word", Erasure, "_ordered", _whoever_orders_may)
CLOCK = replaced("a clock that jumps is not believed", "P4: nothing goes before", sealer_module, "believed", _any_clock)
NAMED = looks_for(What.ERASED, "a body that is missing needs a cause")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody does in one transaction, which is undone.

    Arguments:
        rules: of the sealer.
        time_passes: heads were signed until now; ``False``: the clock has jumped.
    """

    db: Meddler
    clock: DrivenClock
    rules: Rules = field(default_factory=Rules)
    time_passes: bool = True

    async def erasure(self, **content: Value) -> None:
        """Put on record by whoever can make the server write."""
        entry = Entry(EventKind.ERASURE, JOB, None, content)
        await note(Transaction(self.db.connection, TILLEULS), entry, self.clock, SystemRandom())

    async def retention(self, kept: str, *indices: int) -> None:
        await self.erasure(cause="retention", **{"class": kept}, erases=[[index, index] for index in sorted(indices)])

    async def is_sealed(self) -> bool:
        """Whether the sealer signs it; otherwise it cries."""
        cries = Cries()
        if self.time_passes:
            await self.db.do(HEADS_SIGNED, at=self.clock.now() - timedelta(days=2))
        sealer = LogSealer(a_key(), self.clock, cries, rules=self.rules)
        await sealer.round(InOneTransaction(self.db.connection))  # type: ignore[arg-type]
        return not cries.heard

    async def outcome(self, *, gone: bool = True) -> Outcome:
        """Whether it was sealed and the verifier passes what stands there then.

        Arguments:
            gone: what was named is deleted before, as the job would.
        """
        if not await self.is_sealed():
            return FOILED
        if gone:
            await self.db.do(DELETE_LET_GO, log=TILLEULS)
        return SUCCEEDED if (await self.db.export()).report().verdict is Verdict.INTACT else FOILED


DELETE_LET_GO = (
    "DELETE FROM audit_record r USING audit_leaf l, audit_erasure e WHERE l.log_id = :log AND e.log_id = :log "
    "AND l.idx BETWEEN e.first AND e.last AND r.id = l.record_id"
)
REMOVE = "DELETE FROM audit_record WHERE id = (SELECT record_id FROM audit_leaf WHERE log_id = :log AND idx = :at)"
SAY_LET_GO = (
    "INSERT INTO audit_erasure (log_id, first, last, idx, let_go_at) "
    "VALUES (:log, :at, :at, :by, now() - interval '2 days')"
)


async def test_p4_what_is_lawful_is_sealed_and_passes(scene: Scene) -> None:
    """So that what follows is foiled by what it says, and by nothing else."""
    async with scene.archive.meddling() as db:
        attempt = Attempt(db, DrivenClock(A_YEAR_ON))
        await attempt.retention("operation", await place(db, scene.calls[2], 0))
        assert await attempt.outcome() is SUCCEEDED


@attack(stopped_by=PRESENT)
async def test_p4_a_record_is_removed_and_explained_later(scene: Scene) -> Outcome:
    async with scene.archive.meddling() as db:
        attempt, at = Attempt(db, DrivenClock(LONG_AFTER)), await place(db, scene.calls[2], 1)
        await db.do(REMOVE, log=TILLEULS, at=at)
        await attempt.retention("disclosures", at)
        return await attempt.outcome(gone=False)


@attack(stopped_by=EARLIER)
async def test_p4_a_record_is_removed_as_if_an_earlier_erasure_had_named_it(scene: Scene) -> Outcome:
    """There is one, sealed; it names another record."""
    async with scene.archive.meddling() as db:
        attempt, at = Attempt(db, DrivenClock(LONG_AFTER)), await place(db, scene.calls[2], 1)
        await attempt.retention("operation", await place(db, scene.calls[2], 0))
        assert await attempt.is_sealed()
        (row,) = await db.rows("SELECT max(idx) AS by FROM audit_erasure WHERE log_id = :log", log=TILLEULS)
        await db.do(SAY_LET_GO, log=TILLEULS, at=at, by=row.by)
        await db.do(REMOVE, log=TILLEULS, at=at)
        await attempt.retention("disclosures", at)
        return await attempt.outcome(gone=False)


@pytest.mark.parametrize(("kept", "seq"), [("operation", 1), ("disclosures", 1)], ids=["another class", "too young"])
@attack(stopped_by=AGE)
async def test_p4_a_disclosure_is_erased_before_its_time(scene: Scene, kept: str, seq: int) -> Outcome:
    async with scene.archive.meddling() as db:
        attempt = Attempt(db, DrivenClock(A_YEAR_ON))
        await attempt.retention(kept, await place(db, scene.calls[2], seq))
        return await attempt.outcome()


@attack(stopped_by=CLOCK)
async def test_p4_a_clock_is_set_forward_by_years(scene: Scene) -> Outcome:
    """Of the machine that runs server and sealer: what is written today has had its time, it says."""
    async with scene.archive.meddling() as db:
        attempt = Attempt(db, DrivenClock(LONG_AFTER), time_passes=False)
        await attempt.retention("disclosures", await place(db, scene.calls[2], 1))
        return await attempt.outcome()


@attack(stopped_by=PROVEN)
async def test_p4_a_disclosure_is_made_old_erased_and_its_leaf_put_back(scene: Scene) -> Outcome:
    async with scene.archive.meddling() as db:
        attempt, at = Attempt(db, DrivenClock(A_YEAR_ON)), await place(db, scene.calls[2], 1)
        (leaf,) = await db.rows("SELECT leaf FROM audit_leaf WHERE log_id = :log AND idx = :at", log=TILLEULS, at=at)
        of_it = "id = (SELECT record_id FROM audit_leaf WHERE log_id = :log AND idx = :at)"
        aged = "replace(encode(body, 'escape'), '\"ts\":\"2', '\"ts\":\"1')"
        await db.do(f"UPDATE audit_record SET body = decode({aged}, 'escape') WHERE {of_it}", log=TILLEULS, at=at)
        await db.do(
            "UPDATE audit_leaf l SET leaf = sha256('\\x00'::bytea || r.body) FROM audit_record r "
            "WHERE r.id = l.record_id AND l.log_id = :log AND l.idx = :at",
            log=TILLEULS,
            at=at,
        )
        await attempt.retention("disclosures", at)
        if not await attempt.is_sealed():
            return FOILED
        await db.do(REMOVE, log=TILLEULS, at=at)
        back = "UPDATE audit_leaf SET leaf = :leaf WHERE log_id = :log AND idx = :at"
        await db.do(back, log=TILLEULS, at=at, leaf=leaf.leaf)
        return SUCCEEDED if (await db.export()).report().verdict is Verdict.INTACT else FOILED


@attack(stopped_by=(EACH, PROVEN))
async def test_p4_a_disclosure_and_its_leaf_are_out_of_sight_while_its_erasure_is_judged(scene: Scene) -> Outcome:
    """Named beside something that is lawful; the leaf is put back once it is sealed."""
    async with scene.archive.meddling() as db:
        attempt, at = Attempt(db, DrivenClock(A_YEAR_ON)), await place(db, scene.calls[2], 1)
        await db.do(REMOVE, log=TILLEULS, at=at)
        aside = "CREATE TEMP TABLE aside ON COMMIT DROP AS SELECT * FROM audit_leaf WHERE log_id = :log AND idx = :at"
        await db.do(aside, log=TILLEULS, at=at)
        await db.do("DELETE FROM audit_leaf WHERE log_id = :log AND idx = :at", log=TILLEULS, at=at)
        await attempt.retention("operation", at - 1, at)
        if not await attempt.is_sealed():
            return FOILED
        await db.do("INSERT INTO audit_leaf SELECT * FROM aside")
        return SUCCEEDED if (await db.export()).report().verdict is Verdict.INTACT else FOILED


@attack(stopped_by=NAMED)
async def test_p4_a_record_is_let_go_by_nobody_and_removed(scene: Scene) -> Outcome:
    """The table of what the sealer has let go says so; no record does."""
    async with scene.archive.meddling() as db:
        at = await place(db, scene.calls[2], 1)
        await db.do(SAY_LET_GO, log=TILLEULS, at=at, by=at + 1)
        await db.do(REMOVE, log=TILLEULS, at=at)
        return SUCCEEDED if (await db.export()).report().verdict is Verdict.INTACT else FOILED


# --- orders

CLAIRE = Witness("cabinet.example/claire", Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))
MALLORY = Witness("cabinet.example/claire", Ed25519PrivateKey.from_private_bytes(b"\x02" * 32))
BY_CLAIRE = Rules(RetentionTerms(), (CLAIRE.key,))


async def ordered(
    db: Meddler, by: Witness, content: dict[str, Any], log: str = f"callcenter/{TILLEULS}", shown: int | None = None
) -> dict[str, Value]:
    """With an order.

    Arguments:
        shown: the place whose leaf was signed for it; ``None``: its own.
    """
    ((at, _),) = content["erases"]
    leaf = "SELECT leaf FROM audit_leaf WHERE log_id = :log AND idx = :at"
    (row,) = await db.rows(leaf, log=TILLEULS, at=at if shown is None else shown)
    return {**content, "order": sign_order(by, log, content, [(at, bytes(row.leaf))], 1_800_000_000)}


def of_whole(at: int, reason: str = "court_order") -> dict[str, Value]:
    return {"cause": "request", "reason": reason, "disclosures": True, "erases": [[at, at]]}


async def test_p4_an_order_of_somebody_who_may_is_sealed_and_passes(scene: Scene) -> None:
    async with scene.archive.meddling() as db:
        attempt = Attempt(db, DrivenClock(TODAY), BY_CLAIRE)
        await attempt.erasure(**await ordered(db, CLAIRE, of_whole(await place(db, scene.calls[2], 1))))
        assert await attempt.outcome() is SUCCEEDED


FORGERIES = {
    "by a key that is not known": (lambda db, at: ordered(db, MALLORY, of_whole(at)), {}),
    "for another log": (lambda db, at: ordered(db, CLAIRE, of_whole(at), "callcenter/house"), {}),
    "of other records": (lambda db, at: ordered(db, CLAIRE, of_whole(at - 1)), {"at": 0}),
    "of what it was not shown as": (lambda db, at: ordered(db, CLAIRE, of_whole(at), shown=at - 1), {}),
    "of no disclosure": (
        lambda db, at: ordered(db, CLAIRE, {**of_whole(at), "disclosures": False}),
        {"disclosures": True},
    ),
    "at a wish": (lambda db, at: ordered(db, CLAIRE, of_whole(at, "article_17")), {}),
}


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES)
@attack(stopped_by=ORDERED)
async def test_p4_a_disclosure_is_erased_on_an_order_that_nobody_has_given(scene: Scene, forged: Any) -> Outcome:
    async with scene.archive.meddling() as db:
        attempt = Attempt(db, DrivenClock(TODAY), BY_CLAIRE)
        (make, instead), at = forged, await place(db, scene.calls[2], 1)
        content = await make(db, at) | ({"erases": [[at, at]]} if "at" in instead else instead)
        await attempt.erasure(**content)
        return await attempt.outcome()


# --- whoever has the server's login


def _the_app_may_let_go(sabotage: Sabotage) -> None:
    sabotage.sql(f"GRANT INSERT ON audit_erasure TO {APP}")


def _any_log_may_be_written(sabotage: Sabotage) -> None:
    sabotage.sql("ALTER TABLE audit_erasure DISABLE ROW LEVEL SECURITY")


RIGHT = Defence("the app role lets nothing go", "P4: only the sealer lets a record go", _the_app_may_let_go)
POLICY = Defence("what is let go is the sealer's to write", "P4: only the sealer lets go", _any_log_may_be_written)


@attack(stopped_by=(RIGHT, POLICY))
async def test_p4_the_server_lets_a_record_go_and_has_it_erased(told_ground: Ground, clock: DrivenClock) -> Outcome:
    """Sealed a moment ago. The function that erases does what the sealer's table says."""
    await sealed(told_ground, LogSealer(a_key(), clock, Cries()))
    await told_ground.change("DELETE FROM audio")
    query = "SELECT l.idx, r.id FROM audit_leaf l JOIN audit_record r ON r.id = l.record_id WHERE event = 'disclosure'"
    told = (await told_ground.rows(query))[0]
    async with told_ground.app.practice(TILLEULS) as tx:
        try:
            async with tx.connection.begin_nested():
                values = {"log": TILLEULS, "at": told.idx, "by": told.idx + 1}
                await tx.connection.execute(text(SAY_LET_GO), values)
        except DBAPIError as error:
            if not any(refusal in str(error.orig) for refusal in ("permission denied", "row-level security")):
                raise
        await tx.connection.execute(text("SELECT erase_sealed(10)"))
    return gained(not await told_ground.rows("SELECT 1 FROM audit_record WHERE id = :id", id=told.id))
