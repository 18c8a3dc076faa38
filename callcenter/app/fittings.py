"""What edge, private port and jobs share, built once from the settings."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter

from callcenter.app.alarms import HouseAlarms
from callcenter.app.by_carrier import CarrierLines, CarrierMessenger, CarrierRooms, CarrierTelephone
from callcenter.app.configured import carrier_settings, incidents_page, limits_of, mailer_of, messages_page
from callcenter.app.ledger_watch import watched
from callcenter.app.publishing import Publishing, shelf_of
from callcenter.calls import appointment_texts
from callcenter.calls.endings import Endings
from callcenter.calls.flows import load_flows
from callcenter.calls.house import House
from callcenter.calls.keypad import Keypad
from callcenter.calls.line_sending import LineSending
from callcenter.calls.lost_callers import LostCallers
from callcenter.calls.operators import Operators
from callcenter.calls.own_legs import OwnLegs
from callcenter.calls.places import Places
from callcenter.calls.switchboard import OpenLines
from callcenter.calls.talks import Talks
from callcenter.calls.text_messages import TextMessages
from callcenter.calls.thirds import Thirds
from callcenter.installation import Addresses, DatabaseFit, keys_path, switch_path
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random
from callcenter.notices.escalating import Escalations
from callcenter.notices.jobs import Outreach
from callcenter.notices.ports import Alarms, Ways
from callcenter.notices.reminders import Reminders
from callcenter.notices.sending import NoticeSender
from callcenter.notices.stopping import TextsReceived
from callcenter.notices.telling import Teller
from callcenter.notices.unfinished import Unfinished
from callcenter.practice.key_fit import check_keys
from callcenter.settings import Settings
from callcenter.speech.local import LocalVoice
from callcenter.speech.voices import Voice
from callcenter.store.database import Database
from callcenter.store.keys import load_keys
from callcenter.store.sealed import Sealer
from callcenter.telephony.alerts import Alerts
from callcenter.telephony.fallback import StaticAnswers
from callcenter.telephony.metrics import Metrics
from callcenter.telephony.rest import TwilioCarrier
from callcenter.telephony.switch import RescueSwitch
from callcenter.telephony.twiml import CarrierVoices
from callcenter.telephony.urls import Urls


@dataclass(frozen=True, slots=True)
class Fittings:
    """What the house is fitted out with.

    Arguments:
        fit: the checks that its database has passed.
        registry: where ``metrics`` and ``messages`` are counted.
        static: answers when nothing else does, and knows which calls were sent to other lines.
        messages: the counter of messages by what became of them.
        lost_callers: finds ends of calls that nobody has reported, while somebody waits for their callers.
        outreach: what it sends by itself.
        operators: who answer by a telephone.
        rooms: where they talk with callers.
        keypad: what they may have their callers type.
        own_legs: who answer in the browser.
        talks: what they, and those at a page, do with a call that they have.
        thirds: whom they ask into it.
    """

    house: House
    fit: DatabaseFit
    voice: Voice
    registry: CollectorRegistry
    metrics: Metrics
    alerts: Alerts
    voices: CarrierVoices
    static: StaticAnswers
    urls: Urls
    carrier: TwilioCarrier
    messages: Counter
    texts: TextMessages
    messenger: CarrierMessenger
    endings: Endings
    lost_callers: LostCallers
    outreach: Outreach
    operators: Operators
    rooms: CarrierRooms
    keypad: Keypad
    own_legs: OwnLegs
    talks: Talks
    thirds: Thirds


async def fitted_out(
    stack: AsyncExitStack, settings: Settings, addresses: Addresses, clock: Clock, random: Random, voice: Voice | None
) -> Fittings:
    """Build everything; ``stack`` takes it down.

    Arguments:
        voice: in place of the machine's own.

    Raises: as :func:`callcenter.app.server.run_server` does.
    """
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    alerts = Alerts(metrics)
    voices = CarrierVoices.with_french(settings.carrier.voice)
    static = StaticAnswers(voices, alerts)
    house, fit = await _house(stack, settings, addresses, clock, random, static, alerts)
    if voice is None:
        voice = await stack.enter_async_context(LocalVoice(words_per_minute=settings.voice_rate))
    messages = Counter("callcenter_messages_total", "Messages by what became of them", ("status",), registry=registry)
    texts = TextMessages(house.database, clock)
    urls = Urls.below(settings.public_base_url)
    carrier = await stack.enter_async_context(TwilioCarrier(carrier_settings(settings, urls)))
    messenger = CarrierMessenger(carrier, messages, texts)
    lines = CarrierLines(carrier, urls, static, RescueSwitch(switch_path(settings)))
    endings = Endings(house)
    operators = Operators(house, lines)
    rooms = CarrierRooms(carrier, carrier.rooms, urls)
    thirds = Thirds(house, rooms)
    talks = Talks(house, rooms, thirds, operators.offered, LineSending(house, lines))
    ways = Ways(messenger, mailer_of(settings, clock), CarrierTelephone(carrier, urls))
    return Fittings(
        house=house,
        fit=fit,
        voice=voice,
        registry=registry,
        metrics=metrics,
        alerts=alerts,
        voices=voices,
        static=static,
        urls=urls,
        carrier=carrier,
        messages=messages,
        texts=texts,
        messenger=messenger,
        endings=endings,
        lost_callers=LostCallers(house.database, endings, carrier),
        operators=operators,
        rooms=rooms,
        keypad=Keypad(house, lines),
        talks=talks,
        thirds=thirds,
        own_legs=OwnLegs(house, lines, thirds),
        outreach=_outreach(
            house,
            ways,
            HouseAlarms(alerts),
            sender=settings.carrier.sms_sender,
            page=messages_page(settings),
            incidents=incidents_page(settings),
        ),
    )


async def _house(
    stack: AsyncExitStack,
    settings: Settings,
    addresses: Addresses,
    clock: Clock,
    random: Random,
    lines: OpenLines,
    alerts: Alerts,
) -> tuple[House, DatabaseFit]:
    """What calls are done with, once flows are proven and database and keys are found to fit."""
    flows = load_flows(settings.flows.folder, settings.flows.entry, settings.flows.prompts, settings.flows.policy)
    sealer = Sealer(load_keys(keys_path(settings)), random)
    database = opened(stack, addresses.app, settings.database.pool, "callcenter")
    attempts = opened(stack, addresses.app, settings.database.attempts_pool, "callcenter-attempts")
    fit = await DatabaseFit.of(database)
    await fit.check_login()
    await fit.check_schema()
    await check_keys(database, sealer)
    shelf = await shelf_of(Publishing(database, clock, random), flows, alerts)
    limits = limits_of(settings.verification)
    # A connection of its own: when every other is taken, it must not seem that nothing is sealed.
    watching = opened(stack, addresses.app, 1, "callcenter-ledger-watch")
    ledger = await stack.enter_async_context(watched(watching, alerts))
    return House(database, attempts, sealer, clock, random, shelf, limits, Places(), lines, ledger), fit


def opened(stack: AsyncExitStack, url: str, pool: int, application: str) -> Database:
    """Connections, closed when ``stack`` is unwound."""
    database = Database(url, pool_size=pool, application=application)
    stack.push_async_callback(database.close)
    return database


def _outreach(
    house: House, ways: Ways, alarms: Alarms, *, sender: str, page: str | None, incidents: str | None
) -> Outreach:
    """What is sent by itself, texts from ``sender``; messages are read at ``page``, of incidents at ``incidents``."""
    database, sealer, clock, random = house.database, house.sealer, house.clock, house.random
    policy, stale = house.flows.policy, house.limits.contact_stale
    return Outreach(
        teller=Teller(database, sealer, clock, random),
        notices=NoticeSender(database, sealer, clock, ways, alarms, page, incidents),
        escalations=Escalations(database, sealer, clock, alarms, random),
        reminders=Reminders(
            database,
            sealer,
            clock,
            ways.texts,
            policy,
            lambda: house.flows.book[appointment_texts.KEY],
            sender,
            stale,
            alarms,
            house.ledger,
            random,
        ),
        unfinished=Unfinished(database, clock, alarms),
        texts_received=TextsReceived(database, sealer, clock, random),
    )
