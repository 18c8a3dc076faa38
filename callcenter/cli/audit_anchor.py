"""``callcenter audit anchor``: giving heads of the ledger to whoever is to hold them, now."""

from __future__ import annotations

import sys

import click

from callcenter.app.anchoring import Anchoring, Deposited, depositories_of
from callcenter.cli.context import Context, run
from callcenter.installation import open_data
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError
from callcenter.settings import Settings


@click.command("anchor")
@click.pass_obj
def audit_anchor(context: Context) -> None:
    """Deposit the last signed head of every log where it is not held yet; the server does so each hour by itself.

    Where: « ledger » in the configuration. Exit 1: somebody has not taken a head.
    """
    if not depositories_of(context.settings):
        raise CallcenterError(
            "nobody is to hold heads: set ledger.anchor_folder, ledger.bucket or ledger.timestamp_url, or let somebody "
            "cosign (`callcenter audit cosign`)"
        )
    done = run(_anchor(context.settings))
    click.echo(f"{done.heads} heads deposited")
    for failed in done.failed:
        click.echo(failed, err=True)
    sys.exit(1 if done.failed else 0)


async def _anchor(settings: Settings) -> Deposited:
    async with open_data(settings) as data:
        return await Anchoring(data.database, SystemClock(), depositories_of(settings)).deposit()
