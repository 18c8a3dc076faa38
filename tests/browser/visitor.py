"""Somebody who looks at the page: what they see, touch and type, and what the browser complained of meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, Locator, Page

WIDE = {"width": 1440, "height": 960}
NARROW = {"width": 360, "height": 740}

#: The browser has no voices when it has no loudspeakers: a voice of ours notes what it was asked to say.
VOICE = """
window.spoken = [];
Object.defineProperty(window, "speechSynthesis", { value: {
  getVoices: () => [], cancel: () => { window.spoken.push("(hushed)"); },
  speak(words) {
    window.spoken.push(`${words.lang}: ${words.text}`);
    setTimeout(() => words.onend?.(new Event("end")));
  },
}});
"""


@dataclass(slots=True)
class Telephone:
    """One telephone on the page."""

    element: Locator

    @property
    def talk(self) -> Locator:
        return self.element.locator(".talk")

    @property
    def heard(self) -> Locator:
        return self.element.locator(".talk .heard")

    def button(self, name: str, *, exact: bool = True) -> Locator:
        return self.element.get_by_role("button", name=name, exact=exact)

    def key(self, key: str) -> Locator:
        return self.element.locator(f'[data-key="{key}"]')


@dataclass(slots=True)
class Visitor:
    """A page that is looked at.

    Arguments:
        complaints: errors of its scripts, and what its security policy has refused.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)

    def telephone(self, name: str) -> Telephone:
        return Telephone(self.page.get_by_role("article", name=name, exact=True))

    async def press(self, *keys: str) -> None:
        """Press keys of the keyboard, one after the other."""
        for key in keys:
            await self.page.keyboard.press(key)

    async def focused(self) -> str:
        """The accessible name, or the text, of what has the focus."""
        name = await self.page.evaluate(
            "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText ?? '').trim()"
        )
        return str(name)


def without_waiting(*numbers: str) -> dict[str, Any]:
    """What a browser keeps of telephones whose calls take no time."""
    return {"lines": [{"number": number, "fast": True} for number in numbers]}


@asynccontextmanager
async def visiting(
    browser: Browser,
    address: str,
    *,
    kept: Mapping[str, Any] | None = None,
    before: str = "",
    **options: Any,
) -> AsyncIterator[Visitor]:
    """Open the page and wait until it is connected; it must not have complained by the end.

    Arguments:
        kept: what the browser has kept of an earlier visit.
        before: a script that runs before the page's own.
        options: of the browser's context, such as ``viewport`` or ``locale``.
    """
    import json

    context = await browser.new_context(**{"locale": "fr-FR", "viewport": WIDE, **options})
    await context.add_init_script(VOICE + before)
    if kept is not None:
        value = json.dumps(json.dumps(kept))
        await context.add_init_script(f"localStorage.telephones ??= {value};")
    context.set_default_timeout(15_000)  # milliseconds
    visitor = Visitor(await context.new_page())
    visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    visitor.page.on(
        "console", lambda line: visitor.complaints.append(line.text) if line.type in ("error", "warning") else None
    )
    try:
        await visitor.page.goto(address)
        await visitor.page.wait_for_selector("html[data-ready]")
        yield visitor
    finally:
        await context.close()
    assert visitor.complaints == []
