"""The carrier over its REST interface, by the Twilio SDK's asynchronous client.

An error of the SDK holds the request's values (a telephone number that is not valid stands in its message), so none
is chained to ours and none is logged: only status and code are.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID

import aiohttp
import structlog
from aiohttp import hdrs
from twilio.auth_strategy.auth_strategy import AuthStrategy
from twilio.auth_strategy.auth_type import AuthType
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.credential.credential_provider import CredentialProvider
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from callcenter.calls.recordings import NoSound
from callcenter.calls.strays import ListedRecording
from callcenter.calls.values import CallStatus
from callcenter.telephony.carrier import CallPlaced, CallRefused, CarrierDown, MessageRefused, MessageSent, NotServed
from callcenter.telephony.rest_list import RestCallList
from callcenter.telephony.rest_rooms import RestRooms
from callcenter.telephony.webhooks import listed_recording, read_status

_log = structlog.get_logger(__name__)

T = TypeVar("T")

#: The carrier's queue for our sender is full (Twilio 21611, 30001): the same message may pass later.
_TRANSIENT = frozenset({21611, 30001})
#: We are not let in, or ask too often (a 429 was never processed): says nothing about what was asked, and did nothing.
_NOT_SERVED = frozenset({401, 403, 429})
#: There was no connection, so that nothing was asked. One that is lost later may have carried the request.
_NOT_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_LOGIN_REFUSED = (
    "the carrier does not let us in: correct carrier.account_sid and the first of carrier.auth_tokens, which must be "
    "that of the region"
)
_NOT_FOUND = 404
#: For all of it.
SECONDS_FOR_A_SOUND = 60.0
#: The carrier gives no more on a page, newest first; what lies behind the last page was on one an hour ago.
RECORDINGS_PER_PAGE, MOST_PAGES = 1000, 10
#: Made because a document asked for it: the one kind that we ask for.
_RECORD_VERB = "RecordVerb"
#: For which a telephone that we ring rings: less than most voicemails wait.
RING_SECONDS = 30


@dataclass(frozen=True, slots=True)
class CarrierSettings:
    """How the carrier's REST interface is reached.

    Arguments:
        account_sid: the account, ``AC…``.
        username: what signs in: the account itself, or an API key ``SK…``.
        password: its token or secret.
        sender: from whom messages come: an E.164 number, a sender name, or a messaging service ``MG…``.
        message_status_url: where the carrier reports what became of a message.
        base_url: another carrier's address, such as the emulator's; ``region`` and ``edge`` are not used with it.
        region, edge: where the account's data are processed (``ie1``, ``dublin``).
        seconds: how long one request may take.
    """

    account_sid: str
    username: str
    password: str = field(repr=False)
    sender: str
    message_status_url: str
    base_url: str | None = None
    region: str | None = None
    edge: str | None = None
    seconds: float = 10.0


async def _at_most(stream: aiohttp.StreamReader, most_bytes: int) -> bytes | None:
    """All that ``stream`` brings, or ``None`` as soon as it is more than ``most_bytes``."""
    content = bytearray()
    async for chunk in stream.iter_chunked(64 * 1024):
        content += chunk
        if len(content) > most_bytes:
            return None
    return bytes(content)


async def _read_page(asked: Awaitable[Any]) -> tuple[Any, list[ListedRecording]]:
    """One page of the carrier's list of recordings, and those on it that a document asked for and that are finished."""
    page = await asked
    finished = [one for one in page if one.status == "completed" and one.source == _RECORD_VERB]
    listed = [listed_recording(one.call_sid, one.sid, one.duration, one.date_created) for one in finished]
    return page, [one for one in listed if one is not None]


@dataclass(frozen=True, slots=True)
class _Refused:
    """The carrier answered, and said no; ``code`` is 0 where it gave none."""

    status: int
    code: int


class _BasicCredential(CredentialProvider, AuthStrategy):  # type: ignore[misc]  # the SDK has no types
    """Signs in with a name and a password. The SDK's own way ends at a class that aiohttp has deprecated."""

    def __init__(self, username: str, password: str) -> None:
        CredentialProvider.__init__(self, AuthType.BASIC)
        AuthStrategy.__init__(self, AuthType.BASIC)
        self._header = f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"

    def to_auth_strategy(self) -> Self:
        return self

    def get_auth_string(self) -> str:
        return self._header

    def requires_authentication(self) -> bool:
        return True


class TwilioCarrier:
    """The :class:`~callcenter.telephony.carrier.Carrier` of a running loop; started before and closed after use.

    Arguments:
        settings: how it is reached.
    """

    def __init__(self, settings: CarrierSettings) -> None:
        self._settings = settings
        self._http: AsyncTwilioHttpClient | None = None
        self._client: Client | None = None

    async def start(self) -> None:
        """Open the client. It belongs to the loop that runs now. No retries: a repeated POST is a second message."""
        settings = self._settings
        # The SDK logs every address that it asks; a logger that nobody listens to keeps that out of ours.
        silent = logging.Logger("callcenter.telephony.rest.sdk", level=logging.CRITICAL + 1)
        self._http = AsyncTwilioHttpClient(logger=silent)
        elsewhere = settings.base_url is not None
        self._client = Client(
            account_sid=settings.account_sid,
            credential_provider=_BasicCredential(settings.username, settings.password),
            region=None if elsewhere else settings.region,
            edge=None if elsewhere else settings.edge,
            http_client=self._http,
            environment={"_": ""},  # an empty one would be replaced by the process's, whose region rewrites hosts
        )
        if elsewhere:
            self._client.api.base_url = settings.base_url

    async def close(self) -> None:
        """Close the client's connections."""
        http, self._http, self._client = self._http, None, None
        if http is not None:
            await http.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def _api(self) -> Any:
        if self._client is None:
            raise NotServed("the carrier's client is not started")
        return self._client

    @property
    def rooms(self) -> RestRooms:
        """The carrier's conferences."""
        return RestRooms(lambda: self._api, self._ask, _Refused)

    @property
    def call_list(self) -> RestCallList:
        """The carrier's list of calls."""
        return RestCallList(lambda: self._api, self._ask, self.call_status)

    async def _ask(self, what: str, request: Awaitable[T]) -> T | _Refused:
        """The answer of one request.

        Raises:
            NotServed: there was no connection, or the carrier is overrun or does not know us: nothing was done.
            CarrierDown: no usable answer came in time, or the carrier is out of order.
        """
        refused: _Refused | None = None
        failed, connected = "", True
        try:
            async with asyncio.timeout(self._settings.seconds):
                return await request
        except (TwilioRestException, TwilioServiceException) as error:
            refused = _Refused(error.status, error.code if isinstance(error.code, int) else 0)
        except _NOT_CONNECTED as error:
            failed, connected = type(error).__name__, False
        except Exception as error:  # a connection's, a clock's, or the SDK's own over an answer that is none
            failed = type(error).__name__
        if refused is None:
            _log.warning("carrier_down", request=what, error=failed)
            raise CarrierDown if connected else NotServed
        if refused.status in _NOT_SERVED:
            _log.warning("carrier_down", request=what, status=refused.status, code=refused.code)
            raise NotServed(_LOGIN_REFUSED if refused.status in (401, 403) else None)
        if not 400 <= refused.status < 500:
            _log.warning("carrier_down", request=what, status=refused.status, code=refused.code)
            raise CarrierDown
        return refused

    async def send_message(self, to: str, body: str, *, reference: UUID) -> MessageSent | MessageRefused:
        """See :meth:`callcenter.telephony.carrier.Carrier.send_message`."""
        sender = self._settings.sender
        origin = {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}
        request = self._api.messages.create_async(
            to=to, body=body, status_callback=self._settings.message_status_url, **origin
        )
        answer = await self._ask("send_message", request)
        if isinstance(answer, _Refused):
            _log.warning("message_refused", reference=str(reference), code=answer.code)
            return MessageRefused(answer.code, permanent=answer.code not in _TRANSIENT)
        if not isinstance(answer.sid, str):
            raise CarrierDown("the carrier accepts a message without naming it")
        _log.info("message_sent", reference=str(reference), sid=answer.sid)
        return MessageSent(answer.sid)

    async def ring(
        self, to: str, shown: str, url: str, *, reference: UUID, status_url: str | None = None
    ) -> CallPlaced | CallRefused:
        """See :meth:`callcenter.telephony.carrier.Carrier.ring`."""
        reported = {} if status_url is None else {"status_callback": status_url, "status_callback_event": ["completed"]}
        request = self._api.calls.create_async(
            to=to, from_=shown, url=url, method="POST", timeout=RING_SECONDS, **reported
        )
        answer = await self._ask("ring", request)
        if isinstance(answer, _Refused):
            _log.warning("call_refused", reference=str(reference), code=answer.code)
            return CallRefused(answer.code)
        if not isinstance(answer.sid, str):
            raise CarrierDown("the carrier rings somebody without naming the call")
        _log.info("call_placed", reference=str(reference), sid=answer.sid)
        return CallPlaced(answer.sid)

    async def lead(self, sid: str, url: str) -> bool:
        """See :meth:`callcenter.telephony.carrier.Carrier.lead`."""
        answer = await self._ask("lead", self._api.calls(sid).update_async(url=url, method="POST"))
        if isinstance(answer, _Refused):
            _log.warning("leg_not_led", sid=sid, code=answer.code)
            return False
        return True

    async def call_status(self, sid: str) -> CallStatus | None:
        """See :meth:`callcenter.telephony.carrier.Carrier.call_status`."""
        answer = await self._ask("call_status", self._api.calls(sid).fetch_async())
        if isinstance(answer, _Refused):
            if answer.status == _NOT_FOUND:
                return None
            raise CarrierDown(f"the carrier does not tell a call's status (code {answer.code})")
        status = read_status(str(answer.status))
        if status is None:
            raise CarrierDown("the carrier tells a call's status in a word that we do not know")
        return status

    async def recording(
        self, call_sid: str, recording_sid: str, *, most_bytes: int, most_seconds: int
    ) -> bytes | NoSound:
        """See :meth:`callcenter.calls.recordings.RecordingSource.recording`.

        The call's own list is asked first: a recording of another call is none. The address of the sound is made
        from the identifier, below the address that is configured; none that a webhook names is ever asked, and no
        redirection is followed.
        """
        answer = await self._ask("recording", self._api.calls(call_sid).recordings(recording_sid).fetch_async())
        if isinstance(answer, _Refused):
            if answer.status == _NOT_FOUND:
                return NoSound.MISSING
            raise CarrierDown(f"the carrier does not describe a recording (code {answer.code})")
        if str(answer.status) == "absent":
            return NoSound.ABSENT
        if str(answer.status) != "completed":
            return NoSound.MISSING
        if not str(answer.duration).isdigit() or int(answer.duration) > most_seconds:
            return NoSound.UNFIT
        return await self._sound(recording_sid, most_bytes)

    async def _sound(self, recording_sid: str, most_bytes: int) -> bytes | NoSound:
        settings = self._settings
        base = settings.base_url or self._api.get_hostname("https://api.twilio.com")
        url = f"{base}/2010-04-01/Accounts/{settings.account_sid}/Recordings/{recording_sid}.wav"
        sign_in = {hdrs.AUTHORIZATION: _BasicCredential(settings.username, settings.password).get_auth_string()}
        status, failed = 0, ""
        try:
            async with (
                asyncio.timeout(SECONDS_FOR_A_SOUND),
                aiohttp.ClientSession(headers=sign_in) as session,
                session.get(url, allow_redirects=False) as response,
            ):
                status = response.status
                if status == HTTPStatus.OK:
                    content = await _at_most(response.content, most_bytes)
                    return NoSound.UNFIT if content is None else content
        except (aiohttp.ClientError, TimeoutError) as error:
            failed = type(error).__name__
        if status == _NOT_FOUND:
            return NoSound.MISSING
        _log.warning("carrier_down", request="sound", status=status, error=failed)
        raise CarrierDown("the carrier does not give the sound of a recording")

    async def delete_recording(self, call_sid: str, recording_sid: str) -> None:
        """See :meth:`callcenter.calls.recordings.RecordingSource.delete_recording`."""
        answer = await self._ask("delete_recording", self._api.calls(call_sid).recordings(recording_sid).delete_async())
        if isinstance(answer, _Refused):
            if answer.status == _NOT_FOUND:
                return
            raise CarrierDown(f"the carrier does not delete a recording (code {answer.code})")
        if answer is not True:
            raise CarrierDown("the carrier does not say that it has deleted a recording")

    async def recordings(self, after: datetime, before: datetime) -> Sequence[ListedRecording]:
        """See :meth:`callcenter.calls.strays.RecordingList.recordings`.

        The carrier documents bounds of whole days: it is asked from a midnight on, and the moments are compared here.
        """
        since = datetime.combine(after.astimezone(UTC).date(), time(), UTC)
        asked = self._api.recordings.page_async(date_created_after=since, page_size=RECORDINGS_PER_PAGE)
        found: list[ListedRecording] = []
        for _ in range(MOST_PAGES):
            answer = await self._ask("recordings", _read_page(asked))
            if isinstance(answer, _Refused):
                raise CarrierDown(f"the carrier does not list recordings (code {answer.code})")
            page, listed = answer
            found += [one for one in listed if after <= one.begun_at <= before]
            if page.next_page_url is None:
                return found
            asked = page.next_page_async()
        asked.close()
        _log.warning("recordings_not_all_listed", pages=MOST_PAGES)
        return found

    async def account_status(self) -> str:
        """The account's status as the carrier words it, such as ``active``: shows that it lets us in.

        Raises:
            CarrierDown: no usable answer.
        """
        answer = await self._ask("account_status", self._api.api.account.fetch_async())
        if isinstance(answer, _Refused):
            raise CarrierDown(f"the carrier does not know the account (code {answer.code})")
        return str(answer.status)
