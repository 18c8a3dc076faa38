"""Which practitioner an account is: whose messages it reads. The role is asked for besides, each time.

One account is one practitioner of a practice at most, and may be one of several practices. Several accounts may be the
same practitioner, as when somebody stands in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.ledger import Value
from callcenter.staff.records import Act, Actor, HouseLog
from callcenter.staff.values import Role


@dataclass(frozen=True, slots=True)
class Practises:
    """Who somebody is at a practice.

    Arguments:
        of_practice: they read messages for the whole practice too.
    """

    practice: UUID
    practitioner: UUID
    of_practice: bool


@dataclass(frozen=True, slots=True)
class StaffPractitioners:
    """Keeps who is which practitioner.

    Arguments:
        log: of the house; it names identifiers.
    """

    log: HouseLog

    async def name(self, connection: AsyncConnection, staff: UUID, one: Practises, by: Actor) -> None:
        """``staff`` is that practitioner from now on, and no other of that practice."""
        values = {"staff": staff, "practice": one.practice, "whom": one.practitioner, "of_practice": one.of_practice}
        await connection.execute(_NAME, values)
        content: dict[str, Value] = {"refs": [f"practitioner:{one.practitioner}"], "of_practice": one.of_practice}
        await self.log.note(connection, Act.PRACTITIONER_NAMED, by, staff, content)

    async def forget(self, connection: AsyncConnection, staff: UUID, practice: UUID, by: Actor) -> bool:
        """``staff`` is no practitioner of that practice any more. False where they were none."""
        values = {"staff": staff, "practice": practice}
        gone = (await connection.execute(_FORGET, values)).scalar_one_or_none()
        if gone is None:
            return False
        refs: dict[str, Value] = {"refs": [f"practitioner:{gone}"]}
        await self.log.note(connection, Act.PRACTITIONER_NO_MORE, by, staff, refs)
        return True


async def practises(connection: AsyncConnection, staff: UUID, today: date) -> Sequence[Practises]:
    """Who somebody is, at each practice for which they have a practitioner's role on that day (``values.day_of``)."""
    values = {"staff": staff, "role": Role.PRACTITIONER.value, "today": today}
    return [Practises(*row) for row in (await connection.execute(_PRACTISES, values)).all()]


_NAME = text(
    """
    INSERT INTO staff_practitioner (staff_id, practice_id, practitioner_id, of_practice)
    VALUES (:staff, :practice, :whom, :of_practice)
    ON CONFLICT (staff_id, practice_id) DO UPDATE
    SET practitioner_id = excluded.practitioner_id, of_practice = excluded.of_practice
    """
)
_FORGET = text(
    "DELETE FROM staff_practitioner WHERE staff_id = :staff AND practice_id = :practice RETURNING practitioner_id"
)
# As ``rights.may`` asks, for every practice at once.
_PRACTISES = text(
    """
    SELECT s.practice_id, s.practitioner_id, s.of_practice FROM staff_practitioner s
    JOIN staff_account a ON a.id = s.staff_id AND a.closed_at IS NULL AND a.locked_at IS NULL
        AND (a.expires_on IS NULL OR a.expires_on >= :today) AND a.secrecy_signed_on <= :today
    WHERE s.staff_id = :staff AND EXISTS (
        SELECT FROM staff_role r JOIN portfolio f ON f.id = r.portfolio_id
        JOIN practice p ON p.id = s.practice_id AND p.organisation_id = f.organisation_id
        WHERE r.staff_id = s.staff_id AND r.role = :role AND (f.whole OR EXISTS (
            SELECT FROM portfolio_practice m WHERE m.portfolio_id = f.id AND m.practice_id = p.id))
    )
    ORDER BY s.practice_id
    """
)
