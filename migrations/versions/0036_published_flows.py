"""Flows that are published while calls go on: texts by digest, proofs, and which release calls begin in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP

revision = "0036"
down_revision = "0035"

DIGEST = "'^[0-9a-f]{64}$'"


def upgrade() -> None:
    op.create_table(
        "flow_release",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("retained_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retained_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "digest = encode(sha256(convert_to(content, 'UTF8')), 'hex')",
            name=op.f("ck_flow_release_digest_of_content"),
        ),
        sa.CheckConstraint("octet_length(content) <= 8388608", name=op.f("ck_flow_release_content_not_too_long")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_flow_release")),
        comment="texts of flows and prompts that were published at once",
    )
    op.create_table(
        "flow_version",
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.CheckConstraint(f"digest ~ {DIGEST}", name=op.f("ck_flow_version_digest")),
        sa.CheckConstraint("name ~ '^[a-z][a-z0-9_]{0,59}$'", name=op.f("ck_flow_version_name")),
        sa.ForeignKeyConstraint(
            ["release"], ["flow_release.digest"], name=op.f("fk_flow_version_release_flow_release")
        ),
        sa.PrimaryKeyConstraint("release", "digest", name=op.f("pk_flow_version")),
        comment="flows of a release; calls and records name them by digest",
    )
    op.create_index(op.f("ix_flow_version_digest"), "flow_version", ["digest"])
    op.create_table(
        "flow_proof",
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("prover", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("proven_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"flow ~ {DIGEST}", name=op.f("ck_flow_proof_flow")),
        sa.CheckConstraint(f"prover ~ {DIGEST}", name=op.f("ck_flow_proof_prover")),
        sa.CheckConstraint(f"policy ~ {DIGEST}", name=op.f("ck_flow_proof_policy")),
        sa.PrimaryKeyConstraint("flow", "prover", "policy", name=op.f("pk_flow_proof")),
        comment="that a flow was proven, by which prover, against which policy; each server proves again what it runs",
    )
    op.create_table(
        "flow_publication",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["release"], ["flow_release.digest"], name=op.f("fk_flow_publication_release_flow_release")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_flow_publication")),
        comment="which release calls begin in: the last one",
    )
    # What was published stays as it was published, and that it was: no UPDATE, no DELETE.
    for table in ("flow_release", "flow_version", "flow_proof", "flow_publication"):
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {APP}")
