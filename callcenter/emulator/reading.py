"""Reading requests to the control interface strictly: what is wrong is answered with what to send."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeVar

from aiohttp import web

from callcenter.emulator.errors import Refusal
from callcenter.emulator.messages import E164

Word = TypeVar("Word", bound=str)


class Body:
    """A JSON object, read key by key.

    Arguments:
        given: the object.
    """

    def __init__(self, given: dict[str, object]) -> None:
        self._given = dict(given)
        self._asked: list[str] = []

    @classmethod
    async def read(cls, request: web.Request) -> Body:
        """The request's body; an empty one is an empty object.

        Raises:
            Refusal: not JSON, or no object.
        """
        try:
            text = await request.text()
            given = json.loads(text) if text.strip() else {}
        except ValueError as error:
            raise Refusal('the body is not JSON: send an object such as {"digits": "1"}') from error
        if not isinstance(given, dict):
            raise Refusal('the body is not a JSON object: send for example {"digits": "1"}')
        return cls(given)

    def text(self, name: str, meaning: str, default: str | None = None, *, longest: int | None = None) -> str:
        """A text that is not empty, of so many characters at most."""
        value = self._take(name, default)
        if not isinstance(value, str) or not value:
            raise Refusal(f'"{name}" is missing or no text: send {{"{name}": "…"}}, {meaning}')
        if longest is not None and len(value) > longest:
            raise Refusal(f'"{name}" has more than {longest} characters')
        return value

    def nested(self, name: str) -> Body | None:
        """An object within this one, or None where the key is missing."""
        value = self._take(name, None)
        if not isinstance(value, dict | None):
            raise Refusal(f'"{name}" is an object')
        return None if value is None else Body(value)

    def optional(self, name: str, meaning: str) -> str | None:
        """A text that is not empty, or None where the key is missing."""
        if name in self._given:
            return self.text(name, meaning)
        self._asked.append(name)
        return None

    def texts(self, name: str, meaning: str) -> tuple[tuple[str, str], ...]:
        """An object of texts; empty where the key is missing."""
        value = self._take(name, {})
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            raise Refusal(f'"{name}" is an object of texts: send {{"{name}": {{"…": "…"}}}}, {meaning}')
        return tuple(value.items())

    def choice(self, name: str, choices: Sequence[Word], default: Word) -> Word:
        """One of a few words."""
        value = self._take(name, default)
        chosen = next((word for word in choices if word == value), None)
        if chosen is None:
            raise Refusal(f'"{name}" is one of {", ".join(choices)}')
        return chosen

    def whole(self, name: str, default: int, *, least: int = 1, most: int = 99_999) -> int:
        """A whole number within bounds."""
        value = self._take(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Refusal(f'"{name}" is a whole number from {least} to {most}')
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self._take(name, default)
        if not isinstance(value, bool):
            raise Refusal(f'"{name}" is true or false')
        return value

    def seconds(self, name: str, most: float, default: float | None = None) -> float:
        """A time above zero."""
        value = self._take(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
            raise Refusal(f'"{name}" is a number of seconds above 0, {most:g} at most: send {{"{name}": 5}}')
        return float(value)

    def finish(self) -> None:
        """Refuse keys that nobody asked for."""
        if self._given:
            known = ", ".join(self._asked) or "nothing"
            raise Refusal(f"unknown: {', '.join(sorted(self._given))}; this takes {known}")

    def _take(self, name: str, default: object) -> object:
        self._asked.append(name)
        return self._given.pop(name, default)


class Query:
    """A query string, read name by name.

    Arguments:
        request: whose query it is.
    """

    def __init__(self, request: web.Request) -> None:
        self._given = dict(request.query)
        self._asked: list[str] = []

    def text(self, name: str) -> str | None:
        """A text, or None."""
        self._asked.append(name)
        return self._given.pop(name, None)

    def telephone(self, name: str) -> str | None:
        """A number in E.164, or None; a + that was not written as %2B is a space by now."""
        value = self.text(name)
        if value is not None and E164.fullmatch(value) is None:
            raise Refusal(f'"{name}" is no number: write it in E.164 with %2B for the +, as in ?{name}=%2B33465710001')
        return value

    def choice(self, name: str, choices: Sequence[Word]) -> Word | None:
        """One of a few words, or None."""
        value = self.text(name)
        chosen = next((word for word in choices if word == value), None)
        if value is not None and chosen is None:
            raise Refusal(f'"{name}" is one of {", ".join(choices)}')
        return chosen

    def whole(self, name: str, default: int) -> int:
        """A whole number from 0."""
        value = self.text(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit()):
            raise Refusal(f'"{name}" is a whole number from 0')
        return int(value)

    def seconds(self, name: str, default: float, most: float) -> float:
        """A time from 0."""
        value = self.text(name)
        try:
            seconds = default if value is None else float(value)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds <= most:
            raise Refusal(f'"{name}" is a number of seconds from 0 to {most:g}')
        return seconds

    def finish(self) -> None:
        """Refuse names that nobody asked for."""
        if self._given:
            raise Refusal(f"unknown: {', '.join(sorted(self._given))}; this takes {', '.join(self._asked)}")
