"""Callers who waited and are rung back: at which number, and each attempt at it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP, guard_statements

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "callback",
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=True),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(line) = 32", name=op.f("ck_callback_line_is_a_digest")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_callback_practice_id_practice")),
        sa.ForeignKeyConstraint(
            ["practice_id", "call_id"],
            ["call.practice_id", "call.id"],
            name=op.f("fk_callback_practice_id_call_id_call"),
        ),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_callback")),
        sa.UniqueConstraint("practice_id", "call_id", name=op.f("uq_callback_practice_id_call_id")),
    )
    op.create_index(
        op.f("ix_callback_practice_id_line_asked_at"), "callback", ["practice_id", "line", "asked_at"], unique=False
    )
    op.create_table(
        "callback_ring",
        sa.Column("reservation_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("operator_leg", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reached_call_id", sa.Uuid(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("operator_leg ~ '^CA[0-9a-f]{32}$'", name=op.f("ck_callback_ring_operator_leg_is_a_leg")),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_callback_ring_token_hash_is_a_digest")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_callback_ring_practice_id_practice")),
        sa.ForeignKeyConstraint(
            ["practice_id", "call_id"],
            ["callback.practice_id", "callback.call_id"],
            name=op.f("fk_callback_ring_practice_id_call_id_callback"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "reached_call_id"],
            ["call.practice_id", "call.id"],
            name=op.f("fk_callback_ring_practice_id_reached_call_id_call"),
        ),
        sa.PrimaryKeyConstraint("reservation_id", name=op.f("pk_callback_ring")),
        sa.UniqueConstraint("reached_call_id", name=op.f("uq_callback_ring_reached_call_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_callback_ring_token_hash")),
    )
    op.create_index(
        op.f("ix_callback_ring_practice_id_call_id"), "callback_ring", ["practice_id", "call_id"], unique=False
    )
    for table in ("callback", "callback_ring"):
        for statement in guard_statements(table):
            op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT, UPDATE (number) ON callback TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE (reached_call_id, told_at) ON callback_ring TO {APP}")
    # A caller who was rung back goes on in a call of their own, and the operator with them.
    op.execute(f"GRANT UPDATE (call_id) ON reservation TO {APP}")
