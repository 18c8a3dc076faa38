"""The statements of a script, named and in one place."""

from __future__ import annotations

from sqlalchemy import text

from callcenter.audit import not_refused

#: Whose call a reservation is of, before its locks are taken.
WHOSE = text("SELECT call_id FROM reservation WHERE id = :id AND staff_id = :staff")

#: With the locks: since when the caller is at their keys; and, of a talk that is over, whether its operator may still
#: note what it was about: another call may have come while they wrote.
STANDS = text(
    "SELECT r.keypad_at, r.state = 'over' AND r.ended_at > :since AS noting FROM reservation r WHERE r.id = :id"
)

LOAD = text("SELECT document, state, shown, emergency_at, ended_at FROM script WHERE id = :id")

BEGIN = text(
    """
    INSERT INTO script (id, practice_id, call_id, staff_id, document, begun_at)
    VALUES (:id, :practice, :call, :staff, 1, :now)
    """
)

SAVE = text(
    """
    UPDATE script SET document = :document, state = :state, shown = :shown, shown_until = :shown_until,
        ended_at = CASE WHEN :ended AND disposition IS NOT NULL
                   THEN greatest(cast(:now AS timestamptz), begun_at) ELSE ended_at END
    WHERE id = :id
    """
)

SAVE_STATE = text("UPDATE script SET state = :state WHERE id = :id")

HIDE = text("UPDATE script SET shown = NULL, shown_until = NULL WHERE id = :id")

#: With what is on record of it: the state has where its stream has come to.
HIDE_EARLY = text("UPDATE script SET state = :state, shown = :shown, shown_until = :shown_until WHERE id = :id")

EMERGENCY = text("UPDATE script SET emergency_at = :now WHERE id = :id AND emergency_at IS NULL RETURNING id")

#: What this operator's part of a call has put on record, the latest of it.
TIMELINE = text(
    f"""
    SELECT body FROM (
        SELECT seq, body FROM audit_record r WHERE stream = :stream AND {not_refused.STANDS}
        ORDER BY seq DESC LIMIT :most
    ) AS latest ORDER BY seq
    """  # noqa: S608 - our own words alone
)
