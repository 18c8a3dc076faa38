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

from callcenter.calls.operators import NotReached, PutThrough, Taken
from callcenter.calls.values import StatusChanged
from callcenter.routing.talks import FIRST_SEAT
from callcenter.telephony import webhooks
from callcenter.telephony.alerts import AlertKind, Alerts
from callcenter.telephony.ports import Calls, Invited, Operators
from callcenter.telephony.responses import OUTCOME, Outcome, respond, twiml
from callcenter.telephony.twiml import (
    EMPTY_DOCUMENT,
    TALK_SECONDS,
    CarrierVoice,
    CarrierVoices,
    hang_up,
    last_words,
    say,
    serialise,
)
from callcenter.telephony.urls import Urls

T = TypeVar("T")

TAKE_KEY = "1"
#: How often it is asked, and seconds for a key: within the time of an offer.
TIMES, KEY_SECONDS = 2, 4
ASK = "Pour prendre l'appel, tapez 1."
NOT_THERE = "L'appel n'attend plus. Au revoir."
RINGS = "Nous appelons la personne. Restez en ligne."
NOT_REACHED = "La personne n'a pas répondu. Au revoir."
NOT_TAKEN = "L'appel est proposé à une autre personne. Au revoir."
NOT_CONSULTED = "L'appel est terminé. Au revoir."


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody is rung.

    Arguments:
        keys: where the key comes to.
        label: under which they come into the room.
        ends_all: the room ends when they leave.
        not_there, not_taken: what is said when there is nothing to take any more, and to whoever does not take it.
    """

    keys: Callable[[UUID], str]
    label: Callable[[UUID], str]
    ends_all: bool
    not_there: str
    not_taken: str


def to_an_operator(urls: Urls) -> Manner:
    """A caller waits."""
    return Manner(urls.offer_keys, lambda _: FIRST_SEAT, True, NOT_THERE, NOT_TAKEN)


def into_a_talk(urls: Urls) -> Manner:
    """Two talk already, and go on when the third leaves."""
    return Manner(urls.party_keys, lambda party: party.hex, False, NOT_CONSULTED, NOT_CONSULTED)


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class Offers:
    """Handlers of everything that the carrier asks while we ring somebody of ours.

    Arguments:
        invited: knows who is rung for what.
        alerts: told of every failure.
        urls, voices: how documents are rendered.
        seconds: how long ``invited`` may take.
        manner: how they are rung.
    """

    def __init__(
        self,
        *,
        invited: Invited,
        alerts: Alerts,
        urls: Urls,
        voices: CarrierVoices,
        seconds: float,
        manner: Manner,
    ) -> None:
        self._manner = manner
        self._invited = invited
        self._alerts = alerts
        self._urls = urls
        self._voices = voices
        self._seconds = seconds

    async def heard(self, request: web.Request) -> web.Response:
        """They have answered, or their voicemail has."""
        offer = _offer(request)
        words = None if offer is None else await self._asked(self._invited.offer(offer))
        body = self._goodbye(self._manner.not_there) if offer is None or words is None else self._question(offer, words)
        return twiml(request, body, Outcome.ANSWERED)

    async def keyed(self, request: web.Request) -> web.Response:
        """A key."""
        offer, leg = _offer(request), webhooks.read_leg(await request.post())
        if offer is None or leg is None or webhooks.read_wait_keys(await request.post()) != TAKE_KEY:
            return twiml(request, self._goodbye(self._manner.not_taken), Outcome.ANSWERED)
        match await self._asked(self._invited.take(offer, leg)):
            case Taken() as taken:
                body = self._join(offer, taken)
            case PutThrough():  # what was said to them alone is over, and the carrier joins the two
                body = EMPTY_DOCUMENT
            case NotReached():
                body = self._goodbye(NOT_REACHED)
            case None:
                body = self._goodbye(self._manner.not_there)
        return twiml(request, body, Outcome.ANSWERED)

    async def over(self, request: web.Request) -> web.Response:
        """The talk is over."""
        return twiml(request, hang_up(), Outcome.ANSWERED)

    async def status(self, request: web.Request) -> web.Response:
        """Their leg is over. A failure is a 503, which lets the carrier's retries work."""
        return await self._told(request, lambda offer, _: self._invited.left(offer))

    async def _told(self, request: web.Request, tell: Callable[[UUID, StatusChanged], Awaitable[None]]) -> web.Response:
        offer, event = _offer(request), webhooks.read_status_change(await request.post())
        if offer is None or isinstance(event, webhooks.Malformed):
            self._alerts.report(AlertKind.MALFORMED_WEBHOOK, field="offer" if offer is None else "CallStatus")
            request[OUTCOME] = Outcome.MALFORMED.value
            return respond(204)
        if event.status.terminal:
            return await self._done(request, tell(offer, event))
        return _noted(request)

    async def room(self, request: web.Request) -> web.Response:
        """Somebody has come into a conference, or left it. A failure is a 503, as for a leg."""
        left = webhooks.read_left_room(await request.post())
        return _noted(request) if left is None else await self._done(request, self._invited.left(left))

    async def _done(self, request: web.Request, told: Awaitable[None]) -> web.Response:
        try:
            async with asyncio.timeout(self._seconds):
                await told
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

    def _join(self, offer: UUID, taken: Taken) -> bytes:
        """Whoever waits there for a caller who is rung hears music; otherwise the caller is there already."""
        manner, urls = self._manner, self._urls
        words, music = ((RINGS, self._voices.voice("fr")), urls.music) if taken.rings else (None, "")
        return joined(
            taken.room, urls.offer_over(offer), manner.label(offer), ends_all=manner.ends_all, words=words, music=music
        )

    def _goodbye(self, words: str) -> bytes:
        return last_words(words, self._voices.voice("fr"))


class CallOffers(Offers):
    """Offers of calls, whose caller may have to be rung first.

    Arguments:
        operators: to whom they are offered.
        calls: what callers' legs are told to.
    """

    def __init__(
        self, *, operators: Operators, calls: Calls, alerts: Alerts, urls: Urls, voices: CarrierVoices, seconds: float
    ) -> None:
        super().__init__(
            invited=operators, alerts=alerts, urls=urls, voices=voices, seconds=seconds, manner=to_an_operator(urls)
        )
        self._operators = operators
        self._calls = calls

    async def nobody(self, request: web.Request) -> web.Response:
        """The operator has waited in vain for a caller whom we rang."""
        return twiml(request, self._goodbye(NOT_REACHED), Outcome.ANSWERED)

    async def rung(self, request: web.Request) -> web.Response:
        """The leg of a caller is over whom we have rung back: a call like any other, if it was answered."""

        async def over(offer: UUID, event: StatusChanged) -> None:
            await self._calls.status(event)
            await self._operators.over(offer)

        return await self._told(request, over)


def joined(
    room: str,
    over: str,
    label: str,
    *,
    ends_all: bool = True,
    words: tuple[str, CarrierVoice] | None = None,
    music: str = "",
) -> bytes:
    """The document with which somebody comes into the room of a call.

    Arguments:
        room: its opaque name.
        over: where the carrier asks what follows.
        label: by which they are found in it.
        ends_all: the room ends when they leave.
        words: said before, by that voice.
        music: address of what is heard until somebody else is there; nothing if it is empty.
    """
    response = verbs.VoiceResponse()
    if words is not None:
        say(response, *words)
    dial = verbs.Dial(action=over, method="POST", time_limit=TALK_SECONDS)
    dial.append(
        verbs.Conference(
            room,
            beep="false",
            start_conference_on_enter=True,
            end_conference_on_exit=ends_all,
            participant_label=label,
            wait_url=music,
            wait_method="GET",
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
