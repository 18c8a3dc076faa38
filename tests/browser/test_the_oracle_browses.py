"""What stays in the browser of staff, and what comes to it, of patients of whom nothing was proved.

The oracle's own house, whose every value is a canary, before a real Chromium: whoever sits down there next may read its
storage, its addresses and its titles; whoever passes by reads a notification.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from urllib.parse import urlsplit

from playwright.async_api import Browser, Error, Page, Route, expect
from sqlalchemy import text

from callcenter.console import paths
from callcenter.console.cookies import SESSION
from callcenter.console.script_fields import CHOICE, DOCUMENT, TYPED
from tests.attack.leak_oracle.conftest import client, everybody, findings_before_logs, house, telephone  # noqa: F401 - fixtures
from tests.attack.leak_oracle.people import Person
from tests.attack.leak_oracle.premises import Premises
from tests.attack.leak_oracle.taps import headers_of
from tests.attack.leak_oracle.telephone import Telephone
from tests.attack.leak_oracle.test_the_oracle_at_the_script import _TIMES, TRAININGS, Curious
from tests.attack.leak_oracle.test_the_oracle_at_work import _OUR_OWN, _leaves_a_message
from tests.attack.leak_oracle.verdict import Finding, Sink
from tests.browser.test_console_pages import looking

#: Answers of one walk through the script: a walk by bare requests makes sixty.
ANSWERS = 8

#: Streams, whose events are read as they come, and the address under which a test gives a session.
NOT_READ = frozenset({paths.WORKPLACE_NEWS, paths.BOARD_NEWS, "/given"})

#: A page in the background, whose notifications are noted as whoever passes by reads them.
IN_THE_BACKGROUND = """
Object.defineProperty(document, "hidden", { get: () => true });
window.noticed = [];
window.Notification = class {
  static permission = "granted";
  constructor(title, more) { window.noticed.push([title, more]); }
};
"""

#: All that a browser keeps of a page that a script can read.
KEPT = """async () => {
  const done = (request) => new Promise((good, bad) => { request.onsuccess = () => good(request.result);
    request.onerror = () => bad(request.error); });
  const kept = {
    local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie, window: window.name,
    address: location.href, state: history.state, title: document.title, noticed: window.noticed ?? [],
    databases: {}, caches: {}, workers: [],
  };
  for (const { name } of await indexedDB.databases()) {
    const base = await done(indexedDB.open(name));
    for (const store of base.objectStoreNames) {
      const all = base.transaction(store).objectStore(store);
      kept.databases[`${name}/${store}`] = [await done(all.getAllKeys()), await done(all.getAll())];
    }
    base.close();
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      kept.caches[`${name} ${request.url}`] = await (await cache.match(request)).text();
    }
  }
  kept.workers = (await navigator.serviceWorker.getRegistrations()).map((one) => one.scope);
  return kept;
}"""

#: Whether the screen of that number stands, or a later one; 0: none that asks anything.
STANDS = """(number) => {
  const shown = document.querySelector(".script form [name=document]");
  return number === 0 ? shown === null : shown === null || Number(shown.value) >= number;
}"""

#: How a value gets to each place in which a browser keeps something.
PLANTS: list[tuple[Sink, str, str]] = [
    (Sink.BROWSER, "localStorage", "localStorage.setItem('qui', planted)"),
    (Sink.BROWSER, "sessionStorage", "sessionStorage.setItem('qui', planted)"),
    (Sink.BROWSER, "cookie", "document.cookie = `qui=${encodeURIComponent(planted)}`"),
    (Sink.BROWSER, "window's name", "window.name = planted"),
    (Sink.BROWSER, "title", "document.title = planted"),
    (Sink.BROWSER, "address", "history.pushState(null, '', `#${planted}`)"),
    (Sink.BROWSER, "history's state", "history.replaceState({ qui: planted }, '')"),
    (
        Sink.BROWSER,
        "address gone back from",
        "history.pushState(null, '', `#${planted}`); history.pushState(null, '', '#')",
    ),
    (Sink.BROWSER, "notification", "new Notification(planted, { tag: 'callcenter' })"),
    (Sink.BROWSER, "cache", "await (await caches.open('pages')).put('/poste', new Response(planted))"),
    (
        Sink.BROWSER,
        "database",
        """await new Promise((done) => {
          const opening = indexedDB.open("appels");
          opening.onupgradeneeded = () => opening.result.createObjectStore("qui").put({ nom: planted }, 1);
          opening.onsuccess = () => { opening.result.close(); done(); };
        })""",
    ),
]


@dataclass(slots=True)
class Watch:
    """Judges what comes to a page, and what the browser keeps of it.

    Arguments:
        came: paths of what was judged.
        events: how many came on streams.
        noticed: notifications that were seen.
        typed: what was typed into fields, which a form shows again: it was kept as a draft meanwhile.
    """

    house: Premises
    page: Page
    came: list[str] = field(default_factory=list)
    events: int = 0
    noticed: int = 0
    typed: set[str] = field(default_factory=set)

    async def hang(self) -> None:
        """From now on."""
        await self.page.add_init_script(IN_THE_BACKGROUND)
        await self.page.route(_is_read, lambda route: self._passes(route))
        session = await self.page.context.new_cdp_session(self.page)
        await session.send("Network.enable")
        session.on("Network.eventSourceMessageReceived", lambda event: self._told(event["eventName"], event["data"]))

    def _told(self, name: str, data: str) -> None:
        self.events += 1
        self.house.judge.leaves(Sink.STREAM, f"event: {name}\ndata: {data}")

    async def _passes(self, route: Route) -> None:
        """An answer is read on its way: of a page that one has left, nothing could be read any more."""
        try:
            answer = await route.fetch(max_redirects=0)
        except Error:  # the page is gone that asked
            return
        self.came.append(urlsplit(route.request.url).path)
        shown = f"{headers_of(answer.headers)}\n{await answer.text()}"
        for own in self.typed:
            shown = shown.replace(f' value="{own}"', "")
        self.house.judge.leaves(Sink.PAGE, _ours_apart(shown))
        await route.fulfill(response=answer)

    async def looks(self) -> None:
        """At all that is kept at this moment."""
        kept = await self.page.evaluate(KEPT)
        self.noticed += len(kept["noticed"])
        session = await self.page.context.new_cdp_session(self.page)
        gone = await session.send("Page.getNavigationHistory")
        kept["history"] = [(entry["url"], entry["title"]) for entry in gone["entries"]]
        await session.detach()
        self.house.judge.leaves(Sink.BROWSER, _ours_apart(json.dumps(kept, ensure_ascii=False)))


def _is_read(url: str) -> bool:
    path = urlsplit(url).path
    return path not in NOT_READ and not path.startswith("/static/")


def _ours_apart(shown: str) -> str:
    return _OUR_OWN.sub("", _TIMES.sub("", shown))


class CuriousAtAPage(Curious):
    """Tries everything by a page of a browser, and looks at what is kept after each answer."""

    def __init__(self, person: Person, watch: Watch) -> None:
        super().__init__(watch.house, "", person)
        self._watch = watch

    async def _asks(self, method: str, path: str, fields: dict[str, str] | None = None) -> str:
        page = self._watch.page
        if method == "POST" and fields is not None:
            await self._answers(page, fields)
        await self._watch.looks()
        return await page.content()

    async def _answers(self, page: Page, fields: dict[str, str]) -> None:
        script = page.locator(".script")
        for name, value in fields.items():
            if not name.startswith(TYPED):
                continue
            blank = script.locator(f'[name="{name}"]')
            if await blank.first.get_attribute("type") == "radio":
                await blank.and_(page.locator(f'[value="{value}"]')).check()
            elif await blank.evaluate("one => one.tagName") == "SELECT":
                await blank.select_option(index=1)
            else:
                self._watch.typed.add(escape(value))
                await blank.fill(value)
        press = script.locator(f'button[name="{CHOICE}"][value="{fields[CHOICE]}"]')
        async with page.expect_response(
            lambda answer: answer.request.method == "POST" and "/scenario" in answer.url
        ) as at:
            await press.click()
        shown = re.search(rf'name="{DOCUMENT}" value="(\d+)"', await (await at.value).text())
        await page.wait_for_function(STANDS, arg=0 if shown is None else int(shown[1]))


@asynccontextmanager
async def watched(browser: Browser, at: Premises, token: str) -> AsyncIterator[Watch]:
    """A page of somebody who is signed in."""
    async with looking(browser) as page:
        watch = Watch(at, page)
        await watch.hang()
        given = {"Set-Cookie": f"{SESSION}={token}; Path=/; Secure; HttpOnly; SameSite=Strict"}
        await page.route("**/given", lambda route: route.fulfill(headers=given, body=""))
        await page.goto(at.running.console + "/given")
        yield watch


async def signed_in(at: Premises, person: Person, training: str) -> str:
    """The session of whoever answers for a practice, and has every role there: as much as any page offers."""
    await at.shift.begins(person.practice)
    await at.shift.is_trained(person.practice, (at.clock.now() + TRAININGS[training]).date())
    async with at.running.database.house() as connection:
        await connection.execute(_HAS_EVERY_ROLE, {"staff": at.shift.on_call(person.practice)})
    return await at.shift.signs_in(person.practice)


_HAS_EVERY_ROLE = text(
    """
    INSERT INTO staff_role (staff_id, portfolio_id, role, organisation_id)
    SELECT r.staff_id, r.portfolio_id, more.role, r.organisation_id
    FROM staff_role r CROSS JOIN (VALUES ('supervisor'), ('administrator')) AS more (role)
    WHERE r.staff_id = :staff AND r.role = 'operator' ON CONFLICT DO NOTHING
    """
)


async def _takes_a_call(watch: Watch, line: Telephone, person: Person) -> CuriousAtAPage:
    """Somebody who proves nothing waits, is taken, and the operator tries what the script offers."""
    page, at = watch.page, watch.house
    await page.goto(at.running.console + paths.WORKPLACE)
    await page.wait_for_selector("html[data-ready]")
    await line.waits(next(iter(person.practice.numbers)))
    await expect(page.locator("#alerte")).to_contain_text("Un appel pour")
    await watch.looks()
    assert watch.noticed > 0, "no notification was seen"
    leg = await line.taken_at(at.shift.desk(person.practice))
    assert leg is not None, "no operator was rung"
    await page.wait_for_selector(".script form")
    curious = CuriousAtAPage(person, watch)
    await curious.walks(ANSWERS)
    await line.left_by(leg)
    return curious


async def _goes_everywhere(watch: Watch) -> None:
    """To every main page, and to some that its links lead to."""
    page, seen = watch.page, {paths.HOME}
    await page.goto(watch.house.running.console + paths.HOME)
    ways = [str(way) for way in await page.locator("nav a").evaluate_all("all => all.map(one => one.pathname)")]
    for way in ways:
        await page.goto(watch.house.running.console + way)
        await watch.looks()
        links = await page.locator("main a[href^='/']").evaluate_all("all => all.map(one => one.pathname)")
        for link in links[:3]:
            if link not in {*seen, *ways}:
                seen.add(link)
                await page.goto(watch.house.running.console + str(link))
                await watch.looks()
        seen.add(way)


async def _opens_messages(watch: Watch) -> int:
    """Press whatever opens a message; how many there were."""
    page, address = watch.page, watch.house.running.console + paths.MESSAGES
    await page.goto(address)
    buttons = page.locator("main form button")
    count = await buttons.count()
    for at in range(count):
        await buttons.nth(at).click()
        await page.wait_for_load_state()
        await watch.looks()
        await page.goto(address)
    return count


def _accusing(findings: list[Finding]) -> list[str]:
    """Who works at a practice is nobody's secret; on which line they are reached is one."""
    public = {"practitioner.name", "practitioner.speciality"}
    return [str(one) for one in findings if one.canary is None or one.canary.field not in public]


async def test_p1_nothing_of_a_patient_is_in_the_browser_of_an_operator_whose_caller_has_proved_nothing(
    browser: Browser,
    house: Premises,  # noqa: F811 - the fixture
    telephone: Telephone,  # noqa: F811 - the fixture
) -> None:
    person = house.population.people["several"]
    token = await signed_in(house, person, "trained")
    await _leaves_a_message(house, person)
    house.judge.sinks.clear()
    async with watched(browser, house, token) as watch:
        curious = await _takes_a_call(watch, telephone, person)
        await _goes_everywhere(watch)
    assert not (found := _accusing(house.judge.findings)), "\n".join(found)
    assert {Sink.PAGE, Sink.STREAM, Sink.BROWSER} <= house.judge.sinks
    assert len(curious.screens) >= 5, curious.screens
    assert {paths.WORKPLACE, paths.MESSAGES, paths.PRACTICES, paths.REVIEW, paths.BOARD} <= set(watch.came)


async def test_p1_nothing_of_a_patient_is_in_the_browser_of_staff_whose_training_is_over(
    browser: Browser,
    house: Premises,  # noqa: F811 - the fixture
    telephone: Telephone,  # noqa: F811 - the fixture
) -> None:
    """They open each message too, or try to."""
    person = house.population.people["several"]
    token = await signed_in(house, person, "whose training is over")
    await _leaves_a_message(house, person)
    async with watched(browser, house, token) as watch:
        await _goes_everywhere(watch)
        tried = await _opens_messages(watch)
    assert tried > 0
    assert not (found := _accusing(house.judge.findings)), "\n".join(found)


async def test_p1_a_value_is_found_wherever_a_browser_keeps_it(
    browser: Browser,
    house: Premises,  # noqa: F811 - the fixture
    telephone: Telephone,  # noqa: F811 - the fixture
) -> None:
    token = await signed_in(house, house.population.people["several"], "trained")
    words = [
        one for one in house.population.canaries() if one.field.startswith("patient.") and " " not in str(one.value)
    ]
    missed = []
    async with watched(browser, house, token) as watch:
        for (_, place, plant), planted in zip(PLANTS, words, strict=False):
            await watch.page.goto(house.running.console + paths.HOME)
            await watch.looks()
            assert planted not in {finding.canary for finding in house.judge.findings}
            await watch.page.evaluate(f"async (planted) => {{ {plant}; }}", str(planted.value))
            await watch.looks()
            if (Sink.BROWSER, planted) not in {(finding.sink, finding.canary) for finding in house.judge.findings}:
                missed.append(place)
    assert missed == []
    assert len(words) >= len(PLANTS)
