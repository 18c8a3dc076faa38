"""The ledger's bench runs, here on a short log, and keeps what it measured. No time is judged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.ledger import KINDS, Took, arguments, goals, table
from tests.soaking import SOAKING

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not SOAKING, reason="make soak: an installation, a call, an export take half a minute")
def test_a_log_is_sealed_exported_and_verified_beside_the_hashing_of_it(tmp_path: Path) -> None:
    file = tmp_path / "raw.jsonl"
    command = [sys.executable, "-m", "tests.bench.ledger", "--records", "1000", "--rounds", "1", "--output", str(file)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    machine, *measured = [json.loads(line) for line in file.read_text().splitlines()]
    assert (machine["kind"], machine["records"]) == ("machine", 1000)
    assert sorted(line["what"] for line in measured) == sorted(KINDS)
    for line in measured:
        assert line["records"] >= 1000
        assert min(line["octets"], line["seconds"], line["processor"]) > 0
    assert {line["what"] for line in measured if line["memory"]} == {"exported", "verified"}
    assert "intact: callcenter/" in done.stdout


def test_what_was_wanted_is_said_beside_what_is() -> None:
    """A round of it: 200 records in a second is not what was wanted, and 300 MB are too many."""
    took = [Took(kind, 200, 1_000, 1.0, 0.5, 300.0 if kind in ("exported", "verified") else None) for kind in KINDS]
    header, *rows, note = table(took)
    assert [row.split()[0] for row in rows] == [kind.split()[0] for kind in KINDS]
    assert rows[2].split()[-2:] == ["1.0", "300"]
    assert "PostgreSQL" in note
    assert "times hashing" in header
    assert [line.rpartition(": ")[2] for line in goals(took)][:2] == ["NOT met", "NOT met"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--records", "999"], "write a whole number from 1000 to 5000000"),
        (["--rounds", "some"], "write a whole number from 1 to 20"),
    ],
)
def test_bounds_that_cannot_be_are_explained(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments(words)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
