"""``callcenter audit key``: by what the heads of a log are checked, to be kept outside; and its change for another."""

from __future__ import annotations

import click

from callcenter.audit.logs import HOUSE_ORIGIN, fingerprint, origin_of
from callcenter.audit.sealing_key import load_sealing_key
from callcenter.audit.signing import SealingKey
from callcenter.audit.verify import VerifierKey
from callcenter.cli.audit_key_change import key_retire, key_rotate, key_stolen
from callcenter.cli.audit_logs import HOUSE, log_argument, log_called
from callcenter.cli.context import Context, run
from callcenter.installation import open_data, sealer_key_path
from callcenter.settings import Settings


class _OrOfALog(click.Group):
    """A group of which « show » need not be said."""

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(context, args)

    def format_usage(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(context.command_path, "[OPTIONS] PRACTICE|house or COMMAND [ARGS]...")


@click.group("key", cls=_OrOfALog)
def audit_key() -> None:
    """The key of a log, shown to be given to whoever verifies, and changed for another.

    « callcenter audit key PRACTICE » is « callcenter audit key show PRACTICE ».
    """


audit_key.add_command(key_rotate)
audit_key.add_command(key_retire)
audit_key.add_command(key_stolen)


@audit_key.command("show")
@log_argument
@click.pass_obj
def key_show(context: Context, log: str) -> None:
    """Show the key of a log, as « callcenter audit verify --trust » takes it, and its fingerprint to be read aloud.

    Give it to whoever verifies, once, by another way than exports: on paper, in person. The key that signs stays here.
    While the key is changed for another both are shown; of one that was stolen, the next alone.
    """
    key, origin = run(_key(context.settings, log))
    if not key.stolen:
        _show(key.verifier_key(origin))
    following = key.next_key(origin)
    if following is not None:
        click.echo("# the next key, which signs beside the one so far and is to be trusted from now on:")
        _show(following)


def _show(key: VerifierKey) -> None:
    click.echo(str(key))
    click.echo(f"# fingerprint, to be read aloud: {fingerprint(key)}")


async def _key(settings: Settings, called: str) -> tuple[SealingKey, str]:
    key = load_sealing_key(sealer_key_path(settings))
    if called == HOUSE:
        return key, HOUSE_ORIGIN
    async with open_data(settings) as data, data.database.house() as connection:
        return key, origin_of(await log_called(connection, called))
