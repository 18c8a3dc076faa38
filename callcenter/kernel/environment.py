"""Environment variables that stand for the fields of a model: named, and what is wrong with them said."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import get_args, get_origin

from pydantic import BaseModel

from callcenter.kernel.errors import Problem


def variable_name(prefix: str, path: tuple[str | int, ...]) -> str:
    """The variable that stands for the field at ``path``."""
    return prefix + "__".join(str(part) for part in path).upper()


def variable_problems(
    environment: Mapping[str, str], model: type[BaseModel], prefix: str, *, besides: Collection[str] = ()
) -> list[Problem]:
    """Variables that begin with ``prefix`` and stand for no field, or are not JSON where they must be.

    What stands in them is not repeated: it may be a secret.

    Arguments:
        besides: names of the same prefix that stand for no field, and are known.
    """
    known = dict(_variables(model, prefix, ()))
    problems = []
    for written, value in environment.items():
        name, place = written.upper(), f"environment variable {written}"
        if not name.startswith(prefix) or name in besides:
            continue
        if name not in known:
            near = get_close_matches(name, known, n=1)
            mend = f"write {near[0]}, or unset it" if near else "unset it; docs/configuration.md lists the settings"
            problems.append(Problem(place, 0, "it is no setting", mend))
        elif known[name] and not _is_json(value):
            problems.append(Problem(place, 0, "it is not JSON", "write a list as '[\"…\"]', a group as '{\"…\": …}'"))
    return problems


def _variables(model: type[BaseModel], prefix: str, path: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """The names of all variables below ``model``, and whether their value is JSON."""
    for name, field in model.model_fields.items():
        parts = (field.annotation, *get_args(field.annotation))
        section = next((part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)), None)
        yield variable_name(prefix, (*path, name)), section is not None or get_origin(field.annotation) is tuple
        if section is not None:
            yield from _variables(section, prefix, (*path, name))


def _is_json(value: str) -> bool:
    try:
        json.loads(value)
    except ValueError:
        return False
    return True
