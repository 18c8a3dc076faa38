"""The roof: puts the house together from its settings, starts it, and takes it down in order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter

from callcenter.background import being_cancelled, in_background, keep_going
from callcenter.calls.audio import AudioShelf, Captions
from callcenter.calls.codes import CodeSender
from callcenter.calls.delivery import MessageNotTaken, Undeliverable
from callcenter.calls.endings import Endings
from callcenter.calls.flows import load_flows
from callcenter.calls.jobs import register_jobs, register_reaching_out, register_recordings
from callcenter.calls.places import Places
from callcenter.calls.recordings import Recordings
from callcenter.calls.reminders_again import RemindersAgain
from callcenter.calls.ring_back import RingBack
from callcenter.calls.steps import House, Steps
from callcenter.calls.text_messages import TextMessages
from callcenter.calls.upkeep import Upkeep
from callcenter.calls.values import (
    Answer,
    AudioGone,
    AudioText,
    Incoming,
    NotDelivered,
    Reached,
    RecordingReady,
    Render,
    StatusChanged,
    StepAnswered,
)
from callcenter.identity.challenges import Limits
from callcenter.installation import Addresses, DatabaseFit, keys_path, switch_path
from callcenter.kernel.clock import Clock, SystemClock
from callcenter.kernel.errors import Unavailable
from callcenter.kernel.randomness import Random, SystemRandom
from callcenter.notices import choices
from callcenter.notices.escalating import Escalations
from callcenter.notices.jobs import Outreach, register_notice_jobs
from callcenter.notices.mail import Mailer, MailServer
from callcenter.notices.ports import Alarms, Ways
from callcenter.notices.reminders import Reminders
from callcenter.notices.sending import NoticeSender
from callcenter.notices.stopping import TextsReceived
from callcenter.notices.telling import Teller
from callcenter.notices.unfinished import Unfinished
from callcenter.practice.directory import Directory
from callcenter.practice.key_fit import check_keys
from callcenter.practice.sharing import SharedTelephones
from callcenter.settings import Environment, Listener, Settings, VerificationSettings
from callcenter.speech.local import LocalVoice
from callcenter.speech.voices import Voice
from callcenter.store.database import Database, Transaction
from callcenter.store.jobs import job_application
from callcenter.store.keys import load_keys
from callcenter.store.sealed import Sealer
from callcenter.telephony.alerts import AlertKind, Alerts
from callcenter.telephony.application import EdgeDependencies, webhook_application
from callcenter.telephony.carrier import CallPlaced, CallRefused, Carrier, MessageRefused, MessageSent
from callcenter.telephony.fallback import RescueEntry, StaticAnswers
from callcenter.telephony.health import Captions as CaptionSource
from callcenter.telephony.health import PrivateDependencies, private_application
from callcenter.telephony.listener import EdgeRunner
from callcenter.telephony.metrics import Metrics
from callcenter.telephony.ports import MessageStatus
from callcenter.telephony.rest import CarrierSettings, TwilioCarrier
from callcenter.telephony.signature import SignatureCheck
from callcenter.telephony.switch import RescueSwitch
from callcenter.telephony.twiml import CarrierVoices
from callcenter.telephony.urls import Urls

_log = structlog.get_logger(__name__)

REFRESH_SECONDS = 60  # how often the static documents follow the directory


class WorkerEnded(Unavailable):
    """The job worker has ended although nobody told it to."""


class CannotListen(Unavailable):
    """An address to listen on is taken, or is not this machine's."""


# --- the services


@dataclass(frozen=True, slots=True)
class CallService:
    """Everything that the edge asks of calls. Implements ``telephony.ports.Calls``."""

    steps: Steps
    endings: Endings
    shelf: AudioShelf | Captions

    async def step(self, event: Incoming | Reached | StepAnswered, render: Render) -> Answer:
        return await self.steps.step(event, render)

    async def status(self, event: StatusChanged) -> None:
        await self.endings.status(event)

    async def recording(self, event: RecordingReady, render: Render) -> None:
        await self.steps.recording(event, render)

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

    async def send_message(self, to: str, body: str, *, reference: UUID) -> Undeliverable | None:
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
                    raise MessageNotTaken("the carrier does not take messages now")
                return Undeliverable(code)
        return None


@dataclass(frozen=True, slots=True)
class CarrierTelephone:
    """The carrier as notices ring by it. Implements ``notices.ports.Telephone``."""

    carrier: Carrier
    urls: Urls

    async def ring(self, to: str, shown: str, practice: UUID, *, reference: UUID) -> Undeliverable | None:
        url = self.urls.notice_call(practice, reference, 1)
        match await self.carrier.ring(to, shown, url, reference=reference):
            case CallPlaced():
                return None
            case CallRefused(code=code):
                return Undeliverable(code)


@dataclass(frozen=True, slots=True)
class HouseAlarms:
    """Alarms of notices and reminders, as alerts. Implements ``notices.ports.Alarms``."""

    alerts: Alerts

    def notice_failed(self, practice: UUID, notice: UUID, why: str) -> None:
        self.alerts.report(AlertKind.NOTICE_FAILED, practice=str(practice), notice=str(notice), why=why)

    def reminder_failed(self, practice: UUID, reminder: UUID, why: str) -> None:
        self.alerts.report(AlertKind.REMINDER_FAILED, practice=str(practice), reminder=str(reminder), why=why)

    def message_unread(self, practice: UUID, message: UUID) -> None:
        self.alerts.report(AlertKind.MESSAGE_UNREAD, practice=str(practice), message=str(message))


async def _wants_no_reminder(tx: Transaction, patient: UUID, phone_index: bytes) -> bool:
    """Whether reminders are opposed, as notices know it."""
    return (await choices.chosen(tx, patient, phone_index)).opposed


class CallNotTaken(Unavailable):
    """The carrier does not place a call."""


@dataclass(frozen=True, slots=True)
class CarrierRinger:
    """The carrier as the job that rings lines sees it. Implements ``calls.delivery.Ringer``."""

    carrier: Carrier
    urls: Urls

    async def place_call(self, to: str, *, shown: str, token: str, reference: UUID) -> None:
        urls = self.urls
        answered, reported = urls.reached(token), urls.status
        match await self.carrier.ring(to, shown, answered, reference=reference, status_url=reported):
            case CallPlaced():
                return
            case CallRefused():
                raise CallNotTaken


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


@dataclass(frozen=True, slots=True)
class RecordingAlarm:
    """Alerts about recordings that the carrier keeps. Implements ``calls.recordings.Alarm``."""

    alerts: Alerts

    def recording_left(self, voice: UUID) -> None:
        self.alerts.report(AlertKind.RECORDING_LEFT, reference=str(voice))


@dataclass(slots=True)
class Running:
    """A server that runs.

    Arguments:
        webhooks, private: base URLs on which it listens.
        addresses: of the database.
        outreach: what it sends by itself.
    """

    settings: Settings
    addresses: Addresses
    database: Database
    sealer: Sealer
    clock: Clock
    webhooks: str
    private: str
    outreach: Outreach


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
        ConfigurationError: the key file is not there, or is none.
        Unavailable: database, schema or voice are not there.
        WrongLogin: the database's login is more or less than a member of the app role.
        WrongKeys: the key file is not the one that the database was filled with.
    """
    clock, random = clock or SystemClock(), random or SystemRandom()
    async with AsyncExitStack() as stack:
        flows = load_flows(settings.flows.folder, settings.flows.entry, settings.flows.prompts, settings.flows.policy)
        sealer = Sealer(load_keys(keys_path(settings)), random)
        database = await _open(stack, addresses.app, settings.database.pool, "callcenter")
        attempts = await _open(stack, addresses.app, settings.database.attempts_pool, "callcenter-attempts")
        fit = await _found_fit(database, sealer)
        if voice is None:
            voice = await stack.enter_async_context(LocalVoice(words_per_minute=settings.voice_rate))
        limits = limits_of(settings.verification)
        house = House(database, attempts, sealer, clock, random, flows, limits, Places())
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
        messenger = CarrierMessenger(carrier, messages, texts)
        ways = Ways(messenger, mailer_of(settings, clock), CarrierTelephone(carrier, urls))
        outreach = _outreach(settings, house, ways, HouseAlarms(alerts))
        captions = Captions(shelf) if settings.captions and settings.environment is not Environment.PRODUCTION else None
        edge = EdgeDependencies(
            calls=CallService(Steps(house), endings, captions or shelf),
            messages=MessageWatch(messages, texts),
            texts=outreach.texts_received,
            confirmations=outreach.escalations,
            voice=voice,
            signature=SignatureCheck(
                settings.public_base_url, [token.get_secret_value() for token in settings.carrier.auth_tokens]
            ),
            urls=urls,
            static=static,
            switch=RescueSwitch(switch_path(settings)),
            metrics=metrics,
            alerts=alerts,
            voices=voices,
        )
        if jobs:
            minutes = settings.verification.code_minutes
            sender = CodeSender(database, sealer, clock, messenger, minutes, random)
            upkeep, telephones = Upkeep(database, clock, endings, carrier), SharedTelephones(database, sealer, clock)
            again_from = settings.carrier.sms_sender
            reminders = RemindersAgain(
                database, sealer, clock, messenger, flows.policy, again_from, limits, _wants_no_reminder, random
            )
            ring_back = RingBack(database, sealer, clock, CarrierRinger(carrier, urls), limits, random)
            recordings = Recordings(database, sealer, clock, random, carrier, RecordingAlarm(alerts))
            await stack.enter_async_context(
                _working(addresses.jobs, sender, upkeep, telephones, recordings, outreach, reminders, ring_back, alerts)
            )
        await stack.enter_async_context(_refreshing(database, static, alerts))
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
        yield Running(settings, addresses, database, sealer, clock, webhooks_url, private_url, outreach)


async def _found_fit(database: Database, sealer: Sealer) -> DatabaseFit:
    fit = await DatabaseFit.of(database)
    await fit.check_login()
    await fit.check_schema()
    await check_keys(database, sealer)
    return fit


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


def mailer_of(settings: Settings, clock: Clock) -> Mailer | None:
    """What sends e-mail, if a mail server is set."""
    mail = settings.mail
    if mail is None:
        return None
    password = None if mail.password is None else mail.password.get_secret_value()
    return Mailer(MailServer(mail.host, mail.port, mail.security, mail.sender, mail.username, password), clock)


def _outreach(settings: Settings, house: House, ways: Ways, alarms: Alarms) -> Outreach:
    """What is sent by itself."""
    database, sealer, clock, random = house.database, house.sealer, house.clock, house.random
    return Outreach(
        teller=Teller(database, sealer, clock, random),
        notices=NoticeSender(database, sealer, clock, ways, alarms),
        escalations=Escalations(database, sealer, clock, alarms, random),
        reminders=Reminders(
            database,
            sealer,
            clock,
            ways.texts,
            house.flows.policy,
            settings.carrier.sms_sender,
            house.limits.contact_stale,
            alarms,
            random,
        ),
        unfinished=Unfinished(database, clock, alarms),
        texts_received=TextsReceived(database, sealer, clock, random),
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
    static.refresh([RescueEntry(number, fallback.rescue_number, fallback.slug) for number, fallback in numbers.items()])


def _refreshing(database: Database, static: StaticAnswers, alerts: Alerts) -> AbstractAsyncContextManager[None]:
    """Keep the static documents as the directory has them; while that fails, the last ones stand."""

    async def refresh() -> None:
        await _refresh_static(database, static)

    every = REFRESH_SECONDS
    return in_background(keep_going(refresh, alerts, AlertKind.STATIC_STALE, seconds=every, pause=every))


@asynccontextmanager
async def _working(
    dsn: str,
    sender: CodeSender,
    upkeep: Upkeep,
    telephones: SharedTelephones,
    recordings: Recordings,
    outreach: Outreach,
    reminders: RemindersAgain,
    ring_back: RingBack,
    alerts: Alerts,
) -> AsyncIterator[None]:
    """The job worker, beside the listeners. A job that runs when we stop is waited for."""
    application = job_application(dsn)
    register_jobs(application, sender, upkeep, telephones)
    register_recordings(application, recordings)
    register_notice_jobs(application, outreach)
    register_reaching_out(application, reminders, ring_back)

    async def work() -> None:
        await application.run_worker_async(
            concurrency=4,
            fetch_job_polling_interval=2,
            install_signal_handlers=False,
            shutdown_graceful_timeout=10,
        )
        if not being_cancelled():
            raise WorkerEnded

    # It ends when it loses the database, by an error or as if it had been told to stop, and comes back with it.
    working = keep_going(work, alerts, AlertKind.JOBS_STOPPED, seconds=1)
    async with application.open_async(), in_background(working):
        yield


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
