"""Groups of commands each of which is read from its file when somebody asks for it, and all of them for their list.

Each command needs a part of the house: to read all of it takes seconds, and more memory than most of them need.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class Filed(click.Group):
    """Commands, found by their names.

    Arguments:
        files: by the name of a command, the module below this package that has it, and its name there.
    """

    def __init__(self, *arguments: Any, files: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._files = files

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(self._files)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self._files:
            return None
        module, called = self._files[name]
        command: click.Command = getattr(import_module(f"callcenter.cli.{module}"), called)
        return command
