"""THREAT_MODEL.md names tests that exist, and no attack is without a threat."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
MODEL = (PROJECT / "THREAT_MODEL.md").read_text(encoding="utf-8")
ATTACKS = PROJECT / "tests" / "attack"
PROMISES = [f"P{number}" for number in range(1, 10)]

_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def named(text: str) -> set[tuple[str, str]]:
    """The tests that a text names: file and function."""
    return set(_NAMED.findall(text))


def functions(file: Path) -> Mapping[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """The test functions of a module, read without importing it."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    return {
        node.name: node
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def missing(text: str) -> list[str]:
    """The tests that ``text`` names and that do not exist."""
    return sorted(
        f"{path}::{name}"
        for path, name in named(text)
        if not (PROJECT / path).is_file() or name not in functions(PROJECT / path)
    )


def attacks() -> Iterator[tuple[str, str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every attack by its test, in whatever folder below; in the first one there is nothing else."""
    for file in sorted(ATTACKS.rglob("test_*.py")):
        for name, node in functions(file).items():
            if file.parent == ATTACKS or is_attack(node):
                yield file.relative_to(PROJECT).as_posix(), name, node


def is_attack(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a test names the defence that stops it."""
    return any(ast.unparse(decorator).startswith("attack(stopped_by=") for decorator in node.decorator_list)


def shown() -> Iterator[tuple[str, str]]:
    """Every test that shows how a threat stands: the attacks, what is tried on the ledger, and the leak oracle, whose
    sabotage is a file of its own."""
    yield from ((path, name) for path, name, _ in attacks())
    for folder in ("ledger", "leak_oracle"):
        for file in sorted((ATTACKS / folder).rglob("test_*.py")):
            yield from ((file.relative_to(PROJECT).as_posix(), name) for name in functions(file))


def sections(level: str, text: str) -> Mapping[str, str]:
    """The parts of a document below each heading that begins with ``level``."""
    parts = re.split(rf"^{re.escape(level)}(.*)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


THREATS = sections("### ", sections("## ", MODEL)["4. Threats"])


def test_every_test_that_is_named_exists() -> None:
    assert missing(MODEL) == []


def test_a_name_that_does_not_exist_is_found() -> None:
    here = Path(__file__).relative_to(PROJECT).as_posix()
    assert missing(f"`{here}::test_a_name_that_does_not_exist_is_found`") == []
    assert missing(f"`{here}::test_nothing` and `tests/attack/test_nowhere.py::test_x`") == [
        "tests/attack/test_nowhere.py::test_x",
        f"{here}::test_nothing",
    ]


def test_every_attack_belongs_to_a_threat() -> None:
    of_threats = named("".join(THREATS.values()))
    without = sorted({f"{path}::{name}" for path, name in shown() if (path, name) not in of_threats})
    assert without == [], "say in THREAT_MODEL.md what these show"


def test_what_stands_in_folders_below_is_looked_at_too() -> None:
    """An attack on the ledger that no threat names would be missed in silence."""
    folders = {Path(path).parent.name for path, _ in shown()}
    assert folders >= {"attack", "ledger", "leak_oracle"}


def test_every_test_among_the_attacks_names_its_defence() -> None:
    """Then it is run with the defence in place and switched off (tests/attack/defence.py)."""
    for path, name, node in attacks():
        assert is_attack(node), f"{path}::{name} is no attack"


@pytest.mark.parametrize("threat", THREATS)
def test_every_threat_says_what_is_ours_and_names_its_tests(threat: str) -> None:
    assert "\n- **We** " in THREATS[threat]
    assert named(THREATS[threat])


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_has_its_tests(promise: str) -> None:
    by_promise = re.split(r"^\*\*(P\d) ", sections("## ", MODEL)["5. Promise by promise"], flags=re.MULTILINE)
    assert named(dict(zip(by_promise[1::2], by_promise[2::2], strict=True))[promise])


def test_threats_stand_in_order_once_each_and_promises_too() -> None:
    numbers = [int(re.findall(r"\d+", threat)[0]) for threat in THREATS]
    assert numbers == sorted(set(numbers))
    assert re.findall(r"^\*\*(P\d) ", MODEL, flags=re.MULTILINE) == PROMISES
    assert re.findall(r"(?<!\n)\n#+ .*", MODEL) == [], "a heading stands after an empty line"


def test_every_threat_that_is_referred_to_exists() -> None:
    known = {int(re.findall(r"\d+", threat)[0]) for threat in THREATS}
    assert {int(number) for number in re.findall(r"\bT(\d{1,2})\b", MODEL)} - known == set()
