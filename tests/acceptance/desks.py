"""The screens of those on duty in a transcript: the console's own page, as a browser without a script shows and sends
it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser

from aiohttp import ClientSession
from sqlalchemy import text

from callcenter.app import Running
from callcenter.console import paths
from callcenter.console.cookies import SESSION
from callcenter.console.script_fields import CHOICE, DOCUMENT, TYPED
from callcenter.console.script_ports import RETURNED
from callcenter.flow.screens import SEND
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import SystemRandom
from callcenter.staff.passkeys import RelyingParty
from callcenter.staff.room import StaffRoom
from callcenter.staff.sessions import Stage

#: Elements without an end.
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


@dataclass(slots=True)
class Screen:
    """The script as it stands on the page.

    Arguments:
        words: that can be read there; what stands in fields is among them.
        action: where its form goes; empty where nothing is asked.
        sent: what the form holds, by the names of its fields.
        offered: names of the fields that may be filled, those among which nothing is chosen yet too.
        choices: what its buttons send, each with the digit that presses it, or an empty text.
        back: whether the caller is back from their keys, which a page says by itself.
        alarm: where the red button's form goes; empty where there is none.
        rung: what that form holds.
    """

    words: list[str] = field(default_factory=list)
    action: str = ""
    sent: dict[str, str] = field(default_factory=dict)
    offered: set[str] = field(default_factory=set)
    choices: dict[str, str] = field(default_factory=dict)
    back: bool = False
    alarm: str = ""
    rung: dict[str, str] = field(default_factory=dict)

    @property
    def document(self) -> int:
        return int(self.sent[DOCUMENT])


class _Reader(HTMLParser):
    """Reads the script of a call out of a page, and what stands around the red button."""

    def __init__(self) -> None:
        super().__init__()
        self.screen: Screen | None = None
        self._open: list[str] = []
        self._alarm = False
        self._field = ""
        self._written: list[str] | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        alarm = given.get("data-slot") == "urgence"
        if alarm or (tag == "section" and "script" in given.get("class", "").split()):
            self.screen, self._open, self._alarm = self.screen or Screen(), [tag], alarm
            return
        if self.screen is None or not self._open:
            return
        if tag not in _VOID:
            self._open.append(tag)
        self._read(self.screen, tag, given)

    def _read(self, screen: Screen, tag: str, given: Mapping[str, str]) -> None:
        name = given.get("name", "")
        if self._alarm:
            if tag == "form":
                screen.alarm = given["action"]
            elif tag == "input":
                screen.rung[name] = given["value"]
            return
        match tag:
            case "form":
                screen.action, screen.back = given["action"], "data-back" in given
            case "button" if given.get("type") != "button":  # those are for scripts, which answer nothing
                screen.choices[given["value"]] = given.get("data-digit", "")
            case "input" if given.get("type") == "radio":
                screen.offered.add(name)
                if "checked" in given:
                    screen.sent[name] = given["value"]
            case "input":
                screen.sent[name] = given["value"]
                if given.get("type") != "hidden":
                    screen.offered.add(name)
                    screen.words.append(given["value"])
            case "textarea" | "select":
                self._field = name
                screen.offered.add(name)
                screen.sent[name] = ""
                self._written = [] if tag == "textarea" else None
            case "option" if "selected" in given:
                screen.sent[self._field] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        if self.screen is None or not self._open:
            return
        if tag == "textarea" and self._written is not None:
            # The first line's end is the template's own (HTML 13.2.6.4.7).
            self.screen.sent[self._field] = "".join(self._written).removeprefix("\n")
            self._written = None
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self.screen is None or not self._open:
            return
        if self._written is not None:
            self._written.append(data)
        self.screen.words.append(data)


def _screen_of(page: str) -> Screen | None:
    """The script on a page, or ``None`` where none stands there."""
    reader = _Reader()
    reader.feed(page)
    screen = reader.screen
    return screen if screen is not None and "".join(screen.words).strip() else None


class StaffDesks:
    """Implements ``callcenter.emulator.desks.Desks`` on the console of a house that runs.

    Arguments:
        session: asks as somebody's browser does.
    """

    def __init__(self, running: Running, clock: Clock, session: ClientSession) -> None:
        self._running = running
        self._clock = clock
        self._session = session
        self._tokens: dict[str, str] = {}

    async def words(self, login: str) -> str | None:
        screen = await self._look(login)
        return None if screen is None else " ".join(" ".join(screen.words).split())

    async def answer(self, login: str, choice: str | None, values: Mapping[str, str]) -> str | None:
        screen = await self._look(login)
        if screen is None or not screen.action:
            return "aucun écran"
        pressed = choice or SEND
        if pressed not in screen.choices:
            pressed = next((one for one, digit in screen.choices.items() if digit == pressed), "")
        typed = {TYPED + name: value for name, value in values.items()}
        if not pressed or not typed.keys() <= screen.offered:
            return f"l'écran n'offre pas cela : {' / '.join(screen.choices)}"
        after = await self._send(login, screen, pressed, typed)
        moved = after is None or not after.action or after.document > screen.document
        return None if moved else "rien n'a changé"

    async def emergency(self, login: str) -> str | None:
        screen = await self._look(login)
        if screen is None or not screen.alarm:
            return "aucun bouton"
        return None if await self._asks(login, "POST", screen.alarm, screen.rung) is not None else "rien n'a changé"

    async def _look(self, login: str) -> Screen | None:
        screen = await self._asks(login, "GET", paths.WORKPLACE)
        if screen is not None and screen.back:
            screen = await self._send(login, screen, RETURNED, {})
        return screen

    async def _send(self, login: str, screen: Screen, pressed: str, typed: Mapping[str, str]) -> Screen | None:
        return await self._asks(login, "POST", screen.action, {**screen.sent, **typed, CHOICE: pressed})

    async def _asks(self, login: str, method: str, path: str, fields: Mapping[str, str] | None = None) -> Screen | None:
        return _screen_of(await self.page(login, method, path, fields))

    async def page(
        self, login: str, method: str = "GET", path: str = paths.WORKPLACE, fields: Mapping[str, str] | None = None
    ) -> str:
        """The page of ``login`` as it comes over the wire."""
        console = self._running.console
        headers = {"Cookie": f"{SESSION}={await self._token(login)}", "Origin": console}
        async with self._session.request(method, console + path, headers=headers, data=fields) as response:
            assert response.status == 200, f"{method} {path}: {response.status}"
            return await response.text()

    async def _token(self, login: str) -> str:
        """Of the session that ``login`` has once both of their factors were shown."""
        if login not in self._tokens:
            running = self._running
            party = RelyingParty.at(running.console)
            database = running.database
            room = StaffRoom.on(database, database, running.sealer, self._clock, SystemRandom(), party)
            try:
                async with database.house() as connection:
                    query = text("SELECT id FROM staff_account WHERE login = :login")
                    staff = (await connection.execute(query, {"login": login})).scalar_one()
                    self._tokens[login] = await room.sessions.begin(connection, staff, Stage.FULL)
            finally:
                room.close()
        return self._tokens[login]


@asynccontextmanager
async def staff_desks(running: Running, clock: Clock) -> AsyncIterator[StaffDesks]:
    """The desks of a house, for as long as the body runs."""
    async with ClientSession() as session:
        yield StaffDesks(running, clock, session)
