"""How commands fail: in a sentence that says what is wrong and what to do, never with a traceback or a value."""

from __future__ import annotations

import sys
from pathlib import Path
from traceback import extract_tb
from typing import Any, NoReturn

import click
import structlog

from callcenter.kernel.errors import CallcenterError

_log = structlog.get_logger(__name__)

CANNOT_RUN = 2
INTERRUPTED = 130

_OURS = Path(__file__).parents[1]


class Commands(click.Group):
    """Commands whose every failure is a sentence."""

    def invoke(self, context: click.Context) -> Any:  # what a command returns is click's to type
        try:
            return super().invoke(context)
        except CallcenterError as error:
            _fail(error)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)  # click's own 1 is an answer: tampered with, unhealthy, refused
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click's own ways to end
        except Exception as error:
            if _is_the_emulators(error):
                _fail(error)
            if structlog.is_configured():  # otherwise it would be written with its values
                _log.debug("command_failed", exc_info=error)
            _fail(CallcenterError(_unexpected(error)))


def _is_the_emulators(error: Exception) -> bool:
    """Whether it says what to do, as ours do; who has not read the emulator, which is large, has no error of it."""
    emulator = sys.modules.get("callcenter.emulator.errors")
    return emulator is not None and isinstance(error, emulator.EmulatorError)


def _fail(error: BaseException) -> NoReturn:
    click.echo(str(error), err=True)
    sys.exit(CANNOT_RUN)


def _unexpected(error: Exception) -> str:
    """The last resort. The text of an error that nobody expected may hold anything, so it is not shown."""
    frames = extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_OURS)] or frames
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "an unknown place"
    return (
        f"something unexpected failed: {type(error).__name__} at {place}\n"
        "    mend: `callcenter doctor` looks for what is wrong with the installation; CALLCENTER_LOG__LEVEL=debug "
        "before the command shows the whole way there; if neither helps, please report it"
    )
