"""Routing: who is there to answer, who waits, and who is offered to whom; and what has happened in queues."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP

revision = "0016"
down_revision = "0015"

#: What the server may write anew; it deletes nothing here, and what has happened is only ever added to.
_CHANGED = {
    "routing_rule": ("strategy", "wrap_up_seconds"),
    "presence": (
        *("state", "way", "since", "idle_since", "seen_at", "wrap_up_until", "turn", "calls", "calls_on"),
        "missed_in_a_row",
    ),
    "queue_entry": (
        *("language", "priority", "place", "kind", "state", "entered_at", "overflow_at", "not_before", "offers"),
        *("attempts", "answered_at", "left_at", "left_reason", "caller_mark", "passed_by", "passed_at"),
    ),
    "reservation": ("state", "accepted_at", "connected_at", "ended_at"),
}


def upgrade() -> None:
    op.create_table(
        "routing_rule",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("wrap_up_seconds", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(
            "strategy IN ('longest_idle', 'round_robin', 'fewest_calls')", name=op.f("ck_routing_rule_strategy")
        ),
        sa.CheckConstraint("wrap_up_seconds BETWEEN 0 AND 1800", name=op.f("ck_routing_rule_wrap_up_seconds")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_routing_rule_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_routing_rule")),
    )
    op.create_table(
        "presence",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idle_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wrap_up_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("turn", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("calls", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("calls_on", sa.Date(), nullable=True),
        sa.Column("missed_in_a_row", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("(wrap_up_until IS NOT NULL) = (state = 'wrap_up')", name=op.f("ck_presence_wrap_up_ends")),
        sa.CheckConstraint(
            "state IN ('offline', 'available', 'reserved', 'on_call', 'wrap_up', 'break', 'lunch', 'training', "
            "'admin')",
            name=op.f("ck_presence_state"),
        ),
        sa.CheckConstraint("way IN ('browser', 'telephone')", name=op.f("ck_presence_way")),
        sa.CheckConstraint(
            "calls >= 0 AND (calls = 0 OR calls_on IS NOT NULL)", name=op.f("ck_presence_calls_of_a_day")
        ),
        sa.CheckConstraint("missed_in_a_row >= 0", name=op.f("ck_presence_missed_in_a_row")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_presence_staff_id_staff_account")),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_presence")),
    )
    op.create_index(
        "ix_presence_available",
        "presence",
        ["idle_since"],
        unique=False,
        postgresql_where=sa.text("state = 'available'"),
    )
    op.create_table(
        "queue_entry",
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("place", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("overflow_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offers", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_reason", sa.Text(), nullable=True),
        sa.Column("caller_mark", sa.Text(), nullable=True),
        sa.Column("passed_by", sa.Uuid(), nullable=True),
        sa.Column("passed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(left_at IS NOT NULL) = (state = 'left')", name=op.f("ck_queue_entry_left_when_gone")),
        sa.CheckConstraint(
            "(left_reason IS NOT NULL) = (state = 'left')", name=op.f("ck_queue_entry_left_for_a_reason")
        ),
        sa.CheckConstraint("caller_mark ~ '^[0-9a-f]{64}$'", name=op.f("ck_queue_entry_caller_mark_is_a_digest")),
        sa.CheckConstraint("kind IN ('live', 'callback')", name=op.f("ck_queue_entry_kind")),
        sa.CheckConstraint("language ~ '^[a-z]{2}$'", name=op.f("ck_queue_entry_language")),
        sa.CheckConstraint(
            "left_reason IN ('hung_up', 'message', 'overflow', 'closed', 'nobody', 'redirected', 'answered', "
            "'unreached', 'cancelled')",
            name=op.f("ck_queue_entry_left_reason"),
        ),
        sa.CheckConstraint(
            "state <> 'connected' OR answered_at IS NOT NULL", name=op.f("ck_queue_entry_connected_is_answered")
        ),
        sa.CheckConstraint("state IN ('waiting', 'reserved', 'connected', 'left')", name=op.f("ck_queue_entry_state")),
        sa.CheckConstraint("(passed_by IS NULL) = (passed_at IS NULL)", name=op.f("ck_queue_entry_passed_at_a_time")),
        sa.CheckConstraint("offers >= 0 AND attempts >= 0", name=op.f("ck_queue_entry_counts")),
        sa.CheckConstraint("place <= entered_at", name=op.f("ck_queue_entry_place_is_no_later")),
        sa.CheckConstraint("priority BETWEEN 0 AND 3", name=op.f("ck_queue_entry_priority")),
        sa.ForeignKeyConstraint(
            ["passed_by"], ["staff_account.id"], name=op.f("fk_queue_entry_passed_by_staff_account")
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "call_id"],
            ["call.practice_id", "call.id"],
            name=op.f("fk_queue_entry_practice_id_call_id_call"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_queue_entry_practice_id_practice")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_queue_entry")),
        sa.UniqueConstraint("number", name=op.f("uq_queue_entry_number")),
    )
    op.create_index(
        "ix_queue_entry_mark",
        "queue_entry",
        ["caller_mark"],
        unique=False,
        postgresql_where=sa.text("caller_mark IS NOT NULL"),
    )
    op.create_index(
        "ix_queue_entry_order",
        "queue_entry",
        ["priority", "place", "number"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_queue_entry_present",
        "queue_entry",
        ["practice_id"],
        unique=False,
        postgresql_where=sa.text("state <> 'left'"),
    )
    op.create_table(
        "reservation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state IN ('offered', 'accepted', 'connected'))", name=op.f("ck_reservation_ended")
        ),
        sa.CheckConstraint(
            "state IN ('offered', 'accepted', 'connected', 'refused', 'expired', 'withdrawn', 'over')",
            name=op.f("ck_reservation_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('accepted', 'connected', 'over') OR accepted_at IS NOT NULL",
            name=op.f("ck_reservation_accepted"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('connected', 'over') OR connected_at IS NOT NULL", name=op.f("ck_reservation_connected")
        ),
        sa.CheckConstraint("ends_at > made_at", name=op.f("ck_reservation_ends_after_it_was_made")),
        sa.ForeignKeyConstraint(["call_id"], ["queue_entry.call_id"], name=op.f("fk_reservation_call_id_queue_entry")),
        sa.ForeignKeyConstraint(["staff_id"], ["presence.staff_id"], name=op.f("fk_reservation_staff_id_presence")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation")),
        sa.UniqueConstraint("number", name=op.f("uq_reservation_number")),
    )
    op.create_index(op.f("ix_reservation_call_id"), "reservation", ["call_id"], unique=False)
    op.create_index(op.f("ix_reservation_staff_id_made_at"), "reservation", ["staff_id", "made_at"], unique=False)
    op.create_index(
        "uq_reservation_live_call",
        "reservation",
        ["call_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('offered', 'accepted', 'connected')"),
    )
    op.create_index(
        "uq_reservation_live_staff",
        "reservation",
        ["staff_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('offered', 'accepted', 'connected')"),
    )
    op.create_table(
        "routing_event",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=True),
        sa.Column("call_id", sa.Uuid(), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("reservation_id", sa.Uuid(), nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("waited", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'presence') = (call_id IS NULL)", name=op.f("ck_routing_event_presence_is_no_call")
        ),
        sa.CheckConstraint("detail ~ '^[a-z_]{1,40}$'", name=op.f("ck_routing_event_detail_is_a_word")),
        sa.CheckConstraint(
            "kind IN ('entered', 'offered', 'accepted', 'refused', 'missed', 'withdrawn', 'connected', 'returned', "
            "'callback', 'unreached', 'over', 'left', 'presence')",
            name=op.f("ck_routing_event_kind"),
        ),
        sa.CheckConstraint(
            "(call_id IS NULL) = (practice_id IS NULL)", name=op.f("ck_routing_event_call_of_a_practice")
        ),
        sa.CheckConstraint("call_id IS NOT NULL OR staff_id IS NOT NULL", name=op.f("ck_routing_event_of_somebody")),
        sa.CheckConstraint("waited >= 0", name=op.f("ck_routing_event_waited")),
        sa.ForeignKeyConstraint(
            ["call_id"], ["queue_entry.call_id"], name=op.f("fk_routing_event_call_id_queue_entry")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_routing_event_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_routing_event_practice_id_practice")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_account.id"], name=op.f("fk_routing_event_staff_id_staff_account")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_routing_event")),
    )
    op.create_index(op.f("ix_routing_event_call_id_number"), "routing_event", ["call_id", "number"], unique=False)
    op.create_index(op.f("ix_routing_event_practice_id_at"), "routing_event", ["practice_id", "at"], unique=False)
    op.create_index(op.f("ix_routing_event_staff_id_at"), "routing_event", ["staff_id", "at"], unique=False)
    op.create_index(
        "ix_routing_event_waits",
        "routing_event",
        ["organisation_id", "at"],
        unique=False,
        postgresql_where=sa.text("kind = 'connected' AND waited >= 0"),
    )
    op.create_index(
        "ix_routing_event_waits_of_practice",
        "routing_event",
        ["practice_id", "at"],
        unique=False,
        postgresql_where=sa.text("kind = 'connected' AND waited >= 0"),
    )
    for table, columns in _CHANGED.items():
        op.execute(f"GRANT SELECT, INSERT, UPDATE ({', '.join(columns)}) ON {table} TO {APP}")
    op.execute(f"GRANT SELECT, INSERT ON routing_event TO {APP}")
