"""What stays on an operator's screen, and what is on record of a value that leaves it before its time: for how long it
could be seen.

What stays for all of its time leaves no second record: the disclosure says how long that was at most.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil

from callcenter.audit.ledger import Entry, EventKind, Value
from callcenter.calls.script_values import Operator, ShownField


def seen_next(stands: Iterable[ShownField], let_out: Iterable[ShownField]) -> tuple[ShownField, ...]:
    """What can be seen after an answer.

    Arguments:
        stands: what may go on being seen.
        let_out: by the answer. A field that is shown anew stands once, by its new record.
    """
    fresh = tuple(let_out)
    anew = {one.path for one in fresh}
    return (*(one for one in stands if one.path not in anew), *fresh)


def hidden_early(
    operator: Operator, before: Iterable[ShownField], after: Iterable[ShownField], now: datetime, life: timedelta
) -> list[Entry]:
    """Records of what stood on the screen, and does no more though its time is not over.

    Arguments:
        operator: before whose eyes it stood.
        before, after: what could be seen until ``now``, and what can be from then on. A field that is shown anew is not
            hidden: it has another record.
        life: for how long a field stands.
    """
    stay = {one.path for one in after}
    gone = (one for one in before if one.path not in stay and now < one.until)
    return [Entry(EventKind.HIDDEN, operator.actor, None, _content(one, now, life)) for one in gone]


def _content(field: ShownField, now: datetime, life: timedelta) -> dict[str, Value]:
    # Rounded up, as « at most » has it; of a life that was set anew meanwhile no negative time is told.
    seen = now - (field.until - life)
    seconds = max(0, ceil(seen.total_seconds()))
    return {"of": str(field.record), "categories": [field.category.value], "seconds": seconds}
