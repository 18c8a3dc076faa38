"""``callcenter audit reconcile`` and ``settle``: our calls beside those that the carrier lists."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import UUID

import click

from callcenter.app import carrier_settings
from callcenter.calls.carrier_findings import OpenFinding, Settling, days_not_compared, last_due, open_findings, settle
from callcenter.calls.carrier_list import CarrierComparison
from callcenter.calls.carrier_values import Cause, Compared, Difference
from callcenter.cli.context import Context, by_option, run
from callcenter.installation import open_data
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import NotFound, Unavailable
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.called import practice_names
from callcenter.settings import Settings
from callcenter.staff.acts import StaffActs
from callcenter.staff.records import Actor
from callcenter.telephony.rest import TwilioCarrier
from callcenter.telephony.urls import Urls

#: Lines of one answer.
SHOWN = 200

_SAYS = {
    Difference.CALL_UNKNOWN: "the carrier had this call, we know nothing of it",
    Difference.CALL_NEVER_HAD: "we were told of this call, the carrier never had it",
    Difference.TIMES_DIFFER: "it began or ended at other times than the carrier says",
}
_day_option = click.option(
    "--day", type=click.DateTime(["%Y-%m-%d"]), help="A day of UTC (YYYY-MM-DD); else the last one that is over."
)


class _Quiet:
    """Whoever types the command reads what was found: nobody else is told."""

    def call_differs(self, finding: UUID, kind: Difference) -> None: ...

    def not_compared(self, day: date, error: Unavailable) -> None: ...


@click.command()
@_day_option
@by_option
@click.pass_obj
def reconcile(context: Context, day: datetime | None, by: str) -> None:
    """Compare the calls of a day with the carrier's list, and show every difference that is open.

    The server does so every night. Exit code 1: something is open.
    """
    compared, missed, found, names = run(_reconcile(context.settings, None if day is None else day.date(), by))
    click.echo(
        f"{compared.day}: calls to our numbers on the carrier's list: {compared.theirs}; legs that we know: "
        f"{compared.ours}; new differences: {compared.found}"
    )
    for one in missed:
        click.echo(f"{one}: not compared yet; `callcenter audit reconcile --day {one}` does")
    for finding in found:
        click.echo(f"{finding.day}  {finding.id}  {finding.sid}  {names[finding.practice]}: {_SAYS[finding.kind]}")
    if found:
        click.echo(
            f"{_how_many(found)} open: find out why, then `callcenter audit settle FINDING --cause CAUSE`; "
            "what was said in such a call, if anything was, stands in no record"
        )
        sys.exit(1)


def _how_many(found: Sequence[OpenFinding]) -> str:
    return f"{len(found)}" if len(found) < SHOWN else f"{SHOWN} or more"


@click.command("settle")
@click.argument("finding", type=click.UUID, required=False)
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Every one of this day (UTC) that is open.")
@click.option("--cause", type=click.Choice([cause.value for cause in Cause]), required=True, help="What was the cause.")
@by_option
@click.pass_obj
def settle_finding(context: Context, finding: UUID | None, day: datetime | None, cause: str, by: str) -> None:
    """Settle a difference with the carrier's list, or those of a day, for a cause; it goes on record."""
    if (finding is None) == (day is None):
        raise click.UsageError("say which: FINDING, or --day YYYY-MM-DD")
    count = run(_settle(context.settings, finding, None if day is None else day.date(), Cause(cause), by))
    click.echo(f"{count} settled: {cause}")


async def _reconcile(
    settings: Settings, day: date | None, by: str
) -> tuple[Compared, Sequence[date], Sequence[OpenFinding], dict[UUID, str]]:
    clock = SystemClock()
    asked = carrier_settings(settings, Urls.below(settings.public_base_url))
    async with open_data(settings) as data, TwilioCarrier(asked) as carrier:
        comparison = CarrierComparison(data.database, clock, SystemRandom(), carrier.call_list, _Quiet())
        compared = await comparison.compare(day or last_due(clock.now()), Actor.command(by))
        async with data.database.house() as connection:
            missed = await days_not_compared(connection, clock.now())
            found = await open_findings(connection, None, SHOWN)
            names = await practice_names(connection, [one.practice for one in found], clock.now())
    return compared, missed, found, names


async def _settle(settings: Settings, finding: UUID | None, day: date | None, cause: Cause, by: str) -> int:
    acts, now = StaffActs(SystemClock(), SystemRandom()), datetime.now(UTC)
    settling, count = Settling(cause, None, by, now), 0
    async with open_data(settings) as data, data.database.house() as connection:
        if finding is not None:
            count += await settle(connection, finding, settling, acts)
        else:
            settled = -1
            while settled:  # all of the day, or none of it
                some = await open_findings(connection, None, SHOWN, day)
                settled = sum([await settle(connection, one.id, settling, acts) for one in some])
                count += settled
    if not count:
        raise NotFound("nothing of that is open: `callcenter audit reconcile` shows what is")
    return count
