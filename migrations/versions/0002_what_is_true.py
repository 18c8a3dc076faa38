"""What is true is in the schema: references stay within a practice, values within their bounds.

Expands tables that stand; every row that 0001 and its program could write is kept.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _keep_references_within_a_practice()
    _bound_values()
    _close_the_ledger()
    _keep_rescue_numbers_apart()
    _forget_secrets()
    _count_claims()
    _know_keys()
    _mark_fictitious_identities()


# --- references


def _keep_references_within_a_practice() -> None:
    """Foreign keys ignore row-level security: each that names a row of a practice names the practice too (P5)."""
    for table, columns in (
        ("call", ("practice_id", "id")),
        ("call_session", ("practice_id", "id")),
        ("contact", ("practice_id", "patient_id", "id")),
    ):
        op.create_unique_constraint(op.f(f"uq_{table}_{'_'.join(columns)}"), table, columns)
    for table, column in (("call_session", "id"), ("audio", "call_id"), ("challenge", "call_id")):
        op.drop_constraint(op.f(f"fk_{table}_{column}_call"), table, type_="foreignkey")
        _refer(table, column, "call")
    op.drop_constraint(op.f("fk_step_answer_call_id_call_session"), "step_answer", type_="foreignkey")
    _refer("step_answer", "call_id", "call_session", ondelete="CASCADE")
    _refer("audit_record", "call_id", "call")
    _refer("message", "call_reference", "call", ondelete="SET NULL (call_reference)")
    _bind_contact_of_challenge()


def _refer(table: str, column: str, to: str, *, ondelete: str | None = None) -> None:
    name = op.f(f"fk_{table}_practice_id_{column}_{to}")
    op.create_foreign_key(name, table, to, ["practice_id", column], ["practice_id", "id"], ondelete=ondelete)


def _bind_contact_of_challenge() -> None:
    """A code goes to a telephone of the patient whom it proves. One that leaves the file leaves its challenges too."""
    op.drop_constraint(op.f("fk_challenge_practice_id_contact_id_contact"), "challenge", type_="foreignkey")
    op.create_foreign_key(
        op.f("fk_challenge_practice_id_patient_id_contact_id_contact"),
        "challenge",
        "contact",
        ["practice_id", "patient_id", "contact_id"],
        ["practice_id", "patient_id", "id"],
        ondelete="SET NULL (contact_id)",
    )
    op.drop_constraint(op.f("ck_challenge_real_or_decoy"), "challenge", type_="check")
    op.create_check_constraint(
        op.f("ck_challenge_contact_of_a_patient"), "challenge", "contact_id IS NULL OR patient_id IS NOT NULL"
    )


# --- values

#: Conditions by table and name.
CHECKS = {
    "call": {
        "status": "status IN (0, 1, 2, 3, 10, 11, 12, 13, 14)",
        "ended_when_terminal": "(ended_at IS NOT NULL) = (status >= 10)",
        "ends_after_it_started": "ended_at >= started_at",
    },
    "step_answer": {"document": "document >= 0", "fingerprint_is_a_digest": "octet_length(fingerprint) = 32"},
    "audio": {
        "fetches": "fetches >= 0",
        "completed": "completed >= 0",
        "token_hash_is_a_digest": "octet_length(token_hash) = 32",
    },
    "challenge": {"expires_soon": "expires_at - created_at <= interval '10 minutes'"},
    "challenge_attempt": {"document": "document >= 0"},
    "audit_record": {
        "body_not_empty": "octet_length(body) > 0",
        "leaf_is_of_its_body": r"leaf = sha256('\x00'::bytea || body)",
    },
}


def _bound_values() -> None:
    # Two machines whose clocks differ by a little could end a call before it began.
    op.execute("UPDATE call SET ended_at = started_at WHERE ended_at < started_at")
    for table, conditions in CHECKS.items():
        for name, condition in conditions.items():
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


# --- the ledger

#: Triggers that fire for whatever writes, a replica's own process included.
ALWAYS = {
    "audit_record": ("audit_record_append_only", "audit_record_not_emptied"),
    "audit_outbox": ("audit_outbox_unchanged", "audit_outbox_not_emptied", "audit_outbox_taken_by_the_sealer"),
    "audit_subject": ("audit_subject_unchanged",),
}

#: Whoever may act as the sealer; a superuser may do anything, but must say that it is the sealer.
ONLY_THE_SEALER = """
CREATE FUNCTION refuse_unless_sealer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pg_has_role(current_user, 'callcenter_sealer', 'USAGE')
        OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE EXCEPTION 'only the sealer takes records out of the outbox';
    END IF;
    RETURN OLD;
END $$
"""


def _close_the_ledger() -> None:
    """The outbox is emptied by the sealer alone, and a person's token is theirs until it is erased."""
    op.execute(ONLY_THE_SEALER)
    op.execute(
        "CREATE TRIGGER audit_outbox_taken_by_the_sealer BEFORE DELETE ON audit_outbox "
        "FOR EACH ROW EXECUTE FUNCTION refuse_unless_sealer()"
    )
    op.execute(
        "CREATE TRIGGER audit_outbox_not_emptied BEFORE TRUNCATE ON audit_outbox "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER audit_subject_unchanged BEFORE UPDATE ON audit_subject "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    for table, triggers in ALWAYS.items():
        for trigger in triggers:
            op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")
    op.execute(f"REVOKE UPDATE ON audit_subject FROM {APP}")


# --- numbers

#: Checked when a transaction commits, so that a practice may exchange its numbers in one, and one commit at a time, so
#: that two that contradict one another cannot both pass. The lock is that of enrolment.
RESCUE_OR_SERVED = """
CREATE FUNCTION refuse_rescue_number_that_is_served() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('callcenter enrolment', 0));
    IF EXISTS (
        SELECT FROM practice p JOIN directory_number d ON d.number = p.rescue_number
        WHERE d.number = to_jsonb(NEW) ->> TG_ARGV[0]
    ) THEN
        RAISE EXCEPTION 'a number that we serve cannot be a rescue number: a call to it would come back to us'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END $$
"""


def _keep_rescue_numbers_apart() -> None:
    """P7: no fallback dials a line that leads to us, whoever writes the directory."""
    op.execute(RESCUE_OR_SERVED)
    for table, column in (("practice", "rescue_number"), ("directory_number", "number")):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {table}_rescue_number_is_not_served "
            f"AFTER INSERT OR UPDATE OF {column} ON {table} DEFERRABLE INITIALLY DEFERRED "
            f"FOR EACH ROW EXECUTE FUNCTION refuse_rescue_number_that_is_served('{column}')"
        )
    _check_those_that_stand()


def _check_those_that_stand() -> None:
    op.execute(
        "DO $$ BEGIN IF EXISTS (SELECT FROM practice p JOIN directory_number d ON d.number = p.rescue_number) THEN "
        "RAISE EXCEPTION 'a rescue number of a practice is one that we serve: enrol that practice with another one, "
        "then migrate'; END IF; END $$"
    )


# --- codes

#: Attempts and challenges of the current practice past their time. Attempts are what bounds guessing: the server may
#: not delete them, and not even by this before a day has passed.
FORGET_CHALLENGES = """
CREATE FUNCTION forget_challenges(before timestamptz) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    own uuid := current_setting('app.practice')::uuid;
    bound timestamptz := least(before, now() - interval '24 hours');
    attempts bigint;
    challenges bigint;
BEGIN
    DELETE FROM challenge_attempt a USING challenge c
    WHERE c.practice_id = own AND c.created_at < bound AND a.practice_id = own AND a.challenge_id = c.id;
    GET DIAGNOSTICS attempts = ROW_COUNT;
    DELETE FROM challenge WHERE practice_id = own AND created_at < bound;
    GET DIAGNOSTICS challenges = ROW_COUNT;
    RETURN attempts + challenges;
END $$
"""


def _forget_secrets() -> None:
    """OB-02: the secret of a code is kept while the code may be typed, and no longer; attempts stay, to be counted."""
    op.alter_column("challenge", "secret", nullable=True)
    op.execute("UPDATE challenge SET secret = NULL WHERE consumed_at IS NOT NULL OR expires_at <= now()")
    op.create_check_constraint(
        op.f("ck_challenge_no_secret_once_used"), "challenge", "consumed_at IS NULL OR secret IS NULL"
    )
    op.execute(FORGET_CHALLENGES)
    op.execute("REVOKE ALL ON FUNCTION forget_challenges FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION forget_challenges TO {APP}")
    op.execute(f"REVOKE UPDATE, DELETE ON challenge, challenge_attempt FROM {APP}")
    op.execute(f"GRANT UPDATE (secret, consumed_at) ON challenge TO {APP}")
    op.execute(f'GRANT UPDATE ("right") ON challenge_attempt TO {APP}')


def _count_claims() -> None:
    """OB-03: who tries many persons from one line. Keyed hashes that end with the challenge; older rows have none."""
    for column in ("claim", "caller"):
        op.add_column("challenge", sa.Column(column, sa.LargeBinary()))
        op.create_check_constraint(
            op.f(f"ck_challenge_{column}_is_a_digest"), "challenge", f"octet_length({column}) = 32"
        )
    op.create_index(
        op.f("ix_challenge_practice_id_caller_created_at"), "challenge", ["practice_id", "caller", "created_at"]
    )


# --- keys


def _know_keys() -> None:
    """A mark of each key, by which another key file is noticed. The server may add one, and never change one."""
    op.create_table(
        "key_mark",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.CheckConstraint("mark ~ '^[0-9a-f]{64}$'", name=op.f("ck_key_mark_mark_is_a_digest")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_key_mark")),
        comment="by which a key is known again that is not in the database",
    )
    op.execute(f"GRANT SELECT, INSERT ON key_mark TO {APP}")


# --- identities


def _mark_fictitious_identities() -> None:
    """The third attribute of the RNIV (ID-03): an identity made up for somebody who must stay unnamed."""
    op.add_column("patient", sa.Column("fictitious", sa.Boolean(), server_default=sa.false(), nullable=False))
    for name, condition in (
        ("fictitious_is_provisional", "identity_status = 'PROV' OR NOT fictitious"),
        ("fictitious_stands_alone", "NOT (fictitious AND (doubtful OR homonym))"),
    ):
        op.create_check_constraint(op.f(f"ck_patient_{name}"), "patient", condition)
