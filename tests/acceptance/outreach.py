"""What callcenter sends by itself, on stage: the jobs that time starts are started by hand, the others run."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from callcenter.emulator.client import ArrivedMail, ArrivedMessage, ControlClient
from callcenter.kernel.randomness import SystemRandom, new_id
from callcenter.notices.addresses import NoticeAddress, NoticeAddresses, NoticeChannel, Rank, Which
from callcenter.practice.changing import SettingsDesk
from callcenter.practice.demo_file import demo_id
from callcenter.practice.inbox import Inbox
from callcenter.practice.practice_form import Setting
from callcenter.practice.setting_versions import Author, Period, SettingVersions
from callcenter.practice.values import Urgency
from callcenter.staff.acts import StaffActs
from tests.acceptance.stage import PARIS, Stage

TILLEULS, PORT = "cabinet-des-tilleuls", "maison-de-sante-du-port"
SENDER = "+33199000001"
DOCTOR, DEPUTY, DESK = "+33639980091", "+33639980092", "accueil@tilleuls.example"


@dataclass(slots=True)
class Outside:
    """What arrives at telephones and in mailboxes, from the moment at which it was opened."""

    stage: Stage
    client: ControlClient
    texts_before: int
    mails_before: int

    async def texts(self, number: str) -> list[ArrivedMessage]:
        """The texts at ``number``, once nothing more is to be sent."""
        await self.stage.messages_sent()
        return list(await self.client.inbox(number, after=self.texts_before))

    async def mails(self, address: str = DESK) -> list[ArrivedMail]:
        """The mails at ``address``, once nothing more is to be sent."""
        await self.stage.messages_sent()
        return list(await self.client.mails(address, after=self.mails_before))

    async def every_text(self) -> int:
        """How many texts have left."""
        await self.stage.messages_sent()
        return await self.client.last_message() - self.texts_before


@asynccontextmanager
async def outside(stage: Stage) -> AsyncIterator[Outside]:
    async with ControlClient(stage.emulator.base_url) as client:
        yield Outside(stage, client, await client.last_message(), await client.last_mail())


def practice_id(slug: str = TILLEULS) -> UUID:
    return demo_id("practice", slug)


def paris(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=PARIS)  # type: ignore[arg-type, misc]  # year to minute


async def tell(
    stage: Stage,
    channel: NoticeChannel,
    address: str,
    *,
    which: Which = Which.ALL,
    rank: Rank = Rank.FIRST,
    practitioner: UUID | None = None,
) -> UUID:
    """Tell somebody of messages from now on."""
    one = NoticeAddress(new_id(SystemRandom()), practitioner, rank, channel, which, address)
    async with stage.running.database.practice(practice_id()) as tx:
        await NoticeAddresses(stage.running.sealer).add(tx, one, stage.clock.now())
    return one.id


async def leave(
    stage: Stage,
    *,
    urgent: bool = False,
    number: str = "+33639980077",
    reason: str = "other",
    slug: str = TILLEULS,
    job_lost: bool = False,
) -> UUID:
    """A message in the inbox.

    Arguments:
        job_lost: nobody is ever told of it by the job that was made with it.
    """
    message = new_id(SystemRandom())
    async with stage.running.database.practice(practice_id(slug)) as tx:
        await Inbox(stage.running.sealer).leave(
            tx,
            id=message,
            reason=reason,
            number=number,
            call_reference=None,
            now=stage.clock.now(),
            urgency=Urgency.URGENT if urgent else Urgency.NORMAL,
        )
        if job_lost:
            await tx.connection.exec_driver_sql("DELETE FROM procrastinate_jobs")
    return message


async def put(stage: Stage, setting: Setting, value: Any, slug: str = TILLEULS) -> None:
    """Change a practice's setting."""
    now = stage.clock.now()
    acts = StaffActs(stage.clock, SystemRandom())
    await SettingsDesk(stage.running.database, slug, Author("test", now), acts).put(setting, value, Period(now))
    stage.clock.advance(timedelta(seconds=1).total_seconds())


async def damage_settings(stage: Stage, slug: str = PORT) -> None:
    """Keep for a practice what no settings of ours say, as another program might."""
    now, practice = stage.clock.now(), practice_id(slug)
    async with stage.running.database.practice(practice) as tx:
        revision = await SettingVersions.next_revision(tx.connection, practice)
        values = {Setting.ESCALATION: {"after_minutes": "soon"}}
        await SettingVersions.add(tx.connection, practice, revision, values, Period(now), Author("test", now))


async def rows(stage: Stage, query: str, slug: str = TILLEULS, **values: object) -> list[Any]:
    """Rows of a practice."""
    async with stage.running.database.practice(practice_id(slug)) as tx:
        return list((await tx.connection.execute(text(query), values)).all())


async def change(stage: Stage, statement: str, slug: str = TILLEULS, **values: object) -> None:
    """Change rows of a practice."""
    async with stage.running.database.practice(practice_id(slug)) as tx:
        await tx.connection.execute(text(statement), values)


async def records(stage: Stage, event: str, slug: str = TILLEULS) -> list[dict[str, Any]]:
    """The ledger's records of a kind."""
    bodies = (json.loads(row.body) for row in await rows(stage, "SELECT body FROM audit_record", slug))
    return [body for body in bodies if body["event"] == event]
