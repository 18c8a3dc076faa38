"""A screen as JSON text, for whoever keeps it between two answers.

It may hold what was typed: the text must be sealed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from callcenter.flow.screens import AtKeys, Choice, Files, Finished, Form, Screen
from callcenter.kernel.errors import IntegrityError

#: By the name that stands in the text: two kinds of screens may hold the same.
_KINDS: Mapping[str, TypeAdapter[Any]] = {
    kind.__name__.lower(): TypeAdapter(kind) for kind in (Choice, Form, AtKeys, Files, Finished)
}


def screen_to_json(screen: Screen) -> str:
    """The screen as JSON text."""
    kind = type(screen).__name__.lower()
    return json.dumps({"kind": kind, "screen": _KINDS[kind].dump_python(screen, mode="json")}, ensure_ascii=False)


def screen_from_json(text: str) -> Screen:
    """The screen that :func:`screen_to_json` wrote.

    Raises:
        IntegrityError: the text is not a screen.
    """
    try:
        kept = json.loads(text)
        screen: Screen = _KINDS[kept["kind"]].validate_python(kept["screen"])
    except (KeyError, TypeError, ValueError, ValidationError):
        # "from None": the cause holds what was typed.
        raise IntegrityError("the saved screen of a script cannot be read") from None
    return screen
