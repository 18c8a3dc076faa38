"""The jobs of notices and reminders, as the worker runs them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import procrastinate

from callcenter.calls.delivery import MessageNotTaken
from callcenter.notices.escalating import Escalations
from callcenter.notices.reminders import REMINDERS, SEND_REMINDER, Reminders
from callcenter.notices.sending import SEND_NOTICE, NoticeSender
from callcenter.notices.stopping import KEEP_TEXT_WORD, QUEUE, TextsReceived
from callcenter.notices.telling import Teller
from callcenter.notices.unfinished import Unfinished
from callcenter.practice.inbox import NOTICES, NOTIFY
from callcenter.staff.incident_notices import TELL_OF_INCIDENT
from callcenter.store.database import DatabaseDown

#: Only what was certainly not sent is tried again; between the tries, up to some minutes.
_SEND_AGAIN = procrastinate.RetryStrategy(
    max_attempts=5, wait=5, exponential_wait=4, retry_exceptions={MessageNotTaken, DatabaseDown}
)
#: What only writes is tried again whenever the database was away.
_WRITE_AGAIN = procrastinate.RetryStrategy(max_attempts=8, wait=1, exponential_wait=3, retry_exceptions={DatabaseDown})

#: After whatever somebody waits for, such as a code.
_UPKEEP = -10


@dataclass(frozen=True, slots=True)
class Outreach:
    """Everything that callcenter sends by itself."""

    teller: Teller
    notices: NoticeSender
    escalations: Escalations
    reminders: Reminders
    unfinished: Unfinished
    texts_received: TextsReceived


def register_notice_jobs(jobs: procrastinate.App, outreach: Outreach) -> None:
    """Put the jobs of ``outreach`` on ``jobs``, before its worker runs."""

    @jobs.task(name=NOTIFY, queue=NOTICES, retry=_WRITE_AGAIN)
    async def notify(practice: str, message: str) -> None:
        await outreach.teller.tell(UUID(practice), UUID(message))

    @jobs.task(name=TELL_OF_INCIDENT, queue=NOTICES, retry=_WRITE_AGAIN)
    async def tell_of_incident(practice: str, notice: str) -> None:
        await outreach.teller.tell_of_incident(UUID(practice), UUID(notice))

    @jobs.task(name=SEND_NOTICE, queue=NOTICES, retry=_SEND_AGAIN)
    async def send_notice(practice: str, notice: str) -> None:
        await outreach.notices.send(UUID(practice), UUID(notice))

    @jobs.task(name=SEND_REMINDER, queue=REMINDERS, retry=_SEND_AGAIN)
    async def send_reminder(practice: str, reminder: str) -> None:
        await outreach.reminders.send(UUID(practice), UUID(reminder))

    @jobs.task(name=KEEP_TEXT_WORD, queue=QUEUE, retry=_WRITE_AGAIN)
    async def keep_text_word(word: str) -> None:
        await outreach.texts_received.keep(UUID(word))

    @jobs.periodic(cron="*/5 * * * *")
    @jobs.task(name="digests", queue="upkeep", queueing_lock="digests", priority=_UPKEEP)
    async def digests(timestamp: int) -> None:
        await outreach.teller.digests()

    @jobs.periodic(cron="* * * * *")
    @jobs.task(name="escalate", queue="upkeep", queueing_lock="escalate", priority=_UPKEEP)
    async def escalate(timestamp: int) -> None:
        await outreach.escalations.advance()

    @jobs.periodic(cron="3 * * * *")
    @jobs.task(name="find_reminders", queue="upkeep", queueing_lock="find_reminders", priority=_UPKEEP)
    async def find_reminders(timestamp: int) -> None:
        await outreach.reminders.find()

    @jobs.periodic(cron="11,26,41,56 * * * *")
    @jobs.task(name="settle_unfinished", queue="upkeep", queueing_lock="settle_unfinished", priority=_UPKEEP)
    async def settle_unfinished(timestamp: int) -> None:
        await outreach.texts_received.settle()
        await outreach.unfinished.settle()  # last: it fails where it could not be done for one practice
