"""``callcenter inbox``: who waits to be called back. Its reader works at the practice's telephone: it speaks French."""

from __future__ import annotations

from uuid import UUID

import click

from callcenter.cli.context import Context, run
from callcenter.installation import open_data
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError
from callcenter.practice import inbox_lines
from callcenter.practice.directory import Directory
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.inbox import Inbox
from callcenter.practice.values import Change
from callcenter.settings import Settings
from callcenter.store.database import Database


@click.command()
@click.option("--practice", "slug", help="Of one practice; by default of all.")
@click.option("--done", type=click.UUID, metavar="ID", help="This request has been answered: it leaves the list.")
@click.option("--by", metavar="NAME", help="Who has answered it; goes with --done.")
@click.pass_obj
def inbox(context: Context, slug: str | None, done: UUID | None, by: str | None) -> None:
    """Who waits to be called back, each with the identifier that --done takes."""
    if (done is None) != (not (by or "").strip()):
        raise click.UsageError("--done ID and --by NAME go together")
    if done is not None and by is not None:
        click.echo(run(_handle(context.settings, slug, done, by.strip())))
        return
    for line in run(_waiting(context.settings, slug)):
        click.echo(line)


async def _waiting(settings: Settings, slug: str | None) -> list[str]:
    lines: list[str] = []
    async with open_data(settings) as data:
        of_practice = Inbox(data.sealer)
        for facts in await _practices(data.database, slug):
            async with data.database.practice(facts.id) as tx:
                waiting = await of_practice.waiting(tx)
                more = await of_practice.count_waiting(tx) - len(waiting)
            lines += inbox_lines.waiting(facts, waiting, more)
    return lines or [inbox_lines.NOBODY_WAITS]


async def _handle(settings: Settings, slug: str | None, message_id: UUID, by: str) -> str:
    async with open_data(settings) as data:
        for facts in await _practices(data.database, slug):
            async with data.database.practice(facts.id) as tx:
                change = await Inbox(data.sealer).handle(tx, message_id, by, SystemClock().now())
            if change is Change.DONE:
                return inbox_lines.handled(facts, by)
    raise CallcenterError(f"{message_id} does not wait to be called back: `callcenter inbox` shows who does")


async def _practices(database: Database, slug: str | None) -> list[PracticeFacts]:
    now = SystemClock().now()
    async with database.house() as connection:
        if slug is None:
            return await Directory.all(connection, now)
        return [await Directory.by_slug(connection, slug, now)]
