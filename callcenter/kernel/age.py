"""How old somebody is, and whether of age."""

from __future__ import annotations

from datetime import date

AGE_OF_MAJORITY = 18


def age(born: date, today: date) -> int:
    """Whole years that somebody born on ``born`` has lived on ``today``."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def is_adult(born: date, today: date) -> bool:
    """Whether somebody born on ``born`` is of age on ``today``."""
    return age(born, today) >= AGE_OF_MAJORITY
