"""``callcenter practice``: enrolling practices, listing them, bringing what they hold."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from callcenter.cli.context import Context, by_option, run
from callcenter.cli.practice_many import HEARD_FROM_NOW_ON, enrol_many, import_folder
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
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--organisation", required=True, help="Who staffs its telephone; enrolled too if it is new.")
@by_option
@click.option(
    "--no-longer-sensitive",
    "released",
    multiple=True,
    metavar="NAME",
    help="A practitioner on file as sensitive who is no more; may be given several times, with one file.",
)
@click.pass_obj
def practice_enrol(
    context: Context, files: tuple[Path, ...], organisation: str, released: tuple[str, ...], by: str
) -> None:
    """Enrol a practice from its description in YAML, or change the one of the same short name.

    Of several files, or a folder of them, each practice is enrolled whole or not at all, whatever is wrong with
    another: exit 1 if one was refused.

    A practitioner's sensitive mark goes only where --no-longer-sensitive names them: without it, callers are told
    practitioners' names.
    """
    if len(files) > 1 or files[0].is_dir():
        if released:
            raise click.BadParameter("give it with one file", param_hint="--no-longer-sensitive")
        sys.exit(run(enrol_many(context.settings, files, organisation, by)))
    enrolled = run(_enrol(context.settings, files[0], organisation, released, by))
    facts = enrolled.facts
    what = "enrolled" if enrolled.is_new else "changed"
    click.echo(f"{facts.name} {what}: answers at {', '.join(facts.numbers)}, rescue number {facts.rescue_number}")
    click.echo(f"practitioners: {', '.join(enrolled.practitioners)}")
    if enrolled.unnamed:
        click.echo(f"kept, though the file does not name them: {', '.join(enrolled.unnamed)}")
    click.echo(HEARD_FROM_NOW_ON)


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
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--practice", "slug", help="Short name of the practice.")
@click.option("--kind", type=click.Choice(["patients", "contacts", "appointments"]), help="What the file holds.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Instead of a file: a folder with one for each practice, called by its short name, that holds patients.csv, "
    "contacts.csv and appointments.csv, or some of them.",
)
@click.option("--from", "begin_at", metavar="NAME", help="Of a folder: begin at this practice.")
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
    context: Context,
    file: Path | None,
    slug: str | None,
    kind: str | None,
    folder: Path | None,
    begin_at: str | None,
    mapping: tuple[str, ...],
    complete: bool,
    dry_run: bool,
) -> None:
    """Import patients, contacts or appointments from CSV: everything of a file, or nothing.

    A file of contacts lists all telephones of each patient whom it names: their others are removed, and get no more
    codes.

    With --folder, the files of many practices are imported, whatever is wrong with another practice's: exit 1 if one
    was refused. A run that was stopped may be run again: what was imported before is updated.
    """
    if folder is not None:
        if file or slug or kind or mapping or dry_run:
            raise click.UsageError("--folder takes --complete and --from alone: name one file, or a folder")
        sys.exit(run(import_folder(context.settings, folder, begin_at, complete=complete)))
    if file is None or slug is None or kind is None or begin_at is not None:
        raise click.UsageError("write FILE --practice NAME --kind KIND, or --folder FOLDER [--from NAME]")
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
