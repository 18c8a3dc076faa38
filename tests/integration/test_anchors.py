"""What is on file of heads that somebody else holds is added to, in its own log, and changed by nobody (P4, P5)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callcenter.audit.agreement import anchors_on
from callcenter.audit.anchors import Anchor, AnchorKind, keep_anchor
from callcenter.store.database import Database
from callcenter.store.schema import APP, ERASER, OWNER, SEALER
from tests.conftest import ROOT, TODAY, Cluster
from tests.exporting import HOUSE, TILLEULS


@pytest.fixture
def database_name(peopled_name: str) -> str:
    return peopled_name


ONE = Anchor(AnchorKind.FILE, "/mnt/worm", 7, "a note", None, TODAY)


async def test_each_head_is_on_file_once_for_each_place(database: Database) -> None:
    others = [ONE, replace(ONE, size=9), replace(ONE, kind=AnchorKind.TIMESTAMP, receipt=b"token")]
    async with database.practice(TILLEULS) as tx:
        assert [await keep_anchor(tx, one) for one in others] == [True, True, True]
        assert not await keep_anchor(tx, replace(ONE, note="another"))
        assert {(one.kind, one.size, one.note) for one in (await anchors_on(tx, 0, 10))[0]} == {
            (one.kind, one.size, one.note) for one in others
        }
        assert len((await anchors_on(tx, 0, 2))[0]) == 2


@pytest.mark.parametrize("log", [TILLEULS, HOUSE])
async def test_p5_a_log_s_anchors_are_shown_and_written_in_it_alone(database: Database, log: UUID) -> None:
    elsewhere = HOUSE if log == TILLEULS else TILLEULS
    async with database.practice(log) as tx:
        await keep_anchor(tx, ONE)
    async with database.practice(elsewhere) as tx:
        assert (await tx.connection.execute(text("SELECT count(*) FROM audit_anchor"))).scalar_one() == 0
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.practice(elsewhere) as tx:
            await keep_anchor(type(tx)(tx.connection, log), replace(ONE, size=8))


async def test_p4_nobody_changes_what_was_deposited(cluster: Cluster, database: Database, database_name: str) -> None:
    async with database.practice(TILLEULS) as tx:
        await keep_anchor(tx, ONE)
    for role in (APP, SEALER, ERASER, OWNER, ROOT):
        acting = Database(cluster.server.url(user=role, database=database_name), pool_size=1)
        for statement in ("UPDATE audit_anchor SET size = size", "DELETE FROM audit_anchor", "TRUNCATE audit_anchor"):
            with pytest.raises(DBAPIError, match=r"permission denied|only ever added to"):
                async with acting.practice(TILLEULS) as tx:
                    await tx.connection.execute(text(statement))
        await acting.close()
