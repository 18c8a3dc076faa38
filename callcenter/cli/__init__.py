"""The command line. Every command says what to do when it cannot do what was asked; one file a group of commands.

Exit codes: 0 done, 1 the answer is no (a transcript differs, a flow is refuted, something is unhealthy, one of several
practices is refused), 2 could not run.
"""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from callcenter.cli.context import Context
from callcenter.cli.failures import Commands
from callcenter.cli.filed import Filed

#: Which file has which command.
_FILES = {
    **dict.fromkeys(("serve", "demo", "emulator", "phone"), "serving"),
    **dict.fromkeys(("doctor", "db", "keys"), "installation"),
    **dict.fromkeys(("backup", "restore"), "backups"),
    "practice": "practice_group",
    **{name: name for name in ("flows", "staff", "inbox", "fallback", "switch", "audit")},
}


class _House(Filed, Commands):
    """Every command."""


@click.group(
    cls=_House,
    files={name: (file, name) for name, file in _FILES.items()},
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("config/demo.yaml"),
    envvar="CALLCENTER_CONFIG",
    show_default=True,
    help="Configuration file.",
)
@click.version_option(package_name="callcenter")
@click.pass_context
def main(context: click.Context, config: Path) -> None:
    """The telephone server of medical practices."""
    context.obj = Context(config, named=context.get_parameter_source("config") is not ParameterSource.DEFAULT)
