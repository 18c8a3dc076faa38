"""Every ending of a Gather, over HTTP."""

from __future__ import annotations

import asyncio

from tests.unit.emulator.bench import Bench, Reply, bench, twiml, wav

THANKS = twiml("<Say>merci</Say>")


def gather(attributes: str, inside: str = "<Say>tapez</Say>", after: str = "<Say>rien</Say>") -> str:
    return twiml(f'<Gather action="/next" {attributes}>{inside}</Gather>{after}')


async def speaking(desk: Bench, sid: str, text: str) -> None:
    """Wait until a live call says something."""
    revision: int | None = None
    while True:
        state = await desk.client.state(sid, after=revision, wait=10)
        if any(heard.text == text for heard in state.heard):
            return
        revision = state.revision


async def test_num_digits_ends_it_and_what_comes_after_is_dropped() -> None:
    async with bench({"/voice": gather('numDigits="2"'), "/next": THANKS}) as desk:
        sid = await desk.call()
        pressed = await desk.post(f"/calls/{sid}/keys", {"digits": "123"})
        assert (pressed["taken"], pressed["dropped"]) == ("12", 1)
        assert await desk.words(sid) == ["tapez", "merci"]
        asked = desk.application.asked("/next")[0]
        assert (asked["Digits"], asked["FinishedOnKey"], asked["msg"]) == ("12", "", "Gather End")
        assert asked["CallStatus"] == "in-progress"


async def test_finish_on_key_ends_it_and_is_no_digit() -> None:
    async with bench({"/voice": gather(""), "/next": THANKS}) as desk:
        sid = await desk.call()
        await desk.client.press(sid, "1*2#")
        await desk.closed(sid)
        assert [(f["Digits"], f["FinishedOnKey"]) for f in desk.application.asked("/next")] == [("1*2", "#")]


async def test_timeout_sends_what_was_typed_and_each_key_starts_it_again() -> None:
    async with bench({"/voice": gather('numDigits="8" timeout="5"'), "/next": THANKS}) as desk:
        sid = await desk.call()
        for key in "05":
            await desk.client.advance(sid, 4)
            await desk.client.settled(sid)
            assert await desk.client.press(sid, key) == key
            await desk.client.settled(sid)
        await desk.client.advance(sid, 5)
        await desk.closed(sid)
        assert [f["Digits"] for f in desk.application.asked("/next")] == ["05"]


async def test_silence_falls_through_to_the_next_verb_without_a_webhook() -> None:
    async with bench({"/voice": gather('timeout="5"'), "/next": THANKS}) as desk:
        sid = await desk.call()
        await desk.client.advance(sid, 5)
        assert await desk.words(sid) == ["tapez", "rien"]
        assert desk.application.asked("/next") == []


async def test_silence_without_a_next_verb_hangs_up() -> None:
    async with bench({"/voice": gather("", after="")}) as desk:
        sid = await desk.call()
        await desk.client.advance(sid, 5)
        state = await desk.closed(sid)
        assert (state["status"], state["hung_up_by"]) == ("completed", "carrier")


async def test_silence_is_reported_with_action_on_empty_result() -> None:
    async with bench({"/voice": gather('actionOnEmptyResult="true"'), "/next": THANKS}) as desk:
        sid = await desk.call()
        await desk.client.advance(sid, 4)
        await desk.client.settled(sid)
        assert desk.application.asked("/next") == []
        await desk.client.advance(sid, 1)
        assert await desk.words(sid) == ["tapez", "merci"]
        assert [(f["Digits"], f["FinishedOnKey"]) for f in desk.application.asked("/next")] == [("", "")]


async def test_the_finishing_key_alone_is_no_input() -> None:
    async with bench({"/voice": gather(""), "/next": THANKS}) as desk:
        sid = await desk.call()
        await desk.client.press(sid, "#")
        assert await desk.words(sid) == ["tapez", "rien"]
        assert desk.application.asked("/next") == []
    async with bench({"/voice": gather('actionOnEmptyResult="true"'), "/next": THANKS}) as desk:
        sid = await desk.call()
        await desk.client.press(sid, "#")
        await desk.closed(sid)
        assert [(f["Digits"], f["FinishedOnKey"]) for f in desk.application.asked("/next")] == [("", "#")]


async def test_hanging_up_meanwhile_makes_no_action() -> None:
    async with bench({"/voice": gather('actionOnEmptyResult="true"'), "/next": THANKS}) as desk:
        sid = await desk.call()
        await desk.client.press(sid, "1")
        await desk.client.hang_up(sid)
        state = await desk.closed(sid)
        assert (state["status"], state["hung_up_by"]) == ("completed", "telephone")
        assert desk.application.asked("/next") == []
        assert len(desk.application.asked("/status")) == 1


async def test_without_action_the_current_document_is_asked_again() -> None:
    async with bench({"/voice": [twiml('<Gather numDigits="1"/>'), THANKS]}) as desk:
        sid = await desk.call()
        await desk.client.press(sid, "7")
        await desk.closed(sid)
        assert [f.get("Digits") for f in desk.application.asked("/voice")] == [None, "7"]


async def test_get_carries_the_input_in_the_query_and_is_signed() -> None:
    async with bench({"/voice": gather('numDigits="1" method="GET"'), "/next": THANKS}) as desk:
        sid = await desk.call()
        await desk.client.press(sid, "*")
        await desk.closed(sid)
        method, _, fields = next(request for request in desk.application.requests if request[1] == "/next")
        assert (method, fields["Digits"], fields["From"]) == ("GET", "*", "+33639980001")


async def test_speech() -> None:
    async with bench({"/voice": gather('input="dtmf speech"'), "/next": THANKS}) as desk:
        sid = await desk.call()
        await desk.client.speak(sid, "le secrétariat")
        await desk.closed(sid)
        asked = desk.application.asked("/next")[0]
        assert asked["SpeechResult"] == "le secrétariat"
        assert 0 <= float(asked["Confidence"]) <= 1
        assert "Digits" not in asked


async def test_speech_to_a_gather_of_keys_is_refused_with_what_to_do() -> None:
    async with bench({"/voice": gather("")}) as desk:
        sid = await desk.call()
        answer = await desk.post(f"/calls/{sid}/speech", {"text": "bonjour"})
        assert answer["http"] == 409
        assert "nothing listens to speech" in answer["error"]


async def test_a_key_stops_nested_prompts() -> None:
    long = "a" * 14 * 3600
    pages = {"/voice": gather('numDigits="2"', f"<Say>{long[:4000]}</Say><Say>jamais</Say>"), "/next": THANKS}
    async with bench(pages) as desk:
        sid = await desk.call(pace="live")
        await speaking(desk, sid, long[:4000])  # nearly five minutes of speech
        assert await desk.client.press(sid, "12") == "12"
        await speaking(desk, sid, "merci")
        state = await desk.closed(sid)
        assert [heard["text"] for heard in state["heard"]] == [long[:4000], "merci"]
        assert state["elapsed"] < 60


async def test_a_key_outside_a_gather_is_dropped() -> None:
    top = twiml('<Pause length="2"/><Say>a</Say><Gather action="/next" numDigits="1" timeout="3600"/>')
    async with bench({"/voice": top, "/next": THANKS}) as desk:
        sid = await desk.call(pace="live")
        await speaking(desk, sid, "2 s")
        assert await desk.client.press(sid, "1") == ""
        state = await desk.client.settled(sid)
        assert (state.verb, state.listens) == ("Gather", True)
        assert desk.application.asked("/next") == []


async def test_nested_files_are_fetched_before_anything_is_heard() -> None:
    heard_before: list[int] = []
    pages = {
        "/voice": gather('numDigits="1"', "<Say>un</Say><Play>/audio/b.wav</Play><Play>/audio/b.wav</Play>"),
        "/audio/b.wav": lambda form: (heard_before.append(1), Reply(wav(2.0), content_type="audio/wav"))[1],
        "/next": THANKS,
    }
    async with bench(pages) as desk:
        sid = await desk.call()
        state = await desk.get(f"/calls/{sid}")
        assert [(h["kind"], h["text"]) for h in state["heard"]] == [
            ("say", "un"), ("play", "[audio 2.0 s]"), ("play", "[audio 2.0 s]"),
        ]  # fmt: skip
        assert len(heard_before) == 1
        assert desk.tape("audio")[0].response_body == wav(2.0)
        assert desk.tape("audio")[0].header("X-Twilio-Signature") is None
    missing = gather('numDigits="1"', "<Say>un</Say><Play>/audio/none.wav</Play>")
    async with bench({"/voice": missing}) as desk:
        sid = await desk.call()
        state = await desk.closed(sid)
        assert [h["kind"] for h in state["heard"]] == ["error"]


async def test_silence_in_a_live_call_ends_by_itself() -> None:
    async with bench({"/voice": gather('timeout="1"'), "/next": THANKS}) as desk:
        sid = await desk.call(pace="live")
        state = await desk.closed(sid)
        assert [heard["text"] for heard in state["heard"]] == ["tapez", "rien"]


async def test_two_calls_do_not_meet() -> None:
    async with bench({"/voice": gather('numDigits="1"'), "/next": THANKS}) as desk:
        first, second = await asyncio.gather(desk.call(), desk.call(caller="anonymous"))
        await desk.client.press(second, "2")
        await desk.closed(second)
        assert (await desk.client.state(first)).activity == "waiting"
        assert [f["From"] for f in desk.application.asked("/next")] == ["anonymous"]
