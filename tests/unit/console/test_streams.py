"""« Look again »: when a page is told so, that a stream ends with its session, and how many there may be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from callcenter.console.ports import Stage
from callcenter.console.streams import StreamLimits
from callcenter.kernel.errors import Unavailable
from tests.unit.console.doubles import Desk, open_desk

QUICK = StreamLimits(check=0.05, look=30.0, pace=0.0)


class Stream:
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def event(self) -> str | None:
        """The next event's name; ``None`` once the stream has ended."""
        while line := await asyncio.wait_for(self.response.content.readline(), 20):
            name, _, value = line.decode().strip().partition(": ")
            if name == "event":
                return value
        return None


@asynccontextmanager
async def streaming(desk: Desk) -> AsyncIterator[Stream]:
    cookies = "; ".join(f"{name}={value}" for name, value in desk.guest.cookies.items())
    headers = {"Host": desk.guest.origin.partition("//")[2], "Cookie": cookies}
    async with desk.guest.session.get(desk.guest.address + "/poste/evenements", headers=headers) as response:
        yield Stream(response)


async def test_a_page_is_told_at_once_when_something_is_new_and_never_what() -> None:
    async with open_desk(streams=QUICK) as desk:
        await desk.signed_in()
        async with streaming(desk) as stream:
            assert stream.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
            assert stream.response.headers["Cache-Control"] == "no-store"
            assert "default-src 'none'" in stream.response.headers["Content-Security-Policy"]
            assert await stream.event() == "look"
            desk.workplaces.ring()
            assert await stream.event() == "look"
            assert await stream.response.content.readline() == b"data:\n"
        assert desk.failures == []


async def test_p4_a_page_is_told_to_look_when_disclosures_close_and_when_they_open_again() -> None:
    behind = [False]
    async with open_desk(streams=QUICK, ledger_is_behind=lambda: behind[0]) as desk:
        await desk.signed_in()
        async with streaming(desk) as stream:
            assert await stream.event() == "look"
            for closed, told in ((True, "1"), (False, "")):
                behind[0] = closed
                assert await stream.event() == "look"
                assert f'data-behind="{told}"' in (await desk.guest.get("/poste/etat")).text
        await desk.signed_in(roles=frozenset({"supervisor"}))
        for path in ("/en-direct/etat", "/en-direct/mur/etat"):
            assert 'data-behind=""' in (await desk.guest.get(path)).text


async def test_it_is_told_now_and_then_even_if_nothing_is_new() -> None:
    async with open_desk(streams=StreamLimits(check=0.05, look=0.05, pace=0.0)) as desk:
        await desk.signed_in()
        async with streaming(desk) as stream:
            assert [await stream.event() for _ in range(4)] == ["look"] * 4
        assert desk.workplaces.looks == 0  # a stream shows nobody's presence: the page's own look does


async def test_a_stream_ends_with_its_session() -> None:
    async with open_desk(streams=QUICK) as desk:
        token = await desk.signed_in()
        async with streaming(desk) as stream:
            assert await stream.event() == "look"
            del desk.staff.sessions[token]
            assert await stream.event() == "over"
            assert await stream.event() is None
        assert desk.workplaces.bells == set()


async def test_a_stream_ends_where_nobody_knows_whether_its_session_stands() -> None:
    async with open_desk(streams=QUICK) as desk:
        await desk.signed_in()
        async with streaming(desk) as stream:
            assert await stream.event() == "look"
            desk.staff.fails = Unavailable("the database is down")
            assert await stream.event() == "over"


async def test_a_stream_keeps_no_session_from_ending() -> None:
    async with open_desk(streams=QUICK) as desk:
        await desk.signed_in()
        async with streaming(desk) as stream:
            await stream.event()
            await asyncio.sleep(0.2)
        assert desk.staff.used == 0


async def test_a_session_has_so_many_and_the_house_has_so_many() -> None:
    limits = StreamLimits(of_session=2, in_all=3, check=0.05, look=30.0)
    async with open_desk(streams=limits) as desk:
        await desk.signed_in()
        async with streaming(desk) as first, streaming(desk) as second:
            assert (await first.event(), await second.event()) == ("look", "look")
            async with streaming(desk) as third:
                assert third.response.status == 503
            await desk.signed_in()
            async with streaming(desk) as other, streaming(desk) as too_many:
                assert (other.response.status, too_many.response.status) == (200, 503)
        for _ in range(100):  # who is gone has given the place back
            if not desk.workplaces.bells:
                break
            await asyncio.sleep(0.02)
        async with streaming(desk) as again:
            assert again.response.status == 200


async def test_who_has_given_a_password_alone_has_none() -> None:
    async with open_desk() as desk:
        await desk.signed_in(stage=Stage.PASSWORD)
        assert (await desk.guest.get("/poste/evenements")).location.startswith("/connexion/facteur")


async def test_an_old_stream_ends_and_nobody_is_told_of_a_failure() -> None:
    async with open_desk(streams=StreamLimits(check=0.02, life=0.05)) as desk:
        await desk.signed_in()
        async with streaming(desk) as stream:
            assert (await stream.event(), await stream.event()) == ("look", None)
        assert desk.failures == []


async def test_the_console_closes_with_streams_open() -> None:
    never = 3_600.0  # what nobody waits for
    async with asyncio.timeout(None) as closing, open_desk(streams=StreamLimits(check=never, look=never)) as desk:
        await desk.signed_in()
        async with streaming(desk) as stream:
            assert await stream.event() == "look"
            closing.reschedule(asyncio.get_running_loop().time() + 30)
