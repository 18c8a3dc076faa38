"""Sentences that are put together outside templates: French, with what is filled in kept apart, so that a template says
them in its reader's language and escapes what somebody wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jinja2 import pass_context
from jinja2.runtime import Context


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, or a part of one.

    Arguments:
        text: in French, with ``%(name)s`` where something is filled in.
        values: what is filled in: others' words, or sentences again.
    """

    text: str
    values: Mapping[str, Told | str | int] = field(default_factory=dict)


def _(text: str, **values: Told | str | int) -> Told:
    """A sentence; of this name, so that it is found among what is to be translated."""
    return Told(text, values)


def said(told: Told, gettext: Callable[..., str]) -> str:
    """The whole of it, in a reader's language; not escaped yet.

    Arguments:
        gettext: of templates, which fills in what it is given by name.
    """
    values = {name: said(part, gettext) if isinstance(part, Told) else part for name, part in told.values.items()}
    # The places to fill are filled with themselves: what is filled in is words of others, escaped later.
    return str(gettext(told.text, **{name: f"%({name})s" for name in values})) % values


@pass_context
def told(context: Context, sentence: Told) -> str:
    """The filter of templates: a sentence in its reader's language, to be escaped by the template."""
    gettext = context.resolve("gettext")
    return said(sentence, lambda message, /, **values: str(context.call(gettext, message, **values)))
