"""Looking things up in one practice: its calls, or the records of its ledger, newest first, a page at a time.

Nothing here orders, counts or compares people: the ledger is not there to measure who works how much (LG-05).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Text, and_, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from callcenter.audit.about import NO_MOMENT, moment_of
from callcenter.audit.ledger import EventKind, timestamp
from callcenter.audit.not_refused import INSTEAD, stands
from callcenter.audit.reading import said_by
from callcenter.audit.tables import audit_record
from callcenter.calls.tables import call
from callcenter.kernel.labels import Category
from callcenter.reports.people import names_of
from callcenter.reports.values import Criteria, Found, Kind, Outcome, Page, Place, Who
from callcenter.reports.withheld import FINDING_OUT, OPEN_REASONS, is_open, outcome_of
from callcenter.routing.tables import queue_entry, reservation
from callcenter.staff.values import HOUSE_TIMEZONE
from callcenter.store.database import Transaction

#: Lines of a page, and of a file.
LINES, MOST_LINES = 50, 5_000

_FAILURES = (EventKind.VERIFICATION_FAILED, EventKind.VERIFICATION_REFUSED, EventKind.REFERENCE_WRONG)
_APPOINTMENTS = (
    *(EventKind.APPOINTMENT_CONFIRMED, EventKind.APPOINTMENT_CANCELLED, EventKind.APPOINTMENT_MOVED),
    *(EventKind.BOOKING_MADE, EventKind.BOOKING_CANCELLED, EventKind.BOOKING_MOVED),
)

#: Named one by one: a comparison by a beginning is none that row-level security lets an index be used by.
_VERIFICATIONS = (
    *(kind for kind in EventKind if kind.value.startswith("verification.")),
    *(EventKind.REFERENCE_RIGHT, EventKind.REFERENCE_WRONG),
)

Condition = ColumnElement[bool]
_r = audit_record.c


def _said(*path: str) -> ColumnElement[str | None]:
    """What a record says there, read out of its bytes."""
    return func.ledger_text(_r.body, literal(list(path), ARRAY(Text)))


def _told(decision: str) -> Condition:
    return and_(_r.event == EventKind.DISCLOSURE.value, _said("decision") == decision)


def _because_of_the_file(*, yes: bool) -> Condition:
    reason, named = _said("reason"), sorted(OPEN_REASONS)
    return reason.not_in(named) if yes else reason.in_(named)


def _finds_out_nothing() -> Condition:
    """It is no job's that has looked whether there is such a patient: of a patient's claim, and of one about nobody,
    the lists hold the same (P6)."""
    return or_(_r.actor.is_(None), _r.actor.not_in(sorted(FINDING_OUT)))


def _is(*events: EventKind) -> Condition:
    return _r.event.in_([event.value for event in events])


#: How an outcome shows in a record.
_OUTCOMES: dict[Outcome, Callable[[], Condition]] = {
    Outcome.GRANTED: lambda: _told("granted"),
    Outcome.REFUSED: lambda: and_(_told("refused"), _because_of_the_file(yes=False)),
    Outcome.WITHHELD: lambda: and_(_told("refused"), _because_of_the_file(yes=True)),
    Outcome.VERIFIED: lambda: _is(EventKind.VERIFICATION_SUCCEEDED),
    Outcome.FAILED: lambda: _is(*_FAILURES),
    Outcome.MESSAGE: lambda: _is(EventKind.MESSAGE_TAKEN),
    Outcome.APPOINTMENT: lambda: _is(*_APPOINTMENTS),
    Outcome.PUT_THROUGH: lambda: _is(EventKind.CALL_PUT_THROUGH),
}

#: What each list of records holds. Staff are known by their kind, so that acts which are yet to come are among them.
_KINDS: dict[Kind, Callable[[], Condition]] = {
    Kind.DISCLOSURES: lambda: _is(EventKind.DISCLOSURE),
    Kind.REFUSALS: lambda: or_(_told("refused"), _is(EventKind.VERIFICATION_REFUSED)),
    Kind.VERIFICATIONS: lambda: _is(*_VERIFICATIONS),
    Kind.STAFF: lambda: and_(_r.actor != "callcenter", _said("actor", "kind").in_(("staff", "operator", "command"))),
}


async def search(tx: Transaction, criteria: Criteria, after: Place | None = None, lines: int = LINES) -> Page:
    """A page of what fits. What tells something of a file is in it only where ``criteria`` names a patient.

    Arguments:
        tx: of the practice of ``criteria``.
        after: where the page before has ended.
        lines: at most.
    """
    query = _calls(criteria, after) if criteria.kind is Kind.CALLS else _records(criteria, after)
    rows = (await tx.connection.execute(query.limit(lines + 1))).all()
    make = _found_call if criteria.kind is Kind.CALLS else _found_record
    if criteria.kind is Kind.CALLS:
        people = [str(staff) for row in rows for staff in row.talked or ()]
    else:
        people = [str(row.actor) for row in rows]
    names = await names_of(tx.connection, people)
    found = tuple(make(row, names) for row in rows[:lines])
    if criteria.subject is None:
        found = tuple(one if is_open(one.what, one.reason) else replace(one, reason=None) for one in found)
    return Page(found, found[-1].place if len(rows) > lines else None)


def _records(criteria: Criteria, after: Place | None) -> Select[Any]:
    since, until = period(criteria)
    conditions: list[Condition] = [
        _r.practice_id == criteria.practice,
        _r.at >= timestamp(since),
        _r.at < timestamp(until),
        _KINDS[criteria.kind](),
    ]
    if criteria.call is not None:
        conditions.append(_r.call_id == criteria.call)
    if criteria.staff is not None:
        conditions += [_r.actor == str(criteria.staff), _r.actor != "callcenter"]
    if criteria.subject is not None:
        conditions += [_r.subject == str(criteria.subject), _r.subject.is_not(None)]
    else:
        conditions.append(_finds_out_nothing())
    if criteria.category is not None:
        conditions.append(_names_category(criteria.category))
    if criteria.outcome is not None:
        conditions.append(_outcome_of_record(criteria.outcome))
    if after is not None:
        conditions += [_r.at <= after.at, or_(_r.at < after.at, _r.id < after.id)]
    if any((criteria.staff, criteria.subject, criteria.category, criteria.outcome)):
        # What was refused is in a list, as such; by what it says of somebody or something it is not found.
        conditions.append(stands())
    columns = (_r.id, _r.at, _r.event, _r.call_id, _r.actor, _r.body, INSTEAD)
    return select(*columns).where(*conditions).order_by(_r.at.desc(), _r.id.desc())


def _outcome_of_record(outcome: Outcome) -> Condition:
    """Answered and abandoned are calls, and no record."""
    made = _OUTCOMES.get(outcome)
    return made() if made is not None else literal(value=False)


def _names_category(category: Category) -> Condition:
    return _said("categories").contains(f'"{category.value}"', autoescape=True)


def _calls(criteria: Criteria, after: Place | None) -> Select[Any]:
    c, q = call.c, queue_entry.c
    conditions: list[Condition] = [c.practice_id == criteria.practice]
    if criteria.call is not None:
        conditions.append(c.id == criteria.call)
    else:
        since, until = period(criteria)
        conditions += [c.started_at >= since, c.started_at < until]
    if criteria.category is not None:
        conditions.append(_in_call(_names_category(criteria.category)))
    if criteria.subject is not None:
        conditions.append(_in_call(_r.subject == str(criteria.subject)))
    if criteria.staff is not None:
        talked = exists().where(
            reservation.c.call_id == c.id,
            reservation.c.staff_id == criteria.staff,
            reservation.c.connected_at.is_not(None),
        )
        conditions.append(or_(talked, _in_call(_r.actor == str(criteria.staff))))
    if criteria.outcome is not None:
        conditions.append(_outcome_of_call(criteria.outcome))
    if after is not None:
        at = moment_of(after.at) or NO_MOMENT
        conditions += [c.started_at <= at, or_(c.started_at < at, c.id < after.id)]
    said = select(
        *(func.coalesce(func.bool_or(made()), False).label(outcome.value) for outcome, made in _OUTCOMES.items())
    ).where(_r.practice_id == criteria.practice, _r.call_id == c.id, stands())
    came = said.lateral("came")
    r = reservation.c
    # Of this call alone: the tables of routing have no wall between practices, and a query within another one's FROM
    # would not see the call of the line.
    had = select(func.array_agg(aggregate_order_by(r.staff_id, r.connected_at)))
    talkers = had.where(r.call_id == c.id, r.connected_at.is_not(None)).correlate(call).scalar_subquery()
    return (
        select(c.id, c.started_at, c.ended_at, q.answered_at, q.left_reason, talkers.label("talked"), *came.c)
        .select_from(call.outerjoin(queue_entry, q.call_id == c.id).join(came, literal(value=True)))
        .where(*conditions)
        .order_by(c.started_at.desc(), c.id.desc())
    )


def _in_call(condition: Condition) -> Condition:
    return exists().where(_r.practice_id == call.c.practice_id, _r.call_id == call.c.id, condition, stands())


def _outcome_of_call(outcome: Outcome) -> Condition:
    q = queue_entry.c
    match outcome:
        case Outcome.ANSWERED:
            return q.answered_at.is_not(None)
        case Outcome.ABANDONED:
            return and_(q.left_reason == "hung_up", q.answered_at.is_(None))
        case _:
            return _in_call(_outcome_of_record(outcome))


def period(criteria: Criteria) -> tuple[datetime, datetime]:
    """From the first moment of the first day to the first one after the last day, where the house stands."""
    since = datetime.combine(criteria.first, time.min, HOUSE_TIMEZONE)
    until = datetime.combine(criteria.last + timedelta(days=1), time.min, HOUSE_TIMEZONE)
    return since, until


# --- rows as values


def _found_call(row: Row[Any], names: dict[str, str]) -> Found:
    outcomes = [outcome for outcome in _OUTCOMES if getattr(row, outcome.value)]
    if row.answered_at is not None:
        outcomes.append(Outcome.ANSWERED)
    elif row.left_reason == "hung_up":
        outcomes.append(Outcome.ABANDONED)
    place = Place(timestamp(row.started_at), row.id)
    talked = [names.get(str(staff), "–") for staff in dict.fromkeys(row.talked or ())]
    who = Who("operator", ", ".join(talked)) if talked else None
    return Found(row.id, row.started_at, "call", who, row.id, tuple(outcomes), ended=row.ended_at, place=place)


def _found_record(row: Row[Any], names: dict[str, str]) -> Found:
    body, refused = said_by(row), row.instead is not None
    actor = body.get("actor")
    kind = str(actor.get("kind", "unknown")) if isinstance(actor, dict) else "unknown"
    level, seconds = body.get("level"), body.get("seconds")
    return Found(
        id=row.id,
        at=moment_of(row.at) or NO_MOMENT,
        what=EventKind.RECORD_REFUSED.value if refused else str(row.event or ""),
        who=Who(kind, None if refused else names.get(str(row.actor))),
        call=row.call_id,
        outcomes=_outcomes_of(body),
        categories=tuple(Category(each) for each in body.get("categories") or () if each in set(Category)),
        level=level if isinstance(level, int) else None,
        reason=None if body.get("reason") is None else str(body["reason"]),
        place=Place(str(row.at), row.id),
        seconds=seconds if isinstance(seconds, int) else None,
    )


def _outcomes_of(body: dict[str, Any]) -> tuple[Outcome, ...]:
    event = body.get("event")
    if event == EventKind.DISCLOSURE.value:
        return (outcome_of(body),)
    kinds = {
        Outcome.VERIFIED: (EventKind.VERIFICATION_SUCCEEDED,),
        Outcome.FAILED: _FAILURES,
        Outcome.MESSAGE: (EventKind.MESSAGE_TAKEN,),
        Outcome.APPOINTMENT: _APPOINTMENTS,
    }
    return tuple(outcome for outcome, events in kinds.items() if event in set(events))
