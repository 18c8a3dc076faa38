"""Which methods of the product reach rows about patients: found by looking at it, so that none is forgotten."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any, get_args, get_type_hints

from callcenter.store.database import Database, Transaction

ROOMS = ("practice", "identity", "audit", "disclosure", "calls", "notices", "reports")


def methods_that_reach_rows() -> set[str]:
    """Every public coroutine of the rooms that is handed a transaction or a database, however deep inside a value."""
    modules = [module for room in ROOMS for module in _modules(room)]
    carriers = _carriers(modules)
    return {
        f"{module.__name__.removeprefix('callcenter.')}.{name}"
        for module in modules
        for name, function, owner in _public(module)
        if inspect.iscoroutinefunction(function)
        and (owner in carriers or any(kind in carriers for kind in _handed(function)))
    }


def _modules(room: str) -> Iterator[ModuleType]:
    package = importlib.import_module(f"callcenter.{room}")
    for found in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"callcenter.{room}.{found.name}")


def _carriers(modules: list[ModuleType]) -> set[type]:
    """Transactions, databases, and every class that is made from one."""
    classes = [
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value) and value.__module__ == module.__name__
    ]
    carriers: set[type] = {Transaction, Database}
    while more := {c for c in classes if c not in carriers and any(k in carriers for k in _handed(c.__init__))}:
        carriers |= more
    return carriers


def _public(module: ModuleType) -> Iterator[tuple[str, Any, type | None]]:
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(value):
            yield name, value, None
        elif inspect.isclass(value):
            for attribute, member in vars(value).items():
                function = member.__func__ if isinstance(member, staticmethod | classmethod) else member
                if inspect.isfunction(function) and not attribute.startswith("_"):
                    yield f"{name}.{attribute}", function, value


def _handed(function: Any) -> Iterator[type]:
    """The types of a function's parameters, those inside ``X | Y`` and ``X[Y]`` too."""
    hints = get_type_hints(function) if inspect.isfunction(function) else {}
    for name, hint in hints.items():
        if name != "return":
            yield from _types_in(hint)


def _types_in(hint: Any) -> Iterator[type]:
    if inspect.isclass(hint):
        yield hint
    for argument in get_args(hint):
        yield from _types_in(argument)
