"""How one written form may look elsewhere: other letters for the same words, and the encodings that carry text."""

from __future__ import annotations

import base64
import html
import json
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

#: A shorter text is found by chance in tokens and identifiers, and would prove nothing.
_SHORTEST_TEXT = 4
#: The same for hexadecimal and base64, which look like tokens themselves.
_SHORTEST_ENCODED = 8

_LIGATURES = str.maketrans({"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "\u2019": "'"})
_NO_BREAK_SPACE = "\u00a0"


def without_accents(text: str) -> str:
    """``text`` in plain letters: « février » is ``fevrier``, « Lecœur » is ``Lecoeur``."""
    decomposed = unicodedata.normalize("NFD", text.translate(_LIGATURES))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _lettered(form: str) -> Iterator[str]:
    """``form`` in other cases, with and without accents, composed and decomposed, with no-break spaces."""
    for cased in (form, form.lower(), form.upper(), form.title()):
        for spaced in (cased, cased.replace(" ", _NO_BREAK_SPACE)):
            yield unicodedata.normalize("NFC", spaced)
            yield unicodedata.normalize("NFD", spaced)
            yield without_accents(spaced)


def _base64_traces(data: bytes) -> Iterator[str]:
    """What ``data`` leaves in base64 (RFC 4648): alone, and at each of the three offsets inside something longer."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(data).decode("ascii")
        for offset in range(3):
            traced = encode(bytes(offset) + data).decode("ascii").rstrip("=")
            # A character carries 6 bits: the outer ones are shared with the neighbours and may differ.
            first = -(-offset * 8 // 6)
            last = (offset + len(data)) * 8 // 6
            yield traced[first:last]


def _encoded(text: str) -> Iterator[str]:
    data = text.encode("utf-8")
    yield from (data.hex(), data.hex().upper())
    yield from _base64_traces(data)


def _escaped(text: str) -> Iterator[str]:
    """``text`` as URLs, forms, JSON, HTML and XML may carry it."""
    once = quote(text)
    yield from (once, quote(text, safe=""), quote_plus(text), quote(once, safe=""))  # the last: encoded twice
    yield json.dumps(text)[1:-1]
    yield from (html.escape(text), html.escape(text).encode("ascii", "xmlcharrefreplace").decode("ascii"))


def variants(forms: Iterable[str]) -> frozenset[str]:
    """Every way in which one of ``forms`` may appear in a document, a log or a message.

    Arguments:
        forms: the written forms of one value.

    Texts too short to prove anything are left out: under 4 characters, in hexadecimal or base64 under 8.
    """
    texts = {text for form in forms for text in _lettered(form)}
    plain = {shown for text in texts for shown in (text, *_escaped(text)) if len(shown) >= _SHORTEST_TEXT}
    coded = {shown for text in texts for shown in _encoded(text) if len(shown) >= _SHORTEST_ENCODED}
    return frozenset(plain | coded)
