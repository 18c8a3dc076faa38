"""What docstrings, comments and pages name is there: a module that was renamed is renamed where it is spoken of too."""

from __future__ import annotations

import re
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from callcenter.kernel.labels import FIELD_LABELS

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "callcenter").rglob("*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

ROOMS = sorted(init.parent.name for init in (ROOT / "callcenter").glob("*/__init__.py"))

#: Settings of PostgreSQL, in which the app role names its practice, or a row that is none's: no modules of the roof.
_SETTINGS = {"app.practice", "app.row"}
_NAME = re.compile(rf"``(?:callcenter\.)?((?:{'|'.join(ROOMS)})(?:\.\w+)+)``")
_PATH = re.compile(r"`((?:callcenter|config|docs|flows|migrations|tests)/[\w./-]*)")


def exists(name: str) -> bool:
    """Whether ``room.module.attribute``, in so far as it is written, leads to something."""
    found: object = import_module("callcenter")
    for attribute in name.split("."):
        if isinstance(found, ModuleType) and hasattr(found, "__path__"):
            with suppress(ModuleNotFoundError):
                import_module(f"{found.__name__}.{attribute}")
        if not hasattr(found, attribute):
            return False
        found = getattr(found, attribute)
    return True


def named(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    return {name for name in _NAME.findall(text) if name not in FIELD_LABELS and name not in _SETTINGS}


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_a_module_that_is_not_there_is_seen() -> None:
    assert _NAME.findall("for callers ``telephony.edge``, and ``flow.ports.Record``") == [
        "telephony.edge",
        "flow.ports.Record",
    ]
    assert not exists("telephony.edge")
    assert not exists("flow.ports.NoSuchPort")
    assert exists("flow.ports.Record")


@pytest.mark.parametrize("path", [path for path in SOURCES if named(path)], ids=place)
def test_modules_that_are_named_are_there(path: Path) -> None:
    assert [name for name in sorted(named(path)) if not exists(name)] == []


@pytest.mark.parametrize("path", [*SOURCES, *PAGES], ids=place)
def test_files_that_are_named_are_there(path: Path) -> None:
    files = set(_PATH.findall(path.read_text(encoding="utf-8")))
    assert [file for file in sorted(files) if not (ROOT / file).exists()] == []
