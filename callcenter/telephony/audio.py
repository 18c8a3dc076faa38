"""Words that we say with our own voice, as the carrier fetches them. There are no files: sound is made per fetch.

The token in the address is the secret, so nothing is signed here, nothing is cached, and every reason for which there
is no sound looks the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from types import MappingProxyType
from uuid import UUID

from aiohttp import hdrs, web

from callcenter.calls.values import AudioGone, AudioText, NotDelivered
from callcenter.flow.language import Pace
from callcenter.speech.voices import Voice, VoiceUnavailable
from callcenter.telephony import webhooks
from callcenter.telephony.alerts import AlertKind, Alerts
from callcenter.telephony.ports import Calls
from callcenter.telephony.responses import OUTCOME, SERVER, Outcome, respond
from callcenter.telephony.webhooks import Malformed

WAV = "audio/wav"
_NO_STORE: Mapping[str, str] = MappingProxyType({"Cache-Control": "no-store"})


#: How fast our voice speaks.
_SPEED = {Pace.SLOW: 0.75, Pace.NORMAL: 1.0, Pace.FAST: 1.3}


class AudioFetches:
    """Handlers of the audio addresses.

    Arguments:
        calls: knows the words, and records each fetch.
        voice: says them.
        alerts: told when it does not.
        seconds: how long finding and saying the words may take.
    """

    def __init__(self, *, calls: Calls, voice: Voice, alerts: Alerts, seconds: float) -> None:
        self._calls = calls
        self._voice = voice
        self._alerts = alerts
        self._seconds = seconds

    async def probe(self, request: web.Request) -> web.StreamResponse:
        """HEAD: consumes nothing, and says the same of every address."""
        request[OUTCOME] = Outcome.PROBED.value
        return respond(200, content_type=WAV, headers=_NO_STORE)

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        """GET: the whole sound, whatever range was asked for."""
        address = webhooks.read_audio(request.match_info)
        if isinstance(address, Malformed):
            return self._gone(request)
        call, token = address
        words: AudioText | AudioGone = AudioGone()
        try:
            async with asyncio.timeout(self._seconds):
                words = await self._calls.audio(call, token)
                if isinstance(words, AudioGone):
                    return self._gone(request)
                sound = await self._voice.synthesise(words.text, words.language, _SPEED[words.pace])
        except Exception as error:
            kind = AlertKind.VOICE_DOWN if isinstance(error, VoiceUnavailable) else AlertKind.AUDIO_FAILED
            self._alerts.failed(kind, error)
            if isinstance(words, AudioText):
                await self._note(self._calls.audio_given_back(call, words.fetch, NotDelivered.NO_SOUND))
            request[OUTCOME] = Outcome.UNAVAILABLE.value
            return respond(503, headers=_NO_STORE)
        return await self._play(request, call, words, sound)

    def _gone(self, request: web.Request) -> web.Response:
        request[OUTCOME] = Outcome.GONE.value
        return respond(404, headers=_NO_STORE)

    async def _play(self, request: web.Request, call: UUID, words: AudioText, sound: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={hdrs.SERVER: SERVER, hdrs.CONTENT_TYPE: WAV, **_NO_STORE})
        response.content_length = len(sound)
        ended: NotDelivered | None = NotDelivered.BROKEN_OFF
        try:
            await _send(request, response, sound[:-1])
            # Whoever has the last byte may ask for what follows at once, so the note is there before it leaves.
            await self._note(self._calls.audio_complete(call, words.fetch))
            ended = NotDelivered.AT_THE_LAST_BYTE
            await response.write_eof(sound[-1:])
            _still_there(request)
            ended = None
        except ConnectionError:  # the carrier or its caller is gone: the fetch stays incomplete
            pass
        if ended is not None:
            await self._note(self._calls.audio_given_back(call, words.fetch, ended))
        request[OUTCOME] = Outcome.PLAYED.value if ended is None else Outcome.INTERRUPTED.value
        return response

    async def _note(self, note: Coroutine[None, None, None]) -> None:
        """Write down how a fetch goes. What was to leave leaves all the same; a missing note never says too much."""
        try:
            async with asyncio.timeout(self._seconds):
                await note
        except Exception as error:
            self._alerts.failed(AlertKind.AUDIO_FAILED, error)


async def _send(request: web.Request, response: web.StreamResponse, sound: bytes) -> None:
    """Return when the last byte of ``sound`` is the network's, not ours.

    Raises:
        ConnectionError: the connection was lost before.
    """
    # By default a write counts as done with up to 64 KiB, four seconds of speech, still in our own buffer.
    _still_there(request).set_write_buffer_limits(high=0)
    await response.prepare(request)
    await response.write(sound)
    await request.writer.drain()
    _still_there(request)


def _still_there(request: web.Request) -> asyncio.Transport:
    """The request's connection.

    Raises:
        ConnectionError: it is lost.
    """
    if request.transport is None or request.transport.is_closing():
        raise ConnectionResetError
    return request.transport
