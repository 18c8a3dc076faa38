"""A staff room for tests: an organisation with two practices, cheap hashes, and how somebody comes in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import pyotp
from argon2.profiles import CHEAPEST
from sqlalchemy import text

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom, new_id
from callcenter.practice.enrolment import write_organisation
from callcenter.staff.administration import NewAccount
from callcenter.staff.factors import Added
from callcenter.staff.invitations import Accepted, Purpose
from callcenter.staff.login import Begun
from callcenter.staff.passkeys import RelyingParty
from callcenter.staff.records import Actor
from callcenter.staff.room import StaffLimits, StaffRoom
from callcenter.staff.values import Account, SignedIn
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.authenticator import Key

PASSWORD = "Le merle du jardin 7"
ADDRESS = "192.0.2.1"
BY = Actor.command("tests")
PARTY = RelyingParty("localhost", "http://localhost:8081")


@dataclass(slots=True)
class Person:
    """Somebody with an account that signs in.

    Arguments:
        secret: of their application, in base 32.
        codes: printed.
        token: of the session in which they have set everything up.
    """

    account: Account
    secret: str
    codes: list[str]
    token: str
    password: str = PASSWORD


@dataclass(slots=True)
class Desk:
    """A staff room, and what is around it.

    Arguments:
        organisation, other: whose staff the accounts are, and whose they are not.
        suffix: of its logins.
    """

    room: StaffRoom
    database: Database
    clock: DrivenClock
    organisation: UUID
    other: UUID
    suffix: str

    @classmethod
    async def on(
        cls,
        database: Database,
        sealer: Sealer,
        clock: DrivenClock,
        *,
        attempts: Database | None = None,
        limits: StaffLimits | None = None,
    ) -> Desk:
        random = SystemRandom()
        bounds = limits or StaffLimits(parameters=CHEAPEST)
        room = StaffRoom.on(database, attempts or database, sealer, clock, random, PARTY, bounds)
        organisations = new_id(random), new_id(random)
        async with database.house() as connection:
            for one in organisations:
                await write_organisation(connection, one, f"Organisation {one}")
        return cls(room, database, clock, *organisations, organisations[0].hex[:8])

    async def practice(self, organisation: UUID | None = None) -> UUID:
        """A practice of the organisation, or of another."""
        made = new_id(SystemRandom())
        async with self.database.house() as connection:
            await connection.execute(
                text(
                    "INSERT INTO practice (id, organisation_id, slug, rescue_number) "
                    "VALUES (:id, :organisation, :slug, '+33199000009')"
                ),
                {"id": made, "organisation": organisation or self.organisation, "slug": f"cabinet-{made.hex[:12]}"},
            )
        return made

    async def account(self, login: str = "operatrice1", *, signed: bool = True) -> Account:
        """An account that was made, and whose undertaking was signed; nobody has used its invitation.

        Its login is made unlike that of any other test on the same database.
        """
        new = NewAccount(self.organisation, f"{login}.{self.suffix}", "Télésecrétaire 1")
        made = await self.room.administration.create(new, BY)
        if signed:
            await self.room.administration.sign(made.id, date(2026, 1, 5), BY)
        return await self.room.administration.called(made.login)

    async def accepted(self, account: Account, password: str = PASSWORD) -> str:
        """The token of the session that an invitation gives."""
        token = await self.room.invitations.invite(account.id, Purpose.FIRST, BY)
        accepted = await self.room.invitations.accept(token, password)
        assert isinstance(accepted, Accepted), accepted
        return accepted.token

    async def person(self, login: str = "operatrice1") -> Person:
        """Somebody who has set up an application and has printed codes, a while ago."""
        account = await self.account(login)
        token = await self.accepted(account)
        secret, _ = await self.room.factors.begin_totp(account.id)
        added = await self.room.factors.confirm_totp(account.id, self.code(secret), token=token)
        assert isinstance(added, Added)
        codes = await self.room.factors.new_recovery_codes(account.id, token=added.token)
        self.clock.advance(60)
        return Person(account, secret, codes, added.token)

    def code(self, secret: str, steps: int = 0) -> str:
        """What the application shows now, or some steps of 30 seconds from now."""
        return pyotp.TOTP(secret).at(self.clock.now(), counter_offset=steps)

    async def begun(self, person: Person) -> str:
        """The token of a session that has given its password."""
        begun = await self.room.logins.begin(person.account.login, person.password, ADDRESS)
        assert isinstance(begun, Begun), begun
        return begun.token

    async def signed_in(self, person: Person) -> str:
        """The token of a session with both factors; the application's code is a fresh one."""
        self.clock.advance(30)
        signed = await self.room.logins.totp(await self.begun(person), self.code(person.secret))
        assert isinstance(signed, SignedIn), signed
        return signed.token

    async def keyed(self, person: Person, key: Key, label: str = "clé") -> Added:
        """Have a key of the person's kept."""
        options = await self.room.factors.passkey_registration(person.token)
        added = await self.room.factors.add_passkey(person.token, key.create(options), label)
        assert isinstance(added, Added), added
        return added

    async def acts(self, stream: UUID) -> list[str]:
        """What is on record about an account or a portfolio."""
        return [record.body["event"] for record in await self.room.administration.records(stream)]
