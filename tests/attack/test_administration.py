"""Accounts and portfolios, from somebody who administers nothing, a part, themselves, or another organisation."""

from __future__ import annotations

from uuid import UUID

from callcenter.app.by_administration import StaffOffice
from callcenter.kernel.clock import DrivenClock
from callcenter.practice.enrolment import write_organisation
from callcenter.staff.administration import NewAccount
from callcenter.staff.sessions import StaffSession
from callcenter.staff.values import Account, Role
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained, unanimous
from tests.attack.ground import Ground
from tests.integration.consoles import BY, ORGANISATION, Console, opened_console
from tests.unit.console.guest import Guest

ELSEWHERE = UUID(int=88)


async def _chief(console: Console, *, role: Role = Role.ADMINISTRATOR, whole: bool = True) -> Account:
    await console.joined("chef")
    account = await console.room.administration.called("chef")
    portfolio = await console.room.portfolios.create(ORGANISATION, "de chef", BY, whole=whole)
    await console.room.administration.grant(account, role, portfolio, BY)
    return account


async def _tried(console: Console, account: Account, guest: Guest) -> dict[str, Outcome]:
    """What somebody signed in gets of an account by its addresses: to see it, and to put its owner out."""
    here = f"/administration/comptes/{account.id}"
    seen = await guest.get(here)
    await guest.get("/compte")
    await guest.post(f"{here}/verrou")
    after = await console.room.administration.one(account.id)
    assert after is not None
    return {"seen": gained(seen.status == 200), "locked": gained(after.locked)}


def _anybody(sabotage: Sabotage) -> None:
    sabotage.replace(StaffSession, "administers_all", True)


ROLE = Defence("the role, for the whole organisation", "AU-06", _anybody)


@attack(stopped_by=ROLE)
async def test_whoever_does_not_administer_everything_locks_a_colleague_out(
    ground: Ground, clock: DrivenClock
) -> Outcome:
    outcomes = {}
    async with opened_console(ground.app, ground.sealer, clock) as console:
        victim = await console.account("operatrice9")
        for role, whole in ((Role.OPERATOR, True), (Role.SUPERVISOR, True), (Role.ADMINISTRATOR, False)):
            async with console.another() as guest:
                login = f"chef{len(outcomes)}"
                await console.joined(login, guest=guest)
                me = await console.room.administration.called(login)
                portfolio = await console.room.portfolios.create(ORGANISATION, login, BY, whole=whole)
                await console.room.administration.grant(me, role, portfolio, BY)
                await console.room.administration.unlock(victim.id, BY)
                tried = await _tried(console, victim, guest)
                outcomes |= {f"{role}: {what}": outcome for what, outcome in tried.items()}
    return unanimous(outcomes)


async def _whosever(self: StaffOffice, mine: StaffSession, account: UUID) -> Account:
    found = await self.room.administration.one(account)
    assert found is not None
    return found


OWN_ORGANISATION = Defence(
    "accounts of one's own organisation alone",
    "AU-06",
    lambda sabotage: sabotage.replace(StaffOffice, "_colleague", _whosever),
)


@attack(stopped_by=OWN_ORGANISATION)
async def test_an_administrator_reaches_for_another_organisations_account(
    ground: Ground, clock: DrivenClock
) -> Outcome:
    async with opened_console(ground.app, ground.sealer, clock) as console:
        await _chief(console)
        async with console.database.house() as connection:
            await write_organisation(connection, ELSEWHERE, "Un autre télésecrétariat")
        victim = await console.room.administration.create(NewAccount(ELSEWHERE, "ailleurs", "Quelqu’un"), BY)
        return unanimous(await _tried(console, victim, console.guest))


async def _own_too(self: StaffOffice, token: str, account: UUID) -> tuple[StaffSession, Account | None]:
    mine = await self._changing(token)
    return mine, await self._colleague(mine, account)


SOMEBODY_ELSE = Defence(
    "nobody gives themselves anything", "SM-02", lambda sabotage: sabotage.replace(StaffOffice, "_other", _own_too)
)


@attack(stopped_by=SOMEBODY_ELSE)
async def test_an_administrator_gives_themselves_a_role_and_a_training(ground: Ground, clock: DrivenClock) -> Outcome:
    async with opened_console(ground.app, ground.sealer, clock) as console:
        me = await _chief(console)
        before = me.trained_until
        portfolio = (await console.room.administration.roles(me.id))[0].portfolio
        here = f"/administration/comptes/{me.id}"
        await console.guest.get(here)
        await console.guest.post(f"{here}/role", role="operator", portefeuille=str(portfolio.id))
        await console.guest.get(here)
        await console.guest.post(f"{here}/formation", formation="2030-01-01")
        roles = {grant.role for grant in await console.room.administration.roles(me.id)}
        trained = (await console.room.administration.called("chef")).trained_until
        return unanimous({"role": gained(Role.OPERATOR in roles), "training": gained(trained != before)})


CONFIRMED = Defence(
    "a factor of the last minutes",
    "ASVS 7.5.3",
    lambda sabotage: sabotage.replace(StaffSession, "may_change_account", property(lambda self: self.is_full)),
)


@attack(stopped_by=CONFIRMED)
async def test_a_screen_that_was_left_open_invites_to_a_colleagues_account(
    ground: Ground, clock: DrivenClock
) -> Outcome:
    async with opened_console(ground.app, ground.sealer, clock) as console:
        await _chief(console)
        victim = await console.account("operatrice9")
        clock.advance(6 * 60)
        here = f"/administration/comptes/{victim.id}"
        await console.guest.get(here)
        return gained("/invitation/" in (await console.guest.post(f"{here}/invitation")).text)
