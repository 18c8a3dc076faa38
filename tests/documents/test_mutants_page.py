"""``docs/mutants.md`` is about the modules that ``make mutants`` changes, and about functions that are there."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "mutants.md").read_text(encoding="utf-8")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]

_MODULE = re.compile(r"^\| `([\w/.]+)` \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
_SURVIVOR = re.compile(r"^\| `flow\.(\w+)\.(\w+)`, (\d+) \| ", re.MULTILINE)


def test_its_modules_are_those_that_are_changed() -> None:
    rows = _MODULE.findall(PAGE)
    assert [name for name, *_ in rows] == SETTINGS["only_mutate"]
    for _, mutants, *outcomes in rows:
        assert int(mutants) == sum(map(int, outcomes))


def test_each_survivor_is_of_a_function_that_is_there_and_has_its_reason() -> None:
    survivors = _SURVIVOR.findall(PAGE)
    assert sum(int(count) for *_, count in survivors) == sum(int(row[-1]) for row in _MODULE.findall(PAGE))
    for module, function, _ in survivors:
        assert hasattr(import_module(f"callcenter.flow.{module}"), function)


def test_what_judges_is_there() -> None:
    for path in SETTINGS["pytest_add_cli_args_test_selection"]:
        assert (ROOT / path).is_file()
    (left_out,) = (argument for argument in SETTINGS["pytest_add_cli_args"] if "::" in argument)
    file, _, name = left_out.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")
