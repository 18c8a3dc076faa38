"""A code's text message that the carrier does not deliver: counted once, and it can be said which code it was."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import parse_qsl

import aiohttp
from sqlalchemy import text

from callcenter.emulator.signature import HEADER
from tests.acceptance.on_the_line import BORN, calling
from tests.acceptance.stage import Stage


async def undelivered(stage: Stage, http: aiohttp.ClientSession) -> float:
    """How many messages were not delivered, as the metrics have it."""
    async with http.get(f"{stage.running.private}/metrics") as answer:
        found = re.search(r'callcenter_messages_total\{status="undelivered"\} (\S+)', await answer.text())
    return float(found[1]) if found else 0.0


async def not_delivered(stage: Stage) -> list[tuple[str, int]]:
    """The challenges whose codes did not arrive, with the carrier's code, once both are written down."""
    query = text(
        "SELECT reference, error_code FROM text_message WHERE status = 'undelivered' AND reference IS NOT NULL"
    )
    for _ in range(500):
        async with stage.running.database.house() as connection:
            rows = (await connection.execute(query)).all()
        if rows:
            break
        await asyncio.sleep(0.02)  # the job worker looks for work every two seconds
    return [(f"challenge:{row.reference}", row.error_code) for row in rows]


async def test_a_repeated_undelivered_counts_once_and_names_the_challenge(stage: Stage) -> None:
    async with aiohttp.ClientSession() as http, calling(stage) as line:
        failure = {"count": 1, "outcome": "undelivered", "code": 30003}
        await http.post(f"{stage.emulator.base_url}/emulator/messages/failures", json=failure)
        await line.press("1", "1", BORN)
        (challenge,) = [record["refs"][0] for record in await line.records("verification.challenge")]
        assert await not_delivered(stage) == [(challenge, 30003)]
        (told,) = [
            exchange for exchange in stage.emulator.tape if b"MessageStatus=undelivered" in exchange.request_body
        ]
        for _ in range(2):
            headers = {HEADER: told.request_headers[HEADER]}
            fields = parse_qsl(told.request_body.decode())
            async with http.post(told.url, data=fields, headers=headers) as answer:
                assert answer.status == 204
        assert await undelivered(stage, http) == 1
