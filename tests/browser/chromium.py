"""Finding the machine's own Chromium: ``make ci-setup`` installs it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

#: The first that is there is taken. Debian's headless shell is the same engine without a browser's own windows, which
#: take most of the processor's time: it opens a page in a fifth of it.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MISSING = "no Chromium on this machine: make ci-setup installs Debian's"


def found() -> str | None:
    """The path of the browser, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def required() -> bool:
    """Whether a missing browser is a failure: where CI is said to run, whatever is said of it but no."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false", "no")


@asynccontextmanager
async def launched(path: str) -> AsyncIterator[Browser]:
    """A headless browser."""
    # As root, Chromium's sandbox refuses to start; it shows nothing here but our own page.
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    # A microphone of its own making, which beeps, and which is granted to whoever asks for it.
    microphone = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    arguments = [*root, *microphone, "--autoplay-policy=no-user-gesture-required", "--disable-dev-shm-usage"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            await browser.close()
