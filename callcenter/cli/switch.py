"""``callcenter switch``: sending calls to the practices' own lines at once. Needs no database."""

from __future__ import annotations

import click

from callcenter.cli.context import Context, by_option
from callcenter.installation import switch_path
from callcenter.telephony.switch import RescueSwitch, Switched


@click.group()
def switch() -> None:
    """Switches for the moment when something is wrong."""


@switch.command()
@click.argument("position", type=click.Choice(["on", "off", "show"]))
@click.option("--all", "everybody", is_flag=True, help="Every practice's calls.")
@click.option("--practice", "slugs", multiple=True, metavar="SLUG", help="Calls of this practice; may be repeated.")
@by_option
@click.pass_obj
def rescue(context: Context, position: str, everybody: bool, slugs: tuple[str, ...], by: str) -> None:
    """Send calls to the practices' rescue numbers, from their next webhook on; calls in progress too.

    The database is not asked, for it may be what is wrong: a short name is taken as it is written. Run it on every
    host that serves calls.
    """
    turned = RescueSwitch(switch_path(context.settings))
    standing = turned.now()
    if position != "show":
        if everybody == bool(slugs):
            raise click.UsageError("say whose calls: --all, or --practice SLUG")
        standing = _turned(standing, position, everybody, slugs, by)
        turned.turn(standing)
    for line in _lines(standing):
        click.echo(line)


def _turned(standing: Switched, position: str, everybody: bool, slugs: tuple[str, ...], by: str) -> Switched:
    if everybody:  # what was switched for one practice stands until it is switched back for that one
        return Switched(everybody=position == "on", practices=standing.practices, by=by)
    if position == "on":
        return standing.with_practices(slugs, by)
    return standing.without_practices(slugs, by)


def _lines(standing: Switched) -> list[str]:
    if not standing.readable:
        return ["the switch's file cannot be read, so it is on for everybody: turn it on or off again"]
    by = f" (by {standing.by})" if standing.by else ""
    single = ", ".join(sorted(standing.practices))
    if standing.everybody:
        lines = [f"rescue is ON for every practice{by}: all calls go to the practices' own lines"]
        return [*lines, f"and stays on for {single} when it is turned off with --all"] if single else lines
    if single:
        off = "turn it off with --practice SLUG"
        return [f"rescue is ON for {single}{by}, until you {off}; the others are served"]
    return [f"rescue is off{by}: calls are served"]
