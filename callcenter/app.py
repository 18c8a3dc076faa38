"""The roof: puts the house together from its settings, starts it, and takes it down in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from callcenter.calls.audio import AudioShelf, Captions
from callcenter.calls.codes import CodeSender
from callcenter.calls.endings import Endings
from callcenter.calls.flows import load_flows
from callcenter.calls.jobs import register_jobs
from callcenter.calls.places import Places
from callcenter.calls.steps import House, Steps
from callcenter.calls.text_messages import TextMessages
from callcenter.calls.upkeep import Upkeep
from callcenter.calls.values import (
    Answer,
    AudioGone,
    AudioText,
    Incoming,
    NotDelivered,
    Render,
    StatusChanged,
    StepAnswered,
)
from callcenter.identity.challenges import Limits
from callcenter.kernel.clock import Clock, SystemClock
from callcenter.kernel.errors import Unavailable
from callcenter.kernel.randomness import Random, SystemRandom
from callcenter.practice.directory import Directory
from callcenter.practice.key_fit import check_keys
from callcenter.practice.sharing import SharedTelephones
from callcenter.settings import PROJECT, Environment, Listener, Settings, VerificationSettings
from callcenter.speech.local import LocalVoice
from callcenter.speech.voices import Voice
from callcenter.store.database import Database, single_connection
from callcenter.store.embedded import DataInUse, EmbeddedPostgres, places_for
from callcenter.store.jobs import job_application
from callcenter.store.keys import load_keys
from callcenter.store.migrations import current_revision, migrate, needed_revision, revisions
from callcenter.store.roles import become_owner, create_database, ensure_roles, require_app_login
from callcenter.store.schema import APP, OWNER
from callcenter.store.sealed import Sealer
from callcenter.telephony.alerts import AlertKind, Alerts, failure
from callcenter.telephony.application import EdgeDependencies, webhook_application
from callcenter.telephony.carrier import Carrier, MessageRefused, MessageSent
from callcenter.telephony.fallback import RescueEntry, StaticAnswers
from callcenter.telephony.health import Captions as CaptionSource
from callcenter.telephony.health import PrivateDependencies, private_application
from callcenter.telephony.listener import EdgeRunner
from callcenter.telephony.metrics import Metrics
from callcenter.telephony.ports import MessageStatus
from callcenter.telephony.rest import CarrierSettings, TwilioCarrier
from callcenter.telephony.signature import SignatureCheck
from callcenter.telephony.twiml import CarrierVoices
from callcenter.telephony.urls import Urls

_log = structlog.get_logger(__name__)

DATABASE = "callcenter"
EMBEDDED_ROOT = "callcenter_root"
REFRESH_SECONDS = 60  # how often the static documents follow the directory


class WorkerEnded(Unavailable):
    """The job worker has ended although nobody told it to."""


class SchemaOutdated(Unavailable):
    """The database is not at the schema of this version: run `callcenter db migrate`."""


class CannotListen(Unavailable):
    """An address to listen on is taken, or is not this machine's."""


# --- the database


@dataclass(frozen=True, slots=True)
class Addresses:
    """How the database is reached.

    Arguments:
        app: SQLAlchemy URL as the app role.
        jobs: libpq form of the same, for the job worker.
        owner: SQLAlchemy URL as the owner role, or ``None`` when it was not configured.
    """

    app: str
    jobs: str
    owner: str | None


@asynccontextmanager
async def reach_database(settings: Settings, *, share: bool = True) -> AsyncIterator[Addresses]:
    """The configured database, or the embedded one: started, or used where another process runs it already.

    Arguments:
        share: use what another process runs; otherwise that is an error.

    Raises:
        DataInUse: another process runs the embedded database, and it is not to be shared.
    """
    if settings.database.url is not None:
        owner = settings.database.owner_url
        yield Addresses(
            _async_url(settings.database.url.get_secret_value()),
            _plain_dsn(settings.database.url.get_secret_value()),
            None if owner is None else _async_url(owner.get_secret_value()),
        )
        return
    server = EmbeddedPostgres(places_for(settings.database.folder or PROJECT))
    started = True
    try:
        await server.start()
    except DataInUse:
        if not share:
            raise
        started = False
    try:
        if started:
            await _prepare_embedded(server)
        yield Addresses(
            server.url(user=APP, database=DATABASE),
            server.dsn(user=APP, database=DATABASE),
            server.url(user=OWNER, database=DATABASE),
        )
    finally:
        if started:
            await server.stop()


async def _prepare_embedded(server: EmbeddedPostgres) -> None:
    root = create_async_engine(server.url(user=EMBEDDED_ROOT, database="postgres"), isolation_level="AUTOCOMMIT")
    async with root.connect() as connection:
        await ensure_roles(connection, login=True)
        await create_database(connection, DATABASE)
    await root.dispose()
    await bring_up_to_date(server.url(user=OWNER, database=DATABASE))


async def prepare_database(settings: Settings) -> str:
    """Make what is missing: roles, schema. Returns what was done, in a sentence.

    Raises:
        SchemaOutdated: there is no owner URL to do it with.
        DatabaseDown: no database answers there.
        NotTheOwner: its login may not act as the owner of the tables.
    """
    async with reach_database(settings) as addresses:
        if addresses.owner is None:
            raise SchemaOutdated(
                "database.owner_url is missing: migrations need a login that may create tables and roles"
            )
        if settings.database.url is not None:
            async with single_connection(addresses.owner) as connection:
                await ensure_roles(connection, login=False)
        await bring_up_to_date(addresses.owner)
    return "the database is at the schema of this version"


async def bring_up_to_date(owner_url: str) -> None:
    """Apply the migrations that are missing, as the owner role."""
    async with single_connection(owner_url) as connection:
        await become_owner(connection)
        current, needed = await revisions(connection)
        if current != needed:
            await migrate(connection)


@dataclass(frozen=True, slots=True)
class DatabaseFit:
    """Whether a database is one that this version may serve from. Asked at start, for readiness, and by ``doctor``.

    Arguments:
        needed: the revision that this version needs.
    """

    database: Database
    needed: str | None

    @classmethod
    async def of(cls, database: Database) -> DatabaseFit:
        return cls(database, await asyncio.to_thread(needed_revision))

    async def check_login(self) -> str:
        """The server's login, bound by row-level security (P5).

        Raises:
            WrongLogin: it may do more, or less, than serve.
        """
        async with self.database.house() as connection:
            return await require_app_login(connection)

    async def check_schema(self) -> str | None:
        """The database's revision.

        Raises:
            SchemaOutdated: it is not that of this version.
        """
        async with self.database.house() as connection:
            current = await current_revision(connection)
        if current != self.needed:
            raise SchemaOutdated
        return current


def _async_url(url: str) -> str:
    return make_url(url).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


def _plain_dsn(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def keys_path(settings: Settings) -> Path:
    """The key file: as configured, or beside the embedded database, so that neither outlives the other."""
    return settings.keys_file or places_for(settings.database.folder or PROJECT).data.parent / "keys.json"


# --- the services


@dataclass(frozen=True, slots=True)
class CallService:
    """Everything that the edge asks of calls. Implements ``telephony.ports.Calls``."""

    steps: Steps
    endings: Endings
    shelf: AudioShelf | Captions

    async def step(self, event: Incoming | StepAnswered, render: Render) -> Answer:
        return await self.steps.step(event, render)

    async def status(self, event: StatusChanged) -> None:
        await self.endings.status(event)

    async def audio(self, call: UUID, token: str) -> AudioText | AudioGone:
        return await self.shelf.audio(call, token)

    async def audio_complete(self, call: UUID, fetch: UUID) -> None:
        await self.shelf.complete(call, fetch)

    async def audio_given_back(self, call: UUID, fetch: UUID, why: NotDelivered) -> None:
        await self.shelf.give_back(call, fetch, why)


@dataclass(frozen=True, slots=True)
class CarrierMessenger:
    """The carrier as the jobs see it: a refusal that may pass later is worth another try, another one is not."""

    carrier: Carrier
    messages: Counter
    texts: TextMessages

    async def send_message(self, to: str, body: str, *, reference: UUID) -> None:
        match await self.carrier.send_message(to, body, reference=reference):
            case MessageSent(sid=sid):
                self.messages.labels("accepted").inc()
                try:
                    await self.texts.sent(sid, reference)
                except Exception as error:  # the message is on its way: trying again would send a second one
                    _log.warning("message_not_noted", sid=sid, reference=str(reference), error=type(error).__name__)
            case MessageRefused(code=code, permanent=permanent):
                self.messages.labels("refused").inc()
                _log.warning("message_refused", code=code, permanent=permanent, reference=str(reference))
                if not permanent:
                    raise Unavailable("the carrier does not take messages now")


@dataclass(frozen=True, slots=True)
class MessageWatch:
    """Counts what became of messages, each step once. Implements ``telephony.ports.MessageStatuses``."""

    messages: Counter
    texts: TextMessages

    async def message_status(self, sid: str, status: MessageStatus, error_code: int | None) -> None:
        moved = await self.texts.moved(sid, status.value, status.rank, error_code)
        if moved is None:
            return
        self.messages.labels(status.value).inc()
        if status in (MessageStatus.FAILED, MessageStatus.UNDELIVERED):
            reference = None if moved.reference is None else str(moved.reference)
            _log.warning("message_not_delivered", status=status.value, code=error_code, sid=sid, reference=reference)


@dataclass(slots=True)
class Running:
    """A server that runs.

    Arguments:
        webhooks, private: base URLs on which it listens.
        addresses: of the database.
    """

    settings: Settings
    addresses: Addresses
    database: Database
    sealer: Sealer
    clock: Clock
    webhooks: str
    private: str


@asynccontextmanager
async def run_server(
    settings: Settings,
    addresses: Addresses,
    *,
    clock: Clock | None = None,
    random: Random | None = None,
    voice: Voice | None = None,
    jobs: bool = True,
) -> AsyncIterator[Running]:
    """The server: webhooks, private port, job worker. On the way out it drains, then closes.

    Arguments:
        clock, random, voice: in place of the machine's own; tests drive them.
        jobs: whether this process works on jobs too.

    Raises:
        DataProblems: a flow, the prompts or the policy cannot be used, or a flow is not proven.
        Unavailable: database, schema, keys or voice are not there.
        WrongLogin: the database's login is more or less than a member of the app role.
        WrongKeys: the key file is not the one that the database was filled with.
    """
    clock, random = clock or SystemClock(), random or SystemRandom()
    async with AsyncExitStack() as stack:
        flows = load_flows(settings.flows.folder, settings.flows.entry, settings.flows.prompts, settings.flows.policy)
        sealer = Sealer(load_keys(keys_path(settings)), random)
        database = await _open(stack, addresses.app, settings.database.pool, "callcenter")
        attempts = await _open(stack, addresses.app, settings.database.attempts_pool, "callcenter-attempts")
        fit = await DatabaseFit.of(database)
        await fit.check_login()
        await fit.check_schema()
        await check_keys(database, sealer)
        if voice is None:
            voice = await stack.enter_async_context(LocalVoice(words_per_minute=settings.voice_rate))
        limits = limits_of(settings.verification)
        house = House(database, attempts, sealer, clock, random, flows, limits, Places(clock))
        registry = CollectorRegistry()
        metrics = Metrics(registry)
        alerts = Alerts(metrics)
        messages = Counter(
            "callcenter_messages_total", "Messages by what became of them", ("status",), registry=registry
        )
        texts = TextMessages(database, clock)
        urls = Urls.below(settings.public_base_url)
        carrier = await stack.enter_async_context(TwilioCarrier(carrier_settings(settings, urls)))
        voices = CarrierVoices.with_french(settings.carrier.voice)
        static = StaticAnswers(voices, alerts)
        await _refresh_static(database, static)
        endings, shelf = Endings(house), AudioShelf(house)
        captions = Captions(shelf) if settings.captions and settings.environment is not Environment.PRODUCTION else None
        edge = EdgeDependencies(
            calls=CallService(Steps(house), endings, captions or shelf),
            messages=MessageWatch(messages, texts),
            voice=voice,
            signature=SignatureCheck(
                settings.public_base_url, [token.get_secret_value() for token in settings.carrier.auth_tokens]
            ),
            urls=urls,
            static=static,
            metrics=metrics,
            alerts=alerts,
            voices=voices,
        )
        if jobs:
            messenger = CarrierMessenger(carrier, messages, texts)
            minutes = settings.verification.code_minutes
            sender = CodeSender(database, sealer, clock, messenger, minutes, random)
            upkeep, telephones = Upkeep(database, clock, endings, carrier), SharedTelephones(database, sealer, clock)
            await stack.enter_async_context(_working(addresses.jobs, sender, upkeep, telephones, alerts))
        await stack.enter_async_context(
            in_background(
                keep_going(
                    lambda: _refresh_static(database, static),  # until it works again, the last documents stand
                    alerts,
                    AlertKind.STATIC_STALE,
                    seconds=REFRESH_SECONDS,
                    pause=REFRESH_SECONDS,
                )
            )
        )
        private = private_application(
            PrivateDependencies(
                registry,
                {"database": database.check, "login": fit.check_login, "schema": fit.check_schema},
                _caption_source(captions),
            )
        )
        private_url = await _listen(stack, web.AppRunner(private, access_log=None), settings.private)
        webhooks_url = await _listen(stack, EdgeRunner(webhook_application(edge)), settings.webhooks)
        _log.info("serving", webhooks=webhooks_url, private=private_url, flow=flows.entry.name)
        yield Running(settings, addresses, database, sealer, clock, webhooks_url, private_url)


def limits_of(settings: VerificationSettings) -> Limits:
    """The bounds of verification, as ``identity`` reads them."""
    return Limits(
        code_life=timedelta(minutes=settings.code_minutes),
        tries=settings.tries,
        codes_per_call=settings.codes_per_call,
        wrong_per_patient=settings.wrong_per_patient,
        codes_per_patient=settings.codes_per_patient,
        claims_per_caller=settings.claims_per_caller,
        contact_cooling=timedelta(days=settings.contact_cooling_days),
        contact_stale=timedelta(days=settings.contact_stale_days),
        evidence_life=timedelta(minutes=settings.evidence_minutes),
    )


async def _open(stack: AsyncExitStack, url: str, pool: int, application: str) -> Database:
    database = Database(url, pool_size=pool, application=application)
    stack.push_async_callback(database.close)
    return database


def carrier_settings(settings: Settings, urls: Urls) -> CarrierSettings:
    """How the carrier's REST interface is reached; another carrier's address has no region and no edge."""
    carrier = settings.carrier
    return CarrierSettings(
        account_sid=carrier.account_sid,
        username=carrier.account_sid,
        password=carrier.auth_tokens[0].get_secret_value(),
        sender=carrier.sms_sender,
        message_status_url=urls.message_status,
        base_url=carrier.base_url,
        region=None if carrier.base_url else carrier.region,
        edge=None if carrier.base_url else carrier.edge,
    )


def _caption_source(captions: Captions | None) -> CaptionSource | None:
    if captions is None:
        return None

    async def caption(token: str) -> str | None:
        return captions.caption(token)

    return caption


async def _refresh_static(database: Database, static: StaticAnswers) -> None:
    async with database.house() as connection:
        numbers = await Directory.all_numbers(connection)
    static.refresh([RescueEntry(number, fallback.rescue_number) for number, fallback in numbers.items()])


async def keep_going(
    work: Callable[[], Awaitable[None]], alerts: Alerts, kind: AlertKind, *, seconds: float, pause: float = 0
) -> None:
    """Do ``work`` for as long as we live: whatever it raises is an alert, and it is done again.

    Arguments:
        kind: of the alert.
        seconds: between one time and the next.
        pause: seconds before the first time.
    """
    await asyncio.sleep(pause)
    while True:
        try:
            await work()
        except Exception as error:
            if not _being_cancelled():
                alerts.failed(kind, error)
        if _being_cancelled():  # the work may have lost the word that it is to end
            return
        await asyncio.sleep(seconds)


@asynccontextmanager
async def _working(
    dsn: str, sender: CodeSender, upkeep: Upkeep, telephones: SharedTelephones, alerts: Alerts
) -> AsyncIterator[None]:
    """The job worker, beside the listeners. A job that runs when we stop is waited for."""
    application = job_application(dsn)
    register_jobs(application, sender, upkeep, telephones)

    async def work() -> None:
        await application.run_worker_async(
            concurrency=4,
            fetch_job_polling_interval=2,
            install_signal_handlers=False,
            shutdown_graceful_timeout=10,
        )
        if not _being_cancelled():
            raise WorkerEnded

    # It ends when it loses the database, by an error or as if it had been told to stop, and comes back with it.
    working = keep_going(work, alerts, AlertKind.JOBS_STOPPED, seconds=1)
    async with application.open_async(), in_background(working):
        yield


def _being_cancelled() -> bool:
    """Whether this task is to end, even where an error has taken the place of its cancellation."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


@asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run ``work`` beside the body, and end it after it; an error of its own does not become the body's."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("background_work_failed", **failure(error))


async def _listen(stack: AsyncExitStack, runner: web.AppRunner, listener: Listener) -> str:
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, listener.host, listener.port)
    try:
        await site.start()
    except OSError as error:
        where = f"{listener.host}:{listener.port}"
        what = f"cannot listen on {where} ({error.strerror}): end what uses it, or set another port"
        raise CannotListen(what) from error
    port = runner.addresses[0][1]
    return f"http://{listener.host}:{port}"
