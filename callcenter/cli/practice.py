"""``callcenter practice``: enrolling practices, listing them, bringing what they hold."""

from __future__ import annotations

from pathlib import Path

import click

from callcenter.cli.context import Context, by_option, run
from callcenter.installation import open_data
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.directory import Directory
from callcenter.practice.enrolling import Enrolled, enrol
from callcenter.practice.importing import ImportKind, ImportReport, import_file
from callcenter.practice.setting_versions import Author
from callcenter.settings import Settings
from callcenter.staff.acts import StaffActs


@click.group()
def practice() -> None:
    """Practices and what they hold."""


@practice.command("enrol")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--organisation", required=True, help="Who staffs its telephone; enrolled too if it is new.")
@by_option
@click.option(
    "--no-longer-sensitive",
    "released",
    multiple=True,
    metavar="NAME",
    help="A practitioner on file as sensitive who is no more; may be given several times.",
)
@click.pass_obj
def practice_enrol(context: Context, file: Path, organisation: str, released: tuple[str, ...], by: str) -> None:
    """Enrol a practice from its description in YAML, or change the one of the same short name.

    A practitioner's sensitive mark goes only where --no-longer-sensitive names them: without it, callers are told
    practitioners' names.
    """
    enrolled = run(_enrol(context.settings, file, organisation, released, by))
    facts = enrolled.facts
    what = "enrolled" if enrolled.is_new else "changed"
    click.echo(f"{facts.name} {what}: answers at {', '.join(facts.numbers)}, rescue number {facts.rescue_number}")
    click.echo(f"practitioners: {', '.join(enrolled.practitioners)}")
    if enrolled.unnamed:
        click.echo(f"kept, though the file does not name them: {', '.join(enrolled.unnamed)}")
    click.echo("its calls meet this from now on; the documents of last resort follow within a minute")


async def _enrol(settings: Settings, file: Path, organisation: str, released: tuple[str, ...], by: str) -> Enrolled:
    clock, random = SystemClock(), SystemRandom()
    author, acts = Author(by, clock.now()), StaffActs(clock, random)
    async with open_data(settings) as data:
        return await enrol(data.database, file, organisation, random, author, acts, no_longer_sensitive=released)


@practice.command("list")
@click.pass_obj
def practice_list(context: Context) -> None:
    """The practices that are enrolled, with their numbers."""
    for line in run(_list(context.settings)):
        click.echo(line)


async def _list(settings: Settings) -> list[str]:
    async with open_data(settings) as data, data.database.house() as connection:
        practices = await Directory.all(connection, SystemClock().now())
    return [
        f"{facts.slug:<32} {facts.name:<32} {', '.join(facts.numbers)}  (rescue {facts.rescue_number})"
        for facts in practices
    ] or ["no practice is enrolled yet: callcenter practice enrol FILE.yaml --organisation NAME"]


@practice.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--practice", "slug", required=True, help="Short name of the practice.")
@click.option(
    "--kind", required=True, type=click.Choice(["patients", "contacts", "appointments"]), help="What the file holds."
)
@click.option("--map", "mapping", multiple=True, metavar="COLUMN=FIELD", help="A column's field; « - » leaves it out.")
@click.option(
    "--complete",
    is_flag=True,
    help="The file is the whole list: appointments to come that it does not name are cancelled, and telephones of "
    "patients whom it does not name are removed.",
)
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing, say what would be done.")
@click.pass_obj
def practice_import(
    context: Context, file: Path, slug: str, kind: str, mapping: tuple[str, ...], complete: bool, dry_run: bool
) -> None:
    """Import patients, contacts or appointments from CSV: everything, or nothing.

    A file of contacts lists all telephones of each patient whom it names: their others are removed, and get no more
    codes.
    """
    columns = dict(_column(entry) for entry in mapping)
    work = _import(context.settings, file, slug, ImportKind(kind), columns, complete=complete, dry_run=dry_run)
    report = run(work)
    done = "would be" if report.dry_run else "were"
    told = [f"{report.added} {done} added", f"{report.updated} {done} updated"]
    if report.kind is ImportKind.CONTACTS:
        told.append(f"{report.removed} {done} removed")
    if report.kind is ImportKind.APPOINTMENTS and complete:
        told.append(f"{report.cancelled} {done} cancelled")
    click.echo(f"{report.rows} rows: {', '.join(told)}")


def _column(entry: str) -> tuple[str, str]:
    column, separator, name = entry.rpartition("=")
    if not separator or not column or not name:
        raise click.BadParameter(f"{entry!r}: write COLUMN=FIELD", param_hint="--map")
    return column, name


async def _import(
    settings: Settings,
    file: Path,
    slug: str,
    kind: ImportKind,
    columns: dict[str, str],
    *,
    complete: bool,
    dry_run: bool,
) -> ImportReport:
    async with open_data(settings) as data:
        async with data.database.house() as connection:
            facts = await Directory.by_slug(connection, slug, SystemClock().now())
        return await import_file(
            data.database,
            data.sealer,
            facts.id,
            file,
            kind,
            columns,
            dry_run,
            SystemClock(),
            SystemRandom(),
            _progress,
            complete=complete,
        )


def _progress(done: int, total: int) -> None:
    click.echo(f"\r{done} / {total}", nl=done == total, err=True)
