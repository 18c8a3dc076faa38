"""Recordings over REST: fetch, list, delete, and their sound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus

from aiohttp import web

from callcenter.emulator.identifiers import rfc2822
from callcenter.emulator.recordings import Fault, Recording, Recordings
from callcenter.emulator.rest import PREFIX, RestError, not_found, page


class RecordingsResource:
    """``/Accounts/{AC}/Recordings`` and ``/Accounts/{AC}/Calls/{CA}/Recordings``.

    Arguments:
        recordings: has them.
    """

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        account = PREFIX + "/Accounts/{account}"
        routes = []
        for under in (account, account + "/Calls/{call}"):
            one = under + "/Recordings/{sid:RE[0-9a-f]{32}}"
            routes += [
                web.get(under + "/Recordings.json", self.list),
                web.get(one + ".json", self.fetch),
                web.delete(one + ".json", self.delete),
                web.get(one + "{suffix:(\\.wav|\\.mp3)?}", self.media),
            ]
        return routes

    async def list(self, request: web.Request) -> web.Response:
        """Recordings, newest first; of one call, if the path or the query names it; of days or from a moment on."""
        call = request.match_info.get("call") or request.query.get("CallSid")
        dated = _dated(request.query)
        shown = [
            body(recording, request.match_info["account"])
            for recording in reversed(self._recordings.all)
            if not recording.deleted and call in (None, recording.call.sid) and dated(recording.created)
        ]
        return page(request, "recordings", shown)

    async def fetch(self, request: web.Request) -> web.Response:
        """One recording, without its sound."""
        return web.json_response(body(self._find(request), request.match_info["account"]))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete one; 204."""
        recording = self._find(request)
        _raise(self._recordings.fault("deletion"))
        if recording.status == "in-progress":
            raise RestError(20001, "The recording is in progress: it can be deleted once it has ended")
        self._recordings.delete(recording)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def media(self, request: web.Request) -> web.Response:
        """The sound, as WAV; MP3 is what this emulator does not make."""
        recording = self._find(request)
        _raise(self._recordings.fault("media"))
        if request.match_info["suffix"] == ".mp3":
            message = "This emulator makes WAV only: ask for the recording with .wav"
            raise RestError(20001, message, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        if recording.sound is None:
            raise not_found(request)
        return web.Response(body=recording.sound, content_type="audio/x-wav")

    def _find(self, request: web.Request) -> Recording:
        recording, call = self._recordings.find(request.match_info["sid"]), request.match_info.get("call")
        if recording is None or call not in (None, recording.call.sid):
            raise not_found(request)
        return recording


def _dated(query: Mapping[str, str]) -> Callable[[datetime], bool]:
    """Whether a recording was created when ``DateCreated``, ``DateCreated>`` and ``DateCreated<`` say.

    The bounds belong to what is listed, and a bound that is a day has all of it.

    Raises:
        RestError: 20001 for what is no date.
    """
    begins, ends = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    for name in ("DateCreated", "DateCreated>", "DateCreated<"):
        if name not in query:
            continue
        first, last = _span(name, query[name])
        begins = max(begins, first) if name != "DateCreated<" else begins
        ends = min(ends, last) if name != "DateCreated>" else ends
    return lambda created: begins <= created <= ends


def _span(name: str, text: str) -> tuple[datetime, datetime]:
    """The first and the last moment that a date means, in UTC."""
    try:
        if len(text) == len("2026-01-31"):
            day = datetime.combine(date.fromisoformat(text), time(), UTC)
            return day, day + timedelta(days=1, microseconds=-1)
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        message = f"{name} is a day, 2026-01-31, or a moment in UTC, 2026-01-31T08:00:00Z"
        raise RestError(20001, message) from None
    return moment, moment


def _raise(fault: Fault | None) -> None:
    if fault is not None:
        raise RestError(fault.code, fault.message, fault.status)


def body(recording: Recording, account_sid: str) -> dict[str, object]:
    """A recording as the carrier describes it."""
    uri = f"{PREFIX}/Accounts/{account_sid}/Recordings/{recording.sid}.json"
    ended = recording.status in {"completed", "absent"}
    return {
        "sid": recording.sid,
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "call_sid": recording.call.sid,
        "conference_sid": None,
        "channels": 1,
        "date_created": rfc2822(recording.created),
        "date_updated": rfc2822(recording.updated),
        "start_time": rfc2822(recording.created),
        "duration": str(recording.duration) if ended else None,
        "price": None,
        "price_unit": "EUR",
        "source": "RecordVerb",
        "status": recording.status,
        "error_code": None,
        "encryption_details": None,
        "media_url": recording.url,
        "uri": uri,
        "subresource_uris": {},
    }
