"""The comparison with the carrier's list of calls: which days were compared, and about what the two do not agree."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    op.create_table(
        "carrier_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("compared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("theirs", sa.Integer(), nullable=False),
        sa.Column("ours", sa.Integer(), nullable=False),
        sa.CheckConstraint("theirs >= 0 AND ours >= 0", name=op.f("ck_carrier_day_counts")),
        sa.CheckConstraint(
            "compared_at >= (day + 1)::timestamp AT TIME ZONE 'UTC'",
            name=op.f("ck_carrier_day_compared_once_it_was_over"),
        ),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_carrier_day")),
    )
    op.create_table(
        "carrier_finding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('call_unknown', 'call_never_had', 'times_differ')", name=op.f("ck_carrier_finding_kind")
        ),
        sa.CheckConstraint(
            "cause IN ('outage', 'rescue', 'test', 'elsewhere', 'clock', 'incident')",
            name=op.f("ck_carrier_finding_cause"),
        ),
        sa.CheckConstraint("sid ~ '^CA[0-9a-f]{32}$'", name=op.f("ck_carrier_finding_sid")),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (settled_by IS NULL) AND (settled_at IS NULL) = (cause IS NULL)",
            name=op.f("ck_carrier_finding_settled_by_somebody_for_a_cause"),
        ),
        sa.CheckConstraint("settled_at >= found_at", name=op.f("ck_carrier_finding_settled_later")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_carrier_finding_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_finding")),
        sa.UniqueConstraint("sid", "kind", name=op.f("uq_carrier_finding_sid_kind")),
    )
    op.create_index(
        "ix_carrier_finding_open", "carrier_finding", ["found_at"], postgresql_where=sa.text("settled_at IS NULL")
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE (compared_at, theirs, ours) ON carrier_day TO {APP}")
    # What was found stays: no DELETE, and nothing of it is changed but that it is settled, once, by the owner neither.
    op.execute(f"GRANT SELECT, INSERT, UPDATE (settled_at, settled_by, cause) ON carrier_finding TO {APP}")
    for column in ("settled_at", "settled_by", "cause"):
        op.execute(
            f"CREATE TRIGGER carrier_finding_{column}_once BEFORE UPDATE OF {column} ON carrier_finding FOR EACH ROW "
            f"WHEN (OLD.{column} IS NOT NULL AND NEW.{column} IS DISTINCT FROM OLD.{column}) "
            f"EXECUTE FUNCTION refuse_return('{column}')"
        )
