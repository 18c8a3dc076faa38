"""Commands that run something: the server, the demo, the emulator alone, a telephone."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import click

from callcenter.cli.context import Context, run
from callcenter.kernel.errors import ConfigurationError, Problem
from callcenter.settings import Settings

# What these commands run is imported when they run: it is most of the house, and the others need not wait for it.


@click.command()
@click.option("--no-jobs", is_flag=True, help="Leave jobs (text messages, upkeep) to another process.")
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
    from callcenter.installation import reach_database

    stopped = _stop_signal()
    async with reach_database(settings) as addresses, run_server(settings, addresses, jobs=jobs) as running:
        what = f"{settings.environment.value}, {config}"
        click.echo(f"webhooks {running.webhooks}   private {running.private}   ({what})   Ctrl-C ends")
        await stopped.wait()


def _stop_signal() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    return stopped


@click.command()
@click.option("--reset", is_flag=True, help="Forget the demo's data and keys, and end.")
@click.pass_obj
def demo(context: Context, reset: bool) -> None:
    """Run everything on this machine: database, server, emulator, people who do not exist."""
    from callcenter.demo import forget_demo, run_demo

    if reset:
        run(forget_demo(context.settings))
        click.echo("the demo's data and keys are forgotten; make demo begins anew")
    else:
        run(run_demo(context.settings, click.echo))


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
@click.option(
    "--emulator", "base_url", default="http://127.0.0.1:8090", show_default=True, help="Where the emulator is."
)
@click.option("--forwarded-from", help="Line that is dialled instead, and forwarded to that number.")
@click.option(
    "--script",
    type=click.Path(path_type=Path),
    help="Run a transcript (docs/transcripts.md) instead of your own fingers.",
)
@click.pass_obj
def phone(
    context: Context, caller: str, called: str, base_url: str, forwarded_from: str | None, script: Path | None
) -> None:
    """A telephone in the terminal. With --script: exit 0 as expected, 1 at the first difference, 2 could not run."""
    from callcenter.demo import run_transcript
    from callcenter.emulator.phone import interactive

    if script is None:
        sys.exit(run(interactive(base_url, caller, called, forwarded_from=forwarded_from)))
    sys.exit(run(run_transcript(context.settings, script, base_url, click.echo)))
