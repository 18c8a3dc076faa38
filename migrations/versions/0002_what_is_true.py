"""What is true is in the schema: references stay within a practice.

Expands tables that stand; every row that 0001 and its program could write is kept.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _keep_references_within_a_practice()


# --- references


def _keep_references_within_a_practice() -> None:
    """Foreign keys ignore row-level security: each that names a row of a practice names the practice too (P5)."""
    for table, columns in (
        ("call", ("practice_id", "id")),
        ("call_session", ("practice_id", "id")),
        ("contact", ("practice_id", "patient_id", "id")),
    ):
        op.create_unique_constraint(op.f(f"uq_{table}_{'_'.join(columns)}"), table, columns)
    for table, column in (("call_session", "id"), ("audio", "call_id"), ("challenge", "call_id")):
        op.drop_constraint(op.f(f"fk_{table}_{column}_call"), table, type_="foreignkey")
        _refer(table, column, "call")
    op.drop_constraint(op.f("fk_step_answer_call_id_call_session"), "step_answer", type_="foreignkey")
    _refer("step_answer", "call_id", "call_session", ondelete="CASCADE")
    _refer("audit_record", "call_id", "call")
    _refer("message", "call_reference", "call", ondelete="SET NULL (call_reference)")
    _bind_contact_of_challenge()


def _refer(table: str, column: str, to: str, *, ondelete: str | None = None) -> None:
    name = op.f(f"fk_{table}_practice_id_{column}_{to}")
    op.create_foreign_key(name, table, to, ["practice_id", column], ["practice_id", "id"], ondelete=ondelete)


def _bind_contact_of_challenge() -> None:
    """A code goes to a telephone of the patient whom it proves. One that leaves the file leaves its challenges too."""
    op.drop_constraint(op.f("fk_challenge_practice_id_contact_id_contact"), "challenge", type_="foreignkey")
    op.create_foreign_key(
        op.f("fk_challenge_practice_id_patient_id_contact_id_contact"),
        "challenge",
        "contact",
        ["practice_id", "patient_id", "contact_id"],
        ["practice_id", "patient_id", "id"],
        ondelete="SET NULL (contact_id)",
    )
    op.drop_constraint(op.f("ck_challenge_real_or_decoy"), "challenge", type_="check")
    op.create_check_constraint(
        op.f("ck_challenge_contact_of_a_patient"), "challenge", "contact_id IS NULL OR patient_id IS NOT NULL"
    )
