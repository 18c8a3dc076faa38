"""``callcenter flows publish``, ``versions`` and ``use``: which flows calls begin in, while calls go on."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click

from callcenter.app.publishing import Publishing, chosen_release
from callcenter.calls.flows import Flows, load_flows
from callcenter.calls.release import SHORT
from callcenter.calls.releases import Retained, current_of, in_use, is_retained, listed
from callcenter.cli.context import Context, by_option, run
from callcenter.disclosure.policy import load_policy
from callcenter.doctor_flows import of_another_folder, own_release
from callcenter.installation import DatabaseFit, reach_database
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import DataProblems
from callcenter.kernel.randomness import SystemRandom
from callcenter.settings import Settings
from callcenter.staff.records import Actor
from callcenter.store.database import Database

REFUSED = 1


@click.command("publish")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--prompts", type=click.Path(path_type=Path), help="The prompts; by default FOLDER's, or as configured.")
@by_option
@click.pass_obj
def flows_publish(context: Context, folder: Path | None, prompts: Path | None, by: str) -> None:
    """Prove the flows of FOLDER (by default the configured one), and let calls begin in them.

    Servers that run take them over within seconds, without a restart; calls in progress end on the flows in which they
    began. Flows that are refuted change nothing: 1, with the verdicts.
    """
    chosen = context.settings.flows
    spoken = prompts or (chosen.prompts if folder is None else _prompts_of(folder, chosen.prompts))
    try:
        flows = load_flows(folder or chosen.folder, chosen.entry, spoken, chosen.policy)
    except DataProblems as error:
        click.echo(f"{error}\nnothing is published", err=True)
        sys.exit(REFUSED)
    click.echo(run(_publish(context.settings, flows, Actor.command(by))))


@click.command("versions")
@click.pass_obj
def flows_versions(context: Context) -> None:
    """List the published releases.

    For each: whether it is the current one (*), who published it last and when, how many calls in progress are in its
    flows, and whether a proof of all of them by this version is on file.
    """
    for line in run(_versions(context.settings)):
        click.echo(line)


@click.command("use")
@click.argument("release")
@by_option
@click.pass_obj
def flows_use(context: Context, release: str, by: str) -> None:
    """Let calls begin in RELEASE again (its first characters are enough), once this version has proven it anew."""
    try:
        click.echo(run(_use(context.settings, release, Actor.command(by))))
    except DataProblems as error:
        click.echo(f"{error}\nnothing is changed", err=True)
        sys.exit(REFUSED)


def _prompts_of(folder: Path, configured: Path) -> Path:
    """Those of the folder itself, where it has some."""
    own = folder / configured.parent.name / configured.name
    return own if own.is_file() else configured


@asynccontextmanager
async def _publishing(settings: Settings) -> AsyncIterator[Publishing]:
    async with reach_database(settings) as addresses:
        database = Database(addresses.app, pool_size=2, application="callcenter-cli")
        try:
            await (await DatabaseFit.of(database)).check_schema()
            yield Publishing(database, SystemClock(), SystemRandom())
        finally:
            await database.close()


async def _publish(settings: Settings, flows: Flows, actor: Actor) -> str:
    async with _publishing(settings) as publishing:
        new = await publishing.publish(flows, actor)
        return await _said(settings, publishing.database, flows.release.digest, new=new)


async def _use(settings: Settings, start: str, actor: Actor) -> str:
    async with _publishing(settings) as publishing:
        digest = await chosen_release(publishing.database, start)
        new = await publishing.use(digest, load_policy(settings.flows.policy), actor)
        return await _said(settings, publishing.database, digest, new=new)


async def _said(settings: Settings, database: Database, digest: str, *, new: bool) -> str:
    said = f"calls begin in {digest[:SHORT]} already"
    if new:
        said = f"calls begin in {digest[:SHORT]} from now on; those in progress end on the flows in which they began"
    own = await asyncio.to_thread(own_release, settings)
    if own is None or own == digest:
        return said
    async with database.house() as connection:
        known = await is_retained(connection, own)
    if known:
        return f"{said}\n{of_another_folder(own)}"
    return f"{said}, until a server starts: it publishes its folder ({own[:SHORT]}), which never was"


async def _versions(settings: Settings) -> list[str]:
    policy = load_policy(settings.flows.policy)
    async with _publishing(settings) as publishing:
        database, now = publishing.database, publishing.clock.now()
        async with database.house() as connection:
            current, releases = await current_of(connection), await listed(connection, policy.digest)
        calls = await in_use(database, now)
    held: set[str] = set()
    lines = []
    for one in releases:  # a flow that stands in several is counted with the last published
        lines += _described(one, sum(calls.get(flow, 0) for flow in one.flows.keys() - held), one.digest == current)
        held |= one.flows.keys()
    return lines or ["nothing is published yet: a server publishes its folder when it starts"]


def _described(one: Retained, calls: int, current: bool) -> list[str]:
    proven = "proven by this version" if one.proven else "no proof by this version on file"
    published = "never published"
    if one.published_at is not None:
        published = f"published {one.published_at:%Y-%m-%d %H:%M} UTC by {one.published_by}"
    going = f"{calls} call{'' if calls == 1 else 's'} in progress"
    flows = ", ".join(
        f"{name} {digest[:SHORT]}" for digest, name in sorted(one.flows.items(), key=lambda flow: flow[1])
    )
    mark = "*" if current else " "
    return [f"{mark} {one.digest[:SHORT]}  {published}, {going}, {proven}", f"    {flows}"]
