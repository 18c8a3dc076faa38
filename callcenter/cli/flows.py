"""``callcenter flows``: proving what callers meet."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from callcenter.cli.context import Context
from callcenter.cli.flow_versions import flows_publish, flows_use, flows_versions
from callcenter.flow.check import Verdict, check, explain_step
from callcenter.flow.drawing import CannotWrite, draw_file, write_picture


@click.group()
def flows() -> None:
    """Flows: what callers meet."""


@flows.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--prompts", type=click.Path(path_type=Path), help="The prompts; by default those of the configuration.")
@click.option("--policy", type=click.Path(path_type=Path), help="The policy; by default that of the configuration.")
@click.option("--all", "whole", is_flag=True, help="Show every refuted step, those of one cause too.")
@click.pass_obj
def flows_check(
    context: Context, paths: tuple[Path, ...], prompts: Path | None, policy: Path | None, whole: bool
) -> None:
    """Prove flows: 0 proven, 1 refuted or refused, 2 could not check."""
    chosen = context.settings.flows
    grounds = {"book_path": prompts or chosen.prompts, "policy_path": policy or chosen.policy}
    report = check(paths or (chosen.folder,), **grounds, whole=whole)
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

    FLOW is a file, or the name of a flow of the configuration; STEP one of its steps. 0: it is safe, and why; 1: it is
    not, with the shortest way that shows it, or the flow is refused; 2: there is no such flow or step, or prompts or
    policy cannot be read.
    """
    chosen = context.settings.flows
    report = explain_step(
        _file_of(flow, chosen.folder), step, book_path=prompts or chosen.prompts, policy_path=policy or chosen.policy
    )
    click.echo(report.text, nl=False)
    sys.exit(report.exit_code)


def _file_of(flow: Path, folder: Path) -> Path:
    """The file of a flow that is named by its path, or by its name alone."""
    named = folder / f"{flow}.yaml"
    return named if not flow.exists() and flow.name == str(flow) and named.is_file() else flow


@flows.command("draw")
@click.argument("flow", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="The picture, as SVG; - for the terminal."
)
@click.option("--prompts", type=click.Path(path_type=Path), help="The prompts; by default those of the configuration.")
@click.option("--policy", type=click.Path(path_type=Path), help="The policy; by default that of the configuration.")
@click.pass_obj
def flows_draw(context: Context, flow: Path, output: Path, prompts: Path | None, policy: Path | None) -> None:
    """Draw FLOW, a file or the name of a flow of the configuration, and say the verdict.

    In the picture: where callers are verified, and what each region may say. A refuted flow is drawn with the shortest
    way that refutes it; one that cannot be read is not. 0 proven, 1 refuted or refused, 2 could not draw.
    """
    chosen = context.settings.flows
    drawing = draw_file(
        _file_of(flow, chosen.folder), book_path=prompts or chosen.prompts, policy_path=policy or chosen.policy
    )
    to_terminal = str(output) == "-"
    if drawing.picture is not None:
        try:
            if to_terminal:
                click.echo(drawing.picture, nl=False)
            else:
                write_picture(drawing.picture, output)
        except CannotWrite as error:
            click.echo(f"{error.problem}", err=True)
            sys.exit(int(Verdict.UNCHECKED))
    click.echo(drawing.text, nl=False, err=to_terminal)
    sys.exit(int(drawing.verdict))


for command in (flows_publish, flows_versions, flows_use):
    flows.add_command(command)
