"""A page with the console's softphone and nothing else, and what a browser knows of the sound on a page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from playwright.async_api import Browser, Page

STATIC = Path(__file__).resolve().parents[2] / "callcenter" / "console" / "static"

#: The browser's own microphone beeps twice a second; a beep has about 0.15 (squares of full amplitude times seconds).
AUDIBLE, INAUDIBLE, LONGER_THAN_A_BEEP = 1e-2, 1e-4, 0.75

#: Notes every connection and every microphone of a page, whatever its scripts make of them.
WATCH = """
window.connections = [];
window.tracks = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); window.connections.push(this); }
};
const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (ask) navigator.mediaDevices.getUserMedia = async (wanted) => {
  if (window.refuses) throw new DOMException("refused", "NotAllowedError");
  const stream = await ask(wanted);
  window.tracks.push(...stream.getTracks());
  return stream;
};
"""
REFUSE = "window.refuses = true;"

ENERGY = """async () => {
  const open = connections.filter((one) => one.connectionState === "connected");
  const reports = (await Promise.all(open.map((one) => one.getStats()))).flatMap((all) => [...all.values()]);
  return reports.filter((one) => one.type === "inbound-rtp").reduce((sum, one) => sum + one.totalAudioEnergy, 0);
}"""
PACKETS = ENERGY.replace("totalAudioEnergy", "packetsReceived")
OPEN = "() => connections.filter((one) => one.connectionState === 'connected').length"
CLOSED = """() => connections.every((one) => one.signalingState === "closed")
  && tracks.every((one) => one.readyState === "ended")"""
SILENT = """() => connections.filter((one) => one.connectionState === "connected").every((one) =>
  one.getSenders().every((sender) => sender.track === null)
  && one.getReceivers().every((receiver) => !receiver.track.enabled))"""

PAGE = """<!doctype html><meta charset="utf-8"><title>ligne</title><button id="touch">toucher</button>
<script type="module" src="/static/line.js"></script>"""
LINE = """
import { open } from "/static/softphone_emulator.js";
window.states = [];
window.faults = [];
window.begin = async (token, endpoint) => {
  window.line = await open({ token, endpoint, renew: () => window.renewed(),
    onState: (state) => states.push(state), onFault: (fault) => faults.push([fault.code, fault.message]) });
};
document.documentElement.dataset.ready = "yes";
"""


@asynccontextmanager
async def served(emulator: str) -> AsyncIterator[str]:
    """The page's server, at a name and a port that are not the emulator's; its address.

    Arguments:
        emulator: its address, which the page's policy allows besides its own.
    """
    socket = emulator.replace("http", "ws")
    policy = f"default-src 'none'; script-src 'self'; connect-src 'self' {emulator} {socket}; media-src {emulator}"

    async def page(_: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": policy + "; require-trusted-types-for 'script'; trusted-types 'none'"}
        return web.Response(text=PAGE, content_type="text/html", headers=headers)

    async def line(_: web.Request) -> web.Response:
        return web.Response(text=LINE, content_type="text/javascript")

    application = web.Application()
    application.add_routes([web.get("/", page), web.get("/static/line.js", line), web.static("/static", STATIC)])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://localhost:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def at_a_desk(
    browser: Browser, address: str, emulator: str, token: Callable[[], str], *scripts: str
) -> AsyncIterator[Page]:
    """Somebody's page whose softphone is open.

    Arguments:
        token: makes access tokens.
        scripts: run before the page's own.
    """
    context = await browser.new_context(locale="fr-FR")
    for script in (WATCH, *scripts):
        await context.add_init_script(script)
    context.set_default_timeout(15_000)  # milliseconds
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda one: complaints.append(one.text) if one.type in ("error", "warning") else None)
    await page.expose_function("renewed", token)
    try:
        await page.goto(address)
        await page.wait_for_selector("html[data-ready]")
        await page.evaluate("([token, endpoint]) => begin(token, endpoint)", [token(), emulator])
        yield page
    finally:
        await context.close()
    assert complaints == []


async def calls(page: Page, **parameters: str) -> None:
    """Call the application."""
    await page.evaluate("(parameters) => { window.talk = line.connect(parameters); }", parameters)
    await page.wait_for_function("() => states.at(-1) === 'open'")


async def hears_more(page: Page) -> None:
    """Wait until more has been heard than now."""
    before = float(await page.evaluate(ENERGY))
    async with asyncio.timeout(15):
        while float(await page.evaluate(ENERGY)) < before + AUDIBLE:
            await asyncio.sleep(0.05)


async def hears_nothing_more(page: Page) -> None:
    """Wait until nothing has been heard for longer than the microphone's beeps are apart."""
    async with asyncio.timeout(15):
        before, after = 0.0, 1.0
        while after > before + INAUDIBLE:
            before = float(await page.evaluate(ENERGY))
            await asyncio.sleep(LONGER_THAN_A_BEEP)
            after = float(await page.evaluate(ENERGY))
