"""The stage of a whole call: server, database, emulator, all real and on this machine; only time is driven."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from callcenter.app import Running, run_server
from callcenter.demo import emulator_settings, ledger_reader
from callcenter.demo_staff import on_duty
from callcenter.emulator import Emulator
from callcenter.emulator.client import ControlClient
from callcenter.emulator.outcomes import Differed, Outcome, Passed
from callcenter.emulator.runner import LedgerReader, Patience, Upkeep, run
from callcenter.emulator.steps import NoRings, NoTexts, Transcript
from callcenter.emulator.transcript import load_transcript
from callcenter.installation import Addresses, keys_path
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import Random, SeededRandom
from callcenter.practice.demo import FOLDER, seed
from callcenter.practice.demo_file import read_demonstration
from callcenter.settings import Settings, load_settings
from callcenter.speech.voices import SilentVoice, Voice
from callcenter.staff.administration import NewAccount
from callcenter.staff.invitations import Purpose
from callcenter.staff.passkeys import RelyingParty
from callcenter.staff.records import Actor
from callcenter.staff.room import StaffRoom
from callcenter.staff.values import Role, day_of
from callcenter.store.database import Database
from callcenter.store.keys import load_keys
from callcenter.store.sealed import Sealer
from tests.acceptance.desks import staff_desks
from tests.ports import free_port as free_port

CONFIG = Path(__file__).resolve().parents[2] / "config" / "demo.yaml"
PARIS = ZoneInfo("Europe/Paris")
_BY = Actor.command("tests")


def stage_settings(keys_file: Path, **overrides: Any) -> Settings:
    """The demo's settings on free ports, in the test environment."""
    webhooks, private, emulator, mail, console = (free_port() for _ in range(5))
    values = {
        "environment": "test",
        "public_base_url": f"http://127.0.0.1:{webhooks}",
        "webhooks": {"port": webhooks},
        "private": {"port": private},
        "console": {"port": console, "public_url": f"http://localhost:{console}"},
        "keys_file": keys_file,
        "carrier": {
            "account_sid": "AC" + "0" * 32,
            "auth_tokens": ["a-token-of-the-tests"],
            "base_url": f"http://127.0.0.1:{emulator}",
            "sms_sender": "+33199000001",
        },
        "mail": {"host": "127.0.0.1", "port": mail, "security": "none", "sender": "telephone@callcenter.example"},
    }
    return load_settings(CONFIG, {**values, **overrides})


#: On stage everything is quick, and what should not arrive is looked for again when no job is left.
IN_HASTE = Patience(no_text=0.05)


@dataclass(slots=True)
class Stage:
    """A house that runs, with a carrier beside it.

    Arguments:
        furnished: the moment from which its agendas are seen.
    """

    running: Running
    emulator: Emulator
    clock: DrivenClock
    furnished: datetime

    async def hires(self, script: Transcript) -> None:
        """Make the accounts of whoever is on duty in a transcript; once."""
        running, random = self.running, SeededRandom(5)
        party = RelyingParty.at("http://localhost:8081")
        room = StaffRoom.on(running.database, running.database, running.sealer, self.clock, random, party)
        try:
            organisation = read_demonstration(FOLDER).organisation_id
            known = {account.login for account in await room.administration.all()}
            for login in [one.login for one in script.on_duty if one.login not in known]:
                account = await room.administration.create(NewAccount(organisation, login, "Télésecrétaire"), _BY)
                portfolio = await room.portfolios.create(organisation, f"Tous {login}", _BY, whole=True)
                await room.administration.grant(account, Role.OPERATOR, portfolio, _BY)
                await room.administration.sign(account.id, day_of(self.clock.now()), _BY)
                await room.administration.trained(account.id, day_of(self.clock.now() + timedelta(days=365)), _BY)
                invitation = await room.invitations.invite(account.id, Purpose.FIRST, _BY)
                await room.invitations.accept(invitation, "quatre mots sans rapport")
        finally:
            room.close()

    @asynccontextmanager
    async def on_duty(self, script: Transcript) -> AsyncIterator[None]:
        """Whoever is on duty in a transcript is, for as long as the body runs."""
        if script.on_duty:
            await self.hires(script)
        people = [(one.login, one.telephone) for one in script.on_duty]
        running = self.running
        async with on_duty(running.database, running.sealer, self.clock, SeededRandom(6), people):
            yield

    def upkeep(self, script: Transcript) -> Upkeep | None:
        """The house goes its rounds whenever time has passed, where somebody is there to be rung."""
        return self.running.rounds.once if script.on_duty else None

    async def play(self, transcript: Path) -> Outcome:
        """Run a transcript: the clock stands where it says, and the agendas are made for that day."""
        return await self.perform(load_transcript(transcript))

    async def perform(
        self, script: Transcript, *, ledger: LedgerReader | None = None, patience: Patience = IN_HASTE
    ) -> Outcome:
        """Run a transcript that is loaded.

        Arguments:
            ledger: reads the records in place of the stage's own reader.
        """
        await self.furnish(script.at or self.clock.now())
        async with ControlClient(self.emulator.base_url) as client:
            seen = await client.last_message()
        reader = ledger or ledger_reader(self.running.database)
        async with self.on_duty(script), staff_desks(self.running, self.clock) as desks:
            outcome = await run(
                script,
                base_url=self.emulator.base_url,
                ledger=reader,
                clock=self.clock,
                upkeep=self.upkeep(script),
                desks=desks,
                patience=patience,
            )
        return await self.reached_after_all(script, seen) or outcome if isinstance(outcome, Passed) else outcome

    async def furnish(self, at: datetime) -> None:
        """Set the clock, and bring the agendas to that day."""
        self.clock.set(at)
        if at.astimezone(PARIS).date() != self.furnished.astimezone(PARIS).date():
            await seed(self.running.database, self.running.sealer, self.clock, SeededRandom(2))
            self.furnished = at

    async def messages_sent(self) -> None:
        """Wait until everything that was to be sent has been, or has been found to be for nobody."""
        async with asyncio.timeout(20):
            while await self._jobs_left():
                await asyncio.sleep(0.005)

    async def _jobs_left(self) -> int:
        async with self.running.database.house() as connection:
            return int((await connection.execute(_JOBS_LEFT)).scalar_one())

    async def reached_after_all(self, script: Transcript, seen: int) -> Differed | None:
        """Whether a message that must not arrive has, or a telephone rings, now that no job is left to do it.

        Arguments:
            seen: how many messages there were before the call.
        """
        silent = [(step, step.action.on) for step in script.steps if isinstance(step.action, NoRings)]
        for step, number in silent:
            await self.messages_sent()
            async with ControlClient(self.emulator.base_url) as client:
                if await client.ringing(number, 0):
                    return Differed(step.number, step.line, f"que le {number} ne sonne pas", "il sonne, plus tard")
        forbidden = [(step, step.action.to) for step in script.steps if isinstance(step.action, NoTexts)]
        if not forbidden:
            return None
        await self.messages_sent()
        async with ControlClient(self.emulator.base_url) as client:
            for step, number in forbidden:
                for message in await client.inbox(number, after=seen):
                    return Differed(step.number, step.line, f"aucun SMS au {number}", f"« {message.body} », plus tard")
        return None


_JOBS_LEFT = text(
    "SELECT count(*) FROM procrastinate_jobs "
    "WHERE queue_name IN ('messages', 'notices', 'reminders') AND status IN ('todo', 'doing')"
)


@asynccontextmanager
async def staged(
    settings: Settings,
    app_url: str,
    jobs_dsn: str,
    clock: DrivenClock,
    random: Random,
    voice: Voice | None = None,
    *,
    furnished: datetime | None = None,
    jobs: bool = True,
) -> AsyncIterator[Stage]:
    """Put everything on stage, and take it down.

    Arguments:
        furnished: from when the agendas are seen that stand in the database; None when it is still empty.
        jobs: whether text messages are sent.
    """
    addresses = Addresses(app_url, jobs_dsn, None)
    if furnished is None:
        database = Database(app_url, pool_size=2)
        await seed(database, Sealer(load_keys(keys_path(settings)), random), clock, random)
        await database.close()
    port = int((settings.carrier.base_url or "").rsplit(":", 1)[1])
    emulator = Emulator(emulator_settings(settings, port), clock)
    await emulator.start()
    server = run_server(settings, addresses, clock=clock, random=random, voice=voice or SilentVoice(), jobs=jobs)
    try:
        async with server as running:
            yield Stage(running, emulator, clock, furnished or clock.now())
            await emulator.stop()  # first: whom it tells something at the last moment must still be there
    finally:
        await emulator.stop()
