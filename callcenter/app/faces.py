"""What the house shows outside: the webhooks' and the private application, and the addresses that they listen on."""

from __future__ import annotations

from contextlib import AsyncExitStack

from aiohttp import web

from callcenter.app.by_carrier import MessageWatch
from callcenter.app.call_service import CallService
from callcenter.app.fittings import Fittings
from callcenter.app.ledger_gauges import LedgerGauges
from callcenter.app.queue_gauges import QueueGauges
from callcenter.calls.audio import AudioShelf, Captions
from callcenter.calls.steps import Steps
from callcenter.calls.waiting_room import WaitingRoom
from callcenter.installation import switch_path
from callcenter.kernel.errors import Unavailable
from callcenter.settings import Environment, Listener, Settings
from callcenter.telephony.application import EdgeDependencies, webhook_application
from callcenter.telephony.fallback import StaticAnswers
from callcenter.telephony.health import Captions as CaptionSource
from callcenter.telephony.health import PrivateDependencies, private_application
from callcenter.telephony.listener import EdgeRunner
from callcenter.telephony.signature import SignatureCheck
from callcenter.telephony.switch import RescueSwitch
from callcenter.telephony.twiml import CarrierVoices


class CannotListen(Unavailable):
    """An address to listen on is taken, or is not this machine's."""


async def listen_to_both(
    stack: AsyncExitStack, settings: Settings, fittings: Fittings, voices: CarrierVoices, static: StaticAnswers
) -> tuple[str, str]:
    """Take requests until ``stack`` is unwound: first on the private port, then webhooks.

    Arguments:
        voices: the carrier's, for public words.
        static: the documents of last resort, in the same voices.

    Returns the base URLs of the webhooks and of the private port.

    Raises:
        CannotListen: an address is taken, or is not this machine's.
    """
    shelf = AudioShelf(fittings.house)
    captions = Captions(shelf) if settings.captions and settings.environment is not Environment.PRODUCTION else None
    edge = _edge(settings, fittings, captions or shelf, voices, static)
    private = private_application(_private(fittings, captions))
    private_url = await listen(stack, web.AppRunner(private, access_log=None), settings.private)
    webhooks_url = await listen(stack, EdgeRunner(webhook_application(edge)), settings.webhooks)
    return webhooks_url, private_url


def _edge(
    settings: Settings, fittings: Fittings, shelf: AudioShelf | Captions, voices: CarrierVoices, static: StaticAnswers
) -> EdgeDependencies:
    tokens = [token.get_secret_value() for token in settings.carrier.auth_tokens]
    return EdgeDependencies(
        calls=CallService(Steps(fittings.house), fittings.endings, shelf),
        lobby=WaitingRoom(fittings.house),
        operators=fittings.operators,
        own_legs=fittings.own_legs,
        thirds=fittings.thirds,
        messages=MessageWatch(fittings.messages, fittings.texts),
        texts=fittings.outreach.texts_received,
        confirmations=fittings.outreach.escalations,
        voice=fittings.voice,
        signature=SignatureCheck(settings.public_base_url, tokens),
        urls=fittings.urls,
        static=static,
        switch=RescueSwitch(switch_path(settings)),
        metrics=fittings.metrics,
        alerts=fittings.alerts,
        voices=voices,
    )


def _private(fittings: Fittings, captions: Captions | None) -> PrivateDependencies:
    fit = fittings.fit
    checks = {"database": fittings.house.database.check, "login": fit.check_login, "schema": fit.check_schema}
    queue = QueueGauges(fittings.house, fittings.registry)
    ledger = LedgerGauges(fittings.house.database, fittings.registry)

    async def read() -> None:
        await queue.read()
        await ledger.read()

    return PrivateDependencies(fittings.registry, checks, _caption_source(captions), read)


def _caption_source(captions: Captions | None) -> CaptionSource | None:
    if captions is None:
        return None

    async def caption(token: str) -> str | None:
        return captions.caption(token)

    return caption


async def listen(stack: AsyncExitStack, runner: web.AppRunner, listener: Listener) -> str:
    """Take requests until ``stack`` is unwound. Returns the base URL.

    Raises:
        CannotListen: the address is taken, or is not this machine's.
    """
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
