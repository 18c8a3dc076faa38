"""Connections that are opened and held, until the process can open no other and takes no call."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from callcenter.telephony import listener
from callcenter.telephony.listener import EdgeRunner
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Outcome, Sabotage, attack


def _connections_are_held(sabotage: Sabotage) -> None:
    sabotage.replace(listener._Connection, "_process_keepalive", lambda _: None)


IN_TIME = Defence("a connection without a request is closed", "calls are taken", _connections_are_held)

#: Seconds after which a connection is closed; for which one is held that is never closed; and after which a closed
#: one has failed the test, however busy the machine is.
IDLE, LONGER_THAN_IDLE, PATIENCE = 0.2, 1.0, 30.0

HALF = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize("said", [b"", HALF], ids=["nothing", "half a head"])
@pytest.mark.parametrize("after", [b"", HALF + b"\r\n"], ids=["at once", "after a request"])
@attack(stopped_by=IN_TIME)
async def test_a_connection_is_held_that_says(
    said: bytes, after: bytes, monkeypatch: pytest.MonkeyPatch, sabotage: Sabotage
) -> Outcome:
    monkeypatch.setattr(listener, "IDLE_SECONDS", IDLE)
    runner = EdgeRunner(web.Application(), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        reader, writer = await asyncio.open_connection(*runner.addresses[0][:2])
        writer.write(after)
        if after:
            assert b"404" in await reader.readline()
        writer.write(said)
        try:
            async with asyncio.timeout(PATIENCE if sabotage.standing else LONGER_THAN_IDLE):
                await reader.read()
        except TimeoutError:
            return SUCCEEDED
        finally:
            writer.close()
        return FOILED
    finally:
        await runner.cleanup()
