"""What the pages say: every message of templates and code, and the catalogues that translate them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from callcenter.console.words import FOLDER, Language

CONSOLE = FOLDER.parent
ALL_ELSE = "common"

#: What is handed a message (babel's form: which of the arguments are messages).
KEYWORDS: Mapping[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "marked": None, "ngettext": (1, 2)}
#: As ``console.rendering`` reads templates.
TEMPLATES = {"newstyle_gettext": "true", "silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}

#: Of gettext's head only what is read: neither dates nor makers, which would differ at every writing.
_HEAD = b"""msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""

Key = tuple[str, str | None]
_PLACEHOLDER = re.compile(r"%(?:\([a-z_]+\)[a-z]|%|.?)")


@dataclass(slots=True)
class Entry:
    """A message, as a reader of French sees it.

    Arguments:
        files: in which it stands, by name.
    """

    one: str
    many: str | None
    files: list[str] = field(default_factory=list)

    @property
    def key(self) -> Key:
        return self.one, self.many

    def area(self, areas: list[str]) -> str:
        """The catalogue in which it belongs: that which its file is named after."""
        stem = Path(self.files[0]).stem
        named = [area for area in areas if stem == area or stem.startswith(area + "_")]
        return max(named, key=len, default=ALL_ELSE)


@cache
def messages(folder: Path = CONSOLE) -> Mapping[Key, Entry]:
    """Every message of a folder's templates and modules."""
    found: dict[Key, Entry] = {}
    sources = [(path, "jinja2.ext:babel_extract", TEMPLATES) for path in sorted(folder.glob("templates/*.html"))]
    sources += [(path, "python", {}) for path in sorted(folder.glob("*.py"))]
    for path, method, options in sources:
        for _, said, _, _ in extract(method, BytesIO(path.read_bytes()), KEYWORDS, (), options):
            one, many = said if isinstance(said, tuple) else (said, None)
            entry = found.setdefault((one, many), Entry(one, many))
            if path.name not in entry.files:
                entry.files.append(path.name)
    return found


@dataclass(frozen=True, slots=True)
class Translated:
    """An entry of a catalogue.

    Arguments:
        forms: one, or singular and plural.
    """

    file: str
    one: str
    many: str | None
    forms: tuple[str, ...]
    fuzzy: bool

    @property
    def key(self) -> Key:
        return self.one, self.many


def translated(path: Path) -> Iterator[Translated]:
    """The entries of a catalogue, but its head."""
    for message in catalogue(path):
        if not message.id:
            continue
        one, many = message.id if isinstance(message.id, tuple) else (message.id, None)
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        yield Translated(path.name, one, many, tuple(form or "" for form in forms), message.fuzzy)


def catalogue(path: Path, language: Language = Language.ENGLISH) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language.value, abort_invalid=True)


def placeholders(words: str) -> list[str]:
    """What a message is filled in with, and every sign that would break the filling in."""
    return sorted(set(_PLACEHOLDER.findall(words)))


def written(files: Mapping[str, Path], found: Mapping[Key, Entry]) -> dict[str, bytes]:
    """The catalogues as they ought to be, by area: what is new added without words, what is stale left out.

    Arguments:
        files: the catalogues by area.
        found: the messages of the pages.
    """
    kept: dict[str, dict[Key, Translated]] = {
        area: {one.key: one for one in translated(path) if one.key in found} for area, path in files.items()
    }
    known = {key for entries in kept.values() for key in entries}
    for key, entry in found.items():
        if key not in known:
            area = entry.area(list(files))
            forms = ("",) if entry.many is None else ("", "")
            kept.setdefault(area, {})[key] = Translated(f"{area}.po", entry.one, entry.many, forms, fuzzy=False)
    return {area: _text(entries) for area, entries in kept.items()}


def _text(entries: Mapping[Key, Translated]) -> bytes:
    made = Catalog(locale=Language.ENGLISH.value, fuzzy=False)
    # By the letters: a page that comes or goes moves no other entry.
    for entry in sorted(entries.values(), key=lambda entry: (entry.one, entry.many or "")):
        flags = ("python-format",) if placeholders(entry.one + (entry.many or "")) else ()
        if entry.many is None:
            made.add(entry.one, entry.forms[0], flags=flags)
        else:
            made.add((entry.one, entry.many), entry.forms, flags=flags)
    out = BytesIO()
    write_po(out, made, width=0, omit_header=True)
    return _HEAD + out.getvalue().rstrip() + b"\n"
