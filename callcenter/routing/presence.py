"""Presence: what an operator does, which moves are theirs to make, and the signs of life of their page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.routing.events import note_presence
from callcenter.routing.values import PresenceState, Way
from callcenter.routing.waking import About, Waking, wake

_PAUSES = frozenset({PresenceState.BREAK, PresenceState.LUNCH, PresenceState.TRAINING, PresenceState.ADMIN})
_AT_REST = _PAUSES | {PresenceState.OFFLINE, PresenceState.AVAILABLE}

#: What an operator may change by themselves, from where to where. From an offer one comes by accepting or refusing it,
#: from a call by its end; nobody but the queue reserves.
MOVES: Mapping[PresenceState, frozenset[PresenceState]] = {
    **{state: frozenset(_AT_REST - {state}) for state in _AT_REST},
    PresenceState.WRAP_UP: frozenset(_AT_REST),
    PresenceState.RESERVED: frozenset(),
    PresenceState.ON_CALL: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Present:
    """What an operator does.

    Arguments:
        since: when that began.
        wrap_up_until: when wrapping up ends by itself.
    """

    staff: UUID
    state: PresenceState
    way: Way
    since: datetime
    idle_since: datetime
    seen_at: datetime
    wrap_up_until: datetime | None
    missed_in_a_row: int


async def in_a_talk(connection: AsyncConnection, staff: UUID) -> bool:
    """Whether somebody of staff is on the line with a caller at this moment, as an operator or as a third."""
    return bool((await connection.execute(_IN_A_TALK, {"staff": staff})).scalar_one())


async def move(
    connection: AsyncConnection, staff: UUID, to: PresenceState, now: datetime, *, way: Way = Way.BROWSER
) -> bool:
    """Let an operator be in another state, by their own will. False when that cannot be now.

    Arguments:
        way: how they speak from here on.
    """
    sources = [source.value for source, targets in MOVES.items() if to in targets]
    if not sources:
        return False
    values = {"staff": staff, "to": to.value, "way": way.value, "now": now, "from": sources}
    row = (await connection.execute(_MOVE, values)).one_or_none()
    if row is None:
        return False
    if row.moved:
        await note_presence(connection, staff, to.value, now)
        await wake(connection, Waking(About.STAFF, staff), Waking(About.QUEUE, row.organisation_id))
    return True


async def seen(connection: AsyncConnection, staff: UUID, now: datetime) -> PresenceState:
    """A sign of life of the operator's page; what they do, which is offline when they have to come back first."""
    row = (await connection.execute(_SEEN, {"staff": staff, "now": now})).one_or_none()
    return PresenceState.OFFLINE if row is None else PresenceState(row.state)


async def present(connection: AsyncConnection, staff: UUID) -> Present | None:
    """What an operator does; ``None`` for one who has never been there."""
    row = (await connection.execute(_PRESENT, {"staff": staff})).one_or_none()
    if row is None:
        return None
    return Present(
        row.staff_id,
        PresenceState(row.state),
        Way(row.way),
        row.since,
        row.idle_since,
        row.seen_at,
        row.wrap_up_until,
        row.missed_in_a_row,
    )


# Moving to where one is already is no move, and no error: a click that came twice.
_MOVE = text(
    """
    WITH before AS (
        SELECT staff_id, state FROM presence WHERE staff_id = :staff FOR UPDATE
    ), moved AS (
        INSERT INTO presence AS p (staff_id, state, way, since, idle_since, seen_at)
        SELECT a.id, :to, :way, cast(:now AS timestamptz), cast(:now AS timestamptz), cast(:now AS timestamptz)
        FROM staff_account a
        WHERE a.id = :staff AND (:to <> 'offline' OR EXISTS (SELECT FROM before))
            AND NOT EXISTS (SELECT FROM before WHERE state = :to)
        ON CONFLICT (staff_id) DO UPDATE SET state = excluded.state, way = excluded.way, since = excluded.since,
            idle_since = excluded.idle_since, seen_at = greatest(p.seen_at, excluded.seen_at), wrap_up_until = NULL,
            missed_in_a_row = 0
            WHERE p.state = ANY(:from)
        RETURNING p.staff_id
    )
    SELECT a.organisation_id, EXISTS (SELECT FROM moved) AS moved FROM staff_account a
    WHERE a.id = :staff AND (EXISTS (SELECT FROM moved) OR EXISTS (SELECT FROM before WHERE state = :to))
    """
)
_SEEN = text(
    """
    UPDATE presence SET seen_at = greatest(seen_at, :now) WHERE staff_id = :staff AND state <> 'offline'
    RETURNING state
    """
)
_PRESENT = text("SELECT * FROM presence WHERE staff_id = :staff")

_IN_A_TALK = text(
    """
    SELECT EXISTS (SELECT FROM presence WHERE staff_id = :staff AND state = 'on_call')
        OR EXISTS (SELECT FROM talk_party WHERE staff_id = :staff AND state IN ('ringing', 'there'))
    """
)
