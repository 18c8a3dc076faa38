from __future__ import annotations

import pytest

from callcenter.emulator.twiml import DocumentFailed, parse
from callcenter.emulator.verbs import (
    Dial,
    DialledConference,
    DialledNumber,
    DialledQueue,
    Enqueue,
    Gather,
    Hangup,
    Leave,
    Pause,
    Play,
    Redirect,
    Reject,
    Say,
    Unsupported,
    Verb,
)

HERE = "http://h.fr/calls/1/next?step=2"


def one(inside: str) -> Verb:
    document = parse(f"<Response>{inside}</Response>".encode(), HERE)
    assert document.alerts == ()
    return document.verbs[0]


def codes(inside: str) -> list[int]:
    return [alert.code for alert in parse(f"<Response>{inside}</Response>".encode(), HERE).alerts]


def test_every_verb() -> None:
    assert one('<Say language="fr-FR" voice="Polly.Lea">Le <break time="1s"/> <emphasis>15</emphasis></Say>') == Say(
        "Le 15", language="fr-FR"
    )
    assert one("<Play>/audio/a.wav</Play>") == Play("http://h.fr/audio/a.wav")
    assert one('<Play digits="1w#"/>') == Play(None, "1w#")
    assert one("<Pause/>") == Pause(1.0)
    assert one('<Pause length="3"/>') == Pause(3.0)
    assert one("<Redirect>../x</Redirect>") == Redirect("http://h.fr/calls/x")
    assert one("<Redirect/>") == Redirect(HERE)
    assert one('<Reject reason="busy"/>') == Reject("busy")
    assert one("<Hangup/>") == Hangup()
    assert one("<Echo/>") == Unsupported("Echo")
    assert one("<Dial><Sip>sip:a@b.fr</Sip></Dial>") == Unsupported("Dial/Sip")


def test_endless_loop_is_a_thousand() -> None:
    assert one('<Play loop="0">/a.wav</Play>') == Play("http://h.fr/a.wav", loop=1000)


def test_gather() -> None:
    assert one(
        '<Gather action="/g" method="GET" input="dtmf speech" timeout="8" numDigits="8" finishOnKey=""'
        ' actionOnEmptyResult="true" language="fr-FR"><Say>a</Say><Pause/><Play>b.wav</Play></Gather>'
    ) == Gather(
        "http://h.fr/g", "GET", keys=True, speech=True, timeout=8.0, num_digits=8, finish_on="", empty_too=True,
        prompts=(Say("a"), Pause(), Play("http://h.fr/calls/1/b.wav")),
    )  # fmt: skip
    assert one("<Gather/>") == Gather(HERE)


def test_dial() -> None:
    assert one('<Dial action="/d" timeout="20" callerId="+33465710001">+33472000000</Dial>') == Dial(
        (DialledNumber("+33472000000"),), "http://h.fr/d", timeout=20.0, caller_id="+33465710001"
    )
    assert one(
        '<Dial><Number url="/w" statusCallback="/s" statusCallbackEvent="ringing answered">+33472000000</Number></Dial>'
    ) == Dial(
        (DialledNumber("+33472000000", "http://h.fr/w", "POST", "http://h.fr/s", frozenset({"ringing", "answered"})),)
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 11770),
        (b" \n", 11770),
        (b"<Response>" + b" " * 65536 + b"</Response>", 11750),
        (b"<Response><Say>", 12100),
        (b"<response/>", 12100),
        (b"hello", 12100),
        ("<Response><Say>é</Say></Response>".encode("latin-1"), 12100),
    ],
)
def test_documents_that_fail(body: bytes, code: int) -> None:
    with pytest.raises(DocumentFailed) as failed:
        parse(body, HERE)
    assert failed.value.code == code


def test_largest_document_is_read() -> None:
    padding = 65536 - len("<Response></Response>")
    assert parse(b"<Response>" + b" " * padding + b"</Response>", HERE).verbs == ()


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        ("<Speak>a</Speak>", 12200),
        ('<Say Language="fr-FR">a</Say>', 12200),
        ('<Gather finishOnKey="x"/>', 13310),
        ('<Gather method="PUT"/>', 13312),
        ('<Gather timeout="soon"/>', 13313),
        ('<Gather numDigits="two"/>', 13314),
        ("<Gather><Redirect/></Gather>", 13320),
        ('<Gather><Play digits="1"/></Gather>', 13430),
        ('<Play digits="!"/>', 13430),
        (f"<Say>{'a' * 4097}</Say>", 13521),
        ("<Dial><Phone>1</Phone></Dial>", 13215),
        ('<Gather actionOnEmptyResult="yes"/>', 12200),
        ('<Enqueue method="PUT">q</Enqueue>', 14201),
        ('<Enqueue waitUrlMethod="PUT">q</Enqueue>', 14201),
        ('<Dial><Conference muted="yes">c</Conference></Dial>', 13230),
        ('<Dial><Conference endConferenceOnExit="yes">c</Conference></Dial>', 13231),
        ('<Dial><Conference startConferenceOnEnter="no">c</Conference></Dial>', 13232),
        ('<Dial><Conference waitMethod="PUT">c</Conference></Dial>', 13234),
        ('<Dial><Conference beep="loud">c</Conference></Dial>', 13235),
        ('<Dial><Conference statusCallbackEvent="begin">c</Conference></Dial>', 12200),
        ("<Dial><Client>a<Phone/></Client></Dial>", 12200),
        ("<Dial><Queue>q</Queue><Number>+33472000000</Number></Dial>", 13215),
        ("<Dial><Number>+33472000000</Number><Queue>q</Queue></Dial>", 13215),
    ],
)
def test_warnings(inside: str, code: int) -> None:
    assert codes(inside) == [code]


def test_comments_are_ignored_and_unknown_verbs_skipped() -> None:
    document = parse(b"<Response><!-- a --><Speak/><Say>b</Say></Response>", HERE)
    assert document.verbs == (Say("b"),)


def test_inline_document_has_no_address() -> None:
    document = parse(b'<Response><Gather/><Gather action="http://h.fr/g"/></Response>', None)
    assert document.verbs == (Gather(None), Gather("http://h.fr/g"))


@pytest.mark.parametrize(("written", "seconds"), [("1", 5.0), ("4", 5.0), ("5", 5.0), ("600", 600.0), ("9000", 600.0)])
def test_a_dial_rings_between_five_seconds_and_ten_minutes(written: str, seconds: float) -> None:
    dialled = one(f'<Dial timeout="{written}">+33472000000</Dial>')
    assert isinstance(dialled, Dial)
    assert dialled.timeout == seconds


def test_queues() -> None:
    assert one('<Enqueue action="/a" waitUrl="/w" waitUrlMethod="GET" maxQueueSize="5"> q </Enqueue>') == Enqueue(
        "q", "http://h.fr/a", wait_url="http://h.fr/w", wait_method="GET", max_size=5
    )
    assert one("<Enqueue>q</Enqueue>") == Enqueue("q")
    assert one("<Leave/>") == Leave()
    assert one('<Enqueue workflowSid="WW1"/>') == Unsupported("Enqueue/Task")
    dialled = one('<Dial><Queue url="/w">q</Queue></Dial>')
    assert isinstance(dialled, Dial)
    assert dialled.queue == DialledQueue("q", "http://h.fr/w")
    inline = parse(b'<Response><Enqueue action="/a" waitUrl="/w">q</Enqueue></Response>', None)
    assert sorted(alert.code for alert in inline.alerts) == [14202, 14203]


def test_conferences() -> None:
    dialled = one(
        '<Dial><Conference muted="true" beep="onEnter" startConferenceOnEnter="false" endConferenceOnExit="true" '
        'participantLabel="a" waitUrl="/w" waitMethod="GET" maxParticipants="9999" coach="CA1" record="true" '
        'statusCallback="/s" statusCallbackEvent="join leave">c</Conference></Dial>'
    )
    assert isinstance(dialled, Dial)
    assert dialled.conference == DialledConference(
        "c", muted=True, starts=False, ends=True, label="a", wait_url="http://h.fr/w", wait_method="GET", most=250,
        coach="CA1", beep="onEnter", callback="http://h.fr/s", events=frozenset({"join", "leave"}),
    )  # fmt: skip
    for written, url in (("", None), ('waitUrl=""', "")):
        quiet = one(f"<Dial><Conference {written}>c</Conference></Dial>")
        assert isinstance(quiet, Dial)
        assert quiet.conference == DialledConference("c", wait_url=url)
