"""Commands about the installation itself: what is wrong with it, its database, its keys."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from callcenter.audit.sealing_key import NAME, create_sealing_key
from callcenter.cli.context import Context, run
from callcenter.installation import prepare_database
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import Random, SystemRandom
from callcenter.store.files import is_empty
from callcenter.store.keys import create_keys


@click.command()
@click.pass_obj
def doctor(context: Context) -> None:
    """Say what is wrong with this installation, and how to mend it."""
    from callcenter.doctor import examine  # it looks at most of the house

    findings = run(examine(context.settings))
    for finding in findings:
        click.echo(finding.line())
    sys.exit(0 if all(finding.healthy for finding in findings) else 1)


@click.group()
def db() -> None:
    """The database."""


@db.command("migrate")
@click.pass_obj
def db_migrate(context: Context) -> None:
    """Make the roles that are missing and bring the schema to this version (database.owner_url)."""
    click.echo(run(prepare_database(context.settings)))


@click.group()
def keys() -> None:
    """The keys of sealed fields, and the sealer's."""


@keys.command("create")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--sealer",
    type=click.Path(path_type=Path),
    help="Where the sealer's key goes; sealer.key beside PATH if you leave it out.",
)
def keys_create(path: Path, sealer: Path | None) -> None:
    """Make the key file, and the sealer's key; what is there already stays.

    A locked backup holds both (callcenter backup). Other copies never lie together with the database in clear: without
    the first, sealed fields are lost, and without the second the ledger cannot be gone on with.
    """
    signing = sealer or path.with_name(NAME)
    makes = [(path, create_keys), (signing, create_sealing_key)]
    made = [file for file, make in makes if _is_made(file, make)]
    if not made:
        raise CallcenterError(f"{path} and {signing} are there already, and keys are never overwritten")
    for file, _ in makes:
        said = (
            "written; a locked backup holds it, and no copy lies beside the database in clear"
            if file in made
            else "stays as it is"
        )
        click.echo(f"{file} {said}")


def _is_made(file: Path, make: Callable[[Path, Random], object]) -> bool:
    """Whether a key was made; false: there is one."""
    try:
        make(file, SystemRandom())
    except OSError as error:
        if isinstance(error, FileExistsError) and file.exists() and not is_empty(file):  # and not its folder, as a file
            return False
        raise CallcenterError(f"{file} cannot be written: {error.strerror}") from error
    return True
