"""What has happened in queues, written down in the transaction in which it happened."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.routing.values import EventKind


async def note_call(
    connection: AsyncConnection,
    kind: EventKind,
    call: UUID,
    now: datetime,
    *,
    staff: UUID | None = None,
    reservation: UUID | None = None,
    detail: str | None = None,
    waited: timedelta | None = None,
) -> None:
    """Write down what has happened to a call of the queue.

    Arguments:
        detail: one word.
        waited: how long the caller was on the line in the queue.
    """
    values = {
        "at": now,
        "kind": kind.value,
        "call": call,
        "staff": staff,
        "reservation": reservation,
        "detail": detail,
        "waited": None if waited is None else waited // timedelta(milliseconds=1),
    }
    await connection.execute(_CALL, values)


async def note_presence(connection: AsyncConnection, staff: UUID, state: str, now: datetime) -> None:
    """Write down that an operator is in another state than before."""
    await connection.execute(_PRESENCE, {"at": now, "staff": staff, "state": state})


_CALL = text(
    """
    INSERT INTO routing_event
        (at, kind, organisation_id, practice_id, call_id, staff_id, reservation_id, priority, detail, waited)
    SELECT cast(:at AS timestamptz), cast(:kind AS text), c.organisation_id, e.practice_id, e.call_id,
        cast(:staff AS uuid), cast(:reservation AS uuid), e.priority, cast(:detail AS text), cast(:waited AS bigint)
    FROM queue_entry e JOIN practice c ON c.id = e.practice_id WHERE e.call_id = :call
    """
)

_PRESENCE = text(
    """
    INSERT INTO routing_event (at, kind, organisation_id, staff_id, detail)
    SELECT cast(:at AS timestamptz), 'presence', organisation_id, id, cast(:state AS text)
    FROM staff_account WHERE id = :staff
    """
)
