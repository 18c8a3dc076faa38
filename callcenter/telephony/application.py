"""The carrier's edge as one web application."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

from callcenter.speech.voices import Voice
from callcenter.telephony import urls as paths
from callcenter.telephony.admission import LARGEST_FORM, admission
from callcenter.telephony.alerts import Alerts
from callcenter.telephony.audio import AudioFetches
from callcenter.telephony.fallback import StaticAnswers
from callcenter.telephony.incoming_texts import IncomingTexts
from callcenter.telephony.metrics import Metrics
from callcenter.telephony.notice_calls import NoticeCalls
from callcenter.telephony.offers import CallOffers, Offers, into_a_talk
from callcenter.telephony.own_legs import OwnLegCalls
from callcenter.telephony.ports import (
    Calls,
    Confirmations,
    Invited,
    Lobby,
    MessageStatuses,
    Operators,
    OwnLegs,
    TextsReceived,
)
from callcenter.telephony.signature import SignatureCheck
from callcenter.telephony.switch import RescueSwitch
from callcenter.telephony.twiml import CarrierVoices
from callcenter.telephony.urls import Urls
from callcenter.telephony.voice import VoiceWebhooks
from callcenter.telephony.waiting import Waiting


@dataclass(frozen=True, slots=True)
class EdgeDependencies:
    """What the edge is handed.

    Arguments:
        calls, lobby, operators, own_legs, thirds, messages, texts, confirmations: what stands behind it.
        voice: our own voice, for the words of ``PlayAudio``.
        signature: checks every POST.
        urls: below the same public base URL that ``signature`` was given.
        static: the documents of last resort.
        switch: sends calls to them.
        metrics, alerts: where it counts and cries.
        voices: the carrier's voices, for ``SayText``.
        step_seconds: how long a step, or making a sound, may take.
    """

    calls: Calls
    lobby: Lobby
    operators: Operators
    own_legs: OwnLegs
    thirds: Invited
    messages: MessageStatuses
    texts: TextsReceived
    confirmations: Confirmations
    voice: Voice
    signature: SignatureCheck
    urls: Urls
    static: StaticAnswers
    switch: RescueSwitch
    metrics: Metrics
    alerts: Alerts
    voices: CarrierVoices = field(default_factory=CarrierVoices)
    step_seconds: float = 10.0


def webhook_application(deps: EdgeDependencies) -> web.Application:
    """The application of the webhooks' listener. Run it with :class:`callcenter.telephony.listener.EdgeRunner`.

    There is no redirect in it: a carrier that follows one loses what the caller typed.
    """
    guard = admission(deps.urls.base, deps.signature, deps.metrics, deps.alerts)
    application = web.Application(middlewares=[guard], client_max_size=LARGEST_FORM)
    voice = VoiceWebhooks(
        calls=deps.calls,
        messages=deps.messages,
        static=deps.static,
        switch=deps.switch,
        alerts=deps.alerts,
        urls=deps.urls,
        voices=deps.voices,
        step_seconds=deps.step_seconds,
    )
    texts = IncomingTexts(texts=deps.texts, alerts=deps.alerts, seconds=deps.step_seconds)
    rung = NoticeCalls(
        confirmations=deps.confirmations,
        static=deps.static,
        alerts=deps.alerts,
        urls=deps.urls,
        voices=deps.voices,
        seconds=deps.step_seconds,
    )
    waiting = Waiting(
        lobby=deps.lobby,
        static=deps.static,
        switch=deps.switch,
        alerts=deps.alerts,
        urls=deps.urls,
        voices=deps.voices,
        seconds=deps.step_seconds,
    )
    offers = CallOffers(
        operators=deps.operators,
        calls=deps.calls,
        alerts=deps.alerts,
        urls=deps.urls,
        voices=deps.voices,
        seconds=deps.step_seconds,
    )
    own = OwnLegCalls(
        own_legs=deps.own_legs, alerts=deps.alerts, urls=deps.urls, voices=deps.voices, seconds=deps.step_seconds
    )
    thirds = Offers(
        invited=deps.thirds,
        alerts=deps.alerts,
        urls=deps.urls,
        voices=deps.voices,
        seconds=deps.step_seconds,
        manner=into_a_talk(deps.urls),
    )
    audio = AudioFetches(calls=deps.calls, voice=deps.voice, alerts=deps.alerts, seconds=deps.step_seconds)
    application.add_routes(
        [
            web.post(paths.INCOMING, voice.incoming),
            web.post(paths.REACHED, voice.reached),
            web.post(paths.WAIT, waiting.heard),
            web.post(paths.WAIT_AGAIN, waiting.heard_again),
            web.post(paths.WAIT_KEYS, waiting.keyed),
            web.post(paths.MEETING, waiting.meeting),
            web.post(paths.LINE, waiting.line),
            web.post(paths.LINE_OVER, waiting.line_over),
            web.post(paths.OFFER, offers.heard),
            web.post(paths.OFFER_KEYS, offers.keyed),
            web.post(paths.OFFER_STATUS, offers.status),
            web.post(paths.OFFER_OVER, offers.over),
            web.post(paths.OFFER_RUNG, offers.rung),
            web.post(paths.OFFER_NOBODY, offers.nobody),
            web.post(paths.OWN_LEG, own.placed),
            web.post(paths.OWN_LEG_STATUS, own.status),
            web.post(paths.OWN_LEG_OVER, own.over),
            web.post(paths.PARTY, thirds.heard),
            web.post(paths.PARTY_KEYS, thirds.keyed),
            web.post(paths.PARTY_STATUS, thirds.status),
            web.post(paths.ROOM, thirds.room),
            web.post(paths.HOLD, waiting.hold),
            web.post(paths.STEP, voice.step),
            web.post(paths.STATUS, voice.status),
            web.post(paths.FALLBACK, voice.fallback),
            web.post(paths.MESSAGE_STATUS, voice.message_status),
            web.post(paths.RECORDING, voice.recording),
            web.post(paths.MESSAGE_INCOMING, texts.incoming),
            web.post(paths.NOTICE_CALL, rung.asked),
            web.get(paths.MUSIC, waiting.music),
            web.head(paths.AUDIO, audio.probe),
            web.get(paths.AUDIO, audio.fetch, allow_head=False),
        ]
    )
    return application
