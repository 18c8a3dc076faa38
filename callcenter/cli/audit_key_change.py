"""``callcenter audit key rotate`` and ``retire``: another key for the ledger, without a restart."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import UUID

import click

from callcenter.app.key_changing import Changed, KeyChange
from callcenter.audit.logs import HOUSE_LOG, origin_of
from callcenter.audit.sealing_key import SealingKey, alone_with, load_sealing_key
from callcenter.cli.audit_logs import HOUSE
from callcenter.cli.audit_verify import fingerprint
from callcenter.cli.context import Context, by_option, run
from callcenter.cli.whole_file import whole_file
from callcenter.installation import open_data, sealer_key_path
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.directory import Directory
from callcenter.settings import Settings

#: Why the old key need not sign any longer: nobody outside verifies with it, or whoever does has the next one.
WHY_NOW = ("nobody-has-it", "all-have-the-next")


@click.command("rotate")
@click.option("--compromised", is_flag=True, help="The key was stolen, or may have been.")
@click.option(
    "--last-good",
    "good",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="With --compromised: a checkpoint from before the theft, or a folder of such; may be given several times.",
)
@by_option
@click.pass_obj
def key_rotate(context: Context, compromised: bool, good: tuple[Path, ...], by: str) -> None:
    """Begin to change the sealer's key for another: make the next one, and put that on record in every log.

    The next key comes into the sealer's file beside the one so far, and the server that runs signs with both; so it is
    done where that file is, as the account whose it is. Done again, it completes logs that have come meanwhile. Prints
    the fingerprints to be handed to whoever verifies. « retire » ends it, after a week at the soonest.

    With --compromised, whatever the old key has signed beyond --last-good counts no more; of a log without one,
    nothing that it has signed alone.
    """
    if good and not compromised:
        raise click.UsageError("--last-good goes with --compromised")
    changed, names = run(_rotate(context.settings, _notes(good) if compromised else None, by))
    for log in changed.logs:
        following = changed.key.next_key(origin_of(log))
        if following is not None:
            click.echo(f"{names.get(log, origin_of(log))}\t{fingerprint(following)}")
    click.echo(
        f"on record in {changed.written} of {len(changed.logs)} logs just now; both keys sign from now on", err=True
    )
    if changed.unknown:
        click.echo(f"of {changed.unknown} of them no good head is known: none by the old key alone counts", err=True)
    click.echo("whoever verifies gets the next key from « callcenter audit key show PRACTICE »", err=True)
    if changed.key.stolen:
        click.echo("the old key was stolen: run « callcenter audit key retire » as soon as it lets you", err=True)


@click.command("retire")
@click.option("--now", "why", type=click.Choice(WHY_NOW), help="Do not wait for the week, for this reason; on record.")
@by_option
@click.pass_obj
def key_retire(context: Context, why: str | None, by: str) -> None:
    """End the change of the sealer's key: the old one leaves the file for good, and the next signs alone.

    Refused until every log leads from the old key to the next under both signatures, and a week has passed; one that
    was stolen goes at once. Backups that hold the old key are as good as it: let them expire, or destroy them.
    """
    key = run(_retire(context.settings, why, by))
    click.echo(f"the old key is gone; what signs now, in the house's log: {key.verifier_key(origin_of(HOUSE_LOG))}")


async def _rotate(settings: Settings, good: list[str] | None, by: str) -> tuple[Changed, Mapping[UUID, str]]:
    path = sealer_key_path(settings).resolve()
    with alone_with(path):
        key = load_sealing_key(path)
        async with open_data(settings) as data:
            changing = KeyChange(data.database, SystemClock(), SystemRandom(), by, _writes(path))
            changed = await changing.rotate(key, good)
            async with data.database.house() as connection:
                known = await Directory.all(connection, SystemClock().now())
    return changed, {HOUSE_LOG: HOUSE, **{one.id: one.slug for one in known}}


async def _retire(settings: Settings, why: str | None, by: str) -> SealingKey:
    path = sealer_key_path(settings).resolve()
    with alone_with(path):
        key = load_sealing_key(path)
        async with open_data(settings) as data:
            return await KeyChange(data.database, SystemClock(), SystemRandom(), by, _writes(path)).retire(key, why)


def _writes(path: Path) -> Callable[[SealingKey], None]:
    def put(key: SealingKey) -> None:
        """The one that was there stays until the new one is on the disk; and it is of the same account."""
        before = path.stat()
        with whole_file(path, replace=True) as file:
            if before.st_uid != os.geteuid():
                try:
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
                except OSError as error:
                    raise CallcenterError(f"{path} is of another account: do this as that one") from error
            file.write(key.to_bytes())

    return put


def _notes(good: tuple[Path, ...]) -> list[str]:
    """The heads in these files, and in the files of these folders."""
    files = [file for one in good for file in (sorted(one.iterdir()) if one.is_dir() else [one])]
    try:
        return [file.read_text("utf-8") for file in files]
    except (OSError, UnicodeDecodeError) as error:
        raise CallcenterError(f"a good head cannot be read: {error}") from error
