"""The job worker, beside the listeners."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import procrastinate
from procrastinate.worker import Worker

from callcenter.app.alarms import CarrierAlarm, RecordingAlarm
from callcenter.app.anchoring import Anchoring, depositories_of, register_anchoring
from callcenter.app.by_carrier import CarrierRinger
from callcenter.app.erasing import terms_of
from callcenter.app.fittings import Fittings
from callcenter.background import being_cancelled, in_background, keep_going
from callcenter.calls import appointment_texts, codes
from callcenter.calls.carrier_list import CarrierComparison
from callcenter.calls.codes import CodeSender
from callcenter.calls.jobs import (
    register_comparison,
    register_erasing,
    register_jobs,
    register_reaching_out,
    register_recordings,
    register_rooms,
)
from callcenter.calls.old_messages import OldMessages
from callcenter.calls.recordings import Recordings
from callcenter.calls.reminders_again import RemindersAgain
from callcenter.calls.ring_back import RingBack
from callcenter.calls.strays import StrayRecordings
from callcenter.calls.unreached import Unreached
from callcenter.calls.upkeep import Upkeep
from callcenter.kernel.errors import Unavailable
from callcenter.notices import choices
from callcenter.notices.jobs import register_notice_jobs
from callcenter.practice.sharing import SharedTelephones
from callcenter.routing.old_calls import OldCalls
from callcenter.settings import Environment, Settings
from callcenter.staff.jobs import register_staff_upkeep
from callcenter.staff.old_records import OldRecords
from callcenter.staff.upkeep import StaffUpkeep
from callcenter.store.database import Transaction
from callcenter.store.jobs import MESSAGES, job_application
from callcenter.telephony.alerts import AlertKind


class WorkerEnded(Unavailable):
    """The job worker has ended although nobody told it to."""


@asynccontextmanager
async def working(dsn: str, settings: Settings, fittings: Fittings) -> AsyncIterator[None]:
    """Work on jobs for as long as the body runs. A job that runs when we stop is waited for.

    Arguments:
        dsn: of the database, as libpq reads it.
    """
    application = job_application(dsn)
    _register(application, settings, fittings)
    others = {task.queue for task in application.tasks.values()} - {MESSAGES}

    async def work(queues: Collection[str]) -> None:
        worker = Worker(
            application,
            queues=sorted(queues),
            concurrency=4,
            fetch_job_polling_interval=2,
            install_signal_handlers=False,
            shutdown_graceful_timeout=10,
        )
        # Until Python 3.12 the pool can lose a cancellation in the moment in which it hands out a connection. So the
        # worker is not cancelled, it is told to stop.
        running = asyncio.create_task(worker.run())  # type: ignore[no-untyped-call]  # of its package
        try:
            await asyncio.shield(running)
        finally:
            worker.stop()  # type: ignore[no-untyped-call]  # of its package
            await running
        if not being_cancelled():
            raise WorkerEnded

    # A worker ends when it loses the database, by an error or as if it had been told to stop, and comes back with it.
    def going_on(queues: Collection[str]) -> Coroutine[Any, Any, None]:
        return keep_going(lambda: work(queues), fittings.alerts, AlertKind.JOBS_STOPPED, seconds=1)

    # A code, for which somebody waits on the telephone, is held up by no sound that is fetched, and by no mail server.
    async with application.open_async(), in_background(going_on({MESSAGES})), in_background(going_on(others)):
        yield


def _register(application: procrastinate.App, settings: Settings, fittings: Fittings) -> None:
    """Put every job of the house on ``application``."""
    house, carrier, messenger = fittings.house, fittings.carrier, fittings.messenger
    database, sealer, clock, random = house.database, house.sealer, house.clock, house.random
    policy, limits, texts_from = house.flows.policy, house.limits, settings.carrier.sms_sender
    register_jobs(
        application,
        CodeSender(
            database,
            sealer,
            clock,
            messenger,
            lambda: house.flows.book[codes.KEY],
            settings.verification.code_minutes,
            random,
        ),
        Upkeep(database, clock, fittings.endings, carrier),
        SharedTelephones(database, sealer, clock),
    )
    alarm = RecordingAlarm(fittings.alerts)
    register_recordings(
        application,
        Recordings(database, sealer, clock, random, carrier, alarm),
        StrayRecordings(database, sealer, clock, random, carrier),
    )
    if settings.environment is not Environment.DEMO:  # whose carrier forgets its calls when it is stopped
        seen = CarrierAlarm(fittings.alerts)
        register_comparison(application, CarrierComparison(database, clock, random, carrier.call_list, seen))
    handled_kept = timedelta(days=settings.retention.handled_message_days)
    calls_kept = timedelta(days=settings.retention.queue_days)
    register_erasing(
        application, OldMessages(database, clock, random, handled_kept), OldCalls(database, clock, calls_kept)
    )
    register_rooms(application, fittings.rooms)
    register_staff_upkeep(
        application,
        StaffUpkeep(database, clock),
        OldRecords(database, clock, random, terms_of(settings.retention)),
    )
    register_anchoring(application, Anchoring(database, clock, depositories_of(settings)), fittings.alerts)
    register_notice_jobs(application, fittings.outreach)
    register_reaching_out(
        application,
        RemindersAgain(
            database,
            sealer,
            clock,
            messenger,
            policy,
            lambda: house.flows.book[appointment_texts.KEY],
            texts_from,
            limits,
            wants_no_reminder,
            house.ledger,
            random,
        ),
        RingBack(database, sealer, clock, CarrierRinger(carrier, fittings.urls), limits, random),
        Unreached(database, sealer, clock, random),
    )


async def wants_no_reminder(tx: Transaction, patient: UUID, phone_index: bytes) -> bool:
    """Whether reminders are opposed, as notices know it."""
    return (await choices.chosen(tx, patient, phone_index)).opposed
