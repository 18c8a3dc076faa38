"""The room of staff, as the console asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from callcenter.console.entrusted import organisation_name, parts_of
from callcenter.console.ports import (
    AccountState,
    Entered,
    Entry,
    Invited,
    NewSecret,
    NotEntered,
    OpenSession,
    Overrun,
    Passkey,
    PasswordFault,
    Session,
    Stage,
    Training,
    Welcome,
)
from callcenter.console.words import Language
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Forbidden
from callcenter.staff import sessions as rows
from callcenter.staff import values
from callcenter.staff.factors import Removed
from callcenter.staff.invitations import Accepted
from callcenter.staff.login import Begun, PasswordChanged, SteppedUp, Weak
from callcenter.staff.passkeys import MOST_KEYS, Ceremony
from callcenter.staff.password_rules import Weakness
from callcenter.staff.passwords import TooBusy
from callcenter.staff.records import Actor
from callcenter.staff.room import StaffRoom
from callcenter.staff.values import Refused, SignedIn
from callcenter.store.database import Database

_FAULTS = {
    Weakness.TOO_SHORT: PasswordFault.SHORT,
    Weakness.TOO_LONG: PasswordFault.LONG,
    Weakness.GUESSABLE: PasswordFault.GUESSABLE,
}


@dataclass(frozen=True, slots=True)
class StaffEntrance:
    """Signing in. Implements ``console.ports.Entrance``."""

    room: StaffRoom

    async def session(self, token: str, *, active: bool = True) -> Session | None:
        found = await self.room.sessions.of(token, active=active)
        if found is None:
            return None
        return Session(
            staff=found.account.id,
            login=found.account.login,
            name=found.account.display_name,
            stage=Stage.FULL if found.is_full else Stage.PASSWORD,
            enrolled=not found.is_enrolling,
            confirmed=found.may_change_account,
            roles=frozenset(grant.role.value for grant in found.roles),
            language=None if found.account.page_language is None else Language(found.account.page_language),
        )

    async def begin(self, login: str, password: str, address: str) -> Entry:
        try:
            return _entry(await self.room.logins.begin(login, password, address))
        except TooBusy as error:
            raise Overrun from error

    async def by_code(self, token: str, code: str) -> Entry:
        return _entry(await self.room.logins.totp(token, code))

    async def by_recovery_code(self, token: str, code: str) -> Entry:
        return _entry(await self.room.logins.recovery(token, code))

    async def passkey_options(self, token: str) -> str:
        return await self.room.logins.passkey_options(token)

    async def by_passkey(self, token: str, response: str) -> Entry:
        return _entry(await self.room.logins.passkey(token, response))

    async def confirm_by_code(self, token: str, code: str) -> Entry:
        return _entry(await self.room.logins.step_up(token, totp=code))

    async def confirm_by_recovery_code(self, token: str, code: str) -> Entry:
        return _entry(await self.room.logins.step_up(token, recovery=code))

    async def confirmation_options(self, token: str) -> str:
        return await self.room.logins.passkey_options(token, Ceremony.STEP_UP)

    async def confirm_by_passkey(self, token: str, response: str) -> Entry:
        return _entry(await self.room.logins.step_up(token, passkey=response))

    async def leave(self, token: str) -> None:
        await self.room.sessions.revoke(token)


@dataclass(frozen=True, slots=True)
class StaffEnrolment:
    """From an invitation to an account. Implements ``console.ports.Enrolment``."""

    room: StaffRoom
    clock: Clock

    async def invited(self, token: str) -> Invited | None:
        found = await self.room.invitations.invited(token)
        if found is None or found.shut(self.clock.now()) not in (None, values.Shut.NO_UNDERTAKING):
            return None
        return Invited(found.login, found.display_name, undertaken=found.shut(self.clock.now()) is None)

    async def accept(self, token: str, password: str) -> str | PasswordFault | None:
        try:
            accepted = await self.room.invitations.accept(token, password)
        except TooBusy as error:
            raise Overrun from error
        match accepted:
            case Accepted():
                return accepted.token
            case Weak():
                return _FAULTS[accepted.why]
            case Refused():
                return None

    async def begin_code(self, token: str) -> NewSecret:
        return NewSecret(*await self.room.factors.begin_totp((await _standing(self.room, token)).account.id))

    async def confirm_code(self, token: str, code: str) -> str | None:
        staff = (await _standing(self.room, token)).account.id
        added = await self.room.factors.confirm_totp(staff, code, token=token)
        return None if isinstance(added, Refused) else added.token

    async def new_passkey_options(self, token: str) -> str:
        return await self.room.factors.passkey_registration(token)

    async def add_passkey(self, token: str, response: str, label: str) -> str | None:
        added = await self.room.factors.add_passkey(token, response, label)
        return None if isinstance(added, Refused) else added.token

    async def new_recovery_codes(self, token: str) -> Sequence[str]:
        staff = (await _standing(self.room, token)).account.id
        return await self.room.factors.new_recovery_codes(staff, token=token)


@dataclass(frozen=True, slots=True)
class StaffAccount:
    """One's own account. Implements ``console.ports.OwnAccount``."""

    room: StaffRoom

    async def state(self, token: str) -> AccountState:
        session = await _standing(self.room, token)
        staff = session.account.id
        held = await self.room.factors.held(staff)
        keys = await self.room.factors.passkeys(staff)
        opened = await self.room.sessions.listed(staff)
        return AccountState(
            code_since=held.totp_since,
            passkeys=tuple(Passkey(key.id, key.label, key.made, key.used) for key in keys),
            keys_full=len(keys) >= MOST_KEYS,
            recovery_codes=held.recovery_codes,
            sessions=tuple(
                OpenSession(one.id, one.since, one.seen, one.stage is rows.Stage.PASSWORD, one.id == session.id)
                for one in opened
            ),
        )

    async def remove_passkey(self, token: str, passkey: UUID) -> bool:
        staff = (await _standing(self.room, token)).account.id
        return await self.room.factors.remove_passkey(staff, passkey, token=token) is not Removed.LAST

    async def change_password(self, token: str, old: str, new: str) -> PasswordFault | Entry:
        try:
            changed = await self.room.logins.change_password(token, old, new)
        except TooBusy as error:
            raise Overrun from error
        match changed:
            case PasswordChanged():
                return Entered(token)
            case Weak():
                return _FAULTS[changed.why]
            case Refused():
                return NotEntered(changed.retry_after)

    async def read_in(self, token: str, language: Language | None) -> None:
        staff = (await _standing(self.room, token)).account.id
        await self.room.administration.reads(staff, language, Actor.staff(staff))

    async def end_session(self, token: str, session: UUID) -> None:
        await self.room.sessions.revoke_one((await _standing(self.room, token)).account.id, session)

    async def end_others(self, token: str) -> None:
        await self.room.sessions.revoke_all((await _standing(self.room, token)).account.id, except_=token)


@dataclass(frozen=True, slots=True)
class StaffReception:
    """The first page. Implements ``console.ports.Reception``."""

    room: StaffRoom
    database: Database
    clock: Clock

    async def welcome(self, token: str) -> Welcome:
        account, now = (await _standing(self.room, token)).account, self.clock.now()
        standing = account.standing(now)
        async with self.database.house() as connection:
            organisation = await organisation_name(connection, account.id)
            parts = await parts_of(connection, account.id, now)
        return Welcome(
            organisation=organisation,
            training=_TRAININGS[standing.training],
            trained_until=account.trained_until,
            days=standing.days,
            undertaken=account.secrecy_signed_on,
            parts=parts,
        )


_TRAININGS = {
    values.Training.OK: Training.VALID,
    values.Training.WARNS: Training.ENDING,
    values.Training.LAPSED: Training.LAPSED,
    values.Training.NO_UNDERTAKING: Training.LAPSED,  # no session stands then (SM-02)
}


async def _standing(room: StaffRoom, token: str) -> rows.StaffSession:
    """The session of a token.

    Raises:
        Forbidden: it has ended in the meantime.
    """
    session = await room.sessions.of(token)
    if session is None:
        raise Forbidden("the session is over")
    return session


def _entry(outcome: Begun | SignedIn | SteppedUp | Refused) -> Entry:
    return NotEntered(outcome.retry_after) if isinstance(outcome, Refused) else Entered(outcome.token)
