"""Somebody of staff before the pages of practices' settings, on a database with the demo's two practices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

from sqlalchemy import text

from callcenter.app.by_practices import StaffPractices
from callcenter.app.sound_addresses import SoundAddresses
from callcenter.calls.flows import load_flows
from callcenter.calls.shelf import Shelf
from callcenter.console.practice_pages import practice_pages
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import demo_id, read_demonstration
from callcenter.practice.directory import Directory
from callcenter.practice.enrolment import write_organisation, write_practice, write_practitioners
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.setting_versions import Author
from callcenter.settings import PROJECT
from callcenter.speech.voices import SilentVoice
from callcenter.staff.room import StaffRoom
from callcenter.staff.values import Account, Role
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.integration.consoles import BY, ORGANISATION, Console, opened_console
from tests.unit.console.guest import Answer, Guest

TILLEULS, PORT = demo_id("practice", "cabinet-des-tilleuls"), demo_id("practice", "maison-de-sante-du-port")
MAIN, RESCUE = "+33465710001", "+33465710090"
MOREAU, BENALI = (demo_id("practitioner", f"cabinet-des-tilleuls/{name}") for name in ("Claire Moreau", "Nadia Benali"))
#: Another organisation, to which the Port may belong.
ELSEWHERE = UUID(int=8)


@cache
def flows() -> Shelf:
    policy = PROJECT / "config" / "disclosure-policy.yaml"
    return Shelf(load_flows(PROJECT / "flows", "accueil", PROJECT / "flows" / "prompts" / "fr.yaml", policy))


@dataclass(slots=True)
class Office:
    """The console, with practices behind it."""

    console: Console
    practices: StaffPractices
    accounts: dict[str, Account] = field(default_factory=dict)

    @property
    def guest(self) -> Guest:
        return self.console.guest

    async def staff(self, login: str, role: Role | None, *practices: UUID, guest: Guest | None = None) -> Account:
        """Somebody with a role for some practices, signed in before the guest."""
        room = self.console.room
        await self.console.joined(login, guest=guest)
        account = self.accounts[login] = await room.administration.called(login)
        if role is not None:
            portfolio = await room.portfolios.create(ORGANISATION, f"de {login}", BY)
            for practice in practices:
                await room.portfolios.add(portfolio, practice, BY)
            await room.administration.grant(account, role, portfolio, BY)
        return account

    async def facts(self, practice: UUID = TILLEULS, at: datetime | None = None) -> PracticeFacts:
        async with self.console.database.house() as connection:
            return await Directory.facts(connection, practice, at or self.console.clock.now())

    async def records(self, practice: UUID = TILLEULS) -> list[dict[str, Any]]:
        async with self.console.database.practice(practice) as tx:
            query = text("SELECT convert_from(body, 'UTF8')::json AS body FROM audit_record")
            return [row.body for row in await tx.connection.execute(query)]

    async def form(self, path: str, guest: Guest | None = None) -> dict[str, str]:
        """The fields of the last form that has some, as a browser would send them untouched."""
        page = await (guest or self.guest).get(path)
        assert page.status == 200, page.words
        return fields_of(page)


def setting(practice: UUID, name: str) -> str:
    return f"/cabinets/{practice}/reglages/{name}"


def fields_of(page: Answer) -> dict[str, str]:
    """What a browser sends of the page's form with the most fields, without its buttons."""
    reader = _Forms()
    reader.feed(page.text)
    return max(reader.forms, key=len)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        match tag:
            case "form":
                self.forms.append({})
            case "input" if given.get("type") in ("checkbox", "radio"):
                if "checked" in given:
                    self.forms[-1][name] = given.get("value", "on")
            case "input" if name:
                self.forms[-1][name] = given.get("value", "")
            case "textarea":
                self._area = name
                self.forms[-1][name] = ""
            case "select":
                self._select = name
            case "option" if self._select is not None:
                if "selected" in given or self._select not in self.forms[-1]:
                    self.forms[-1][self._select] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = None
        if tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.forms[-1][self._area] += data.removeprefix("\n") if not self.forms[-1][self._area] else data


@asynccontextmanager
async def opened_office(
    database: Database, sealer: Sealer, clock: DrivenClock, *, port_elsewhere: bool = False
) -> AsyncIterator[Office]:
    """The pages, and nobody signed in.

    Arguments:
        port_elsewhere: the Port is another organisation's.
    """
    made: list[StaffPractices] = []

    def also(room: StaffRoom) -> dict[str, Any]:
        sounds = SoundAddresses(sealer, SilentVoice())
        made.append(StaffPractices(room, database, clock, SeededRandom(11), flows(), sounds))
        return {"pages": practice_pages(made[0])}

    async with opened_console(database, sealer, clock, also=also) as console:
        async with database.house() as connection:
            await write_organisation(connection, ELSEWHERE, "Un autre télésecrétariat")
        for slug, described in read_demonstration(FOLDER).practices.items():
            elsewhere = port_elsewhere and slug.startswith("maison")
            facts = replace(described.facts, organisation_id=ELSEWHERE if elsewhere else ORGANISATION)
            async with database.practice(facts.id) as tx:
                await write_practice(tx.connection, facts, Author("tests", clock.now()))
                await write_practitioners(tx, described.practitioners)
        yield Office(console, made[0])
