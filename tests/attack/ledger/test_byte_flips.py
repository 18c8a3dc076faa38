"""One bit is turned in one column of one row that the ledger stands in (P4): somebody is told.

By the verifier, who has the file alone; or by the export, where a column stands beside a record and says something else
than it; or by the sealer, who goes on with no log that does not fit its own signed head.
"""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import text

from callcenter.audit.anchors import Anchor, AnchorKind, keep_anchor
from callcenter.audit.ledger import Entry, EventKind, note
from callcenter.audit.sealer import LogBroken, LogSealer
from callcenter.audit.verify import Verdict
from callcenter.kernel.randomness import SystemRandom
from callcenter.staff.records import NOBODY, Act, HouseLog
from callcenter.store.database import Transaction
from callcenter.store.schema import metadata
from tests.attack.ledger.conftest import Scene
from tests.attack.ledger.test_any_course import InOneTransaction
from tests.exporting import HOUSE, TABLES, TILLEULS, TODAY, Meddler
from tests.sealing import Cries, a_key

#: Turns one bit of a value, by the type that its column has.
TURNED = {
    "bytea": "set_bit({0}, 8 * (octet_length({0}) / 2) + 1, 1 - get_bit({0}, 8 * (octet_length({0}) / 2) + 1))",
    "text": "overlay({0} PLACING chr(ascii(substr({0}, length({0}) / 2, 1)) # 1) FROM length({0}) / 2 FOR 1)",
    "uuid": "(overlay({0}::text PLACING to_hex(('x' || right({0}::text, 1))::bit(4)::int # 1) FROM 36))::uuid",
    "integer": "{0} # 1",
    "bigint": "{0} # 1",
    "timestamp with time zone": "{0} + interval '1 microsecond'",
}
#: Where nobody is told, and why that takes nothing from anybody.
PROVES_NOTHING = {
    ("audit_checkpoint", "signed_at"): "no signed text says when it was signed",
    ("audit_log", "sealed_at"): "the same, of the last one",
    ("audit_outbox", "written_at"): "since when a record waits, until the next round of the sealer",
    ("house_outbox", "written_at"): "the same",
    ("audit_outbox", "n"): "a place in the queue: a stream that is sealed out of its order is found by the verifier",
    ("house_outbox", "n"): "the same",
    **{
        ("audit_erasure", column): "it lets records go: what goes by it without a record that says so, verifiers miss"
        for column in ("log_id", "first", "last", "idx", "let_go_at", "erased_at")
    },
    ("audit_refused", "why"): "words for whoever keeps the server; the record says the cause",
    ("audit_refused", "refused_at"): "the record says when",
    **{
        ("audit_anchor", column): "it says where to look: what is held there is compared, and proves what it is"
        for column in ("log_id", "kind", "place", "size", "note", "receipt", "anchored_at")
    },
}

EVERY = [(table, column.name) for table in TABLES for column in metadata.tables[table].columns]
SEALED = [one for one in EVERY if "outbox" not in one[0]]
#: Of a record that waits, what the sealer looks at before it appends a leaf.
WAITS = [
    *(("audit_record", column) for column in ("id", "practice_id", "leaf", "body")),
    *(("house_record", column) for column in ("id", "leaf", "body")),
    *(("audit_outbox", column) for column in ("practice_id", "record_id")),
    ("house_outbox", "record_id"),
]


@pytest.fixture(scope="module")
async def house(scene: Scene) -> Scene:
    """The same, and something of the house's is sealed too."""
    for _ in range(2):
        async with scene.archive.app.house() as connection:
            await HouseLog(scene.archive.clock, SystemRandom()).note(
                connection, Act.REFUSED, NOBODY, None, stream=HOUSE
            )
    await scene.archive.seal()
    return scene


async def test_every_column_is_turned_somewhere_or_proves_nothing(house: Scene) -> None:
    query = text(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name = ANY(cast(:tables AS text[]))"
    )
    async with house.archive.superuser() as connection:
        found = {tuple(row) for row in await connection.execute(query, {"tables": list(TABLES)})}
    assert found == set(EVERY) == {*SEALED, *WAITS, *PROVES_NOTHING}


@pytest.mark.parametrize(("table", "column"), SEALED, ids=".".join)
async def test_p4_a_bit_is_turned_in_what_is_sealed(house: Scene, table: str, column: str) -> None:
    log = HOUSE if table.startswith("house") else TILLEULS
    async with house.archive.meddling() as db:
        await keep_anchor(in_tilleuls(db), Anchor(AnchorKind.TIMESTAMP, "https://tsa", 4, "a note", b"token", TODAY))
        await db.do(f"INSERT INTO audit_erasure VALUES ('{TILLEULS}', 0, 0, 1, now(), now())")
        if table == "audit_refused":
            await refuse_something(db, house)
        assert await told(db, log) == set()
        await turn(db, table, column, f"{'true' if log == HOUSE else TILLEULS_ROWS[table]} ORDER BY {LAST[table]} DESC")
        found = await told(db, log)
    assert (found == set()) == ((table, column) in PROVES_NOTHING), found


@pytest.mark.parametrize(("table", "column"), WAITS, ids=".".join)
async def test_p4_a_bit_is_turned_in_what_waits_to_be_sealed(house: Scene, table: str, column: str) -> None:
    """The sealer goes on with nothing that was changed meanwhile."""
    async with house.archive.meddling() as db:
        await note(in_tilleuls(db), ENTRY, house.archive.clock, SystemRandom())
        await HouseLog(house.archive.clock, SystemRandom()).note(db.connection, Act.REFUSED, NOBODY, None)
        assert await refused(db, house) == set()
        outbox = "house_outbox" if table.startswith("house") else "audit_outbox"
        key = "record_id" if "outbox" in table else "id"
        await turn(db, table, column, f"{key} IN (SELECT record_id FROM {outbox})")
        assert await refused(db, house)


async def refuse_something(db: Meddler, house: Scene) -> None:
    """Have the sealer refuse an erasure of nothing."""
    await note(in_tilleuls(db), Entry(EventKind.ERASURE, ENTRY.actor), house.archive.clock, SystemRandom())
    cries = Cries()
    await LogSealer(a_key(), house.archive.clock, cries).round(InOneTransaction(db.connection))  # type: ignore[arg-type]
    assert len(cries.refused) == 1


async def told(db: Meddler, log: UUID) -> set[str]:
    """Who tells of something: the verifier of an export, or the export."""
    copy = await db.export(log)
    tampered = copy.report(log=log).verdict is not Verdict.INTACT
    return {name for name, tells in (("verify", tampered), ("export", copy.exported.oddities)) if tells}


async def refused(db: Meddler, house: Scene) -> set[UUID]:
    """The logs that the sealer does not go on with, of those in which something waits."""
    sealer, broken = LogSealer(a_key(), house.archive.clock, Cries()), set()
    for row in await db.rows(f"SELECT DISTINCT practice_id AS log FROM audit_outbox UNION SELECT '{HOUSE}'"):
        try:
            await sealer._waiting(db.connection, row.log)
        except LogBroken:
            broken.add(row.log)
    return broken


async def turn(db: Meddler, table: str, column: str, which: str) -> None:
    """Turn a bit of a column in the first row of ``which``; where nothing stands, something does then."""
    (kind,) = await db.rows(
        f"SELECT pg_typeof({column})::text AS type, ctid::text AS row FROM {table} WHERE {which} LIMIT 1"
    )
    turned = f"coalesce({TURNED[kind.type].format(column)}, {PUT_IN[kind.type]})"
    await db.do(f"UPDATE {table} SET {column} = {turned} WHERE ctid = '{kind.row}'")


def in_tilleuls(db: Meddler) -> Transaction:
    return Transaction(db.connection, TILLEULS)


#: What is put where nothing stands.
PUT_IN = {
    "bytea": "NULL",
    "text": "'somebody'",
    "uuid": "gen_random_uuid()",
    "integer": "NULL",
    "bigint": "NULL",
    "timestamp with time zone": "NULL",
}
TILLEULS_ROWS = {
    "audit_record": f"id IN (SELECT record_id FROM audit_leaf WHERE log_id = '{TILLEULS}' AND idx > 4)",
    **dict.fromkeys(
        ("audit_leaf", "audit_checkpoint", "audit_log", "audit_anchor", "audit_erasure", "audit_refused"),
        f"log_id = '{TILLEULS}'",
    ),
}
LAST = {
    "audit_record": "seq",
    "audit_leaf": "idx",
    "audit_checkpoint": "size",
    "audit_log": "size",
    "audit_anchor": "size",
    "audit_erasure": "first",
    "audit_refused": "idx",
    "house_record": "seq",
}
ENTRY = Entry(EventKind.CALL_STARTED, {"kind": "ivr", "id": "callcenter"})
