"""Many practices in one command: a line for each, a summary, and whether all went."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from callcenter.installation import open_data
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.enrolling_many import described_in, enrol_each
from callcenter.practice.importing_folder import import_each, practices_in
from callcenter.practice.setting_versions import Author
from callcenter.settings import Settings
from callcenter.staff.acts import StaffActs

HEARD_FROM_NOW_ON = "its calls meet this from now on; the documents of last resort follow within a minute"

ALL_WENT, SOME_REFUSED = 0, 1


async def enrol_many(settings: Settings, paths: Sequence[Path], organisation: str, by: str) -> int:
    """Enrol the practices of files and folders; returns the exit code."""
    clock, random = SystemClock(), SystemRandom()
    author, acts = Author(by, clock.now()), StaffActs(clock, random)
    files = described_in(paths)
    counted: Counter[str] = Counter()
    async with open_data(settings) as data:
        async for attempt in enrol_each(data.database, files, organisation, random, author, acts):
            if attempt.enrolled is None:
                counted["refused"] += 1
                _refusal(f"{attempt.file}: nothing of it was enrolled", attempt.refused)
                continue
            enrolled = attempt.enrolled
            what = "enrolled" if enrolled.is_new else "changed"
            counted[what] += 1
            kept = f"; kept, though the file does not name them: {', '.join(enrolled.unnamed)}"
            click.echo(
                f"{enrolled.facts.slug} {what}: answers at {', '.join(enrolled.facts.numbers)}"
                f"{kept if enrolled.unnamed else ''}",
                err=True,
            )
    told = ", ".join(f"{counted[what]:,} {what}" for what in ("enrolled", "changed", "refused"))
    click.echo(f"{len(files):,} descriptions: {told}")
    if counted["refused"] < len(files):
        click.echo(HEARD_FROM_NOW_ON.replace("its", "their", 1))
    return SOME_REFUSED if counted["refused"] else ALL_WENT


async def import_folder(settings: Settings, folder: Path, begin_at: str | None, *, complete: bool) -> int:
    """Import the files of every practice that has a folder below ``folder``; returns the exit code."""
    folders = practices_in(folder, begin_at)
    refused, tried = 0, 0
    rows: Counter[str] = Counter()
    began = time.monotonic()
    async with open_data(settings) as data:
        each = import_each(data.database, data.sealer, folders, SystemClock(), SystemRandom(), complete=complete)
        async for done in each:
            tried += 1
            rows.update({report.kind.value: report.rows for report in done.reports})
            told = ", ".join(f"{report.rows:,} {report.kind.value}" for report in done.reports) or "nothing"
            click.echo(f"[{tried:,}/{len(folders):,}] {done.slug}: {told}", err=True)
            if done.refused is not None:
                refused += 1
                _refusal(f"{done.slug}: the rest of its files was not imported", done.refused)
    seconds = max(time.monotonic() - began, 0.001)
    total = ", ".join(f"{count:,} {kind}" for kind, count in rows.items()) or "nothing"
    click.echo(f"{len(folders) - refused:,} of {len(folders):,} practices imported: {total}")
    click.echo(f"{seconds:,.0f} s, {rows.total() / seconds:,.0f} rows a second")
    return SOME_REFUSED if refused else ALL_WENT


def _refusal(what: str, why: str | None) -> None:
    click.echo(f"{what}:\n{why}", err=True)
