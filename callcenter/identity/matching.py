"""Comparing what a caller claims with what is on file: one of the three exits of protected values."""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Sequence
from datetime import date

from callcenter.kernel.protected import Protected, expose
from callcenter.practice.names import UnmappedCharacter, surname_key


def matches(on_file: Protected[date], claim: date) -> bool:
    """Whether the birth date on file is exactly the one claimed (MA-04), in constant time."""
    return hmac.compare_digest(expose(on_file).isoformat(), claim.isoformat())


#: ID-05: a birth date first, and of a name no more than so many letters.
MOST_LETTERS = 3


def begins_with(names: Sequence[Protected[str]], letters: str) -> bool:
    """Whether one of the names on file begins with what somebody has typed of it, accents and case apart (ID-05).

    Arguments:
        letters: at most :data:`MOST_LETTERS`; none fit every name.

    Raises:
        ValueError: more of them.
    """
    wanted = folded_letters(letters)
    if len(wanted) > MOST_LETTERS:
        raise ValueError("more letters of a name than may be searched by")
    return any(folded_letters(expose(name)).startswith(wanted) for name in names)


def is_named(names: Sequence[Protected[str]], claim: str) -> bool:
    """Whether one of the names on file is the one claimed in whole, particles and the order of its parts apart (MA-02).

    Arguments:
        claim: as typed; a name that cannot be compared fits nobody.
    """
    wanted = _key(claim)
    # One that cannot be compared hides no other name of the same person.
    return wanted is not None and any(_key(expose(name)) == wanted for name in names)


def _key(name: str) -> str | None:
    try:
        return surname_key(name)
    except UnmappedCharacter:
        return None


def folded_letters(name: str) -> str:
    """The letters of a name in capitals, without accents, hyphens or blanks."""
    plain = unicodedata.normalize("NFKD", name.upper())
    return "".join(letter for letter in plain if letter.isalpha())
