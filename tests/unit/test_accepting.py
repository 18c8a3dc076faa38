"""A server that ends while somebody connects leaves nothing open."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings

import pytest

from tests import accepting


async def _ends_while_somebody_connects(turns: int) -> list[str]:
    """What the interpreter says of what was left open when a server closes so many turns after a connection."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    with warnings.catch_warnings(record=True) as said, socket.socket() as caller:
        warnings.simplefilter("always", ResourceWarning)
        caller.setblocking(False)
        caller.connect_ex(server.sockets[0].getsockname())
        for _ in range(turns):
            await asyncio.sleep(0)
        server.close()
        await asyncio.sleep(0.01)
        gc.collect()
    return [str(one.message) for one in said]


@pytest.mark.parametrize("turns", range(6))
async def test_a_connection_of_the_last_moment_is_closed(turns: int) -> None:
    assert await _ends_while_somebody_connects(turns) == []


async def test_python_would_leave_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once this fails, the mend can go: Python has its own."""
    monkeypatch.setattr(accepting.BaseSelectorEventLoop, "_accept_connection2", accepting._accept)
    left = [said for turns in range(6) for said in await _ends_while_somebody_connects(turns)]
    assert any("unclosed transport" in said for said in left)
