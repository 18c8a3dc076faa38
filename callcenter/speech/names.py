"""Persons' names as they are spoken."""

from __future__ import annotations

_TITLES = {
    "dr": "docteur",
    "dre": "docteure",
    "drs": "docteurs",
    "pr": "professeur",
    "pre": "professeure",
    "prof": "professeur",
    "m": "monsieur",
    "mr": "monsieur",
    "mm": "messieurs",
    "mme": "madame",
    "mmes": "mesdames",
    "mlle": "mademoiselle",
}


def spoken_name(name: str) -> str:
    """A person's name with the title in full and no word in capitals, which a voice might spell.

    Arguments:
        name: as it is written: ``Dr Claire MOREAU`` is « docteur Claire Moreau ».
    """
    words = name.split()
    titled = [_TITLES.get(word.rstrip(".").lower(), word) if index == 0 else word for index, word in enumerate(words)]
    return " ".join(word.title() if len(word) > 1 and word.isupper() and word[-1] != "." else word for word in titled)
