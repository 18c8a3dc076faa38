"""Servers of tests end while connections still come in; Python 3.11 forgets one that it takes in that very turn.

``asyncio`` accepts a connection in one turn of its loop and makes the transport in the next. When the server is closed
in between, the transport is half made and left open (CPython's issue 109564, mended in later versions). A process that
ends does not mind; a run of tests, which goes on, is told of it by the garbage collector in the middle of another test.
"""

from __future__ import annotations

import asyncio
import socket
from asyncio.selector_events import BaseSelectorEventLoop
from typing import Any

_accept = BaseSelectorEventLoop._accept_connection2  # type: ignore[attr-defined]


async def _unless_closed(
    loop: BaseSelectorEventLoop,
    factory: object,
    connection: socket.socket,
    extra: object,
    sslcontext: object = None,
    server: asyncio.Server | None = None,
    *more: Any,
    **named: Any,
) -> None:
    if server is not None and not server.sockets:
        connection.close()
        return
    await _accept(loop, factory, connection, extra, sslcontext, server, *more, **named)


def mend_accepting() -> None:
    """From now on a connection that comes as its server closes is closed too."""
    BaseSelectorEventLoop._accept_connection2 = _unless_closed  # type: ignore[attr-defined]
