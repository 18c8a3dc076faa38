"""The demo's staff: made once, kept as they are changed, and able to sign in by what the demo tells."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from callcenter.app.by_inbox import StaffInboxes
from callcenter.console.demonstration import DEMONSTRATION
from callcenter.demo_messages import seed_messages
from callcenter.demo_staff import NotOfTheDemo, code_of, seed_staff
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.demo import seed
from callcenter.staff.accounts import NoSuchAccount
from callcenter.staff.login import Begun
from callcenter.staff.passkeys import RelyingParty
from callcenter.staff.room import StaffRoom
from callcenter.staff.sessions import Stage
from callcenter.staff.values import SignedIn, Training
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.acceptance.stage import stage_settings


async def test_they_sign_in_by_what_the_demo_tells_and_a_second_run_changes_nothing(
    database: Database, sealer: Sealer, clock: DrivenClock, tmp_path: Path
) -> None:
    settings, random = stage_settings(tmp_path / "keys.json", environment="demo"), SeededRandom(5)
    await seed(database, sealer, clock, random)
    await seed_staff(settings, database, sealer, clock, random)
    room = StaffRoom.on(database, database, sealer, clock, random, RelyingParty.at(settings.console.public_url))
    try:
        before = await room.administration.all()
        assert [account.login for account in before] == sorted(one.login for one in DEMONSTRATION.accounts)
        for account in before:
            begun = await room.logins.begin(account.login, DEMONSTRATION.password, "192.0.2.1")
            assert isinstance(begun, Begun)
            # The very code of the moment in which the account was made: whoever starts the demo signs in at once.
            code = code_of(settings, sealer, account.login, clock.now())
            assert isinstance(await room.logins.totp(begun.token, code), SignedIn)
        await seed_staff(settings, database, sealer, clock, random)
        assert await room.administration.all() == before
        clock.advance(timedelta(days=400).total_seconds())
        await seed_staff(settings, database, sealer, clock, random)
        stand = [account.standing(clock.now()).training for account in await room.administration.all()]
        assert stand == [Training.OK, Training.OK, Training.WARNS, Training.OK, Training.OK]
    finally:
        room.close()
    with pytest.raises(NotOfTheDemo):
        code_of(settings, sealer, "somebody", clock.now())


async def test_the_demos_practitioner_has_messages_and_a_second_run_leaves_no_more(
    database: Database, sealer: Sealer, clock: DrivenClock, tmp_path: Path
) -> None:
    settings, random = stage_settings(tmp_path / "keys.json", environment="demo"), SeededRandom(5)
    await seed(database, sealer, clock, random)
    with pytest.raises(NoSuchAccount):
        await seed_messages(settings, database, sealer, clock, random)
    await seed_staff(settings, database, sealer, clock, random)
    room = StaffRoom.on(database, database, sealer, clock, random, RelyingParty.at(settings.console.public_url))
    try:
        for _ in range(2):
            await seed_messages(settings, database, sealer, clock, random)
            reader, writer = [await room.administration.called(login) for login in ("praticien", "operatrice1")]
            async with database.house() as connection:
                doctor, operator = [
                    await room.sessions.begin(connection, one.id, Stage.FULL) for one in (reader, writer)
                ]
            inboxes = StaffInboxes(room, database, sealer, clock, random, database)
            assert [line.kind for line in (await inboxes.overview(doctor, None)).for_me] == ["renewal", "callback"]
            seen = await inboxes.overview(operator, None)
            assert [line.whom for line in seen.to_do] == [None]
            assert [line.kind for line in seen.waiting if line.own] == ["callback"]
    finally:
        room.close()
