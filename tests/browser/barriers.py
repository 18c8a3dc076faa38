"""What keeps people from a page: axe's rules (WCAG 2.2 AA and its own good practice), and reflow, in every form; and
its weight, on a slow line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page

from tests.browser.weight import HEAD, LARGEST, weight


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of axe that are asked, by their tags or one by one."""

    type: str
    values: tuple[str, ...]


#: Those of WCAG 2.0 to 2.2 up to AA, and what axe counts as good practice.
EVERY_RULE = Rules("tag", ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"))
#: What another scheme can break on a page that stands, and what another width can: all else is as it was.
OF_COLOUR = Rules("rule", ("color-contrast", "link-in-text-block"))
OF_WIDTH = Rules("rule", ("target-size", "scrollable-region-focusable"))
#: What other words can break on a page whose parts stand: a name that is missing, a language that is not the words'.
OF_WORDS = Rules("tag", ("cat.language", "cat.name-role-value", "cat.text-alternatives", "cat.forms"))


@dataclass(frozen=True, slots=True)
class Look:
    """A form in which a page is looked at.

    Arguments:
        width: of the window, in its own pixels: 640 is what a window of 1280 has at 200 % (WCAG 1.4.4).
    """

    name: str
    scheme: str
    width: int
    rules: Rules = EVERY_RULE


LOOKS = (
    Look("light", "light", 1280),
    Look("dark", "dark", 1280, OF_COLOUR),
    Look("200 %", "light", 640, OF_WIDTH),
    Look("narrow and dark", "dark", 320),
)
#: The widest and light, the narrowest and dark.
ENDS = (LOOKS[0], LOOKS[-1])
#: In other languages pages have the same parts and colours: words alone differ, and longer ones are too wide at first
#: where it is narrow.
IN_OTHER_WORDS = (Look("in other words", "light", 320, OF_WORDS),)

_RUN = """async (rules) => {
  const found = await axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
  const faults = (rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 160)} ${node.failureSummary}`);
  return found.violations.flatMap(faults);
}"""


async def barriers(page: Page, looks: Sequence[Look] = LOOKS) -> list[str]:
    """What is in the way on the page as it stands, in each form; none is the aim."""
    size, found = page.viewport_size, []
    await page.evaluate(AXE_SCRIPT)
    for look in looks:
        # Nothing moves: a colour on its way from one scheme to the other is none of the page's.
        await page.emulate_media(color_scheme=look.scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        await page.set_viewport_size({"width": look.width, "height": 900})
        found += [f"{look.name}: {fault}" for fault in await page.evaluate(_RUN, asdict(look.rules))]
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{look.name}: wider than the window (WCAG 1.4.10)")
    await page.emulate_media(color_scheme="null", reduced_motion="null")
    if size is not None:
        await page.set_viewport_size(size)
    return found


async def without_barriers(page: Page, door: str, looks: Sequence[Look] | None = None) -> None:
    """The page that is open keeps nobody out, and weighs little.

    Arguments:
        door: its address, as it stands in ``console/paths.py``: by this call the door counts as looked at
            (``test_barriers.py``), so that it must be the page's own.
        looks: fewer, where many pages are made of the same parts; unless they are said, all. In other languages than
            French only what words can break is looked for, whichever are said.
    """
    path = urlsplit(page.url).path
    assert re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(door)), path), f"{path} is not {door}"
    french = await page.locator("html").get_attribute("lang") == "fr"
    found = await barriers(page, (looks or LOOKS) if french else IN_OTHER_WORDS)
    assert found == [], door
    fetched = await weight(page)
    assert HEAD < sum(fetched.values()) < LARGEST, f"{door}: {fetched}"
