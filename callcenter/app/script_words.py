"""What of a script's screen addresses its operator, in the language in which they read the pages.

The script itself is French, as callers are spoken to: what is to be read to them stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from callcenter.flow.conversation import Line
from callcenter.flow.prompts import PromptBook
from callcenter.flow.screens import AtKeys, Choice, Files, Finished, Form, Screen

_FRENCH = "fr"
#: Begins what is read to the caller.
_QUOTATION = "«"


def worded(book: PromptBook, screen: Screen, language: str) -> dict[str, str]:
    """What of ``screen`` is said in ``language``, by its French words.

    What has something filled in is left out: the practice has written it, or it is a day that the caller is told.
    """
    known = book.translations[language]
    mine = (one for one in _lines(screen) if one.prompt in known and one.language == _FRENCH)
    theirs = (one for one in mine if _QUOTATION not in one.text and not known[one.prompt].fields)
    return {one.text: known[one.prompt].render({}) for one in theirs}


def _lines(screen: Screen) -> Iterator[Line]:
    """All the words of a screen."""
    yield from screen.lines
    match screen:
        case Form(fields=fields, options=options):
            for one in fields:
                yield from (one.label, *(option.label for option in one.options))
                if one.fault is not None:
                    yield one.fault
            yield from (option.label for option in options)
        case Files(items=items, options=options):
            yield from (item.label for item in items)
            yield from (option.label for option in options)
        case Choice(options=options) | AtKeys(options=options):
            yield from (option.label for option in options)
        case Finished():
            pass
