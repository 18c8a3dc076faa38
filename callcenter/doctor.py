"""What is wrong with an installation, and how to mend it. Looks at everything, changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from callcenter.app import carrier_settings, mailer_of
from callcenter.app.anchoring import depositories_of, longest_alone
from callcenter.app.erasing import terms_of
from callcenter.audit.anchors import unheld_since
from callcenter.audit.erasing import overdue, unfinished
from callcenter.audit.refusals import refused_and_gone, refused_since
from callcenter.audit.sealer import signed_by
from callcenter.audit.sealing_key import load_sealing_key
from callcenter.audit.watching import AHEAD, LONGEST, sealed_at, waiting
from callcenter.calls.flows import load_flows
from callcenter.calls.recordings import kept_too_long
from callcenter.console.administration_ports import Checked
from callcenter.console.carrier_file import NotInstalled, carrier_file
from callcenter.doctor_carrier import compared_with_carrier
from callcenter.doctor_flows import releases_fit
from callcenter.installation import Addresses, DatabaseFit, keys_path, reach_database, sealer_key_path
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.directory import Directory
from callcenter.practice.enrolment import check_practice
from callcenter.practice.everywhere import all_practices
from callcenter.practice.key_fit import check_keys
from callcenter.routing.figures import figures
from callcenter.settings import Environment, Settings, is_loopback
from callcenter.speech.local import LocalVoice
from callcenter.staff.glass import late_anywhere
from callcenter.store.database import Database
from callcenter.store.keys import load_keys
from callcenter.store.roles import require_sealer_login
from callcenter.store.sealed import Sealer
from callcenter.telephony.alerts import failure
from callcenter.telephony.rest import TwilioCarrier
from callcenter.telephony.urls import Urls

HOSTING_WARNING = timedelta(days=60)  # HD-01
OLDEST_POSTGRESQL = 150000
OVERDUE_WAIT = timedelta(minutes=5)  # the carrier asks every half minute what is heard
JOBS_WAIT = timedelta(minutes=2)  # a worker looks for jobs every two seconds
TOLD_FOR = timedelta(days=7)  # a record that was refused is: its page and `audit refused` tell of it for good
LATE = timedelta(days=7)  # after its time a record of the ledger is named within a day or two, and erased by night
FAILED_JOBS_KEPT = timedelta(hours=72)  # then the worker forgets them (``calls.jobs``)

Check = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Arguments:
        subject: what.
        healthy: nothing has to be done about it.
        says: what was found; when unhealthy, with what to do.
    """

    subject: str
    healthy: bool
    says: str

    def line(self) -> str:
        return f"{'ok  ' if self.healthy else 'BAD '} {self.subject}: {self.says}"


async def examine(settings: Settings) -> list[Finding]:
    """Look at keys, flows, voice, hosting and the carrier, then at the database and what stands in it."""
    return [
        await _look("keys", lambda: _keys(settings)),
        await _look("flows", lambda: _flows(settings)),
        await _look("voice", lambda: _voice(settings)),
        await _look("hosting", lambda: _hosting(settings)),
        await _look("carrier", lambda: _carrier(settings)),
        await _look("mail", lambda: _mail(settings)),
        await _look("softphone", lambda: _softphone(settings)),
        *await _look_at_database(settings),
    ]


class Surgery:
    """Examines an installation for the page that shows its health: in a thread, so that no call waits for it.

    One at a time, and what was found lately is shown again: an examination asks the carrier and reads every flow.

    Arguments:
        again_after: seconds for which a finding is fresh.
    """

    def __init__(self, settings: Settings, again_after: float = 20.0) -> None:
        self._settings = settings
        self._again_after = again_after
        self._one_at_a_time = asyncio.Lock()
        self._found: tuple[float, list[Checked]] | None = None

    async def __call__(self) -> list[Checked]:
        async with self._one_at_a_time:
            now = asyncio.get_running_loop().time()
            if self._found is None or now - self._found[0] > self._again_after:
                findings = await asyncio.to_thread(lambda: asyncio.run(examine(self._settings)))
                self._found = now, [Checked(one.subject, one.healthy, one.says) for one in findings]
            return self._found[1]


async def _look_at_database(settings: Settings) -> list[Finding]:
    """Nothing is looked for in a database that does not answer: that is said once."""
    findings: list[Finding] = []
    try:
        async with reach_database(settings) as addresses:
            database = Database(addresses.app, pool_size=1, application="callcenter-doctor")
            try:
                fit = await DatabaseFit.of(database)
                checks: dict[str, Check] = {
                    "database": lambda: _database(database, settings),
                    "login": lambda: _login(fit),
                    "schema": lambda: _schema(fit),
                    "keys and data": lambda: _keys_fit(database, settings),
                    "releases": lambda: releases_fit(database, settings),
                    "practices": lambda: _practices(database),
                    "jobs": lambda: _jobs(database),
                    "ledger": lambda: _ledger(database),
                    "sealer": lambda: _sealer(addresses, settings),
                    "anchors": lambda: _anchors(database, settings),
                    "old records": lambda: _old_records(database, settings),
                    "refused records": lambda: _refused(database),
                    "recordings": lambda: _recordings(database),
                    "queue": lambda: _queue(database),
                    "glass": lambda: _glass(database),
                    "carrier's list": lambda: compared_with_carrier(database),
                }
                for subject, check in checks.items():
                    findings.append(await _look(subject, check))
                    if subject in ("database", "login", "schema") and not findings[-1].healthy:
                        break  # what follows would fail for the same reason
            finally:
                await database.close()
    except Exception as error:
        findings.append(_trouble("database", error))
    return findings


async def _look(subject: str, check: Check) -> Finding:
    """A check returns what it found, or raises with what to do."""
    try:
        return Finding(subject, healthy=True, says=await check())
    except Exception as error:
        return _trouble(subject, error)


def _trouble(subject: str, error: Exception) -> Finding:
    """What a check raised: our own errors say what to do; of any other only type and place are said."""
    if isinstance(error, CallcenterError):
        return Finding(subject, healthy=False, says=str(error))
    found = failure(error)
    says = f"it could not be looked at ({found['error']} at {found.get('where', 'an unknown place')}): please report it"
    return Finding(subject, healthy=False, says=says)


async def _keys(settings: Settings) -> str:
    keyring = load_keys(keys_path(settings))
    return f"{_counted(len(keyring.seals), 'seal key')}, « {keyring.current} » in use"


async def _keys_fit(database: Database, settings: Settings) -> str:
    sealer = Sealer(load_keys(keys_path(settings)), SystemRandom())
    await check_keys(database, sealer, mark=False)
    return "the key file is that of this database"


async def _flows(settings: Settings) -> str:
    chosen = settings.flows
    flows = load_flows(chosen.folder, chosen.entry, chosen.prompts, chosen.policy)
    return f"{len(flows.by_digest)} proven against policy {flows.policy.version}"


async def _voice(settings: Settings) -> str:
    async with LocalVoice(words_per_minute=settings.voice_rate) as voice:
        sound = await voice.synthesise("Bonjour.")
    return f"the local voice speaks ({len(sound)} bytes for one word)"


async def _hosting(settings: Settings) -> str:
    hosting = settings.hosting
    if hosting is None:
        return f"not needed in environment {settings.environment.value}"
    if hosting.expiry is None:
        return "self-hosted by the practice"
    left = hosting.expiry - datetime.now(UTC).date()
    if left < HOSTING_WARNING:
        raise CallcenterError(
            f"the HDS certificate of {hosting.holder} ends in {left.days} days: ask for the new one and change hosting"
        )
    return f"HDS certificate of {hosting.holder} until {hosting.expiry}"


async def _carrier(settings: Settings) -> str:
    if settings.carrier.base_url is not None and is_loopback(settings.carrier.base_url):
        return "an emulator on this machine, which is not asked"
    asked = carrier_settings(settings, Urls.below(settings.public_base_url))
    async with TwilioCarrier(asked) as carrier:
        status = await carrier.account_status()
    if status != "active":
        raise CallcenterError(f"the account is {status}: settle that with the carrier")
    return "the account is active and lets us in"


async def _mail(settings: Settings) -> str:
    mailer = mailer_of(settings, SystemClock())
    if mailer is None or settings.mail is None:
        return "no mail server is set: nobody is told of messages by e-mail"
    if settings.environment is not Environment.PRODUCTION and is_loopback(f"smtp://{settings.mail.host}"):
        return "an emulator's mailbox on this machine, which is not asked"
    return await mailer.check()


async def _softphone(settings: Settings) -> str:
    if settings.softphone is None:
        return "none: operators answer by telephone"
    if settings.softphone.kind == "emulator":
        return "the emulator's"
    found = carrier_file()
    if isinstance(found, NotInstalled):
        raise CallcenterError(found.why)
    return f"the carrier's, calling {settings.softphone.application}"


async def _database(database: Database, settings: Settings) -> str:
    facts = await database.check()
    if facts["version"] < OLDEST_POSTGRESQL:
        raise CallcenterError("PostgreSQL is older than 15: upgrade it")
    if settings.environment is Environment.PRODUCTION and facts["fsync"] != "on":
        raise CallcenterError("fsync is off: a crash would lose records of what was told; set fsync = on")
    return f"PostgreSQL {facts['version'] // 10000}"


async def _login(fit: DatabaseFit) -> str:
    return f"{await fit.check_login()}, whom row-level security binds"


async def _schema(fit: DatabaseFit) -> str:
    return f"revision {await fit.check_schema()}"


async def _practices(database: Database) -> str:
    problems = []
    async with database.house() as connection:
        practices = await Directory.all(connection, SystemClock().now())
        for facts in practices:
            try:
                check_practice(facts)
            except CallcenterError as error:
                problems.append(str(error))
            if not facts.numbers:
                problems.append(f"{facts.name} has no number that we answer: it cannot be called")
        served = (await connection.execute(text("SELECT count(*) FROM directory_number"))).scalar_one()
    if not practices:
        raise CallcenterError(
            "there is no practice yet, so every call is refused: `callcenter practice enrol FILE.yaml` makes one"
        )
    if problems:
        raise CallcenterError("; ".join(problems) + ": correct the file and enrol it again")
    return f"{_counted(len(practices), 'practice')}, {_counted(served, 'number')}"


async def _jobs(database: Database) -> str:
    """Whether text messages wait for a worker that is not there, and what workers have failed to do.

    Without a server, there need not be a worker.
    """
    async with database.house() as connection:
        late = (await connection.execute(_LATE_JOBS, {"wait": JOBS_WAIT})).scalar_one()
        failed = (await connection.execute(_FAILED_JOBS, {"kept": FAILED_JOBS_KEPT})).all()
        workers = (await connection.execute(_WORKERS, {"wait": JOBS_WAIT})).scalar_one()
    problems = []
    if late:
        problems.append(
            f"{_counted(late, 'job')} (text messages, upkeep) should have begun more than {JOBS_WAIT.seconds // 60} "
            "minutes ago: run one `callcenter serve` without --no-jobs, and look at its log"
        )
    if failed:
        problems.append(_failed_jobs({row.task_name: row.failed for row in failed}))
    if problems:
        raise CallcenterError("; ".join(problems))
    return f"{_counted(workers, 'worker')} alive, no job is late or has failed"


async def _queue(database: Database) -> str:
    """Who waits, and who is there; whether somebody should have been let out long ago."""
    async with database.house() as connection:
        now = await figures(connection, SystemClock().now())
        stuck = (await figures(connection, SystemClock().now() - OVERDUE_WAIT)).overdue
    if stuck:
        raise CallcenterError(
            f"{_counted(stuck, 'caller')} should have been let out of the queue more than "
            f"{OVERDUE_WAIT.seconds // 60} minutes ago: look whether the carrier reaches this server, and at its log"
        )
    longest = f", the longest for {now.longest.seconds // 60} min" if now.waiting else ""
    return (
        f"{_counted(now.waiting, 'caller')} on the line{longest}; {_counted(now.callbacks, 'callback')} outstanding; "
        f"{_counted(now.on_duty, 'operator')} on duty"
    )


def _failed_jobs(by_task: Mapping[str, int]) -> str:
    tasks = ", ".join(f"{task} {failed}" for task, failed in by_task.items())
    hours = FAILED_JOBS_KEPT // timedelta(hours=1)
    return (
        f"{_counted(sum(by_task.values()), 'job')} failed in the last {hours} hours ({tasks}): the log of `callcenter "
        "serve` says why, where its logger is procrastinate or its event practice_failed; mend that. What runs by the "
        "clock is done next time; of any other, see whether whoever waited for it was reached"
    )


_LATE_JOBS = text(
    """
    SELECT count(*) FROM procrastinate_jobs j
    JOIN LATERAL (
        SELECT max(e.at) AS at FROM procrastinate_events e
        WHERE e.job_id = j.id AND e.type IN ('deferred', 'deferred_for_retry', 'retried')
    ) deferred ON true
    WHERE j.status = 'todo' AND greatest(j.scheduled_at, deferred.at) < now() - cast(:wait AS interval)
    """
)

_FAILED_JOBS = text(
    """
    SELECT j.task_name, count(*) AS failed FROM procrastinate_jobs j
    WHERE j.status = 'failed' AND EXISTS (
        SELECT FROM procrastinate_events e
        WHERE e.job_id = j.id AND e.type = 'failed' AND e.at > now() - cast(:kept AS interval)
    )
    GROUP BY j.task_name ORDER BY j.task_name
    """
)

_WORKERS = text("SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - cast(:wait AS interval)")


async def _ledger(database: Database) -> str:
    """Whether records wait too long for their seal: then nothing about patients is told.

    Before the first server runs, nobody seals.
    """
    waits, at = await waiting(database), await sealed_at(database)
    async with database.house() as connection:
        workers = (await connection.execute(_WORKERS, {"wait": JOBS_WAIT})).scalar_one()
    if at is None and not workers:
        return f"records of {_counted(len(waits), 'log')} wait for the first `callcenter serve`, which seals them"
    last = "never yet" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if any(waited < AHEAD for waited in waits.values()):
        raise CallcenterError(
            "records wait to be sealed that are from after now: the clock of the database was put back. Nothing about "
            f"patients is told until they are sealed (last sealed: {last}): see that `callcenter serve` runs, without "
            "--no-jobs, and that the database's clock is right"
        )
    if late := [waited for waited in waits.values() if waited > LONGEST]:
        raise CallcenterError(
            f"records of {_counted(len(late), 'log')} have waited for up to {max(late).total_seconds():.0f} seconds to "
            f"be sealed (last sealed: {last}), and nothing about patients is told meanwhile: see that a `callcenter "
            "serve` without --no-jobs runs, and look in its log for sealing_stopped and ledger_broken"
        )
    return f"records of {_counted(len(waits), 'log')} are about to be sealed; last sealed: {last}"


async def _anchors(database: Database, settings: Settings) -> str:
    """Whether somebody else holds the heads of the ledger."""
    since = await unheld_since(database)
    if since is None:
        return "somebody else holds the last head of every log that is sealed"
    alone = f"heads that nobody else holds go back to {since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    depositories = depositories_of(settings)
    if not depositories:
        return (
            f"{alone}, and nobody is to hold any: whoever owned database and key could make that past anew; set "
            "ledger.anchor_folder, ledger.bucket or ledger.timestamp_url, or let somebody cosign "
            "(`callcenter audit cosign`)"
        )
    if SystemClock().now() - since > longest_alone(depositories):
        raise CallcenterError(f"{alone}: `callcenter audit anchor` says what is in the way")
    return alone


async def _refused(database: Database) -> str:
    """Whether the sealer has refused a record lately: somebody has forged it, or two processes differ in a setting."""
    if gone := await refused_and_gone(database):
        raise CallcenterError(
            f"{_counted(gone, 'record')} that the sealer has refused are gone, and none is ever erased: "
            "somebody has removed them from the database, or it was restored without them. `callcenter audit refused` "
            "says of a log which; keep the database as it stands, and call whoever answers for the data"
        )
    many, last = await refused_since(database, SystemClock().now() - TOLD_FOR)
    if last is not None:
        raise CallcenterError(
            f"{_counted(many, 'record')} of the ledger {'was' if many == 1 else 'were'} refused by the sealer in the "
            f"last {TOLD_FOR.days} days (the "
            f"last at {last.astimezone(UTC):%Y-%m-%d %H:%M} UTC): `callcenter audit refused` says of a log which and "
            "why; where no setting explains it, somebody has forged them"
        )
    return f"the sealer has refused no record in the last {TOLD_FOR.days} days"


async def _old_records(database: Database, settings: Settings) -> str:
    """Whether records of the ledger stand for longer than it is set."""
    now, terms = SystemClock().now(), terms_of(settings.retention)
    if late := await overdue(database, terms, now - LATE):
        raise CallcenterError(
            f"{_counted(late, 'record')} of the ledger should have been erased more than {LATE.days} days ago: see "
            "that a `callcenter serve` without --no-jobs runs by night, and look in its log for ledger_broken and for "
            "erase_records among the failed jobs"
        )
    return f"{_counted(await unfinished(database), 'record')} of the ledger to be erased in the next nights, or held"


async def _sealer(addresses: Addresses, settings: Settings) -> str:
    """Whether this process could seal the ledger: by its login, and by the key that has signed what is sealed."""
    if addresses.sealer is None:
        return "not set here: another process works on jobs, and seals"
    key = load_sealing_key(sealer_key_path(settings))
    database = Database(addresses.sealer, pool_size=1, application="callcenter-doctor")
    try:
        async with database.house() as connection:
            login = await require_sealer_login(connection)
            signed = await signed_by(connection, key)
    finally:
        await database.close()
    also = "" if key.following is None else "; the next key signs too, until `callcenter audit key retire`"
    return f"{login}, with the key that has signed {_counted(signed, 'log')}{also}"


async def _recordings(database: Database) -> str:
    """Whether the carrier still has what callers have spoken, a day after it should be here alone."""
    now, kept = SystemClock().now(), 0
    for practice_id in await all_practices(database):
        async with database.practice(practice_id) as tx:
            kept += await kept_too_long(tx, now)
    if kept:
        raise CallcenterError(
            f"{_counted(kept, 'spoken message')} could not be fetched from the carrier or deleted there for too "
            "long: see that a worker runs and that the carrier lets us in; failing that, delete them on its pages"
        )
    return "the carrier keeps no spoken message"


async def _glass(database: Database) -> str:
    """Whether glass that was broken waits to be reviewed for longer than it may."""
    async with database.house() as connection:
        late = await late_anywhere(connection, SystemClock().now())
    if late:
        raise CallcenterError(
            f"{_counted(late, 'file')} opened in an emergency should have been reviewed: another supervisor or a "
            "practitioner of the practice does it, at « Bris de glace »"
        )
    return "no file opened in an emergency waits to be reviewed for too long"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
