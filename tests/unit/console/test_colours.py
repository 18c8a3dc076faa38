"""Words and borders stand out from what they stand on, in the light and in the dark (WCAG 2.2, 1.4.3 and 1.4.11)."""

from __future__ import annotations

import re

import pytest

from callcenter.console.files import FOLDER

_STYLE = (FOLDER / "console.css").read_text(encoding="utf-8")
COLOURS = {
    name: {"light": light, "dark": dark}
    for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", _STYLE)
}

WORDS = [
    *(("ink", on) for on in ("ground", "surface", "sunken", "accent-wash", "amber-wash", "red-wash", "green-wash")),
    *(("soft", on) for on in ("ground", "surface", "sunken", "accent-wash")),
    *(("accent", on) for on in ("ground", "surface", "sunken", "accent-wash")),
    ("on-accent", "accent"),
    ("surface", "ink"),
    ("red-ink", "surface"),
    *((f"{colour}-ink", f"{colour}-wash") for colour in ("red", "amber", "green")),
]
SHAPES = [
    *(("strong-line", on) for on in ("surface", "ground")),
    *(("focus", on) for on in ("ground", "surface", "red-wash")),
    *((f"{colour}-ink", on) for colour in ("red", "amber", "green") for on in ("surface", f"{colour}-wash")),
]


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2, its definition)."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_measured_as_the_guidelines_say() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(WORDS, 4.5), (SHAPES, 3.0)])
def test_what_is_to_be_seen_is_seen(scheme: str, pairs: list[tuple[str, str]], least: float) -> None:
    found = {(over, on): contrast(COLOURS[over][scheme], COLOURS[on][scheme]) for over, on in pairs}
    assert {pair: round(ratio, 2) for pair, ratio in found.items() if ratio < least} == {}
