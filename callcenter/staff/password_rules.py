"""What a password must be (AU-01): long enough, and not what anybody would try first.

CNIL (délibération 2022-100) asks for 80 bits: 14 characters, or 12 of four classes. It is never made to expire.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from enum import StrEnum

LONG = 14
LONG_WITH_ALL_CLASSES = 12
#: Beyond it nobody types a password; it bounds what is normalised and hashed.
LONGEST = 200

#: What must be left of a password without what everybody would guess, and of how many different characters.
_LEFT, _DIFFERENT = 8, 5

#: Of lists of passwords that leaked in France, what makes up those of 12 characters and more; and words of this trade.
_COMMON = (
    *("azertyuiop", "qsdfghjklm", "wxcvbn", "azerty", "qwertyuiop", "qwerty", "aqwzsx", "1a2z3e4r", "a1z2e3r4"),
    *("motdepasse", "password", "passe", "pass", "secret", "identifiant", "admin", "utilisateur"),
    *("bonjour", "bienvenue", "soleil", "doudou", "loulou", "chouchou", "coucou", "jetaime", "amour", "princesse"),
    *("marseille", "toulouse", "liberte", "france", "paris", "camille", "nicolas", "julien", "thomas", "football"),
    *("printemps", "automne", "hiver", "ete", "janvier", "fevrier", "mars", "avril", "juillet", "septembre"),
    *("octobre", "novembre", "decembre", "chocolat", "maison", "vacances", "famille", "chien", "chat", "iloveyou"),
    *("telesecretariat", "telesecretaire", "secretariat", "secretaire", "cabinet", "medical", "docteur", "medecin"),
    *("callcenter", "telephone", "accueil", "patient", "sante", "hopital", "clinique", "superviseur", "operatrice"),
    *("0123456789", "123456789", "12345678", "1234567", "123456", "12345", "1234", "987654321", "654321", "4321"),
    *("2022", "2023", "2024", "2025", "2026", "2027", "abcdefghij", "abcdef", "abcd"),
)


class Weakness(StrEnum):
    """Why a password is not taken."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    #: Little is left of it without names that others know, common words, and rows of keys.
    GUESSABLE = "guessable"


def normalised(password: str) -> str | None:
    """A password in the one form in which it is hashed (NFKC, NIST SP 800-63B §5.1.1.2), or ``None`` if too long."""
    if len(password) > LONGEST:
        return None
    plain = unicodedata.normalize("NFKC", password)
    return plain if len(plain) <= LONGEST else None


def weakness(password: str, known: Iterable[str]) -> Weakness | None:
    """Why ``password`` is not taken, or ``None``.

    Arguments:
        known: what others know of its owner: login, name, organisation, practices.
    """
    plain = normalised(password)
    if plain is None:
        return Weakness.TOO_LONG
    if len(plain) < (LONG_WITH_ALL_CLASSES if _classes(plain) == 4 else LONG):
        return Weakness.TOO_SHORT
    left = _simple(plain)
    for word in sorted({*_words(known), *map(_simple, _COMMON)}, key=len, reverse=True):
        left = left.replace(word, "")
    return Weakness.GUESSABLE if len(left) < _LEFT or len(set(left)) < _DIFFERENT else None


def _classes(password: str) -> int:
    """How many of the four classes: lower case, upper case, digits, anything else."""
    lower, upper = any(c.islower() for c in password), any(c.isupper() for c in password)
    digit, other = any(c.isdigit() for c in password), any(not c.isalnum() for c in password)
    return lower + upper + digit + other


def _words(known: Iterable[str]) -> set[str]:
    """What is known, whole and word by word; what is short stands in other words by chance."""
    names = [_simple(part) for name in known for part in (name, *name.replace("-", " ").replace(".", " ").split())]
    return {name for name in names if len(name) >= 4}


def _simple(text: str) -> str:
    """Without case, accents, spaces and signs."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if character.isalnum())
