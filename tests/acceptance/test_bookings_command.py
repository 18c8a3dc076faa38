"""``callcenter practice bookings``: what people of a practice see of a booking, and that they have dealt with it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from callcenter.cli import main
from callcenter.settings import PROJECT
from tests.acceptance.caller import calling
from tests.acceptance.outreach import PORT, TILLEULS, records
from tests.acceptance.stage import Stage

STRANGER, BORN, CALL_BACK = "+33639980071", "01021985", "0639980055"
NOTHING = "Cabinet des Tilleuls : aucune demande de rendez-vous en attente\n"
Bookings = Callable[..., Awaitable[Result]]


@pytest.fixture
def bookings(stage: Stage, keys_file: Path) -> Bookings:
    """The command, at work on the stage's database."""
    demo = ("--config", str(PROJECT / "config" / "demo.yaml"), "practice", "bookings")
    environment = {"DATABASE_URL": stage.running.addresses.app, "CALLCENTER_KEYS_FILE": str(keys_file)}

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, main, [*demo, *arguments], env=environment)

    return run


async def books(stage: Stage) -> str:
    """Book the first free slot of Dr Lefèvre, and give another number to be called back at; the reference."""
    async with calling(stage, STRANGER) as caller:
        heard = await caller.does("1", "2", "2", "1", BORN, CALL_BACK)
        assert "C'est réservé" in heard
        return "".join(re.findall(r"\d", heard.partition("référence :")[2].partition(".")[0]))


async def test_where_nothing_was_booked_nothing_waits(bookings: Bookings) -> None:
    result = await bookings(TILLEULS)
    assert (result.exit_code, result.stdout) == (0, NOTHING)


async def test_a_practice_that_is_not_there_is_a_sentence(bookings: Bookings) -> None:
    result = await bookings("cabinet-du-neant")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no practice « cabinet-du-neant »: `callcenter practice list` shows" in result.stderr


async def test_p5_a_booking_is_shown_to_its_practice_with_what_was_typed_and_no_more(
    stage: Stage, bookings: Bookings
) -> None:
    """Neither the reference, which cancels, nor the number that was seen, which need not be the caller's."""
    reference = await books(stage)
    head, line = (await bookings(TILLEULS)).stdout.splitlines()
    assert head == "Cabinet des Tilleuls : 1 en attente"
    shown = (
        r"  28/11/2026 09:00 \(30 min\) Dr Antoine Lefèvre, né\(e\) le 01/02/1985, à rappeler au \+33639980055  "
        r"\[[0-9a-f-]{36}\]"
    )
    assert re.fullmatch(shown, line), line
    assert reference not in line
    assert STRANGER not in line
    assert "aucune demande de rendez-vous" in (await bookings(PORT)).stdout


async def test_one_that_was_cancelled_says_so(stage: Stage, bookings: Bookings) -> None:
    reference = await books(stage)
    async with calling(stage, "+33639980073") as caller:
        assert "Le rendez-vous est annulé" in await caller.does("1", "3", reference, "1", "1")
    assert "\n  ANNULÉ 28/11/2026 09:00" in (await bookings(TILLEULS)).stdout


async def test_one_that_is_dealt_with_leaves_the_list_once_and_on_record(stage: Stage, bookings: Bookings) -> None:
    await books(stage)
    booking = (await bookings(TILLEULS)).stdout.rpartition("[")[2].partition("]")[0]
    assert (await bookings(TILLEULS, "--done", booking, "--by", " ")).exit_code == 2
    assert (await bookings(PORT, "--done", booking, "--by", "camille")).exit_code == 2  # it is another practice's
    assert await records(stage, "booking.handled") == []
    done = await bookings(TILLEULS, "--done", booking, "--by", "camille")
    assert (done.exit_code, done.stdout) == (0, "Cabinet des Tilleuls : demande traitée par camille\n")
    assert (await bookings(TILLEULS)).stdout == NOTHING
    again = await bookings(TILLEULS, "--done", booking, "--by", "camille")
    assert (again.exit_code, again.stdout) == (2, "")
    assert "waits for nobody" in again.stderr
    (record,) = await records(stage, "booking.handled")
    assert (record["actor"], record["refs"]) == ({"kind": "staff", "id": "camille"}, [f"booking:{booking}"])
