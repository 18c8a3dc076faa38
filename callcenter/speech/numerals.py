"""French numbers in full words, so that a carrier's voice and our own read them alike."""

from __future__ import annotations

import re

from callcenter.kernel.errors import CallcenterError

_UNITS = (
    *("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
    *("dix", "onze", "douze", "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf"),
)
_TENS = {2: "vingt", 3: "trente", 4: "quarante", 5: "cinquante", 6: "soixante"}

#: Country calling codes of the French numbering plan, in which a ten-digit number begins with 0 (metropolitan France,
#: Guadeloupe, French Guiana, Martinique, Réunion and Mayotte).
_FRENCH_PLAN = re.compile(r"\+(?:33|590|594|596|262)([1-9]\d{8})")
#: How many digits are read together in the short numbers of the French plan: 15, 112, 3977, 116 117.
_SHORT_GROUPS = {2: 2, 3: 3, 4: 2, 6: 3}


class NoSpokenForm(CallcenterError):
    """The value has no spoken form in French."""


def _below_hundred(n: int) -> str:
    if n < 20:
        return _UNITS[n]
    if n >= 80:
        return "quatre-vingts" if n == 80 else f"quatre-vingt-{_UNITS[n - 80]}"
    tens, rest = (6, n - 60) if n >= 60 else divmod(n, 10)
    if rest == 0:
        return _TENS[tens]
    if rest in (1, 11):
        return f"{_TENS[tens]} et {_UNITS[rest]}"
    return f"{_TENS[tens]}-{_UNITS[rest]}"


def _below_thousand(n: int) -> str:
    hundreds, rest = divmod(n, 100)
    if hundreds == 0:
        return _below_hundred(rest)
    if rest == 0:
        return "cent" if hundreds == 1 else f"{_UNITS[hundreds]} cents"
    return f"{'cent' if hundreds == 1 else _UNITS[hundreds] + ' cent'} {_below_hundred(rest)}"


def spoken_number(n: int) -> str:
    """``n`` in words, as counted in France: « soixante-dix », « quatre-vingt-un », « deux mille vingt-six ».

    Arguments:
        n: a whole number or a year, 0 to 9999.

    Raises NoSpokenForm for another number. Source: UX-01 (septante and nonante are not used).
    """
    if not 0 <= n <= 9999:
        raise NoSpokenForm("only whole numbers from 0 to 9999 are spoken")
    thousands, rest = divmod(n, 1000)
    if thousands == 0:
        return _below_thousand(rest)
    head = "mille" if thousands == 1 else f"{_UNITS[thousands]} mille"
    return head if rest == 0 else f"{head} {_below_thousand(rest)}"


def spoken_feminine(n: int) -> str:
    """``n`` in words before, or for, something feminine: « une », « vingt et une », « quatre-vingt-une ».

    Arguments and errors as for :func:`spoken_number`.
    """
    words = spoken_number(n)
    return f"{words}e" if re.search(r"\bun$", words) else words


def _group(digits: str) -> str:
    """One group of digits: each leading zero is said, then the number that is left."""
    rest = digits.lstrip("0")
    words = ["zéro"] * (len(digits) - len(rest))
    if rest:
        words.append(spoken_number(int(rest)))
    return " ".join(words)


def spoken_digits(digits: str, group: int = 1) -> str:
    """A code or reference, read digit by digit or in groups: « quarante-huit, vingt-sept, dix-neuf ».

    Arguments:
        digits: one or more of 0 to 9; leading zeros count.
        group: how many digits are read together: 1, 2 or 3. The last group may be shorter.

    Raises NoSpokenForm for anything but digits, or another grouping. Source: UX-01.
    """
    if not (digits.isascii() and digits.isdigit()):
        raise NoSpokenForm("only digits can be read digit by digit")
    if group not in (1, 2, 3):
        raise NoSpokenForm("digits are read by 1, 2 or 3")
    return ", ".join(_group(digits[start : start + group]) for start in range(0, len(digits), group))


def national_digits(e164: str) -> str | None:
    """The ten digits that one dials in France for ``e164``, or None if it is no number of the French plan."""
    french = _FRENCH_PLAN.fullmatch(e164)
    return f"0{french[1]}" if french else None


def spoken_phone(number: str) -> str:
    """A telephone number by pairs: « zéro quatre, soixante-cinq, soixante et onze, zéro zéro, zéro un ».

    Arguments:
        number: E.164 (``+33465710001``), the ten digits of a French number, or a short one (``15``, ``116117``).
            Foreign numbers are read after « plus », by pairs.

    Raises NoSpokenForm for anything else. Source: UX-01.
    """
    if number.startswith("+"):
        national = national_digits(number)
        return spoken_digits(national, 2) if national else f"plus, {spoken_digits(number[1:], 2)}"
    return spoken_digits(number, _SHORT_GROUPS.get(len(number), 2))
