"""What became of the calls that were presented, counted from what has happened in queues; and how queues stand now.

The standard definitions of contact centres, each in one place. A call belongs to the span in which it entered the queue
(« one interval boundary rule: by offer »). Counts of several practices are added, and rates are made of the sums:
percentages are never averaged. Spans are between moments, so that no change of the clock makes an hour of none or two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.routing.values import PresenceState
from callcenter.staff.values import HOUSE_TIMEZONE, day_of

#: Whom a page names at most; of the others it says how many they are.
MOST_OPERATORS = 200


@dataclass(frozen=True, slots=True)
class Marks:
    """By what calls are counted.

    Arguments:
        short: whoever hangs up sooner has abandoned shortly.
        within: whoever is answered by then was answered in time (the Y of « X/Y »).
        late: a callback is overdue that long after it could have been made.
    """

    short: timedelta
    within: timedelta
    late: timedelta


@dataclass(frozen=True, slots=True)
class Span:
    """What became of the calls that entered the queue in a span of time.

    Arguments:
        offered: calls that entered (« appels présentés »), each caller once: not again when we have rung them back.
        answered: of them, those who came to an operator while they waited on the line.
        within: of those, in time.
        abandoned: of ``offered``, who hung up on the line; short ones included.
        short: of those, the short ones.
        callbacks: of ``offered``, who asked to be rung back: not abandoned, and not answered on the line.
        elsewhere: of ``offered``, who left a message, or were led on because nobody was there or it took too long.
        waited: sum of the waits of ``answered``.
        longest: of all waits that are over.
        half, most: within which half, and nine of ten, of the answered came to an operator; ``None`` without any.
    """

    offered: int = 0
    answered: int = 0
    within: int = 0
    abandoned: int = 0
    short: int = 0
    callbacks: int = 0
    elsewhere: int = 0
    waited: timedelta = timedelta()
    longest: timedelta | None = None
    half: timedelta | None = None
    most: timedelta | None = None

    @property
    def waiting(self) -> int:
        """Of ``offered``, who wait still."""
        return self.offered - self.answered - self.abandoned - self.callbacks - self.elsewhere

    @property
    def decided(self) -> int:
        """Of ``offered``, those of whom it is known what became: a rate is made of no call that still rings."""
        return self.offered - self.waiting

    @property
    def service_level(self) -> float | None:
        """« Qualité de service »: in time / (decided - short abandons), from 0 to 1."""
        return _rate(self.within, self.decided - self.short)

    @property
    def answer_rate(self) -> float | None:
        """« Taux de décroché »: answered / decided."""
        return _rate(self.answered, self.decided)

    @property
    def abandonment_rate(self) -> float | None:
        """« Taux d'abandon »: abandoned / decided."""
        return _rate(self.abandoned, self.decided)

    @property
    def speed_of_answer(self) -> timedelta | None:
        """« Délai moyen de décroché » (ASA): waits of the answered / answered."""
        return self.waited / self.answered if self.answered else None


@dataclass(frozen=True, slots=True)
class Queued:
    """How a queue stands.

    Arguments:
        waiting: on the line, taken by nobody yet.
        since: when the first of them came.
        callbacks: callers who are to be rung back.
        overdue: of them, who should have been by now.
    """

    waiting: int = 0
    since: datetime | None = None
    callbacks: int = 0
    overdue: int = 0


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue, or all: how it stands, and what became of the calls of the day and of the last hour."""

    now: Queued = field(default_factory=Queued)
    day: Span = field(default_factory=Span)
    hour: Span = field(default_factory=Span)


@dataclass(frozen=True, slots=True)
class There:
    """An operator who is there, and what they do: nothing of how long, how often or how well (LG-05)."""

    name: str
    state: PresenceState


@dataclass(frozen=True, slots=True)
class Statistics:
    """Several practices at one moment.

    Arguments:
        total: of all, and counted over all.
        practices: of each at which something has happened or somebody waits.
    """

    total: Queue
    practices: Mapping[UUID, Queue]


async def statistics(
    connection: AsyncConnection,
    organisation: UUID,
    practices: Sequence[UUID],
    now: datetime,
    marks: Marks,
) -> Statistics:
    """How the queues of ``practices`` of ``organisation`` stand at ``now`` (aware). Two statements."""
    values = {
        "organisation": organisation,
        "practices": list(practices),
        "now": now,
        "day": day_began(now),
        "hour": now - timedelta(hours=1),
        "late": now - marks.late,
        "short": marks.short // _MILLISECOND,
        "within": marks.within // _MILLISECOND,
    }
    spans = {(row.practice_id, row.span): _span(row) for row in await connection.execute(_SPANS, values)}
    queued = {row.practice_id: _queued(row) for row in await connection.execute(_QUEUED, values)}
    known = {practice for practice, _ in spans} | queued.keys()
    found = {
        practice: Queue(
            queued.get(practice, Queued()), spans.get((practice, "day"), Span()), spans.get((practice, "hour"), Span())
        )
        for practice in known
    }
    total = found.pop(None, Queue())
    return Statistics(total, found)


async def who_is_there(connection: AsyncConnection, organisation: UUID, practices: Sequence[UUID]) -> Sequence[There]:
    """Who answers for one of ``practices`` and is there, by name: the first of them."""
    values = {"organisation": organisation, "practices": list(practices), "most": MOST_OPERATORS}
    rows = (await connection.execute(_THERE, values)).all()
    return [There(row.display_name, PresenceState(row.state)) for row in rows]


def day_began(now: datetime) -> datetime:
    """When the day began that ``now`` (aware) is of, where the house stands. Days have 23 to 25 hours."""
    return datetime.combine(day_of(now), time(), tzinfo=HOUSE_TIMEZONE)


_MILLISECOND = timedelta(milliseconds=1)


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole > 0 else None


def _wait(milliseconds: float | None) -> timedelta | None:
    return None if milliseconds is None else timedelta(milliseconds=float(milliseconds))


def _span(row: Row[Any]) -> Span:
    return Span(
        row.offered,
        row.answered,
        row.within,
        row.abandoned,
        row.short,
        row.callbacks,
        row.elsewhere,
        timedelta(milliseconds=int(row.waited)),
        _wait(row.longest),
        _wait(row.half),
        _wait(row.most),
    )


def _queued(row: Row[Any]) -> Queued:
    return Queued(row.waiting, row.since, row.callbacks, row.overdue)


# What first decided a stay is what became of it: before a call enters again it has left, which is written down too.
_SPANS = text(
    """
    WITH stay AS (
        SELECT v.practice_id, v.at, o.kind, o.detail, o.waited
        FROM routing_event v LEFT JOIN LATERAL (
            SELECT e.kind, e.detail, e.waited FROM routing_event e
            WHERE e.call_id = v.call_id AND e.number > v.number AND e.kind IN ('connected', 'callback', 'left')
            ORDER BY e.number LIMIT 1
        ) o ON true
        WHERE v.kind = 'entered' AND v.organisation_id = :organisation AND v.practice_id = ANY(:practices)
            AND v.at >= least(cast(:day AS timestamptz), cast(:hour AS timestamptz)) AND v.at <= :now
            AND v.detail IS DISTINCT FROM 'rung_back'
    )
    SELECT practice_id, span, count(*) AS offered,
        count(*) FILTER (WHERE kind = 'connected') AS answered,
        count(*) FILTER (WHERE kind = 'connected' AND waited <= :within) AS within,
        count(*) FILTER (WHERE kind = 'left' AND detail = 'hung_up') AS abandoned,
        count(*) FILTER (WHERE kind = 'left' AND detail = 'hung_up' AND waited < :short) AS short,
        count(*) FILTER (WHERE kind = 'callback') AS callbacks,
        count(*) FILTER (WHERE kind = 'left' AND detail <> 'hung_up') AS elsewhere,
        coalesce(sum(waited) FILTER (WHERE kind = 'connected'), 0) AS waited,
        max(waited) AS longest,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY waited) FILTER (WHERE kind = 'connected') AS half,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY waited) FILTER (WHERE kind = 'connected') AS most
    FROM stay CROSS JOIN LATERAL (VALUES ('day', cast(:day AS timestamptz)), ('hour', :hour)) spans(span, since)
    WHERE at >= since
    GROUP BY GROUPING SETS ((span, practice_id), (span))
    """
)
_QUEUED = text(
    """
    SELECT practice_id, count(*) FILTER (WHERE kind = 'live') AS waiting,
        min(entered_at) FILTER (WHERE kind = 'live') AS since,
        count(*) FILTER (WHERE kind = 'callback') AS callbacks,
        count(*) FILTER (WHERE kind = 'callback' AND greatest(entered_at, not_before) <= :late) AS overdue
    FROM queue_entry WHERE state IN ('waiting', 'reserved') AND practice_id = ANY(:practices)
    GROUP BY GROUPING SETS ((practice_id), ())
    """
)
_THERE = text(
    """
    SELECT a.display_name, p.state FROM presence p JOIN staff_account a ON a.id = p.staff_id
    WHERE p.state <> 'offline' AND a.organisation_id = :organisation AND EXISTS (
        SELECT FROM staff_role r JOIN portfolio f ON f.id = r.portfolio_id
        WHERE r.staff_id = a.id AND r.role = 'operator' AND (f.whole OR EXISTS (
            SELECT FROM portfolio_practice m WHERE m.portfolio_id = f.id AND m.practice_id = ANY(:practices)))
    )
    ORDER BY a.display_name, a.id LIMIT :most
    """
)
