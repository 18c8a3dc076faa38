"""The demo's staff: accounts of nobody, with a password that its page tells and codes that a command tells.

The secret of their codes is made from the demo's own keys, so that a command can say the code without a way into the
database that could be used for anybody else. Outside the demo everything here is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pyotp

from callcenter.console.demonstration import DEMONSTRATION, DemoAccount
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import ConfigurationError, NotFound, Problem
from callcenter.kernel.randomness import Random
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import read_demonstration
from callcenter.routing.presence import move
from callcenter.routing.values import PresenceState, Way
from callcenter.settings import Environment, Settings
from callcenter.staff.accounts import NoSuchAccount, account_called
from callcenter.staff.administration import NewAccount
from callcenter.staff.invitations import Accepted, Purpose
from callcenter.staff.passkeys import RelyingParty
from callcenter.staff.portfolios import NoSuchPortfolio
from callcenter.staff.proofs import SECRET_BYTES, new_secret
from callcenter.staff.records import Actor, HouseLog
from callcenter.staff.room import StaffRoom
from callcenter.staff.telephones import Telephones
from callcenter.staff.values import WARNED_FROM, Account, Portfolio, Role, Training, day_of
from callcenter.store.database import Database
from callcenter.store.sealed import NO_PRACTICE, Sealer

PORTFOLIO = "Tous les cabinets"
#: How often it is tried to let somebody be off duty, and the seconds between.
_TRIES, _BETWEEN = 50, 0.1
#: Between two people who begin together, so that it is known who has waited longer.
_INSTANT = timedelta(microseconds=1)
_BY = Actor.command("demonstration")


class NotOfTheDemo(NotFound):
    """The demo's staff are operatrice1, operatrice2, superviseur, administrateur and praticien."""


async def seed_staff(settings: Settings, database: Database, sealer: Sealer, clock: Clock, random: Random) -> None:
    """Make the accounts that are missing, and set trainings that have run on to where the demo wants them.

    What somebody has changed of an account (password, second factors) stays.

    Raises:
        ConfigurationError: this is not the demo.
    """
    only_for_play(settings)
    organisation = read_demonstration(FOLDER).organisation_id
    room = StaffRoom.on(database, database, sealer, clock, random, RelyingParty.at(settings.console.public_url))
    try:
        portfolio = await _portfolio(room, organisation)
        standing = {account.login: account for account in await room.administration.all()}
        for wanted in DEMONSTRATION.accounts:
            account = standing.get(wanted.login) or await _make(room, sealer, clock, wanted, portfolio)
            await _train(room, clock, wanted, account)
    finally:
        room.close()


def code_of(settings: Settings, sealer: Sealer, login: str, now: datetime) -> str:
    """The code with which somebody of the demo's staff signs in at ``now`` (aware).

    Raises:
        ConfigurationError: this is not the demo.
        NotOfTheDemo: there is nobody of that login.
    """
    only_for_play(settings)
    if login not in {account.login for account in DEMONSTRATION.accounts}:
        raise NotOfTheDemo
    return pyotp.TOTP(new_secret(_SecretOf(sealer, login))).at(now)


def only_for_play(settings: Settings) -> None:
    if settings.environment is not Environment.DEMO:
        what = "passwords and codes that others know are the demo's alone, which has environment: demo"
        mend = "make accounts with « callcenter staff create », or use config/demo.yaml"
        raise ConfigurationError([Problem("configuration", 0, what, mend)])


class _SecretOf:
    """The secret of a login's codes, as the room of staff draws one. Implements ``kernel.randomness.Random``."""

    def __init__(self, sealer: Sealer, login: str) -> None:
        self._secret = sealer.blind_index(NO_PRACTICE, "demonstration.totp", login)[:SECRET_BYTES]

    def token_bytes(self, count: int) -> bytes:
        return self._secret[:count]


async def _portfolio(room: StaffRoom, organisation: UUID) -> Portfolio:
    try:
        return await room.portfolios.called(organisation, PORTFOLIO)
    except NoSuchPortfolio:
        return await room.portfolios.create(organisation, PORTFOLIO, _BY, whole=True)


async def _make(room: StaffRoom, sealer: Sealer, clock: Clock, wanted: DemoAccount, portfolio: Portfolio) -> Account:
    """An account as its owner would have it after the invitation."""
    new = NewAccount(portfolio.organisation, wanted.login, wanted.shown)
    account = await room.administration.create(new, _BY)
    await room.administration.grant(account, Role(wanted.role), portfolio, _BY)
    await room.administration.sign(account.id, day_of(clock.now()), _BY)
    invitation = await room.invitations.invite(account.id, Purpose.FIRST, _BY)
    accepted = await room.invitations.accept(invitation, DEMONSTRATION.password)
    if not isinstance(accepted, Accepted):
        raise AssertionError("the demo's password is not one that the rules take")
    factors = replace(room.factors, random=_SecretOf(sealer, wanted.login))
    secret, _ = await factors.begin_totp(account.id)
    # The code that confirms is used up by it: that of the step before leaves today's to whoever signs in.
    before = pyotp.TOTP(secret).at(clock.now() - timedelta(seconds=30))
    await room.factors.confirm_totp(account.id, before, token=accepted.token)
    await room.sessions.revoke_all(account.id, by=_BY)
    return account


async def _train(room: StaffRoom, clock: Clock, wanted: DemoAccount, account: Account) -> None:
    """Renew a training that has run out, or that warns where it should not."""
    today, standing = day_of(clock.now()), account.standing(clock.now()).training
    warns_wrongly = standing is Training.WARNS and wanted.training_days > WARNED_FROM
    if standing is Training.LAPSED or account.trained_until is None or warns_wrongly:
        await room.administration.trained(account.id, today + timedelta(days=wanted.training_days), _BY)


@asynccontextmanager
async def on_duty(
    database: Database, sealer: Sealer, clock: Clock, random: Random, telephones: Sequence[tuple[str, str]]
) -> AsyncIterator[None]:
    """Let staff answer by a telephone for as long as the body runs.

    Arguments:
        telephones: logins, each with a number (E.164), which is kept; who is named first has waited longest.

    Raises:
        NoSuchAccount: nobody has that login.
    """
    log, begun = HouseLog(clock, random), clock.now()
    staff: list[UUID] = []
    try:
        for behind, (login, number) in enumerate(telephones, start=-len(telephones)):
            async with database.house() as connection:
                account = await account_called(connection, login)
                if account is None:
                    raise NoSuchAccount(login)
                await Telephones(sealer, log).keep(connection, account.id, number, _BY)
                since = begun + behind * _INSTANT
                await move(connection, account.id, PresenceState.AVAILABLE, since, way=Way.TELEPHONE)
                staff.append(account.id)
        yield
    finally:
        for one in staff:
            await _off_duty(database, clock, one)


async def _off_duty(database: Database, clock: Clock, staff: UUID) -> None:
    """Let somebody be off duty: once the call that they have, or are offered, is over, which it is in a moment."""
    for _ in range(_TRIES):
        async with database.house() as connection:
            if await move(connection, staff, PresenceState.OFFLINE, clock.now(), way=Way.TELEPHONE):
                return
        await asyncio.sleep(_BETWEEN)
