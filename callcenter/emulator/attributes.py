"""Reading an element's attributes: what is wrong is warned about, and the default used."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from callcenter.emulator.verbs import Method

Warn = Callable[[int, str], None]


class Attributes:
    """The attributes of one element.

    Arguments:
        tag: the element's name, for warnings.
        given: the attributes as written.
        ignored: names that the carrier knows and that change nothing here.
        warn: told a code and a message.
    """

    def __init__(self, tag: str, given: Mapping[str, str], ignored: frozenset[str], warn: Warn) -> None:
        self._tag = tag
        self._given = dict(given)
        self._ignored = ignored
        self._warn = warn

    def text(self, name: str, default: str) -> str:
        """The attribute as it is written."""
        return self._given.pop(name, default)

    def whole(self, name: str, default: int, code: int = 12200) -> int:
        """A whole number from 0."""
        text = self._given.pop(name, None)
        if text is None:
            return default
        if text.isascii() and text.isdigit():
            return int(text)
        self._warn(code, f"<{self._tag} {name}={text!r}>: a whole number; {default or 'nothing'} is used")
        return default

    def seconds(self, name: str, default: float, code: int = 12200) -> float:
        """A time in whole seconds."""
        return float(self.whole(name, round(default), code))

    def flag(self, name: str, *, default: bool = False, code: int = 12200) -> bool:
        """``true`` or ``false``."""
        usual = "true" if default else "false"
        text = self._given.pop(name, usual)
        if text not in {"true", "false"}:
            self._warn(code, f"<{self._tag} {name}={text!r}>: true or false; {usual} is used")
            return default
        return text == "true"

    def method(self, name: str, code: int) -> Method:
        """``GET`` or ``POST``, the default."""
        text = self._given.pop(name, "POST")
        if text not in {"GET", "POST"}:
            self._warn(code, f"<{self._tag} {name}={text!r}>: GET or POST; POST is used")
        return "GET" if text == "GET" else "POST"

    def finish(self) -> None:
        """Warn about every attribute that nobody asked for and the carrier does not know."""
        for name in self._given:
            if name not in self._ignored:
                self._warn(12200, f"<{self._tag} {name}>: no such attribute; it is ignored")
