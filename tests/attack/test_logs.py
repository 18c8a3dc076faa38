"""A patient word in a log line or a traceback: slips that code makes, and what catches each."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.tracebacks import ExceptionDictTransformer

from callcenter.disclosure.exits import _GRANTED, Receipt, Spoken, release
from callcenter.kernel import logs
from callcenter.kernel.errors import Leak
from callcenter.kernel.labels import Category
from callcenter.kernel.logs import configure_logs
from callcenter.kernel.protected import Protected
from callcenter.store import database
from callcenter.store.database import Database
from callcenter.store.schema import APP
from callcenter.telephony import alerts
from callcenter.telephony.alerts import AlertKind
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained, unanimous
from tests.attack.ground import Ground
from tests.unit.telephony.doubles import alerts_and_metrics

WORD = "Martin-Duval"
SOMEBODY = UUID(int=1)


def protected() -> Protected[str]:
    return Protected(WORD, Category.RECORD_EXISTS, SOMEBODY)


@contextmanager
def logged(form: Any = "json") -> Iterator[io.StringIO]:
    """What is logged meanwhile, as the product sets logs up."""
    stream, root = io.StringIO(), logging.getLogger()
    before = structlog.get_config(), list(root.handlers), root.level
    configure_logs(form, "debug", stream)
    try:
        yield stream
    finally:
        structlog.configure(**before[0])
        root.handlers, root.level = before[1], before[2]


# --- the value itself


def _values_show_themselves(sabotage: Sabotage) -> None:
    sabotage.replace(Protected, "__repr__", lambda self: repr(self._value))
    sabotage.replace(Protected, "__str__", lambda self: str(self._value))


def _nothing_is_redacted(sabotage: Sabotage) -> None:
    sabotage.replace(logs, "redact_by_type", lambda _logger, _method, event: event)


SHOWS_NOTHING = Defence("a protected value shows nothing", "no patient word in a log", _values_show_themselves)
REDACTED = Defence("logs redact by type", "no patient word in a log", _nothing_is_redacted)


@attack(stopped_by=(SHOWS_NOTHING, REDACTED))
def test_a_value_about_a_patient_is_logged() -> Outcome:
    outcomes = {}
    for how, value in {"alone": protected(), "in a list": [protected()], "deep": {"a": [{"b": protected()}]}}.items():
        with logged("console") as stream:
            structlog.get_logger().info("event", value=value)
        outcomes[how] = gained(WORD in stream.getvalue())
    return unanimous(outcomes)


def _spoken_shows_itself(sabotage: Sabotage) -> None:
    sabotage.replace(Spoken, "__repr__", lambda self: self._words)


WORDS_SHOW_NOTHING = Defence("the gate's words show nothing", "no patient word in a log", _spoken_shows_itself)


@attack(stopped_by=(WORDS_SHOW_NOTHING, REDACTED))
def test_words_that_the_gate_let_out_are_logged() -> Outcome:
    class Open:
        is_open = True

    receipt = Receipt(SOMEBODY, SOMEBODY, frozenset({Category.APPOINTMENT_TIME}), Open(), _GRANTED)  # type: ignore[arg-type]
    spoken = release(receipt, "prompt", {}, lambda _: f"Madame {WORD}")
    with logged("console") as stream:
        structlog.get_logger().info("event", words=spoken)
    return gained(WORD in stream.getvalue())


#: Ways to get a value into a text, or to find out what it is, without an exit.
SLIPS: dict[str, Callable[[Protected[str]], object]] = {
    "f-string": lambda value: f"{value}",
    "format with a width": lambda value: f"{value:>20}",
    "added to a text": lambda value: value + "",  # type: ignore[operator]
    "joined": lambda value: "".join(value),  # type: ignore[arg-type]
    "pickled": lambda value: pickle.dumps(value),
    "copied": lambda value: copy.deepcopy(value)._value,
    "compared": lambda value: WORD if value == WORD else "",
    "ordered": lambda value: WORD if value <= WORD else "",  # type: ignore[operator]
    "searched": lambda value: WORD if WORD in value else "",  # type: ignore[operator]
    "asked whether it is empty": lambda value: WORD if value else "",
    "measured": lambda value: WORD if len(value) == len(WORD) else "",  # type: ignore[arg-type]
    "put in a set": lambda value: WORD if value in {WORD} else "",
}


def _values_are_values(sabotage: Sabotage) -> None:
    """As if the class were a plain wrapper around a text."""

    def plain(name: str) -> Callable[..., object]:
        return lambda self, *arguments: getattr(self._value, name)(*arguments)

    names = ("format", "eq", "ne", "lt", "le", "gt", "ge", "bool", "len", "iter", "add", "contains", "hash")
    for name in (f"__{name}__" for name in names if name != "bool"):
        sabotage.replace(Protected, name, plain(name))
    sabotage.replace(Protected, "__bool__", lambda self: bool(self._value))
    sabotage.replace(Protected, "__reduce__", lambda self: (Protected, (self._value, self.category, self.subject)))
    sabotage.replace(Protected, "__reduce_ex__", lambda self, _: self.__reduce__())


REFUSES = Defence("a protected value refuses to be used", "a leak is an error, not a line", _values_are_values)


@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS)
@attack(stopped_by=REFUSES)
def test_a_value_slips_out_of_its_protection(slip: Callable[[Protected[str]], object]) -> Outcome:
    try:
        found = slip(protected())
    except (Leak, TypeError):
        return gained(None)
    return gained(WORD in (found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)))


# --- errors that carry values


def _tracebacks_as_structlog_makes_them(sabotage: Sabotage) -> None:
    stock = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=True))
    sabotage.replace(logs, "_plain_traceback", stock)


PLAIN_TRACEBACKS = Defence(
    "tracebacks without words", "no locals and no message in a log", _tracebacks_as_structlog_makes_them
)


def fails(birth_name: str) -> None:
    raise ValueError(f"no such patient: {birth_name}")


def fails_silently(birth_name: str) -> None:
    assert birth_name
    raise ValueError("no such patient")


@pytest.mark.parametrize("failure", [fails, fails_silently], ids=["in its message", "in a local"])
@attack(stopped_by=PLAIN_TRACEBACKS)
def test_an_exception_carries_a_patients_name_into_the_log(failure: Callable[[str], None]) -> Outcome:
    with logged() as stream:
        try:
            failure(WORD)
        except ValueError:
            structlog.get_logger().exception("it_failed")
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["event"] == "it_failed"
    return gained(WORD in line)


def _libraries_may_say_anything(sabotage: Sabotage) -> None:
    def as_it_is(_logger: object, _method: str, event: Any) -> Any:
        return event

    sabotage.replace(logs, "_foreign_without_message", as_it_is)


LIBRARIES_SILENT = Defence(
    "libraries are logged without words", "no patient word in a log", _libraries_may_say_anything
)


@attack(stopped_by=LIBRARIES_SILENT)
def test_a_library_quotes_what_it_worked_on() -> Outcome:
    with logged() as stream:
        logging.getLogger("some.library").warning("cannot send to %s", WORD)
        logging.getLogger("some.library").warning(f"cannot send to {WORD}")
    assert len(stream.getvalue().splitlines()) == 2
    return gained(WORD in stream.getvalue())


def _parameters_are_shown(sabotage: Sabotage) -> None:
    made = database.create_async_engine
    sabotage.replace(
        database, "create_async_engine", lambda url, **options: made(url, **{**options, "hide_parameters": False})
    )


HIDDEN_PARAMETERS = Defence("parameters of SQL are hidden", "no patient word in an error", _parameters_are_shown)


@attack(stopped_by=HIDDEN_PARAMETERS)
async def test_an_sql_error_shows_its_parameters(ground: Ground) -> Outcome:
    connected = Database(ground.url(APP), pool_size=1)
    try:
        async with connected.house() as connection:
            await connection.execute(text("SELECT 1 / 0 WHERE cast(:name AS text) <> ''"), {"name": WORD})
    except DBAPIError as error:
        return gained(WORD in str(error))
    finally:
        await connected.close()
    raise AssertionError("dividing by zero did not fail")


def _alerts_quote(sabotage: Sabotage) -> None:
    sabotage.replace(alerts, "failure", lambda error: {"error": str(error)})


TYPES_ONLY = Defence("alerts name types only", "no patient word in an alert", _alerts_quote)


@attack(stopped_by=TYPES_ONLY)
def test_a_step_fails_with_a_patients_name_in_its_error() -> Outcome:
    with logged() as stream:
        alerts_and_metrics()[0].failed(AlertKind.STEP_FAILED, ValueError(WORD))
    assert "step_failed" in stream.getvalue()
    return gained(WORD in stream.getvalue())
