"""Real sound: pages that hear one another, through the telephones' page and the console's softphone."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from callcenter.emulator.client import ControlClient
from tests.browser.softphones import (
    CLOSED,
    ENERGY,
    OPEN,
    PACKETS,
    REFUSE,
    SILENT,
    STATIC,
    WATCH,
    at_a_desk,
    calls,
    hears_more,
    hears_nothing_more,
    served,
)
from tests.browser.visitor import VOICE, Visitor, visiting
from tests.unit.emulator.bench import PRACTICE, Bench, Reply, bench, sdk, twiml, wav
from tests.unit.emulator.softphone import DESK, KEY, SECRET, token

pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

ROOM = '<Dial><Conference waitUrl="">salle</Conference></Dial>'
HOUSE = {
    "pages": {"/voice": twiml(ROOM), "/desk": twiml("<Say>prise de ligne</Say>" + ROOM)},
    "api_keys": {KEY: SECRET},
    "applications": {DESK: "/desk"},
}


async def dials(visitor: Visitor, called: str = PRACTICE) -> None:
    """Somebody calls on the telephones' page."""
    await visitor.page.locator(".dial input").first.fill(called)
    await visitor.press("Enter")
    await expect(visitor.page.locator(".telephone .state").first).to_contain_text("En ligne")


async def hold(desk: Bench, sid: str, *, held: bool) -> None:
    async with sdk(desk) as client:
        (room,) = await client.conferences.list_async()
        await client.conferences(room.sid).participants(sid).update_async(hold=held)


async def test_pages_talk_are_held_joined_by_a_third_and_part(browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(bench(**HOUSE))
        emulator = desk.emulator.base_url
        address = await stack.enter_async_context(served(emulator))
        visitor = await stack.enter_async_context(visiting(browser, emulator, before=WATCH))
        operator = await stack.enter_async_context(at_a_desk(browser, address, emulator, token))
        caller = visitor.page
        await dials(visitor)
        assert await caller.evaluate("tracks.length") == 0  # nobody to talk to yet: no microphone is asked for
        await calls(operator)
        await hears_more(caller), await hears_more(operator)
        assert await operator.evaluate("states") == ["connecting", "open"]
        assert await operator.evaluate("talk.energy()") > 0
        await operator.wait_for_function("() => talk.level() > 0.001")
        await expect(caller.locator(".listening-words")).to_have_text("Micro ouvert\u00a0: on vous entend")

        (sid,) = [one["sid"] for one in (await desk.get("/calls"))["calls"] if one["to"] == PRACTICE]
        await hold(desk, sid, held=True)
        for page in (caller, operator):
            await page.wait_for_function(SILENT)
        await caller.evaluate("connections[0].getReceivers()[0].track.enabled = true")  # as if it might hear
        for page in (caller, operator):
            await hears_nothing_more(page)
        await caller.evaluate("connections[0].getReceivers()[0].track.enabled = false")
        before = await caller.evaluate(PACKETS)
        await operator.evaluate("connections[0].getSenders()[0].replaceTrack(tracks[0])")  # as if it might speak
        await hears_nothing_more(caller)
        assert await caller.evaluate(PACKETS) > before + 20
        await operator.evaluate("connections[0].getSenders()[0].replaceTrack(null)")
        await expect(caller.locator(".listening-words")).to_have_text("Micro fermé\u00a0: on ne vous entend pas")
        await hold(desk, sid, held=False)
        await hears_more(caller), await hears_more(operator)

        await operator.evaluate("talk.mute(true)")
        await hears_nothing_more(caller)
        await hears_more(operator)
        await operator.evaluate("talk.mute(false)")
        await hears_more(caller)

        third = await stack.enter_async_context(at_a_desk(browser, address, emulator, lambda: token("op_8")))
        await calls(third)
        for page in (caller, operator, third):
            await page.wait_for_function(f"() => ({OPEN})() === 2")
        await hears_more(third)

        await third.evaluate("talk.hangUp()")
        await third.wait_for_function(CLOSED)
        assert await third.evaluate("states.at(-1)") == "over"
        await caller.wait_for_function(f"() => ({OPEN})() === 1")
        await visitor.press("Escape")
        await caller.wait_for_function(CLOSED)
        await operator.wait_for_function(CLOSED)
        assert await operator.evaluate("states.at(-1)") == "open"  # the conference goes on, with nobody else in it
        assert await operator.evaluate("faults") == []


async def test_who_gives_no_microphone_hears_and_is_told_so(browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(bench(**HOUSE))
        emulator = desk.emulator.base_url
        address = await stack.enter_async_context(served(emulator))
        visitor = await stack.enter_async_context(visiting(browser, emulator, before=WATCH + REFUSE))
        operator = await stack.enter_async_context(at_a_desk(browser, address, emulator, token))
        await dials(visitor)
        await calls(operator)
        await hears_more(visitor.page)
        await expect(visitor.page.locator(".toast")).to_contain_text("Le micro est refusé")
        await expect(visitor.page.locator(".listening-words")).to_contain_text("on ne vous entend pas")
        assert await operator.evaluate(ENERGY) == 0
        refusing = await stack.enter_async_context(at_a_desk(browser, address, emulator, token, REFUSE))
        await calls(refusing)
        await hears_more(refusing)
        (fault,) = await refusing.evaluate("faults")
        assert (fault[0], fault[1][:23]) == (31208, "Le micro est refusé : o")


async def test_the_telephones_page_goes_on_when_it_is_loaded_again_and_lends_its_ears_to_one(browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(bench(**HOUSE))
        emulator = desk.emulator.base_url
        address = await stack.enter_async_context(served(emulator))
        kept = {"lines": [{"number": "+33639980001"}, {"number": "+33639980002"}]}
        visitor = await stack.enter_async_context(visiting(browser, emulator, before=WATCH, kept=kept))
        operator = await stack.enter_async_context(at_a_desk(browser, address, emulator, token))
        caller = visitor.page
        await dials(visitor)
        await calls(operator)
        await hears_more(caller)
        await caller.reload()
        await hears_more(caller)
        for carried in desk.emulator._running._patchboard._carried.values():
            if carried.call.parties.application is None:
                carried.pages[0]._line.end("cut")  # the telephones' page opens its line again by itself
        await operator.wait_for_function(f"() => ({OPEN})() === 0")
        await hears_more(caller)
        await hears_more(operator)
        loudspeaker = caller.locator("#sound")
        await loudspeaker.click()
        await hears_nothing_more(caller)
        await hears_more(operator)
        await loudspeaker.click()
        await hears_more(caller)
        await caller.locator(".telephone").nth(1).click(position={"x": 5, "y": 5})
        await hears_nothing_more(caller)
        await hears_nothing_more(operator)
        await expect(caller.locator(".telephone").nth(0)).to_contain_text("Micro fermé")
        await caller.locator(".telephone").nth(0).click(position={"x": 5, "y": 5})
        await hears_more(operator)


async def test_a_page_that_is_loaded_again_hangs_up_and_one_whose_line_is_cut_says_so(browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(bench(**HOUSE))
        emulator = desk.emulator.base_url
        address = await stack.enter_async_context(served(emulator))
        operator = await stack.enter_async_context(at_a_desk(browser, address, emulator, token))
        await calls(operator, offer="ab12")
        assert desk.application.asked("/desk")[0]["offer"] == "ab12"
        (sid,) = [one["sid"] for one in (await desk.get("/calls"))["calls"]]
        await operator.reload()
        assert (await desk.closed(sid))["hung_up_by"] == "telephone"
        await operator.evaluate("([token, endpoint]) => begin(token, endpoint)", [token(), emulator])
        await calls(operator)
        desk.emulator._running._softphones._open.copy().pop()._line.end("cut")
        await operator.wait_for_function("() => states.at(-1) === 'over'")
        assert await operator.evaluate("faults") == [[31005, "La liaison téléphonique est coupée."]]
        await calls(operator)  # which opens the line again, with a newer token
        await operator.evaluate("line.close()")
        await operator.wait_for_function("() => states.at(-1) === 'over'")
        assert len(desk.application.asked("/desk")) == 3


async def test_a_softphone_hears_what_the_carrier_says_and_plays(browser: Browser) -> None:
    pages = {
        "/desk": twiml("<Say language='fr-FR'>un appel</Say><Play>/audio/a.wav</Play><Pause length='60'/>"),
        "/audio/a.wav": Reply(wav(0.2), content_type="audio/wav"),
    }
    async with bench(**HOUSE | {"pages": pages}) as desk, served(desk.emulator.base_url) as address:
        emulator = desk.emulator.base_url
        async with at_a_desk(browser, address, emulator, token, VOICE) as page:
            async with page.expect_response("**/sounds/*") as fetched:
                await calls(page)
            assert (await fetched.value).ok
            assert await page.evaluate("spoken") == ["fr-FR: un appel"]


async def test_a_line_that_is_refused_says_why(browser: Browser) -> None:
    async with bench(**HOUSE) as desk, served(desk.emulator.base_url) as address:
        emulator = desk.emulator.base_url
        async with at_a_desk(browser, address, emulator, token) as page:
            wrong = token(secret="un autre secret de trente-deux octets")
            found = await page.evaluate(
                "([token, endpoint]) => begin(token, endpoint).catch((fault) => [fault.code, fault.message])",
                [wrong, emulator],
            )
            assert found[0] == 20107
            await page.evaluate("() => { window.talk = line.connect({ From: 'client:other' }); }")
            await page.wait_for_function("() => states.at(-1) === 'over'")
            assert (await page.evaluate("faults"))[0][0] == 31002


async def test_both_pages_have_the_same_script_for_sound() -> None:
    theirs = Path(__file__).resolve().parents[2] / "callcenter/emulator/browser/static/sound_links.js"
    assert (STATIC / "sound_links.js").read_bytes() == theirs.read_bytes()


async def test_sound_and_typed_words_go_together(browser: Browser) -> None:
    """Whoever has no page, as a test or a terminal, still says words to those who have one."""
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(bench(**HOUSE))
        emulator = desk.emulator.base_url
        visitor = await stack.enter_async_context(visiting(browser, emulator, before=WATCH))
        await dials(visitor)
        client = await stack.enter_async_context(ControlClient(emulator))
        sid = await client.dial_application("op_7", DESK)
        await expect(visitor.page.locator(".talk")).to_contain_text("[conférence]")
        await expect(visitor.page.locator(".call-entry .parties").first).to_have_text("Poste op_7 → application")
        await client.speak(sid, "bonjour, je vous écoute")
        await expect(visitor.page.locator(".talk .heard.voice")).to_contain_text("bonjour, je vous écoute")
        assert await visitor.page.evaluate("tracks.length + connections.length") == 0
