"""``callcenter audit erase``: records that somebody has ordered to be erased before their time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import click

from callcenter.app.erasing import rules_of
from callcenter.audit.cosigning import Witness, load_witness
from callcenter.audit.erasing import Candidate, Plan, candidates_about, candidates_named, erases, refused_about
from callcenter.audit.ledger import EventKind, Value
from callcenter.audit.letting_go import MOST_NAMED, REASONS, REQUEST, Rules
from callcenter.audit.logs import origin_of
from callcenter.audit.orders import sign_order
from callcenter.audit.retention import CLASS_OF
from callcenter.cli.audit_logs import log_argument, log_called
from callcenter.cli.context import Context, by_option, run
from callcenter.installation import open_data
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError, NotFound
from callcenter.kernel.randomness import SystemRandom
from callcenter.reports.extracts import subject_of
from callcenter.settings import Settings
from callcenter.staff.ledger_acts import actor_in, put_on_record
from callcenter.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be erased, and on whose word.

    Arguments:
        extract: of whose person everything is; or ``records``: these.
        reason: key of ``REASONS``.
        whole: what is kept as proof goes too.
        by: who types it.
    """

    extract: UUID | None
    records: Sequence[UUID]
    reason: str
    whole: bool
    by: str


@click.command("erase")
@log_argument
@click.option(
    "--extract",
    type=click.UUID,
    help="All about the person of this extract request, whose identity was checked for it.",
)
@click.option("--record", "records", type=click.UUID, multiple=True, help="A record, as `audit show --json` names it.")
@click.option(
    "--reason",
    required=True,
    type=click.Choice(list(REASONS)),
    help="; ".join(f"{key}: {words}" for key, words in REASONS.items()) + ".",
)
@click.option(
    "--key",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The personal key of who orders it, listed in ledger.erasure_keys.",
)
@click.option(
    "--also-disclosures",
    "whole",
    is_flag=True,
    help="What proves disclosures and choices goes too, though its time is not over. Not for article_17.",
)
@by_option
@click.option("--yes", is_flag=True, help="Do it. Without it, what would be erased is shown.")
@click.pass_obj
def audit_erase(
    context: Context,
    log: str,
    extract: UUID | None,
    records: tuple[UUID, ...],
    reason: str,
    key: Path,
    whole: bool,
    by: str,
    yes: bool,
) -> None:
    """Order that records of a log are erased before their time, with a key of one's own (`audit cosign new-key`).

    The order goes on record, and the sealer judges it: by its key, its reason, and what it names. What it seals is
    erased in the night after the next day, and for good. What proves disclosures stays as long as its term runs
    (RGPD 17.3), unless a court has ordered otherwise, or it was wrongly recorded. A person of whom nothing is left is
    unlinked.
    """
    if (extract is None) == (not records):
        raise click.UsageError("say what: --extract ID or --record ID")
    if whole and reason == "article_17":
        raise click.UsageError(
            "a person's wish does not reach what proves disclosures (RGPD 17.3): leave the flag away"
        )
    rules, witness = rules_of(context.settings), load_witness(key)
    if witness.key not in rules.keys:
        raise CallcenterError(
            f"{witness.name} may order no erasure: the line « {witness.key} » is not in ledger.erasure_keys. Set it, "
            "and start the server that seals anew, before you order: it would refuse"
        )
    wanted = Wanted(extract, records, reason, whole, by)
    for line in run(_erase(context.settings, log, wanted, rules, witness, yes=yes)):
        click.echo(line)


async def _erase(
    settings: Settings, called: str, wanted: Wanted, rules: Rules, witness: Witness, *, yes: bool
) -> list[str]:
    clock, random = SystemClock(), SystemRandom()
    async with open_data(settings) as data:
        async with data.database.house() as connection:
            log = await log_called(connection, called)
        async with data.database.practice(log) as tx:
            found, refused = await _found(tx, wanted)
            plan = Plan.of(found, rules.terms, clock.now(), whole=wanted.whole)
            lines = [*_told(plan), *_out_of_reach(refused)]
            if not yes or not plan.goes:
                return [*lines, "nothing was done" + ("" if yes or not plan.goes else ": say --yes")]
            at = int(clock.now().timestamp())
            by = actor_in(log, wanted.by)
            for content, leaves in _orders(plan, wanted):
                signed = {**content, "order": sign_order(witness, origin_of(log), content, leaves, at)}
                await put_on_record(tx, EventKind.ERASURE, signed, by, clock, random)
    return [*lines, f"ordered by {witness.name}; erased in the night after the next day, once it is sealed"]


async def _found(tx: Transaction, wanted: Wanted) -> tuple[list[Candidate], int]:
    """What is wanted, or all that is about the person who is; and how many refused records name them."""
    if wanted.extract is None:
        return await candidates_named(tx, wanted.records), 0
    subject = await subject_of(tx, wanted.extract)
    if subject is None:
        raise NotFound(
            f"no extract {wanted.extract} of this practice names a person in the ledger: it was declined, it is too "
            "old, or nothing is on record of them"
        )
    return await candidates_about(tx, subject), await refused_about(tx, subject)


def _orders(plan: Plan, wanted: Wanted) -> Iterator[tuple[dict[str, Value], list[tuple[int, bytes]]]]:
    """What the erasures say, and the leaves that each is about. None names the request of an extract: in a record that
    is never erased, it would say for ever who it was about."""
    leaves = sorted((one.index, one.leaf) for one in plan.goes if one.index is not None)
    for start in range(0, len(leaves), MOST_NAMED):
        these = leaves[start : start + MOST_NAMED]
        content: dict[str, Value] = {
            "cause": REQUEST,
            "reason": wanted.reason,
            "disclosures": wanted.whole,
            "erases": erases([index for index, _ in these]),
        }
        yield content, these


def _told(plan: Plan) -> Iterator[str]:
    """The plan, for whoever is to say yes."""
    yield f"to be erased: {_counted(plan.goes)}"
    yield f"kept by law until their time is over: {_counted(plan.kept)}"
    for by, waits in dict.fromkeys((one.by, one.waits) for one in plan.named):
        these = [one for one in plan.named if one.by == by]
        how = "ordered, and not sealed yet (look again in a minute)" if waits else "already ordered"
        yield f"{how}: {_counted(these)}, by record {by}"
    if plan.unsealed:
        yield f"not sealed yet: {len(plan.unsealed)}; order them again in a minute"


def _out_of_reach(refused: int) -> Iterator[str]:
    """What stays, with a token that is nobody's once all the rest is gone (docs/decisions/0072)."""
    if refused:
        yield f"refused by the sealer, in no tree, and reached by no order: {refused} (`callcenter audit refused`)"


def _counted(records: Sequence[Candidate]) -> str:
    """How many they are, and of which classes."""
    classes = Counter(str(CLASS_OF.get(str(one.said.get("event")), "unknown")) for one in records)
    of = ", ".join(f"{many} {name}" for name, many in sorted(classes.items()))
    return str(len(records)) + (f" ({of})" if of else "")
