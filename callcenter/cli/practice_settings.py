"""``callcenter practice set, show, history, rollback, withdraw``: what a practice sets, and when it holds."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from callcenter.app.settings_in_time import SettingsInTime
from callcenter.cli.context import Context, by_option, run
from callcenter.installation import open_data
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.documents import parse_yaml
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.changing import SettingsChanged, SettingsDesk
from callcenter.practice.directory import Directory, facts_of
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.practice_form import Setting, as_written
from callcenter.practice.setting_versions import Author, Period, SettingVersions, Snapshot, Version
from callcenter.settings import Settings
from callcenter.staff.acts import StaffActs

_TIME = re.compile(r"([01]?\d|2[0-3])[:hH]([0-5]\d)")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]([01]?\d|2[0-3])[:hH]([0-5]\d))?")

_setting = click.argument("setting", type=click.Choice([setting.value for setting in Setting]))
_note = click.option("--note", default="", help="Why, for whoever reads the history; never about a patient.")


@click.command("set")
@click.argument("slug")
@_setting
@click.argument("value", required=False)
@click.option("--file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Read the value from here.")
@click.option(
    "--from", "begins", metavar="WHEN", help="From when: 2026-12-24, 2026-12-24T08:30 or 08:30; by default now."
)
@click.option("--until", "ends", metavar="WHEN", help="Until when, excluded; by default for good.")
@_note
@by_option
@click.pass_obj
def practice_set(
    context: Context,
    slug: str,
    setting: str,
    value: str | None,
    file: Path | None,
    begins: str | None,
    ends: str | None,
    note: str,
    by: str,
) -> None:
    """Change a setting of a practice: from the next call on, or from a day on, for good or for a while.

    VALUE is written as in the practice's file (YAML). A call in progress keeps what it began with.
    """
    if (value is None) == (file is None):
        raise click.UsageError("write the VALUE, or name its --file")
    wanted = read_value(file.read_text(encoding="utf-8") if file is not None else value or "")
    when = "the next call meets it"

    async def change(desk: SettingsDesk, facts: PracticeFacts, now: datetime) -> SettingsChanged:
        nonlocal when
        zone = facts.timezone
        period = Period(
            now if begins is None else _moment(begins, zone, now, "--from"),
            None if ends is None else _moment(ends, zone, now, "--until"),
        )
        if period.begins > now:
            when = f"calls from {period.begins:%Y-%m-%d %H:%M} on meet it"
        return await desk.put(Setting(setting), wanted, period)

    _tell(slug, run(_change(context.settings, slug, by, note, change)), when)


@click.command("rollback")
@click.argument("slug")
@click.argument("revision", type=click.IntRange(1))
@click.argument("setting", type=click.Choice([setting.value for setting in Setting]), required=False)
@_note
@by_option
@click.pass_obj
def practice_rollback(context: Context, slug: str, revision: int, setting: str | None, note: str, by: str) -> None:
    """Bring all settings, or one, to how they stood as of a revision. That is a change too, and is on record."""

    async def change(desk: SettingsDesk, _facts: PracticeFacts, _now: datetime) -> SettingsChanged:
        return await desk.roll_back(revision, Setting(setting) if setting else None)

    _tell(slug, run(_change(context.settings, slug, by, note, change)))


@click.command("withdraw")
@click.argument("slug")
@_setting
@click.argument("revision", type=click.IntRange(1))
@by_option
@click.pass_obj
def practice_withdraw(context: Context, slug: str, setting: str, revision: int, by: str) -> None:
    """Take back what a revision set, even if it begins later: what lies under it shows again."""

    async def change(desk: SettingsDesk, _facts: PracticeFacts, _now: datetime) -> SettingsChanged:
        return await desk.withdraw(Setting(setting), revision)

    _tell(slug, run(_change(context.settings, slug, by, "", change)))


@click.command("show")
@click.argument("slug")
@click.option("--at", "moment", metavar="WHEN", help="As it will stand, or stood, then; by default now.")
@click.pass_obj
def practice_show(context: Context, slug: str, moment: str | None) -> None:
    """The settings of a practice, and who answers; under what changes by itself, what it will be."""
    snapshot, at = run(_snapshot(context.settings, slug, moment))
    facts, afterwards = facts_of(snapshot), SettingsInTime(snapshot).afterwards()
    local = at.astimezone(facts.timezone)
    click.echo(f"{facts.name} on {local:%Y-%m-%d at %H:%M}, revision {facts.revision}")
    for number in facts.numbers:
        click.echo(f"  {number} is received as « {facts.arrival(number, at)} »")
    for setting, value in as_written(facts).items():
        click.echo(f"{setting}: {json.dumps(value, ensure_ascii=False)}")
        if (then := afterwards.get(setting)) is not None:
            since = then.since.astimezone(facts.timezone)
            click.echo(f"  from {since:%Y-%m-%d %H:%M} on: {json.dumps(then.value, ensure_ascii=False)}")


@click.command("history")
@click.argument("slug")
@click.argument("setting", type=click.Choice([setting.value for setting in Setting]), required=False)
@click.option("--limit", type=click.IntRange(1, 1000), default=30, show_default=True, help="So many lines at most.")
@click.pass_obj
def practice_history(context: Context, slug: str, setting: str | None, limit: int) -> None:
    """What was set, by whom and when; latest first."""
    facts, versions = run(_history(context.settings, slug, Setting(setting) if setting else None, limit))
    for version in versions:
        click.echo(_line(version, facts.timezone))


#: What ``callcenter practice`` has of these.
COMMANDS = (practice_set, practice_show, practice_history, practice_rollback, practice_withdraw)


# --- working


_Change = Callable[[SettingsDesk, PracticeFacts, datetime], Awaitable[SettingsChanged]]


async def _change(settings: Settings, slug: str, by: str, note: str, change: _Change) -> SettingsChanged:
    clock = SystemClock()
    now = clock.now()
    async with open_data(settings) as data:
        async with data.database.house() as connection:
            facts = await Directory.by_slug(connection, slug, now)
        desk = SettingsDesk(data.database, slug, Author(by, now, note), StaffActs(clock, SystemRandom()))
        return await change(desk, facts, now)


async def _snapshot(settings: Settings, slug: str, moment: str | None) -> tuple[Snapshot, datetime]:
    now = SystemClock().now()
    async with open_data(settings) as data, data.database.house() as connection:
        facts = await Directory.by_slug(connection, slug, now)
        at = now if moment is None else _moment(moment, facts.timezone, now, "--at")
        return await Directory.snapshot(connection, facts.id, at, ahead=tuple(Setting)), at


async def _history(
    settings: Settings, slug: str, setting: Setting | None, limit: int
) -> tuple[PracticeFacts, list[Version]]:
    async with open_data(settings) as data, data.database.house() as connection:
        facts = await Directory.by_slug(connection, slug, SystemClock().now())
        return facts, list(await SettingVersions.history(connection, facts.id, setting, limit))


# --- reading and telling


def read_value(written: str) -> Any:
    """A value as a practice's file would have it."""
    lines = written.rstrip("\n").split("\n")
    text = "value: " + lines[0] if len(lines) == 1 else "value:\n" + "\n".join(f"  {line}" for line in lines)
    return parse_yaml(text + "\n", "value").data["value"]


def _moment(written: str, zone: ZoneInfo, now: datetime, option: str) -> datetime:
    """A day, a day and time, or a time of today, in the practice's zone."""
    clock, whole = _TIME.fullmatch(written.strip()), _MOMENT.fullmatch(written.strip())
    try:
        if clock is not None:
            day = now.astimezone(zone).date()
            return datetime.combine(day, time(int(clock[1]), int(clock[2])), zone)
        if whole is not None:
            day = datetime.fromisoformat(whole[1]).date()
            return datetime.combine(day, time(int(whole[2] or 0), int(whole[3] or 0)), zone)
    except ValueError:
        pass  # a day that does not exist is told as any other text that is no moment
    raise click.BadParameter(
        f"{written!r}: write a day (2026-12-24), a day and time (2026-12-24T08:30) or a time of today (08:30)",
        param_hint=option,
    )


def _tell(slug: str, outcome: SettingsChanged, when: str = "the next call meets it") -> None:
    changed = ", ".join(sorted(outcome.changed.settings))
    click.echo(f"{slug}: {changed} changed, revision {outcome.changed.revision}; {when}")
    for warning in outcome.warnings:
        click.echo(f"attention: {warning}", err=True)


def _line(version: Version, zone: ZoneInfo) -> str:
    period = version.period
    ends = "" if period.ends is None else f" until {period.ends.astimezone(zone):%Y-%m-%d %H:%M}"
    begins = "ever" if period.begins.year == 1970 else f"{period.begins.astimezone(zone):%Y-%m-%d %H:%M}"
    value = json.dumps(version.value, ensure_ascii=False)
    gone = "" if version.withdrawn is None else f"  (withdrawn by revision {version.withdrawn})"
    note = f"  — {version.author.note}" if version.author.note else ""
    made = version.author.at.astimezone(zone)
    return (
        f"{version.revision:>4}  {made:%Y-%m-%d %H:%M}  {version.author.by:<14} {version.setting:<20} "
        f"from {begins}{ends}  {value if len(value) <= 80 else value[:79] + '…'}{note}{gone}"
    )
