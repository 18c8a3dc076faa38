"""``callcenter audit refused``: which records the sealer has refused, and why."""

from __future__ import annotations

from collections.abc import Sequence

import click

from callcenter.audit.refusals import RefusedRecord, refusals_of
from callcenter.cli.audit_logs import log_argument, log_called
from callcenter.cli.context import Context, run
from callcenter.installation import open_data
from callcenter.settings import Settings

#: Records that are listed at most.
MOST = 1_000


@click.command("refused")
@log_argument
@click.option("--bodies", is_flag=True, help="Also what was refused, as it was written. It proves nothing.")
@click.pass_obj
def audit_refused(context: Context, log: str, bodies: bool) -> None:
    """List the records of a log that the sealer has refused, the last first, and why.

    A refused record has no effect: nothing is erased by it, and no key changes. Its bytes stay where they were written;
    what is sealed in its place names them by their leaf. Where a setting was the cause, what it was for is done anew by
    itself (erasures by age) or by the same command (orders); otherwise somebody has forged it: docs/ledger.md.
    """
    found = run(_refused(context.settings, log))
    for one in found[:MOST]:
        click.echo(f"{one.at:%Y-%m-%dT%H:%M:%SZ}\tindex {one.index}\trecord {one.record}\tleaf {one.leaf.hex()}")
        click.echo(f"\t{one.why}")
        if one.body is None:
            click.echo("\tits bytes are gone, though they are never erased: somebody has removed them")
        elif bodies:
            click.echo(f"\t{ascii(one.body)[2:-1]}")
    click.echo(_counted(len(found)), err=True)


async def _refused(settings: Settings, called: str) -> Sequence[RefusedRecord]:
    async with open_data(settings) as data:
        async with data.database.house() as connection:
            log = await log_called(connection, called)
        async with data.database.practice(log) as tx:
            return await refusals_of(tx, MOST + 1)


def _counted(many: int) -> str:
    """How many were refused, of which at most ``MOST`` are listed; ``many``: one more, if there are more."""
    if many > MOST:
        return f"more than {MOST:,} records were refused: the last {MOST:,} are listed"
    return "1 record was refused" if many == 1 else f"{many} records were refused"
