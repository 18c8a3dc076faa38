"""``callcenter flows``: proving what callers meet."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from callcenter.cli.context import Context
from callcenter.cli.flow_versions import flows_publish, flows_use, flows_versions
from callcenter.flow.check import check, explain_step


@click.group()
def flows() -> None:
    """Flows: what callers meet."""


@flows.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--prompts", type=click.Path(path_type=Path), help="The prompts; by default those of the configuration.")
@click.option("--policy", type=click.Path(path_type=Path), help="The policy; by default that of the configuration.")
@click.pass_obj
def flows_check(context: Context, paths: tuple[Path, ...], prompts: Path | None, policy: Path | None) -> None:
    """Prove flows: 0 proven, 1 refuted or refused, 2 could not check."""
    chosen = context.settings.flows
    report = check(paths or (chosen.folder,), book_path=prompts or chosen.prompts, policy_path=policy or chosen.policy)
    click.echo(report.text, nl=False)
    sys.exit(report.exit_code)


@flows.command("explain")
@click.argument("flow", type=click.Path(path_type=Path))
@click.argument("step")
@click.option("--prompts", type=click.Path(path_type=Path), help="The prompts; by default those of the configuration.")
@click.option("--policy", type=click.Path(path_type=Path), help="The policy; by default that of the configuration.")
@click.pass_obj
def flows_explain(context: Context, flow: Path, step: str, prompts: Path | None, policy: Path | None) -> None:
    """Say why a step may tell what it tells.

    FLOW is a file, STEP one of its steps. 0: it is safe, and why; 1: it is not, with the shortest way that shows it; 2:
    there is no such flow or step.
    """
    chosen = context.settings.flows
    report = explain_step(flow, step, book_path=prompts or chosen.prompts, policy_path=policy or chosen.policy)
    click.echo(report.text, nl=False)
    sys.exit(report.exit_code)


for command in (flows_publish, flows_versions, flows_use):
    flows.add_command(command)
