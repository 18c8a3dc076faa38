"""Who is told that messages wait, and what was sent; reminders of appointments, and who wants none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP, guard_statements

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    _notice_address()
    _message_notice()
    _escalation()
    _reminder()
    _reminder_choice()
    for table in ("notice_address", "message_notice", "reminder", "reminder_choice"):
        for statement in guard_statements(table):
            op.execute(statement)
    # An address is not changed, and a choice stands for as long as its patient: a later one overrides it.
    op.execute(f"GRANT SELECT, INSERT, DELETE ON notice_address TO {APP}")
    op.execute(f"GRANT SELECT, INSERT ON reminder_choice TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON message_notice, escalation, reminder TO {APP}")


def _notice_address() -> None:
    op.create_table(
        "notice_address",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=True),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("which", sa.Text(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("address_index", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channel <> 'call' OR which = 'urgent'", name=op.f("ck_notice_address_calls_are_urgent")),
        sa.CheckConstraint("channel IN ('sms', 'email', 'call')", name=op.f("ck_notice_address_channel")),
        sa.CheckConstraint("which IN ('all', 'urgent', 'digest')", name=op.f("ck_notice_address_which")),
        sa.CheckConstraint(
            "octet_length(address_index) = 32", name=op.f("ck_notice_address_address_index_is_a_digest")
        ),
        sa.CheckConstraint("rank IN (1, 2)", name=op.f("ck_notice_address_rank")),
        sa.ForeignKeyConstraint(
            ["practice_id", "practitioner_id"],
            ["practitioner.practice_id", "practitioner.id"],
            name=op.f("fk_notice_address_practice_id_practitioner_id_practitioner"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_notice_address_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_address")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_notice_address_practice_id_id")),
        sa.UniqueConstraint(
            "practice_id",
            "practitioner_id",
            "channel",
            "address_index",
            name="uq_notice_address_once",
            postgresql_nulls_not_distinct=True,
        ),
    )


def _message_notice() -> None:
    op.create_table(
        "message_notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("address_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), server_default=sa.text("'due'"), nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(kind = 'digest') = (message_id IS NULL)", name=op.f("ck_message_notice_others_have_a_message")
        ),
        sa.CheckConstraint(
            "(kind = 'digest') = (slot IS NOT NULL)", name=op.f("ck_message_notice_digests_have_a_slot")
        ),
        sa.CheckConstraint(
            "(outcome = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_message_notice_sent_when_it_was")
        ),
        sa.CheckConstraint("kind IN ('urgent', 'call', 'digest')", name=op.f("ck_message_notice_kind")),
        sa.CheckConstraint(
            "outcome IN ('due', 'sending', 'sent', 'refused', 'unconfirmed', 'failed', 'needless')",
            name=op.f("ck_message_notice_outcome"),
        ),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_message_notice_tries")),
        sa.ForeignKeyConstraint(
            ["practice_id", "address_id"],
            ["notice_address.practice_id", "notice_address.id"],
            name=op.f("fk_message_notice_practice_id_address_id_notice_address"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "message_id"],
            ["message.practice_id", "message.id"],
            name=op.f("fk_message_notice_practice_id_message_id_message"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_message_notice_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_notice")),
        sa.UniqueConstraint(
            "practice_id",
            "address_id",
            "kind",
            "message_id",
            "slot",
            name="uq_message_notice_once",
            postgresql_nulls_not_distinct=True,
        ),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_message_notice_practice_id_id")),
    )
    op.create_index(
        "ix_message_notice_unfinished",
        "message_notice",
        ["practice_id", "made_at"],
        unique=False,
        postgresql_where=sa.text("outcome IN ('due', 'sending')"),
    )


def _escalation() -> None:
    op.create_table(
        "escalation",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.CheckConstraint("ending IN ('handled', 'acknowledged', 'alerted')", name=op.f("ck_escalation_ending")),
        sa.CheckConstraint("(ended_at IS NULL) = (ending IS NULL)", name=op.f("ck_escalation_ends_in_some_way")),
        sa.CheckConstraint("stage BETWEEN 0 AND 3", name=op.f("ck_escalation_stage")),
        sa.ForeignKeyConstraint(
            ["practice_id", "message_id"],
            ["message.practice_id", "message.id"],
            name=op.f("fk_escalation_practice_id_message_id_message"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_escalation_practice_id_practice")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_escalation")),
    )
    op.create_index(
        "ix_escalation_open", "escalation", ["next_at"], unique=False, postgresql_where=sa.text("ended_at IS NULL")
    )


def _reminder() -> None:
    op.create_table(
        "reminder",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), server_default=sa.text("'due'"), nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('due', 'sending', 'sent', 'refused', 'unconfirmed', 'failed', 'withheld', 'late')",
            name=op.f("ck_reminder_outcome"),
        ),
        sa.CheckConstraint("octet_length(phone_index) = 32", name=op.f("ck_reminder_phone_index_is_a_digest")),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_reminder_tries")),
        sa.ForeignKeyConstraint(
            ["practice_id", "appointment_id"],
            ["appointment.practice_id", "appointment.id"],
            name=op.f("fk_reminder_practice_id_appointment_id_appointment"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_reminder_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder")),
        sa.UniqueConstraint("practice_id", "appointment_id", name=op.f("uq_reminder_practice_id_appointment_id")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_reminder_practice_id_id")),
    )
    op.create_index(
        op.f("ix_reminder_practice_id_phone_index"), "reminder", ["practice_id", "phone_index"], unique=False
    )
    op.create_index(
        "ix_reminder_unfinished",
        "reminder",
        ["practice_id", "made_at"],
        unique=False,
        postgresql_where=sa.text("outcome IN ('due', 'sending')"),
    )


def _reminder_choice() -> None:
    op.create_table(
        "reminder_choice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channel IN ('sms', 'carrier', 'staff')", name=op.f("ck_reminder_choice_channel")),
        sa.CheckConstraint("choice IN ('consented', 'opposed', 'withdrawn')", name=op.f("ck_reminder_choice_choice")),
        sa.CheckConstraint(
            "(patient_id IS NULL) <> (phone_index IS NULL)", name=op.f("ck_reminder_choice_of_a_patient_or_a_number")
        ),
        sa.CheckConstraint("octet_length(phone_index) = 32", name=op.f("ck_reminder_choice_phone_index_is_a_digest")),
        sa.ForeignKeyConstraint(
            ["practice_id", "patient_id"],
            ["patient.practice_id", "patient.id"],
            name=op.f("fk_reminder_choice_practice_id_patient_id_patient"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_reminder_choice_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_choice")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_reminder_choice_practice_id_id")),
    )
    op.create_index(
        op.f("ix_reminder_choice_practice_id_patient_id"),
        "reminder_choice",
        ["practice_id", "patient_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_reminder_choice_practice_id_phone_index"),
        "reminder_choice",
        ["practice_id", "phone_index"],
        unique=False,
    )
