"""``callcenter staff until`` and ``languages``: for how long somebody is of the staff, and which calls are theirs."""

from __future__ import annotations

from datetime import date, datetime

import click

from callcenter.cli.context import Context, by_option, run
from callcenter.cli.staff_room import staff_room
from callcenter.kernel.errors import CallcenterError
from callcenter.settings import Settings
from callcenter.staff.records import Actor


@click.command("until")
@click.argument("login")
@click.argument("day", metavar="[DAY]", required=False, type=click.DateTime(formats=["%Y-%m-%d"]))
@click.option("--no-end", is_flag=True, help="In place of DAY: the account has no last day any more.")
@by_option
@click.pass_obj
def staff_until(context: Context, login: str, day: datetime | None, no_end: bool, by: str) -> None:
    """DAY (YYYY-MM-DD) is the last one on which LOGIN opens anything, as a contract ends.

    A day that is over puts whoever is in out at once. Unlike « close », it can be changed: roles and factors stay.
    """
    if (day is not None) == no_end:
        raise CallcenterError(f"a day or --no-end, one of them: callcenter staff until {login} YYYY-MM-DD")
    click.echo(run(_until(context.settings, login, None if day is None else day.date(), by)))


@click.command("languages")
@click.argument("login")
@click.argument("languages", metavar="LANGUAGE...", nargs=-1, required=True)
@by_option
@click.pass_obj
def staff_languages(context: Context, login: str, languages: tuple[str, ...], by: str) -> None:
    """LOGIN's owner speaks these languages, and no other, as codes of two letters: « fr en ».

    From the next offer on, only calls in these are theirs.
    """
    click.echo(run(_languages(context.settings, login, languages, by)))


async def _until(settings: Settings, login: str, day: date | None, by: str) -> str:
    async with staff_room(settings) as room:
        account = await room.administration.called(login)
        over = await room.administration.expires(account.id, day, Actor.command(by))
    if day is None:
        return f"{account.login}: no last day"
    return f"{account.login}: last day {day}" + (", which is over: nothing opens any more" if over else "")


async def _languages(settings: Settings, login: str, languages: tuple[str, ...], by: str) -> str:
    async with staff_room(settings) as room:
        account = await room.administration.called(login)
        spoken = await room.administration.speaks(account.id, languages, Actor.command(by))
    return f"{account.login}: speaks {', '.join(spoken)}"
