"""The jobs of calls, as the worker runs them."""

from __future__ import annotations

from uuid import UUID

import procrastinate

from callcenter.calls.carrier_list import CarrierComparison
from callcenter.calls.codes import CodeSender
from callcenter.calls.delivery import MessageNotTaken
from callcenter.calls.old_messages import OldMessages
from callcenter.calls.outreach import RING_BACK, SEND_REMINDER_AGAIN
from callcenter.calls.recordings import DELETE_RECORDING, FETCH_RECORDING, RECORDINGS, NotYet, Recordings
from callcenter.calls.reminders_again import RemindersAgain
from callcenter.calls.ring_back import RingBack
from callcenter.calls.rooms import Rooms, dissolve
from callcenter.calls.strays import StrayRecordings
from callcenter.calls.unreached import Unreached
from callcenter.calls.upkeep import Upkeep
from callcenter.calls.verifier import SEND_CODE
from callcenter.kernel.errors import Unavailable
from callcenter.practice.sharing import SharedTelephones
from callcenter.routing.old_calls import OldCalls
from callcenter.routing.reservations import NOTE_UNREACHED
from callcenter.routing.rooms import DISSOLVE
from callcenter.store.database import DatabaseDown
from callcenter.store.jobs import MESSAGES

#: A code is of use for minutes: five tries within about half a minute, then the caller has been led to a person. Only
#: what was certainly not sent is tried again: the database is asked before, and never after, a message may have left.
_SEND_AGAIN = procrastinate.RetryStrategy(
    max_attempts=5, wait=1, exponential_wait=2, retry_exceptions={MessageNotTaken, DatabaseDown}
)


#: A file is there seconds after its call; what takes longer is the sweep's.
_FETCH_AGAIN = procrastinate.RetryStrategy(
    max_attempts=4, wait=1, exponential_wait=3, retry_exceptions={NotYet, DatabaseDown}
)


def register_recordings(jobs: procrastinate.App, recordings: Recordings, strays: StrayRecordings) -> None:
    """Put the jobs of spoken messages on ``jobs``, before its worker runs."""

    @jobs.task(name=FETCH_RECORDING, queue=RECORDINGS, retry=_FETCH_AGAIN)
    async def fetch_recording(practice: str, voice: str) -> None:
        await recordings.fetch(UUID(practice), UUID(voice))

    @jobs.task(name=DELETE_RECORDING, queue=RECORDINGS, retry=_FETCH_AGAIN)
    async def delete_recording(practice: str, voice: str) -> None:
        await recordings.delete(UUID(practice), UUID(voice))

    @jobs.periodic(cron="*/2 * * * *")
    @jobs.task(name="sweep_recordings", queue="upkeep", queueing_lock="sweep_recordings")
    async def sweep_recordings(timestamp: int) -> None:
        await recordings.sweep()

    @jobs.periodic(cron="47 * * * *")
    @jobs.task(name="take_up_stray_recordings", queue="upkeep", queueing_lock="take_up_stray_recordings")
    async def take_up_stray_recordings(timestamp: int) -> None:
        await strays.take_up()

    @jobs.periodic(cron="23 3 * * *")
    @jobs.task(name="erase_voice_messages", queue="upkeep", queueing_lock="erase_voice_messages")
    async def erase_voice_messages(timestamp: int) -> None:
        await recordings.erase()


#: A line is rung once. Only where the database did not answer before was nothing rung.
_RING_LATER = procrastinate.RetryStrategy(max_attempts=5, wait=1, exponential_wait=2, retry_exceptions={DatabaseDown})


def register_reaching_out(
    jobs: procrastinate.App, reminders: RemindersAgain, ring_back: RingBack, unreached: Unreached
) -> None:
    """Put what is done at telephones on file, for whoever asks, on ``jobs``, before its worker runs."""

    @jobs.task(name=SEND_REMINDER_AGAIN, queue=MESSAGES, retry=_SEND_AGAIN)
    async def send_reminder(practice: str, outreach: str) -> None:
        await reminders.send(UUID(practice), UUID(outreach))

    @jobs.task(name=RING_BACK, queue=MESSAGES, retry=_RING_LATER)
    async def ring(practice: str, outreach: str) -> None:
        await ring_back.ring(UUID(practice), UUID(outreach))

    @jobs.task(name=NOTE_UNREACHED, queue=MESSAGES, retry=_RING_LATER)
    async def note_unreached(practice: str, call: str) -> None:
        await unreached.note(UUID(practice), UUID(call))


#: To end what has ended already does nothing: it is tried as long as the carrier does not answer.
_DISSOLVE_AGAIN = procrastinate.RetryStrategy(
    max_attempts=8, wait=1, exponential_wait=2, retry_exceptions={Unavailable}
)


def register_rooms(jobs: procrastinate.App, rooms: Rooms) -> None:
    """Put the ending of rooms on ``jobs``, before its worker runs."""

    @jobs.task(name=DISSOLVE, queue=MESSAGES, retry=_DISSOLVE_AGAIN)
    async def dissolve_room(practice: str, room: str) -> None:
        await dissolve(rooms, UUID(room).hex)


def register_erasing(jobs: procrastinate.App, messages: OldMessages, calls: OldCalls) -> None:
    """Put the erasing of what has had its time on ``jobs``, before its worker runs."""

    @jobs.periodic(cron="31 3 * * *")
    @jobs.task(name="erase_messages", queue="upkeep", queueing_lock="erase_messages")
    async def erase_messages(timestamp: int) -> None:
        await messages.erase()

    @jobs.periodic(cron="53 * * * *")
    @jobs.task(name="erase_old_calls", queue="upkeep", queueing_lock="erase_old_calls")
    async def erase_old_calls(timestamp: int) -> None:
        await calls.erase()


def register_comparison(jobs: procrastinate.App, comparison: CarrierComparison) -> None:
    """Put the comparison with the carrier's list on ``jobs``, before its worker runs.

    It is done once a night, four hours after midnight (UTC); every hour, where it could not be.
    """

    @jobs.periodic(cron="11 * * * *")
    @jobs.task(name="compare_with_carrier", queue="upkeep", queueing_lock="compare_with_carrier")
    async def compare_with_carrier(timestamp: int) -> None:
        await comparison.compare_due()


def register_jobs(jobs: procrastinate.App, sender: CodeSender, upkeep: Upkeep, telephones: SharedTelephones) -> None:
    """Put the jobs of calls on ``jobs``.

    Arguments:
        jobs: the job system, before its worker runs.
        sender: sends codes.
        upkeep: regular work.
        telephones: of patients, marked anew as children grow up.
    """

    @jobs.task(name=SEND_CODE, queue=MESSAGES, retry=_SEND_AGAIN)
    async def send_code(practice: str, challenge: str) -> None:
        await sender.send(UUID(practice), UUID(challenge))

    @jobs.periodic(cron="*/5 * * * *")
    @jobs.task(name="forget", queue="upkeep", queueing_lock="forget")
    async def forget(timestamp: int) -> None:
        await upkeep.forget()

    @jobs.periodic(cron="17 * * * *")
    @jobs.task(name="reconcile", queue="upkeep", queueing_lock="reconcile")
    async def reconcile(timestamp: int) -> None:
        await upkeep.reconcile()

    @jobs.periodic(cron="7 * * * *")
    @jobs.task(name="refresh_shared", queue="upkeep", queueing_lock="refresh_shared")
    async def refresh_shared(timestamp: int) -> None:
        await telephones.refresh()

    @jobs.periodic(cron="41 3 * * *")
    @jobs.task(name="forget_jobs", queue="upkeep", queueing_lock="forget_jobs")
    async def forget_jobs(timestamp: int) -> None:
        await jobs.job_manager.delete_old_jobs(nb_hours=72, include_failed=True)
