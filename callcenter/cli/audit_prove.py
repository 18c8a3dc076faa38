"""``callcenter audit prove``: that one record is in its log, for somebody who is to see no other."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

from callcenter.audit.export import one_moment
from callcenter.audit.logs import origin_of
from callcenter.audit.proof import Proof
from callcenter.audit.proving import log_of, prove
from callcenter.cli.context import Context, by_option, run
from callcenter.cli.whole_file import whole_file
from callcenter.installation import open_data
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.everywhere import all_practices
from callcenter.settings import Settings
from callcenter.staff.ledger_acts import LedgerActs


@click.command("prove")
@click.argument("record", type=click.UUID)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Such as record.tlog-proof.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@by_option
@click.pass_obj
def audit_prove(context: Context, record: UUID, output: Path, force: bool, by: str) -> None:
    """Write the proof that RECORD is in its log: its bytes, its place, the way to a signed head.

    « callcenter audit verify » takes the file. That it is made is on record.
    """
    with whole_file(output, replace=force) as file:
        origin, proof = run(_prove(context.settings, record, by))
        file.write(proof.text().encode())
    click.echo(f"record {proof.index} of {origin} is in {output}")


async def _prove(settings: Settings, record: UUID, by: str) -> tuple[str, Proof]:
    async with open_data(settings) as data:
        practices = await all_practices(data.database)
        async with data.database.house() as connection:
            log = await log_of(connection, practices, record)
        async with one_moment(data.database, log) as tx:
            proof = await prove(tx, record)
        await LedgerActs(data.database, SystemClock(), SystemRandom(), by).proven(log, record)
    return origin_of(log), proof
