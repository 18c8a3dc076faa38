"""The README's table of promises: where it says that one is tested, a test carries its number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

_ROW = re.compile(r"^\| P(?P<number>\d) \| .+ \| (?P<places>[^|]+) \|$", re.MULTILINE)
_TEST = re.compile(r"^ *(?:async )?def (test_\w+)", re.MULTILINE)


def rows() -> list[tuple[int, str]]:
    """A promise and a folder each."""
    found = _ROW.finditer((ROOT / "README.md").read_text(encoding="utf-8"))
    return [(int(row["number"]), place) for row in found for place in re.findall(r"`([^`]+)`", row["places"])]


def test_every_promise_has_its_row() -> None:
    assert sorted({number for number, _ in rows()}) == list(range(1, 10))


@pytest.mark.parametrize(("number", "folder"), rows())
def test_a_promise_is_tested_where_the_table_says(number: int, folder: str) -> None:
    names = [
        name
        for file in sorted((ROOT / folder).rglob("test_*.py"))
        for name in _TEST.findall(file.read_text(encoding="utf-8"))
    ]
    assert [name for name in names if f"_p{number}_" in name], f"no test of {folder} has _p{number}_ in its name"
