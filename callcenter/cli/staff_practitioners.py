"""``callcenter staff practitioner``: which practitioner an account is, whose messages it reads."""

from __future__ import annotations

import click

from callcenter.cli.context import Context, by_option, run
from callcenter.installation import open_data
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.directory import Directory
from callcenter.practice.practitioners import PublicName, practitioners_called, public_names
from callcenter.settings import Settings
from callcenter.staff.accounts import NoSuchAccount, account_called
from callcenter.staff.practitioners import Practises, StaffPractitioners
from callcenter.staff.records import Actor, HouseLog
from callcenter.store.database import Transaction


@click.command("practitioner")
@click.argument("login")
@click.argument("slug", metavar="PRACTICE")
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--of-practice", is_flag=True, help="They read messages for the whole practice too.")
@click.option("--none", "forget", is_flag=True, help="In place of NAME: LOGIN is no practitioner of PRACTICE any more.")
@by_option
@click.pass_obj
def staff_practitioner(
    context: Context, login: str, slug: str, name: str | None, of_practice: bool, forget: bool, by: str
) -> None:
    """LOGIN is the practitioner NAME of PRACTICE (its short name), and reads their messages at /messages.

    The last name is enough. The role is given besides, by « grant ».
    """
    if (name is not None) == forget or (forget and of_practice):
        raise click.UsageError("NAME or --none, one of them; --of-practice goes with NAME")
    click.echo(run(_named(context.settings, login, slug, name, by, of_practice=of_practice)))


async def _named(settings: Settings, login: str, slug: str, name: str | None, by: str, *, of_practice: bool) -> str:
    clock, actor = SystemClock(), Actor.command(by)
    kept = StaffPractitioners(HouseLog(clock, SystemRandom()))
    async with open_data(settings) as data:
        async with data.database.house() as connection:
            account = await account_called(connection, login)
            facts = await Directory.by_slug(connection, slug, clock.now())
        if account is None:
            raise NoSuchAccount
        async with data.database.practice(facts.id) as tx:
            if name is None:
                if not await kept.forget(tx.connection, account.id, facts.id, actor):
                    raise CallcenterError(f"{account.login} is no practitioner of {slug}")
                return f"{account.login}: no practitioner of {slug} any more"
            one = await _called(tx, name)
            await kept.name(tx.connection, account.id, Practises(facts.id, one.id, of_practice), actor)
    more = ", and messages for the whole practice" if of_practice else ""
    return f"{account.login}: {one.titled} of {slug}{more}"


async def _called(tx: Transaction, name: str) -> PublicName:
    found = await practitioners_called(tx, name)
    if len(found) == 1:
        return found[0]
    others = ", ".join(one.titled for one in found or await public_names(tx)) or "nobody yet"
    raise CallcenterError(f"« {name} » is not one practitioner: there are {others}")
