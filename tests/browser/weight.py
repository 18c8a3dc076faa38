"""What a page weighs with all that it fetches, as its browser tells it."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.async_api import Page

from callcenter.console.carrier_file import NAME

#: Bytes on the way to a browser that has nothing yet, heads of answers included; the carrier's own file is apart.
LARGEST = 100_000
#: Of the head of an answer: what a browser tells is without it.
HEAD = 1_000
#: For operators with a softphone alone, and fetched once.
APART = f"/static/{NAME}"

#: Whatever was fetched counts once, from memory too: a part that is fetched again is the same one.
_FETCHED = """() => Object.fromEntries(
  [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .map((one) => [one.name, one.encodedBodySize])
)"""


async def weight(page: Page) -> dict[str, int]:
    """Bytes of the page that is open and of each thing that it has fetched, by path."""
    fetched: dict[str, int] = await page.evaluate(_FETCHED)
    sizes = {urlsplit(url).path: size + HEAD for url, size in fetched.items()}
    return {path: size for path, size in sizes.items() if path != APART}
