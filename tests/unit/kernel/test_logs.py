"""Logs keep where something happened, and nothing of what it was about: in both forms, from both kinds of logger."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from typing import Any, Literal

import pytest
import structlog

from callcenter.kernel.logs import configure_logs

SECRET = "JEANNE-14031962"
Form = Literal["json", "console"]
Say = Callable[[], None]


def fails() -> None:
    kept_in_a_local = SECRET
    raise ValueError(f"cannot read {kept_in_a_local}")


def ours(exc_info: Any) -> None:
    structlog.get_logger("callcenter").error("step_failed", exc_info=exc_info)


def library(exc_info: Any) -> None:
    logging.getLogger("library").error("cannot read %s", SECRET, exc_info=exc_info)


def library_without_arguments(exc_info: Any) -> None:
    logging.getLogger("library").error(f"cannot read {SECRET}", exc_info=exc_info)


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("logger", [ours, library, library_without_arguments])
@pytest.mark.parametrize("how", ["true", "error", "tuple"])
def test_a_traceback_keeps_types_and_places_and_no_value(
    form: Form, logger: Callable[[Any], None], how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = io.StringIO()
    configure_logs(form, "info", stream)
    try:
        fails()
    except ValueError as error:
        logger({"true": True, "error": error, "tuple": (type(error), error, error.__traceback__)}[how])
    written = stream.getvalue()
    assert "ValueError" in written
    assert f"test_logs.py:{fails.__code__.co_firstlineno + 2} fails" in written
    assert SECRET not in written
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("logger", [ours, library])
@pytest.mark.parametrize("exc_info", [False, True, None])
def test_a_line_without_an_exception_is_one_line(
    form: Form, logger: Callable[[Any], None], exc_info: bool | None
) -> None:
    stream = io.StringIO()
    configure_logs(form, "info", stream)
    logger(exc_info)  # True, while nothing is being handled
    assert len(stream.getvalue().splitlines()) == 1
    assert SECRET not in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
def test_causes_are_kept_by_type(form: Form) -> None:
    stream = io.StringIO()
    configure_logs(form, "info", stream)
    try:
        try:
            fails()
        except ValueError as error:
            raise KeyError(SECRET) from error
    except KeyError as error:
        ours(error)
    assert stream.getvalue().index("KeyError") < stream.getvalue().index("ValueError")
    assert SECRET not in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_line_that_cannot_be_written_is_lost_without_a_word(form: Form, capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    configure_logs(form, "info", stream)
    stream.close()
    logging.getLogger("library").error("cannot read %s", SECRET)
    assert capsys.readouterr() == ("", "")
