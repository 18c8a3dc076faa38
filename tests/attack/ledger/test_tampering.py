"""The owner of the database edits the ledger, with no trigger and no constraint in the way (P4).

Each attack is one of the table that the ledger was designed by: done in SQL by the superuser, never by our code, and
judged by an export that is made then and by the verifier. A defence is one kind of finding; it is off where the
verifier looks away from that kind. Attacks that no log can find are tried too, so that it is known that they are not
found (T87).
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from callcenter.audit import continuation, proving, verify
from callcenter.audit.continuation import Continuation
from callcenter.audit.cosigning import head_of
from callcenter.audit.verify import Verdict, What
from callcenter.store.database import in_practice
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Outcome, Sabotage, attack
from tests.attack.ledger.conftest import Scene
from tests.exporting import TILLEULS, Meddler
from tests.sealing import a_key
from tests.unit.audit.log_by_hand import head_text, signature
from tests.unit.audit.merkle_by_hand import tree_hash

ORIGIN = f"callcenter/{TILLEULS}"


def looks_for(what: What, words: str) -> Defence:
    """That the verifier looks for one kind of thing."""

    def off(sabotage: Sabotage) -> None:
        find = verify._Examination.find

        def looks_away(self: Any, found: What, text: str, **where: Any) -> None:
            if found is not what:
                find(self, found, text, **where)

        sabotage.replace(verify._Examination, "find", looks_away)

    return Defence(words, f"P4: {what.value}", off)


CHAIN = looks_for(What.CHAIN, "each record names the one before it")
ROOT = looks_for(What.ROOT, "the root is the one that was signed")
STREAM = looks_for(What.STREAM, "the records of a stream are numbered")
COUNT = looks_for(What.COUNT, "the head counts the records")
ERASED = looks_for(What.ERASED, "a body that is missing needs a cause")
SIGNATURE = looks_for(What.SIGNATURE, "checkpoints are signed")
UNSIGNED = looks_for(What.UNSIGNED, "every record is under a checkpoint")
PLACE = looks_for(What.PLACE, "checkpoints follow what they cover")
CUT = looks_for(What.CUT, "a log is not shorter than what was held")
FORK = looks_for(What.FORK, "a log has the root that was held")


async def judged(db: Meddler, since: str | None = None) -> Outcome:
    """Whether the verifier passes an export of what stands there now."""
    return SUCCEEDED if (await db.export()).report(since).verdict is Verdict.INTACT else FOILED


# --- records


@attack(stopped_by=(CHAIN, ROOT))
async def test_p4_a_body_is_changed(scene: Scene) -> Outcome:
    async with scene.archive.meddling() as db:
        await db.do(EDIT, stream=scene.calls[2], seq=1)
        return await judged(db)


@attack(stopped_by=(CHAIN, ROOT))
async def test_p4_a_body_is_changed_and_its_leaf_wherever_it_stands(scene: Scene) -> Outcome:
    async with scene.archive.meddling() as db:
        await db.do(EDIT, stream=scene.calls[2], seq=1)
        await recount(db, scene.calls[2])
        return await judged(db)


@attack(stopped_by=ROOT)
async def test_p4_a_whole_call_is_written_anew_link_by_link(scene: Scene) -> Outcome:
    """Every chain holds then; the tree does not."""
    async with scene.archive.meddling() as db:
        await rewrite(db, scene.calls[2])
        return await judged(db)


@attack(stopped_by=ERASED)
async def test_p4_a_record_is_deleted(scene: Scene) -> Outcome:
    async with scene.archive.meddling() as db:
        await db.do("DELETE FROM audit_record WHERE stream = :stream AND seq = 1", stream=scene.calls[2])
        return await judged(db)


@attack(stopped_by=(ROOT, STREAM, UNSIGNED))
async def test_p4_a_record_is_deleted_with_its_leaf_and_the_log_closes_up(scene: Scene) -> Outcome:
    async with scene.archive.meddling() as db:
        gone = await place(db, scene.calls[2], 1)
        await db.do("DELETE FROM audit_record WHERE stream = :stream AND seq = 1", stream=scene.calls[2])
        await db.do("DELETE FROM audit_leaf WHERE log_id = :log AND idx = :at", log=TILLEULS, at=gone)
        await db.do(f"{CLOSE_UP} - 1 WHERE log_id = :log AND idx > :at", log=TILLEULS, at=gone)
        await drop_heads_beyond(db)
        return await judged(db)


@attack(stopped_by=ROOT)
async def test_p4_a_whole_call_is_deleted_with_its_leaves_and_the_log_closes_up(scene: Scene) -> Outcome:
    async with scene.archive.meddling() as db:
        first = await place(db, scene.calls[2], 0)
        for table in ("audit_record", "audit_leaf"):
            await db.do(f"DELETE FROM {table} WHERE stream = :stream", stream=scene.calls[2])
        await db.do(f"{CLOSE_UP} - 4 WHERE log_id = :log AND idx > :at", log=TILLEULS, at=first)
        await drop_heads_beyond(db)
        return await judged(db)


@attack(stopped_by=(ROOT, STREAM))
async def test_p4_two_records_change_places(scene: Scene) -> Outcome:
    async with scene.archive.meddling() as db:
        one, other = await place(db, scene.calls[1], 1), await place(db, scene.calls[1], 2)
        swap = "UPDATE audit_leaf SET idx = :sum - idx WHERE log_id = :log AND idx IN (:one, :other)"
        await db.do(swap, log=TILLEULS, sum=one + other, one=one, other=other)
        return await judged(db)


@attack(stopped_by=ROOT)
async def test_p4_two_calls_change_places(scene: Scene) -> Outcome:
    """Each chain holds; so does every number."""
    async with scene.archive.meddling() as db:
        one, other = await place(db, scene.calls[1], 0), await place(db, scene.calls[2], 0)
        swap = (
            "UPDATE audit_leaf SET idx = CASE WHEN idx < :other THEN idx + 4 ELSE idx - 4 END "
            "WHERE log_id = :log AND idx >= :one AND idx < :other + 4"
        )
        await db.do(swap, log=TILLEULS, one=one, other=other)
        return await judged(db)


# --- bodies: records hold no payload, so that what may be missing is a body


@attack(stopped_by=ERASED)
async def test_p4_the_bodies_of_a_call_are_deleted_as_if_they_had_been_erased(scene: Scene) -> Outcome:
    async with scene.archive.meddling() as db:
        await db.do("DELETE FROM audit_record WHERE stream = :stream", stream=scene.calls[2])
        return await judged(db)


# --- heads


@attack(stopped_by=SIGNATURE)
async def test_p4_a_checkpoint_is_edited(scene: Scene) -> Outcome:
    """Its root is that of the records as somebody else wants them, or its size; who edits it has no key."""
    outcomes = set()
    for line in (1, 2):
        async with scene.archive.meddling() as db:
            size = await place(db, scene.calls[2], 3) + 1
            query = "SELECT note FROM audit_checkpoint WHERE log_id = :log AND size = :size"
            (head,) = await db.rows(query, log=TILLEULS, size=size)
            lines = head.note.split("\n")
            lines[line] = (f"{size - 1}", b64encode(bytes(32)).decode())[line - 1]
            edit = "UPDATE audit_checkpoint SET note = :note WHERE log_id = :log AND size = :size"
            await db.do(edit, log=TILLEULS, size=size, note="\n".join(lines))
            outcomes.add(await judged(db))
    (outcome,) = outcomes
    return outcome


@attack(stopped_by=UNSIGNED)
async def test_p4_the_last_checkpoint_is_removed_and_records_are_added_under_none(scene: Scene) -> Outcome:
    async with scene.archive.meddling() as db:
        await db.do("DELETE FROM audit_checkpoint WHERE log_id = :log AND size = :at", log=TILLEULS, at=await size(db))
        return await judged(db)


@attack(stopped_by=PLACE)
async def test_p4_the_end_is_cut_off_and_its_checkpoint_is_left(scene: Scene) -> Outcome:
    async with scene.archive.meddling() as db:
        await cut(db, scene.calls[4], heads=False)
        return await judged(db)


@attack(stopped_by=CUT)
async def test_p4_the_end_is_cut_off_with_its_checkpoints_and_somebody_holds_the_last(scene: Scene) -> Outcome:
    async with scene.archive.meddling() as db:
        await cut(db, scene.calls[4], heads=True)
        return await judged(db, scene.heads[5])


@attack(stopped_by=FORK)
async def test_p4_the_past_is_made_anew_with_the_stolen_key_and_somebody_holds_a_head(scene: Scene) -> Outcome:
    async with scene.archive.meddling() as db:
        await rewrite(db, scene.calls[2])
        await sign_anew(db)
        return await judged(db, scene.heads[3])


def _no_hashes(sabotage: Sabotage) -> None:
    sabotage.replace(continuation, "check_consistency", lambda *_: None)


LEADS_ON = Defence(
    "hashes lead from the head that is held to the later one", "P4: continuation.check_consistency", _no_hashes
)


@attack(stopped_by=LEADS_ON)
async def test_p4_the_past_is_made_anew_and_whoever_holds_a_head_sees_no_record(scene: Scene) -> Outcome:
    """The holder asks what leads from their head to the last one; what they get is signed, with the stolen key."""
    async with scene.archive.meddling() as db:
        await rewrite(db, scene.calls[2])
        await sign_anew(db)
        tx = await in_practice(db.connection, TILLEULS)
        shown = await proving.continuation(tx, head_of(scene.heads[3]).size)
    try:
        Continuation.parse(shown.text().encode()).check([a_key().verifier_key(ORIGIN)], scene.heads[3])
    except verify.Unproven:
        return FOILED
    return SUCCEEDED


# --- what nothing in the log shows (T87)


@dataclass(frozen=True, slots=True)
class Unseen:
    """An attack that is not found.

    Arguments:
        calls: calls under the head that somebody holds; 0: nobody holds any.
    """

    does: Callable[[Meddler, Scene], Awaitable[None]]
    calls: int


async def _cut(db: Meddler, scene: Scene) -> None:
    await cut(db, scene.calls[4], heads=True)


async def _remade(db: Meddler, scene: Scene) -> None:
    await rewrite(db, scene.calls[2])
    await sign_anew(db)


UNSEEN = {
    "the end is cut off, and the head that is held covers no more than is left": Unseen(_cut, 4),
    "the end is cut off, and nobody holds a head": Unseen(_cut, 0),
    "the past is made anew with the key, and the head that is held is older": Unseen(_remade, 2),
    "the past is made anew with the key, and nobody holds a head": Unseen(_remade, 0),
}


@pytest.mark.parametrize("unseen", UNSEEN.values(), ids=UNSEEN)
async def test_t87_what_no_held_head_covers_is_not_found(scene: Scene, unseen: Unseen) -> None:
    """Known, and written down: so heads are to be held outside, by somebody, often."""
    async with scene.archive.meddling() as db:
        await unseen.does(db, scene)
        copy = await db.export()
        assert copy.report(scene.heads[unseen.calls] or None).verdict is Verdict.INTACT
        assert copy.report(scene.heads[5]).verdict is Verdict.TAMPERED


# --- what owners do, in SQL and by their own arithmetic

EDIT = """
    UPDATE audit_record SET body = convert_to(replace(convert_from(body, 'UTF8'), '"id":"callcenter"', '"id":"nobody"'),
    'UTF8') WHERE stream = :stream AND seq = :seq
"""
CLOSE_UP = "UPDATE audit_leaf SET idx = idx"


async def size(db: Meddler) -> int:
    (row,) = await db.rows("SELECT max(idx) + 1 AS size FROM audit_leaf WHERE log_id = :log", log=TILLEULS)
    return int(row.size)


async def place(db: Meddler, stream: UUID, seq: int) -> int:
    """The index of a record in its log."""
    query = "SELECT idx FROM audit_leaf WHERE stream = :stream AND seq = :seq"
    (row,) = await db.rows(query, stream=stream, seq=seq)
    return int(row.idx)


async def recount(db: Meddler, stream: UUID) -> None:
    """Each leaf becomes that of its bytes, beside them and in the log."""
    leaf = r"sha256('\x00'::bytea || r.body)"
    await db.do(f"UPDATE audit_record r SET leaf = {leaf} WHERE stream = :stream", stream=stream)
    await db.do(
        f"UPDATE audit_leaf l SET leaf = {leaf} FROM audit_record r WHERE r.id = l.record_id AND r.stream = :stream",
        stream=stream,
    )


async def rewrite(db: Meddler, stream: UUID) -> None:
    """Another call in the place of this one: who did it is changed, and every record names the one before it."""
    before = b"\x00" * 32
    for row in await db.rows("SELECT id, body FROM audit_record WHERE stream = :stream ORDER BY seq", stream=stream):
        body = bytes(row.body).replace(b'"id":"callcenter"', b'"id":"nobody"')
        start = body.index(b'"prev":"') + 8
        body = body[:start] + before.hex().encode() + body[start + 64 :]
        before = hashlib.sha256(b"\x00" + body).digest()
        await db.do("UPDATE audit_record SET body = :body WHERE id = :id", body=body, id=row.id)
    await recount(db, stream)


async def drop_heads_beyond(db: Meddler) -> None:
    """No head covers more than there is."""
    left = await size(db)
    await db.do("DELETE FROM audit_checkpoint WHERE log_id = :log AND size > :left", log=TILLEULS, left=left)


async def cut(db: Meddler, stream: UUID, *, heads: bool) -> None:
    """The last call goes, and what says how far the log is sealed goes back."""
    first = await place(db, stream, 0)
    for table in ("audit_record", "audit_leaf"):
        await db.do(f"DELETE FROM {table} WHERE stream = :stream", stream=stream)
    await db.do("UPDATE audit_log SET size = :size WHERE log_id = :log", log=TILLEULS, size=first)
    if heads:
        await db.do("DELETE FROM audit_checkpoint WHERE log_id = :log AND size > :size", log=TILLEULS, size=first)


async def sign_anew(db: Meddler) -> None:
    """Every head over what stands there now, by whoever has stolen the key."""
    query = "SELECT r.body FROM audit_leaf l JOIN audit_record r ON r.id = l.record_id WHERE log_id = :log ORDER BY idx"
    bodies = tuple(bytes(row.body) for row in await db.rows(query, log=TILLEULS))
    for head in await db.rows("SELECT size FROM audit_checkpoint WHERE log_id = :log", log=TILLEULS):
        said = head_text(ORIGIN, head.size, tree_hash(bodies[: head.size]))
        note = f"{said}\n{signature(said, a_key().private, ORIGIN)}"
        anew = "UPDATE audit_checkpoint SET note = :note WHERE log_id = :log AND size = :size"
        await db.do(anew, log=TILLEULS, size=head.size, note=note)
