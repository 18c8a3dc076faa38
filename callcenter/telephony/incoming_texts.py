"""Text messages to our numbers: STOP and START are minded, and every text is answered alike, with nothing (P6)."""

from __future__ import annotations

import asyncio

from aiohttp import web

from callcenter.telephony import webhooks
from callcenter.telephony.alerts import AlertKind, Alerts
from callcenter.telephony.ports import TextsReceived
from callcenter.telephony.responses import OUTCOME, Outcome, respond, twiml
from callcenter.telephony.webhooks import Malformed, TextWord

NOTHING = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


class IncomingTexts:
    """The handler of texts.

    Arguments:
        texts: minds them.
        seconds: how long that may take; the carrier gives up after 15 s.
    """

    def __init__(self, *, texts: TextsReceived, alerts: Alerts, seconds: float) -> None:
        self._texts = texts
        self._alerts = alerts
        self._seconds = seconds

    async def incoming(self, request: web.Request) -> web.Response:
        """A text comes in. One that could not be minded is a 503, which shows in the carrier's log, and an alert."""
        received = webhooks.read_text(await request.post())
        if isinstance(received, Malformed):
            self._alerts.report(AlertKind.MALFORMED_WEBHOOK, field=received.field)
            return twiml(request, NOTHING, Outcome.MALFORMED)
        try:
            async with asyncio.timeout(self._seconds):
                if received.sender is not None and received.word is TextWord.STOP:
                    await self._texts.stop(received.sender, received.message)
                elif received.sender is not None and received.word is TextWord.START:
                    await self._texts.start(received.sender, received.message)
        except Exception as error:
            self._alerts.failed(AlertKind.TEXT_FAILED, error)
            request[OUTCOME] = Outcome.FAILED.value
            return respond(503)
        return twiml(request, NOTHING, Outcome.ACCEPTED)
