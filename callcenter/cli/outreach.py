"""``callcenter practice notices`` and ``practice reminders``: who is told of messages, and who wants reminders."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import click

from callcenter.cli.context import Context, by_option, run
from callcenter.installation import Data, open_data
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SystemRandom, new_id
from callcenter.notices.addresses import NoticeAddress, NoticeAddresses, NoticeChannel, Rank, Which, read_address
from callcenter.notices.choices import Choice, choose_for_patient, patient_called
from callcenter.practice.directory import Directory
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.names import normalise_name
from callcenter.practice.practitioners import practitioner_names
from callcenter.practice.values import Change
from callcenter.settings import Settings
from callcenter.staff.acts import StaffActs
from callcenter.store.database import Transaction


@dataclass(frozen=True, slots=True)
class _OfPractice:
    """A group's practice, for its commands."""

    settings: Settings
    slug: str


@click.group("notices")
@click.argument("slug")
@click.pass_context
def practice_notices(context: click.Context, slug: str) -> None:
    """Who is told, by text, e-mail or call, that messages wait in a practice's inbox. Notices hold nothing of them."""
    context.obj = _OfPractice(context.obj.settings, slug)


@practice_notices.command("add")
@click.argument("address")
@click.option("--channel", type=click.Choice([one.value for one in NoticeChannel]), required=True, help="By what.")
@click.option("--practitioner", metavar="NAME", help="Of whose messages, without the title; by default of all.")
@click.option("--deputy", is_flag=True, help="Told only where nobody has read an urgent message in time.")
@click.option(
    "--which",
    type=click.Choice([one.value for one in Which]),
    help="all: urgent ones at once, others, and bookings by telephone, at noon and at six (by default); urgent; "
    "or digest. Calls are urgent ones.",
)
@by_option
@click.pass_obj
def notices_add(
    of: _OfPractice, address: str, channel: str, practitioner: str | None, deputy: bool, which: str | None, by: str
) -> None:
    """Tell somebody of messages from now on, at ADDRESS: a telephone number, or a mail address."""
    way = NoticeChannel(channel)
    told = Which(which) if which else (Which.URGENT if way is NoticeChannel.CALL else Which.ALL)
    if way is NoticeChannel.CALL and told is not Which.URGENT:
        raise click.UsageError("nobody is rung about what is not urgent: leave --which out")
    if way is NoticeChannel.EMAIL and of.settings.mail is None:
        raise CallcenterError("no mail server is set: write the section « mail » of the configuration first")
    added = run(_add(of, way, address, practitioner, Rank.DEPUTY if deputy else Rank.FIRST, told, by))
    click.echo(f"{of.slug}: told from now on  {added}")


@practice_notices.command("list")
@click.pass_obj
def notices_list(of: _OfPractice) -> None:
    """Who is told, each with the identifier that « remove » takes."""
    for line in run(_list(of)) or [f"{of.slug}: nobody is told that messages wait"]:
        click.echo(line)


@practice_notices.command("remove")
@click.argument("identifier", type=click.UUID)
@by_option
@click.pass_obj
def notices_remove(of: _OfPractice, identifier: UUID, by: str) -> None:
    """Tell somebody no more."""
    run(_remove(of, identifier, by))
    click.echo(f"{of.slug}: told no more")


@click.command("reminders")
@click.argument("slug")
@click.argument("choice", type=click.Choice(["consent", "oppose", "withdraw"]))
@click.argument("patient")
@by_option
@click.pass_obj
def practice_reminders(context: Context, slug: str, choice: str, patient: str, by: str) -> None:
    """Keep what a patient has told the practice about reminders by text.

    PATIENT is their identifier in the practice's own software. « withdraw » takes back what they said before. Whether
    reminders are sent at all is the practice's setting « reminders ».
    """
    run(_choose(_OfPractice(context.settings, slug), _CHOICES[choice], patient, by))
    click.echo(f"{slug}: on record")


_CHOICES = {"consent": Choice.CONSENTED, "oppose": Choice.OPPOSED, "withdraw": Choice.WITHDRAWN}

#: What ``callcenter practice`` has of these.
COMMANDS: tuple[click.Command, ...] = (practice_notices, practice_reminders)


# --- working


async def _facts(data: Data, slug: str) -> PracticeFacts:
    async with data.database.house() as connection:
        return await Directory.by_slug(connection, slug, SystemClock().now())


def _acts() -> StaffActs:
    return StaffActs(SystemClock(), SystemRandom())


async def _add(
    of: _OfPractice, way: NoticeChannel, written: str, practitioner: str | None, rank: Rank, which: Which, by: str
) -> UUID:
    async with open_data(of.settings) as data:
        facts = await _facts(data, of.slug)
        async with data.database.house() as connection:
            served = {*await Directory.all_numbers(connection), *facts.own_lines}
        address = read_address(way, written, served)
        async with data.database.practice(facts.id) as tx:
            whose = None if practitioner is None else await _practitioner(tx, practitioner)
            one = NoticeAddress(new_id(SystemRandom()), whose, rank, way, which, address)
            if await NoticeAddresses(data.sealer).add(tx, one, SystemClock().now()) is not Change.DONE:
                raise CallcenterError(
                    f"they are told there already: `callcenter practice notices {of.slug} list` shows how; remove it "
                    "first to change it"
                )
            await _acts().notice_address_added(tx, one.id, by)
    return one.id


async def _practitioner(tx: Transaction, written: str) -> UUID:
    names = await practitioner_names(tx)
    found = {normalise_name(name): id for name, id in names.items()}.get(normalise_name(written))
    if found is None:
        raise CallcenterError(f"« {written} » is no practitioner of the practice: write one of {', '.join(names)}")
    return found


async def _list(of: _OfPractice) -> list[str]:
    async with open_data(of.settings) as data:
        facts = await _facts(data, of.slug)
        async with data.database.practice(facts.id) as tx:
            names = {id: name for name, id in (await practitioner_names(tx)).items()}
            addresses = await NoticeAddresses(data.sealer).all(tx)
    return [_line(one, names) for one in addresses]


def _line(one: NoticeAddress, names: dict[UUID, str]) -> str:
    whose = "whole practice" if one.practitioner is None else names.get(one.practitioner, str(one.practitioner))
    return f"{one.rank.name.lower():<7} {one.channel:<6} {one.which:<7} {one.address:<32} {whose:<24} {one.id}"


async def _remove(of: _OfPractice, identifier: UUID, by: str) -> None:
    async with open_data(of.settings) as data:
        facts = await _facts(data, of.slug)
        async with data.database.practice(facts.id) as tx:
            if await NoticeAddresses(data.sealer).remove(tx, identifier) is not Change.DONE:
                raise CallcenterError(
                    f"nobody is told at {identifier}: `callcenter practice notices {of.slug} list` shows who is"
                )
            await _acts().notice_address_removed(tx, identifier, by)


async def _choose(of: _OfPractice, choice: Choice, patient: str, by: str) -> None:
    async with open_data(of.settings) as data:
        facts = await _facts(data, of.slug)
        async with data.database.practice(facts.id) as tx:
            found = await patient_called(tx, patient)
            if found is None:
                raise CallcenterError(f"{of.slug} has no patient of that identifier: it is what the import calls them")
            chosen = await choose_for_patient(tx, found, choice, SystemClock().now(), SystemRandom())
            await _acts().reminders_chosen(tx, found, chosen, by)
