"""Flows as a browser shows them: words that are neither cut nor on each other, a box that the keyboard scrolls."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from callcenter.flow.picture.letters import width
from tests.acceptance.stage import Stage
from tests.browser.test_console_login import first_step, make_staff, second_step
from tests.browser.test_console_pages import looking

PICTURES = Path(__file__).parents[2] / "docs" / "images" / "flows"

#: Every line of words: what it says, how large and bold, and where it stands in the picture.
LINES = """() => [...document.querySelectorAll("text")].map((one) => {
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  return {
    said: one.textContent, size: parseFloat(style.fontSize), bold: Number(style.fontWeight) >= 600,
    wide: one.getComputedTextLength(), left: box.left, right: box.right, top: box.top, bottom: box.bottom,
  };
})"""
#: Where each step's box stands, and its words, as (left, right, top, bottom).
STEPS = """() => [...document.querySelectorAll("g > title")].map((title) => {
  const side = (one) => { const box = one.getBoundingClientRect(); return [box.left, box.right, box.top, box.bottom]; };
  return {
    name: title.textContent, box: side(title.nextElementSibling),
    words: [...title.parentElement.querySelectorAll("text")].map(side),
  };
})"""

#: Whether an image is there, whole.
COMPLETE = """(which) => {
  const image = document.querySelector(which);
  return image !== null && image.complete && image.naturalWidth > 0;
}"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A line of words, as a browser shows it."""

    said: str
    size: float
    bold: bool
    wide: float
    left: float
    right: float
    top: float
    bottom: float

    def on(self, other: Shown) -> bool:
        """Whether the two lie on each other; lines of one paragraph may touch."""
        return (
            min(self.right, other.right) - max(self.left, other.left) > 1
            and min(self.bottom, other.bottom) - max(self.top, other.top) > self.size / 3
        )


@pytest.mark.parametrize("file", sorted(PICTURES.glob("*.svg")), ids=lambda file: file.stem)
async def test_no_words_of_a_picture_are_cut_or_on_each_other(browser: Browser, file: Path) -> None:
    """With this machine's fonts; that they are no wider than was reckoned holds for others too."""
    async with looking(browser) as page:
        await page.goto(file.as_uri())
        lines = [Shown(**one) for one in await page.evaluate(LINES)]
        steps = await page.evaluate(STEPS)
        wide = await page.evaluate("document.documentElement.viewBox.baseVal.width")
    assert len(lines) > 40
    assert len(steps) > 5
    for one in lines:
        assert one.wide <= width(one.said, one.size, bold=one.bold) + 1, one.said
        assert one.left >= 0
        assert one.right <= wide, one.said
    lines.sort(key=lambda one: one.top)
    for at, one in enumerate(lines):
        for other in lines[at + 1 :]:
            if other.top > one.bottom:
                break
            assert not one.on(other), f"{one.said} / {other.said}"
    for step in steps:
        left, right, top, bottom = step["box"]
        for begin, end, above, below in step["words"]:
            assert left - 1 <= begin < end <= right + 1, step["name"]
            assert top - 1 <= above < below <= bottom + 1, step["name"]


async def test_a_supervisor_looks_at_a_flow_and_scrolls_its_picture_by_the_keyboard(
    browser: Browser, stage: Stage
) -> None:
    await make_staff(stage)
    async with looking(browser) as page:
        await first_step(page, stage, "superviseur")
        await second_step(page, stage, "superviseur")
        await expect(page.get_by_role("heading", name="Bonjour")).to_be_visible()
        ways = page.get_by_role("navigation")
        await ways.get_by_role("button", name="Plus").click()
        await ways.get_by_role("link", name="Scénarios").click()
        await page.get_by_role("link", name="accueil", exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("accueil")
        picture = page.locator(".picture img")
        await page.wait_for_function(COMPLETE, arg=".picture img")
        assert await picture.evaluate("(it) => it.naturalWidth") > 2_000
        box = page.get_by_role("region", name="Image du scénario, à faire défiler")
        await box.focus()
        await expect(box).to_be_focused()
        for _ in range(3):
            await page.keyboard.press("ArrowRight")
        await page.wait_for_function("() => document.querySelector('.picture').scrollLeft > 0")
        row = page.get_by_role("row").filter(has_text="next_appointment").first
        await expect(row).to_contain_text("D02 existence d’un rendez-vous")
        await expect(row).to_contain_text("niveau 2")
        await page.get_by_role("link", name="Voir l’image entière").click()
        await page.wait_for_function(COMPLETE, arg=".whole img")
        assert await page.locator(".picture").evaluate("(it) => it.scrollWidth <= it.clientWidth + 1")
