"""``callcenter practice bookings``: what was booked by telephone. Its reader is at the practice: it speaks French."""

from __future__ import annotations

from uuid import UUID

import click

from callcenter.cli.context import Context, by_option, run
from callcenter.installation import open_data
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice import booking_lines
from callcenter.practice.directory import Directory
from callcenter.practice.values import Change
from callcenter.practice.waiting_bookings import WaitingBookings
from callcenter.settings import Settings
from callcenter.staff.acts import StaffActs


@click.command("bookings")
@click.argument("slug")
@click.option("--done", type=click.UUID, metavar="ID", help="This one is in the practice's agenda: it leaves the list.")
@by_option
@click.pass_obj
def bookings(context: Context, slug: str, done: UUID | None, by: str) -> None:
    """What was booked, moved or cancelled by telephone and waits for the practice, each with what --done takes.

    A booking is nobody's file yet: who it is for is found out by whoever deals with it.
    """
    if not by.strip():
        raise click.UsageError("--by says who it was: a name, or leave it out for your account")
    if done is not None:
        click.echo(run(_handle(context.settings, slug, done, by)))
        return
    for line in run(_waiting(context.settings, slug)):
        click.echo(line)


async def _waiting(settings: Settings, slug: str) -> list[str]:
    clock = SystemClock()
    async with open_data(settings) as data:
        async with data.database.house() as connection:
            facts = await Directory.by_slug(connection, slug, clock.now())
        async with data.database.practice(facts.id) as tx:
            waiting = await WaitingBookings(data.sealer).waiting(tx)
    return booking_lines.waiting(facts, waiting)


async def _handle(settings: Settings, slug: str, booking: UUID, by: str) -> str:
    clock, random = SystemClock(), SystemRandom()
    async with open_data(settings) as data:
        async with data.database.house() as connection:
            facts = await Directory.by_slug(connection, slug, clock.now())
        async with data.database.practice(facts.id) as tx:
            change = await WaitingBookings(data.sealer).handle(tx, booking, by, clock.now())
            if change is Change.NOT_POSSIBLE:
                raise CallcenterError(
                    f"{booking} waits for nobody: `callcenter practice bookings {slug}` shows what does"
                )
            await StaffActs(clock, random).booking_handled(tx, booking, by)
    return booking_lines.handled(facts, by)
