"""Clients that register and are rung like telephones; what is whispered first; machines that answer."""

from __future__ import annotations

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.unit.emulator.bench import CALLER, PRACTICE, SECOND, Bench, bench, hears, sdk, twiml
from tests.unit.emulator.test_timeline import Clock

# The SDK still signs in by the object and the parameter that aiohttp has deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

ALICE = "client:alice"
ACCEPT = twiml('<Gather numDigits="1" action="/accepted" timeout="5"><Say>tapez 1 pour prendre</Say></Gather><Hangup/>')
PAGES = {
    "/dialled": twiml("<Say>suite</Say>"),
    "/accept": ACCEPT,
    "/accepted": lambda form: twiml("" if form.get("Digits") == "1" else "<Hangup/>"),
    "/in": twiml('<Dial action="/dialled"><Conference waitUrl="">salle</Conference></Dial>'),
}


def dial(inside: str, attributes: str = "") -> str:
    return twiml(f'<Dial action="/dialled" {attributes}>{inside}</Dial>')


async def register(desk: Bench, identity: str = "alice") -> None:
    assert (await desk.post("/clients", {"identity": identity}))["http"] == 201


async def rung(desk: Bench, number: str = ALICE) -> str:
    (leg,) = await desk.client.ringing(number, 5)
    return leg.sid


async def test_a_client_is_rung_told_answered_and_joined() -> None:
    noun = (
        '<Client statusCallback="/status" statusCallbackEvent="initiated ringing answered completed">'
        '<Identity>alice</Identity><Parameter name="dossier" value="7"/></Client>'
    )
    async with bench({**PAGES, "/voice": dial(noun)}) as desk:
        await register(desk)
        assert [one["address"] for one in (await desk.get("/clients"))["clients"]] == [ALICE]
        sid = await desk.call(caller="anonymous")  # a client may be shown anything
        (shown,) = (await desk.get(f"/telephones?number={ALICE}"))["telephones"]
        assert (shown["from"], shown["to"], shown["parameters"]) == ("anonymous", ALICE, {"dossier": "7"})
        leg = await rung(desk)
        await desk.client.answer(leg)
        assert (await desk.words(sid))[-1] == f"[en communication avec {ALICE}]"
        assert (await hears(desk, sid), await hears(desk, leg)) == ([leg], [sid])
        await desk.client.hang_up(leg)
        await desk.closed(sid)
        assert desk.application.asked("/dialled")[0]["DialCallSid"] == leg
        told = [fields for fields in desk.application.asked("/status") if fields["CallSid"] == leg]
        assert [fields["CallStatus"] for fields in told] == ["initiated", "ringing", "in-progress", "completed"]
        assert {(fields["To"], fields["ParentCallSid"]) for fields in told} == {(ALICE, sid)}


async def test_one_that_is_not_registered_fails_at_once_and_one_that_leaves_rings_no_more() -> None:
    async with bench({**PAGES, "/voice": dial("<Client>alice</Client>")}) as desk:
        sid = await desk.call()
        state = await desk.closed(sid)
        assert state["elapsed"] < 5
        assert desk.application.asked("/dialled")[0]["DialCallStatus"] == "no-answer"
        await register(desk)
        sid = await desk.call()
        leg = await rung(desk)
        assert (await desk.ask("DELETE", "/clients?identity=alice"))["removed"] is True
        assert (await desk.ask("DELETE", "/clients?identity=alice"))["removed"] is False
        await desk.closed(sid)
        assert (await desk.closed(leg))["status"] == "no-answer"
        assert desk.application.asked("/dialled")[1]["DialCallStatus"] == "no-answer"


async def test_a_client_and_a_telephone_ring_together_and_a_client_may_refuse() -> None:
    async with bench({**PAGES, "/voice": dial(f"<Client>alice</Client><Number>{SECOND}</Number>")}) as desk:
        await register(desk)
        sid = await desk.call()
        alice, second = await rung(desk), await rung(desk, SECOND)
        await desk.post(f"/telephones/{alice}/reject", {"reason": "busy"})
        assert (await desk.closed(alice))["status"] == "busy"
        await desk.client.answer(second)
        assert await hears(desk, sid) == [second]


@pytest.mark.parametrize("noun", ["<Client>a b</Client>", "<Client/>", f"<Client>{'a' * 257}</Client>"])
async def test_no_identity(noun: str) -> None:
    async with bench({**PAGES, "/voice": dial(noun)}) as desk:
        state = await desk.closed(await desk.call())
        assert [alert["code"] for alert in state["alerts"]] == [12200, 13224]
        assert desk.application.asked("/dialled")[0]["DialCallStatus"] == "failed"


async def test_eleven_are_too_many() -> None:
    async with bench({**PAGES, "/voice": dial("<Client>alice</Client>" * 11)}) as desk:
        state = await desk.closed(await desk.call())
        assert [alert["code"] for alert in state["alerts"]] == [13215]


async def test_the_application_rings_clients_over_rest() -> None:
    async with bench({**PAGES, "/voice": PAGES["/in"]}, clock=Clock()) as desk, sdk(desk) as client:
        await register(desk)
        sid = await desk.call()
        url = desk.application.base_url + "/in"
        order = await client.calls.create_async(to=ALICE, from_=PRACTICE, url=url)
        await desk.client.answer(await rung(desk))
        assert await hears(desk, order.sid) == [sid]
        await register(desk, "bob")
        invited = await client.conferences("salle").participants.create_async(from_=ALICE, to="client:bob", muted=True)
        await desk.client.answer(await rung(desk, "client:bob"))
        assert await hears(desk, invited.call_sid) == [sid, order.sid]
        assert await hears(desk, sid) == [order.sid]
        missing = await client.calls.create_async(to="client:personne", from_=PRACTICE, url=url)
        assert (await desk.closed(missing.sid))["status"] == "no-answer"
        for to, code in (("client:", 21211), ("client:a b", 21211), ("sip:a@b.fr", 21211)):
            with pytest.raises(TwilioRestException) as refused:
                await client.calls.create_async(to=to, from_=PRACTICE, url=url)
            assert refused.value.code == code


async def test_a_client_calls_us() -> None:
    async with bench({"/voice": twiml("<Say>bonjour</Say>")}) as desk:
        await desk.closed(await desk.call(caller=ALICE))
        (fields,) = desk.application.asked("/voice")
        assert (fields["From"], fields["FromCountry"]) == (ALICE, "")


@pytest.mark.parametrize("noun", ['<Client url="/accept">alice</Client>', f'<Number url="/accept">{SECOND}</Number>'])
async def test_whoever_answers_hears_something_first_and_may_refuse(noun: str) -> None:
    async with bench({**PAGES, "/voice": dial(noun)}) as desk:
        await register(desk)
        for key in "12":
            sid = await desk.call()
            leg = await rung(desk, ALICE if "alice" in noun else SECOND)
            await desk.client.answer(leg)
            assert await desk.words(leg) == ["tapez 1 pour prendre"]
            assert await hears(desk, sid) == []
            await desk.client.press(leg, key)
            assert await hears(desk, sid) == ([leg] if key == "1" else [])
            await desk.client.hang_up(leg)
            await desk.closed(sid)
            assert desk.application.asked("/dialled")[-1]["DialBridged"] == ("true" if key == "1" else "false")


@pytest.mark.parametrize(
    ("whisper", "codes"),
    [
        (twiml('<Enqueue action="/dialled">file</Enqueue><Hangup/>'), [12200]),
        (twiml(f"<Dial>{CALLER}</Dial><Hangup/>"), [13201]),
        (twiml("<Echo/>"), [12200]),
    ],
)
async def test_what_cannot_stand_in_a_whisper(whisper: str, codes: list[int]) -> None:
    noun = f'<Number url="/whisper">{SECOND}</Number>'
    async with bench({**PAGES, "/voice": dial(noun), "/whisper": whisper, "/dialled": twiml("<Hangup/>")}) as desk:
        sid = await desk.call()
        leg = await rung(desk, SECOND)
        await desk.client.answer(leg)
        assert [alert["code"] for alert in (await desk.closed(leg))["alerts"]] == codes
        await desk.closed(sid)
        assert desk.application.asked("/dialled")[-1]["DialBridged"] == "false"


async def voicemail(desk: Bench, after: float = 20, says: str = "laissez un message") -> None:
    body = {"number": SECOND, "when_called": "voicemail", "after": after, "says": says}
    assert (await desk.post("/lines", body))["http"] == 201


async def test_a_machine_answers_in_time_and_whoever_called_hears_it() -> None:
    async with bench({**PAGES, "/voice": dial(SECOND)}) as desk:
        await voicemail(desk)
        sid = await desk.call()
        await desk.client.advance(sid, 19)
        await desk.client.settled(sid)
        assert await hears(desk, sid) == []
        await desk.client.advance(sid, 1)
        assert "laissez un message" in await desk.words(sid)
        assert len(await hears(desk, sid)) == 1
        await desk.client.hang_up(sid)
        sid = await desk.call()  # somebody may be faster than the machine
        leg = await rung(desk, SECOND)
        await desk.client.answer(leg)
        assert "laissez un message" not in await desk.words(sid)


async def test_a_machine_never_presses_a_key() -> None:
    """The attack is a machine that takes a caller, the key the defence: without it the caller is with the machine."""
    for defended in (True, False):
        noun = f'<Number url="/accept">{SECOND}</Number>' if defended else SECOND
        async with bench({**PAGES, "/voice": dial(noun, 'timeout="30"')}) as desk:
            await voicemail(desk, says="1 1 1, tapez 1, un")
            sid = await desk.call()
            leg = await rung(desk, SECOND)
            await desk.client.advance(sid, 20)
            await desk.client.settled(sid)
            await desk.client.advance(sid, 30)
            await desk.client.settled(sid)
            assert await hears(desk, sid) == ([] if defended else [leg])
            if defended:
                await desk.closed(sid)
                assert desk.application.asked("/accepted") == []
                fields = desk.application.asked("/dialled")[0]
                assert (fields["DialCallStatus"], fields["DialBridged"]) == ("completed", "false")
                (said,) = (await desk.get(f"/calls/{leg}"))["entered"]
                assert (said["kind"], said["taken"]) == ("speech", False)


async def test_a_machine_speaks_to_whoever_listens_to_speech() -> None:
    ask = twiml('<Gather input="dtmf speech" action="/accepted" timeout="5"><Say>dites oui</Say></Gather><Hangup/>')
    noun = f'<Number url="/accept">{SECOND}</Number>'
    async with bench({**PAGES, "/voice": dial(noun), "/accept": ask}) as desk:
        await voicemail(desk)
        sid = await desk.call()
        await desk.client.advance(sid, 20)
        await desk.closed(sid)
        assert desk.application.asked("/accepted")[0]["SpeechResult"] == "laissez un message"


async def test_a_machine_that_is_slower_than_the_dial() -> None:
    async with bench({**PAGES, "/voice": dial(SECOND, 'timeout="10"')}) as desk:
        await voicemail(desk, after=15)
        sid = await desk.call()
        await desk.client.advance(sid, 15)
        await desk.closed(sid)
        assert desk.application.asked("/dialled")[0]["DialCallStatus"] == "no-answer"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/clients", {}),
        ("/clients", {"identity": "a b"}),
        ("/clients", {"identity": "a", "more": 1}),
        ("/lines", {"number": SECOND, "when_called": "voicemail", "after": 0}),
        ("/lines", {"number": SECOND, "when_called": "voicemail", "says": ""}),
        ("/lines", {"number": SECOND, "when_called": "rings", "says": "a"}),
        ("/lines", {"number": "client:a b", "when_called": "busy"}),
    ],
)
async def test_requests_that_are_refused(path: str, body: dict[str, object]) -> None:
    async with bench({}) as desk:
        answer = await desk.post(path, body)
        assert answer["http"] == 400
        assert answer["error"]
        assert (await desk.get(path))[path[1:]] == []


async def test_a_client_that_is_busy() -> None:
    async with bench({**PAGES, "/voice": dial("<Client>alice</Client>")}) as desk:
        await register(desk)
        assert (await desk.post("/lines", {"number": ALICE, "when_called": "busy"}))["http"] == 201
        await desk.closed(await desk.call())
        assert desk.application.asked("/dialled")[0]["DialCallStatus"] == "busy"
        assert (await desk.ask("DELETE", "/clients"))["http"] == 400
