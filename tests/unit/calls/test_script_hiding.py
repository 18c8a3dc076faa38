"""What can be seen on an operator's screen after an answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from callcenter.audit.ledger import EventKind
from callcenter.calls.script_hiding import hidden_early, seen_next
from callcenter.calls.script_values import Operator, ShownField
from callcenter.kernel.labels import Category

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
LIFE = timedelta(seconds=90)


def shown(path: str, record: int, since: datetime = NOW) -> ShownField:
    return ShownField(path, Category.APPOINTMENT_EXISTS, "mardi", since, since + LIFE, UUID(int=record))


def test_what_is_shown_anew_stands_once_by_its_new_record_behind_what_stays() -> None:
    place, day, again = shown("appointment.place", 1), shown("appointment.starts_at", 2), shown("appointment.place", 3)
    assert seen_next((place, day), (again,)) == (day, again)
    assert seen_next((place, day), ()) == (place, day)
    assert seen_next((), (again,)) == (again,)


def test_what_is_shown_anew_was_not_hidden_and_what_goes_was_for_as_long_as_it_stood() -> None:
    place, day = shown("appointment.place", 1, NOW - timedelta(seconds=20)), shown("appointment.starts_at", 2)
    after = seen_next((), (shown("appointment.starts_at", 3),))
    (record,) = hidden_early(Operator(UUID(int=9), trained=True), (place, day), after, NOW)
    assert (record.kind, record.content["of"], record.content["seconds"]) == (EventKind.HIDDEN, str(UUID(int=1)), 20)
