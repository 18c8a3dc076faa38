"""Reading the settings: a file, environment variables over it, and whatever is wrong with file, line and mend."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError

from callcenter.kernel.documents import Document, from_pydantic, read_yaml
from callcenter.kernel.environment import variable_name, variable_problems
from callcenter.kernel.errors import ConfigurationError, DataProblems, Problem
from callcenter.settings.whole import ENV_PREFIX, Settings

#: Variables of the same prefix that are no settings: which file to read, and what ``make docs`` asks of its tests.
_NO_SETTINGS = frozenset({"CALLCENTER_CONFIG", "CALLCENTER_DOCS"})


def load_settings(path: Path, overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings in the file at ``path``, the environment on top.

    Arguments:
        overrides: values by name that replace the file's; the demo and tests use them.

    Raises:
        ConfigurationError: everything that is wrong, with file, line and mend.
    """
    try:
        document = read_yaml(path)
    except DataProblems as error:
        raise ConfigurationError(error.problems) from error
    problems = _variable_problems()
    if problems:
        raise ConfigurationError(problems)
    values = {**document.data, **(overrides or {})}
    if url := os.environ.get("DATABASE_URL"):
        database = values.get("database")
        if database is None or isinstance(database, Mapping):
            values["database"] = {**(database or {}), "url": url}
    try:
        return Settings(**values)
    except ValidationError as error:
        raise ConfigurationError(_problems(error, document)) from None
    except SettingsError:  # its text may quote the value
        raise ConfigurationError([Problem("environment", 0, "a variable cannot be read", "write it as JSON")]) from None


def _problems(error: ValidationError, document: Document) -> list[Problem]:
    """What pydantic refused; a value that stands in the environment is named as its variable."""
    problems = []
    details = error.errors(include_url=False, include_input=False)
    for detail, problem in zip(details, from_pydantic(error, document), strict=True):
        if detail["type"] == "setting":
            problem = _setting_problem(detail, document)
        elif detail["type"] == "missing":
            named = f"{problem.mend}, or set {variable_name(ENV_PREFIX, detail['loc'])} in the environment"
            problem = Problem(problem.file, problem.line, problem.what, named)
        variable = _variable(detail["loc"])
        if variable is not None:
            problem = Problem(f"environment variable {variable}", 0, problem.what, problem.mend)
        problems.append(problem)
    return problems


def _setting_problem(detail: ErrorDetails, document: Document) -> Problem:
    """One of our own rules. Of a key that is not there, the line is the nearest above it, or what asks for it."""
    path, context = detail["loc"], detail["ctx"]
    line = document.line(*path) or document.line("environment")
    return Problem(document.file, line, f"« {'.'.join(map(str, path))} » {context['what']}", context["mend"])


def _variable(location: tuple[str | int, ...]) -> str | None:
    if location == ("database", "url") and "DATABASE_URL" in os.environ:
        return "DATABASE_URL"
    return next(
        (
            name
            for end in range(len(location), 0, -1)
            if (name := variable_name(ENV_PREFIX, location[:end])) in os.environ
        ),
        None,
    )


def _variable_problems() -> list[Problem]:
    problems = variable_problems(os.environ, Settings, ENV_PREFIX, besides=_NO_SETTINGS)
    if {"DATABASE_URL", variable_name(ENV_PREFIX, ("database", "url"))} <= os.environ.keys():
        problems.append(
            Problem("environment variable DATABASE_URL", 0, "it names a setting twice", "unset one of both")
        )
    return problems
