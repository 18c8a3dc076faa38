"""The bench itself runs: every form answers whole verified calls, and what it measured is kept. No time is judged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from callcenter.routing.values import Strategy
from tests.bench.__main__ import arguments
from tests.bench.floors import Form
from tests.bench.holding import SIZES
from tests.bench.routing import RINGS
from tests.bench.values import Step

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict[str, Any]]]:
    """One short run: what it printed, and what it kept."""
    file = tmp_path_factory.mktemp("bench") / "raw.jsonl"
    bounds = ["--rounds", "1", "--seconds", "0.2", "--callers", "2", "--output", str(file)]
    command = [sys.executable, "-m", "tests.bench", *bounds]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, [json.loads(line) for line in file.read_text().splitlines()]


def test_every_form_answers_whole_verified_calls(run: tuple[str, list[dict[str, Any]]]) -> None:
    phases = [line for line in run[1] if line["kind"] == "phase"]
    assert {(phase["form"], phase["callers"]) for phase in phases} == {(form.value, n) for form in Form for n in (1, 2)}
    for phase in phases:
        assert phase["errors"] == {}
        assert phase["calls"] > 0  # whole ones: a call that is not answered as a verified caller's is an error


def test_what_was_measured_is_kept_with_the_machine_and_the_statements(run: tuple[str, list[dict[str, Any]]]) -> None:
    machine, *others = run[1]
    assert machine["kind"] == "machine"
    assert machine["postgresql"].endswith("fsync on")
    assert [line["step"] for line in others if line["kind"] == "statements"] == [step.value for step in Step]


def test_the_forms_stand_in_one_table_with_what_they_leave_out(run: tuple[str, list[dict[str, Any]]]) -> None:
    table = run[0].partition("product is")[2]
    for form in Form:
        assert f"\n{form.value} " in table
        assert f"\n{form.value}: " in table


def test_routing_is_measured_beside_its_statement_by_hand(run: tuple[str, list[dict[str, Any]]]) -> None:
    (measured,) = [line for line in run[1] if line["kind"] == "routing"]
    assert len(measured["ring_to_offer_ms"]) == RINGS
    assert min(measured["reservations_per_second"], measured["by_hand_per_second"]) > 0
    assert "\nrouting: 1,000 practices, 200 waiting\nreservations/s " in run[0]


def test_every_strategy_is_held_while_more_and_more_wait(run: tuple[str, list[dict[str, Any]]]) -> None:
    measured = [line for line in run[1] if line["kind"] == "waiting"]
    assert {(one["waiting"], one["strategy"]) for one in measured} == {(n, s.value) for n in SIZES for s in Strategy}
    assert min(one["reservations_per_second"] for one in measured) > 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--rounds", "0"], "write a whole number from 1 to 20"),
        (["--seconds", "soon"], "write seconds from 0.2 to 60"),
        (["--callers", "1"], "write a whole number from 2 to 40"),
    ],
)
def test_bounds_that_cannot_be_are_explained(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments(words)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
