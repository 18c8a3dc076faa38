"""Names of persons, normalised for comparison only: what is stored stays as it was written (MA-01)."""

from __future__ import annotations

import re
import unicodedata

from callcenter.kernel.errors import CallcenterError

_LIGATURES = str.maketrans({"Œ": "OE", "Æ": "AE"})
_APOSTROPHES_AND_HYPHENS = re.compile("['’‘ʼ`´\\-‐‑‒–—\\s]+")  # the ones that people and files use
_COMPARABLE = re.compile(r"[A-Z]+( [A-Z]+)*")

#: MA-02: compared with and without, so left out of the key.
PARTICLES = frozenset(
    {"D", "DE", "DES", "DU", "L", "LA", "LE", "LES", "VON", "VAN", "DER", "DEN", "BEN", "BIN", "EL", "AL"}
)


class UnmappedCharacter(CallcenterError):
    """A name has a character without an equivalent among A-Z."""


def normalise_name(name: str) -> str:
    """``name`` in capitals A-Z with single spaces: ``D'Angélo-Le Gœff`` is ``D ANGELO LE GOEFF``.

    Raises:
        UnmappedCharacter: nothing but diacritics, apostrophes, hyphens and the ligatures Œ and Æ has an equivalent,
            and no character is left out silently; an empty name has none either.

    Source: MA-01 (INS guide, EXI ID 10).
    """
    capitals = unicodedata.normalize("NFC", name).upper().translate(_LIGATURES)
    spaced = _APOSTROPHES_AND_HYPHENS.sub(" ", capitals).strip()
    plain = "".join(c for c in unicodedata.normalize("NFD", spaced) if not unicodedata.combining(c))
    if _COMPARABLE.fullmatch(plain):
        return plain
    odd = next((c for c in plain if not ("A" <= c <= "Z" or c == " ")), "")
    what = unicodedata.name(odd, "an unnamed character") if odd else "nothing else"
    raise UnmappedCharacter(f"the name has {what}, which has no equivalent among A-Z")


def surname_key(name: str) -> str:
    """The text that is equal for two surnames that match in whole: any order of parts, particles with or without.

    ``Le Gœff d'Angélo`` and ``ANGELO-GOEFF`` have one key. A name made of particles alone keeps them.

    Raises:
        UnmappedCharacter: see :func:`normalise_name`.

    Source: MA-02.
    """
    parts = normalise_name(name).split()
    telling = [part for part in parts if part not in PARTICLES]
    return " ".join(sorted(telling or parts))
