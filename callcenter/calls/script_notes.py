"""What an operator says of a call: what they have read, what became of it, and a closing note that supervisors read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from callcenter.audit.ledger import Entry, EventKind, Value
from callcenter.calls.desk import Desk
from callcenter.calls.script_session import note_place
from callcenter.flow.script_language import Disposition, Shown
from callcenter.store.database import Transaction
from callcenter.store.sealed import Sealer


class OperatorsNotes:
    """What one operator says of one call. Implements ``flow.script_ports.Notes``.

    Arguments:
        reservation: whose script it is; its row is there.
    """

    def __init__(self, desk: Desk, sealer: Sealer, staff: UUID, reservation: UUID) -> None:
        self._desk = desk
        self._sealer = sealer
        self._staff = staff
        self._reservation = reservation

    async def acknowledge(self, what: Shown) -> None:
        desk = self._desk
        revision = desk.facts.instructions_revision
        values = {"staff": self._staff, "practice": desk.tx.practice, "revision": revision, "now": desk.now}
        await desk.tx.connection.execute(_ACKNOWLEDGE, values)
        content: dict[str, Value] = {"refs": [f"setting:{what.value}:{revision}"]}
        await desk.writing.add(Entry(EventKind.INSTRUCTIONS_READ, desk.actor, None, content))

    async def dispose(self, disposition: Disposition, note: str) -> None:
        desk = self._desk
        sealed = self._sealer.seal_text(note, note_place(desk.tx.practice, self._reservation)) if note else None
        values = {"id": self._reservation, "disposition": disposition.value, "note": sealed}
        await desk.tx.connection.execute(_DISPOSE, values)
        content: dict[str, Value] = {"refs": [], "disposition": disposition.value, "note": bool(note)}
        await desk.writing.add(Entry(EventKind.CALL_DISPOSED, desk.actor, None, content))


async def instructions_changed(tx: Transaction, staff: UUID, revision: int) -> bool:
    """Whether ``staff`` has not acknowledged the practice's instructions as of ``revision``, or a later one.

    Arguments:
        revision: of its settings, which made the instructions that show.
    """
    values = {"practice": tx.practice, "staff": staff}
    read = (await tx.connection.execute(_READ, values)).scalar_one_or_none()
    return revision > (read or 0)


@dataclass(frozen=True, slots=True)
class ClosingNote:
    """What an operator has noted of a call as they closed it.

    Arguments:
        words: theirs; they may be about a patient.
    """

    staff: UUID
    at: datetime
    words: str = field(repr=False)


async def notes_of(tx: Transaction, sealer: Sealer, call: UUID) -> tuple[ClosingNote, ...]:
    """What was noted of a call, in order. That it is read is for the reader to put on record first (P1)."""
    rows = (await tx.connection.execute(_NOTES, {"call": call})).all()
    return tuple(
        ClosingNote(row.staff_id, row.at, sealer.open_text(row.note, note_place(tx.practice, row.id))) for row in rows
    )


_NOTES = text(
    """
    SELECT id, staff_id, note, coalesce(ended_at, begun_at) AS at FROM script
    WHERE call_id = :call AND note IS NOT NULL ORDER BY begun_at, id
    """
)
_READ = text("SELECT revision FROM instruction_ack WHERE practice_id = :practice AND staff_id = :staff")
_ACKNOWLEDGE = text(
    """
    INSERT INTO instruction_ack (staff_id, practice_id, revision, read_at) VALUES (:staff, :practice, :revision, :now)
    ON CONFLICT (practice_id, staff_id) DO UPDATE SET revision = excluded.revision, read_at = excluded.read_at
    """
)
_DISPOSE = text("UPDATE script SET disposition = :disposition, note = :note WHERE id = :id")
