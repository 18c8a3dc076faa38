"""Audio addresses, on a real socket: the words go once recorded, whole, and to nobody who does not know the token."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from callcenter.calls.values import AudioText, NotDelivered
from callcenter.store.database import DatabaseDown
from tests.unit.telephony.doubles import CALL, SECRET, Edge, running_edge

PATH = f"/audio/{CALL}/{SECRET}"
FETCH = UUID("99999999-2222-4333-8444-555555555555")
WORDS = "mardi 1er décembre, 14 heures 30"
SOUND = f"fr:{WORDS};".encode()


def holding(edge: Edge) -> Edge:
    edge.calls.words[SECRET] = AudioText(WORDS, "fr", FETCH)
    return edge


@pytest.mark.parametrize("headers", [[], [("Range", "bytes=0-3")], [("Range", "bytes=9999-")]])
async def test_the_whole_sound_is_served_whatever_range_is_asked_for(headers: list[tuple[str, str]]) -> None:
    async with running_edge() as edge:
        answer = await holding(edge).ask("GET", PATH, headers=headers)
        assert (answer.status, answer.body) == (200, SOUND)
        assert answer.headers["content-type"] == "audio/wav"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-length"] == str(len(SOUND))
        assert answer.headers["server"] == "callcenter"
        assert edge.calls.audios == [(CALL, SECRET)]
        assert edge.calls.complete == [(CALL, FETCH)]


async def test_head_consumes_nothing_and_says_the_same_of_every_address() -> None:
    async with running_edge() as edge:
        known = await holding(edge).ask("HEAD", PATH)
        unknown = await edge.ask("HEAD", f"/audio/{CALL}/{'cd' * 32}")
        assert (known.status, known.body, known.headers["content-type"]) == (200, b"", "audio/wav")
        assert {**known.headers, "date": ""} == {**unknown.headers, "date": ""}
        assert known.status == unknown.status
        assert (edge.calls.audios, edge.calls.complete) == ([], [])


async def test_gone_looks_the_same_whatever_the_cause() -> None:
    async with running_edge() as edge:
        holding(edge)
        paths = [f"/audio/{CALL}/{'cd' * 32}", f"/audio/{CALL}/short", f"/audio/nobody/{SECRET}", f"{PATH}%20"]
        answers = [await edge.ask("GET", path) for path in paths]
        assert [(answer.status, answer.body) for answer in answers] == [(404, b"")] * len(paths)
        assert (
            len({frozenset((*answer.headers.items(), ("date", ""))) for answer in answers}) <= 2
        )  # the clock's second
        assert edge.calls.complete == []


async def test_a_voice_that_is_down_is_503_and_an_alert_and_no_complete_fetch() -> None:
    async with running_edge() as edge:
        edge.voice.down = True
        with capture_logs() as logs:
            answer = await holding(edge).ask("GET", PATH)
        assert (answer.status, answer.body) == (503, b"")
        assert edge.count("callcenter_alerts_total", kind="voice_down") == 1
        assert edge.calls.complete == []
        assert edge.calls.given_back == [(CALL, FETCH, NotDelivered.NO_SOUND)]
        assert WORDS not in str(logs)


async def test_a_failure_behind_the_address_is_503() -> None:
    async with running_edge(step_seconds=0.05) as edge:
        edge.calls.fails = DatabaseDown(WORDS)
        assert (await edge.ask("GET", PATH)).status == 503
        edge.calls.fails, edge.calls.hangs = None, True
        assert (await edge.ask("GET", PATH)).status == 503
        assert edge.count("callcenter_alerts_total", kind="audio_failed") == 2


async def test_a_note_that_fails_does_not_take_the_sound_back() -> None:
    async with running_edge() as edge:
        holding(edge)

        async def lost(call: UUID, fetch: UUID) -> None:
            raise DatabaseDown

        edge.calls.audio_complete = lost  # type: ignore[method-assign]  # only this one fails, after the sound has left
        assert (await edge.ask("GET", PATH)).body == SOUND
        assert edge.count("callcenter_alerts_total", kind="audio_failed") == 1


@asynccontextmanager
async def slow_reader(edge: Edge) -> AsyncIterator[socket.socket]:
    """A connection on which a sound larger than every buffer on the way was asked for, and only begun to be read."""
    holding(edge)
    edge.voice.times = 400_000
    loop = asyncio.get_running_loop()
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing it resets
        reader.setblocking(False)
        await loop.sock_connect(reader, ("127.0.0.1", edge.port))
        request = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{edge.port}\r\nConnection: close\r\n\r\n"
        await loop.sock_sendall(reader, request.encode())
        assert (await loop.sock_recv(reader, 12)) == b"HTTP/1.1 200"
        yield reader


async def interrupted(edge: Edge) -> float:
    """How many fetches were interrupted, once one was; 0 if none is for five seconds."""
    labels = {"route": "/audio/{call}/{token}", "outcome": "interrupted"}
    for _ in range(500):
        if edge.count("callcenter_edge_requests_total", **labels):
            break
        await asyncio.sleep(0.01)
    return edge.count("callcenter_edge_requests_total", **labels)


async def test_a_fetch_that_breaks_off_is_never_complete() -> None:
    async with running_edge() as edge:
        async with slow_reader(edge):
            pass
        assert await interrupted(edge) == 1
        assert (len(edge.calls.audios), edge.calls.complete) == (1, [])
        assert edge.calls.given_back == [(CALL, FETCH, NotDelivered.BROKEN_OFF)]


async def test_a_fetch_that_we_break_off_ourselves_is_never_complete() -> None:
    async with running_edge() as edge, slow_reader(edge):
        for transport in edge.transports():
            transport.abort()
        assert await interrupted(edge) == 1
        assert edge.calls.complete == []
        assert edge.calls.given_back == [(CALL, FETCH, NotDelivered.BROKEN_OFF)]


async def test_a_fetch_is_complete_only_when_no_byte_is_left_with_us() -> None:
    left: list[int] = []

    async with running_edge() as edge, slow_reader(edge) as reader:

        async def note(call: UUID, fetch: UUID) -> None:
            left.extend(transport.get_write_buffer_size() for transport in edge.transports())

        edge.calls.audio_complete = note  # type: ignore[method-assign]  # looks at what is left at this moment
        loop, received = asyncio.get_running_loop(), 12
        while some := await loop.sock_recv(reader, 1 << 16):
            received += len(some)
        assert received > 400_000 * len(SOUND)
        assert left == [0]


async def test_the_last_byte_waits_for_the_note_that_the_fetch_is_complete() -> None:
    """Who has the whole sound may ask for what follows at once, and must then be known to have it."""
    noted = asyncio.Event()

    async with running_edge() as edge:
        holding(edge)

        async def note(call: UUID, fetch: UUID) -> None:
            await noted.wait()

        edge.calls.audio_complete = note  # type: ignore[method-assign]  # the note takes as long as the test wants
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{edge.port}\r\nConnection: close\r\n\r\n".encode())
        await reader.readuntil(SOUND[:-1])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        noted.set()
        assert await asyncio.wait_for(reader.read(), 20) == SOUND[-1:]
        writer.close()


async def test_a_kept_connection_serves_the_next_request_too() -> None:
    async with running_edge() as edge:
        holding(edge)
        ask = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{edge.port}\r\n"
        answer = await edge.raw(f"{ask}\r\n{ask}Connection: close\r\n\r\n".encode())
        assert (answer.body.count(SOUND), len(edge.calls.complete)) == (2, 2)
