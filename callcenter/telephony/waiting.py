"""What is heard in the carrier's queue, and the way out of it to an operator.

Views: public words, made anew each time. The one effect is a wish that was typed; asking for it again changes nothing.
A failure is borne once, with music: it may be over by then. At the second, whoever waits is let out of the queue, and
the flow's own step, or the document of last resort, finds them a way (P7). The kill switch lets them out at once, and
where they come to then it sends them on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from aiohttp import hdrs, web
from twilio.twiml import voice_response as verbs

from callcenter.calls.rooms import CALLER
from callcenter.calls.values import AtAWait, Meeting, RingsLine, SayText, Slot, WaitOver, Waits
from callcenter.kernel.errors import Forbidden, NotFound
from callcenter.speech.music import waiting_music
from callcenter.telephony import webhooks
from callcenter.telephony.alerts import AlertKind, Alerts
from callcenter.telephony.fallback import StaticAnswers
from callcenter.telephony.ports import Lobby
from callcenter.telephony.responses import OUTCOME, Outcome, respond, twiml
from callcenter.telephony.switch import RescueSwitch
from callcenter.telephony.switched import is_switched
from callcenter.telephony.twiml import RING_SECONDS, TALK_SECONDS, CarrierVoices, say, serialise
from callcenter.telephony.urls import Urls
from callcenter.telephony.webhooks import Malformed

T = TypeVar("T")

#: Of silence behind the words in which a key is still taken; then music, and the next announcement.
KEY_SECONDS = 1
#: The same for everybody, and public; it may be kept by whoever fetches it.
_KEPT: Mapping[str, str] = MappingProxyType({hdrs.CACHE_CONTROL: "public, max-age=86400"})
_WAV = "audio/wav"


class Waiting:
    """Handlers of everything that the carrier asks while somebody waits.

    Arguments:
        lobby: knows who waits for whom.
        static, switch: whose calls go elsewhere.
        alerts: told of every failure.
        urls, voices: how documents are rendered.
        seconds: how long ``lobby`` may take.
    """

    def __init__(
        self,
        *,
        lobby: Lobby,
        static: StaticAnswers,
        switch: RescueSwitch,
        alerts: Alerts,
        urls: Urls,
        voices: CarrierVoices,
        seconds: float,
    ) -> None:
        self._lobby = lobby
        self._static = static
        self._switch = switch
        self._alerts = alerts
        self._urls = urls
        self._voices = voices
        self._seconds = seconds

    async def heard(self, request: web.Request) -> web.Response:
        """What somebody hears who waits. Asked again whenever it has been heard to its end."""
        return await self._wait(request, self._lobby.heard, last=False)

    async def heard_again(self, request: web.Request) -> web.Response:
        """The same, after it could not be told."""
        return await self._wait(request, self._lobby.heard, last=True)

    async def keyed(self, request: web.Request) -> web.Response:
        """A key, typed while waiting."""
        keys = webhooks.read_wait_keys(await request.post())
        return await self._wait(request, lambda at: self._lobby.keyed(at, keys), last=False)

    async def meeting(self, request: web.Request) -> web.Response:
        """Somebody has taken the call: the caller is led to them, or on, if they are gone meanwhile."""
        at = webhooks.read_wait(request.match_info, await request.post())
        if isinstance(at, Malformed):
            return self._malformed(request, at)
        met = await self._asked(self._lobby.meeting(at))
        body = self._bring_together(at, met) if isinstance(met, Meeting) else self._lead_on(at)
        return twiml(request, body, Outcome.ANSWERED if met is not None else Outcome.FAILED)

    async def line(self, request: web.Request) -> web.Response:
        """An operator has sent the caller on: a line rings for them, or they are led on, if it does no more."""
        at = webhooks.read_wait(request.match_info, await request.post())
        if isinstance(at, Malformed):
            return self._malformed(request, at)
        rings = await self._asked(self._lobby.at_line(at))
        body = self._ring(at, rings) if isinstance(rings, RingsLine) else self._lead_on(at)
        return twiml(request, body, Outcome.ANSWERED if rings is not None else Outcome.FAILED)

    async def line_over(self, request: web.Request) -> web.Response:
        """That line rings no more, or was hung up. The carrier's word for it is the same for a talk and for a line that
        was asked and did not take the call, so it is not listened to."""
        at = webhooks.read_wait(request.match_info, await request.post())
        if isinstance(at, Malformed):
            return self._malformed(request, at)
        over = await self._asked(self._lobby.line_over(at))
        body = self._lead_on(at, () if over is None else over.lines)
        return twiml(request, body, Outcome.ANSWERED if over is not None else Outcome.FAILED)

    async def music(self, request: web.Request) -> web.Response:
        """The music."""
        request[OUTCOME] = Outcome.PLAYED.value
        return respond(200, waiting_music(), _WAV, _KEPT)

    async def hold(self, request: web.Request) -> web.Response:
        """What a caller hears who is on hold: music, until the carrier is told otherwise."""
        response = verbs.VoiceResponse()
        response.append(verbs.Play(self._urls.music, loop=0))
        return twiml(request, serialise(response), Outcome.ANSWERED)

    async def _wait(
        self, request: web.Request, ask: Callable[[AtAWait], Awaitable[Waits | WaitOver]], *, last: bool
    ) -> web.Response:
        at = webhooks.read_wait(request.match_info, await request.post())
        if isinstance(at, Malformed):
            return self._malformed(request, at)
        if is_switched(self._switch, self._static, self._alerts, webhooks.read_line(await request.post())):
            going = await self._asked(self._lobby.let_out(at))
            body = self._words(at, going) if isinstance(going, Waits) else _leave()
            return twiml(request, body, Outcome.RESCUED)
        heard = await self._asked(ask(at))
        if heard is None:
            return twiml(request, _leave() if last else self._music_alone(at), Outcome.FAILED)
        body = self._words(at, heard) if isinstance(heard, Waits) else self._let_out(heard.lines)
        return twiml(request, body, Outcome.ANSWERED)

    async def _asked(self, answer: Awaitable[T]) -> T | None:
        try:
            async with asyncio.timeout(self._seconds):
                return await answer
        except Exception as error:
            self._alerts.failed(_kind(error), error)
            return None

    def _malformed(self, request: web.Request, malformed: Malformed) -> web.Response:
        self._alerts.report(AlertKind.MALFORMED_WEBHOOK, field=malformed.field)
        return twiml(request, _leave(), Outcome.MALFORMED)

    def _music_alone(self, at: AtAWait) -> bytes:
        response = verbs.VoiceResponse()
        response.append(verbs.Play(self._urls.music))
        response.append(verbs.Redirect(self._urls.wait_again(at.call, at.document), method="POST"))
        return serialise(response)

    def _words(self, at: AtAWait, heard: Waits) -> bytes:
        response = verbs.VoiceResponse()
        gather = verbs.Gather(
            input="dtmf",
            action=self._urls.wait_keys(at.call, at.document),
            method="POST",
            timeout=KEY_SECONDS,
            num_digits=1,
            finish_on_key="",
        )
        self._say(gather, (*heard.lines, *heard.keys))
        gather.append(verbs.Play(self._urls.music))
        response.append(gather)
        return serialise(response)

    def _bring_together(self, at: AtAWait, meeting: Meeting) -> bytes:
        """Their leaving ends nothing by itself, since an operator may send them out to their keys and have them back;
        the end of their call does (``calls.endings``)."""
        response = verbs.VoiceResponse()
        self._say(response, meeting.lines)
        dial = verbs.Dial(
            action=self._urls.step(at.call, at.document, Slot.DIALLED), method="POST", time_limit=TALK_SECONDS
        )
        dial.append(
            verbs.Conference(
                meeting.room,
                beep="false",
                start_conference_on_enter=True,
                end_conference_on_exit=False,
                participant_label=CALLER,
                wait_url=self._urls.music,
                wait_method="GET",
                status_callback=self._urls.room(at.call, at.document),
                status_callback_event="start end join leave",
                status_callback_method="POST",
            )
        )
        response.append(dial)
        return serialise(response)

    def _ring(self, at: AtAWait, rings: RingsLine) -> bytes:
        """Whoever answers is asked first, and joined by a key alone: a voicemail never has the caller."""
        response = verbs.VoiceResponse()
        self._say(response, rings.lines)
        dial = verbs.Dial(
            action=self._urls.line_over(at.call, at.document),
            method="POST",
            timeout=RING_SECONDS,
            time_limit=TALK_SECONDS,
            caller_id=rings.shown,
        )
        dial.append(verbs.Number(rings.line, url=self._urls.party(rings.party), method="POST"))
        response.append(dial)
        return serialise(response)

    def _lead_on(self, at: AtAWait, lines: tuple[SayText, ...] = ()) -> bytes:
        response = verbs.VoiceResponse()
        self._say(response, lines)
        response.append(verbs.Redirect(self._urls.step(at.call, at.document, Slot.NEXT), method="POST"))
        return serialise(response)

    def _let_out(self, lines: tuple[SayText, ...]) -> bytes:
        response = verbs.VoiceResponse()
        self._say(response, lines)
        response.append(verbs.Leave())
        return serialise(response)

    def _say(self, parent: object, lines: tuple[SayText, ...]) -> None:
        for line in lines:
            say(parent, line.text, self._voices.voice(line.language), line.pace)


def _leave() -> bytes:
    response = verbs.VoiceResponse()
    response.append(verbs.Leave())
    return serialise(response)


def _kind(error: Exception) -> AlertKind:
    match error:
        case NotFound():
            return AlertKind.UNKNOWN_CALL
        case Forbidden():
            return AlertKind.FOREIGN_STEP
        case _:
            return AlertKind.STEP_FAILED
