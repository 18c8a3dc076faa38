"""In which language somebody reads: French as it stands in the pages, the others from catalogues.

A catalogue is a text (``locales/<language>/<area>.po``, gettext's own form), read as it is written: nothing is built.
An area is a page or several; what two areas say alike, each may have in its own file.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from callcenter.speech.typography import set_in_french

FOLDER: Final = Path(__file__).with_name("locales")


class Language(StrEnum):
    """A language that the pages are written in (ISO 639-1)."""

    FRENCH = "fr"
    ENGLISH = "en"

    @property
    def own_name(self) -> str:
        """What it calls itself, so that whoever reads no other finds it."""
        return {Language.FRENCH: "Français", Language.ENGLISH: "English"}[self]


#: What somebody's account has chosen, once it is known who asks.
CHOSEN: Final = web.RequestKey("language", Language)

#: Languages of a header that are looked at; browsers send fewer.
_MOST_ASKED = 12
_ASKED = re.compile(r"([A-Za-z]{2,3})(?:-[A-Za-z0-9-]*)?(?:;q=([01](?:\.[0-9]{0,3})?))?")


class _French(gettext.NullTranslations):
    """The words as they are written, set. Nothing, and one and a half, are singular in French."""

    def gettext(self, message: str) -> str:
        return set_in_french(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return set_in_french(msgid1 if abs(n) < 2 else msgid2)


def marked(message: str) -> str:
    """A text that is translated where it is shown: it tells the catalogues that it is one."""
    return message


def language_of(request: web.Request) -> Language:
    """The language in which a request is answered: the account's, or what the browser asks for."""
    return request.get(CHOSEN) or asked_language(",".join(request.headers.getall(hdrs.ACCEPT_LANGUAGE, [])))


def asked_language(header: str) -> Language:
    """The language that a browser would rather read (RFC 9110 §12.5.4); French where it asks for none that there is.

    Arguments:
        header: ``Accept-Language``, as it came.
    """
    best, weight = Language.FRENCH, 0.0
    for part in header.split(",", _MOST_ASKED)[:_MOST_ASKED]:
        found = _ASKED.fullmatch(part.replace(" ", ""))
        if found is None or found[1].lower() not in set(Language):
            continue
        wanted = float(found[2]) if found[2] else 1.0
        if wanted > weight:
            best, weight = Language(found[1].lower()), wanted
    return best


@cache
def translations(language: Language) -> gettext.NullTranslations:
    """What knows the words of a language.

    Raises:
        PoFileError: a catalogue cannot be read.
    """
    if language is Language.FRENCH:
        return _French()
    first, *others = (_read(path, language) for path in catalogues(language))
    for other in others:
        first.add_fallback(other)
    return first


def catalogues(language: Language) -> Iterator[Path]:
    """The files of a language, by name."""
    yield from sorted((FOLDER / language.value).glob("*.po"))


def _read(path: Path, language: Language) -> gettext.GNUTranslations:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language.value, abort_invalid=True)
    built = BytesIO()
    write_mo(built, catalogue)
    built.seek(0)
    return gettext.GNUTranslations(built)
