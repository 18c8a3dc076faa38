"""``callcenter staff portfolio``: the practices for which roles are given together."""

from __future__ import annotations

import click

from callcenter.cli.context import Context, by_option, run
from callcenter.cli.staff_room import staff_room
from callcenter.kernel.errors import CallcenterError
from callcenter.settings import Settings
from callcenter.staff.records import Actor

organisation_option = click.option("--organisation", required=True, help="Whose portfolio.")


@click.group()
def portfolio() -> None:
    """Portfolios of practices: whoever has a role for one has it for each practice in it."""


@portfolio.command("create")
@click.argument("name")
@organisation_option
@click.option("--whole", is_flag=True, help="Every practice of the organisation, and those that come later.")
@by_option
@click.pass_obj
def portfolio_create(context: Context, name: str, organisation: str, whole: bool, by: str) -> None:
    """Make the portfolio NAME."""
    run(_create(context.settings, name, organisation, by, whole=whole))
    click.echo(f"{name}: made, " + ("every practice of the organisation" if whole else "with no practice yet"))


@portfolio.command("list")
@click.pass_obj
def portfolio_list(context: Context) -> None:
    """Every portfolio, with how many practices are in it."""
    for line in run(_list(context.settings)):
        click.echo(line)


@portfolio.command("add")
@click.argument("name")
@click.argument("practices", metavar="PRACTICE...", nargs=-1, required=True)
@organisation_option
@by_option
@click.pass_obj
def portfolio_add(context: Context, name: str, practices: tuple[str, ...], organisation: str, by: str) -> None:
    """Put practices, by their short names, into the portfolio NAME."""
    for line in run(_fill(context.settings, name, practices, organisation, by, add=True)):
        click.echo(line)


@portfolio.command("remove")
@click.argument("name")
@click.argument("practices", metavar="PRACTICE...", nargs=-1, required=True)
@organisation_option
@by_option
@click.pass_obj
def portfolio_remove(context: Context, name: str, practices: tuple[str, ...], organisation: str, by: str) -> None:
    """Take practices, by their short names, out of the portfolio NAME."""
    for line in run(_fill(context.settings, name, practices, organisation, by, add=False)):
        click.echo(line)


async def _create(settings: Settings, name: str, organisation: str, by: str, *, whole: bool) -> None:
    async with staff_room(settings) as room:
        whose = await room.portfolios.organisation(organisation)
        await room.portfolios.create(whose, name, Actor.command(by), whole=whole)


async def _list(settings: Settings) -> list[str]:
    async with staff_room(settings) as room:
        there = await room.portfolios.all()
    return [
        f"{organisation:<32} {one.name:<32} {count} practices{' (every one)' if one.whole else ''}"
        for organisation, one, count in there
    ] or ["no portfolio yet: callcenter staff portfolio create NAME --organisation NAME"]


async def _fill(
    settings: Settings, name: str, practices: tuple[str, ...], organisation: str, by: str, *, add: bool
) -> list[str]:
    """All of them are found before the first is put in or taken out."""
    lines = []
    async with staff_room(settings) as room:
        one = await room.portfolios.called(await room.portfolios.organisation(organisation), name)
        found = {slug: await room.portfolios.practice(slug) for slug in practices}
        for slug, practice in found.items():
            act = room.portfolios.add if add else room.portfolios.remove
            done = await act(one, practice, Actor.command(by))
            if not done and not add:
                raise CallcenterError(f"{slug} is not in « {one.name} »")
            lines.append(f"{slug}: {'in' if add else 'out of'} « {one.name} »{'' if done else ', as before'}")
    return lines
