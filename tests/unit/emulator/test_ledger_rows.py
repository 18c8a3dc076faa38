from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from callcenter.emulator.ledger_rows import compare
from callcenter.emulator.steps import Ends, LedgerRow, Step, Transcript

RECORD = {"categories": ("D01", "D02"), "level": 2, "decision": "granted", "prompt": "p"}


def transcript(*rows: dict[str, Any]) -> Transcript:
    ledger = tuple(LedgerRow(10 + number, tuple(row.items())) for number, row in enumerate(rows))
    return Transcript(Path("a.yaml"), "t", "a", "b", (Step(1, 4, Ends()),), None, ledger, 9)


def test_given_keys_are_equal() -> None:
    assert compare(transcript({"categories": ["D01", "D02"], "level": 2}), [RECORD]) is None
    assert compare(transcript(), []) is None


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"level": 3}, r"level = 3.*level = 2"),
        ({"categories": ["D02", "D01"]}, r"\['D02', 'D01'\].*\['D01', 'D02'\]"),
        ({"absent": None}, r"absent = None.*absent = rien"),
    ],
)
def test_other_values_differ(row: dict[str, Any], words: str) -> None:
    difference = compare(transcript(row), [RECORD])
    assert difference is not None
    assert (difference.step, difference.line) == (2, 10)
    assert re.search(words, str(difference), re.DOTALL)


@pytest.mark.parametrize("found", [[], [RECORD, RECORD]])
def test_the_number_of_records_counts(found: list[dict[str, Any]]) -> None:
    assert compare(transcript({"level": 2}), found) is not None


def test_their_order_counts() -> None:
    assert compare(transcript({"level": 1}, {"level": 2}), [RECORD, {"level": 1}]) is not None
