"""``callcenter staff queue``: whom an organisation's calls are offered to first, and how long one may wrap up."""

from __future__ import annotations

from dataclasses import replace

import click

from callcenter.cli.context import Context, by_option, run
from callcenter.cli.staff_room import staff_room
from callcenter.routing.rules import LONGEST_WRAP_UP_SECONDS, Rule, choose_rule, rule_of, rule_to_change
from callcenter.routing.values import Strategy
from callcenter.settings import Settings
from callcenter.staff.records import Act, Actor

_FIRST = {
    Strategy.LONGEST_IDLE: "to whoever has been free for longest",
    Strategy.ROUND_ROBIN: "in turn",
    Strategy.FEWEST_CALLS: "to whoever has had the fewest today",
}


@click.command("queue")
@click.argument("organisation")
@click.option("--offers", type=click.Choice([one.value for one in Strategy]), help="To whom a call is offered first.")
@click.option(
    "--wrap-up",
    type=click.IntRange(0, LONGEST_WRAP_UP_SECONDS),
    metavar="SECONDS",
    help="After which wrapping up a call ends by itself; 0 for none.",
)
@by_option
@click.pass_obj
def staff_queue(context: Context, organisation: str, offers: str | None, wrap_up: int | None, by: str) -> None:
    """Say how the queue of ORGANISATION offers its calls, or choose it: the next call goes by it."""
    strategy = None if offers is None else Strategy(offers)
    rule = run(_queue(context.settings, organisation, strategy, wrap_up, Actor.command(by)))
    ends = f"wrapping up ends after {rule.wrap_up_seconds} s" if rule.wrap_up_seconds else "nobody wraps up"
    click.echo(f"{organisation}: calls are offered {_FIRST[rule.strategy]}; {ends}")


async def _queue(
    settings: Settings, organisation: str, strategy: Strategy | None, wrap_up: int | None, by: Actor
) -> Rule:
    """What holds from now on; what is not chosen stays as it is."""
    async with staff_room(settings) as room:
        house = room.portfolios
        whose = await house.organisation(organisation)
        async with house.database.house() as connection:
            if strategy is None and wrap_up is None:
                return await rule_of(connection, whose)
            before = await rule_to_change(connection, whose)
            chosen = replace(
                before,
                strategy=strategy or before.strategy,
                wrap_up_seconds=before.wrap_up_seconds if wrap_up is None else wrap_up,
            )
            if chosen != before:
                await choose_rule(connection, whose, chosen)
                content = {"offers": chosen.strategy.value, "wrap_up_seconds": chosen.wrap_up_seconds}
                await house.log.note(connection, Act.QUEUE_RULE_CHOSEN, by, None, {**content, "refs": []}, stream=whose)
    return chosen
