"""Commands about the installation itself: what is wrong with it, its database, its keys."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from callcenter.cli.context import Context, run
from callcenter.installation import prepare_database
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SystemRandom
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
    """The keys of sealed fields."""


@keys.command("create")
@click.argument("path", type=click.Path(path_type=Path))
def keys_create(path: Path) -> None:
    """Make a key file. Keep a copy apart from the database's backups: without it, sealed fields are lost."""
    try:
        create_keys(path, SystemRandom())
    except FileExistsError:
        raise CallcenterError(f"{path} is there already, and keys are never overwritten") from None
    except OSError as error:
        raise CallcenterError(f"{path} cannot be written: {error.strerror}") from error
    click.echo(f"{path} written; keep a copy of it apart from the database's backups")
