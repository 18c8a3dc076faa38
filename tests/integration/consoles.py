"""The console on the room of staff, with its database, and somebody before it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pyotp
from aiohttp import web
from argon2.profiles import CHEAPEST

from callcenter.app.bells import RoutingBells
from callcenter.app.by_administration import Examine, StaffOffice
from callcenter.app.by_carrier_list import StaffCarrierLists
from callcenter.app.by_glass import StaffGlass
from callcenter.app.by_home import StaffWaiting
from callcenter.app.by_inbox import StaffInboxes
from callcenter.app.by_staff import StaffAccount, StaffEnrolment, StaffEntrance, StaffReception
from callcenter.app.supervising import incident_notices_of, supervision_of
from callcenter.app.workplaces import StaffWorkplaces
from callcenter.console.administration import AdministrationPages
from callcenter.console.application import ConsoleDependencies, console_application
from callcenter.console.carrier_list import CarrierListPages
from callcenter.console.forms import FormProofs
from callcenter.console.glass import GlassPages
from callcenter.console.inbox import InboxPages
from callcenter.console.origin import console_origin
from callcenter.console.streams import StreamLimits
from callcenter.disclosure.policy import load_policy
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.enrolment import write_organisation
from callcenter.routing.reservations import Reservations
from callcenter.routing.waking import Listener
from callcenter.settings import PROJECT
from callcenter.staff.acts import StaffActs
from callcenter.staff.administration import NewAccount
from callcenter.staff.invitations import Purpose
from callcenter.staff.passkeys import RelyingParty
from callcenter.staff.records import Actor
from callcenter.staff.room import StaffLimits, StaffRoom
from callcenter.staff.values import Account
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from callcenter.telephony.access_tokens import Passes
from tests.ports import free_port
from tests.sealing import InTime
from tests.unit.console.guest import Answer, Guest, arriving

ORGANISATION = UUID(int=7)
BY = Actor.command("a test")
PASSWORD = "quatre fauteuils sans accoudoirs"
STEP = timedelta(seconds=30)
POLICY = load_policy(PROJECT / "config" / "disclosure-policy.yaml")


@dataclass(slots=True)
class Console:
    """A console that listens, with the room behind it."""

    room: StaffRoom
    clock: DrivenClock
    guest: Guest
    database: Database
    secrets: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    async def account(self, login: str = "operatrice1", *, signed: bool = True) -> Account:
        """Somebody who is to be invited."""
        made = await self.room.administration.create(NewAccount(ORGANISATION, login, "Télésecrétaire 1"), BY)
        if signed:
            await self.room.administration.sign(made.id, date(2026, 1, 5), BY)
        await self.room.administration.trained(made.id, date(2027, 6, 30), BY)
        return made

    async def invited(self, account: Account, purpose: Purpose = Purpose.FIRST) -> str:
        """The path of a fresh invitation."""
        return f"/invitation/{await self.room.invitations.invite(account.id, purpose, BY)}"

    async def joined(self, login: str = "operatrice1", *, guest: Guest | None = None) -> list[str]:
        """An account, and the guest signed in to it after every page of an invitation. Returns its printed codes."""
        guest = guest or self.guest
        path = await self.invited(await self.account(login))
        await guest.get(path)
        page = await guest.follow(await guest.post(path, new_password=PASSWORD, again=PASSWORD))
        assert "Étape 2 sur 2" in page.words
        self.secrets[login] = secret_on(await guest.post("/premier-facteur/application"))
        codes = await guest.post("/premier-facteur/application/code", code=self.code(login))
        assert codes.status == 200
        return re.findall(r"<li>([0-9a-z-]{14})</li>", codes.text)

    def code(self, login: str = "operatrice1") -> str:
        """The code of the account's application, as it shows next: the one before may have been used."""
        self.clock.advance(STEP.total_seconds())
        return pyotp.TOTP(self.secrets[login]).at(self.clock.now())

    async def sign_in(self, login: str = "operatrice1", *, guest: Guest | None = None) -> Answer:
        """Both steps, as a browser sends them. Returns the last answer."""
        guest = guest or self.guest
        await guest.get("/connexion")
        await guest.follow(await guest.post("/connexion", login=login, password=PASSWORD))
        return await guest.post("/connexion/facteur/application", code=self.code(login))

    @asynccontextmanager
    async def another(self) -> AsyncIterator[Guest]:
        """Somebody else, at a browser of their own."""
        async with arriving(self.guest.address, self.guest.origin) as guest:
            yield guest


def secret_on(page: Answer) -> str:
    """The secret that a page shows to be typed."""
    return "".join(re.findall(r"<span>([A-Z2-7]{2,4})</span>", page.text))


@asynccontextmanager
async def opened_console(
    database: Database,
    sealer: Sealer,
    clock: DrivenClock,
    limits: StaffLimits | None = None,
    examine: Examine | None = None,
    *,
    also: Callable[[StaffRoom], Mapping[str, Any]] = lambda _: {},
) -> AsyncIterator[Console]:
    """The console on a database, whose organisation staffs nothing yet.

    Arguments:
        examine: looks at the installation.
        also: other dependencies of it, made on its room.
    """
    random, port = SeededRandom(9), free_port()
    origin = console_origin(f"http://localhost:{port}")
    async with database.house() as connection:
        await write_organisation(connection, ORGANISATION, "Télésecrétariat")
    party = RelyingParty(origin.host, str(origin))
    bounds = limits or StaffLimits(parameters=CHEAPEST)
    room = StaffRoom.on(database, database, sealer, clock, random, party, bounds)
    failures: list[str] = []
    listener = Listener("postgresql+asyncpg://nobody@127.0.0.1:1/none")  # nothing is heard: pages look by themselves
    passes = Passes("AC" + "1" * 32, "SK" + "2" * 32, "a secret of the tests, long enough", "AP" + "3" * 32)
    deps = ConsoleDependencies(
        origin=origin,
        entrance=StaffEntrance(room),
        enrolment=StaffEnrolment(room, clock),
        account=StaffAccount(room),
        reception=StaffReception(room, database, clock),
        waiting=StaffWaiting(room, database, sealer, clock),
        # No page of these tests has a talk.
        workplaces=StaffWorkplaces(
            room,
            database,
            sealer,
            clock,
            Reservations(),
            talks=None,  # type: ignore[arg-type]
            keypad=None,  # type: ignore[arg-type]
            passes=passes,
        ),
        script=None,  # type: ignore[arg-type]
        bells=RoutingBells(listener, database),
        streams=StreamLimits(check=0.1, look=0.3, pace=0.01),
        proofs=FormProofs(sealer),
        random=random,
        failed=lambda error, **_: failures.append(repr(error)),
        pages=(
            AdministrationPages(StaffOffice(room, database, clock, str(origin), sealer._keys, examine)),
            CarrierListPages(StaffCarrierLists(room, database, clock, StaffActs(clock, random))),
            GlassPages(StaffGlass(room, database, database, sealer, clock, random, POLICY, InTime())),
            InboxPages(StaffInboxes(room, database, sealer, clock, random, database)),
        ),
        incident_notices=incident_notices_of(room, database, sealer, clock, random),
        supervision=supervision_of(room, database, sealer, clock, random),
    )
    runner = web.AppRunner(console_application(replace(deps, **also(room))), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with arriving(f"http://127.0.0.1:{port}", str(origin)) as guest:
            yield Console(room, clock, guest, database, failures=failures)
    finally:
        await runner.cleanup()
        room.close()
    assert failures == [], failures
