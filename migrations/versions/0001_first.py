"""The first schema: practices, patients, calls, verification, the ledger; row-level security, rights, job queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager

from callcenter.store.schema import APP, ERASER, OWNER, SEALER, guard_statements

revision = "0001"
down_revision = None

#: Tables about patients. Frozen here: a later migration guards its own.
PRACTICE_SCOPE = (
    "practitioner",
    "patient",
    "contact",
    "appointment",
    "message",
    "challenge",
    "challenge_attempt",
    "call_session",
    "step_answer",
    "audio",
    "audit_subject",
    "audit_record",
    "audit_outbox",
)

#: What the app role may do, table by table. Nothing may be taken out of the ledger, nor changed in it.
APP_RIGHTS = {
    "organisation": "SELECT, INSERT, UPDATE",
    "practice": "SELECT, INSERT, UPDATE",
    "directory_number": "SELECT, INSERT, UPDATE, DELETE",
    "own_line": "SELECT, INSERT, UPDATE, DELETE",
    "opening_hours": "SELECT, INSERT, UPDATE, DELETE",
    "practitioner": "SELECT, INSERT, UPDATE",
    "patient": "SELECT, INSERT, UPDATE",
    "contact": "SELECT, INSERT, UPDATE, DELETE",
    "appointment": "SELECT, INSERT, UPDATE",
    "message": "SELECT, INSERT, UPDATE",
    "call": "SELECT, INSERT, UPDATE",
    "call_session": "SELECT, INSERT, UPDATE, DELETE",
    "step_answer": "SELECT, INSERT, DELETE",
    "audio": "SELECT, INSERT, UPDATE, DELETE",
    "challenge": "SELECT, INSERT, UPDATE, DELETE",
    "challenge_attempt": "SELECT, INSERT, UPDATE, DELETE",
    "audit_subject": "SELECT, INSERT, UPDATE",
    "audit_record": "SELECT, INSERT",
    "audit_outbox": "SELECT, INSERT",
}


def upgrade() -> None:
    _create_tables()
    _guard()
    _grant()
    _make_ledger_append_only()
    _create_job_queue()


def _guard() -> None:
    for table in PRACTICE_SCOPE:
        for statement in guard_statements(table):
            op.execute(statement)


def _grant() -> None:
    for table, rights in APP_RIGHTS.items():
        op.execute(f"GRANT {rights} ON {table} TO {APP}")
    op.execute(f"GRANT SELECT ON alembic_version TO {APP}")  # the server refuses to start on another schema
    # The sealer reads records and drains the outbox of every practice; the eraser unlinks persons.
    op.execute(f"GRANT SELECT ON audit_record, practice TO {SEALER}")
    op.execute(f"GRANT SELECT, DELETE ON audit_outbox TO {SEALER}")
    op.execute(f"GRANT SELECT, DELETE ON audit_subject TO {ERASER}")
    op.execute(f"CREATE POLICY audit_record_sealer ON audit_record FOR SELECT TO {SEALER} USING (true)")
    op.execute(f"CREATE POLICY audit_outbox_sealer ON audit_outbox TO {SEALER} USING (true)")
    op.execute(f"CREATE POLICY audit_subject_eraser ON audit_subject TO {ERASER} USING (true)")


def _make_ledger_append_only() -> None:
    """Rights stop the app; these triggers stop an accident of the owner's too."""
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger is only ever added to'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_record_append_only BEFORE UPDATE OR DELETE ON audit_record "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER audit_record_not_emptied BEFORE TRUNCATE ON audit_record "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER audit_outbox_unchanged BEFORE UPDATE ON audit_outbox "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def _create_job_queue() -> None:
    """The tables of procrastinate, in house scope: opaque identifiers only."""
    op.get_bind().exec_driver_sql(f"SET LOCAL ROLE {OWNER}")
    for statement in _split(SchemaManager.get_schema()):
        op.get_bind().exec_driver_sql(statement)
    op.execute(
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_jobs, procrastinate_events, "
        f"procrastinate_periodic_defers, procrastinate_workers TO {APP}"
    )
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP}")


def _split(script: str) -> list[str]:
    """The statements of a script: asyncpg takes one at a time. A body between $$ is kept whole."""
    statements, current, in_body = [], [], False
    for line in script.splitlines():
        if not in_body and line.strip().startswith("--"):
            continue
        current.append(line)
        if line.count("$$") % 2:
            in_body = not in_body
        if not in_body and line.rstrip().endswith(";"):
            statements.append("\n".join(current))
            current = []
    rest = "\n".join(current).strip()
    return [*statements, rest] if rest else statements


def _create_tables() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f("ck_organisation_name_not_empty")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("name", name=op.f("uq_organisation_name")),
    )
    op.create_table(
        "practice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("spoken_name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("access", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), server_default=sa.text("'Europe/Paris'"), nullable=False),
        sa.Column("holiday_subdivision", sa.Text(), nullable=True),
        sa.Column("rescue_number", sa.Text(), nullable=False),
        sa.Column("closing_conduct", sa.Text(), nullable=False),
        sa.Column("out_of_hours_number", sa.Text(), nullable=False),
        sa.Column("voice", sa.Text(), server_default=sa.text("'local'"), nullable=False),
        sa.CheckConstraint("btrim(address) <> ''", name=op.f("ck_practice_address_not_empty")),
        sa.CheckConstraint("btrim(closing_conduct) <> ''", name=op.f("ck_practice_closing_conduct_not_empty")),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f("ck_practice_name_not_empty")),
        sa.CheckConstraint("btrim(spoken_name) <> ''", name=op.f("ck_practice_spoken_name_not_empty")),
        sa.CheckConstraint("btrim(timezone) <> ''", name=op.f("ck_practice_timezone_not_empty")),
        sa.CheckConstraint(
            "out_of_hours_number ~ '^(\\+[1-9][0-9]{6,14}|[0-9]{2,6})$' "
            "AND out_of_hours_number !~ '^\\+338[129]' "
            "AND out_of_hours_number !~ '^(36[0-9]{2}|118[0-9]{3})$'",
            name=op.f("ck_practice_out_of_hours_number_may_be_dialled"),
        ),
        sa.CheckConstraint(
            "rescue_number ~ '^\\+[1-9][0-9]{6,14}$' AND rescue_number !~ '^\\+338[129]'",
            name=op.f("ck_practice_rescue_number_may_be_dialled"),
        ),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("ck_practice_slug_is_a_slug")),
        sa.CheckConstraint("voice IN ('local', 'carrier')", name=op.f("ck_practice_voice")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_practice_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practice")),
        sa.UniqueConstraint("slug", name=op.f("uq_practice_slug")),
    )
    op.create_index(op.f("ix_practice_organisation_id"), "practice", ["organisation_id"], unique=False)
    op.create_table(
        "audit_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("stream", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("octet_length(leaf) = 32", name=op.f("ck_audit_record_leaf_is_a_digest")),
        sa.CheckConstraint("seq >= 0", name=op.f("ck_audit_record_seq")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_audit_record_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_record")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_audit_record_practice_id_id")),
        sa.UniqueConstraint("stream", "seq", name=op.f("uq_audit_record_stream_seq")),
    )
    op.create_index(
        op.f("ix_audit_record_practice_id_call_id"), "audit_record", ["practice_id", "call_id"], unique=False
    )
    op.create_table(
        "call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("carrier_sid", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_call_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
        sa.UniqueConstraint("carrier_sid", name=op.f("uq_call_carrier_sid")),
    )
    op.create_index("ix_call_open", "call", ["started_at"], unique=False, postgresql_where=sa.text("ended_at IS NULL"))
    op.create_index(op.f("ix_call_practice_id_started_at"), "call", ["practice_id", "started_at"], unique=False)
    op.create_table(
        "directory_number",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("entry", sa.Text(), server_default=sa.text("'main'"), nullable=False),
        sa.CheckConstraint(
            "entry IN ('main', 'overflow', 'professionals', 'closed')", name=op.f("ck_directory_number_entry")
        ),
        sa.CheckConstraint(
            "number ~ '^\\+[1-9][0-9]{6,14}$' AND number !~ '^\\+338[129]'",
            name=op.f("ck_directory_number_number_may_be_dialled"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"], ["practice.id"], name=op.f("fk_directory_number_practice_id_practice")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_directory_number")),
    )
    op.create_index(op.f("ix_directory_number_practice_id"), "directory_number", ["practice_id"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), server_default=sa.text("'callback'"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("call_reference", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handled_by", sa.Text(), nullable=True),
        sa.CheckConstraint("btrim(handled_by) <> ''", name=op.f("ck_message_handled_by_not_empty")),
        sa.CheckConstraint("kind IN ('callback')", name=op.f("ck_message_kind")),
        sa.CheckConstraint("reason ~ '^[a-z_]+$'", name=op.f("ck_message_reason_is_a_key")),
        sa.CheckConstraint("(handled_at IS NULL) = (handled_by IS NULL)", name=op.f("ck_message_handled_by_somebody")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_message_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_message_practice_id_id")),
    )
    op.create_index(
        "ix_message_waiting",
        "message",
        ["practice_id", "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("handled_at IS NULL"),
    )
    op.create_table(
        "opening_hours",
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.CheckConstraint("closes > opens", name=op.f("ck_opening_hours_closes_after_opening")),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_opening_hours_weekday")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_opening_hours_practice_id_practice")),
        sa.PrimaryKeyConstraint("practice_id", "weekday", "opens", name=op.f("pk_opening_hours")),
    )
    op.create_table(
        "own_line",
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.CheckConstraint("number ~ '^\\+[1-9][0-9]{6,14}$'", name=op.f("ck_own_line_number_is_e164")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_own_line_practice_id_practice")),
        sa.PrimaryKeyConstraint("practice_id", "number", name=op.f("pk_own_line")),
    )
    op.create_table(
        "patient",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("birth_name", sa.LargeBinary(), nullable=False),
        sa.Column("first_names", sa.LargeBinary(), nullable=False),
        sa.Column("first_name", sa.LargeBinary(), nullable=False),
        sa.Column("used_name", sa.LargeBinary(), nullable=True),
        sa.Column("used_first_name", sa.LargeBinary(), nullable=True),
        sa.Column("birth_date", sa.LargeBinary(), nullable=False),
        sa.Column("sex", sa.LargeBinary(), nullable=False),
        sa.Column("birth_place_code", sa.LargeBinary(), nullable=True),
        sa.Column("identity_status", sa.Text(), server_default=sa.text("'PROV'"), nullable=False),
        sa.Column("birth_date_fictive", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("deceased", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("homonym", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("doubtful", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("contact_restricted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("birth_name_index", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("btrim(external_id) <> ''", name=op.f("ck_patient_external_id_not_empty")),
        sa.CheckConstraint("identity_status = 'PROV' OR NOT doubtful", name=op.f("ck_patient_doubtful_is_provisional")),
        sa.CheckConstraint(
            "identity_status IN ('PROV', 'RECUP', 'VALI', 'QUAL')", name=op.f("ck_patient_identity_status")
        ),
        sa.CheckConstraint("octet_length(birth_name_index) = 32", name=op.f("ck_patient_birth_name_index_is_a_digest")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_patient_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
        sa.UniqueConstraint("practice_id", "external_id", name=op.f("uq_patient_practice_id_external_id")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_patient_practice_id_id")),
    )
    op.create_index(
        op.f("ix_patient_practice_id_birth_name_index"), "patient", ["practice_id", "birth_name_index"], unique=False
    )
    op.create_table(
        "practitioner",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("speciality", sa.Text(), nullable=False),
        sa.Column("sensitive", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f("ck_practitioner_name_not_empty")),
        sa.CheckConstraint("btrim(speciality) <> ''", name=op.f("ck_practitioner_speciality_not_empty")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_practitioner_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practitioner")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_practitioner_practice_id_id")),
        sa.UniqueConstraint("practice_id", "name", name=op.f("uq_practitioner_practice_id_name")),
    )
    op.create_table(
        "appointment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_minutes", sa.SmallInteger(), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'planned'"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("btrim(external_id) <> ''", name=op.f("ck_appointment_external_id_not_empty")),
        sa.CheckConstraint("place IS NULL OR btrim(place) <> ''", name=op.f("ck_appointment_place_not_empty")),
        sa.CheckConstraint("status IN ('planned', 'confirmed', 'cancelled')", name=op.f("ck_appointment_status")),
        sa.CheckConstraint("duration_minutes BETWEEN 1 AND 1440", name=op.f("ck_appointment_duration_within_a_day")),
        sa.ForeignKeyConstraint(
            ["practice_id", "patient_id"],
            ["patient.practice_id", "patient.id"],
            name=op.f("fk_appointment_practice_id_patient_id_patient"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "practitioner_id"],
            ["practitioner.practice_id", "practitioner.id"],
            name=op.f("fk_appointment_practice_id_practitioner_id_practitioner"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_appointment_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
        sa.UniqueConstraint("practice_id", "external_id", name=op.f("uq_appointment_practice_id_external_id")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_appointment_practice_id_id")),
    )
    op.create_index(
        op.f("ix_appointment_practice_id_patient_id_starts_at_id"),
        "appointment",
        ["practice_id", "patient_id", "starts_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_appointment_practice_id_practitioner_id"),
        "appointment",
        ["practice_id", "practitioner_id"],
        unique=False,
    )
    op.create_table(
        "audio",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fetches", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("completed", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_audio_call_id_call")),
        sa.ForeignKeyConstraint(
            ["practice_id", "record_id"],
            ["audit_record.practice_id", "audit_record.id"],
            name=op.f("fk_audio_practice_id_record_id_audit_record"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_audio_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audio")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_audio_token_hash")),
    )
    op.create_index(op.f("ix_audio_made_at"), "audio", ["made_at"], unique=False)
    op.create_table(
        "audit_outbox",
        sa.Column("n", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["practice_id", "record_id"],
            ["audit_record.practice_id", "audit_record.id"],
            name=op.f("fk_audit_outbox_practice_id_record_id_audit_record"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_audit_outbox_practice_id_practice")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_audit_outbox")),
        sa.UniqueConstraint("record_id", name=op.f("uq_audit_outbox_record_id")),
        comment="records that wait for the sealer, in the order of each stream",
    )
    op.create_table(
        "audit_subject",
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["practice_id", "patient_id"],
            ["patient.practice_id", "patient.id"],
            name=op.f("fk_audit_subject_practice_id_patient_id_patient"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_audit_subject_practice_id_practice")),
        sa.PrimaryKeyConstraint("patient_id", name=op.f("pk_audit_subject")),
        sa.UniqueConstraint("token", name=op.f("uq_audit_subject_token")),
        comment="a random token per patient: deleting the row unlinks the ledger from the person",
    )
    op.create_table(
        "call_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("document", sa.Integer(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("document >= 0", name=op.f("ck_call_session_document")),
        sa.ForeignKeyConstraint(["id"], ["call.id"], name=op.f("fk_call_session_id_call")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_call_session_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_session")),
    )
    op.create_table(
        "contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("birth_phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("confirmed_at >= entered_at", name=op.f("ck_contact_confirmed_once_entered")),
        sa.CheckConstraint(
            "octet_length(birth_phone_index) = 32", name=op.f("ck_contact_birth_phone_index_is_a_digest")
        ),
        sa.CheckConstraint("octet_length(phone_index) = 32", name=op.f("ck_contact_phone_index_is_a_digest")),
        sa.ForeignKeyConstraint(
            ["practice_id", "patient_id"],
            ["patient.practice_id", "patient.id"],
            name=op.f("fk_contact_practice_id_patient_id_patient"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_contact_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_contact_practice_id_id")),
        sa.UniqueConstraint(
            "practice_id", "patient_id", "phone_index", name=op.f("uq_contact_practice_id_patient_id_phone_index")
        ),
    )
    op.create_index(
        op.f("ix_contact_practice_id_birth_phone_index"), "contact", ["practice_id", "birth_phone_index"], unique=False
    )
    op.create_index(op.f("ix_contact_practice_id_phone_index"), "contact", ["practice_id", "phone_index"], unique=False)
    op.create_table(
        "challenge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("consumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(patient_id IS NULL) = (contact_id IS NULL)", name=op.f("ck_challenge_real_or_decoy")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_challenge_expires_later")),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_challenge_call_id_call")),
        sa.ForeignKeyConstraint(
            ["practice_id", "contact_id"],
            ["contact.practice_id", "contact.id"],
            name=op.f("fk_challenge_practice_id_contact_id_contact"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id", "patient_id"],
            ["patient.practice_id", "patient.id"],
            name=op.f("fk_challenge_practice_id_patient_id_patient"),
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_challenge_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_challenge_practice_id_id")),
    )
    op.create_index(
        op.f("ix_challenge_practice_id_patient_id_created_at"),
        "challenge",
        ["practice_id", "patient_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "step_answer",
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("document", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "slot IN ('next', 'enqueued', 'dialled', 'recorded', 'whisper')", name=op.f("ck_step_answer_slot")
        ),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call_session.id"], name=op.f("fk_step_answer_call_id_call_session"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_step_answer_practice_id_practice")),
        sa.PrimaryKeyConstraint("call_id", "document", "slot", name=op.f("pk_step_answer")),
    )
    op.create_index(op.f("ix_step_answer_answered_at"), "step_answer", ["answered_at"], unique=False)
    op.create_table(
        "challenge_attempt",
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("challenge_id", sa.Uuid(), nullable=False),
        sa.Column("document", sa.Integer(), nullable=False),
        sa.Column("keyed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("right", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("octet_length(keyed) = 32", name=op.f("ck_challenge_attempt_keyed_is_a_digest")),
        sa.ForeignKeyConstraint(
            ["practice_id", "challenge_id"],
            ["challenge.practice_id", "challenge.id"],
            name=op.f("fk_challenge_attempt_practice_id_challenge_id_challenge"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"], ["practice.id"], name=op.f("fk_challenge_attempt_practice_id_practice")
        ),
        sa.PrimaryKeyConstraint("challenge_id", "document", "keyed", name=op.f("pk_challenge_attempt")),
    )
