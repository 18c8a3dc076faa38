"""Commands that run something: the server, the demo, the emulator alone, a telephone."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import click

from callcenter.cli.context import Context, run
from callcenter.kernel.errors import ConfigurationError, Problem
from callcenter.settings import Settings

# What these commands run is imported when they run: it is most of the house, and the others need not wait for it.


@click.command()
@click.option("--no-jobs", is_flag=True, help="Leave jobs (texts, upkeep, sealing) to another process.")
@click.pass_obj
def serve(context: Context, no_jobs: bool) -> None:
    """Serve calls: webhooks, health and metrics, jobs.

    Which configuration is served must be said, by --config or CALLCENTER_CONFIG; the demo's is never taken silently.
    """
    if not context.named:
        what = "no configuration is named, and a server does not take the demo's by itself"
        mend = "callcenter --config FILE serve, or set CALLCENTER_CONFIG; for the demo, make demo"
        raise ConfigurationError([Problem("--config", 0, what, mend)])
    run(_serve(context.settings, context.config, jobs=not no_jobs))


async def _serve(settings: Settings, config: Path, *, jobs: bool) -> None:
    from callcenter.app import run_server
    from callcenter.doctor import Surgery
    from callcenter.installation import reach_database, require_sealing

    stopped = _stop_signal()
    async with AsyncExitStack() as stack:
        addresses = await stack.enter_async_context(reach_database(settings))
        if jobs:
            require_sealing(addresses)
        server = run_server(settings, addresses, jobs=jobs, examine=Surgery(settings))
        running = await stack.enter_async_context(server)
        what = f"{settings.environment.value}, {config}"
        click.echo(f"webhooks {running.webhooks}   private {running.private}   ({what})   Ctrl-C ends")
        await stopped.wait()


def _stop_signal() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    return stopped


@click.group(invoke_without_command=True)
@click.option("--reset", is_flag=True, help="Forget the demo's data and keys, and end.")
@click.pass_context
def demo(context: click.Context, reset: bool) -> None:
    """Run everything on this machine: database, server, emulator, people who do not exist."""
    from callcenter.demo import forget_demo, run_demo
    from callcenter.doctor import Surgery

    if context.invoked_subcommand is not None:
        if reset:
            raise click.UsageError("--reset goes with no other command")
    elif reset:
        run(forget_demo(context.obj.settings))
        click.echo("the demo's data and keys are forgotten; make demo begins anew")
    else:
        run(run_demo(context.obj.settings, click.echo, Surgery(context.obj.settings)))


@demo.command("code")
@click.argument("login")
@click.pass_obj
def demo_code(context: Context, login: str) -> None:
    """The six digits with which LOGIN of the demo's staff signs in now. Refused outside the demo.

    A code opens once: for another sign-in within half a minute, wait for the next one.
    """
    from callcenter.demo_staff import code_of
    from callcenter.installation import keys_path
    from callcenter.kernel.clock import SystemClock
    from callcenter.kernel.randomness import SystemRandom
    from callcenter.store.keys import load_keys
    from callcenter.store.sealed import Sealer

    sealer = Sealer(load_keys(keys_path(context.settings)), SystemRandom())
    click.echo(code_of(context.settings, sealer, login, SystemClock().now()))


@demo.command("generate")
@click.option("--practices", type=int, default=10, show_default=True, help="How many practices.")
@click.option("--patients", type=int, default=4_000, show_default=True, help="How many patients in all.")
@click.option("--appointments", type=int, default=20_000, show_default=True, help="How many appointments in all.")
@click.option("--seed", type=int, default=19620314, show_default=True, help="Another one gives other people.")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), help="A folder; it is made.")
def demo_generate(practices: int, patients: int, appointments: int, seed: int, folder: Path) -> None:
    """Write practices that do not exist, to try a télésecrétariat's size: files to enrol and to import.

    Every telephone number lies in a range kept for fiction. The same seed gives the same people on the same day.
    """
    from callcenter.kernel.clock import SystemClock
    from callcenter.practice.invented_practices import FILES, PRACTICES, Amounts, write_invented

    amounts, today = Amounts(practices, patients, appointments), SystemClock().now().date()
    for written, _ in enumerate(write_invented(amounts, folder, seed, today), 1):
        if written % 100 == 0 or written == practices:
            click.echo(f"\r{written} / {practices}", nl=written == practices, err=True)
    click.echo(f"{practices:,} practices, {patients:,} patients, {appointments:,} appointments. To bring them in:")
    click.echo(f"  callcenter practice enrol {folder / PRACTICES} --organisation NAME")
    click.echo(f"  callcenter practice import --folder {folder / FILES}")


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8090, show_default=True, help="Port of the emulator on 127.0.0.1."
)
@click.pass_obj
def emulator(context: Context, port: int) -> None:
    """Run the carrier emulator alone, for a server that runs elsewhere on this machine."""
    from callcenter.demo import run_emulator

    run(run_emulator(context.settings, port, click.echo))


@click.command()
@click.option("--from", "caller", default="+33639980001", show_default=True, help="Calling number, or « anonymous ».")
@click.option("--to", "called", default="+33465710001", show_default=True, help="Number that is dialled.")
@click.option("--emulator", "base_url", help="Where the emulator is, if not where the configuration has the carrier.")
@click.option("--forwarded-from", help="Line that is dialled instead, and forwarded to that number.")
@click.option(
    "--script",
    type=click.Path(path_type=Path),
    help="Run a transcript (docs/transcripts.md) instead of your own fingers.",
)
@click.pass_obj
def phone(
    context: Context, caller: str, called: str, base_url: str | None, forwarded_from: str | None, script: Path | None
) -> None:
    """A telephone in the terminal. With --script: exit 0 as expected, 1 at the first difference, 2 could not run."""
    from callcenter.demo import emulator_address, run_transcript
    from callcenter.emulator.phone import interactive

    base_url = base_url or emulator_address(context.settings)
    if script is None:
        sys.exit(run(interactive(base_url, caller, called, forwarded_from=forwarded_from)))
    sys.exit(run(run_transcript(context.settings, script, base_url, click.echo)))
