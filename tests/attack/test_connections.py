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

HALF = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize("said", [b"", HALF], ids=["nothing", "half a head"])
@pytest.mark.parametrize("after", [b"", HALF + b"\r\n"], ids=["at once", "after a request"])
@attack(stopped_by=IN_TIME)
async def test_a_connection_is_held_that_says(said: bytes, after: bytes, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    monkeypatch.setattr(listener, "IDLE_SECONDS", 0.2)
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
            async with asyncio.timeout(5):
                await reader.read()
        except TimeoutError:
            return SUCCEEDED
        finally:
            writer.close()
        return FOILED
    finally:
        await runner.cleanup()
