"""What is wrong with an installation, and how to mend it. Looks at everything, changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, text

from callcenter.app import SchemaOutdated, keys_path, reach_database
from callcenter.calls.flows import load_flows
from callcenter.kernel.errors import CallcenterError
from callcenter.practice.directory import Directory
from callcenter.practice.enrolment import check_practice
from callcenter.practice.tables import practice
from callcenter.settings import Environment, Settings
from callcenter.speech.local import LocalVoice
from callcenter.store.database import Database
from callcenter.store.keys import load_keys
from callcenter.store.migrations import revisions

HOSTING_WARNING = timedelta(days=60)  # HD-01
OLDEST_POSTGRESQL = 150000


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
    """Look at keys, flows, voice, hosting, then the database and what stands in it."""
    findings = [
        await _look("keys", lambda: _keys(settings)),
        await _look("flows", lambda: _flows(settings)),
        await _look("voice", lambda: _voice(settings)),
        await _look("hosting", lambda: _hosting(settings)),
    ]
    try:
        async with reach_database(settings) as addresses:
            database = Database(addresses.app, pool_size=1, application="callcenter-doctor")
            try:
                findings += [
                    await _look("database", lambda: _database(database, settings)),
                    await _look("schema", lambda: _schema(database)),
                    await _look("practices", lambda: _practices(database)),
                    await _look("ledger", lambda: _ledger(database)),
                ]
            finally:
                await database.close()
    except CallcenterError as error:
        findings.append(Finding("database", healthy=False, says=str(error)))
    return findings


async def _look(subject: str, check: Callable[[], Awaitable[str]]) -> Finding:
    """A check returns what it found, or raises with what to do."""
    try:
        return Finding(subject, healthy=True, says=await check())
    except CallcenterError as error:
        return Finding(subject, healthy=False, says=str(error))


async def _keys(settings: Settings) -> str:
    keyring = load_keys(keys_path(settings))
    return f"{len(keyring.seals)} seal keys, « {keyring.current} » in use"


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


async def _database(database: Database, settings: Settings) -> str:
    facts = await database.check()
    if facts["superuser"] or facts["bypasses_rls"]:
        raise CallcenterError(
            f"the server logs in as {facts['role']}, whom row-level security does not bind: use a login that is a "
            "member of callcenter_app and nothing more"
        )
    if facts["version"] < OLDEST_POSTGRESQL:
        raise CallcenterError("PostgreSQL is older than 15: upgrade it")
    if settings.environment is Environment.PRODUCTION and facts["fsync"] != "on":
        raise CallcenterError("fsync is off: a crash would lose records of what was told; set fsync = on")
    return f"PostgreSQL {facts['version'] // 10000} as {facts['role']}"


async def _schema(database: Database) -> str:
    async with database.house() as connection:
        current, needed = await revisions(connection)
    if current != needed:
        raise SchemaOutdated
    return f"revision {current}"


async def _practices(database: Database) -> str:
    async with database.house() as connection:
        ids = list((await connection.execute(select(practice.c.id))).scalars())
        for practice_id in ids:
            facts = await Directory.facts(connection, practice_id)
            check_practice(facts)
            if not facts.numbers:
                raise CallcenterError(f"{facts.name} has no number that we answer: it cannot be called")
        served = (await connection.execute(text("SELECT count(*) FROM directory_number"))).scalar_one()
    if not ids:
        raise CallcenterError(
            "there is no practice yet, so every call is refused: `callcenter practice enrol FILE.yaml` makes one"
        )
    return f"{len(ids)} practices, {served} numbers"


async def _ledger(database: Database) -> str:
    async with database.house() as connection:
        ids = list((await connection.execute(select(practice.c.id))).scalars())
    waiting = 0
    for practice_id in ids:
        async with database.practice(practice_id) as tx:
            waiting += (
                await tx.connection.execute(select(func.count()).select_from(text("audit_outbox")))
            ).scalar_one()
    return f"{waiting} records wait to be sealed (sealing is not part of this version)"
