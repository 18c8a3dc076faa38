"""Reminders sent again and calls returned: what a caller asked for, until it is done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP, guard_statements

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "outreach",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("claim", sa.LargeBinary(), nullable=True),
        sa.Column("caller", sa.LargeBinary(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("line", sa.LargeBinary(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("reached_call_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind IN ('reminder', 'return_call')", name=op.f("ck_outreach_kind")),
        sa.CheckConstraint("octet_length(caller) = 32", name=op.f("ck_outreach_caller_is_a_digest")),
        sa.CheckConstraint("octet_length(line) = 32", name=op.f("ck_outreach_line_is_a_digest")),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_outreach_token_hash_is_a_digest")),
        sa.CheckConstraint(
            "token_hash IS NULL OR kind = 'return_call'", name=op.f("ck_outreach_only_a_return_call_rings")
        ),
        sa.CheckConstraint(
            "contact_id IS NULL OR patient_id IS NOT NULL", name=op.f("ck_outreach_contact_of_a_patient")
        ),
        sa.CheckConstraint(
            "reached_call_id IS NULL OR token_hash IS NOT NULL", name=op.f("ck_outreach_reached_by_its_token")
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_outreach_practice_id_practice")),
        sa.ForeignKeyConstraint(
            ["practice_id", "call_id"],
            ["call.practice_id", "call.id"],
            name=op.f("fk_outreach_practice_id_call_id_call"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "reached_call_id"],
            ["call.practice_id", "call.id"],
            name=op.f("fk_outreach_practice_id_reached_call_id_call"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "patient_id"],
            ["patient.practice_id", "patient.id"],
            name=op.f("fk_outreach_practice_id_patient_id_patient"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "patient_id", "contact_id"],
            ["contact.practice_id", "contact.patient_id", "contact.id"],
            name=op.f("fk_outreach_practice_id_patient_id_contact_id_contact"),
            ondelete="SET NULL (contact_id)",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outreach")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_outreach_practice_id_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_outreach_token_hash")),
    )
    for columns in (("call_id",), ("caller", "asked_at"), ("patient_id", "asked_at"), ("line", "asked_at")):
        name = op.f(f"ix_outreach_practice_id_{'_'.join(columns)}")
        op.create_index(name, "outreach", ["practice_id", *columns], unique=False)
    for statement in guard_statements("outreach"):
        op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON outreach TO {APP}")
