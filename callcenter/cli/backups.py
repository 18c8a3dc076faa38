"""Commands that keep an installation's database and keys, and bring them back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from callcenter.cli.context import Context, by_option, run
from callcenter.kernel.errors import CallcenterError, IntegrityError

# What these commands run is imported when they run: it is most of the house.

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path, dir_okay=False)
_EXCLUDE = "--passphrase-file, --recovery-key and --in-clear exclude one another"


def _opened_with(command: F) -> F:
    """The options by which a backup is locked or opened."""
    phrase = click.option(
        "--passphrase-file", type=_FILE, help="The passphrase, alone in a file; else it is asked for."
    )
    key = click.option("--recovery-key", type=_FILE, help="File of a recovery key (callcenter backup key).")
    return phrase(key(command))


@click.group(invoke_without_command=True)
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), help="Folder that takes it, on another medium.")
@_opened_with
@click.option("--in-clear", is_flag=True, help="Lock nothing: whoever has the medium has database and keys.")
@click.pass_context
def backup(
    context: click.Context, to: Path | None, passphrase_file: Path | None, recovery_key: Path | None, in_clear: bool
) -> None:
    """Keep database and keys, as they are at this moment, in a folder of its own below --to.

    Locked with a passphrase, or with a recovery key whose private half lies elsewhere: then the machine that makes a
    backup every night cannot open it. Servers go on serving meanwhile. It stands whole, or not at all.
    """
    if context.invoked_subcommand is not None:
        return
    if to is None:
        raise click.UsageError("--to is missing: name the folder that takes the backup")
    from callcenter.backup.checking import summary
    from callcenter.backup.locks import Lock, RecoveryLock
    from callcenter.backup.making import make_backup
    from callcenter.kernel.randomness import SystemRandom

    if [passphrase_file is not None, recovery_key is not None, in_clear].count(True) > 1:
        raise click.UsageError(_EXCLUDE)
    lock: Lock | None
    if in_clear:
        lock = None
    elif recovery_key is not None:
        lock = RecoveryLock.read(recovery_key)
    else:
        lock = _passphrase(passphrase_file, confirm=True)
    made = run(make_backup(context.obj.settings, to, lock, SystemRandom(), _progress()))
    click.echo(f"{made.folder}\n{summary(made.manifest)}")


@backup.command("verify")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@_opened_with
@click.option("--digests-only", is_flag=True, help="Open nothing: see only that every file is as it was written.")
def verify(folder: Path, passphrase_file: Path | None, recovery_key: Path | None, digests_only: bool) -> None:
    """See that the backup in FOLDER is whole, opens, and holds its database's keys: exit 0, or 1 if it does not."""
    from callcenter.backup.checking import open_backup, read_through, summary
    from callcenter.backup.folders import check_files, manifest_of

    try:
        if digests_only:
            manifest = manifest_of(folder)
            check_files(folder, manifest)
        else:
            opener = _opener(folder, passphrase_file, recovery_key)
            # To look at one does nothing with it, and the summary says that it is in clear.
            found = open_backup(folder, opener, in_clear=opener is None)
            run(read_through(found, _progress()))
            manifest = found.manifest
    except IntegrityError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(summary(manifest))
    click.echo("every file is as it was written" + ("" if digests_only else "; keys and database open"))


@backup.command("key")
@click.argument("path", type=_FILE)
def key(path: Path) -> None:
    """Make a recovery key: PATH opens backups and is kept elsewhere, PATH.public locks them and may lie anywhere."""
    from callcenter.backup.locks import create_recovery_key
    from callcenter.kernel.randomness import SystemRandom
    from callcenter.store.files import LEFT_EMPTY

    try:
        private, public = create_recovery_key(path, SystemRandom())
    except FileExistsError as error:
        if error.strerror == LEFT_EMPTY:
            raise CallcenterError(f"{error.filename}: {LEFT_EMPTY}") from None
        raise CallcenterError(f"{error.filename or error} is there already, and keys are never overwritten") from None
    except OSError as error:
        raise CallcenterError(f"{path} cannot be written: {error.strerror}") from error
    click.echo(f"{public} locks backups: leave it on this machine")
    click.echo(f"{private} opens them: take it away from here, twice, and never to where the backups are")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@_opened_with
@click.option("--in-clear", is_flag=True, help="The backup is not locked, and you know who has put it there.")
@by_option
@click.pass_obj
def restore(
    context: Context, folder: Path, passphrase_file: Path | None, recovery_key: Path | None, in_clear: bool, by: str
) -> None:
    """Bring the backup in FOLDER back, into an empty database and where no other keys are.

    A restore runs what the backup says: one that is not locked is taken with --in-clear alone.

    What was about to be sent is put aside, and what has had its time is erased again, before a server may serve. If it
    stops on the way, run it again: it goes on.
    """
    from callcenter.backup.checking import open_backup
    from callcenter.backup.restoring import restore_backup
    from callcenter.backup.telling import told
    from callcenter.kernel.clock import SystemClock
    from callcenter.kernel.randomness import SystemRandom

    if [passphrase_file is not None, recovery_key is not None, in_clear].count(True) > 1:
        raise click.UsageError(_EXCLUDE)
    settings = context.settings
    opener = None if in_clear else _opener(folder, passphrase_file, recovery_key)
    found = open_backup(folder, opener, in_clear=in_clear)
    restored = run(restore_backup(settings, found, SystemClock(), SystemRandom(), by, _progress()))
    click.echo(told(found.manifest, restored))


def _opener(folder: Path, passphrase_file: Path | None, recovery_key: Path | None) -> Any:
    from callcenter.backup.folders import manifest_of
    from callcenter.backup.locks import RecoveryKey

    if recovery_key is not None:
        return RecoveryKey.read(recovery_key)
    if passphrase_file is not None:
        return _passphrase(passphrase_file, confirm=False)
    match manifest_of(folder).lock.get("kind"):
        case "none":
            return None
        case "recovery":
            raise CallcenterError("this backup is locked with a recovery key: name its file with --recovery-key")
        case _:
            return _passphrase(None, confirm=False)


def _passphrase(file: Path | None, *, confirm: bool) -> Any:
    """From a file, or from whoever sits at the terminal."""
    from callcenter.backup.locks import Passphrase

    if file is not None:
        try:
            return Passphrase(file.read_text(encoding="utf-8").strip("\r\n"))
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
            raise CallcenterError(
                f"{file} cannot be read as a passphrase ({why}): put the passphrase alone, on one line, in a file that "
                "your account can read, or leave --passphrase-file out and type it"
            ) from error
    if not sys.stdin.isatty():
        raise CallcenterError(
            "nothing says how the backup is locked: name --recovery-key or --passphrase-file (or, where the medium is "
            "locked away like the machine itself, --in-clear)"
        )
    return Passphrase(click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True))


def _progress() -> Callable[[str], None]:
    """Says on a terminal how far it is; elsewhere nothing, so that a nightly log holds what became of it alone."""
    if not sys.stderr.isatty():
        return lambda _: None

    def say(line: str) -> None:
        click.echo(f"\r\x1b[K{line}", nl=False, err=True)

    return say
