"""``callcenter audit continuation``: that a log continues a head, for somebody who is to see no record of it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from callcenter.audit.continuation import Continuation, Continued, NotHeld, held_head
from callcenter.audit.export import one_moment
from callcenter.audit.logs import origin_of
from callcenter.audit.proof import NoKey
from callcenter.audit.proving import continuation
from callcenter.audit.sealing_key import load_sealing_key
from callcenter.audit.verify import Malformed, Unproven, Unsigned
from callcenter.cli.audit_logs import log_argument, log_called
from callcenter.cli.audit_verify import CHANGED
from callcenter.cli.context import Context, by_option, run
from callcenter.cli.whole_file import whole_file
from callcenter.installation import open_data, sealer_key_path
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError, IntegrityError
from callcenter.kernel.randomness import SystemRandom
from callcenter.settings import Settings
from callcenter.staff.ledger_acts import LedgerActs

#: As a record calls what leaves so.
HELD = "continuation"


@click.command("continuation")
@log_argument
@click.option(
    "--since",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The head that is held, such as what a cosigner has sent back.",
)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Such as practice.continuation.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@by_option
@click.pass_obj
def audit_continuation(context: Context, log: str, since: Path, output: Path, force: bool, by: str) -> None:
    """Write what shows that a log continues the head in the file SINCE: some hashes, and its last signed head.

    No record is in it. « callcenter audit verify » and « audit cosign sign » take the file, and so does any witness
    that speaks C2SP tlog-witness. Exit 1: the log does not continue that head, and nothing is written.
    """
    try:
        held = since.read_bytes().decode("utf-8").replace("\r\n", "\n")
    except (OSError, ValueError) as error:
        raise CallcenterError(f"{since} is not the head of a log: {error}") from error
    if output.exists() and output.samefile(since):
        raise CallcenterError(f"{output} is the head that is held, which would be lost: name another file")
    try:
        with whole_file(output, replace=force) as file:
            shown, found = run(_continue(context.settings, log, held, by))
            file.write(shown.text().encode())
    except NotHeld as error:
        raise CallcenterError(f"{since} is not the head of that log: {error}") from error
    except Unsigned as error:
        raise CallcenterError(f"{error}. {CHANGED}") from error
    except (IntegrityError, NoKey, Malformed, Unproven) as error:
        click.echo(f"NOT CONTINUED: {error}")
        click.echo("To do: keep that head and the database as they are, and look at an export of the whole log.")
        sys.exit(1)
    click.echo(f"{found.head.origin}: from {found.held.size} records to {found.head.size} in {output}")


async def _continue(settings: Settings, called: str, held: str, by: str) -> tuple[Continuation, Continued]:
    signing = load_sealing_key(sealer_key_path(settings))
    async with open_data(settings) as data:
        async with data.database.house() as connection:
            log = await log_called(connection, called)
        keys = signing.every_key(origin_of(log))
        head, _ = held_head(held, keys, origin_of(log))  # before the database is asked: what is not ours proves nothing
        async with one_moment(data.database, log) as tx:
            shown = await continuation(tx, head.size)
        found = shown.check(keys, held)
        await LedgerActs(data.database, SystemClock(), SystemRandom(), by).head_taken(log, found.head.size, HELD)
    return shown, found
