"""A counter of codes that cannot be read or written: no verification, and the call goes on to a person."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from sqlalchemy import text

from callcenter.emulator.client import ControlClient
from callcenter.store.database import Database
from callcenter.store.schema import APP
from tests.acceptance.stage import Stage

JEANNE, TILLEULS = "+33639980001", "+33465710001"
UNAVAILABLE = "La vérification n'est pas possible pour le moment."


@asynccontextmanager
async def unreadable(owner: Database) -> AsyncIterator[None]:
    async with owner.house() as connection:
        await connection.execute(text(f"REVOKE ALL ON challenge_attempt FROM {APP}"))
    try:
        yield
    finally:
        async with owner.house() as connection:
            await connection.execute(text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON challenge_attempt TO {APP}"))


async def said(client: ControlClient, sid: str) -> str:
    heard = (await client.settled(sid)).heard
    return " ".join(one.text for one in heard).replace("\u2019", "'")


async def alerts(stage: Stage, client: ControlClient) -> list[str]:
    async with aiohttp.ClientSession() as session, session.get(f"{stage.running.private}/metrics") as answer:
        return re.findall(r'callcenter_alerts_total\{kind="(\w+)"\} [1-9]', await answer.text())


async def test_p7_no_code_is_sent_where_wrong_ones_cannot_be_counted(stage: Stage, owner_database: Database) -> None:
    async with unreadable(owner_database), ControlClient(stage.emulator.base_url) as client:
        sid = await client.start(JEANNE, TILLEULS, "scripted")
        await client.settled(sid)
        await client.press(sid, "1")
        await client.settled(sid)
        await client.press(sid, "1")
        await client.settled(sid)
        await client.press(sid, "14031962")
        assert UNAVAILABLE in await said(client, sid)
        assert await alerts(stage, client) == []
        await client.hang_up(sid)
        await client.closed(sid)
    assert await codes_to_send(stage) == 0


async def test_p2_the_right_code_proves_nothing_where_its_attempt_cannot_be_counted(
    stage: Stage, owner_database: Database
) -> None:
    async with ControlClient(stage.emulator.base_url) as client:
        sid = await client.start(JEANNE, TILLEULS, "scripted")
        await client.settled(sid)
        await client.press(sid, "1")
        await client.settled(sid)
        await client.press(sid, "1")
        await client.settled(sid)
        await client.press(sid, "14031962")
        await client.settled(sid)
        (message,) = await client.inbox(JEANNE, after=0, wait=10)
        code = "".join(filter(str.isdigit, message.body))[:6]
        async with unreadable(owner_database):
            await client.press(sid, code)
            heard = await said(client, sid)
        assert UNAVAILABLE in heard
        assert "14 heures 30" not in heard
        assert await alerts(stage, client) == []
        await client.hang_up(sid)
        await client.closed(sid)


async def codes_to_send(stage: Stage) -> int:
    async with stage.running.database.house() as connection:
        query = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'send_code'")
        return int((await connection.execute(query)).scalar_one())
