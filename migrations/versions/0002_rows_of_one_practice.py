"""Whatever belongs to a call is of the call's practice, and a patient's token in the ledger never changes.

Foreign keys ignore row-level security: with keys that left the practice out, a row of one practice could stand in the
way of another practice's call. The app role may update ``audit_subject`` because of its upsert; now only in vain.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

#: What names a call: the table, its column, what it refers to, and what follows a removal.
_OF_A_CALL = (
    ("call_session", "id", "call", None),
    ("step_answer", "call_id", "call_session", "CASCADE"),
    ("audio", "call_id", "call", None),
    ("challenge", "call_id", "call", None),
)


def upgrade() -> None:
    for table in ("call", "call_session"):
        op.create_unique_constraint(op.f(f"uq_{table}_practice_id_id"), table, ["practice_id", "id"])
    for table, column, referred, on_removal in _OF_A_CALL:
        op.create_foreign_key(
            op.f(f"fk_{table}_practice_id_{column}_{referred}"),
            table,
            referred,
            ["practice_id", column],
            ["practice_id", "id"],
            ondelete=on_removal,
        )
        op.drop_constraint(op.f(f"fk_{table}_{column}_{referred}"), table, type_="foreignkey")
    op.execute(
        "CREATE TRIGGER audit_subject_unchanged BEFORE UPDATE ON audit_subject FOR EACH ROW "
        "WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION refuse_change()"
    )
