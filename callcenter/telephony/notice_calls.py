"""What whoever we ring hears: that an urgent message waits. A key confirms it; a voicemail presses none.

Documents of their own, not a flow: nothing of a patient, a caller or a practice is said, no file is looked at, and the
question is asked a bounded number of times (P7): twice a document, three documents at most.
"""

from __future__ import annotations

import asyncio

from aiohttp import web
from twilio.twiml import voice_response as verbs

from callcenter.notices.wording import CONFIRMED, NOT_CONFIRMED, NOT_KEPT, RING
from callcenter.telephony import webhooks
from callcenter.telephony.alerts import AlertKind, Alerts
from callcenter.telephony.fallback import StaticAnswers
from callcenter.telephony.ports import Confirmations
from callcenter.telephony.responses import Outcome, twiml
from callcenter.telephony.twiml import CarrierVoices, last_words, say, serialise
from callcenter.telephony.urls import Urls
from callcenter.telephony.webhooks import Malformed, NoticeCallAsked

CONFIRM_KEY = "1"
#: Documents that ask, and how often each does; seconds for a key.
MOST_DOCUMENTS, TIMES, KEY_SECONDS = 3, 2, 8


class NoticeCalls:
    """The handler of calls that we make.

    Arguments:
        confirmations: told of a confirmation.
        static: answers what is not ours.
        urls, voices: how documents are rendered.
        seconds: how long keeping a confirmation may take.
    """

    def __init__(
        self,
        *,
        confirmations: Confirmations,
        static: StaticAnswers,
        alerts: Alerts,
        urls: Urls,
        voices: CarrierVoices,
        seconds: float,
    ) -> None:
        self._confirmations = confirmations
        self._static = static
        self._alerts = alerts
        self._urls = urls
        self._voices = voices
        self._seconds = seconds

    async def asked(self, request: web.Request) -> web.Response:
        """Such a call asks for its words, or brings a key."""
        form = await request.post()
        asked = webhooks.read_notice_call(request.match_info, form)
        if isinstance(asked, Malformed):
            self._alerts.report(AlertKind.MALFORMED_WEBHOOK, field=asked.field)
            return twiml(request, self._static.answer(webhooks.read_line(form)), Outcome.STATIC)
        if asked.keyed is None:
            return twiml(request, self._question(asked, asked.asked), Outcome.ANSWERED)
        if asked.keyed == CONFIRM_KEY:
            return await self._confirm(request, asked)
        if asked.asked >= MOST_DOCUMENTS:
            return twiml(request, self._goodbye(NOT_CONFIRMED), Outcome.ANSWERED)
        return twiml(request, self._question(asked, asked.asked + 1), Outcome.ANSWERED)

    async def _confirm(self, request: web.Request, asked: NoticeCallAsked) -> web.Response:
        try:
            async with asyncio.timeout(self._seconds):
                known = await self._confirmations.acknowledge(asked.practice, asked.notice)
        except Exception as error:
            self._alerts.failed(AlertKind.NOTICE_FAILED, error, notice=str(asked.notice))
            return twiml(request, self._goodbye(NOT_KEPT), Outcome.FAILED)
        return twiml(request, self._goodbye(CONFIRMED if known else NOT_KEPT), Outcome.ANSWERED)

    def _question(self, asked: NoticeCallAsked, number: int) -> bytes:
        action = self._urls.notice_call(asked.practice, asked.notice, number)
        response = verbs.VoiceResponse()
        for _ in range(TIMES):
            gather = verbs.Gather(input="dtmf", action=action, method="POST", timeout=KEY_SECONDS, num_digits=1)
            say(gather, RING, self._voices.voice("fr"))
            response.append(gather)
        say(response, NOT_CONFIRMED, self._voices.voice("fr"))
        response.append(verbs.Hangup())
        return serialise(response)

    def _goodbye(self, words: str) -> bytes:
        return last_words(words, self._voices.voice("fr"))
