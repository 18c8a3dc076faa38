"""Glass that supervisors break in an emergency: who, for whom, and who has reviewed it; the words, and whose file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP, guard_statements

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    _break()
    _behind()
    for table in ("glass_words", "glass_file"):
        for statement in guard_statements(table):
            op.execute(statement)
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE (reviewed_at, reviewed_by, verdict) ON glass_break TO {APP}")
    # Reviewed once: nobody gives another verdict, the owner neither.
    for column in ("reviewed_at", "reviewed_by", "verdict"):
        op.execute(
            f"CREATE TRIGGER glass_break_{column}_once BEFORE UPDATE OF {column} ON glass_break FOR EACH ROW "
            f"WHEN (OLD.{column} IS NOT NULL AND NEW.{column} IS DISTINCT FROM OLD.{column}) "
            f"EXECUTE FUNCTION refuse_return('{column}')"
        )


def _break() -> None:
    op.create_table(
        "glass_break",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("asks", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=True),
        sa.Column("broken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.CheckConstraint("asks IN ('rescue', 'hospital', 'bystander')", name=op.f("ck_glass_break_asks")),
        sa.CheckConstraint("verdict IN ('justified', 'unjustified')", name=op.f("ck_glass_break_verdict")),
        sa.CheckConstraint(
            "broken_at >= confirmed_at AND broken_at <= confirmed_at + interval '5 minutes'",
            name=op.f("ck_glass_break_confirmed_just_now"),
        ),
        sa.CheckConstraint(
            "(reviewed_at IS NULL) = (reviewed_by IS NULL) AND (reviewed_at IS NULL) = (verdict IS NULL)",
            name=op.f("ck_glass_break_reviewed_by_somebody"),
        ),
        sa.CheckConstraint("reviewed_by <> staff_id", name=op.f("ck_glass_break_two_persons")),
        sa.CheckConstraint("reviewed_at >= broken_at", name=op.f("ck_glass_break_reviewed_later")),
        sa.ForeignKeyConstraint(
            ["practice_id", "call_id"],
            ["call.practice_id", "call.id"],
            name=op.f("fk_glass_break_practice_id_call_id_call"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_glass_break_practice_id_practice")),
        sa.ForeignKeyConstraint(
            ["reviewed_by"], ["staff_account.id"], name=op.f("fk_glass_break_reviewed_by_staff_account")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_glass_break_staff_id_staff_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_glass_break")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_glass_break_practice_id_id")),
        sa.UniqueConstraint("staff_id", "confirmed_at", name=op.f("uq_glass_break_staff_id_confirmed_at")),
    )
    op.create_index(op.f("ix_glass_break_practice_id_broken_at"), "glass_break", ["practice_id", "broken_at"])
    op.create_index(
        "ix_glass_break_to_review", "glass_break", ["broken_at"], postgresql_where=sa.text("reviewed_at IS NULL")
    )


def _behind() -> None:
    op.create_table(
        "glass_words",
        sa.Column("glass_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('asked', 'verdict')", name=op.f("ck_glass_words_kind")),
        sa.ForeignKeyConstraint(
            ["practice_id", "glass_id"],
            ["glass_break.practice_id", "glass_break.id"],
            name=op.f("fk_glass_words_practice_id_glass_id_glass_break"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_glass_words_practice_id_practice")),
        sa.PrimaryKeyConstraint("glass_id", "kind", name=op.f("pk_glass_words")),
    )
    op.create_table(
        "glass_file",
        sa.Column("glass_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["practice_id", "glass_id"],
            ["glass_break.practice_id", "glass_break.id"],
            name=op.f("fk_glass_file_practice_id_glass_id_glass_break"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "patient_id"],
            ["patient.practice_id", "patient.id"],
            name=op.f("fk_glass_file_practice_id_patient_id_patient"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_glass_file_practice_id_practice")),
        sa.PrimaryKeyConstraint("glass_id", name=op.f("pk_glass_file")),
    )
