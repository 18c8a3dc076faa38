"""What somebody of ours hears whom we ring: an operator because a caller waits, or a third person who is asked into a
talk. For which practice it is, and a key that takes the call.

A voicemail presses none. Documents of their own, not a flow; of the caller nothing is said.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from aiohttp import web
from twilio.twiml import voice_response as verbs

from callcenter.telephony import webhooks
from callcenter.telephony.alerts import AlertKind, Alerts
from callcenter.telephony.ports import Operators
from callcenter.telephony.responses import OUTCOME, Outcome, respond, twiml
from callcenter.telephony.twiml import TALK_SECONDS, CarrierVoices, say, serialise
from callcenter.telephony.urls import Urls

T = TypeVar("T")

TAKE_KEY = "1"
#: How often it is asked, and seconds for a key: within the time of an offer.
TIMES, KEY_SECONDS = 2, 4
ASK = "Pour prendre l'appel, tapez 1."
NOT_THERE = "L'appel n'attend plus. Au revoir."
NOT_TAKEN = "L'appel est proposé à une autre personne. Au revoir."

NOT_CONSULTED = "L'appel est terminé. Au revoir."


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody is rung.

    Arguments:
        keys: where the key comes to.
        label: under which they come into the room.
        ends_all: whoever is left alone with nobody by their leaving is not kept.
        not_there, not_taken: what is said when there is nothing to take any more, and to whoever does not take it.
    """

    keys: Callable[[UUID], str]
    label: Callable[[UUID], str]
    ends_all: bool
    not_there: str
    not_taken: str


def to_an_operator(urls: Urls) -> Manner:
    """A caller waits."""
    return Manner(urls.offer_keys, lambda _: "operator", True, NOT_THERE, NOT_TAKEN)


def into_a_talk(urls: Urls) -> Manner:
    """Two talk already, and go on when the third leaves."""
    return Manner(urls.party_keys, lambda party: party.hex, False, NOT_CONSULTED, NOT_CONSULTED)


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class Offers:
    """Handlers of everything that the carrier asks while we ring an operator.

    Arguments:
        operators: knows what is offered to whom.
        alerts: told of every failure.
        urls, voices: how documents are rendered.
        seconds: how long ``operators`` may take.
        manner: how they are rung.
    """

    def __init__(
        self,
        *,
        operators: Operators,
        alerts: Alerts,
        urls: Urls,
        voices: CarrierVoices,
        seconds: float,
        manner: Manner | None = None,
    ) -> None:
        self._manner = manner or to_an_operator(urls)
        self._operators = operators
        self._alerts = alerts
        self._urls = urls
        self._voices = voices
        self._seconds = seconds

    async def heard(self, request: web.Request) -> web.Response:
        """The operator has answered, or their voicemail has."""
        offer = _offer(request)
        words = None if offer is None else await self._asked(self._operators.offer(offer))
        body = self._goodbye(self._manner.not_there) if offer is None or words is None else self._question(offer, words)
        return twiml(request, body, Outcome.ANSWERED)

    async def keyed(self, request: web.Request) -> web.Response:
        """A key."""
        offer = _offer(request)
        if offer is None or webhooks.read_wait_keys(await request.post()) != TAKE_KEY:
            return twiml(request, self._goodbye(self._manner.not_taken), Outcome.ANSWERED)
        room = await self._asked(self._operators.take(offer))
        body = self._goodbye(self._manner.not_there) if room is None else self._joined(offer, room)
        return twiml(request, body, Outcome.ANSWERED)

    async def over(self, request: web.Request) -> web.Response:
        """The talk is over."""
        response = verbs.VoiceResponse()
        response.append(verbs.Hangup())
        return twiml(request, serialise(response), Outcome.ANSWERED)

    async def status(self, request: web.Request) -> web.Response:
        """The operator's leg is over. A failure is a 503, which lets the carrier's retries work."""
        offer, event = _offer(request), webhooks.read_status_change(await request.post())
        if offer is None or isinstance(event, webhooks.Malformed):
            self._alerts.report(AlertKind.MALFORMED_WEBHOOK, field="offer" if offer is None else "CallStatus")
            request[OUTCOME] = Outcome.MALFORMED.value
            return respond(204)
        return await self._left(request, offer) if event.status.terminal else _noted(request)

    async def room(self, request: web.Request) -> web.Response:
        """Somebody has come into a conference, or left it. A failure is a 503, as for a leg."""
        left = webhooks.read_left_room(await request.post())
        return _noted(request) if left is None else await self._left(request, left)

    async def _left(self, request: web.Request, offer: UUID) -> web.Response:
        try:
            async with asyncio.timeout(self._seconds):
                await self._operators.left(offer)
        except Exception as error:
            self._alerts.failed(AlertKind.STATUS_FAILED, error)
            request[OUTCOME] = Outcome.FAILED.value
            return respond(503)
        return _noted(request)

    async def _asked(self, answer: Awaitable[T | None]) -> T | None:
        try:
            async with asyncio.timeout(self._seconds):
                return await answer
        except Exception as error:
            self._alerts.failed(AlertKind.STEP_FAILED, error)
            return None

    def _question(self, offer: UUID, words: str) -> bytes:
        response = verbs.VoiceResponse()
        for _ in range(TIMES):
            gather = verbs.Gather(
                input="dtmf", action=self._manner.keys(offer), method="POST", timeout=KEY_SECONDS, num_digits=1
            )
            say(gather, f"{words} {ASK}", self._voices.voice("fr"))
            response.append(gather)
        say(response, self._manner.not_taken, self._voices.voice("fr"))
        response.append(verbs.Hangup())
        return serialise(response)

    def _joined(self, offer: UUID, room: str) -> bytes:
        manner = self._manner
        return joined(room, self._urls.offer_over(offer), manner.label(offer), ends_all=manner.ends_all)

    def _goodbye(self, words: str) -> bytes:
        response = verbs.VoiceResponse()
        say(response, words, self._voices.voice("fr"))
        response.append(verbs.Hangup())
        return serialise(response)


def joined(room: str, over: str, label: str = "operator", *, ends_all: bool = True) -> bytes:
    """The document with which somebody comes into the room of a call.

    Arguments:
        room: its opaque name.
        over: where the carrier asks what follows.
        label: by which they are found in it.
        ends_all: the room ends when they leave.
    """
    response = verbs.VoiceResponse()
    dial = verbs.Dial(action=over, method="POST", time_limit=TALK_SECONDS)
    dial.append(
        verbs.Conference(
            room,
            beep="false",
            start_conference_on_enter=True,
            end_conference_on_exit=ends_all,
            participant_label=label,
            wait_url="",
        )
    )
    response.append(dial)
    return serialise(response)


def _noted(request: web.Request) -> web.Response:
    """It is taken note of."""
    request[OUTCOME] = Outcome.ACCEPTED.value
    return respond(204)


def _offer(request: web.Request) -> UUID | None:
    written = request.match_info["offer"]
    return UUID(written) if _UUID.fullmatch(written) else None
