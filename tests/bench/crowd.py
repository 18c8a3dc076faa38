"""A télésecrétariat with 1,000 practices, its operators, and callers who wait: rows of the house alone."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

PRACTICES, OPERATORS, PORTFOLIOS = 1_000, 70, 50
#: Those who are free; the others are on a call.
FREE = 20
#: Calls that have been and gone, and those that wait.
GONE, WAITING = 5_000, 200


async def crowd(connection: AsyncConnection, now: datetime) -> None:
    """Write it, as the superuser. Those who wait can be taken by operators who are on a call, and by no free one."""
    values = {"o": uuid4(), "now": now}
    for statement in _ROWS:
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        await connection.execute(text(statement), used)


def operator(number: int) -> str:
    """SQL of the identifier of an operator (1 to :data:`OPERATORS`); the first :data:`FREE` are free."""
    return f"md5('s{number}')::uuid"


_ROWS = (
    "INSERT INTO organisation (id, name) VALUES (:o, 'Télésecrétariat du banc')",
    "INSERT INTO practice (id, organisation_id, slug, rescue_number) "
    f"SELECT md5('p' || n)::uuid, :o, 'banc-' || n, '+33261990000' FROM generate_series(1, {PRACTICES}) n",
    "INSERT INTO portfolio (id, organisation_id, name) "
    f"SELECT md5('f' || n)::uuid, :o, 'f' || n FROM generate_series(1, {PORTFOLIOS}) n",
    "INSERT INTO portfolio_practice (portfolio_id, practice_id, organisation_id) "
    f"SELECT md5('f' || (1 + n % {PORTFOLIOS}))::uuid, md5('p' || n)::uuid, :o FROM generate_series(1, {PRACTICES}) n",
    "INSERT INTO staff_account (id, organisation_id, login, display_name, languages, made_at, "
    "secrecy_signed_on) "
    "SELECT md5('s' || n)::uuid, :o, 'o' || n || 'x', 'Télésecrétaire', ARRAY['fr'], :now, '2026-01-01' "
    f"FROM generate_series(1, {OPERATORS}) n",
    "INSERT INTO staff_role (staff_id, portfolio_id, role, organisation_id) "
    f"SELECT md5('s' || n)::uuid, md5('f' || (1 + n % {PORTFOLIOS}))::uuid, 'operator', :o "
    f"FROM generate_series(1, {OPERATORS}) n",
    "INSERT INTO presence (staff_id, state, way, since, idle_since, seen_at) "
    f"SELECT md5('s' || n)::uuid, CASE WHEN n <= {FREE} THEN 'available' ELSE 'on_call' END, 'browser', "
    f":now, :now, :now FROM generate_series(1, {OPERATORS}) n",
    "INSERT INTO call (id, practice_id, carrier_sid, status, started_at) "
    f"SELECT md5('k' || n)::uuid, md5('p' || (1 + n % {PRACTICES}))::uuid, 'CAbanc' || n, 3, :now "
    f"FROM generate_series(1, {GONE}) n",
    "INSERT INTO queue_entry (call_id, practice_id, language, priority, place, kind, state, entered_at, left_at, "
    "left_reason) SELECT id, practice_id, 'fr', 3, :now, 'live', 'left', :now, :now, 'hung_up' "
    "FROM call WHERE carrier_sid LIKE 'CAbanc%'",
    "INSERT INTO reservation (id, call_id, staff_id, state, made_at, ends_at, accepted_at, connected_at, ended_at) "
    f"SELECT gen_random_uuid(), md5('k' || n)::uuid, md5('s' || (1 + n % {OPERATORS}))::uuid, 'over', :now, "
    "cast(:now AS timestamptz) + interval '20 seconds', :now, :now, :now "
    f"FROM generate_series(1, {GONE}) n",
    "UPDATE queue_entry SET state = 'waiting', left_at = NULL, left_reason = NULL WHERE call_id IN "
    "(SELECT k.id FROM call k JOIN portfolio_practice o ON o.practice_id = k.practice_id "
    "JOIN staff_role r ON r.portfolio_id = o.portfolio_id JOIN presence p ON p.staff_id = r.staff_id "
    f"GROUP BY k.id HAVING bool_and(p.state = 'on_call') ORDER BY k.id LIMIT {WAITING})",
)
