"""Texts made comparable: one spelling for all letters, and what is encoded in them laid open.

Why normalised haystacks, and not a list of every spelling of every canary: letter cases, accents, Unicode forms,
separators and encodings multiply with each other (some hundred thousand needles, and always one that was forgotten),
whereas undone one after the other on the side of the text they add up. What is left to look for are a few dozen plain
forms a canary, found by Python's substring search, which is as fast as memory. Base64 is decoded at all alignments,
so that a value is found in the middle of something longer too.
"""

from __future__ import annotations

import base64
import html
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote_plus

#: Layers of encoding that are undone: a JSON text in base64 in a URL is three.
DEPTH = 3

#: Identifiers: UUIDs, digests, tokens and the carrier's SIDs.
_OPAQUE = re.compile(r"\b(?:[A-Z]{2})?[0-9a-f]{32,}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_LIGATURES = str.maketrans({"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE"})
_NOT_TELLING = re.compile(r"[^0-9a-z:/]+")
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_-]{6,}")
_HEX_RUN = re.compile(r"[0-9a-fA-F]{8,}")
_NOT_TEXT = re.compile(r"[\x00-\x1f\x7f\ufffd]+")
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
#: Characters of a run that is remembered.
_SHORT = 64
_URL_SAFE = str.maketrans("-_", "+/")


def without_identifiers(text: str) -> str:
    """``text`` with identifiers blanked: random hexadecimal holds any number of six digits sooner or later.

    One whose bytes are a text is no identifier, and stays.
    """
    return _OPAQUE.sub(lambda found: found[0] if _is_text(found[0]) else " . ", text)


def _is_text(token: str) -> bool:
    try:
        bytes.fromhex(re.sub("^[A-Z]{2}|-", "", token)).decode()
    except ValueError:
        return False
    return True


def fold(text: str) -> str:
    """``text`` in small letters without accents; all between words is one space, but ``:`` and ``/`` stay."""
    plain = text if text.isascii() else _NOT_ASCII.sub(_without_accents, _decomposed(text))
    return f" {_NOT_TELLING.sub(' ', plain.casefold()).strip()} "


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFKD", text.translate(_LIGATURES))


def _without_accents(found: re.Match[str]) -> str:
    return "".join(letter for letter in found[0] if not unicodedata.combining(letter))


def readings(text: str) -> Iterator[str]:
    """``text``, and all that can be read in it once its encodings are undone, layer by layer; none is folded."""
    seen = {text}
    layer = [text]
    yield text
    for _ in range(DEPTH):
        layer = [opened for closed in layer for opened in _opened(closed) if opened not in seen and opened.strip()]
        seen.update(layer)
        yield from layer


def _opened(text: str) -> Iterator[str]:
    if "%" in text or "+" in text:
        yield unquote_plus(text)
    if "&" in text:
        yield html.unescape(text)
    if "\\u" in text:
        yield _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    yield " . ".join(_words_in(text))


def _words_in(text: str) -> Iterator[str]:
    """What runs of base64 and hexadecimal say, as far as it is text."""
    for run in _HEX_RUN.findall(text):
        for start in (0, 1):
            yield from _text(bytes.fromhex(run[start : len(run) - (len(run) - start) % 2]))
    for run in _BASE64_RUN.findall(text):
        yield from _known(run) if len(run) <= _SHORT else _in_base64(run)


def _in_base64(run: str) -> Iterator[str]:
    for start in range(4):
        part = run[start:].translate(_URL_SAFE)
        yield from _text(base64.b64decode(part + "A" * (-len(part) % 4)))


@lru_cache(maxsize=1 << 16)
def _known(run: str) -> tuple[str, ...]:
    """The same words stand in every page and every document."""
    return tuple(_in_base64(run))


def _text(data: bytes) -> Iterator[str]:
    """The readable parts of ``data``: random bytes are hardly ever four characters in a row."""
    for part in _NOT_TEXT.split(data.decode("utf-8", "replace")):
        if len(part) >= 4:
            yield part
