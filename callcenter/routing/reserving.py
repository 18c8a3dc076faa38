"""Reserving: a call and an operator are brought together by one statement, or not at all.

The statement picks the first call in order for which a fit operator is there, and of those the one whom the
organisation's strategy names. It takes both locks, or goes on to the next pair; so a call that nobody can take, or that
somebody holds, blocks nobody behind it.

Two workers that reserved at the same moment could each go round what the other is about to take, and let a call be
overtaken. So they take turns, as long as that is a matter of milliseconds. A worker that has stopped in its turn keeps
nobody waiting: the locks of the rows alone keep a call from being offered to two.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callcenter.kernel.randomness import Random, new_id
from callcenter.routing.fitting import MAY_ANSWER, SEEN
from callcenter.routing.held import RESERVATION, reservation_of
from callcenter.routing.values import Limits, Reservation
from callcenter.routing.waking import CHANNEL, About
from callcenter.staff.values import day_of
from callcenter.store.database import Database, DatabaseDown, is_lock_timeout

#: Reservations in one go; whoever is left is looked at again at once or with the next waking.
MOST = 200

#: Whose turn it is to reserve: key of an advisory lock, and milliseconds after which one is taken without.
TURN, PATIENCE_MS = 7_067_001, 250

_log = structlog.get_logger(__name__)


class Reserving:
    """Brings calls and operators together.

    Arguments:
        random: makes identifiers.
    """

    def __init__(self, database: Database, random: Random, limits: Limits | None = None) -> None:
        self._database = database
        self._random = random
        self._limits = limits or Limits()

    async def reserve(self, now: datetime) -> list[Reservation]:
        """Offer calls until nobody waits whom somebody could take, at most :data:`MOST`. Each is committed by itself.

        Raises:
            DatabaseDown: those made before stand.
        """
        made: list[Reservation] = []
        for _ in range(MOST):
            reservation = await self.reserve_one(now)
            if reservation is None:
                break
            made.append(reservation)
        return made

    async def reserve_one(self, now: datetime) -> Reservation | None:
        """Offer the first call that somebody can take; ``None`` when there is none."""
        try:
            return await self._reserve(now, in_turn=True)
        except DatabaseDown as error:
            if not isinstance(error.__cause__, DBAPIError) or not is_lock_timeout(error.__cause__):
                raise
        _log.warning("reserving_out_of_turn")
        return await self._reserve(now, in_turn=False)

    async def _reserve(self, now: datetime, *, in_turn: bool) -> Reservation | None:
        values = {
            "id": new_id(self._random),
            "now": now,
            "ends": now + self._limits.offer,
            "seen": now - self._limits.unseen,
            "passed": now - self._limits.passed_over,
            "today": day_of(now),
            "channel": CHANNEL,
        }
        async with self._database.house() as connection:
            if in_turn:
                await connection.execute(_TURN, {"turn": TURN, "patience": f"{PATIENCE_MS}ms"})
            row = (await connection.execute(_RESERVE, values)).one_or_none()
        return None if row is None else reservation_of(row)


# The patience is set before the lock is asked for: a list of columns is evaluated from left to right.
_TURN = text("SELECT set_config('lock_timeout', :patience, true), pg_advisory_xact_lock(:turn)")

# From both sides at once: those who are free with what they answer for, and those who wait; each is read once, however
# many there are. Whoever is locked or changes meanwhile is looked at anew, by the conditions of the pair alone.
# Whoever is at their keys, sent there by an operator who is gone meanwhile, is offered once they are back.
_RESERVE = text(
    f"""
    WITH free AS MATERIALIZED (
        SELECT p.staff_id, a.languages, r.portfolio_id, f.organisation_id, f.whole
        FROM presence p
        JOIN staff_account a ON a.id = p.staff_id
        JOIN staff_role r ON r.staff_id = p.staff_id AND r.role = 'operator'
        JOIN portfolio f ON f.id = r.portfolio_id
        WHERE p.state = 'available' AND {SEEN} AND {MAY_ANSWER}
    ), waits AS MATERIALIZED (
        SELECT e.call_id, e.practice_id, e.language, c.organisation_id, u.strategy
        FROM queue_entry e
        JOIN practice c ON c.id = e.practice_id
        LEFT JOIN routing_rule u ON u.organisation_id = c.organisation_id
        WHERE e.state = 'waiting' AND (e.not_before IS NULL OR e.not_before <= :now)
            AND NOT EXISTS (SELECT FROM reservation k WHERE k.call_id = e.call_id AND k.keypad_at IS NOT NULL)
    ), able AS MATERIALIZED (
        SELECT w.call_id, w.organisation_id, w.strategy, f.staff_id
        FROM waits w
        JOIN portfolio_practice o ON o.practice_id = w.practice_id
        JOIN free f ON f.portfolio_id = o.portfolio_id AND w.language = ANY(f.languages)
        UNION
        SELECT w.call_id, w.organisation_id, w.strategy, f.staff_id
        FROM waits w
        JOIN free f ON f.whole AND f.organisation_id = w.organisation_id AND w.language = ANY(f.languages)
    ), pair AS MATERIALIZED (
        SELECT e.call_id, e.practice_id, e.priority, e.kind, e.offers, e.entered_at, able.organisation_id, p.staff_id
        FROM able
        JOIN queue_entry e ON e.call_id = able.call_id
        JOIN presence p ON p.staff_id = able.staff_id
        WHERE e.state = 'waiting' AND (e.not_before IS NULL OR e.not_before <= :now)
            AND p.state = 'available' AND {SEEN}
            AND (e.passed_by IS DISTINCT FROM p.staff_id OR e.passed_at <= :passed)
        ORDER BY e.priority, e.place, e.number,
            CASE able.strategy
                WHEN 'round_robin' THEN p.turn
                WHEN 'fewest_calls' THEN CASE WHEN p.calls_on = :today THEN p.calls ELSE 0 END
            END,
            p.idle_since, p.staff_id
        LIMIT 1
        FOR UPDATE OF e, p SKIP LOCKED
    ), made AS (
        INSERT INTO reservation (id, call_id, staff_id, state, made_at, ends_at)
        SELECT cast(:id AS uuid), call_id, staff_id, 'offered', cast(:now AS timestamptz), cast(:ends AS timestamptz)
        FROM pair RETURNING *
    ), entry AS (
        UPDATE queue_entry q SET state = 'reserved', offers = q.offers + 1
        FROM made WHERE q.call_id = made.call_id RETURNING q.*
    ), operator AS (
        UPDATE presence p SET state = 'reserved', since = :now, turn = made.number
        FROM made WHERE p.staff_id = made.staff_id
    ), event AS (
        INSERT INTO routing_event (at, kind, organisation_id, practice_id, call_id, staff_id, reservation_id, priority)
        SELECT cast(:now AS timestamptz), 'offered', pair.organisation_id, pair.practice_id, pair.call_id,
            pair.staff_id, made.id, pair.priority
        FROM pair JOIN made ON made.call_id = pair.call_id
    )
    SELECT {RESERVATION},
        pg_notify(:channel, '{About.STAFF}:' || r.staff_id), pg_notify(:channel, '{About.QUEUE}:' || organisation_id)
    FROM pair JOIN made r ON r.call_id = pair.call_id JOIN entry e ON e.call_id = pair.call_id
    """  # noqa: S608 - our own words alone
)
