"""``callcenter staff telephone`` and ``duty``: operators who answer by a telephone, without a page."""

from __future__ import annotations

import click

from callcenter.cli.context import Context, run
from callcenter.cli.staff_room import staff_room
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError
from callcenter.practice.numbers import NumberProblem, parse_diallable
from callcenter.routing.presence import move
from callcenter.routing.values import PresenceState, Way
from callcenter.settings import Settings
from callcenter.staff.telephones import keep_telephone

#: What one may say of oneself; the rest comes with calls.
_STATES = ("available", "break", "lunch", "training", "admin", "offline")


@click.command("telephone")
@click.argument("login")
@click.argument("number", required=False)
@click.pass_obj
def staff_telephone(context: Context, login: str, number: str | None) -> None:
    """Keep NUMBER as the telephone at which LOGIN answers calls; without one, forget it. It is sealed, never shown."""
    click.echo(run(_telephone(context.settings, login, number)))


async def _telephone(settings: Settings, login: str, number: str | None) -> str:
    kept = None if number is None else parse_diallable(number)
    if isinstance(kept, NumberProblem):
        raise CallcenterError(f"{number} is no number that can be rung: {kept.value}")
    async with staff_room(settings) as (room, data):
        account = await room.administration.called(login)
        async with data.database.house() as connection:
            if not await keep_telephone(connection, data.sealer, account.id, kept):
                raise CallcenterError(f"{login} has never signed in: first accept the invitation, then set a telephone")
    return f"{login}: telephone {'forgotten' if kept is None else 'kept'}"


@click.command("duty")
@click.argument("login")
@click.argument("state", type=click.Choice(_STATES))
@click.pass_obj
def staff_duty(context: Context, login: str, state: str) -> None:
    """Let LOGIN be offered calls at their telephone, or no more."""
    click.echo(run(_duty(context.settings, login, PresenceState(state))))


async def _duty(settings: Settings, login: str, state: PresenceState) -> str:
    async with staff_room(settings) as (room, data):
        account = await room.administration.called(login)
        async with data.database.house() as connection:
            moved = await move(connection, account.id, state, SystemClock().now(), way=Way.TELEPHONE)
    if not moved:
        raise CallcenterError(f"{login} is at a call, or was never on duty: try again when it is over")
    return f"{login}: {state.value}, by telephone"
