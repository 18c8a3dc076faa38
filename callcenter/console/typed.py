"""What somebody types who looks for a patient: why, and when the patient was born."""

from __future__ import annotations

from datetime import date
from typing import Final

#: Characters of a reason, at least and at most: one word is none.
SHORTEST_REASON: Final = 10
LONGEST_REASON: Final = 500

#: Years that somebody may have been born ago.
_OLDEST = 130


def birth_date(typed: str, today: date) -> date | None:
    """A day on which somebody alive may be born; ``None`` where nothing of the kind was typed.

    Arguments:
        typed: as a browser sends a day, ``1962-03-14``.
    """
    try:
        born = date.fromisoformat(typed)
    except ValueError:
        return None
    return born if today.year - _OLDEST <= born.year and born <= today else None
