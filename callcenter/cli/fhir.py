"""``callcenter audit fhir``: a practice's disclosures for a system that reads FHIR."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import click

from callcenter.cli.context import Context, by_option, run
from callcenter.cli.whole_file import whole_file
from callcenter.installation import open_data
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.directory import Directory
from callcenter.reports.fhir_export import LIST, Standing, lines_of, standing
from callcenter.settings import Settings
from callcenter.staff.acts import StaffActs


@click.command()
@click.argument("practice")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--check", is_flag=True, help="Check each event against IHE's profile, and write nothing if one fails.")
@by_option
@click.pass_obj
def fhir(context: Context, practice: str, output: Path, force: bool, check: bool, by: str) -> None:
    """Write a practice's disclosures and refusals as FHIR R4 AuditEvents (IHE BALP), one JSON a line.

    That they leave is on record first. The file holds references and tokens, no name and no number (docs/fhir.md); and
    what is sealed alone, so that the ledger's own export proves each of them.
    """
    with whole_file(output, replace=force) as file:
        stood = run(_write(context.settings, practice, file, check=check, by=by))
    click.echo(f"{stood.sealed} events written to {output}{', each as the profile wants it' if check else ''}")
    if stood.waiting:
        click.echo(f"{stood.waiting} more are not sealed yet: they leave with the next file, seconds later", err=True)
    if stood.refused:
        click.echo(
            f"{stood.refused} more say that they are such decisions, and the sealer has refused them: they leave with "
            "no file (`callcenter audit refused`)",
            err=True,
        )


async def _write(settings: Settings, slug: str, file: BinaryIO, *, check: bool, by: str) -> Standing:
    clock = SystemClock()
    async with open_data(settings) as data:
        async with data.database.house() as connection:
            practice = (await Directory.by_slug(connection, slug, clock.now())).id
        stood = await standing(data.database, practice)
        async with data.database.practice(practice) as tx:  # P1: on record before a line leaves
            await StaffActs(clock, SystemRandom()).list_exported(tx, LIST, stood.sealed, None, by)
        async for line in lines_of(data.database, practice, settings.public_base_url, stood.size, check=check):
            file.write(f"{line}\n".encode())
    return stood
