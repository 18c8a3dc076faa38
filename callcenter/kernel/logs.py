"""Logs: events with fields. Values about patients are redacted by their type; tracebacks keep no locals."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer

from callcenter.kernel.protected import Protected

Event = MutableMapping[str, Any]

REDACTED = "<redacted>"
_DEPTH = 6


def redact_by_type(_logger: object, _method: str, event: Event) -> Event:
    """Replace every value that is, or holds, patient data by a mark; by its type, however deep it stands.

    ``Protected`` values and whatever declares ``carries_patient_data`` (the gate's ``Spoken``) are such values.
    """
    return {key: _redacted(value, _DEPTH) for key, value in event.items()}


def _redacted(value: Any, depth: int) -> Any:
    if isinstance(value, Protected) or getattr(type(value), "carries_patient_data", False):
        return REDACTED
    if depth == 0:
        return REDACTED if isinstance(value, Mapping | list | tuple | set | frozenset) else value
    if isinstance(value, Mapping):
        return {str(key): _redacted(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(item, depth - 1) for item in value]
    return value


def _plain_traceback(_logger: object, _method: str, event: Event) -> Event:
    """The traceback as places in the code and types of errors: no locals, no message (it may quote a value)."""
    info = event.pop("exc_info", None)
    if not info:
        return event
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    elif not isinstance(info, tuple):
        info = sys.exc_info()
    if info[0] is None:
        return event
    stacks = ExceptionDictTransformer(show_locals=False, max_frames=30)(info)
    event["exception"] = [
        {
            "type": stack["exc_type"],
            "frames": [f"{frame['filename']}:{frame['lineno']} {frame['name']}" for frame in stack["frames"]],
        }
        for stack in stacks
    ]
    return event


def _traceback_as_text(_logger: object, _method: str, event: Event) -> Event:
    """What :func:`_plain_traceback` kept, as lines for people: the console writes text only."""
    if stacks := event.get("exception"):
        event["exception"] = "\n".join(
            line for stack in stacks for line in (stack["type"], *(f"    {frame}" for frame in stack["frames"]))
        )
    return event


def configure_logs(form: Literal["json", "console"], level: str, stream: TextIO | None = None) -> None:
    """Set up structlog, and let the standard library's loggers through the same processors.

    Arguments:
        form: ``json`` for machines, ``console`` for people.
        level: least level, lower case.
        stream: where to write, standard error by default.
    """
    target = stream or sys.stderr
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _plain_traceback,
        redact_by_type,
    ]
    # A line that cannot be written is lost; the standard library would print it with its arguments and a traceback.
    logging.raiseExceptions = False
    renderer: list[Any] = (
        [structlog.processors.JSONRenderer(ensure_ascii=False, default=lambda value: f"<{type(value).__name__}>")]
        if form == "json"
        else [_traceback_as_text, structlog.dev.ConsoleRenderer(colors=target.isatty())]
    )
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_foreign_without_message, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)


def _foreign_without_message(_logger: object, _method: str, event: Event) -> Event:
    """A library's log line is kept as who said it and where: its text may quote what it worked on."""
    record: logging.LogRecord | None = event.get("_record")
    event["event"] = "library"
    if record is not None:
        event["logger"] = record.name
        event["place"] = f"{record.module}:{record.lineno}"
        event["template"] = str(record.msg) if isinstance(record.msg, str) and record.args else REDACTED
        if record.exc_info:
            event["exc_info"] = record.exc_info
    return event
