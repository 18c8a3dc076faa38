"""Webhooks of calls and messages, on a real socket: whatever fails behind the edge, a caller is answered."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from callcenter.calls.values import CallStatus, Incoming, Slot, StepAnswered
from callcenter.flow.conversation import Keyed
from callcenter.kernel.errors import Forbidden, NotFound
from callcenter.store.database import DatabaseDown
from callcenter.telephony.ports import MessageStatus
from tests.unit.telephony.doubles import (
    CALL,
    CALL_SID,
    CALLED,
    CALLER,
    INCOMING,
    RESCUE,
    SECRET,
    Edge,
    Received,
    document,
    running_edge,
)

PATIENT_WORD = "Jeanne Martin-Duval"


def verbs(answer: Received) -> list[str]:
    return [verb.tag for verb in document(answer.body)]


def assert_static(answer: Received, *, dials: bool = True) -> None:
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert "composez le 15 ou le 112" in answer.body.decode()
    assert verbs(answer) == (["Say", "Say", "Dial", "Say", "Hangup"] if dials else ["Say", "Say", "Hangup"])
    assert PATIENT_WORD not in answer.body.decode()


async def test_a_call_comes_in_and_its_answer_is_the_steps() -> None:
    async with running_edge() as edge:
        answer = await edge.post("/voice/incoming", INCOMING)
        assert verbs(answer) == ["Say", "Hangup"]
        assert "Bonjour de l'étape" in answer.body.decode()
        (event,) = edge.calls.steps
        assert isinstance(event, Incoming)
        assert (event.carrier_sid, event.caller, event.called) == (CALL_SID, CALLER, CALLED)


async def test_a_continuation_is_given_to_the_step_even_after_the_call_has_ended() -> None:
    async with running_edge() as edge:
        for _ in range(2):
            answer = await edge.step({"Digits": "14031962", "FinishedOnKey": "#", "CallStatus": "completed"}, "3")
            assert "Bonjour de l'étape" in answer.body.decode()
        (event, again) = edge.calls.steps
        assert isinstance(event, StepAnswered)
        assert (event.call, event.document, event.slot) == (CALL, 3, Slot.NEXT)
        assert event.keyed == Keyed("14031962", hash_key=True)
        assert event == again
        labels = {"route": "/voice/calls/{call}/{document}/{slot}", "outcome": "replayed"}
        assert edge.count("callcenter_edge_requests_total", **labels) == 1


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (DatabaseDown(PATIENT_WORD), "unavailable"),
        (NotFound(PATIENT_WORD), "unknown_number"),
        (Forbidden(PATIENT_WORD), "foreign_step"),
        (RuntimeError(PATIENT_WORD), "step_failed"),
        (TimeoutError(PATIENT_WORD), "step_slow"),
    ],
)
async def test_a_step_that_throws_is_answered_from_memory(failure: Exception, kind: str) -> None:
    async with running_edge() as edge:
        edge.calls.fails = failure
        with capture_logs() as logs:
            answer = await edge.post("/voice/incoming", INCOMING)
        assert_static(answer)
        assert edge.count("callcenter_alerts_total", kind=kind) == 1
        (alert,) = [log for log in logs if log["event"] == "alert"]
        assert (alert["log_level"], alert["kind"], alert["error"]) == ("error", kind, type(failure).__name__)
        assert alert["where"].startswith("doubles.py:")
        assert PATIENT_WORD not in str(logs)


async def test_a_step_of_an_unknown_call_and_of_another_call_are_told_apart_in_alerts_alone() -> None:
    async with running_edge() as edge:
        edge.calls.fails = NotFound()
        unknown = await edge.step({"Digits": "1"})
        edge.calls.fails = Forbidden()
        foreign = await edge.step({"Digits": "1"})
        assert_static(unknown)
        assert unknown.body == foreign.body
        assert edge.count("callcenter_alerts_total", kind="unknown_call") == 1
        assert edge.count("callcenter_alerts_total", kind="foreign_step") == 1


async def test_a_step_that_takes_too_long_is_answered_from_memory() -> None:
    async with running_edge(step_seconds=0.05) as edge:
        edge.calls.hangs = True
        assert_static(await edge.post("/voice/incoming", INCOMING))
        assert edge.count("callcenter_alerts_total", kind="step_slow") == 1


@pytest.mark.parametrize(
    ("changes", "dials"),
    [
        ({"CallSid": "nonsense"}, True),
        ({"CallSid": "nonsense", "From": RESCUE}, False),
        ({"CallSid": "nonsense", "ForwardedFrom": "0472000000"}, False),
        ({"CallSid": "nonsense", "From": "anonymous"}, True),
        ({"To": ""}, False),
        ({"To": "client:x"}, False),
    ],
)
async def test_a_malformed_call_is_not_lost(changes: dict[str, str], dials: bool) -> None:
    async with running_edge() as edge:
        assert_static(await edge.post("/voice/incoming", {**INCOMING, **changes}), dials=dials)
        assert edge.calls.steps == []
        assert edge.count("callcenter_alerts_total", kind="malformed_webhook") == 1
        labels = {"route": "/voice/incoming", "outcome": "static"}
        assert edge.count("callcenter_edge_requests_total", **labels) == 1


@pytest.mark.parametrize(
    "path", [f"{CALL}/0/next", f"{CALL}/1/other", "not-a-call/1/next", f"{CALL}/x/next", f"{CALL.hex}/1/next"]
)
async def test_a_malformed_continuation_is_not_lost(path: str) -> None:
    async with running_edge() as edge:
        assert_static(await edge.post(f"/voice/calls/{path}", INCOMING))
        assert edge.calls.steps == []


async def test_the_fallback_answers_from_memory_and_alerts_without_secrets() -> None:
    async with running_edge() as edge:
        edge.calls.fails = DatabaseDown()
        url = f"{edge.base}/audio/{CALL}/{SECRET}?Digits=482719"
        with capture_logs() as logs:
            answer = await edge.post("/voice/fallback", {**INCOMING, "ErrorCode": "11200", "ErrorUrl": url})
        assert_static(answer)
        (alert,) = [log for log in logs if log["event"] == "alert"]
        assert (alert["kind"], alert["code"], alert["path"]) == ("carrier_fallback", "11200", "/audio/*/*")
        assert SECRET not in str(logs)
        assert "482719" not in str(logs)


async def status(edge: Edge, **fields: str) -> Received:
    return await edge.post("/voice/status", {"CallSid": CALL_SID, "CallStatus": "completed", **fields})


async def test_status_callbacks_are_accepted_however_often_they_come() -> None:
    async with running_edge() as edge:
        numbered = {"CallbackSource": "call-progress-events", "SequenceNumber": "3"}
        answers = [await status(edge, **numbered), await status(edge, **numbered), await status(edge)]
        assert [(answer.status, answer.body) for answer in answers] == [(204, b"")] * 3
        assert [event.status for event in edge.calls.statuses] == [CallStatus.COMPLETED] * 3


async def test_a_status_that_means_nothing_is_counted_and_one_that_cannot_be_kept_may_be_sent_again() -> None:
    async with running_edge() as edge:
        assert (await status(edge, CallStatus="sleeping")).status == 204
        assert edge.calls.statuses == []
        edge.calls.fails = DatabaseDown(PATIENT_WORD)
        answer = await status(edge)
        assert (answer.status, answer.body) == (503, b"")
        assert edge.count("callcenter_alerts_total", kind="malformed_webhook") == 1
        assert edge.count("callcenter_alerts_total", kind="status_failed") == 1


async def test_message_statuses_are_handed_on() -> None:
    async with running_edge() as edge:
        sid = "SM" + "a" * 32
        fields = {"MessageSid": sid, "MessageStatus": "undelivered", "ErrorCode": "30003", "To": CALLER}
        assert (await edge.post("/messages/status", fields)).status == 204
        assert (await edge.post("/messages/status", {**fields, "MessageStatus": "lost"})).status == 204
        assert edge.messages.statuses == [(sid, MessageStatus.UNDELIVERED, 30003)]
        edge.messages.fails = DatabaseDown()
        assert (await edge.post("/messages/status", fields)).status == 503
        assert (await edge.post("/messages/status", fields, signature="")).status == 403


async def test_an_error_in_the_edge_itself_shows_nothing() -> None:
    class Broken:
        def answer(self, _: object) -> bytes:
            raise RuntimeError(PATIENT_WORD)

    async with running_edge(static=Broken()) as edge:
        with capture_logs() as logs:
            answer = await edge.post("/voice/fallback", INCOMING)
        assert (answer.status, answer.body) == (500, b"")
        assert edge.count("callcenter_alerts_total", kind="edge_failed") == 1
        assert PATIENT_WORD not in str(logs)
