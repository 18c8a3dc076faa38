"""``callcenter audit key rotate``, ``retire`` and ``stolen``: another key for the ledger, without a restart."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import click

from callcenter.app.key_changing import Changed, KeyChange
from callcenter.app.sealing import Sealing
from callcenter.audit.logs import HOUSE_LOG, origin_of
from callcenter.audit.sealer import LogSealer
from callcenter.audit.sealing_key import KeyFile, alone_with, content_of, load_sealing_key
from callcenter.audit.signing import SealingKey
from callcenter.audit.verify import Malformed, VerifierKey
from callcenter.cli.audit_logs import HOUSE
from callcenter.cli.audit_verify import fingerprint
from callcenter.cli.context import Context, by_option, run
from callcenter.cli.whole_file import whole_file
from callcenter.installation import open_data, sealer_key_path
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError, Conflict
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
@click.option(
    "--no-good-head", is_flag=True, help="With --compromised: logs without a --last-good have none, for good."
)
@click.option(
    "--copy",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where a copy of the new file goes first, on another medium; asked for whenever a key is made.",
)
@click.option("--yes", is_flag=True, help="With --compromised: do not ask.")
@by_option
@click.pass_obj
def key_rotate(
    context: Context,
    compromised: bool,
    good: tuple[Path, ...],
    no_good_head: bool,
    copy: Path | None,
    yes: bool,
    by: str,
) -> None:
    """Begin to change the sealer's key for another: make the next one, and put that on record in every log.

    The next key comes into the sealer's file beside the one so far, and the server that runs signs with both; so it is
    done where that file is, as the account whose it is. Nothing is on record before whoever seals signs with both: if
    it says so, do it again. Done again, it completes logs that have come meanwhile. Once both have signed, nobody goes
    on without the next key: --copy keeps a copy of it elsewhere. Prints the fingerprints to be handed to whoever
    verifies. « retire » ends it, after a week at the soonest.

    With --compromised, whatever the old key has signed beyond --last-good counts no more, for good; of a log without
    one, nothing that it has signed alone. The next key of a change that was under way is replaced: it lay in that file.
    """
    if (good or no_good_head or yes) and not compromised:
        raise click.UsageError("--last-good, --no-good-head and --yes go with --compromised")
    if compromised and not yes:
        click.confirm(
            "this cannot be taken back: the old key counts to its last good heads and no further; go on?", abort=True
        )
    asked = _Asked(_notes(good) if compromised else None, no_good_head, copy, by)
    changed, names = run(_rotate(context.settings, asked))
    for log in changed.logs:
        following = changed.key.next_key(origin_of(log))
        if following is not None:
            click.echo(f"{names.get(log, origin_of(log))}\t{fingerprint(following)}")
    click.echo(
        f"on record in {changed.written} of {len(changed.logs)} logs just now; both keys sign from now on", err=True
    )
    if changed.unknown:
        click.echo(f"of {changed.unknown} of them no good head is known: none by the old key alone counts", err=True)
    if changed.ignored:
        click.echo(
            f"{changed.ignored} good heads were not taken: what was said first of those logs stays, since it is signed",
            err=True,
        )
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


@click.command("stolen")
@click.argument("former", metavar="[KEY]", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@by_option
@click.pass_obj
def key_stolen(context: Context, former: str | None, yes: bool, by: str) -> None:
    """Declare in every log that a former key was stolen after it was put away; without KEY, list such keys.

    KEY is the line of any log's key, as those who verify have it. From then on it counts only for what was sealed
    before it was put away. Those who have no other key are led to the next one, and told that theirs was stolen. A
    thief can still make a whole log of their own with it; only those who have the next key, or hold a head, see that it
    is false. So tell everybody who verifies.
    """
    if former is None:
        for key, size in run(_put_away(context.settings)):
            click.echo(f"{key}\tput away at {size} records of the house's log")
        return
    try:
        public = VerifierKey.parse(former).public
    except Malformed as error:
        raise click.UsageError(f"KEY is no key: {error}") from error
    if not yes:
        click.confirm("this cannot be taken back: all logs will say that this key was stolen; go on?", abort=True)
    written = run(_declare(context.settings, public, by))
    click.echo(
        f"on record in {written} logs just now; whoever verifies takes the next key, and trusts this one no more"
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What « rotate » was given."""

    good: list[str] | None
    without_good: bool
    copy: Path | None
    by: str


class _Told:
    """Says what the sealer would cry."""

    def log_broken(self, log: UUID, why: str) -> None:
        click.echo(f"log {log} cannot be sealed: {why}", err=True)

    def key_lacking(self, log: UUID, why: str) -> None:
        self.log_broken(log, why)

    def record_refused(self, log: UUID, why: str) -> None:
        click.echo(f"log {log}: {why}", err=True)

    def key_unusable(self, why: str) -> None:
        click.echo(why, err=True)


async def _rotate(settings: Settings, asked: _Asked) -> tuple[Changed, Mapping[UUID, str]]:
    path, clock = sealer_key_path(settings).resolve(), SystemClock()
    with alone_with(path):
        key = load_sealing_key(path)
        if asked.copy is None and key.changing(SystemRandom(), None if asked.good is None else {}) is not key:
            raise Conflict(
                "name a file on another medium with --copy: once the next key has signed, the ledger can be gone on "
                "with by nobody who does not have it"
            )
        async with open_data(settings) as data:

            async def seal() -> None:
                if data.addresses.sealer is not None:
                    file = KeyFile.read(path)
                    await Sealing(data.addresses.sealer, LogSealer(file.key, clock, _Told(), file=file)).once()

            put = _writes(path, asked.copy)
            changing = KeyChange(data.database, clock, SystemRandom(), asked.by, put, seal)
            changed = await changing.rotate(key, asked.good, without_good=asked.without_good)
            async with data.database.house() as connection:
                known = await Directory.all(connection, clock.now())
    return changed, {HOUSE_LOG: HOUSE, **{one.id: one.slug for one in known}}


async def _retire(settings: Settings, why: str | None, by: str) -> SealingKey:
    path = sealer_key_path(settings).resolve()
    with alone_with(path):
        key = load_sealing_key(path)
        async with open_data(settings) as data:
            change = KeyChange(data.database, SystemClock(), SystemRandom(), by, _writes(path), _nothing)
            return await change.retire(key, why)


async def _put_away(settings: Settings) -> list[tuple[VerifierKey, int]]:
    kept = load_sealing_key(sealer_key_path(settings)).put_away(origin_of(HOUSE_LOG))
    return [(one.former, one.last_good.size) for one in kept if one.last_good is not None]


async def _declare(settings: Settings, former: bytes, by: str) -> int:
    path = sealer_key_path(settings).resolve()
    with alone_with(path):
        key = load_sealing_key(path)
        async with open_data(settings) as data:
            change = KeyChange(data.database, SystemClock(), SystemRandom(), by, _writes(path), _nothing)
            return await change.declare_stolen(key, former)


async def _nothing() -> None:
    """Putting a key away waits for what the server seals."""


def _writes(path: Path, copy: Path | None = None) -> Callable[[SealingKey], None]:
    if copy is not None and copy.exists():
        raise Conflict(f"{copy} is there already: name another file for the copy")

    def put(key: SealingKey) -> None:
        """What was there stays until the new one and its copy are on the disk; and it is of the same account."""
        before = path.stat()
        if copy is not None:
            with whole_file(copy, replace=True) as file:
                file.write(content_of(key))
        with whole_file(path, replace=True) as file:
            if before.st_uid != os.geteuid():
                try:
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
                except OSError as error:
                    raise CallcenterError(f"{path} is of another account: do this as that one") from error
            file.write(content_of(key))

    return put


def _notes(good: tuple[Path, ...]) -> list[str]:
    """The heads in these files, and in the files of these folders."""
    files = [file for one in good for file in (sorted(one.iterdir()) if one.is_dir() else [one])]
    try:
        return [file.read_text("utf-8") for file in files]
    except (OSError, UnicodeDecodeError) as error:
        raise CallcenterError(f"a good head cannot be read: {error}") from error
