"""``docs/commands.md``: what every command says of itself."""

from __future__ import annotations

from collections.abc import Iterator

import click

from callcenter.cli import main

HEAD = """# Commands

Made by `make docs` from what the commands say of themselves. In a clone, they are in `.venv/bin/`.

Exit codes: 0 done · 1 the answer is no (a transcript differs, a flow is refuted, something is unhealthy, one of
several practices is refused) · 2 could not run.
"""


def commands_page() -> str:
    """The page, in Markdown."""
    parts = [f"## `{name}`\n\n```text\n{text}\n```\n" for name, text in _helps(main, None, "callcenter")]
    return "\n".join([HEAD, *parts])


def _helps(command: click.Command, parent: click.Context | None, name: str) -> Iterator[tuple[str, str]]:
    # With the command's own settings, as when it is run: -h is one of them.
    width = {"terminal_width": 100, "max_content_width": 100}
    context = click.Context(command, info_name=name, parent=parent, **{**command.context_settings, **width})
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None, child
            yield from _helps(found, context, child)
