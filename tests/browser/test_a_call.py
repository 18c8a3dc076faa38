"""A whole call as somebody makes it on the page: dialled, typed, read, heard, and looked at from behind."""

from __future__ import annotations

import re

from playwright.async_api import expect

from callcenter.emulator.client import ControlClient
from tests.acceptance.on_the_line import BORN, JEANNE, TILLEULS
from tests.acceptance.stage import Stage
from tests.browser.conftest import Visits
from tests.browser.visitor import Telephone, Visitor, without_waiting

THE_PRACTICE = re.compile("Appeler Cabinet des Tilleuls,")
MENU = "Rendez-vous, tapez 1"

#: A sound's loudest sample, as the browser decodes it; 0 where nothing is heard.
LOUDEST = """async (audio) => {
  const file = await (await fetch(audio.currentSrc)).arrayBuffer();
  const sound = await new OfflineAudioContext(1, 8000, 8000).decodeAudioData(file);
  return Math.max(...sound.getChannelData(0));
}"""


async def reaches_the_appointment(visitor: Visitor, jeanne: Telephone) -> None:
    """Press 1, type the birth date by the keyboard, tap the code of the message, and say that one can listen."""
    await expect(jeanne.heard.last).to_contain_text(MENU)
    await visitor.press("1")
    await expect(jeanne.heard.last).to_contain_text("déjà pris, tapez 1")
    await visitor.press("1")
    await expect(jeanne.heard.last).to_contain_text("tapez la date de naissance")
    await visitor.press(*BORN)
    await jeanne.element.locator(".notice").get_by_role("button", name=re.compile(r"Taper \d{3}.\d{3}")).click()
    await expect(jeanne.heard.last).to_contain_text("Je vais lire une information personnelle")
    await visitor.press("1")
    await expect(jeanne.element.locator(".heard.play")).to_contain_text("Votre prochain rendez-vous")


async def test_jeanne_hears_her_appointment_and_the_page_shows_how(visit: Visits) -> None:
    async with visit(kept=without_waiting(JEANNE)) as visitor:
        jeanne = visitor.telephone("Jeanne Martin-Duval")
        await jeanne.element.get_by_role("button", name=THE_PRACTICE).click()
        await reaches_the_appointment(visitor, jeanne)
        typed = await jeanne.talk.locator(".entered kbd").all_inner_texts()
        assert (typed[:3], len(typed[3]), typed[4:]) == (["1", "1", BORN], 6, ["1"])

        audio = jeanne.element.locator(":scope > audio")
        await expect(audio).to_have_attribute("src", re.compile(r"^/emulator/calls/CA\w+/sounds/\d+$"))
        assert await audio.evaluate(LOUDEST) > 0.2
        await visitor.page.wait_for_function("audio => audio.played.length > 0", arg=await audio.element_handle())

        spoken = await visitor.page.evaluate("spoken")
        assert any(line.startswith("fr-FR: Cabinet des Tilleuls, bonjour.") for line in spoken)
        assert not any("prochain rendez-vous" in line for line in spoken)

        await visitor.press("Escape")
        await expect(jeanne.talk.locator(".aside")).to_have_text("Vous avez raccroché")
        await shows_every_step(visitor)


async def shows_every_step(visitor: Visitor) -> None:
    """The history has the call's requests with what was typed, and the document that was answered."""
    entry = visitor.page.locator(".call-entry")
    await expect(entry).to_have_count(1)
    await expect(entry.locator("summary").first).to_contain_text("Jeanne Martin-Duval → Cabinet des Tilleuls")
    await entry.locator("summary").first.click()
    exchanges = entry.locator(".exchange")
    await expect(exchanges.filter(has_text="statut")).to_contain_text("CallStatus completed")
    kinds = await exchanges.locator(".kind").all_inner_texts()
    assert kinds[0] == "webhook"
    assert kinds.count("audio") == 1
    born = exchanges.filter(has_text=f"Digits {BORN}")
    await expect(born.locator("summary").first).to_contain_text("200")
    await born.locator("summary").first.click()
    await expect(born.get_by_role("row", name="FinishedOnKey")).to_be_visible()
    document = born.locator("pre.twiml")
    await expect(document).to_contain_text("<Response> <Gather ")
    await expect(document).to_contain_text('numDigits="6"')
    played = exchanges.filter(has_text="audio").first
    await played.locator("summary").first.click()
    sound = played.locator(".inside audio")
    assert await sound.evaluate(f"audio => {{ audio.load(); return ({LOUDEST})(audio) }}") > 0.2


async def test_a_call_at_its_own_pace_is_heard_while_it_lasts(visitor: Visitor) -> None:
    jeanne = visitor.telephone("Jeanne Martin-Duval")
    await jeanne.element.get_by_role("button", name=THE_PRACTICE).click()
    await expect(jeanne.heard.first).to_contain_text("bonjour")
    await expect(jeanne.element.locator(".state")).to_contain_text("En ligne")
    await expect(jeanne.element.locator(".listening-words")).to_have_text("Vous pouvez taper")
    await expect(jeanne.element.locator(".clock")).to_have_text(re.compile(r"0:0[1-9]"))
    await jeanne.button("Raccrocher").click()
    await expect(jeanne.talk.locator(".aside")).to_have_text("Vous avez raccroché")
    await expect(jeanne.button("Appeler")).to_be_visible()


async def test_keys_of_another_telephone_of_that_number_are_shown_and_those_that_nobody_heard_as_lost(
    stage: Stage, visitor: Visitor
) -> None:
    jeanne = visitor.telephone("Jeanne Martin-Duval")
    async with ControlClient(stage.emulator.base_url) as terminal:
        sid = await terminal.start(JEANNE, TILLEULS, "scripted")
        await expect(jeanne.heard.last).to_contain_text(MENU)
        assert await terminal.press(sid, "35") == "3"  # the menu takes one key
    await expect(jeanne.talk.locator(".entered")).to_have_text(["3", "5rien n’écoutait"])


async def test_silence_passes_by_a_button_where_calls_take_no_time(visit: Visits) -> None:
    async with visit(kept=without_waiting(JEANNE)) as visitor:
        jeanne = visitor.telephone("Jeanne Martin-Duval")
        await jeanne.element.get_by_role("button", name=THE_PRACTICE).click()
        await expect(jeanne.heard.last).to_contain_text(MENU)
        before = await jeanne.heard.count()
        await jeanne.button("Laisser passer 30 secondes").click()
        await expect(jeanne.heard.nth(before)).to_be_visible()


async def test_a_page_that_is_loaded_again_finds_its_call_and_says_nothing_twice(visit: Visits) -> None:
    async with visit(kept=without_waiting(JEANNE)) as visitor:
        jeanne = visitor.telephone("Jeanne Martin-Duval")
        await jeanne.element.get_by_role("button", name=THE_PRACTICE).click()
        await expect(jeanne.heard.last).to_contain_text(MENU)
        await visitor.press("3")
        await expect(jeanne.heard.filter(has_text=MENU)).to_have_count(2)
        words = await jeanne.heard.all_inner_texts()
        await visitor.page.reload()
        await expect(jeanne.heard).to_have_count(len(words))
        assert await jeanne.heard.all_inner_texts() == words
        await expect(jeanne.talk.locator(".entered")).to_have_text("3")
        await expect(jeanne.button("Raccrocher")).to_be_visible()
        assert await visitor.page.evaluate("spoken") == []
