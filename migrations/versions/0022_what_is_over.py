"""What is over: sessions end by other rules for who is on duty, what had its time in the queue is erased, and what was
ended or used stays so.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP

revision = "0022"
down_revision = "0021"

#: By the database's own clock, whatever the server says: by it alone goes what may be erased.
NOTE_ENTRY = """
CREATE FUNCTION note_queue_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.noted_at := now();
    RETURN NEW;
END $$
"""

#: Calls that have left the queue, with all that routing knows of them: none that the database has not known for 31
#: days, whatever the server asks for, so that a month's statement has its days.
FORGET_QUEUE = """
CREATE FUNCTION forget_queue(before timestamptz, most integer) RETURNS integer
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
"""

#: Who was there when: an event is never changed, so that it says by itself how old it is.
FORGET_PRESENCE = """
CREATE FUNCTION forget_presence(before timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone integer;
BEGIN
    DELETE FROM routing_event WHERE number IN (
        SELECT number FROM routing_event
        WHERE kind = 'presence' AND at < least(before, now() - interval '31 days') ORDER BY at LIMIT most
    );
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$
"""

#: Of the current practice: callbacks that are over, and count towards no day any more. Where nobody was reached, the
#: practice has the number in its inbox first.
FORGET_CALLBACKS = """
CREATE FUNCTION forget_callbacks(before timestamptz, most integer) RETURNS integer
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
        ))
        ORDER BY b.asked_at LIMIT most
    ) AS past;
    DELETE FROM callback_ring WHERE practice_id = own AND call_id = ANY (old);
    DELETE FROM callback WHERE practice_id = own AND call_id = ANY (old);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$
"""

#: What is set once: that a session was ended, an invitation or a printed code used, an account closed for good, a code
#: of a call used up, a callback answered. A lock is no such thing: it is taken off again.
SET_ONCE = {
    "staff_session": ("revoked_at",),
    "staff_invitation": ("used_at", "withdrawn_at"),
    "staff_recovery_code": ("used_at",),
    "staff_account": ("closed_at",),
    "challenge": ("consumed_at",),
    "callback_ring": ("reached_call_id", "told_at"),
    "outreach": ("reached_call_id",),
}

REFUSE_RETURN = """
CREATE FUNCTION refuse_return() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what is over stays over: % of %', TG_ARGV[0], TG_TABLE_NAME;
END $$
"""


def upgrade() -> None:
    _have_who_is_on_duty_stay()
    _have_the_queue_forget()
    _have_what_is_over_stay_so()


def _have_who_is_on_duty_stay() -> None:
    op.add_column("staff_session", sa.Column("on_duty_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_staff_session_on_duty_with_both_factors"), "staff_session", "on_duty_at IS NULL OR stage = 'full'"
    )
    op.execute(f"GRANT UPDATE (on_duty_at) ON staff_session TO {APP}")


def _have_the_queue_forget() -> None:
    op.add_column("queue_entry", sa.Column("noted_at", sa.DateTime(timezone=True), nullable=True))
    # What waited before is taken at its word, though never from the future.
    op.execute("UPDATE queue_entry SET noted_at = least(entered_at, now())")
    op.alter_column("queue_entry", "noted_at", nullable=False)
    op.execute(NOTE_ENTRY)
    op.execute(
        "CREATE TRIGGER queue_entry_noted BEFORE INSERT ON queue_entry FOR EACH ROW EXECUTE FUNCTION note_queue_entry()"
    )
    for name, table, column, those in (
        ("ix_queue_entry_left", "queue_entry", "left_at", "state = 'left'"),
        ("ix_routing_event_presence", "routing_event", "at", "kind = 'presence'"),
    ):
        op.create_index(name, table, [column], unique=False, postgresql_where=sa.text(those))
    for function, made in (
        ("forget_queue", FORGET_QUEUE),
        ("forget_presence", FORGET_PRESENCE),
        ("forget_callbacks", FORGET_CALLBACKS),
    ):
        op.execute(made)
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {APP}")
    # What invites nobody any more is forgotten like a session that has ended.
    op.execute(f"GRANT DELETE ON staff_invitation TO {APP}")


def _have_what_is_over_stay_so() -> None:
    """Statements say « where it is not set » already; these triggers stop one that forgets it, of the owner's too."""
    op.execute(REFUSE_RETURN)
    for table, columns in SET_ONCE.items():
        for column in columns:
            op.execute(
                f"CREATE TRIGGER {table}_{column}_once BEFORE UPDATE OF {column} ON {table} FOR EACH ROW "
                f"WHEN (OLD.{column} IS NOT NULL AND NEW.{column} IS DISTINCT FROM OLD.{column}) "
                f"EXECUTE FUNCTION refuse_return('{column}')"
            )
    # The step of an application's last code only grows, until there is another application.
    op.execute(
        "CREATE TRIGGER staff_credential_totp_step_grows BEFORE UPDATE OF totp_step ON staff_credential FOR EACH ROW "
        "WHEN (NEW.totp_step < OLD.totp_step AND NEW.totp_confirmed_at IS NOT DISTINCT FROM OLD.totp_confirmed_at) "
        "EXECUTE FUNCTION refuse_return('totp_step')"
    )
