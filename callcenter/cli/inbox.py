"""``callcenter inbox``: what callers have left for a practice. Its reader works at its telephone: it speaks French."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

from callcenter.cli.context import Context, run
from callcenter.installation import open_data
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice import inbox_lines
from callcenter.practice.directory import Directory
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.inbox import Inbox, Wanted
from callcenter.practice.practitioners import practitioners_called, public_names
from callcenter.practice.values import Change
from callcenter.practice.voice_messages import Sound, VoiceMessages
from callcenter.settings import Settings
from callcenter.staff.acts import StaffActs
from callcenter.store.database import Database
from callcenter.store.files import whole_file


@click.command()
@click.option("--practice", "slug", help="Of one practice; by default of all.")
@click.option("--practitioner", "whom", metavar="NAME", help="For this practitioner; the last name is enough.")
@click.option("--urgent", is_flag=True, help="Urgent ones alone; they are first in any case.")
@click.option("--play", type=click.UUID, metavar="ID", help="Open what was spoken with this message; goes with --to.")
@click.option(
    "--to",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where the sound is written; a file that is there already is not overwritten.",
)
@click.option("--done", type=click.UUID, metavar="ID", help="This message has been answered: it leaves the list.")
@click.option("--by", metavar="NAME", help="Who listens, or has answered: it goes on record.")
@click.pass_obj
def inbox(
    context: Context,
    slug: str | None,
    whom: str | None,
    urgent: bool,
    play: UUID | None,
    file: Path | None,
    done: UUID | None,
    by: str | None,
) -> None:
    """What waits for the practice's people, each with the identifier that --play and --done take."""
    who = (by or "").strip()
    if play is not None and done is not None:
        raise click.UsageError("--play and --done exclude each other")
    if (play is None) != (file is None):
        raise click.UsageError("--play ID and --to FILE go together")
    if (play is None and done is None) != (not who):
        raise click.UsageError("--done ID or --play ID, and --by NAME go together")
    if (whom is not None or urgent) and who:
        raise click.UsageError("--practitioner and --urgent choose what is listed; an ID needs neither")
    if play is not None and file is not None:
        click.echo(run(_play(context.settings, slug, play, file, who)))
    elif done is not None:
        click.echo(run(_handle(context.settings, slug, done, who)))
    else:
        for line in run(_waiting(context.settings, slug, whom, urgent)):
            click.echo(line)


async def _waiting(settings: Settings, slug: str | None, whom: str | None, urgent: bool) -> list[str]:
    lines: list[str] = []
    async with open_data(settings) as data:
        of_practice, practices = Inbox(data.sealer), await _practices(data.database, slug)
        of_whom = {} if whom is None else await _practitioners(data.database, practices, whom)
        for facts in practices if whom is None else [facts for facts in practices if facts.id in of_whom]:
            wanted = Wanted(of_whom.get(facts.id), urgent)
            async with data.database.practice(facts.id) as tx:
                waiting = await of_practice.waiting(tx, wanted=wanted)
                more = await of_practice.count_waiting(tx, wanted=wanted) - len(waiting)
            lines += inbox_lines.waiting(facts, waiting, more, SystemClock().now())
    return lines or [inbox_lines.NOBODY_WAITS_SO if whom or urgent else inbox_lines.NOBODY_WAITS]


async def _practitioners(database: Database, practices: list[PracticeFacts], whom: str) -> dict[UUID, UUID]:
    """Whom a name means, by practice."""
    meant: dict[UUID, UUID] = {}
    others: list[str] = []
    for facts in practices:
        async with database.practice(facts.id) as tx:
            called = await practitioners_called(tx, whom)
            others += [f"{one.titled} ({facts.slug})" for one in called or await public_names(tx)]
        if len(called) > 1:
            raise CallcenterError(f"« {whom} » may be {', '.join(one.titled for one in called)}: write the whole name")
        if called:
            meant[facts.id] = called[0].id
    if not meant:
        shown = ", ".join(others[:_SHOWN]) + (", …" if len(others) > _SHOWN else "")
        raise CallcenterError(f"no practitioner is called « {whom} »; there are {shown or 'none'}")
    return meant


#: So many names an error lists at most.
_SHOWN = 20


async def _handle(settings: Settings, slug: str | None, message_id: UUID, by: str) -> str:
    clock = SystemClock()
    async with open_data(settings) as data:
        for facts in await _practices(data.database, slug):
            async with data.database.practice(facts.id) as tx:
                change = await Inbox(data.sealer).handle(tx, message_id, by, clock.now())
                if change is Change.DONE:
                    await StaffActs(clock, SystemRandom()).message_handled(tx, message_id, by)
            if change is Change.DONE:
                return inbox_lines.handled(facts, by)
    raise CallcenterError(f"{message_id} does not wait to be called back: `callcenter inbox` shows who does")


async def _play(settings: Settings, slug: str | None, message_id: UUID, file: Path, by: str) -> str:
    async with open_data(settings) as data:
        for facts in await _practices(data.database, slug):
            # P1: the record is committed before the words leave. A file that cannot be written has cost a record only.
            async with data.database.practice(facts.id) as tx:
                sound = await VoiceMessages(data.sealer).sound(tx, message_id)
                if sound is not None:
                    await StaffActs(SystemClock(), SystemRandom()).voice_opened(tx, message_id, by)
            if sound is not None:
                _write(sound, file)
                return inbox_lines.opened(facts, file)
    raise CallcenterError(f"{message_id} has no sound to open: `callcenter inbox` shows where each one is")


def _write(sound: Sound, file: Path) -> None:
    """Write a sound where only this account reads it."""
    try:
        with whole_file(file) as written:
            written.write(sound.content)
    except FileExistsError:
        raise CallcenterError(f"{file} is there already and is not overwritten: name another file") from None
    except OSError as error:
        raise CallcenterError(f"{file} cannot be written ({error.strerror}): name another file") from None


async def _practices(database: Database, slug: str | None) -> list[PracticeFacts]:
    now = SystemClock().now()
    async with database.house() as connection:
        if slug is None:
            return await Directory.all(connection, now)
        return [await Directory.by_slug(connection, slug, now)]
