"""What the commands share: the settings, and a loop to work in."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from callcenter.cli.failures import INTERRUPTED
from callcenter.kernel.logs import configure_logs
from callcenter.settings import Settings, load_settings

T = TypeVar("T")


class Context:
    """The settings, read when first needed.

    Arguments:
        config: the configuration file.
        named: it was named by option or variable, and is not merely the demo's by default.
    """

    def __init__(self, config: Path, *, named: bool) -> None:
        self.config = config
        self.named = named
        self._settings: Settings | None = None

    @property
    def settings(self) -> Settings:
        if self._settings is None:
            self._settings = load_settings(self.config)
            configure_logs(self._settings.log.form, self._settings.log.level)
        return self._settings


def _account() -> str:
    """The account of whoever types, which is on record until staff have accounts of their own."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


#: Who does what is asked: it goes on record.
by_option = click.option(
    "--by", default=_account, show_default="your account on this machine", help="Who does it; goes on record."
)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run until done. Interrupting ends the work in order."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
