"""SVG as text: every word and every value is escaped here, and nothing else makes markup.

No style, no script, no address: what a picture looks like stands in presentation attributes, so that it shows under
the strictest content security policy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

#: What no XML 1.0 document may hold, escaped or not.
_UNTOLD = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Value = str | int | float


class Markup(str):
    """Markup that was made here."""

    __slots__ = ()


def words(text: str) -> Markup:
    """``text`` as content, or as the value of an attribute."""
    return Markup(escape(_UNTOLD.sub("\ufffd", text), quote=True))


def element(name: str, attributes: Mapping[str, Value], *content: Markup) -> Markup:
    """An element. Its name and the names of attributes are our own; values are not."""
    said = "".join(f' {key}="{_value(value)}"' for key, value in attributes.items())
    if not content:
        return Markup(f"<{name}{said}/>")
    return Markup(f"<{name}{said}>{''.join(content)}</{name}>")


def text(x: Value, y: Value, said: str, **attributes: Value) -> Markup:
    """A line of words. An underscore in the name of an attribute stands for a hyphen."""
    return element("text", {"x": x, "y": y} | _hyphened(attributes), words(said))


def path(d: str, **attributes: Value) -> Markup:
    """A path; its shape is our own."""
    return element("path", {"d": d} | _hyphened(attributes))


def rectangle(x: int, y: int, wide: int, high: int, **attributes: Value) -> Markup:
    """A rectangle."""
    return element("rect", {"x": x, "y": y, "width": wide, "height": high} | _hyphened(attributes))


def group(attributes: Mapping[str, Value], *content: Markup) -> Markup:
    """A group; nothing where it would be empty."""
    return element("g", attributes, *content) if content else Markup("")


def moved(x: Value, y: Value, *content: Markup) -> Markup:
    """``content``, drawn from 0, 0, at another place."""
    return group({"transform": f"translate({x} {y})"}, *content)


def _hyphened(attributes: Mapping[str, Value]) -> dict[str, Value]:
    return {key.replace("_", "-"): value for key, value in attributes.items()}


def _value(value: Value) -> str:
    return words(value) if isinstance(value, str) else f"{value:g}"
