"""Extracts of the register that patients ask for: who asked, how that was checked, what the practice decided."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP, guard_statements

revision = "0038"
down_revision = "0037"

#: Not sooner than a month after the decision by the database's own clock, whatever is asked; and where none was taken,
#: a year after it was asked for.
FORGET_EXTRACTS = """
CREATE FUNCTION forget_extracts(before timestamptz) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    own uuid := current_setting('app.practice')::uuid;
    old uuid[];
BEGIN
    SELECT array_agg(id) INTO old FROM (
        SELECT e.id FROM register_extract e
        WHERE e.practice_id = own
          AND (e.closed_at < least(before, now() - interval '31 days')
            OR e.closed_at IS NULL AND e.prepared_at < least(before, now() - interval '365 days'))
          AND EXISTS (SELECT FROM extract_file f WHERE f.practice_id = own AND f.extract_id = e.id)
        ORDER BY e.prepared_at LIMIT 500
    ) AS past;
    DELETE FROM extract_words WHERE practice_id = own AND extract_id = ANY (old);
    DELETE FROM extract_file WHERE practice_id = own AND extract_id = ANY (old);
    RETURN coalesce(cardinality(old), 0);
END $$
"""


def upgrade() -> None:
    _extract()
    _behind()
    for table in ("extract_file", "extract_words"):
        for statement in guard_statements(table):
            op.execute(statement)
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE (closed_by, closed_at, outcome) ON register_extract TO {APP}")
    op.execute(FORGET_EXTRACTS)
    op.execute("REVOKE ALL ON FUNCTION forget_extracts FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION forget_extracts TO {APP}")
    # Decided once: what was declined is never released, and who released it first stays.
    for column in ("closed_by", "closed_at", "outcome"):
        op.execute(
            f"CREATE TRIGGER register_extract_{column}_once BEFORE UPDATE OF {column} ON register_extract FOR EACH ROW "
            f"WHEN (OLD.{column} IS NOT NULL AND NEW.{column} IS DISTINCT FROM OLD.{column}) "
            f"EXECUTE FUNCTION refuse_return('{column}')"
        )


def _extract() -> None:
    op.create_table(
        "register_extract",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("asks", sa.Text(), nullable=False),
        sa.Column("identity_check", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("prepared_by", sa.Uuid(), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "asks IN ('patient', 'parent', 'guardian', 'mandated')", name=op.f("ck_register_extract_asks")
        ),
        sa.CheckConstraint(
            "identity_check IN ('in_person', 'letter', 'verified_call')",
            name=op.f("ck_register_extract_identity_check"),
        ),
        sa.CheckConstraint("outcome IN ('released', 'declined')", name=op.f("ck_register_extract_outcome")),
        sa.CheckConstraint(
            "(identity_check = 'verified_call') = (call_id IS NOT NULL)",
            name=op.f("ck_register_extract_verified_in_a_call"),
        ),
        sa.CheckConstraint(
            "asks = 'patient' OR identity_check <> 'verified_call'",
            name=op.f("ck_register_extract_who_acts_for_them_shows_it"),
        ),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_register_extract_a_period")),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL) = (outcome IS NULL)",
            name=op.f("ck_register_extract_closed_by_somebody"),
        ),
        sa.CheckConstraint("closed_at >= prepared_at", name=op.f("ck_register_extract_closed_later")),
        sa.ForeignKeyConstraint(
            ["practice_id", "call_id"],
            ["call.practice_id", "call.id"],
            name=op.f("fk_register_extract_practice_id_call_id_call"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"], ["practice.id"], name=op.f("fk_register_extract_practice_id_practice")
        ),
        sa.ForeignKeyConstraint(
            ["prepared_by"], ["staff_account.id"], name=op.f("fk_register_extract_prepared_by_staff_account")
        ),
        sa.ForeignKeyConstraint(
            ["closed_by"], ["staff_account.id"], name=op.f("fk_register_extract_closed_by_staff_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_extract")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_register_extract_practice_id_id")),
    )
    op.create_index(
        op.f("ix_register_extract_practice_id_prepared_at"), "register_extract", ["practice_id", "prepared_at"]
    )


def _behind() -> None:
    op.create_table(
        "extract_file",
        sa.Column("extract_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("reason_id", sa.Uuid(), nullable=False),
        sa.Column("named", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["practice_id", "extract_id"],
            ["register_extract.practice_id", "register_extract.id"],
            name=op.f("fk_extract_file_practice_id_extract_id_register_extract"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "patient_id"],
            ["patient.practice_id", "patient.id"],
            name=op.f("fk_extract_file_practice_id_patient_id_patient"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "reason_id"],
            ["review_reason.practice_id", "review_reason.id"],
            name=op.f("fk_extract_file_practice_id_reason_id_review_reason"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_extract_file_practice_id_practice")),
        sa.PrimaryKeyConstraint("extract_id", name=op.f("pk_extract_file")),
    )
    op.create_table(
        "extract_words",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("extract_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('staff', 'declined')", name=op.f("ck_extract_words_kind")),
        sa.ForeignKeyConstraint(
            ["practice_id", "extract_id"],
            ["register_extract.practice_id", "register_extract.id"],
            name=op.f("fk_extract_words_practice_id_extract_id_register_extract"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_extract_words_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extract_words")),
    )
    op.create_index(op.f("ix_extract_words_practice_id_extract_id"), "extract_words", ["practice_id", "extract_id"])
