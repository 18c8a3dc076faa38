"""The room of staff, as the pages of administration ask for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text

from callcenter.audit.reading import Record
from callcenter.console import paths
from callcenter.console.administration_ports import (
    ROLES,
    Access,
    Checked,
    Dossier,
    Fault,
    Folder,
    FolderPage,
    Granted,
    Happened,
    Health,
    Invitation,
    KeyAge,
    Listed,
    NewColleague,
    Office,
    SignedIn,
    Trained,
)
from callcenter.console.entrusted import organisation_name
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Forbidden
from callcenter.practice.called import name_of
from callcenter.staff.administration import AlreadyClosed, BadAccount, BadLogin, FromTomorrow, LoginTaken, NewAccount
from callcenter.staff.invitations import CannotBeInvited, Purpose
from callcenter.staff.portfolios import NoName, PortfolioTaken
from callcenter.staff.records import Actor
from callcenter.staff.room import StaffRoom
from callcenter.staff.sessions import StaffSession, Stage
from callcenter.staff.values import Account, Portfolio, Role, Shut, Training
from callcenter.store.database import Database
from callcenter.store.keys import Keyring

#: Of what is on record about an account, at most so much is shown.
SHOWN = 100

_ACCESS = {
    None: Access.OPEN,
    Shut.LOCKED: Access.LOCKED,
    Shut.CLOSED: Access.CLOSED,
    Shut.EXPIRED: Access.EXPIRED,
    Shut.NO_UNDERTAKING: Access.NO_UNDERTAKING,
}
_TRAINED = {Training.OK: Trained.VALID, Training.WARNS: Trained.ENDING}

Examine = Callable[[], Awaitable[Sequence[Checked]]]


@dataclass(frozen=True, slots=True)
class StaffOffice:
    """Accounts, portfolios and health. Implements ``console.administration_ports.Administering``.

    Arguments:
        public_url: under which invitations are opened.
        keys: of the installation.
        examine: looks at the installation; ``None`` where that is not to be had.
    """

    room: StaffRoom
    database: Database
    clock: Clock
    public_url: str
    keys: Keyring
    examine: Examine | None = None

    async def office(self, token: str) -> Office:
        mine = await self._administrator(token)
        organisation, now = mine.account.organisation, self.clock.now()
        accounts = await self.room.administration.all(organisation)
        roles = await self.room.administration.roles_of_all(organisation)
        async with self.database.house() as connection:
            name = await organisation_name(connection, mine.account.id)
        listed = [_listed(one, roles.get(one.id, ()), mine, now) for one in accounts]
        listed.sort(key=lambda one: (one.access is Access.CLOSED, one.login))
        return Office(name, tuple(listed), await self._folders(organisation))

    async def dossier(self, token: str, account: UUID) -> Dossier:
        mine = await self._administrator(token)
        found, now = await self._colleague(mine, account), self.clock.now()
        grants = await self.room.administration.roles(account)
        held = await self.room.factors.held(account)
        opened = await self.room.sessions.listed(account)
        records = (await self.room.administration.records(account))[-SHOWN:]
        names = {one.id: one.display_name for one in await self.room.administration.all(found.organisation)}
        return Dossier(
            account=_listed(found, tuple(grant.role for grant in grants), mine, now),
            undertaken=found.secrecy_signed_on,
            expires_on=found.expires_on,
            languages=found.languages,
            code_since=held.totp_since,
            passkeys=held.passkeys,
            recovery_codes=held.recovery_codes,
            grants=tuple(Granted(one.role.value, one.portfolio.id, one.portfolio.name) for one in grants),
            sessions=tuple(SignedIn(one.id, one.since, one.seen, one.stage is Stage.PASSWORD) for one in opened),
            history=tuple(_happened(record, names) for record in reversed(records)),
        )

    async def make(self, token: str, new: NewColleague) -> tuple[UUID, Invitation] | Fault:
        mine = await self._changing(token)
        folder = await self._folder(mine, new.folder)
        if new.role not in ROLES:
            raise Forbidden
        wanted = NewAccount(mine.account.organisation, new.login, new.name, new.languages, new.expires_on)
        by = Actor.staff(mine.account.id)
        try:
            made = await self.room.administration.create(wanted, by)
        except BadLogin:
            return Fault.LOGIN
        except LoginTaken:
            return Fault.LOGIN_TAKEN
        except BadAccount:
            return Fault.NAME if not 1 <= len(" ".join(new.name.split())) <= 80 else Fault.LANGUAGES
        await self.room.administration.grant(made, Role(new.role), folder, by)
        return made.id, self._invitation(await self.room.invitations.invite(made.id, Purpose.FIRST, by))

    async def invite_anew(self, token: str, account: UUID) -> Invitation | Fault:
        mine = await self._changing(token)
        found = await self._colleague(mine, account)
        if found.id == mine.account.id:
            return Fault.OWN
        by = Actor.staff(mine.account.id)
        try:
            address = self._invitation(await self.room.administration.reset(account, by))
        except CannotBeInvited:
            return Fault.SHUT
        await self.room.logins.forget_tries(found, by)  # whoever it is reset for has not tried
        return address

    async def lock(self, token: str, account: UUID, *, locked: bool) -> Fault | None:
        mine, found = await self._other(token, account)
        if found is None:
            return Fault.OWN
        by = Actor.staff(mine.account.id)
        if locked:
            return None if await self.room.administration.lock(account, by) else Fault.NOTHING
        await self.room.logins.forget_tries(found, by)
        await self.room.administration.unlock(account, by)
        return None

    async def close(self, token: str, account: UUID) -> Fault | None:
        mine, found = await self._other(token, account)
        if found is None:
            return Fault.OWN
        done = await self.room.administration.close(account, Actor.staff(mine.account.id))
        return None if done else Fault.NOTHING

    async def signed(self, token: str, account: UUID, day: date) -> Fault | None:
        mine, found = await self._other(token, account)
        if found is None:
            return Fault.OWN
        try:
            await self.room.administration.sign(account, day, Actor.staff(mine.account.id))
        except FromTomorrow:
            return Fault.FUTURE
        return None

    async def trained(self, token: str, account: UUID, day: date) -> Fault | None:
        mine, found = await self._other(token, account)
        if found is None:
            return Fault.OWN
        await self.room.administration.trained(account, day, Actor.staff(mine.account.id))
        return None

    async def expires(self, token: str, account: UUID, day: date | None) -> Fault | None:
        mine, found = await self._other(token, account)
        if found is None:
            return Fault.OWN
        try:
            await self.room.administration.expires(account, day, Actor.staff(mine.account.id))
        except AlreadyClosed:
            return Fault.CLOSED
        return None

    async def speaks(self, token: str, account: UUID, languages: tuple[str, ...]) -> Fault | None:
        mine = await self._changing(token)
        await self._colleague(mine, account)
        try:
            await self.room.administration.speaks(account, languages, Actor.staff(mine.account.id))
        except BadAccount:
            return Fault.LANGUAGES
        except AlreadyClosed:
            return Fault.CLOSED
        return None

    async def grant(self, token: str, account: UUID, role: str, folder: UUID, *, give: bool) -> Fault | None:
        mine, found = await self._other(token, account)
        if found is None:
            return Fault.OWN
        portfolio = await self._folder(mine, folder)
        if role not in ROLES:
            raise Forbidden
        change = self.room.administration.grant if give else self.room.administration.take
        try:
            done = await change(found, Role(role), portfolio, Actor.staff(mine.account.id))
        except AlreadyClosed:
            return Fault.CLOSED
        return None if done else Fault.NOTHING

    async def end_sessions(self, token: str, account: UUID, session: UUID | None) -> Fault | None:
        mine = await self._administrator(token)  # whoever finds a session that is nobody's ends it at once
        await self._colleague(mine, account)
        by = Actor.staff(mine.account.id)
        if session is None:
            await self.room.sessions.revoke_all(account, by=by)
            return None
        return None if await self.room.sessions.revoke_one(account, session, by=by) else Fault.NOTHING

    async def folder(self, token: str, folder: UUID) -> FolderPage:
        mine = await self._administrator(token)
        portfolio = await self._folder(mine, folder)
        inside = set(await self.room.portfolios.members(portfolio))
        async with self.database.house() as connection:
            rows = (
                await connection.execute(_PRACTICES, {"organisation": portfolio.organisation, "at": self.clock.now()})
            ).all()
        named = [(row.id, row.name) for row in rows]
        practices = tuple(one for one in named if portfolio.whole or one[0] in inside)
        others = () if portfolio.whole else tuple(one for one in named if one[0] not in inside)
        return FolderPage(Folder(portfolio.id, portfolio.name, portfolio.whole, len(practices)), practices, others)

    async def make_folder(self, token: str, name: str, *, whole: bool) -> UUID | Fault:
        mine = await self._changing(token)
        try:
            made = await self.room.portfolios.create(
                mine.account.organisation, name, Actor.staff(mine.account.id), whole=whole
            )
        except NoName:
            return Fault.FOLDER_NAME
        except PortfolioTaken:
            return Fault.FOLDER_TAKEN
        return made.id

    async def fill(self, token: str, folder: UUID, practice: UUID, *, put: bool) -> Fault | None:
        mine = await self._changing(token)
        portfolio = await self._folder(mine, folder)
        if portfolio.whole:
            return Fault.NOTHING
        change = self.room.portfolios.add if put else self.room.portfolios.remove
        # NotOfTheOrganisation is the schema's own answer, and a Conflict: what is another's is not told from nobody's.
        async with self.database.house() as connection:
            values = {"practice": practice, "organisation": portfolio.organisation}
            if not (await connection.execute(_IS_THEIRS, values)).scalar_one():
                raise Forbidden
        done = await change(portfolio, practice, Actor.staff(mine.account.id))
        return None if done else Fault.NOTHING

    async def health(self, token: str) -> Health:
        await self._administrator(token)
        checked = () if self.examine is None else await self.examine()
        async with self.database.house() as connection:
            known = {row.key: row.made_at for row in (await connection.execute(_KEYS)).all()}
        names = self.keys.marks()
        current = f"seal key {self.keys.current}"
        keys = tuple(KeyAge(name, known.get(name), name in (current, "the index key")) for name in names)
        return Health(self.clock.now(), tuple(checked), keys)

    # --- who may

    async def _administrator(self, token: str) -> StaffSession:
        """The session of somebody who administers the whole of their organisation."""
        session = await self.room.sessions.of(token)
        if session is None or not session.is_full or not session.administers_all:
            raise Forbidden("no administrator of the whole organisation")
        return session

    async def _changing(self, token: str) -> StaffSession:
        """The same, with a second factor that was given lately."""
        session = await self._administrator(token)
        if not session.may_change_account:
            raise Forbidden("a second factor must be given first")
        return session

    async def _colleague(self, mine: StaffSession, account: UUID) -> Account:
        found = await self.room.administration.one(account)
        if found is None or found.organisation != mine.account.organisation:
            raise Forbidden("no account of the organisation")
        return found

    async def _other(self, token: str, account: UUID) -> tuple[StaffSession, Account | None]:
        """Somebody else's account, ``None`` where it is one's own: what is given there is given by another."""
        mine = await self._changing(token)
        found = await self._colleague(mine, account)
        return mine, None if found.id == mine.account.id else found

    async def _folder(self, mine: StaffSession, folder: UUID) -> Portfolio:
        for one, _ in await self.room.portfolios.of(mine.account.organisation):
            if one.id == folder:
                return one
        raise Forbidden("no portfolio of the organisation")

    async def _folders(self, organisation: UUID) -> tuple[Folder, ...]:
        there = await self.room.portfolios.of(organisation)
        return tuple(Folder(one.id, one.name, one.whole, count) for one, count in there)

    def _invitation(self, token: str) -> Invitation:
        return Invitation(self.public_url.rstrip("/") + paths.INVITATION.format(token=token))


def _listed(one: Account, roles: Sequence[Role], mine: StaffSession, now: datetime) -> Listed:
    return Listed(
        id=one.id,
        login=one.login,
        name=one.display_name,
        access=_ACCESS[one.shut(now)],
        trained=_TRAINED.get(one.standing(now).training, Trained.LAPSED),
        trained_until=one.trained_until,
        roles=tuple(dict.fromkeys(role.value for role in roles)),
        own=one.id == mine.account.id,
    )


def _happened(record: Record, names: dict[UUID, str]) -> Happened:
    actor = record.body["actor"]
    by = str(actor["id"])
    if actor["kind"] == "staff":
        by = names.get(UUID(by), by)
    return Happened(datetime.fromisoformat(record.body["ts"]), record.body["event"], by)


_PRACTICES = text(
    f"""
    SELECT p.id, {name_of("p")} AS name
    FROM practice p WHERE p.organisation_id = :organisation ORDER BY 2, p.id LIMIT 5000
    """  # noqa: S608 - our own words alone
)
_IS_THEIRS = text("SELECT EXISTS (SELECT FROM practice WHERE id = :practice AND organisation_id = :organisation)")
_KEYS = text("SELECT key, made_at FROM key_mark")
