"""The bench at a télésecrétariat's size runs, here at a small one, and keeps what it measured. No time is judged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.large import arguments
from tests.soaking import SOAKING

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not SOAKING, reason="make soak: two installations take most of a minute")
def test_both_sizes_answer_and_what_was_measured_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "raw.jsonl"
    amounts = ["--practices", "3", "--patients", "150", "--appointments", "600", "--versions", "5"]
    bounds = ["--rounds", "1", "--seconds", "0.2", "--callers", "2", "--output", str(file)]
    command = [sys.executable, "-m", "tests.bench.large", *amounts, *bounds]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    kept = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["kind"] for line in kept[:2]] == ["machine", "brought"]
    assert kept[1]["rows"] > 150 + 150 + 600 - 1
    measured = [line for line in kept if line["kind"] == "size"]
    assert [(line["size"], line["versions"]) for line in measured] == [
        (size, versions) for versions in (0, 5) for size in ("1 practice", "3 practices")
    ]
    for line in measured:
        assert line["first"]["count"] >= 50
        assert line["loaded"]["errors"] == line["alone"]["errors"] == {}
        assert line["loaded"]["calls"] > 0  # whole verified ones
    for shown in ("first answer alone, p99 ms", "verified call at 2 callers, steps/s", "COPY of the same rows"):
        assert shown in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--practices", "1"], "write a whole number from 2 to 5000"),
        (["--patients", "some"], "write a whole number from 100 to 2000000"),
        (["--versions", "0"], "write a whole number from 1 to 2000"),
    ],
)
def test_bounds_that_cannot_be_are_explained(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments(words)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
