"""``callcenter audit key``: by what the heads of a log are checked, to be kept outside."""

from __future__ import annotations

import click

from callcenter.audit.logs import HOUSE_ORIGIN, fingerprint, origin_of
from callcenter.audit.sealing_key import load_sealing_key
from callcenter.audit.verify import VerifierKey
from callcenter.cli.audit_logs import HOUSE, log_argument, log_called
from callcenter.cli.context import Context, run
from callcenter.installation import open_data, sealer_key_path
from callcenter.settings import Settings


@click.command("key")
@log_argument
@click.pass_obj
def audit_key(context: Context, log: str) -> None:
    """Show the key of a log, as « callcenter audit verify --trust » takes it, and its fingerprint to be read aloud.

    Give it to whoever verifies, once, by another way than exports: on paper, in person. The key that signs stays here.
    """
    key = run(_key(context.settings, log))
    click.echo(str(key))
    click.echo(f"# fingerprint, to be read aloud: {fingerprint(key)}")


async def _key(settings: Settings, called: str) -> VerifierKey:
    key = load_sealing_key(sealer_key_path(settings))
    if called == HOUSE:
        return key.verifier_key(HOUSE_ORIGIN)
    async with open_data(settings) as data, data.database.house() as connection:
        return key.verifier_key(origin_of(await log_called(connection, called)))
