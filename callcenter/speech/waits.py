"""How long a wait will be, in words: a range in whole minutes, since nobody knows it better."""

from __future__ import annotations

from datetime import timedelta

from callcenter.speech.numerals import spoken_feminine

#: A wait that may be longer is said to be longer than this, in minutes: a range of it would promise something.
LONGEST_SAID = 30


def spoken_wait(half: timedelta, most: timedelta, language: str = "fr") -> str:
    """A range of waiting: « deux à quatre minutes », « moins d'une minute »; "two to four minutes".

    Arguments:
        half, most: what half of the callers, and nine of ten, wait at most.
        language: ``fr`` or ``en``.
    """
    low, high = int(half / _MINUTE), -int(-most // _MINUTE)
    english = language == "en"
    if low >= LONGEST_SAID:
        return f"more than {LONGEST_SAID} minutes" if english else f"plus de {spoken_feminine(LONGEST_SAID)} minutes"
    if high <= 1:
        return "less than a minute" if english else "moins d'une minute"
    low, high = max(low, 1), min(max(high, low + 1), LONGEST_SAID)
    if low == high:
        return f"about {low} minutes" if english else f"environ {spoken_feminine(low)} minutes"
    return f"{low} to {high} minutes" if english else f"{spoken_feminine(low)} à {spoken_feminine(high)} minutes"


_MINUTE = timedelta(minutes=1)
