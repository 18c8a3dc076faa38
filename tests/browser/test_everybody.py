"""The page for everybody: in two languages, on a narrow screen, by keyboard alone, with hostile texts, in the dark."""

from __future__ import annotations

import re
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Locator, expect

from tests.acceptance.on_the_line import JEANNE
from tests.acceptance.stage import Stage
from tests.browser.conftest import Visits
from tests.browser.visitor import NARROW, Visitor, without_waiting

#: Every text with its contrast to what lies behind it, as WCAG 2.2 computes it, where it is below what AA asks.
FAINT = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = rgb(getComputedStyle(one).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const words = [...element.childNodes].filter((node) => node.nodeType === 3 && node.data.trim());
    if (!words.length || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const [a, b] = [light(rgb(style.color)), light(behind(element))].sort((x, y) => y - x);
    const least = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    if ((a + 0.05) / (b + 0.05) < least) faint.push(`${words[0].data.trim()} ${((a + 0.05) / (b + 0.05)).toFixed(2)}`);
  }
  return faint;
}"""

#: What can be acted on and has no name that a screen reader could say.
NAMELESS = """() => [...document.querySelectorAll("button, a, input, select, summary, [role=region], [role=log]")]
  .filter((one) => one.checkVisibility())
  .filter((one) => !(one.getAttribute("aria-label") || one.innerText?.trim() || one.labels?.length))
  .map((one) => one.outerHTML)"""


async def text(stage: Stage, to: str, body: str) -> None:
    """The application sends a message, as it does: by the carrier's interface."""
    account, token = "AC" + "0" * 32, "a-token-of-the-tests"
    url = f"{stage.emulator.base_url}/2010-04-01/Accounts/{account}/Messages.json"
    form = {"From": "+33199000001", "To": to, "Body": body}
    headers = {"Authorization": aiohttp.encode_basic_auth(account, token)}
    async with aiohttp.ClientSession(headers=headers) as session, session.post(url, data=form) as response:
        assert response.status == 201


async def test_english_is_chosen_by_the_browser_and_french_by_a_button_and_remembered(visit: Visits) -> None:
    async with visit(locale="en-GB") as visitor:
        page = visitor.page
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Test telephones")
        await expect(visitor.telephone("Jeanne Martin-Duval").button("Call")).to_be_visible()
        await page.get_by_role("button", name="Français").click()
        await expect(page.locator("html")).to_have_attribute("lang", "fr")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Téléphones d’essai")
        await page.reload()
        await expect(visitor.telephone("Jeanne Martin-Duval").button("Appeler")).to_be_visible()


async def test_both_languages_say_the_same_things_with_the_same_values(visitor: Visitor) -> None:
    said: dict[str, dict[str, str]] = await visitor.page.evaluate(
        "async () => (await import('/page/words.js')).LANGUAGES"
    )
    values = {
        language: {key: sorted(set(re.findall(r"\{(\w+)", words))) for key, words in all_words.items()}
        for language, all_words in said.items()
    }
    assert values["fr"] == values["en"]
    unspaced = {key: words for key, words in said["fr"].items() if re.search(r"\w[;:!?»](?!/)| [;!?»]|« ", words)}
    assert unspaced == {}


async def test_on_a_narrow_screen_a_call_is_made_by_touch_and_nothing_lies_outside(visit: Visits) -> None:
    kept = without_waiting(JEANNE, "+33639980002")
    async with visit(viewport=NARROW, has_touch=True, kept=kept) as visitor:
        jeanne, page = visitor.telephone("Jeanne Martin-Duval"), visitor.page
        await jeanne.button("Appeler").tap()
        await expect(jeanne.heard.last).to_contain_text("Rendez-vous, tapez 1")
        await jeanne.key("1").tap()
        await expect(jeanne.heard.last).to_contain_text("déjà pris, tapez 1")
        for element in (jeanne.element, jeanne.button("Raccrocher"), jeanne.key("3")):
            box = await element.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= NARROW["width"]
        assert await page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        await page.get_by_role("button", name="Historique", exact=True).tap()
        await expect(jeanne.element).to_be_hidden()
        await page.locator(".call-entry summary").tap()
        await page.locator(".exchange summary").last.tap()
        await expect(page.locator("pre.twiml")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


async def tab_to(visitor: Visitor, target: Locator) -> None:
    """Tab until something has the focus; the focus is seen on every stop."""
    for _ in range(60):
        await visitor.press("Tab")
        assert await visitor.page.evaluate(
            "(one) => getComputedStyle(one).outlineStyle !== 'none' && one.checkVisibility()",
            await visitor.page.evaluate_handle("document.activeElement"),
        ), await visitor.focused()
        if await target.evaluate("one => one === document.activeElement"):
            return
    pytest.fail(f"the focus never came to {target}")


async def test_by_keyboard_alone_one_calls_types_reads_the_history_and_hangs_up(visit: Visits) -> None:
    async with visit(kept=without_waiting(JEANNE)) as visitor:
        jeanne, page = visitor.telephone("Jeanne Martin-Duval"), visitor.page
        await tab_to(visitor, jeanne.element.get_by_role("button", name=re.compile("Cabinet des Tilleuls,")))
        await visitor.press("Enter")
        await expect(jeanne.talk).to_be_focused()
        await expect(jeanne.heard.last).to_contain_text("Rendez-vous, tapez 1")
        await visitor.press("1")
        await expect(jeanne.talk.locator(".entered")).to_have_text("1")
        await tab_to(visitor, page.locator(".call-entry summary").first)
        await visitor.press("Enter")
        await expect(page.locator(".exchange").first).to_be_visible()
        await tab_to(visitor, page.locator(".exchange summary").first)
        await visitor.press("Space")
        await expect(page.locator("pre.twiml")).to_be_visible()
        await visitor.press("Escape")
        await expect(jeanne.talk.locator(".aside")).to_have_text("Vous avez raccroché")


async def test_digits_and_enter_dial_a_number_that_is_in_no_directory(visitor: Visitor) -> None:
    jeanne = visitor.telephone("Jeanne Martin-Duval")
    await visitor.press(*"0261910001", "Enter")
    await expect(jeanne.heard.first).to_contain_text("Maison de santé du Port")


async def test_the_top_row_of_a_french_keyboard_gives_digits_without_shift(visitor: Visitor) -> None:
    azerty = [("&", "Digit1"), ("é", "Digit2"), ("à", "Digit0"), ("*", "Backslash")]
    for key, code in azerty:
        await visitor.page.evaluate(
            "([key, code]) => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, code, bubbles: true }))",
            [key, code],
        )
    await expect(visitor.telephone("Jeanne Martin-Duval").element.get_by_label("Numéro à appeler")).to_have_value(
        "120*"
    )


HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script> </p>& \u202eCode 12345'


async def test_markup_in_a_message_stays_text(stage: Stage, visit: Visits) -> None:
    async with visit(kept=without_waiting(JEANNE)) as visitor:
        jeanne = visitor.telephone("Jeanne Martin-Duval")
        await text(stage, JEANNE, HOSTILE)
        await jeanne.button("Messages", exact=False).click()
        await expect(jeanne.element.locator(".sms p")).to_have_text(HOSTILE)
        assert await visitor.page.locator("main img, main script").count() == 0
        await expect(visitor.page).to_have_title("Téléphones d’essai")


async def test_markup_in_a_number_and_in_an_answer_stays_text(stage: Stage, visit: Visits) -> None:
    async with visit(kept={"lines": [{"number": HOSTILE, "fast": True, "called": HOSTILE}]}) as visitor:
        await visitor.page.get_by_role("button", name="Appeler", exact=True).click()
        await visitor.page.locator(".call-entry summary").click()
        await visitor.page.locator(".exchange summary").first.click()
        await visitor.page.locator(".more summary").first.click()
        await expect(visitor.page.get_by_role("cell", name=HOSTILE).first).to_be_visible()
        assert await visitor.page.locator("main img, main script").count() == 0


async def test_a_script_that_makes_markup_of_a_text_is_refused_by_the_browser(visitor: Visitor) -> None:
    refused = await visitor.page.evaluate(
        "(() => { try { document.body.innerHTML = '<b>x</b>'; } catch (error) { return error.name; } })()"
    )
    assert refused == "TypeError"
    visitor.complaints.clear()  # the browser has told of it, as it should


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_can_be_read_and_every_control_has_a_name(scheme: Any, stage: Stage, visit: Visits) -> None:
    kept = without_waiting(JEANNE, "+33639980002")
    async with visit(color_scheme=scheme, reduced_motion="reduce", kept=kept) as visitor:
        jeanne, page = visitor.telephone("Jeanne Martin-Duval"), visitor.page
        await jeanne.button("Appeler").click()
        await expect(jeanne.heard.last).to_contain_text("Rendez-vous, tapez 1")
        await visitor.press("1", "9", "9")
        await text(stage, JEANNE, "Code 482 913, valable 10 min.")
        await expect(jeanne.element.locator(".notice")).to_be_visible()
        await page.locator(".call-entry summary").click()
        await page.locator(".exchange summary").last.click()
        await expect(page.locator("pre.twiml")).to_be_visible()
        assert await page.evaluate(FAINT) == []
        assert await page.evaluate(NAMELESS) == []
        await jeanne.element.locator(".dismiss").click()
        await jeanne.button("Messages", exact=False).click()
        await page.get_by_role("button", name="Raccourcis du clavier").click()
        assert await page.evaluate(FAINT) == []


async def test_sound_is_cut_by_a_button_and_stays_cut(visit: Visits) -> None:
    async with visit(kept=without_waiting(JEANNE)) as visitor:
        jeanne, page = visitor.telephone("Jeanne Martin-Duval"), visitor.page
        await page.get_by_role("button", name="Le son est activé : le couper").click()
        await page.reload()
        await expect(page.get_by_role("button", name="Le son est coupé : l’activer")).to_be_visible()
        await jeanne.button("Appeler").click()
        await expect(jeanne.heard.last).to_contain_text("Rendez-vous, tapez 1")
        assert await page.evaluate("spoken") == []
