"""The command line. Every command says what to do when it cannot do what was asked; one file a group of commands.

Exit codes: 0 done, 1 the answer is no (a transcript differs, a flow is refuted, something is unhealthy, one of several
practices is refused), 2 could not run.
"""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from callcenter.cli import (
    audit,
    bookings,
    fallback,
    flows,
    inbox,
    installation,
    outreach,
    practice,
    practice_settings,
    serving,
    staff,
    switch,
)
from callcenter.cli.context import Context
from callcenter.cli.failures import Commands


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
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


for _command in (
    *(serving.serve, serving.demo, serving.emulator, serving.phone),
    *(installation.doctor, installation.db, installation.keys),
    *(flows.flows, practice.practice, staff.staff, inbox.inbox, fallback.fallback, switch.switch, audit.audit),
):
    main.add_command(_command)
for _command in (*practice_settings.COMMANDS, *outreach.COMMANDS, bookings.bookings):
    practice.practice.add_command(_command)
