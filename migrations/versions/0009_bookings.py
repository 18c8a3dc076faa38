"""Booking by telephone: slots held and booked, references of bookings and of printed cards, and tries at them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP, guard_statements

revision = "0009"
down_revision = "0008"

#: The server may not delete what bounds guessing, but for what counts no more.
FORGET_REFERENCE_TRIES = """
CREATE FUNCTION forget_reference_tries(before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    own uuid := current_setting('app.practice')::uuid;
    gone bigint;
BEGIN
    DELETE FROM reference_try
    WHERE practice_id = own AND at < least(before, now() - interval '24 hours');
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$
"""


def upgrade() -> None:
    _card_references()
    _slot_hold()
    _booking_request()
    _reference_tries()
    for table in ("slot_hold", "booking_request", "reference_try"):
        for statement in guard_statements(table):
            op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON slot_hold TO {APP}")
    # What a caller typed is never changed; what becomes of the booking is.
    op.execute(f"GRANT SELECT, INSERT ON booking_request TO {APP}")
    changeable = "starts_at, duration_minutes, state, spoken_name, changed_at, handled_at, handled_by"
    op.execute(f"GRANT UPDATE ({changeable}) ON booking_request TO {APP}")
    op.execute(f'GRANT SELECT, INSERT, UPDATE ("right") ON reference_try TO {APP}')
    op.execute(f"GRANT SELECT, INSERT, UPDATE (wrong) ON reference_tally TO {APP}")
    op.execute(FORGET_REFERENCE_TRIES)
    op.execute("REVOKE ALL ON FUNCTION forget_reference_tries FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION forget_reference_tries TO {APP}")


def _card_references() -> None:
    op.add_column("appointment", sa.Column("reference_index", sa.LargeBinary(), nullable=True))
    op.create_check_constraint(
        op.f("ck_appointment_reference_index_is_a_digest"), "appointment", "octet_length(reference_index) = 32"
    )
    op.create_index(
        "uq_appointment_reference",
        "appointment",
        ["practice_id", "reference_index"],
        unique=True,
        postgresql_where=sa.text("reference_index IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_appointment_practice_id_practitioner_id_starts_at"),
        "appointment",
        ["practice_id", "practitioner_id", "starts_at"],
    )
    op.drop_index(op.f("ix_appointment_practice_id_practitioner_id"), "appointment")  # the longer one serves for both


def _slot_hold() -> None:
    op.create_table(
        "slot_hold",
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_minutes", sa.SmallInteger(), nullable=False),
        sa.Column("caller_index", sa.LargeBinary(), nullable=True),
        sa.Column("offered", sa.SmallInteger(), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("duration_minutes BETWEEN 1 AND 1440", name=op.f("ck_slot_hold_duration_within_a_day")),
        sa.CheckConstraint("offered BETWEEN 1 AND 10", name=op.f("ck_slot_hold_offered_a_few")),
        sa.CheckConstraint("octet_length(caller_index) = 32", name=op.f("ck_slot_hold_caller_index_is_a_digest")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_slot_hold_practice_id_practice")),
        sa.ForeignKeyConstraint(
            ["practice_id", "call_id"],
            ["call.practice_id", "call.id"],
            name=op.f("fk_slot_hold_practice_id_call_id_call"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "practitioner_id"],
            ["practitioner.practice_id", "practitioner.id"],
            name=op.f("fk_slot_hold_practice_id_practitioner_id_practitioner"),
        ),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_slot_hold")),
        sa.UniqueConstraint(
            "practice_id",
            "practitioner_id",
            "starts_at",
            name=op.f("uq_slot_hold_practice_id_practitioner_id_starts_at"),
        ),
    )
    op.create_index(op.f("ix_slot_hold_practice_id_held_until"), "slot_hold", ["practice_id", "held_until"])


def _booking_request() -> None:
    op.create_table(
        "booking_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_minutes", sa.SmallInteger(), nullable=False),
        sa.Column("birth_date", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("spoken_name", sa.Uuid(), nullable=True),
        sa.Column("reference_index", sa.LargeBinary(), nullable=False),
        sa.Column("caller_index", sa.LargeBinary(), nullable=True),
        sa.Column("number_index", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("call_reference", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handled_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "duration_minutes BETWEEN 1 AND 1440", name=op.f("ck_booking_request_duration_within_a_day")
        ),
        sa.CheckConstraint("state IN ('open', 'cancelled')", name=op.f("ck_booking_request_state")),
        sa.CheckConstraint(
            "(handled_at IS NULL) = (handled_by IS NULL)", name=op.f("ck_booking_request_handled_by_somebody")
        ),
        sa.CheckConstraint("changed_at >= created_at", name=op.f("ck_booking_request_changed_once_made")),
        sa.CheckConstraint("btrim(handled_by) <> ''", name=op.f("ck_booking_request_handled_by_not_empty")),
        *(
            sa.CheckConstraint(f"octet_length({column}) = 32", name=op.f(f"ck_booking_request_{column}_is_a_digest"))
            for column in ("reference_index", "caller_index", "number_index")
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_booking_request_practice_id_practice")),
        sa.ForeignKeyConstraint(
            ["practice_id", "practitioner_id"],
            ["practitioner.practice_id", "practitioner.id"],
            name=op.f("fk_booking_request_practice_id_practitioner_id_practitioner"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "call_reference"],
            ["call.practice_id", "call.id"],
            name=op.f("fk_booking_request_practice_id_call_reference_call"),
            ondelete="SET NULL (call_reference)",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_request")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_booking_request_practice_id_id")),
        sa.UniqueConstraint(
            "practice_id", "reference_index", name=op.f("uq_booking_request_practice_id_reference_index")
        ),
    )
    op.create_index(
        "uq_booking_request_slot",
        "booking_request",
        ["practice_id", "practitioner_id", "starts_at"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_booking_request_waiting",
        "booking_request",
        ["practice_id", "created_at", "id"],
        postgresql_where=sa.text("handled_at IS NULL"),
    )
    for column in ("number_index", "caller_index"):
        name = op.f(f"ix_booking_request_practice_id_{column}")
        op.create_index(name, "booking_request", ["practice_id", column])


def _reference_tries() -> None:
    op.create_table(
        "reference_try",
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("document", sa.Integer(), nullable=False),
        sa.Column("keyed", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.LargeBinary(), nullable=False),
        sa.Column("caller_index", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("right", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint("document >= 0", name=op.f("ck_reference_try_document")),
        sa.CheckConstraint("kind IN ('reference', 'birth_date')", name=op.f("ck_reference_try_kind")),
        *(
            sa.CheckConstraint(f"octet_length({column}) = 32", name=op.f(f"ck_reference_try_{column}_is_a_digest"))
            for column in ("keyed", "target", "caller_index")
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_reference_try_practice_id_practice")),
        sa.PrimaryKeyConstraint("call_id", "document", "keyed", name=op.f("pk_reference_try")),
    )
    op.create_index(op.f("ix_reference_try_practice_id_at"), "reference_try", ["practice_id", "at"])
    op.create_table(
        "reference_tally",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", name=op.f("pk_reference_tally")),
    )
