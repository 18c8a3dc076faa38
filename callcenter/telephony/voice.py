"""The webhooks of calls and messages. Whatever happens, a caller is answered: at worst by the static document."""

from __future__ import annotations

import asyncio
from functools import partial

from aiohttp import web

from callcenter.calls.values import Incoming, Reached, Render, StepAnswered
from callcenter.kernel.errors import Forbidden, NotFound, Unavailable
from callcenter.telephony import webhooks
from callcenter.telephony.alerts import AlertKind, Alerts
from callcenter.telephony.fallback import StaticAnswers
from callcenter.telephony.ports import Calls, MessageStatuses
from callcenter.telephony.responses import OUTCOME, Outcome, respond, twiml
from callcenter.telephony.switch import RescueSwitch
from callcenter.telephony.switched import is_switched
from callcenter.telephony.twiml import EMPTY_DOCUMENT, CarrierVoices, render
from callcenter.telephony.urls import Urls
from callcenter.telephony.webhooks import Malformed, NothingAsked


def _kind(event: Incoming | Reached | StepAnswered, error: Exception) -> AlertKind:
    match error:
        case TimeoutError():
            return AlertKind.STEP_SLOW
        case NotFound():
            return AlertKind.UNKNOWN_NUMBER if isinstance(event, Incoming) else AlertKind.UNKNOWN_CALL
        case Forbidden():
            return AlertKind.FOREIGN_STEP
        case Unavailable():
            return AlertKind.UNAVAILABLE
        case _:
            return AlertKind.STEP_FAILED


class VoiceWebhooks:
    """Handlers of everything that the carrier signs.

    Arguments:
        calls: decides what a call meets next.
        messages: told of what became of messages.
        static: answers when ``calls`` does not.
        switch: sends calls there although ``calls`` could answer.
        alerts: told of every such answer.
        urls, voices: how documents are rendered.
        step_seconds: how long a step may take; the carrier hangs up after 15 s in all.
    """

    def __init__(
        self,
        *,
        calls: Calls,
        messages: MessageStatuses,
        static: StaticAnswers,
        switch: RescueSwitch,
        alerts: Alerts,
        urls: Urls,
        voices: CarrierVoices,
        step_seconds: float,
    ) -> None:
        self._calls = calls
        self._messages = messages
        self._static = static
        self._switch = switch
        self._alerts = alerts
        self._render: Render = partial(render, urls=urls, voices=voices)
        self._step_seconds = step_seconds

    async def incoming(self, request: web.Request) -> web.Response:
        """A call comes in."""
        form = await request.post()
        return await self._answer(request, webhooks.read_incoming(form))

    async def reached(self, request: web.Request) -> web.Response:
        """A line that we ring has answered."""
        form = await request.post()
        return await self._answer(request, webhooks.read_reached(request.match_info, form))

    async def step(self, request: web.Request) -> web.Response:
        """A document's continuation. A leg that has ended meanwhile is answered too; the carrier ignores it."""
        form = await request.post()
        return await self._answer(request, webhooks.read_step(request.match_info, form))

    async def _answer(
        self, request: web.Request, event: Incoming | Reached | StepAnswered | NothingAsked | Malformed
    ) -> web.Response:
        line = webhooks.read_line(await request.post())
        if isinstance(event, NothingAsked):
            return twiml(request, EMPTY_DOCUMENT, Outcome.ACCEPTED)
        if isinstance(event, Malformed):
            self._alerts.report(AlertKind.MALFORMED_WEBHOOK, field=event.field)
            return twiml(request, self._static.answer(line), Outcome.STATIC)
        if isinstance(event, Incoming) and self._static.comes_back(line):
            self._alerts.report(AlertKind.CALL_CAME_BACK)
            return twiml(request, self._static.goodbye(), Outcome.STATIC)
        if is_switched(self._switch, self._static, self._alerts, line):
            return twiml(request, self._static.answer(line), Outcome.RESCUED)
        try:
            async with asyncio.timeout(self._step_seconds):
                answer = await self._calls.step(event, self._render)
        except Exception as error:
            self._alerts.failed(_kind(event, error), error)
            return twiml(request, self._static.answer(line), Outcome.STATIC)
        return twiml(request, answer.body, Outcome.REPLAYED if answer.replayed else Outcome.ANSWERED)

    async def fallback(self, request: web.Request) -> web.Response:
        """The carrier could not use what we answered, or got no answer."""
        form = await request.post()
        asked = webhooks.read_fallback(form)
        self._alerts.report(AlertKind.CARRIER_FALLBACK, code=asked.error_code, path=asked.path)
        return twiml(request, self._static.answer(webhooks.read_line(form)), Outcome.STATIC)

    async def status(self, request: web.Request) -> web.Response:
        """A leg's status. Nobody waits on the line: a failure is a 503, which lets the carrier's retries work."""
        event = webhooks.read_status_change(await request.post())
        if isinstance(event, Malformed):
            return self._ignored(request, event)
        if event.status.terminal:
            self._static.ended(event.carrier_sid)
        try:
            async with asyncio.timeout(self._step_seconds):
                await self._calls.status(event)
        except Exception as error:
            return self._not_kept(request, error)
        request[OUTCOME] = Outcome.ACCEPTED.value
        return respond(204)

    async def recording(self, request: web.Request) -> web.Response:
        """What a caller has spoken can be fetched."""
        event = webhooks.read_recording(request.match_info, await request.post())
        if isinstance(event, Malformed):
            return self._ignored(request, event)
        try:
            async with asyncio.timeout(self._step_seconds):
                await self._calls.recording(event, self._render)
        except (NotFound, Forbidden) as error:  # asking again would change nothing
            self._alerts.failed(_kind(event.step, error), error)
        except Exception as error:
            return self._not_kept(request, error)
        request[OUTCOME] = Outcome.ACCEPTED.value
        return respond(204)

    async def message_status(self, request: web.Request) -> web.Response:
        """A message's delivery status."""
        event = webhooks.read_message_status(await request.post())
        if isinstance(event, Malformed):
            return self._ignored(request, event)
        try:
            async with asyncio.timeout(self._step_seconds):
                await self._messages.message_status(event.sid, event.status, event.error_code)
        except Exception as error:
            return self._not_kept(request, error)
        request[OUTCOME] = Outcome.ACCEPTED.value
        return respond(204)

    def _ignored(self, request: web.Request, malformed: Malformed) -> web.Response:
        self._alerts.report(AlertKind.MALFORMED_WEBHOOK, field=malformed.field)
        request[OUTCOME] = Outcome.MALFORMED.value
        return respond(204)

    def _not_kept(self, request: web.Request, error: Exception) -> web.Response:
        self._alerts.failed(AlertKind.STATUS_FAILED, error)
        request[OUTCOME] = Outcome.FAILED.value
        return respond(503)
