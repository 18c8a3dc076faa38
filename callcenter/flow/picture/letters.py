"""How wide words are, so that they are never cut and never run into each other, whichever font a reader has.

A picture brings no font of its own. Widths are those of the widest of the fonts that a browser takes for
``sans-serif`` (DejaVu Sans and Helvetica, measured), rounded up to a twentieth of the size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

ELLIPSIS = "…"


def _by_letter(classes: Mapping[int, str]) -> Mapping[str, int]:
    return {letter: width for width, letters in classes.items() for letter in letters}


#: Hundredths of the size.
_REGULAR = _by_letter(
    {
        30: "'IijlÌÍÎÏìíîï",
        35: " ,./:;\\|¦·’‘\xa0",
        40: "()-[]ft‹›",
        45: "!r¡²³¹",
        50: '"*J`¨ª¯°´¸º',
        55: "cszç“”",
        60: "?L_kvxy§ýÿ–•",
        65: "$0123456789FTabdeghnopqu{}¢£¤¥«µ¶»¿ßàáâãäåèéêëðñòóôõöøùúûüþ€",
        70: "ABEKPSVXYZÀÁÂÃÄÅÈÉÊËÝÞŸ",
        75: "CNRUÇÑÙÚÛÜ",
        80: "&DGHOQÐÒÓÔÕÖØ\u202f",
        85: "#+<=>^w~¬±×÷↩✓≥",
        90: "M",
    }
)
_BOLD = _by_letter(
    {
        35: " 'ijlìíîï\xa0",
        40: ",./:;I\\|¦·ÌÍÎÏ’‘",
        45: "-f²³¹‹›",
        50: "!()[]`rt¡¨¯°´¸",
        55: '"*',
        60: "J_csz§ªºç–",
        65: "?Lx¤«¶»¿•",
        70: "$0123456789EFTaekovy¢£¥ÈÉÊËàáâãäåèéêëðòóôõöøýÿ“”€",
        75: "CPSYZbdghnpqu{}µÇÝÞßñùúûüþŸ",
        80: "ABKRVXÀÁÂÃÄÅ\u202f",
        85: "#+<=>DGHNU^~¬±ÐÑ×ÙÚÛÜ÷↩✓≥",
        90: "&OQÒÓÔÕÖØ",
        95: "w",
        100: "@M©®—…→⇒",
    }
)
#: Of whatever is in no table: other scripts may be this wide.
_WIDEST = 120


def width(text: str, size: float, *, bold: bool = False) -> float:
    """The most room that ``text`` takes, in the unit of ``size``."""
    widths = _BOLD if bold else _REGULAR
    return sum(widths.get(letter, _WIDEST) for letter in text) * size / 100


def fitted(text: str, size: float, most: float, *, bold: bool = False) -> str:
    """``text``, or its beginning and an ellipsis, no wider than ``most``."""
    if width(text, size, bold=bold) <= most:
        return text
    room = most - width(ELLIPSIS, size, bold=bold)
    kept, used = 0, 0.0
    for letter in text:
        used += width(letter, size, bold=bold)
        if used > room:
            break
        kept += 1
    return text[:kept].rstrip() + ELLIPSIS


def wrapped(text: str, size: float, most: float, lines: int = 1_000, *, bold: bool = False) -> tuple[str, ...]:
    """``text`` in lines no wider than ``most``.

    Arguments:
        lines: at most; what is left over is told by an ellipsis.
    """
    words = list(_pieces(text, size, most, bold=bold))
    done: list[str] = []
    for at, word in enumerate(words):
        longer = f"{done[-1]} {word}" if done else word
        if done and width(longer, size, bold=bold) <= most:
            done[-1] = longer
        elif len(done) < lines:
            done.append(word)
        else:
            done[-1] = fitted(" ".join([done[-1], *words[at : at + 9]]), size, most, bold=bold)
            break
    return tuple(done)


def _pieces(text: str, size: float, most: float, *, bold: bool) -> Iterator[str]:
    """The words of ``text``; one that is wider than a line, in several."""
    for word in text.split(" "):
        rest = word
        while width(rest, size, bold=bold) > most:
            kept, used = 0, 0.0
            for letter in rest:
                used += width(letter, size, bold=bold)
                if used > most:
                    break
                kept += 1
            kept = max(kept, 1)
            yield rest[:kept]
            rest = rest[kept:]
        if rest:
            yield rest
