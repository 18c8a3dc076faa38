"""The opposite of each thing that a transcript expects: what a runner that looks would report."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from callcenter.emulator.steps import (
    CALLER,
    Action,
    Answers,
    Calls,
    ContinuesOn,
    Ends,
    HangsUp,
    Hears,
    HearsNot,
    HearsWhom,
    Held,
    LedgerRow,
    Mails,
    NoMails,
    NoRings,
    NoTexts,
    Operates,
    Presses,
    Rejects,
    Rings,
    Says,
    SendsText,
    Step,
    Texts,
    Waits,
)

ANYTHING = re.compile("")


def negated(step: Step) -> Iterator[Step]:
    """The opposites of a step; none for one that expects nothing. All but that of ``answers`` leave the call as it is,
    so that it may go on behind them."""
    return (replace(step, action=opposite) for opposite in _opposites(step.action))


def _opposites(action: Action) -> Iterator[Action]:
    match action:
        case Hears(pattern):
            yield HearsNot(pattern)
        case HearsNot(pattern):
            yield Hears(pattern)
        case Operates(login, pattern, absent) if pattern is not None:
            yield Operates(login, pattern, not absent)
        case Texts(to):
            yield NoTexts(to)
        case NoTexts(to):
            yield Texts(to, ANYTHING, None)
        case Mails(to):
            yield NoMails(to)
        case NoMails(to):
            yield Mails(to, ANYTHING, None)
        case Rings(on):
            yield NoRings(on)
        case NoRings(on):
            yield Rings(on)
        case Answers(pattern=pattern):
            yield Answers("+33199009999", None, None, None)
            if pattern is not None:
                yield replace(action, pattern=re.compile(f"(?s)\\A(?!.*{pattern.pattern})", pattern.flags), keys=None)
        case HearsWhom(names):
            yield HearsWhom(frozenset() if names else frozenset({CALLER}))
        case Held(held):
            yield Held(not held)
        case Rejects():
            yield Rejects("+33199009999", "busy")
        case Ends():
            yield Waits(1)  # nobody can wait on a call that has ended
        case HangsUp(None):
            yield Ends()  # a caller who hangs up leaves a call that goes on
        case Presses() | Says() | Calls() | SendsText() | Waits() | ContinuesOn() | HangsUp():
            return


def negated_ledgers(rows: Sequence[LedgerRow]) -> Iterator[tuple[str, tuple[LedgerRow, ...]]]:
    """Ledgers that are not the one expected, with what is wrong: a value, a record more or less, their order."""
    rows = tuple(rows)
    for at, row in enumerate(rows):
        for number, (name, value) in enumerate(row.fields):
            fields = (*row.fields[:number], (name, _other_than(value)), *row.fields[number + 1 :])
            yield f"record {at + 1}: another {name}", (*rows[:at], replace(row, fields=fields), *rows[at + 1 :])
        unknown = replace(row, fields=(*row.fields, ("redelivered", 1)))
        yield f"record {at + 1}: a field that it has not", (*rows[:at], unknown, *rows[at + 1 :])
        yield f"record {at + 1} left out", rows[:at] + rows[at + 1 :]
        yield f"record {at + 1} twice", (*rows[: at + 1], row, *rows[at + 1 :])
        if at and row.fields != rows[at - 1].fields:
            yield f"records {at} and {at + 1} in the other order", (*rows[: at - 1], row, rows[at - 1], *rows[at + 1 :])
    if not rows:
        yield "a record where there is none", (LedgerRow(0, (("decision", "granted"),)),)


def _other_than(value: object) -> object:
    match value:
        case list():
            return value[:-1]
        case int():
            return value + 1
        case _:
            return f"not {value}"
