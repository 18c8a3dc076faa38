"""Ports for servers of tests: a worker of a run has a range of its own, below those that the system gives away."""

from __future__ import annotations

import itertools
import os
import socket

_FIRST, _EACH = 12_000, 4_000
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_range = range(_FIRST + _worker % 5 * _EACH, _FIRST + (_worker % 5 + 1) * _EACH)
#: Each process begins elsewhere: two runs on one machine would otherwise be given the same ports at the same time.
_start = os.getpid() * 101 % _EACH
_candidates = itertools.cycle([*_range[_start:], *_range[:_start]])


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens at, and that no other test of this run is given soon."""
    for port in itertools.islice(_candidates, _EACH):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no port of 127.0.0.1 from {_FIRST} on is free")
