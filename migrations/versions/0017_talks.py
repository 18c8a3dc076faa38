"""Talks: whether a caller is on hold, and who is asked into a talk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP

revision = "0017"
down_revision = "0016"

#: What the server may write anew; it deletes nothing here.
_CHANGED = {"talk": ("on_hold",), "talk_party": ("state", "joined_at", "ended_at", "carrier_sid")}


def upgrade() -> None:
    op.create_table(
        "talk",
        sa.Column("reservation_id", sa.Uuid(), nullable=False),
        sa.Column("room", sa.Uuid(), nullable=False),
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("on_hold", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("seat ~ '^(operator|[0-9a-f]{32})$'", name=op.f("ck_talk_seat")),
        sa.ForeignKeyConstraint(
            ["reservation_id"], ["reservation.id"], name=op.f("fk_talk_reservation_id_reservation")
        ),
        sa.PrimaryKeyConstraint("reservation_id", name=op.f("pk_talk")),
    )
    op.create_table(
        "talk_party",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reservation_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("carrier_sid", sa.Text(), nullable=True),
        sa.CheckConstraint("(ended_at IS NULL) = (state IN ('ringing', 'there'))", name=op.f("ck_talk_party_ended")),
        sa.CheckConstraint("carrier_sid ~ '^CA[0-9a-f]{32}$'", name=op.f("ck_talk_party_carrier_sid")),
        sa.CheckConstraint(
            "state IN ('ringing', 'there', 'left', 'missed', 'failed', 'took')", name=op.f("ck_talk_party_state")
        ),
        sa.CheckConstraint(
            "state NOT IN ('there', 'left', 'took') OR joined_at IS NOT NULL", name=op.f("ck_talk_party_joined")
        ),
        sa.CheckConstraint("ends_at > made_at", name=op.f("ck_talk_party_ends_after_it_was_made")),
        sa.ForeignKeyConstraint(
            ["reservation_id"], ["reservation.id"], name=op.f("fk_talk_party_reservation_id_reservation")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["presence.staff_id"], name=op.f("fk_talk_party_staff_id_presence")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talk_party")),
    )
    op.create_index(op.f("ix_talk_party_reservation_id"), "talk_party", ["reservation_id"], unique=False)
    for column in ("reservation", "staff"):
        op.create_index(
            f"uq_talk_party_live_{column}",
            "talk_party",
            [f"{column}_id"],
            unique=True,
            postgresql_where=sa.text("state IN ('ringing', 'there')"),
        )
    for table, columns in _CHANGED.items():
        op.execute(f"GRANT SELECT, INSERT, UPDATE ({', '.join(columns)}) ON {table} TO {APP}")
