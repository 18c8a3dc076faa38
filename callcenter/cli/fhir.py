"""``callcenter audit fhir``: a practice's disclosures for a system that reads FHIR."""

from __future__ import annotations

from pathlib import Path

import click

from callcenter.cli.context import Context, by_option, run
from callcenter.installation import open_data
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import Unavailable
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.directory import Directory
from callcenter.reports.fhir_export import LIST, lines_of, standing
from callcenter.settings import Settings
from callcenter.staff.acts import StaffActs


@click.command()
@click.argument("practice")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@click.option("--check", is_flag=True, help="Check each event against IHE's profile, and write nothing if one fails.")
@by_option
@click.pass_obj
def fhir(context: Context, practice: str, output: Path, check: bool, by: str) -> None:
    """Write a practice's disclosures and refusals as FHIR R4 AuditEvents (IHE BALP), one JSON a line.

    That they leave is on record first. The file holds references and tokens, no name and no number (docs/fhir.md).
    """
    written = run(_write(context.settings, practice, output, check=check, by=by))
    click.echo(f"{written} events written to {output}{', each as the profile wants it' if check else ''}")


async def _write(settings: Settings, slug: str, output: Path, *, check: bool, by: str) -> int:
    clock, written = SystemClock(), 0
    beside = output.with_name(f"{output.name}.part")
    async with open_data(settings) as data:
        async with data.database.house() as connection:
            practice = (await Directory.by_slug(connection, slug, clock.now())).id
        count, until = await standing(data.database, practice)
        async with data.database.practice(practice) as tx:  # P1: on record before a line leaves
            await StaffActs(clock, SystemRandom()).list_exported(tx, LIST, count, None, by)
        try:
            with beside.open("w", encoding="utf-8", newline="\n") as file:
                async for line in lines_of(data.database, practice, settings.public_base_url, until, check=check):
                    file.write(line + "\n")
                    written += 1
            beside.replace(output)
        except OSError as error:
            raise Unavailable(f"{output} cannot be written ({error.strerror}): choose another place") from error
        finally:
            beside.unlink(missing_ok=True)
    return written
