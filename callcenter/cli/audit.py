"""``callcenter audit``: looking at the ledger."""

from __future__ import annotations

from uuid import UUID

import click

from callcenter.audit.describing import describe_record
from callcenter.audit.gaps import causes
from callcenter.audit.ledger import canonical
from callcenter.audit.reading import Reading, disclosures, read_call
from callcenter.calls.lookup import find_call
from callcenter.cli.audit_anchor import audit_anchor
from callcenter.cli.audit_cosign import audit_cosign
from callcenter.cli.audit_erase import audit_erase
from callcenter.cli.audit_export import audit_export
from callcenter.cli.audit_key import audit_key
from callcenter.cli.audit_prove import audit_prove
from callcenter.cli.audit_refused import audit_refused
from callcenter.cli.audit_verify import audit_verify
from callcenter.cli.context import Context, run
from callcenter.cli.fhir import fhir
from callcenter.cli.reconcile import reconcile, settle_finding
from callcenter.installation import open_data
from callcenter.kernel.errors import NotFound
from callcenter.settings import Settings


@click.group()
def audit() -> None:
    """The ledger: who was told what."""


for _command in (
    audit_anchor,
    audit_cosign,
    audit_erase,
    audit_export,
    audit_key,
    audit_prove,
    audit_refused,
    audit_verify,
    fhir,
    reconcile,
    settle_finding,
):
    audit.add_command(_command)


@audit.command("show")
@click.option("--last", is_flag=True, help="The last call.")
@click.option("--call", "call_id", type=click.UUID, help="A call by its identifier.")
@click.option("--sid", help="A call by the carrier's identifier.")
@click.option("--json", "as_json", is_flag=True, help="The records as they were written, one a line.")
@click.pass_obj
def audit_show(context: Context, last: bool, call_id: UUID | None, sid: str | None, as_json: bool) -> None:
    """Show the records of one call, in the order in which they were written."""
    if [last, call_id is not None, sid is not None].count(True) != 1:
        raise click.UsageError("say which call: --last, --call ID or --sid CA…")
    reading = run(_records(context.settings, call_id, sid))
    records = reading.records()
    if as_json:
        for record in records:
            click.echo(canonical(record.body).decode())
        return
    for record in records:
        click.echo(describe_record(record))
    for why, count in causes(reading.gone):
        click.echo(f"{count} records are erased, by record {why.record} of {why.at} ({why.cause})")
    click.echo(f"{len(records)} records, {len(disclosures(records))} disclosures decided; the chain of the call holds")


async def _records(settings: Settings, call_id: UUID | None, sid: str | None) -> Reading:
    async with open_data(settings) as data:
        async with data.database.house() as connection:
            found = await find_call(connection, id=call_id, sid=sid)
        if found is None and call_id is None and sid is None:
            raise NotFound("no call has come in yet: whoever calls a number of `callcenter practice list` makes one")
        if found is None:
            raise NotFound(f"no call is known as {call_id or sid}: `callcenter audit show --last` shows the last one")
        async with data.database.practice(found.practice_id) as tx:
            return await read_call(tx, found.id)
