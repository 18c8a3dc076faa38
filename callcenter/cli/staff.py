"""``callcenter staff``: accounts of staff, made and changed by whoever keeps the installation."""

from __future__ import annotations

from datetime import date, datetime

import click

from callcenter.cli.context import Context, by_option, run
from callcenter.cli.staff_duty import staff_duty, staff_telephone
from callcenter.cli.staff_portfolios import portfolio
from callcenter.cli.staff_practitioners import staff_practitioner
from callcenter.cli.staff_queue import staff_queue
from callcenter.cli.staff_room import portfolio_called, portfolio_option, staff_room
from callcenter.cli.staff_terms import staff_languages, staff_until
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError
from callcenter.settings import Settings
from callcenter.staff.administration import NewAccount
from callcenter.staff.invitations import Purpose
from callcenter.staff.proofs import Held
from callcenter.staff.records import Actor
from callcenter.staff.sessions import Listed
from callcenter.staff.values import Account, Grant, Role, Shut, Training

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_SHUT = {Shut.LOCKED: "locked", Shut.CLOSED: "closed", Shut.EXPIRED: "expired", Shut.NO_UNDERTAKING: "not yet open"}
_role_option = click.option("--role", type=click.Choice([role.value for role in Role]), required=True, help="Which.")


@click.group()
def staff() -> None:
    """Accounts of those who sign in at the console: operators, supervisors, practitioners, administrators."""


staff.add_command(portfolio)
staff.add_command(staff_telephone)
staff.add_command(staff_duty)
staff.add_command(staff_until)
staff.add_command(staff_languages)
staff.add_command(staff_practitioner)
staff.add_command(staff_queue)


@staff.command("create")
@click.argument("login")
@click.option("--name", required=True, help="What colleagues are shown.")
@click.option("--organisation", required=True, help="Whose staff; enrolled with its first practice.")
@_role_option
@portfolio_option
@click.option("--language", "languages", multiple=True, default=("fr",), show_default=True, help="Spoken; repeatable.")
@click.option("--until", type=_DAY, help="The account's last day.")
@by_option
@click.pass_obj
def staff_create(
    context: Context,
    login: str,
    name: str,
    organisation: str,
    role: str,
    called: str | None,
    languages: tuple[str, ...],
    until: datetime | None,
    by: str,
) -> None:
    """Make the account LOGIN, and print the address by which its owner chooses a password, once, within 72 hours.

    Nobody signs in before the undertaking of secrecy is on file: « callcenter staff sign ».
    """
    click.echo(run(_create(context.settings, login, name, organisation, Role(role), called, languages, until, by)))


@staff.command("list")
@click.pass_obj
def staff_list(context: Context) -> None:
    """Every account: login, name, whether it may sign in, how its training stands, languages, and its last day."""
    for line in run(_list(context.settings)):
        click.echo(line)


@staff.command("show")
@click.argument("login")
@click.option("--records", is_flag=True, help="What is on record about the account, too.")
@click.pass_obj
def staff_show(context: Context, login: str, records: bool) -> None:
    """One account: its roles, what it signs in by, undertaking and training."""
    for line in run(_show(context.settings, login, records=records)):
        click.echo(line)


@staff.command("grant")
@click.argument("login")
@_role_option
@portfolio_option
@by_option
@click.pass_obj
def staff_grant(context: Context, login: str, role: str, called: str | None, by: str) -> None:
    """Give LOGIN a role for the practices of a portfolio."""
    done = run(_grant(context.settings, login, Role(role), called, by, give=True))
    click.echo(f"{login}: {role} for {called or 'every practice'}" if done else f"{login} had that role")


@staff.command("take")
@click.argument("login")
@_role_option
@portfolio_option
@by_option
@click.pass_obj
def staff_take(context: Context, login: str, role: str, called: str | None, by: str) -> None:
    """Take a role away from LOGIN, from the next page on."""
    if not run(_grant(context.settings, login, Role(role), called, by, give=False)):
        raise CallcenterError(f"{login} has no such role: `callcenter staff show {login}` shows which it has")
    click.echo(f"{login}: no longer {role} for {called or 'every practice'}")


@staff.command("lock")
@click.argument("login")
@by_option
@click.pass_obj
def staff_lock(context: Context, login: str, by: str) -> None:
    """Let nobody in as LOGIN until it is unlocked; whoever is in is out at once."""
    done = run(_lock(context.settings, login, by, locked=True))
    click.echo(f"{login}: locked" if done else f"{login} was locked already")


@staff.command("unlock")
@click.argument("login")
@by_option
@click.pass_obj
def staff_unlock(context: Context, login: str, by: str) -> None:
    """Let LOGIN in again: it is locked no more, and whatever was tried too often may be tried again."""
    done = run(_lock(context.settings, login, by, locked=False))
    click.echo(f"{login}: unlocked" if done else f"{login} was not locked; what was tried is forgotten")


@staff.command("close")
@click.argument("login")
@by_option
@click.pass_obj
def staff_close(context: Context, login: str, by: str) -> None:
    """Close the account LOGIN for good: whoever is in is out at once. What is on record of it stays."""
    done = run(_close(context.settings, login, by))
    click.echo(f"{login}: closed" if done else f"{login} was closed already")


@staff.command("reset")
@click.argument("login")
@by_option
@click.pass_obj
def staff_reset(context: Context, login: str, by: str) -> None:
    """Take away LOGIN's password and second factors, end its sessions, and print an address to choose new ones.

    Give that address to its owner in person, or in a call to a number that you know: never to who asks by e-mail.
    """
    click.echo(run(_reset(context.settings, login, by)))


@staff.command("sign")
@click.argument("login")
@click.argument("day", metavar="DAY", type=_DAY)
@by_option
@click.pass_obj
def staff_sign(context: Context, login: str, day: datetime, by: str) -> None:
    """LOGIN's owner has signed the undertaking of secrecy on DAY (YYYY-MM-DD)."""
    run(_sign(context.settings, login, day.date(), by))
    click.echo(f"{login}: undertaking signed on {day.date()}")


@staff.command("trained")
@click.argument("login")
@click.argument("day", metavar="DAY", type=_DAY)
@by_option
@click.pass_obj
def staff_trained(context: Context, login: str, day: datetime, by: str) -> None:
    """LOGIN's training holds until DAY (YYYY-MM-DD), the last one. After it, the account reveals nothing."""
    run(_trained(context.settings, login, day.date(), by))
    click.echo(f"{login}: trained until {day.date()}")


@staff.command("sessions")
@click.argument("login")
@click.option("--revoke", is_flag=True, help="End them all, at once.")
@by_option
@click.pass_obj
def staff_sessions(context: Context, login: str, revoke: bool, by: str) -> None:
    """Where LOGIN is signed in."""
    for line in run(_sessions(context.settings, login, by, revoke=revoke)):
        click.echo(line)


# --- working


async def _create(
    settings: Settings,
    login: str,
    name: str,
    organisation: str,
    role: Role,
    called: str | None,
    languages: tuple[str, ...],
    until: datetime | None,
    by: str,
) -> str:
    actor = Actor.command(by)
    async with staff_room(settings) as room:
        whose = await room.portfolios.organisation(organisation)
        portfolio = await portfolio_called(room, whose, called, actor)
        new = NewAccount(whose, login, name, languages, None if until is None else until.date())
        account = await room.administration.create(new, actor)
        await room.administration.grant(account, role, portfolio, actor)
        token = await room.invitations.invite(account.id, Purpose.FIRST, actor)
    return f"{account.login}: made, {role} for {portfolio.name}\n{_address(settings, token)}\n{_undertaking(account)}"


def _address(settings: Settings, token: str) -> str:
    return f"within 72 hours, once: {settings.console.public_url}/invitation/{token}"


def _undertaking(account: Account) -> str:
    return (
        f"before that, with the day of the signature: callcenter staff sign {account.login} YYYY-MM-DD\n"
        f"to see anything about patients, with the last day: callcenter staff trained {account.login} YYYY-MM-DD"
    )


async def _list(settings: Settings) -> list[str]:
    now = SystemClock().now()
    async with staff_room(settings) as room:
        accounts = await room.administration.all()
    none = "no account yet: callcenter staff create LOGIN --name NAME --organisation NAME --role administrator"
    return [_line(one, now) for one in accounts] or [none]


def _line(one: Account, now: datetime) -> str:
    shut = one.shut(now)
    known = [_training(one, now), ", ".join(one.languages), *([f"last day {one.expires_on}"] if one.expires_on else [])]
    state = "open" if shut is None else _SHUT[shut]
    return f"{one.login:<24} {one.display_name:<32} {state:<16} {'; '.join(known)}"


def _training(one: Account, now: datetime) -> str:
    standing = one.standing(now)
    match standing.training:
        case Training.OK:
            return f"trained until {one.trained_until}"
        case Training.WARNS:
            return f"trained until {one.trained_until}: {standing.days} days left"
        case Training.LAPSED:
            return "training lapsed: reveals nothing"
        case Training.NO_UNDERTAKING:
            return "no undertaking of secrecy"


async def _show(settings: Settings, login: str, *, records: bool) -> list[str]:
    now = SystemClock().now()
    async with staff_room(settings) as room:
        account = await room.administration.called(login)
        roles = await room.administration.roles(account.id)
        held = await room.factors.held(account.id)
        kept = await room.administration.records(account.id) if records else []
    lines = [_line(account, now), *_roles(roles), _held(held)]
    lines.append(f"undertaking signed: {account.secrecy_signed_on or 'no'}; last day: {account.expires_on or 'none'}")
    return [
        *lines,
        *(f"{one.body['ts'][:19]}Z  {one.body['event']:<28} by {one.body['actor']['id'] or 'nobody'}" for one in kept),
    ]


def _roles(roles: tuple[Grant, ...]) -> list[str]:
    return [f"{one.role} for {one.portfolio.name}" for one in roles] or ["no role: the account opens no practice"]


def _held(held: Held) -> str:
    application = "an application" if held.totp_since else "no application"
    return f"second factors: {application}, {held.passkeys} passkeys; {held.recovery_codes} printed codes left"


async def _grant(settings: Settings, login: str, role: Role, called: str | None, by: str, *, give: bool) -> bool:
    actor = Actor.command(by)
    async with staff_room(settings) as room:
        account = await room.administration.called(login)
        portfolio = await portfolio_called(room, account.organisation, called, actor)
        if give:
            return await room.administration.grant(account, role, portfolio, actor)
        return await room.administration.take(account, role, portfolio, actor)


async def _lock(settings: Settings, login: str, by: str, *, locked: bool) -> bool:
    async with staff_room(settings) as room:
        account = await room.administration.called(login)
        if locked:
            return await room.administration.lock(account.id, Actor.command(by))
        await room.logins.forget_tries(account, Actor.command(by))
        return await room.administration.unlock(account.id, Actor.command(by))


async def _close(settings: Settings, login: str, by: str) -> bool:
    async with staff_room(settings) as room:
        account = await room.administration.called(login)
        return await room.administration.close(account.id, Actor.command(by))


async def _reset(settings: Settings, login: str, by: str) -> str:
    async with staff_room(settings) as room:
        account = await room.administration.called(login)
        token = await room.administration.reset(account.id, Actor.command(by))
        await room.logins.forget_tries(account, Actor.command(by))  # whoever it is reset for has not tried
    return f"{account.login}: nothing opens it any more but this address\n{_address(settings, token)}"


async def _sign(settings: Settings, login: str, day: date, by: str) -> None:
    async with staff_room(settings) as room:
        account = await room.administration.called(login)
        await room.administration.sign(account.id, day, Actor.command(by))


async def _trained(settings: Settings, login: str, day: date, by: str) -> None:
    async with staff_room(settings) as room:
        account = await room.administration.called(login)
        await room.administration.trained(account.id, day, Actor.command(by))


async def _sessions(settings: Settings, login: str, by: str, *, revoke: bool) -> list[str]:
    async with staff_room(settings) as room:
        account = await room.administration.called(login)
        if revoke:
            count = await room.sessions.revoke_all(account.id, by=Actor.command(by))
            return [f"{account.login}: {count} sessions ended"]
        listed = await room.sessions.listed(account.id)
    return [_session(one) for one in listed] or [f"{account.login} is signed in nowhere"]


def _session(one: Listed) -> str:
    return f"since {one.since:%Y-%m-%d %H:%M}Z  last page {one.seen:%H:%M}Z  ends {one.ends_at:%H:%M}Z  {one.stage}"
