"""Forms as values: what is accepted, what is nonsense, what is malformed."""

from __future__ import annotations

import pytest
from multidict import MultiDict

from callcenter.calls.values import CallStatus, Incoming, RecordingReady, Slot, StatusChanged, StepAnswered
from callcenter.flow.conversation import Dialled, Keyed, Rang, Recorded
from callcenter.telephony import webhooks
from callcenter.telephony.callers import Line
from callcenter.telephony.ports import MessageStatus
from callcenter.telephony.webhooks import NONSENSE, FallbackAsked, Malformed, MessageChanged, TextReceived, TextWord
from tests.unit.telephony.doubles import CALL, CALL_SID, CALLED, CALLER, INCOMING, SECRET

PATH = {"call": str(CALL), "document": "4", "slot": "next"}


def incoming(**changes: str) -> Incoming:
    event = webhooks.read_incoming(MultiDict({**INCOMING, **changes}))
    assert isinstance(event, Incoming)
    return event


def step(**fields: str) -> StepAnswered:
    event = webhooks.read_step(PATH, MultiDict({"CallSid": CALL_SID, **fields}))
    assert isinstance(event, StepAnswered)
    return event


def test_an_incoming_call() -> None:
    event = incoming()
    assert (event.carrier_sid, event.caller, event.called) == (CALL_SID, CALLER, CALLED)
    assert incoming(From="Anonymous").caller is None
    assert incoming(To=" " + CALLED[1:]).called == CALLED


def test_the_fingerprint_of_a_call_is_of_what_matters() -> None:
    assert incoming().fingerprint == incoming(CallStatus="in-progress", FromCity="LYON").fingerprint
    assert incoming(From="anonymous").fingerprint == incoming(From="Restricted").fingerprint
    assert incoming().fingerprint != incoming(From="+33639980002").fingerprint
    assert len(incoming().fingerprint) == 32


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "CallSid"),
        ({"CallSid": "CA" + "0" * 31, "To": CALLED}, "CallSid"),
        ({"CallSid": "CA" + "0" * 32 + "\n", "To": CALLED}, "CallSid"),
        ({"CallSid": "CA" + "A" * 32, "To": CALLED}, "CallSid"),
        ({"CallSid": CALL_SID}, "To"),
        ({"CallSid": CALL_SID, "To": "sip:a@b"}, "To"),
    ],
)
def test_a_call_without_its_identifier_or_number_is_malformed(form: dict[str, str], field: str) -> None:
    assert webhooks.read_incoming(MultiDict(form)) == Malformed(field)


def test_a_field_that_stands_twice_is_none() -> None:
    assert webhooks.read_incoming(MultiDict([*INCOMING.items(), ("To", CALLED)])) == Malformed("To")
    twice = MultiDict([("CallSid", CALL_SID), ("Digits", "1"), ("Digits", "2")])
    assert webhooks.read_step(PATH, twice) == Malformed("Digits")


@pytest.mark.parametrize(
    ("digits", "finished", "keyed"),
    [
        ("", "", Keyed("")),
        ("", "#", Keyed("", hash_key=True)),
        ("14031962", "", Keyed("14031962")),
        ("12*34", "#", Keyed("12*34", hash_key=True)),
        ("12#", "", Keyed("12", hash_key=True)),
        ("1" * 64, "", Keyed("1" * 64)),
        ("1" * 65, "", NONSENSE),
        ("12A4", "", NONSENSE),
        ("1#2", "", NONSENSE),
        ("٣", "", NONSENSE),
        ("hangup", "", NONSENSE),
        ("1 2", "", NONSENSE),
    ],
)
def test_keys(digits: str, finished: str, keyed: Keyed) -> None:
    assert webhooks.read_keys(digits, finished) == keyed


def test_a_step_answered() -> None:
    event = step(Digits="2", FinishedOnKey="#", CallStatus="completed")
    assert (event.call, event.carrier_sid, event.document, event.slot) == (CALL, CALL_SID, 4, Slot.NEXT)
    assert event.keyed == Keyed("2", hash_key=True)
    assert step().keyed == Keyed("")


@pytest.mark.parametrize("name", ["Digits", "RecordingSid", "DialCallStatus", "QueueResult"])
def test_the_fingerprint_of_a_step_is_of_the_meaningful_fields(name: str) -> None:
    assert step(**{name: "1"}).fingerprint != step(**{name: "2"}).fingerprint
    assert step(**{name: "1"}).fingerprint != step().fingerprint
    assert step(Digits="1", CallStatus="completed", Extra="x").fingerprint == step(Digits="1").fingerprint


def test_fields_cannot_be_shifted_into_one_another() -> None:
    assert step(Digits="1", QueueResult="2").fingerprint != step(Digits="2", QueueResult="1").fingerprint
    assert step(Digits='1","QueueResult":"2').fingerprint != step(Digits="1", QueueResult="2").fingerprint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("call", str(CALL).upper().replace("5", "A")),
        ("call", CALL.hex),
        ("call", "{" + str(CALL) + "}"),
        ("document", "0"),
        ("document", "-1"),
        ("document", "01"),
        ("document", "1e3"),
        ("document", "٣"),
        ("document", "9" * 10),
        ("slot", "NEXT"),
        ("slot", "previous"),
        ("slot", ""),
    ],
)
def test_a_step_with_another_path_is_malformed(name: str, value: str) -> None:
    assert webhooks.read_step({**PATH, name: value}, MultiDict(CallSid=CALL_SID)) == Malformed(name)


def test_a_step_without_its_call_is_malformed() -> None:
    assert webhooks.read_step(PATH, MultiDict(Digits="1")) == Malformed("CallSid")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("queued", CallStatus.QUEUED),
        ("initiated", CallStatus.INITIATED),
        ("ringing", CallStatus.RINGING),
        ("in-progress", CallStatus.IN_PROGRESS),
        ("completed", CallStatus.COMPLETED),
        ("busy", CallStatus.BUSY),
        ("failed", CallStatus.FAILED),
        ("no-answer", CallStatus.NO_ANSWER),
        ("canceled", CallStatus.CANCELED),
    ],
)
def test_every_status_of_the_carrier_is_known(word: str, status: CallStatus) -> None:
    form = MultiDict(CallSid=CALL_SID, CallStatus=word, CallbackSource="call-progress-events", SequenceNumber="2")
    assert webhooks.read_status_change(form) == StatusChanged(CALL_SID, status)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"CallSid": "x"}, "CallSid"),
        ({"CallStatus": "in_progress"}, "CallStatus"),
    ],
)
def test_a_malformed_status(changes: dict[str, str], field: str) -> None:
    form = {"CallSid": CALL_SID, "CallStatus": "completed", **changes}
    assert webhooks.read_status_change(MultiDict(form)) == Malformed(field)


def test_a_messages_status() -> None:
    sid = "SM" + "a" * 32
    form = MultiDict(MessageSid=sid, MessageStatus="undelivered", ErrorCode="30003")
    assert webhooks.read_message_status(form) == MessageChanged(sid, MessageStatus.UNDELIVERED, 30003)
    form = MultiDict(MessageSid=sid, MessageStatus="sent", ErrorCode="")
    assert webhooks.read_message_status(form) == MessageChanged(sid, MessageStatus.SENT, None)
    assert webhooks.read_message_status(MultiDict(MessageSid=sid)) == Malformed("MessageStatus")
    assert webhooks.read_message_status(MultiDict(MessageSid="SMx")) == Malformed("MessageSid")


def test_a_fallbacks_url_keeps_no_query_and_no_secret() -> None:
    url = f"https://u:p@a.fr/audio/{CALL}/{SECRET}?Digits=123456#x"
    asked = webhooks.read_fallback(MultiDict(ErrorCode="11200", ErrorUrl=url))
    assert asked == FallbackAsked("11200", "/audio/*/*")
    assert webhooks.read_fallback(MultiDict(ErrorUrl="http://[::1", ErrorCode="x" * 99)) == FallbackAsked("", "")


def test_the_line_is_read_whatever_else_is_wrong() -> None:
    form = MultiDict(To=CALLED, From="anonymous", ForwardedFrom="0465710099", CalledVia="+33465710099")
    assert webhooks.read_line(form) == Line(CALLED, ("anonymous", "0465710099", "+33465710099"))
    assert webhooks.read_line(MultiDict()) == Line(None)


@pytest.mark.parametrize("token", ["", "short", "a/b" * 20, "é" * 20, "a" * 129])
def test_an_audio_token_has_a_form(token: str) -> None:
    assert webhooks.read_audio({"call": str(CALL), "token": token}) == Malformed("token")
    assert webhooks.read_audio({"call": str(CALL), "token": SECRET}) == (CALL, SECRET)


# --- what was spoken

RECORDED = {**PATH, "slot": "recorded"}
SPOKEN = {"CallSid": CALL_SID, "RecordingSid": "RE" + "a" * 32, "RecordingDuration": "12"}


@pytest.mark.parametrize("ended_by", [{}, {"Digits": "#"}, {"Digits": "hangup"}])
def test_what_was_spoken_is_its_identifier_and_length_whatever_ended_it(ended_by: dict[str, str]) -> None:
    event = webhooks.read_step(RECORDED, MultiDict({**SPOKEN, **ended_by, "RecordingUrl": "http://evil.example/x"}))
    assert isinstance(event, StepAnswered)
    assert (event.recorded, event.keyed) == (Recorded("RE" + "a" * 32, 12), Keyed(""))
    assert "evil" not in repr(event)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("RecordingSid", ""),
        ("RecordingSid", "CA" + "a" * 32),
        ("RecordingSid", "RE" + "a" * 32 + "/../../Messages"),
        ("RecordingDuration", "-1"),
        ("RecordingDuration", "٣"),
    ],
)
def test_an_identifier_that_could_lead_elsewhere_is_malformed(field: str, value: str) -> None:
    assert webhooks.read_step(RECORDED, MultiDict({**SPOKEN, field: value})) == Malformed(field)


def test_a_report_tells_whether_anything_was_spoken() -> None:
    path = {"call": PATH["call"], "document": PATH["document"]}
    for status, heard in (("completed", True), ("absent", False)):
        event = webhooks.read_recording(path, MultiDict({**SPOKEN, "RecordingStatus": status}))
        assert isinstance(event, RecordingReady)
        assert (event.heard, event.step.recorded) == (heard, Recorded("RE" + "a" * 32, 12))
    assert webhooks.read_recording(path, MultiDict({**SPOKEN, "RecordingStatus": "in-progress"})) == Malformed(
        "RecordingStatus"
    )


# --- what became of a line that was rung

DIALLED = {**PATH, "slot": "dialled"}


@pytest.mark.parametrize(
    ("status", "rang"),
    [
        ("completed", Rang.TALKED),
        ("busy", Rang.BUSY),
        ("no-answer", Rang.NO_ANSWER),
        ("failed", Rang.FAILED),
        ("canceled", Rang.CANCELLED),
        ("a word that is new", Rang.FAILED),
    ],
)
def test_only_a_call_that_was_completed_has_been_a_talk(status: str, rang: Rang) -> None:
    event = webhooks.read_step(DIALLED, MultiDict({"CallSid": CALL_SID, "DialCallStatus": status}))
    assert isinstance(event, StepAnswered)
    assert event.dialled == Dialled(rang)


def test_what_does_not_say_what_became_of_a_line_is_malformed() -> None:
    assert webhooks.read_step(DIALLED, MultiDict({"CallSid": CALL_SID})) == Malformed("DialCallStatus")


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("STOP", TextWord.STOP),
        (" Arrêt. ", TextWord.STOP),
        ("Arrêtez !", TextWord.STOP),
        ("ＳＴＯＰ", TextWord.STOP),
        ("stop SVP", TextWord.STOP),
        ("STOP au 01 99 00 00 01", TextWord.STOP),
        ("\nStop\n\nEnvoyé de mon téléphone", TextWord.STOP),
        ("Start, merci", TextWord.START),
        ("Je ne peux pas venir, stop", None),
        ("Stop, je suis dans le bus", None),
        ("Bonjour\nSTOP", None),
        ("", None),
        ("\n", None),
    ],
)
def test_a_text_asks_for_an_end_in_whatever_way_people_write_it(body: str, word: TextWord | None) -> None:
    read = webhooks.read_text(MultiDict({"MessageSid": "SM" + "0" * 32, "From": CALLER, "Body": body}))
    assert isinstance(read, TextReceived)
    assert read.word is word
