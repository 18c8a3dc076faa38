"""What happens to records before they are sealed, and to bodies with and without a lawful cause (P4)."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from callcenter import doctor
from callcenter.audit import sealer
from callcenter.audit.ledger import Entry, EventKind, canonical, note
from callcenter.audit.letting_go import Erasure, Rules
from callcenter.audit.logs import HOUSE_LOG, origin_of
from callcenter.audit.sealer import LogBroken, LogSealer
from callcenter.audit.signing import SealingKey
from callcenter.audit.tables import SEARCHED
from callcenter.audit.verify import (
    COSIGNATURE,
    MOST_OF_A_LINE,
    Checkpoint,
    Frontier,
    Rotation,
    Verdict,
    VerifierKey,
    What,
    cosignature_line,
    leaf_hash,
    verify_export,
)
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SystemRandom
from callcenter.staff.records import NOBODY, Act, HouseLog
from callcenter.store.database import Database
from callcenter.store.schema import APP, SEALER
from tests.attack.defence import Outcome, attack, gained, replaced
from tests.conftest import Cluster
from tests.erasing import days_pass
from tests.exporting import IVR, TABLES, TILLEULS, Archive, archive_on
from tests.sealing import Cries, a_key, seal_once
from tests.unit.audit.log_by_hand import rotation


@pytest.fixture
async def archive(cluster: Cluster, peopled_name: str, clock: DrivenClock) -> AsyncIterator[Archive]:
    database = Database(cluster.server.url(user=APP, database=peopled_name), pool_size=2)
    archive = archive_on(cluster, peopled_name, database, clock)
    await archive.call()
    await archive.seal()
    yield archive
    await database.close()


async def force(archive: Archive, *statements: str, **values: object) -> None:
    """Do this for good, with no trigger in the way."""
    async with archive.superuser() as connection:
        for table in TABLES:
            await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        for statement in statements:
            assert (await connection.execute(text(statement), values)).rowcount, statement  # -1: it changes no row


async def say_erased(archive: Archive, erases: list[list[int]], **content: str) -> None:
    """Put an erasure on record."""
    async with archive.app.practice(TILLEULS) as tx:
        entry = Entry(EventKind.ERASURE, IVR, None, {**content, "erases": erases})
        await note(tx, entry, archive.clock, SystemRandom())


#: After them disclosures have had their time. Seconds.
FOUR_YEARS = 4 * 366 * 86_400.0
UNSEAL = (
    "DELETE FROM audit_outbox WHERE record_id = (SELECT id FROM audit_record WHERE stream = :stream AND seq = :seq)",
    "DELETE FROM audit_record WHERE stream = :stream AND seq = :seq",
)


async def test_p4_a_record_is_removed_before_it_is_sealed_and_others_of_its_call_are(archive: Archive) -> None:
    stream = await archive.call()
    await force(archive, *UNSEAL, stream=stream, seq=1)
    await archive.seal()
    report = (await archive.export()).report()
    assert report.verdict is Verdict.TAMPERED
    assert {finding.what for finding in report.findings} == {What.STREAM}


async def test_t87_the_last_record_of_a_call_that_is_removed_before_it_is_sealed_is_not_found(archive: Archive) -> None:
    """Known: the window is the seconds until the next round of the sealer; while it is longer, nothing is told."""
    stream = await archive.call()
    await force(archive, *UNSEAL, stream=stream, seq=3)
    await archive.seal()
    assert (await archive.export()).report().verdict is Verdict.INTACT


async def test_t87_what_a_conquered_server_writes_that_is_not_true_is_not_found(archive: Archive) -> None:
    """Known: a log says what was written when, not whether it is so. What was sealed before stays as it was."""
    held = (await archive.export()).report().keep
    await archive.call(EventKind.DISCLOSURE, reason="never happened")
    await archive.seal()
    copy = await archive.export()
    assert copy.report(held).verdict is Verdict.INTACT
    assert b"never happened" in b"".join(copy.lines)


CAUSES: Mapping[str, tuple[list[list[int]] | None, Verdict]] = {
    "that names it": ([[1, 1]], Verdict.INTACT),
    "that names another": ([[2, 2]], Verdict.TAMPERED),
    "there is none": (None, Verdict.TAMPERED),
}


@pytest.mark.parametrize(("erases", "verdict"), CAUSES.values(), ids=CAUSES)
async def test_p4_a_body_is_missing_with_an_erasure(
    archive: Archive, erases: list[list[int]] | None, verdict: Verdict
) -> None:
    """A lawful one is told as erased with cause; the log is intact."""
    held = (await archive.export()).report().keep
    archive.clock.advance(FOUR_YEARS)
    await days_pass(archive)
    if erases is not None:
        await say_erased(archive, erases, cause="retention", **{"class": "disclosures"})
    await archive.seal()
    gone = "DELETE FROM audit_record WHERE id = (SELECT record_id FROM audit_leaf WHERE log_id = :log AND idx = 1)"
    await force(archive, gone, log=TILLEULS)
    report = (await archive.export()).report(held)
    assert report.verdict is verdict
    assert report.erased == (verdict is Verdict.INTACT)


async def test_p4_another_body_stands_where_one_was_erased(archive: Archive) -> None:
    """Records hold no payload that could be changed; a body is held by its leaf, erased or not."""
    archive.clock.advance(FOUR_YEARS)
    await days_pass(archive)
    await say_erased(archive, [[1, 1]], cause="retention", **{"class": "disclosures"})
    await archive.seal()
    other = (
        "UPDATE audit_record SET body = replace(body::text, '696e', '6e69')::bytea WHERE id = "
        "(SELECT record_id FROM audit_leaf WHERE log_id = :log AND idx = 1)"
    )
    await force(archive, "ALTER TABLE audit_record DROP CONSTRAINT ck_audit_record_leaf_is_of_its_body")
    await force(archive, other, log=TILLEULS)
    report = (await archive.export()).report()
    assert report.verdict is Verdict.TAMPERED
    assert What.ROOT in {finding.what for finding in report.findings}


# --- whoever may insert a record, a conquered server, has the honest sealer sign what verifiers obey


async def _let_go(
    _sealer: object, _connection: object, _log: object, _sealed: object, waiting: list[Any], _now: object
) -> list[Any]:
    return waiting


async def _sealed_or_cried(archive: Archive) -> int:
    """A round of the sealer, which cries for this log if it leaves anything of it; returns how much it leaves."""
    cries = await seal_once(archive.urls[SEALER], a_key(), archive.clock)
    async with archive.superuser() as connection:
        waiting = (await connection.execute(text("SELECT practice_id FROM audit_outbox"))).scalars().all()
    assert {*waiting} <= {log for log, _ in cries}
    return len(waiting)


SEALED_WHERE_IT_IS_UNDER_WAY = replaced(
    "a change of the key is sealed only where it is under way",
    "P4: another key is trusted only by our own word",
    LogSealer,
    "changes_key",
    lambda *_: True,
)


def _without_a_signature(_: type[Rotation], value: Mapping[str, str], __: str) -> Rotation:
    return Rotation(VerifierKey.parse(value["from"]), VerifierKey.parse(value["vkey"]))


SIGNED_BY_THE_FORMER = replaced(
    "the key before it signs for the next one",
    "P4: another key is trusted only by our own word",
    Rotation,
    "parse",
    classmethod(_without_a_signature),
)


def gone_on_with(honest: tuple[bytes, ...], stranger: SealingKey) -> list[bytes]:
    """An export of what stands there, and of a record more, which is untrue, under the stranger's signature."""
    origin = origin_of(TILLEULS)
    begins, *lines = (json.loads(line) for line in honest)
    records = [line for line, value in zip(honest[1:], lines, strict=True) if "checkpoint" not in value]
    stream = str(UUID(int=7))
    placed = {"id": stream, "stream": stream, "seq": 0, "prev": "00" * 32, "log": origin, "v": 1, "event": "untrue"}
    forged = [*records, json.dumps(placed).encode() + b"\n"]
    frontier = Frontier()
    for line in forged:
        frontier.add(leaf_hash(line.removesuffix(b"\n")))
    head = json.dumps({**begins, "size": len(forged)}).encode() + b"\n"
    note = {"checkpoint": stranger.sign(Checkpoint(origin, len(forged), frontier.root()))}
    # The last checkpoint of ours is passed on the way.
    ours = [line for line, value in zip(honest[1:], lines, strict=True) if "checkpoint" in value]
    return [head, *records, *ours[-1:], forged[-1], json.dumps(note).encode() + b"\n"]


STRANGER = SealingKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))


async def _goes_on_alone(archive: Archive, change: Mapping[str, object]) -> Outcome:
    """Whether the stranger can go on with the log for verifiers who trust our key, once this waits for its seal."""
    await archive.call(EventKind.KEY_ROTATED, **change)  # type: ignore[arg-type]
    await _sealed_or_cried(archive)
    copy = gone_on_with((await archive.export()).lines, STRANGER)
    ours = a_key().verifier_key(origin_of(TILLEULS))
    return gained(verify_export(iter(copy), [ours]).verdict is Verdict.INTACT)


@attack(stopped_by=(SEALED_WHERE_IT_IS_UNDER_WAY, SIGNED_BY_THE_FORMER))
async def test_p4_verifiers_are_made_to_trust_a_strangers_key(archive: Archive) -> Outcome:
    """With it the stranger goes on with the log alone, and verifiers who trust ours find it intact."""
    change = rotation(a_key().private, STRANGER.private, origin=origin_of(TILLEULS), by=STRANGER.private)
    return await _goes_on_alone(archive, change)


@attack(stopped_by=SEALED_WHERE_IT_IS_UNDER_WAY)
async def test_p4_the_thief_of_the_key_has_the_sealer_vouch_for_a_key_of_theirs(archive: Archive) -> Outcome:
    """All of it is as it must be. But the next key is in no file of ours."""
    return await _goes_on_alone(archive, rotation(a_key().private, STRANGER.private, origin=origin_of(TILLEULS)))


JUDGED = replaced(
    "erasures are judged", "P4: a body is missed no more by our word alone", LogSealer, "_let_go", _let_go
)


@attack(stopped_by=JUDGED)
async def test_p4_a_body_is_removed_with_a_cause_that_nobody_had(archive: Archive) -> Outcome:
    """The record says that it was erased; whoever owns the database takes it away."""
    await say_erased(archive, [[1, 1]])
    await _sealed_or_cried(archive)
    gone = "DELETE FROM audit_record WHERE id = (SELECT record_id FROM audit_leaf WHERE log_id = :log AND idx = 1)"
    await force(archive, gone, log=TILLEULS)
    report = (await archive.export()).report()
    return gained(report.verdict is Verdict.INTACT and report.erased)


UNREADABLE = {
    "no JSON": b"{",
    "no object": b"[1]",
    "nothing that happened": b'{"event":7}',
    "another encoding": '{"event":"x"}'.encode("utf-16"),
    "no text": b"\xff",
    "two ways": b'{"event":"erasure","event":"x"}',
    "too deep": b'{"a":' + b"[" * 100_000,
    "two lines": b'{"event":\n"x"}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
async def test_p4_what_nobody_could_read_is_not_sealed_and_keeps_nothing_else(archive: Archive, body: bytes) -> None:
    """It would stand in the log for ever, and every verifier would find it changed."""
    insert = (
        "INSERT INTO audit_record (id, practice_id, stream, seq, leaf, body) VALUES (:id, :log, :id, 0, "
        "sha256('\\x00'::bytea || cast(:body AS bytea)), :body)"
    )
    async with archive.superuser() as connection:
        # What is searched of a record keeps most of it out already, where nobody has taken that away.
        for column in SEARCHED:
            await connection.execute(text(f"ALTER TABLE audit_record ALTER COLUMN {column} DROP EXPRESSION"))
        await connection.execute(text(insert), {"id": UUID(int=7), "log": TILLEULS, "body": body})
        waits = "INSERT INTO audit_outbox (practice_id, record_id) VALUES (:log, :id)"
        await connection.execute(text(waits), {"log": TILLEULS, "id": UUID(int=7)})
    async with archive.app.house() as connection:
        await HouseLog(archive.clock, SystemRandom()).note(connection, Act.REFUSED, NOBODY, None)
    (cry,) = await seal_once(archive.urls[SEALER], a_key(), archive.clock)
    assert (cry[0], "nobody could read it" in cry[1]) == (TILLEULS, True)
    async with archive.superuser() as connection:
        waits = "SELECT 1 FROM house_outbox UNION ALL SELECT 1 FROM audit_outbox"
        assert (await connection.execute(text(waits))).all() == []
        kept = "SELECT body FROM audit_record WHERE id = :id"
        assert (await connection.execute(text(kept), {"id": UUID(int=7)})).scalar_one() == body
    report = (await archive.export()).report()
    assert (report.verdict, report.refused) == (Verdict.INTACT, 1)


# --- what the sealer refuses neither stops a log, nor is obeyed, nor hides that something else was removed


async def _stops(
    _sealer: object, _connection: object, _log: object, _first: object, waiting: list[Any], _now: object
) -> list[Any]:
    if any(one.refusal for one in waiting):
        raise LogBroken("a record that waits is refused")
    return waiting


SEALED_AS_REFUSED = replaced(
    "that a record was refused is sealed in its place",
    "P4, P7: nobody silences a practice",
    LogSealer,
    "_put_in_place",
    _stops,
)
ANOTHER_LEAF = replaced(
    "the leaf of what was refused is not in the log",
    "P4: what was refused is obeyed by nobody",
    sealer._Waiting,
    "sealed_leaf",
    property(lambda self: self.leaf),
)
FORGED = (EventKind.ERASURE, EventKind.KEY_ROTATED, EventKind.RECORD_REFUSED)


@pytest.mark.parametrize("forged", FORGED, ids=str)
@attack(stopped_by=SEALED_AS_REFUSED)
async def test_p4_a_practice_is_silenced_by_a_record_that_the_sealer_refuses(
    archive: Archive, forged: EventKind
) -> Outcome:
    """A conquered server writes it in a call, twice, and goes on. While a record waits, nothing is told."""
    await archive.call(EventKind.CALL_STARTED, forged, forged, EventKind.DISCLOSURE, EventKind.CALL_ENDED)
    waits = await _sealed_or_cried(archive)
    report = (await archive.export()).report()
    assert (report.verdict, report.refused) == (Verdict.INTACT, 0 if waits else 2)
    return gained(waits)


@attack(stopped_by=ANOTHER_LEAF)
async def test_p4_an_erasure_that_was_refused_is_put_back_and_explains_a_removal(archive: Archive) -> Outcome:
    """Its bytes are kept. Whoever owns the database has them exported in the place of what the sealer says."""
    await say_erased(archive, [[1, 1]])
    await _sealed_or_cried(archive)
    await force(archive, "DELETE FROM audit_refused")
    gone = "DELETE FROM audit_record WHERE id = (SELECT record_id FROM audit_leaf WHERE log_id = :log AND idx = 1)"
    await force(archive, gone, log=TILLEULS)
    copy = await archive.export()
    assert b'"event":"erasure"' in b"".join(copy.lines)
    report = copy.report()
    return gained(report.verdict is Verdict.INTACT and report.erased)


ONLY_THE_SEALER = replaced(
    "the sealer alone says that a record was refused", "P4: a removal shows", LogSealer, "_refusal", lambda *_: None
)


@attack(stopped_by=ONLY_THE_SEALER)
async def test_p4_a_record_is_removed_before_it_is_sealed_as_if_it_had_been_refused(archive: Archive) -> Outcome:
    """In its place stands one that says so, and names its leaf, as the next record of the call does."""
    stream = await archive.call()
    async with archive.superuser() as connection:
        leaf = "SELECT id, leaf, body FROM audit_record WHERE stream = :stream AND seq = 1"
        told = (await connection.execute(text(leaf), {"stream": stream})).one()
    said = json.loads(told.body) | {"event": "record.refused", "cause": "erasure", "refused": told.leaf.hex()}
    body = json.dumps(said, separators=(",", ":"), sort_keys=True).encode()
    other = "UPDATE audit_record SET leaf = :leaf, body = :body WHERE id = :id"
    await force(archive, other, id=told.id, leaf=leaf_hash(body), body=body)
    await _sealed_or_cried(archive)
    return gained((await archive.export()).report().verdict is Verdict.INTACT)


@pytest.mark.parametrize("practice", [True, False], ids=["of a practice", "of the house"])
async def test_p4_a_stream_goes_on_behind_a_record_that_was_refused(archive: Archive, practice: bool) -> None:
    """Sealed or not by then, and where two are refused in a row: what follows names what was written before it."""
    chain, log = UUID(int=8), TILLEULS if practice else HOUSE_LOG

    async def write(kind: EventKind) -> None:
        if practice:
            async with archive.app.practice(TILLEULS) as tx:
                await note(tx, Entry(kind, IVR), archive.clock, SystemRandom(), stream=chain)
            return
        async with archive.app.house() as connection:
            house = HouseLog(archive.clock, SystemRandom())
            await house.note(connection, Act(kind.value), NOBODY, None, stream=chain)

    for round_of in ((EventKind.LEDGER_PROVEN, EventKind.ERASURE), (EventKind.ERASURE,), (EventKind.LEDGER_PROVEN,)):
        for kind in round_of:
            await write(kind)
        await seal_once(archive.urls[SEALER], a_key(), archive.clock)
    copy = await archive.export(log)
    report = copy.report(log=log)
    assert (report.findings, report.refused, copy.exported.odd) == ((), 2, [])


async def test_p4_whoever_forges_erasures_by_the_hundred_keeps_no_other_log_waiting(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each may name thousands of records, which are looked at: in one round a few are."""
    monkeypatch.setattr(sealer, "MOST_JUDGED", 2)
    for _ in range(5):
        await say_erased(archive, [[1, 1]])
    async with archive.app.house() as connection:
        await HouseLog(archive.clock, SystemRandom()).note(connection, Act.REFUSED, NOBODY, None)
    left = []
    for _ in range(3):
        await seal_once(archive.urls[SEALER], a_key(), archive.clock, most=4_999)  # one round
        async with archive.superuser() as connection:
            waits = "SELECT (SELECT count(*) FROM audit_outbox), (SELECT count(*) FROM house_outbox)"
            left.append(tuple((await connection.execute(text(waits))).one()))
    assert left == [(3, 0), (1, 0), (0, 0)]
    assert (await archive.export()).report().refused == 5


# --- whatever a conquered server writes, and wherever it says that it stands, stops no log and spoils none

ORDERS = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\x07")
#: An order that is signed, and is none.
SIGNED = "callcenter-erasure/v1\nany\narticle_17\nno disclosures\nabc\n"
#: What some readers can just read, and others, who stand deeper themselves, cannot.
DEEP = [*range(700, 1_000, 60)]

FOUND_BY_VERIFIERS: Mapping[str, Mapping[str, Any]] = {
    "another version": {"v": 2},
    "another log": {"log": origin_of(UUID(int=9))},
    "another identifier": {"id": str(UUID(int=9))},
    "another stream": {"stream": str(UUID(int=9))},
    "another number": {"seq": 7},
    "a number that is none": {"seq": "0"},
    "no leaf before it": {"prev": None},
    "a reason that is none": {
        "event": "erasure",
        "cause": "request",
        "erases": [[0, 0]],
        "reason": [],
        "order": f"{SIGNED}\n{cosignature_line('dpo.example', ORDERS, SIGNED, 1)}",
    },
    **{f"nested {deep}, a key": {"event": "key.rotated", "x": deep} for deep in DEEP},
    **{f"nested {deep}, an erasure": {"event": "erasure", "cause": "retention", "class": deep} for deep in DEEP},
    **{f"nested {deep}": {"x": deep} for deep in DEEP},
}


def _forged(record: UUID, more: Mapping[str, Any]) -> bytes:
    said = {"v": 1, "log": origin_of(TILLEULS), "id": str(record), "stream": str(record), "seq": 0, "prev": "00" * 32}
    said |= {"ts": "2026-11-26T09:00:00.000000Z", "event": "disclosure", "actor": IVR, "call": None, "subject": None}
    said |= {"erases": [[0, 0]]} | {
        name: {"nested": value} if type(value) is int and name in ("x", "class") else value
        for name, value in more.items()
    }
    written = json.dumps(said, separators=(",", ":"), sort_keys=True)
    return re.sub(r'{"nested":(\d+)}', lambda deep: "[" * int(deep[1]) + "]" * int(deep[1]), written).encode()


async def write(archive: Archive, record: UUID, stream: UUID, seq: int, body: bytes) -> None:
    """As the server may: it inserts, and nothing else."""
    insert = (
        "INSERT INTO audit_record (id, practice_id, stream, seq, leaf, body) "
        "VALUES (:id, :log, :stream, :seq, :leaf, :body)"
    )
    values = {"id": record, "log": TILLEULS, "stream": stream, "seq": seq, "leaf": leaf_hash(body), "body": body}
    async with archive.app.practice(TILLEULS) as tx:
        await tx.connection.execute(text(insert), values)
        await tx.connection.execute(text(WAITS), {"log": TILLEULS, "id": record})


WAITS = "INSERT INTO audit_outbox (practice_id, record_id) VALUES (:log, :id)"


async def test_p4_a_log_is_spoilt_or_stopped_by_what_verifiers_would_find(archive: Archive) -> None:
    """Sealed, each of these would be found at every verification for ever, whatever else the log holds."""
    for at, more in enumerate(FOUND_BY_VERIFIERS.values(), 100):
        await write(archive, UUID(int=at), UUID(int=at), 0, _forged(UUID(int=at), more))
    rules = Rules(keys=(VerifierKey.of("dpo.example", ORDERS, COSIGNATURE),))
    cries = await seal_once(archive.urls[SEALER], a_key(), archive.clock, rules=rules)
    async with archive.superuser() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM audit_outbox"))).scalar_one() == 0
    refused = {name for at, name in enumerate(FOUND_BY_VERIFIERS, 100) if str(UUID(int=at)) in str(cries)}
    assert refused == {*FOUND_BY_VERIFIERS}
    report = (await archive.export()).report()
    assert (report.findings, report.refused) == ((), len(FOUND_BY_VERIFIERS))
    assert "an erasure that" in cries[0][1], "the most urgent is cried first"


async def test_p4_what_nobody_has_foreseen_of_a_record_refuses_it_and_stops_no_log(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unforeseen(*_: object) -> None:
        raise LookupError("whatever it is")

    monkeypatch.setattr(Erasure, "_allowed", unforeseen)
    monkeypatch.setattr(Rotation, "parse", unforeseen)
    await archive.call(EventKind.CALL_STARTED, EventKind.KEY_ROTATED, EventKind.CALL_ENDED)
    await say_erased(archive, [[1, 1]])
    cries = await seal_once(archive.urls[SEALER], a_key(), archive.clock)
    assert ["why is unforeseen: LookupError" in why for _, why in cries] == [True, True]
    monkeypatch.undo()
    report = (await archive.export()).report()
    assert (report.findings, report.refused) == ((), 2)


async def test_p4_a_record_is_said_to_wait_once_more_or_takes_the_place_of_another(archive: Archive) -> None:
    """The server may say so of what is sealed; where something was erased, its place and its identifier are free."""
    sealed = "SELECT record_id, stream, seq FROM audit_leaf WHERE log_id = :log AND idx = :index"
    async with archive.superuser() as connection:
        again, _, _ = (await connection.execute(text(sealed), {"log": TILLEULS, "index": 0})).one()
        gone, stream, seq = (await connection.execute(text(sealed), {"log": TILLEULS, "index": 1})).one()
    async with archive.app.practice(TILLEULS) as tx:
        await tx.connection.execute(text(WAITS), {"log": TILLEULS, "id": again})
    archive.clock.advance(FOUR_YEARS)
    await days_pass(archive)
    await say_erased(archive, [[1, 1]], cause="retention", **{"class": "disclosures"})
    cries = await seal_once(archive.urls[SEALER], a_key(), archive.clock)
    assert [why for _, why in cries] == [f"record {again} is sealed already, and was said to wait once more"]
    await days_pass(archive)
    async with archive.app.practice(TILLEULS) as tx:
        assert (await tx.connection.execute(text("SELECT erase_sealed(1000)"))).scalar_one() == 1
    await write(archive, UUID(int=5), stream, seq, _forged(UUID(int=5), {"stream": str(stream), "seq": seq}))
    await write(archive, gone, UUID(int=6), 0, _forged(gone, {"stream": str(UUID(int=6))}))
    await archive.call()
    cries = await seal_once(archive.urls[SEALER], a_key(), archive.clock)
    assert {why.split(" ", 2)[1] for _, why in cries} == {str(UUID(int=5)), str(gone)}
    async with archive.superuser() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM audit_outbox"))).scalar_one() == 0
    copy = await archive.export()
    report = copy.report()
    assert (report.findings, report.refused, report.erased) == ((), 1, 1)
    assert [str(gone) in odd for odd in copy.exported.odd] == [True]


@pytest.mark.parametrize("column", ["id", "seq"])
async def test_p4_a_row_is_moved_before_it_is_sealed_so_that_its_record_is_refused(
    archive: Archive, column: str
) -> None:
    """The chain must not go on behind it, as it does behind one that was forged."""
    stream = await archive.call()
    of_it = "(SELECT id FROM audit_record WHERE stream = :stream AND seq = 1)"
    moved = {
        "id": (
            f"UPDATE audit_outbox SET record_id = :stream WHERE record_id = {of_it}",
            "UPDATE audit_record SET id = stream WHERE stream = :stream AND seq = 1",
        ),
        "seq": ("UPDATE audit_record SET seq = 9 WHERE stream = :stream AND seq = 1",),
    }
    await force(archive, *moved[column], stream=stream)
    (cry,) = await seal_once(archive.urls[SEALER], a_key(), archive.clock)
    assert "names another place" in cry[1]
    report = (await archive.export()).report()
    assert (report.verdict, {one.what for one in report.findings}) == (Verdict.TAMPERED, {What.STREAM})


class Killed(BaseException):
    """Of the sealer."""


async def test_p4_the_sealer_is_killed_before_anybody_heard_of_what_it_refuses(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever begins it anew hears of it: nothing is refused for good that was not cried."""
    await say_erased(archive, [[1, 1]])

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(Cries, "record_refused", killed)
        with pytest.raises(Killed):
            await seal_once(archive.urls[SEALER], a_key(), archive.clock)
    assert len(await seal_once(archive.urls[SEALER], a_key(), archive.clock)) == 1
    assert (await archive.export()).report().refused == 1


async def test_p4_what_was_refused_is_removed_as_if_it_had_never_been(archive: Archive) -> None:
    """Its leaf stays in the log, which verifies; an export says that its bytes are gone, and so does doctor."""
    await say_erased(archive, [[1, 1]])
    await seal_once(archive.urls[SEALER], a_key(), archive.clock)
    await force(archive, "DELETE FROM audit_record WHERE event = 'erasure'")
    copy = await archive.export()
    assert copy.report().verdict is Verdict.INTACT
    assert ["what was refused is gone" in odd for odd in copy.exported.odd] == [True]
    with pytest.raises(CallcenterError, match=r"1 record that the sealer has refused"):
        await doctor._refused(archive.app)


def test_p4_a_record_that_is_too_long_for_any_verifier_is_not_written() -> None:
    """Refused later by the sealer, what it is for would have been done with nothing on record."""
    assert len(canonical({"refs": "x" * (MOST_OF_A_LINE - 11)})) == MOST_OF_A_LINE
    with pytest.raises(CallcenterError, match="at most"):
        canonical({"refs": "x" * (MOST_OF_A_LINE - 10)})
