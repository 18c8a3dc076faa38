"""The carrier's REST interface through the real SDK, against a small server that answers as the carrier does."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from callcenter.calls.carrier_values import ListedCall
from callcenter.calls.delivery import MessageNotTaken
from callcenter.calls.recordings import NoSound
from callcenter.calls.values import CallStatus
from callcenter.kernel.errors import Unavailable
from callcenter.telephony.carrier import Carrier, CarrierDouble, CarrierDown, MessageRefused, MessageSent
from callcenter.telephony.rest import CarrierSettings, TwilioCarrier
from callcenter.telephony.rest_rooms import Rooms
from callcenter.telephony.webhooks import LONGEST_DURATION
from tests.unit.telephony.doubles import CALL_SID, CALLER

ACCOUNT = "AC" + "0" * 32
SID = "SM" + "a" * 32
REFERENCE = UUID("77777777-2222-4333-8444-555555555555")
BODY = "Votre code : 482 719"


@dataclass(slots=True)
class Api:
    """What the carrier was asked, and what it answers."""

    status: int = 201
    answer: object = field(default_factory=lambda: {"sid": SID, "status": "queued"})
    hangs: bool = False
    asked: list[tuple[str, str, dict[str, str], str]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append((request.method, request.path, form, request.headers["Authorization"]))
        if self.hangs:
            await asyncio.Event().wait()
        if isinstance(self.answer, str):
            return web.Response(text=self.answer, status=self.status)
        return web.json_response(self.answer, status=self.status)


@asynccontextmanager
async def carrier(api: Api, **changes: object) -> AsyncIterator[TwilioCarrier]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", api.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        settings = {
            "account_sid": ACCOUNT,
            "username": "SK" + "1" * 32,
            "password": "secret",
            "sender": "+33757000000",
            "message_status_url": "https://voix.example.fr/messages/status",
            "base_url": f"http://127.0.0.1:{port}",
            **changes,
        }
        async with TwilioCarrier(CarrierSettings(**settings)) as running:  # type: ignore[arg-type]  # checked by use
            yield running
    finally:
        await runner.cleanup()


async def test_a_message_is_sent_once_with_its_status_url() -> None:
    api = Api()
    async with carrier(api) as running:
        assert await running.send_message(CALLER, BODY, reference=REFERENCE) == MessageSent(SID)
    ((method, path, form, authorization),) = api.asked
    assert (method, path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    assert form == {
        "To": CALLER,
        "From": "+33757000000",
        "Body": BODY,
        "StatusCallback": "https://voix.example.fr/messages/status",
    }
    assert base64.b64decode(authorization.removeprefix("Basic ")).decode() == "SK" + "1" * 32 + ":secret"


async def test_a_messaging_service_takes_the_place_of_a_number() -> None:
    api = Api()
    async with carrier(api, sender="MG" + "2" * 32) as running:
        await running.send_message(CALLER, BODY, reference=REFERENCE)
    assert "From" not in api.asked[0][2]
    assert api.asked[0][2]["MessagingServiceSid"] == "MG" + "2" * 32


@pytest.mark.parametrize(
    ("code", "permanent"), [(21211, True), (21614, True), (21610, True), (21611, False), (30001, False)]
)
async def test_a_refusal_is_a_value(code: int, permanent: bool) -> None:
    api = Api(400, {"code": code, "message": f"The 'To' number {CALLER} is not valid", "status": 400})
    async with carrier(api) as running:
        with capture_logs() as logs:
            answer = await running.send_message(CALLER, BODY, reference=REFERENCE)
    assert answer == MessageRefused(code, permanent)
    assert CALLER not in str(logs)


@pytest.mark.parametrize(
    ("status", "answer", "nothing_done"),
    [
        (500, {"code": 20500, "message": "x", "status": 500}, False),
        (503, "<html>down</html>", False),
        (429, {"code": 20429, "message": "x", "status": 429}, True),
        (401, {"code": 20003, "message": "x", "status": 401}, True),
        (201, "not json", False),
        (201, [1], False),
        (302, {}, False),
    ],
)
async def test_a_carrier_that_does_not_serve_is_down(status: int, answer: object, nothing_done: bool) -> None:
    """Only of some answers it is certain that no message was taken: the others are sent once."""
    api = Api(status, answer)
    async with carrier(api) as running:
        for request in (
            partial(running.send_message, CALLER, BODY, reference=REFERENCE),
            partial(running.call_status, CALL_SID),
        ):
            with pytest.raises(CarrierDown) as down:
                await request()
            assert isinstance(down.value, MessageNotTaken) is nothing_done
    assert len(api.asked) == 2  # nothing is repeated


async def test_a_carrier_that_hangs_up_after_the_request_may_have_taken_it() -> None:
    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(hangs_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, carrier(Api(), base_url=f"http://127.0.0.1:{port}") as running:
        with pytest.raises(CarrierDown) as down:
            await running.send_message(CALLER, BODY, reference=REFERENCE)
    assert not isinstance(down.value, MessageNotTaken)


async def test_a_message_without_an_identifier_was_not_accepted() -> None:
    async with carrier(Api(201, {})) as running:
        with pytest.raises(CarrierDown, match="naming"):
            await running.send_message(CALLER, BODY, reference=REFERENCE)


async def test_a_carrier_that_is_silent_or_away_is_down_and_no_error_carries_the_message() -> None:
    api = Api(hangs=True)
    async with carrier(api, seconds=0.05) as running:
        with pytest.raises(CarrierDown) as silent:
            await running.send_message(CALLER, BODY, reference=REFERENCE)
    assert (silent.value.__cause__, silent.value.__context__) == (None, None)
    assert not isinstance(silent.value, MessageNotTaken)
    async with carrier(Api(), base_url="http://127.0.0.1:9") as running:
        with pytest.raises(MessageNotTaken) as away:
            await running.send_message(CALLER, BODY, reference=REFERENCE)
    assert (away.value.__cause__, away.value.__context__) == (None, None)
    with pytest.raises(CarrierDown, match="not started"):
        await running.call_status(CALL_SID)
    assert issubclass(CarrierDown, Unavailable)


@pytest.mark.parametrize(
    ("word", "status"), [("in-progress", CallStatus.IN_PROGRESS), ("no-answer", CallStatus.NO_ANSWER)]
)
async def test_a_calls_status(word: str, status: CallStatus) -> None:
    api = Api(200, {"sid": CALL_SID, "status": word})
    async with carrier(api) as running:
        assert await running.call_status(CALL_SID) == status
    assert api.asked[0][:2] == ("GET", f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL_SID}.json")


async def test_a_call_that_the_carrier_does_not_know() -> None:
    api = Api(404, {"code": 20404, "message": "x", "status": 404})
    async with carrier(api) as running:
        assert await running.call_status(CALL_SID) is None
    async with carrier(Api(200, {"sid": CALL_SID, "status": "dreaming"})) as running:
        with pytest.raises(CarrierDown, match="do not know"):
            await running.call_status(CALL_SID)


async def test_nothing_of_the_process_changes_where_requests_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    api = Api()
    async with carrier(api, region="ie1", edge="dublin") as running:
        await running.send_message(CALLER, BODY, reference=REFERENCE)
    assert len(api.asked) == 1


async def test_the_sdk_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with carrier(Api()) as running:
        with capture_logs() as logs:
            await running.send_message(CALLER, BODY, reference=REFERENCE)
    kept = str(logs) + "".join(record.getMessage() for record in caplog.records if record.name.startswith("twilio"))
    assert [(log["event"], log["reference"], log["sid"]) for log in logs] == [("message_sent", str(REFERENCE), SID)]
    assert not any(word in kept for word in (CALLER, BODY, "secret", ACCOUNT))


# --- what callers have spoken

RECORDING = "RE" + "b" * 32
MOST_BYTES, MOST_SECONDS = 200_000, 130


@dataclass(slots=True)
class Spoken(Api):
    """A recording, and the pieces of its sound.

    Arguments:
        pieces: how many are offered, of 64 KiB or of what ``size`` says.
        given: how many were taken.
    """

    duration: object = "5"
    pieces: int = 1
    size: int = 64 * 1024
    given: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if not request.path.endswith(".wav"):
            return web.json_response({"sid": RECORDING, "status": "completed", "duration": self.duration})
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(self.pieces):
            await response.write(bytes(self.size))
            self.given += 1
        return response


async def recording(api: Spoken) -> bytes | NoSound:
    async with carrier(api) as running:
        return await running.recording(CALL_SID, RECORDING, most_bytes=MOST_BYTES, most_seconds=MOST_SECONDS)


@pytest.mark.parametrize("duration", ["131", 131, "999999999999", "-1", "1.5", "", None])
async def test_a_recording_that_is_too_long_is_refused_before_its_sound_is_asked_for(duration: object) -> None:
    api = Spoken(duration=duration)
    assert (await recording(api), api.given) == (NoSound.UNFIT, 0)


async def test_a_recording_within_both_bounds_is_given_whole() -> None:
    assert await recording(Spoken(duration="130", size=MOST_BYTES)) == bytes(MOST_BYTES)


@pytest.mark.parametrize(("size", "pieces"), [(MOST_BYTES + 1, 1), (64 * 1024, 100_000)], ids=["by a byte", "6 GB"])
async def test_a_recording_that_is_too_large_is_refused_and_not_read_to_its_end(size: int, pieces: int) -> None:
    """Its length is not told beforehand: whoever sends without end is not listened to."""
    api = Spoken(size=size, pieces=pieces)
    assert await recording(api) is NoSound.UNFIT
    assert api.given <= 1000, "the rest was read too"


LISTED = {
    "sid": RECORDING,
    "call_sid": CALL_SID,
    "status": "completed",
    "source": "RecordVerb",
    "duration": "5",
    "date_created": "Tue, 10 Mar 2026 08:00:00 +0000",
}


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({}, [5]),
        ({"duration": "99999"}, [LONGEST_DURATION]),
        ({"status": "processing"}, []),
        ({"status": "deleted"}, []),
        ({"source": "DialVerb"}, []),
        ({"source": "OutboundAPI"}, []),
        ({"call_sid": None}, []),  # of a conference
        ({"sid": "RE/../../Accounts"}, []),
        ({"duration": None}, []),
        ({"date_created": None}, []),
    ],
)
async def test_only_what_a_document_asked_for_and_is_finished_is_listed(
    changes: dict[str, object], seconds: list[int]
) -> None:
    api = Api(200, {"recordings": [{**LISTED, **changes}], "page": 0, "next_page_uri": None})
    spoken = datetime(2026, 3, 10, 8, tzinfo=UTC)
    async with carrier(api) as running:
        listed = await running.recordings(spoken - timedelta(hours=1), spoken)
    assert [one.seconds for one in listed] == seconds


@pytest.mark.parametrize("status", [401, 404, 429, 500])
async def test_a_carrier_that_does_not_list_its_recordings_is_down(status: int) -> None:
    now = datetime(2026, 3, 10, 8, tzinfo=UTC)
    async with carrier(Api(status, {"code": 20003, "message": "no"})) as running:
        with pytest.raises(Unavailable):
            await running.recordings(now - timedelta(hours=1), now)


async def test_the_double_behaves_as_the_carrier() -> None:
    refused = MessageRefused(21614, permanent=True)
    double = CarrierDouble({"+33465710099": refused})
    standing: Carrier = double
    sent = await standing.send_message(CALLER, BODY, reference=REFERENCE)
    assert isinstance(sent, MessageSent)
    assert await standing.send_message("+33465710099", BODY, reference=REFERENCE) == refused
    assert [(message.sid, message.to, message.body) for message in double.messages] == [(sent.sid, CALLER, BODY)]
    assert BODY not in repr(double.messages)
    double.legs[CALL_SID] = CallStatus.COMPLETED
    assert await standing.call_status(CALL_SID) == CallStatus.COMPLETED
    assert await standing.call_status("CA" + "f" * 32) is None
    double.down = True
    with pytest.raises(CarrierDown):
        await standing.send_message(CALLER, BODY, reference=REFERENCE)


# --- conferences


CONFERENCE, LABEL, MUSIC = "CF" + "b" * 32, "c" * 32, "https://voix.example.fr/voice/hold"
OF_THE_ROOM = f"/2010-04-01/Accounts/{ACCOUNT}/Conferences/{CONFERENCE}"
_CHANGES: list[tuple[Callable[[Rooms], Awaitable[bool]], str, str, dict[str, str], int]] = [
    (
        lambda rooms: rooms.change(CONFERENCE, LABEL, hold=True, hold_url=MUSIC),
        "POST",
        f"{OF_THE_ROOM}/Participants/{LABEL}.json",
        {"Hold": "true", "HoldUrl": MUSIC, "HoldMethod": "POST"},
        200,
    ),
    (
        lambda rooms: rooms.change(CONFERENCE, LABEL, hold=False),
        "POST",
        f"{OF_THE_ROOM}/Participants/{LABEL}.json",
        {"Hold": "false"},
        200,
    ),
    (
        lambda rooms: rooms.change(CONFERENCE, LABEL, ends=False),
        "POST",
        f"{OF_THE_ROOM}/Participants/{LABEL}.json",
        {"EndConferenceOnExit": "false"},
        200,
    ),
    (lambda rooms: rooms.put_out(CONFERENCE, LABEL), "DELETE", f"{OF_THE_ROOM}/Participants/{LABEL}.json", {}, 204),
    (lambda rooms: rooms.end(CONFERENCE), "POST", f"{OF_THE_ROOM}.json", {"Status": "completed"}, 200),
    (
        lambda rooms: rooms.hang_up(CALL_SID),
        "POST",
        f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL_SID}.json",
        {"Status": "completed"},
        200,
    ),
]


@pytest.mark.parametrize(("act", "method", "path", "form", "status"), _CHANGES)
async def test_a_room_is_changed_by_one_request_and_a_refusal_is_an_answer(
    act: Callable[[Rooms], Awaitable[bool]], method: str, path: str, form: dict[str, str], status: int
) -> None:
    api = Api(status=status, answer="" if status == 204 else {"sid": CONFERENCE})
    async with carrier(api) as running:
        assert await act(running.rooms)
        assert [asked[:3] for asked in api.asked] == [(method, path, form)]
        api.status, api.answer = 404, {"code": 20404, "message": "not found", "status": 404}
        assert not await act(running.rooms)
        api.status = 500
        with pytest.raises(CarrierDown):
            await act(running.rooms)


async def test_a_room_is_found_by_our_name_while_it_is_in_use() -> None:
    api = Api(status=200, answer={"conferences": [{"sid": CONFERENCE, "status": "in-progress"}], "page": 0})
    async with carrier(api) as running:
        assert await running.rooms.find(LABEL) == CONFERENCE
        assert api.asked[0][:2] == ("GET", f"/2010-04-01/Accounts/{ACCOUNT}/Conferences.json")
        api.answer = {"conferences": [], "page": 0}
        assert await running.rooms.find(LABEL) is None
        api.status = 503
        with pytest.raises(CarrierDown):
            await running.rooms.find(LABEL)


LISTED_CALL = {
    "sid": CALL_SID,
    "direction": "inbound",
    "to": "+33465710001",
    "from": CALLER,
    "start_time": "Tue, 10 Mar 2026 08:00:00 +0000",
    "end_time": "Tue, 10 Mar 2026 08:03:00 +0000",
    "date_created": "Tue, 10 Mar 2026 07:59:58 +0000",
}


@dataclass(slots=True)
class Stumbling(Api):
    """A carrier that is out of order for some requests.

    Arguments:
        stumbles: how many of them.
    """

    stumbles: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        answer = await Api.handle(self, request)
        self.stumbles -= 1
        return web.json_response({"code": 20500}, status=503) if self.stumbles >= 0 else answer


async def _calls_of(api: Api) -> list[ListedCall]:
    async with carrier(api) as running:
        listed = replace(running.call_list, again_after=0.0)
        return [one async for page in listed.listed(date(2026, 3, 9), date(2026, 3, 12)) for one in page]


async def test_a_call_is_listed_without_who_called() -> None:
    began = datetime(2026, 3, 10, 8, tzinfo=UTC)
    listed = await _calls_of(Api(200, {"calls": [LISTED_CALL], "next_page_uri": None}))
    assert listed == [ListedCall(CALL_SID, "+33465710001", began, began + timedelta(minutes=3))]
    assert CALLER not in repr(listed)
    assert "+33465710001" not in repr(listed)


@pytest.mark.parametrize(
    ("changes", "called", "began"),
    [
        ({"direction": "outbound-api"}, None, 0),
        ({"direction": "outbound-dial"}, None, 0),
        ({"start_time": None, "end_time": None}, "+33465710001", -2),  # it rings
    ],
)
async def test_other_legs_are_listed_too(changes: dict[str, object], called: str | None, began: int) -> None:
    (one,) = await _calls_of(Api(200, {"calls": [{**LISTED_CALL, **changes}], "next_page_uri": None}))
    at = datetime(2026, 3, 10, 8, tzinfo=UTC) + timedelta(seconds=began)
    assert (one.called, one.began_at) == (called, at)


@pytest.mark.parametrize(
    "changes", [{"sid": "CA1"}, {"direction": "sideways"}, {"start_time": None, "date_created": None}, {"sid": None}]
)
async def test_a_call_that_cannot_be_read_is_not_passed_over(changes: dict[str, object]) -> None:
    with capture_logs() as logs, pytest.raises(CarrierDown):
        await _calls_of(Api(200, {"calls": [LISTED_CALL, {**LISTED_CALL, **changes}], "next_page_uri": None}))
    assert CALLER not in str(logs)


@pytest.mark.parametrize(("stumbles", "asked"), [(0, 1), (2, 3), (3, 3)])
async def test_a_page_that_does_not_come_is_asked_for_again(stumbles: int, asked: int) -> None:
    api = Stumbling(200, {"calls": [LISTED_CALL], "next_page_uri": None}, stumbles=stumbles)
    if stumbles == asked:
        with pytest.raises(CarrierDown):
            await _calls_of(api)
    else:
        assert len(await _calls_of(api)) == 1
    assert len(api.asked) == asked
