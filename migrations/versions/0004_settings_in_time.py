"""A practice's settings become versions in time; what stood until now is each practice's first revision."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP

revision = "0004"
down_revision = "0003"

#: Settings that stood in columns of ``practice``, as JSON.
FROM_COLUMNS = {
    "name": "to_jsonb(p.name)",
    "spoken_name": "to_jsonb(p.spoken_name)",
    "address": "to_jsonb(p.address)",
    "access": "to_jsonb(p.access)",
    "timezone": "to_jsonb(p.timezone)",
    "holiday_subdivision": "coalesce(to_jsonb(p.holiday_subdivision), 'null'::jsonb)",
    "rescue_number": "to_jsonb(p.rescue_number)",
    "closing_conduct": "to_jsonb(p.closing_conduct)",
    "out_of_hours_number": "to_jsonb(p.out_of_hours_number)",
    "voice": "to_jsonb(p.voice)",
    "numbers": "(SELECT coalesce(jsonb_object_agg(n.number, n.entry), '{}') FROM directory_number n "
    "WHERE n.practice_id = p.id)",
    "other_lines": "(SELECT coalesce(jsonb_agg(l.number ORDER BY l.number), '[]') FROM own_line l "
    "WHERE l.practice_id = p.id)",
    "hours": "(SELECT coalesce(jsonb_object_agg(d.day, d.hours), '{}') FROM ("
    "SELECT (ARRAY['lundi', 'mardi', 'mercredi', 'jeudi', 'vendredi', 'samedi', 'dimanche'])[h.weekday + 1] AS day, "
    "jsonb_agg(to_char(h.opens, 'HH24:MI') || '-' || to_char(h.closes, 'HH24:MI') ORDER BY h.opens) AS hours "
    "FROM opening_hours h WHERE h.practice_id = p.id GROUP BY h.weekday) d)",
    "reception": "'[]'::jsonb",
    "answer_mode": "'\"menu\"'::jsonb",
    "agenda": "'\"internal\"'::jsonb",
}

#: Columns of ``practice`` that are versions now, with the conditions on them.
GONE = ("name", "spoken_name", "address", "access", "timezone", "holiday_subdivision", "closing_conduct")
GONE_TOO = ("out_of_hours_number", "voice")


def upgrade() -> None:
    _create()
    op.add_column("practice", sa.Column("revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(op.f("ck_practice_revision"), "practice", "revision >= 0")
    for setting, value in FROM_COLUMNS.items():
        as_version = (
            f"SELECT p.id, 1, '{setting}', CAST({value} AS json), 'epoch', now(), 'migration', '' FROM practice p"  # noqa: S608 - both are written above
        )
        op.execute(
            "INSERT INTO setting_version "
            f"(practice_id, revision, setting, value, effective_from, made_at, made_by, note) {as_version}"
        )
    op.execute("UPDATE practice SET revision = 1")
    op.drop_table("opening_hours")
    op.drop_column("directory_number", "entry")
    for column in (*GONE, *GONE_TOO):
        op.drop_column("practice", column)


def _create() -> None:
    op.create_table(
        "setting_version",
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("setting", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("withdrawn_revision", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("setting ~ '^[a-z_]+$'", name=op.f("ck_setting_version_setting_is_a_key")),
        sa.CheckConstraint("revision > 0", name=op.f("ck_setting_version_revision")),
        sa.CheckConstraint("effective_to > effective_from", name=op.f("ck_setting_version_ends_after_it_begins")),
        sa.CheckConstraint("withdrawn_revision > revision", name=op.f("ck_setting_version_withdrawn_later")),
        sa.CheckConstraint("octet_length(value::text) <= 65536", name=op.f("ck_setting_version_value_is_short")),
        sa.CheckConstraint("char_length(note) <= 500", name=op.f("ck_setting_version_note_is_short")),
        sa.CheckConstraint("btrim(made_by) <> ''", name=op.f("ck_setting_version_made_by_not_empty")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_setting_version_practice_id_practice")),
        sa.PrimaryKeyConstraint("practice_id", "setting", "revision", name=op.f("pk_setting_version")),
    )
    # A version is never changed, only taken back.
    op.execute(f"GRANT SELECT, INSERT, UPDATE (withdrawn_revision) ON setting_version TO {APP}")
