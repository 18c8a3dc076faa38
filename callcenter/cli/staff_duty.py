"""``callcenter staff telephone`` and ``duty``: operators who answer by a telephone, without a page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.cli.context import Context, by_option, run
from callcenter.installation import Data, open_data
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.numbers import NumberProblem, parse_diallable
from callcenter.routing.presence import move
from callcenter.routing.values import PresenceState, Way
from callcenter.settings import Settings
from callcenter.staff.accounts import NoSuchAccount, account_called
from callcenter.staff.records import Actor, HouseLog
from callcenter.staff.telephones import Telephones, telephone_of
from callcenter.staff.values import Account

#: What one may say of oneself; the rest comes with calls.
_STATES = ("available", "break", "lunch", "training", "admin", "offline")


@click.command("telephone")
@click.argument("login")
@click.argument("number", required=False)
@by_option
@click.pass_obj
def staff_telephone(context: Context, login: str, number: str | None, by: str) -> None:
    """Keep NUMBER as the telephone at which LOGIN answers calls; without one, forget it. It is sealed, never shown."""
    click.echo(run(_telephone(context.settings, login, number, Actor.command(by))))


@click.command("duty")
@click.argument("login")
@click.argument("state", type=click.Choice(_STATES))
@click.pass_obj
def staff_duty(context: Context, login: str, state: str) -> None:
    """Let LOGIN be offered the calls that wait, at their telephone, or no more."""
    click.echo(run(_duty(context.settings, login, PresenceState(state))))


@asynccontextmanager
async def _account(settings: Settings, login: str) -> AsyncIterator[tuple[Data, AsyncConnection, Account]]:
    async with open_data(settings) as data, data.database.house() as connection:
        account = await account_called(connection, login)
        if account is None:
            raise NoSuchAccount(login)
        yield data, connection, account


async def _telephone(settings: Settings, login: str, number: str | None, by: Actor) -> str:
    kept = None if number is None else parse_diallable(number)
    if isinstance(kept, NumberProblem):
        raise CallcenterError(f"{number} cannot be rung: {kept.value}")
    async with _account(settings, login) as (data, connection, account):
        telephones = Telephones(data.sealer, HouseLog(SystemClock(), SystemRandom()))
        if not await telephones.keep(connection, account.id, kept, by):
            raise CallcenterError(f"{login} has chosen no password yet: the invitation comes before the telephone")
    return f"{login}: telephone {'forgotten' if kept is None else 'kept'}"


async def _duty(settings: Settings, login: str, state: PresenceState) -> str:
    async with _account(settings, login) as (data, connection, account):
        if state is PresenceState.AVAILABLE and await telephone_of(connection, data.sealer, account.id) is None:
            raise CallcenterError(f"{login} has no telephone: callcenter staff telephone {login} NUMBER")
        if not await move(connection, account.id, state, SystemClock().now(), way=Way.TELEPHONE):
            raise CallcenterError(f"{login} is at a call, or was never on duty: try again once it is over")
    return f"{login}: {state.value}, by telephone"
