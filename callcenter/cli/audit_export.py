"""``callcenter audit export``: a log as a file that its reader verifies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

import click

from callcenter.audit import export
from callcenter.audit.export import Exported
from callcenter.cli.audit_logs import log_argument, log_called
from callcenter.cli.context import Context, by_option, run
from callcenter.cli.whole_file import whole_file
from callcenter.installation import open_data
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import NotFound
from callcenter.kernel.randomness import SystemRandom
from callcenter.settings import Settings
from callcenter.staff.ledger_acts import LedgerActs

#: Records after which a word is said of how far it is.
A_WHILE = 100_000


@click.command("export")
@log_argument
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The file, such as log.ccaudit.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@by_option
@click.pass_obj
def audit_export(context: Context, log: str, output: Path, force: bool, by: str) -> None:
    """Write a log as a file: every sealed record of a practice, or of the house, with the signed heads.

    What is not sealed yet is not in it, and is counted. That it leaves is on record before it does. Whoever receives it
    runs « callcenter audit verify », or the one file callcenter/audit/verify.py without anything else of callcenter.
    Exit 1: it is written as the database stands, and columns of the database contradict the records that they stand by.
    """
    with whole_file(output, replace=force) as file:
        exported = run(_export(context.settings, log, by, file))
    click.echo(f"{exported.origin}: {exported.records} records under {exported.checkpoints} checkpoints in {output}")
    if exported.waiting:
        click.echo(f"not sealed yet, and not in it: {exported.waiting}; the server seals within seconds", err=True)
    if exported.covered < exported.records:
        click.echo(f"the last checkpoint covers {exported.covered} records only: `callcenter doctor`", err=True)
    if exported.oddities:
        click.echo("the database contradicts its own records; keep it as it stands, and look in a backup:", err=True)
        for odd in exported.odd:
            click.echo(f"  {odd}", err=True)
        if exported.oddities > len(exported.odd):
            click.echo(f"  and {exported.oddities - len(exported.odd)} more", err=True)
        sys.exit(1)


async def _export(settings: Settings, called: str, by: str, file: BinaryIO) -> Exported:
    async with open_data(settings) as data:
        async with data.database.house() as connection:
            log = await log_called(connection, called)
        async with export.one_moment(data.database, log) as tx:
            exported = await export.begin(tx)
            if exported.size == 0:
                raise NotFound(f"nothing of « {called} » is sealed yet: the server seals within seconds")
            await LedgerActs(data.database, SystemClock(), SystemRandom(), by).exported(log, exported.size)
            told = 0
            async for line in export.lines(tx, exported):
                file.write(line)
                if exported.records - told >= A_WHILE:
                    told = exported.records
                    click.echo(f"{told} of {exported.size} records", err=True)
    return exported
