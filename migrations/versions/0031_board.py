"""What supervisors see of queues, and incidents: their registers, and calls of which nothing is erased meanwhile."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP, guard_row_statements, guard_statements

revision = "0031"
down_revision = "0030"

#: Counts of many practices in one round trip. It runs as who asks (no SECURITY DEFINER): each practice is named before
#: its rows are read, and row-level security shows those of that one alone. Afterwards none is named.
COUNT_PRACTICES = """
CREATE FUNCTION count_practices(practices uuid[], since timestamptz, until timestamptz)
RETURNS TABLE (practice uuid, attempted bigint, verified bigint, urgent bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    FOREACH practice IN ARRAY practices LOOP
        PERFORM set_config('app.practice', practice::text, true);
        SELECT count(DISTINCT c.call_id), count(DISTINCT c.call_id) FILTER (WHERE c.consumed_at IS NOT NULL)
        INTO attempted, verified
        FROM challenge c WHERE c.practice_id = practice AND c.created_at >= since AND c.created_at <= until;
        SELECT count(*) INTO urgent FROM message m
        WHERE m.practice_id = practice AND m.handled_at IS NULL AND m.urgency = 'urgent';
        IF attempted + urgent > 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
    PERFORM set_config('app.practice', '', true);
END $$
"""


#: No hold stands on a call: what the functions that erase ask of each.
_FREE = "NOT EXISTS (SELECT FROM call_hold h WHERE h.call_id = {} AND h.lifted_at IS NULL)"

#: As before (0022), but for calls that are held.
FORGET_QUEUE = f"""
CREATE OR REPLACE FUNCTION forget_queue(before timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    old uuid[];
    held uuid[];
    gone integer;
BEGIN
    SELECT array_agg(call_id) INTO old FROM (
        SELECT e.call_id FROM queue_entry e
        WHERE e.state = 'left' AND e.left_at < before AND e.noted_at < now() - interval '31 days'
          AND NOT EXISTS (SELECT FROM reservation r WHERE r.call_id = e.call_id AND r.ended_at IS NULL)
          AND {_FREE.format("e.call_id")}
        ORDER BY e.left_at LIMIT most FOR UPDATE SKIP LOCKED
    ) AS past;
    SELECT array_agg(id) INTO held FROM reservation WHERE call_id = ANY (old);
    DELETE FROM talk_party WHERE reservation_id = ANY (held);
    DELETE FROM talk WHERE reservation_id = ANY (held);
    DELETE FROM callback_ring WHERE call_id = ANY (old);
    DELETE FROM callback WHERE call_id = ANY (old);
    DELETE FROM routing_event WHERE call_id = ANY (old);
    DELETE FROM reservation WHERE id = ANY (held);
    DELETE FROM queue_entry WHERE call_id = ANY (old);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$
"""  # noqa: S608 - our own words alone

#: As before (0022), but for calls that are held.
FORGET_CALLBACKS = f"""
CREATE OR REPLACE FUNCTION forget_callbacks(before timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    own uuid := current_setting('app.practice')::uuid;
    bound timestamptz := least(before, now() - interval '24 hours');
    old uuid[];
    gone integer;
BEGIN
    SELECT array_agg(call_id) INTO old FROM (
        SELECT b.call_id FROM callback b
        WHERE b.practice_id = own AND b.asked_at < bound AND NOT EXISTS (
            SELECT FROM queue_entry e WHERE e.call_id = b.call_id AND (e.state <> 'left' OR e.left_at >= bound)
        ) AND (b.number IS NULL OR EXISTS (
            SELECT FROM queue_entry e WHERE e.call_id = b.call_id AND e.left_reason IN ('answered', 'cancelled')
        )) AND {_FREE.format("b.call_id")}
        ORDER BY b.asked_at LIMIT most
    ) AS past;
    DELETE FROM callback_ring WHERE practice_id = own AND call_id = ANY (old);
    DELETE FROM callback WHERE practice_id = own AND call_id = ANY (old);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$
"""  # noqa: S608 - our own words alone

#: As before (0002), but for calls that are held. What is kept longer counts no more: counts look back a day.
FORGET_CHALLENGES = f"""
CREATE OR REPLACE FUNCTION forget_challenges(before timestamptz) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    own uuid := current_setting('app.practice')::uuid;
    bound timestamptz := least(before, now() - interval '24 hours');
    attempts bigint;
    challenges bigint;
BEGIN
    DELETE FROM challenge_attempt a USING challenge c
    WHERE c.practice_id = own AND c.created_at < bound AND a.practice_id = own AND a.challenge_id = c.id
      AND {_FREE.format("c.call_id")};
    GET DIAGNOSTICS attempts = ROW_COUNT;
    DELETE FROM challenge c WHERE c.practice_id = own AND c.created_at < bound AND {_FREE.format("c.call_id")};
    GET DIAGNOSTICS challenges = ROW_COUNT;
    RETURN attempts + challenges;
END $$
"""  # noqa: S608 - our own words alone

#: As before (0009), but for calls that are held.
FORGET_REFERENCE_TRIES = f"""
CREATE OR REPLACE FUNCTION forget_reference_tries(before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    own uuid := current_setting('app.practice')::uuid;
    gone bigint;
BEGIN
    DELETE FROM reference_try t
    WHERE t.practice_id = own AND t.at < least(before, now() - interval '24 hours') AND {_FREE.format("t.call_id")};
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$
"""  # noqa: S608 - our own words alone

#: As before (0012), but for messages of calls that are held.
FORGET_MESSAGES = f"""
CREATE OR REPLACE FUNCTION forget_messages(before timestamptz, most integer) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    own uuid := current_setting('app.practice')::uuid;
    old uuid[];
BEGIN
    SELECT array_agg(id) INTO old FROM (
        SELECT m.id FROM message m
        WHERE m.practice_id = own AND m.handled_at < before AND m.handling_noted_at < now() - interval '7 days'
          AND NOT EXISTS (
            SELECT FROM voice_message v WHERE v.practice_id = own AND v.message_id = m.id
              AND (v.state NOT IN ('lost', 'erased') OR v.deleted_at IS NULL)
          )
          AND NOT EXISTS (SELECT FROM follow_up f WHERE f.message_id = m.id AND f.done_at IS NULL)
          AND {_FREE.format("m.call_reference")}
        ORDER BY m.handled_at LIMIT most
    ) AS past;
    DELETE FROM voice_message WHERE practice_id = own AND message_id = ANY (old);
    RETURN QUERY DELETE FROM message WHERE practice_id = own AND id = ANY (old) RETURNING id;
END $$
"""  # noqa: S608 - our own words alone

#: Set once: an incident that was notified or closed stays so, and so does a hold that was lifted.
SET_ONCE = {
    "incident": ("notified_at", "closed_at"),
    "incident_practice": ("informed_at",),
    "call_hold": ("lifted_at",),
    "lock_release": ("confirmed_at",),
}


def upgrade() -> None:
    op.create_index(
        "ix_routing_event_entered",
        "routing_event",
        ["organisation_id", "at"],
        unique=False,
        postgresql_where=sa.text("kind = 'entered'"),
    )
    op.execute(COUNT_PRACTICES)
    op.execute("REVOKE ALL ON FUNCTION count_practices FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION count_practices TO {APP}")
    _incidents()
    _holds()
    _releases()
    for table, columns in SET_ONCE.items():
        for column in columns:
            op.execute(
                f"CREATE TRIGGER {table}_{column}_stays BEFORE UPDATE ON {table} FOR EACH ROW "
                f"WHEN (OLD.{column} IS NOT NULL AND NEW.{column} IS DISTINCT FROM OLD.{column}) "
                f"EXECUTE FUNCTION refuse_return('{column}')"
            )


def _incidents() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("declared_by", sa.Uuid(), nullable=False),
        sa.Column("notified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('wrong_person', 'unauthorised_access', 'loss', 'alteration', 'unavailability', 'other')",
            name=op.f("ck_incident_kind"),
        ),
        sa.CheckConstraint("known_at <= declared_at", name=op.f("ck_incident_known_before_it_is_declared")),
        sa.CheckConstraint(
            "notified_at >= declared_at AND closed_at >= declared_at", name=op.f("ck_incident_declared_first")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_incident_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["declared_by"], ["staff_account.id"], name=op.f("fk_incident_declared_by_staff_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    op.create_index("ix_incident_open", "incident", ["organisation_id"], postgresql_where=sa.text("closed_at IS NULL"))
    op.create_index(op.f("ix_incident_organisation_id_declared_at"), "incident", ["organisation_id", "declared_at"])
    op.create_table(
        "incident_practice",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("informed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_incident_practice_incident_id_incident")
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"], ["practice.id"], name=op.f("fk_incident_practice_practice_id_practice")
        ),
        sa.PrimaryKeyConstraint("incident_id", "practice_id", name=op.f("pk_incident_practice")),
    )
    op.create_table(
        "incident_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("about", sa.Uuid(), nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('facts', 'persons', 'consequences', 'measures', 'note', 'practice_informed', "
            "'persons_informed', 'notified', 'closed', 'held', 'hold_lifted', 'exported')",
            name=op.f("ck_incident_entry_kind"),
        ),
        sa.CheckConstraint(
            "words IS NOT NULL OR kind IN ('practice_informed', 'held', 'hold_lifted', 'exported')",
            name=op.f("ck_incident_entry_says_something"),
        ),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_incident_entry_incident_id_incident")),
        sa.ForeignKeyConstraint(["by"], ["staff_account.id"], name=op.f("fk_incident_entry_by_staff_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_entry")),
        comment="the register of an incident; only ever added to",
    )
    op.create_index(op.f("ix_incident_entry_incident_id_at_id"), "incident_entry", ["incident_id", "at", "id"])
    for statement in guard_row_statements("incident_entry", "incident_id"):
        op.execute(statement)
    # Rights stop the app; these triggers stop an accident of the owner's too.
    op.execute(
        "CREATE TRIGGER incident_entry_append_only BEFORE UPDATE OR DELETE ON incident_entry "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER incident_entry_not_emptied BEFORE TRUNCATE ON incident_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE (notified_at, closed_at) ON incident TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE (informed_at) ON incident_practice TO {APP}")
    op.execute(f"GRANT SELECT, INSERT ON incident_entry TO {APP}")


def _holds() -> None:
    op.create_table(
        "call_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_by", sa.Uuid(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name=op.f("ck_call_hold_lifted_by_somebody")),
        sa.CheckConstraint("lifted_at >= placed_at", name=op.f("ck_call_hold_lifted_later")),
        sa.ForeignKeyConstraint(
            ["incident_id", "practice_id"],
            ["incident_practice.incident_id", "incident_practice.practice_id"],
            name=op.f("fk_call_hold_incident_id_practice_id_incident_practice"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "call_id"],
            ["call.practice_id", "call.id"],
            name=op.f("fk_call_hold_practice_id_call_id_call"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_call_hold_practice_id_practice")),
        sa.ForeignKeyConstraint(["placed_by"], ["staff_account.id"], name=op.f("fk_call_hold_placed_by_staff_account")),
        sa.ForeignKeyConstraint(["lifted_by"], ["staff_account.id"], name=op.f("fk_call_hold_lifted_by_staff_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_hold")),
        sa.UniqueConstraint(
            "incident_id", "call_id", "placed_at", name=op.f("uq_call_hold_incident_id_call_id_placed_at")
        ),
    )
    op.create_index("ix_call_hold_standing", "call_hold", ["call_id"], postgresql_where=sa.text("lifted_at IS NULL"))
    op.execute(f"GRANT SELECT, INSERT, UPDATE (lifted_at, lifted_by) ON call_hold TO {APP}")
    for made in (FORGET_QUEUE, FORGET_CALLBACKS, FORGET_CHALLENGES, FORGET_REFERENCE_TRIES, FORGET_MESSAGES):
        op.execute(made)


def _releases() -> None:
    op.create_table(
        "lock_release",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(confirmed_at IS NULL) = (confirmed_by IS NULL)", name=op.f("ck_lock_release_confirmed_by_somebody")
        ),
        sa.CheckConstraint("confirmed_by <> asked_by", name=op.f("ck_lock_release_two_persons")),
        sa.CheckConstraint(
            "confirmed_at >= asked_at AND confirmed_at <= asked_at + interval '15 minutes'",
            name=op.f("ck_lock_release_confirmed_soon"),
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["staff_account.id"], name=op.f("fk_lock_release_asked_by_staff_account")
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["staff_account.id"], name=op.f("fk_lock_release_confirmed_by_staff_account")
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "call_id"],
            ["call.practice_id", "call.id"],
            name=op.f("fk_lock_release_practice_id_call_id_call"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_lock_release_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lock_release")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_lock_release_practice_id_id")),
    )
    op.create_index(
        "ix_lock_release_asked",
        "lock_release",
        ["practice_id", "asked_at"],
        postgresql_where=sa.text("confirmed_at IS NULL"),
    )
    op.create_table(
        "lock_release_reason",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["practice_id", "release_id"],
            ["lock_release.practice_id", "lock_release.id"],
            name=op.f("fk_lock_release_reason_practice_id_release_id_lock_release"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"], ["practice.id"], name=op.f("fk_lock_release_reason_practice_id_practice")
        ),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_lock_release_reason")),
    )
    op.create_table(
        "lock_lifted",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["practice_id", "release_id"],
            ["lock_release.practice_id", "lock_release.id"],
            name=op.f("fk_lock_lifted_practice_id_release_id_lock_release"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "patient_id"],
            ["patient.practice_id", "patient.id"],
            name=op.f("fk_lock_lifted_practice_id_patient_id_patient"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_lock_lifted_practice_id_practice")),
        sa.PrimaryKeyConstraint("release_id", "patient_id", name=op.f("pk_lock_lifted")),
    )
    op.create_index(
        op.f("ix_lock_lifted_practice_id_patient_id_at"), "lock_lifted", ["practice_id", "patient_id", "at"]
    )
    for table in ("lock_release_reason", "lock_lifted"):
        for statement in guard_statements(table):
            op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT, UPDATE (confirmed_by, confirmed_at) ON lock_release TO {APP}")
    op.execute(f"GRANT SELECT, INSERT ON lock_release_reason TO {APP}")
    # That a count was lifted bounds nothing: what goes is counted again, and by then it is too old to count.
    op.execute(f"GRANT SELECT, INSERT, DELETE ON lock_lifted TO {APP}")
