"""Somebody with a browser, at the console: keeps cookies as a browser does, says where forms come from, reads forms."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import aiohttp
from multidict import CIMultiDict
from yarl import URL


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: CIMultiDict[str]
    text: str

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")

    @property
    def proof(self) -> str:
        """The proof in the page's first form."""
        found = re.search(r'name="preuve" value="([^"]*)"', self.text)
        assert found, "no form on this page"
        return found[1]

    @property
    def words(self) -> str:
        """What a reader sees."""
        reader = _Words()
        reader.feed(self.text)
        return " ".join(unescape(" ".join(reader.said)).split())


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def handle_data(self, data: str) -> None:
        self.said.append(data)


@dataclass(slots=True)
class Guest:
    """A browser without a screen.

    Arguments:
        address: where the console listens.
        origin: how its pages are called.
        cookies: as kept so far.
    """

    session: aiohttp.ClientSession
    address: str
    origin: str
    cookies: dict[str, str] = field(default_factory=dict)
    proof: str = ""

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return await self.ask("GET", path, headers=headers)

    async def post(self, path: str, headers: Mapping[str, str] | None = None, **fields: str) -> Answer:
        """Send a form of the page seen last, as its own script or button would."""
        return await self.send(path, {"preuve": self.proof, **fields}, headers=headers)

    async def send(
        self, path: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None, *, of: str | None = None
    ) -> Answer:
        """Send any form.

        Arguments:
            of: the origin that the browser names.
        """
        given = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": of or self.origin,
            "Sec-Fetch-Site": "same-origin" if of in (None, self.origin) else "cross-site",
            **(headers or {}),
        }
        return await self.ask("POST", path, urlencode(fields).encode(), given)

    async def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send anything, and keep what the answer says to keep."""
        given = {"Host": self.origin.partition("//")[2], **(headers or {})}
        if self.cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        url = URL(self.address + path, encoded=True)
        async with self.session.request(method, url, data=body, headers=given, allow_redirects=False) as response:
            answer = Answer(response.status, CIMultiDict(response.headers), await response.text(errors="replace"))
        self._keep(answer)
        if 'name="preuve"' in answer.text:
            self.proof = answer.proof
        return answer

    async def follow(self, answer: Answer) -> Answer:
        """Go where an answer sends one, as long as it does."""
        for _ in range(5):
            if answer.status != 303:
                return answer
            answer = await self.get(answer.location)
        raise AssertionError("sent around in circles")

    def _keep(self, answer: Answer) -> None:
        for line in answer.headers.getall("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                assert morsel["secure"]
                assert morsel["httponly"]
                assert morsel["path"] == "/"
                if morsel["max-age"] == "0" or not morsel.value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


@asynccontextmanager
async def arriving(address: str, origin: str) -> AsyncIterator[Guest]:
    """A guest with a fresh browser."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Guest(session, address, origin)
