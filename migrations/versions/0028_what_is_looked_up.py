"""The ledger can be searched, a call's steps can be gone through again, and a look at them says why.

What a record is searched by is computed by the database from the record's own bytes: nobody can write one thing there
and another here. A call's trace holds prompts' names and counts of keys, no word and no key.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP, guard_statements

revision = "0028"
down_revision = "0026"

LEDGER_TEXT = """
CREATE FUNCTION ledger_text(body bytea, path text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
BEGIN
    IF substring(body FROM 1 FOR 1) <> '{'::bytea THEN
        RETURN NULL;
    END IF;
    RETURN convert_from(body, 'UTF8')::jsonb #>> path;
END $$
"""
SEARCHED = {"at": "{ts}", "event": "{event}", "actor": "{actor,id}", "subject": "{subject}", "ref": "{refs,0}"}


def upgrade() -> None:
    op.execute(LEDGER_TEXT)
    computed = ", ".join(
        f"ADD COLUMN {name} text GENERATED ALWAYS AS (ledger_text(body, '{path}')) STORED"
        for name, path in SEARCHED.items()
    )
    op.execute(f"ALTER TABLE audit_record {computed}")
    op.create_index("ix_audit_record_at", "audit_record", ["practice_id", "at", "id"])
    op.create_index("ix_audit_record_event", "audit_record", ["practice_id", "event", "at"])
    op.create_index(
        "ix_audit_record_actor",
        "audit_record",
        ["practice_id", "actor", "at"],
        postgresql_where=sa.text("actor <> 'callcenter'"),
    )
    op.create_index(
        "ix_audit_record_subject",
        "audit_record",
        ["practice_id", "subject", "at"],
        postgresql_where=sa.text("subject IS NOT NULL"),
    )
    op.create_index(
        "ix_audit_record_ref",
        "audit_record",
        ["practice_id", "ref"],
        postgresql_where=sa.text("call_id IS NULL AND ref IS NOT NULL"),
    )
    _trace()
    _reasons()


def _trace() -> None:
    op.create_table(
        "call_trace",
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("document", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("typed", sa.SmallInteger(), nullable=True),
        sa.Column("prompts", sa.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("document >= 0", name=op.f("ck_call_trace_document")),
        sa.CheckConstraint("flow ~ '^[0-9a-f]{64}$'", name=op.f("ck_call_trace_flow_is_a_digest")),
        sa.CheckConstraint("language ~ '^[a-z]{2}$'", name=op.f("ck_call_trace_language")),
        sa.CheckConstraint("asked ~ '^[a-z_]{0,40}$'", name=op.f("ck_call_trace_asked_is_a_word")),
        sa.CheckConstraint("typed >= 0", name=op.f("ck_call_trace_typed")),
        sa.CheckConstraint(
            "array_position(prompts, NULL) IS NULL AND array_to_string(prompts, ' ') ~ '^[a-z0-9_. ]*$'",
            name=op.f("ck_call_trace_prompts_are_keys"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "call_id"],
            ["call.practice_id", "call.id"],
            name=op.f("fk_call_trace_practice_id_call_id_call"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_call_trace_practice_id_practice")),
        sa.PrimaryKeyConstraint("call_id", "document", name=op.f("pk_call_trace")),
    )
    op.create_index(op.f("ix_call_trace_practice_id_at"), "call_trace", ["practice_id", "at"])
    for statement in guard_statements("call_trace"):
        op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT, DELETE ON call_trace TO {APP}")


def _reasons() -> None:
    op.create_table(
        "review_reason",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('request', 'complaint', 'incident', 'control')", name=op.f("ck_review_reason_purpose")
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_review_reason_practice_id_practice")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_account.id"], name=op.f("fk_review_reason_staff_id_staff_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_reason")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_review_reason_practice_id_id")),
    )
    op.create_index(op.f("ix_review_reason_practice_id_given_at"), "review_reason", ["practice_id", "given_at"])
    for statement in guard_statements("review_reason"):
        op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT ON review_reason TO {APP}")
