"""The script of an operator's call, what it bounds, and what is written down in it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP, guard_statements

revision = "0026"
down_revision = "0025"

#: The server may not delete what bounds guessing, but for what counts no more.
FORGET_OPERATOR_CLAIMS = """
CREATE FUNCTION forget_operator_claims(before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM operator_claim WHERE hour < least(before, now() - interval '24 hours');
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$
"""


def upgrade() -> None:
    _script()
    _instruction_ack()
    _operator_claim()
    _message_text()
    for table in ("script", "instruction_ack"):
        for statement in guard_statements(table):
            op.execute(statement)
    changeable = "document, state, shown, shown_until, disposition, note, emergency_at, ended_at"
    op.execute(f"GRANT SELECT, INSERT, UPDATE ({changeable}) ON script TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE (revision, read_at) ON instruction_ack TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE (claims) ON operator_claim TO {APP}")
    op.execute(FORGET_OPERATOR_CLAIMS)
    op.execute("REVOKE ALL ON FUNCTION forget_operator_claims FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION forget_operator_claims TO {APP}")


def _script() -> None:
    op.create_table(
        "script",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("document", sa.Integer(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=True),
        sa.Column("shown", sa.LargeBinary(), nullable=True),
        sa.Column("shown_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("emergency_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("document >= 1", name=op.f("ck_script_document")),
        sa.CheckConstraint("(shown IS NULL) = (shown_until IS NULL)", name=op.f("ck_script_shown_until_a_time")),
        sa.CheckConstraint("disposition ~ '^[a-z_]{1,40}$'", name=op.f("ck_script_disposition_is_a_key")),
        sa.CheckConstraint(
            "ended_at IS NULL OR disposition IS NOT NULL", name=op.f("ck_script_ended_with_a_disposition")
        ),
        sa.CheckConstraint("ended_at >= begun_at", name=op.f("ck_script_ends_after_it_began")),
        sa.CheckConstraint("ended_at IS NULL OR shown IS NULL", name=op.f("ck_script_nothing_shown_once_ended")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_script_practice_id_practice")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_script_staff_id_staff_account")),
        sa.ForeignKeyConstraint(
            ["practice_id", "call_id"],
            ["call.practice_id", "call.id"],
            name=op.f("fk_script_practice_id_call_id_call"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_script")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_script_practice_id_id")),
    )
    op.create_index(op.f("ix_script_practice_id_call_id"), "script", ["practice_id", "call_id"], unique=False)
    op.create_index(
        "ix_script_shown",
        "script",
        ["practice_id", "shown_until"],
        unique=False,
        postgresql_where=sa.text("shown IS NOT NULL"),
    )
    op.create_index(
        "ix_script_open",
        "script",
        ["practice_id", "begun_at"],
        unique=False,
        postgresql_where=sa.text("state IS NOT NULL"),
    )


def _instruction_ack() -> None:
    op.create_table(
        "instruction_ack",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("revision >= 0", name=op.f("ck_instruction_ack_revision")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_instruction_ack_practice_id_practice")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_account.id"], name=op.f("fk_instruction_ack_staff_id_staff_account")
        ),
        sa.PrimaryKeyConstraint("practice_id", "staff_id", name=op.f("pk_instruction_ack")),
    )


def _operator_claim() -> None:
    op.create_table(
        "operator_claim",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.CheckConstraint("claims > 0", name=op.f("ck_operator_claim_claims")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_account.id"], name=op.f("fk_operator_claim_staff_id_staff_account")
        ),
        sa.PrimaryKeyConstraint("staff_id", "hour", name=op.f("pk_operator_claim")),
    )


def _message_text() -> None:
    op.add_column("message", sa.Column("text", sa.LargeBinary(), nullable=True))
    op.drop_constraint(op.f("ck_message_can_be_called_back"), "message")
    op.create_check_constraint(
        op.f("ck_message_can_be_called_back"), "message", "kind = 'voice' OR number IS NOT NULL OR text IS NOT NULL"
    )
