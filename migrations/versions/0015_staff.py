"""Accounts of staff: portfolios and roles, sessions, invitations, what one signs in by, and the ledger's house log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP, guard_row_statements

revision = "0015"
down_revision = "0014"

#: What the server may do, and nothing more: a login, an organisation and a stage never change; no account is deleted.
APP_RIGHTS = {
    "portfolio": "SELECT, INSERT",
    "portfolio_practice": "SELECT, INSERT, DELETE",
    "staff_account": "SELECT, INSERT, UPDATE (display_name, languages, locked_at, closed_at, expires_on, "
    "secrecy_signed_on, trained_until)",
    "staff_role": "SELECT, INSERT, DELETE",
    "staff_session": "SELECT, INSERT, UPDATE (seen_at, stepped_up_at, revoked_at, challenge, challenge_for, "
    "challenge_at), DELETE",
    "staff_invitation": "SELECT, INSERT, UPDATE (used_at, withdrawn_at)",
    "login_tally": "SELECT, INSERT, UPDATE (window_start, tries), DELETE",
    "house_record": "SELECT, INSERT",
    "staff_credential": "SELECT, INSERT, UPDATE (password_hash, password_set_at, totp, totp_confirmed_at, totp_step, "
    "totp_pending, telephone)",
    "staff_passkey": "SELECT, INSERT, UPDATE (sign_count, used_at), DELETE",
    "staff_recovery_code": "SELECT, INSERT, UPDATE (used_at), DELETE",
}


def upgrade() -> None:
    _portfolio()
    _portfolio_practice()
    _staff_account()
    _staff_role()
    _staff_session()
    _staff_invitation()
    _login_tally()
    _house_record()
    _staff_credential()
    _staff_passkey()
    _staff_recovery_code()
    for table in ("staff_credential", "staff_passkey", "staff_recovery_code"):
        for statement in guard_row_statements(table, "staff_id"):
            op.execute(statement)
    for table, rights in APP_RIGHTS.items():
        op.execute(f"GRANT {rights} ON {table} TO {APP}")
    _make_the_house_log_append_only()
    _have_a_practice_leave_with_its_organisation()


def _make_the_house_log_append_only() -> None:
    """Rights stop the app; these triggers stop an accident of the owner's too."""
    op.execute(
        "CREATE TRIGGER house_record_append_only BEFORE UPDATE OR DELETE ON house_record "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER house_record_not_emptied BEFORE TRUNCATE ON house_record "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    for trigger in ("house_record_append_only", "house_record_not_emptied"):
        op.execute(f"ALTER TABLE house_record ENABLE ALWAYS TRIGGER {trigger}")


def _have_a_practice_leave_with_its_organisation() -> None:
    """Whoever staffs a practice no more loses every right to it, in the same statement."""
    op.execute(
        "CREATE FUNCTION leave_portfolios() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN DELETE FROM portfolio_practice WHERE practice_id = OLD.id; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER practice_leaves_portfolios BEFORE UPDATE OF organisation_id ON practice FOR EACH ROW "
        "WHEN (OLD.organisation_id <> NEW.organisation_id) EXECUTE FUNCTION leave_portfolios()"
    )


def _portfolio() -> None:
    op.create_unique_constraint(op.f("uq_practice_organisation_id_id"), "practice", ["organisation_id", "id"])
    op.create_table(
        "portfolio",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("whole", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f("ck_portfolio_name_not_empty")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_portfolio_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portfolio")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_portfolio_organisation_id_id")),
        sa.UniqueConstraint("organisation_id", "name", name=op.f("uq_portfolio_organisation_id_name")),
        comment="practices for which rights are given; a whole one is every practice of its organisation, "
        "later ones too",
    )


def _portfolio_practice() -> None:
    op.create_table(
        "portfolio_practice",
        sa.Column("portfolio_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "portfolio_id"],
            ["portfolio.organisation_id", "portfolio.id"],
            name=op.f("fk_portfolio_practice_organisation_id_portfolio_id_portfolio"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "practice_id"],
            ["practice.organisation_id", "practice.id"],
            name=op.f("fk_portfolio_practice_organisation_id_practice_id_practice"),
        ),
        sa.PrimaryKeyConstraint("portfolio_id", "practice_id", name=op.f("pk_portfolio_practice")),
    )
    op.create_index(op.f("ix_portfolio_practice_practice_id"), "portfolio_practice", ["practice_id"])


def _staff_account() -> None:
    op.create_table(
        "staff_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("languages", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("secrecy_signed_on", sa.Date(), nullable=True),
        sa.Column("trained_until", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "array_position(languages, NULL) IS NULL AND "
            "array_to_string(languages, ',') ~ '^[a-z]{2}(,[a-z]{2}){0,9}$'",
            name=op.f("ck_staff_account_languages_are_codes"),
        ),
        sa.CheckConstraint("btrim(display_name) <> ''", name=op.f("ck_staff_account_display_name_not_empty")),
        sa.CheckConstraint(
            "login ~ '^[a-z0-9][a-z0-9._-]{1,38}[a-z0-9]$'", name=op.f("ck_staff_account_login_is_plain")
        ),
        sa.CheckConstraint("char_length(display_name) <= 80", name=op.f("ck_staff_account_display_name_is_short")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_staff_account_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_account")),
        sa.UniqueConstraint("login", name=op.f("uq_staff_account_login")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_staff_account_organisation_id_id")),
    )


def _staff_role() -> None:
    op.create_table(
        "staff_role",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("portfolio_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "role IN ('operator', 'supervisor', 'practitioner', 'administrator')", name=op.f("ck_staff_role_role")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "portfolio_id"],
            ["portfolio.organisation_id", "portfolio.id"],
            name=op.f("fk_staff_role_organisation_id_portfolio_id_portfolio"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "staff_id"],
            ["staff_account.organisation_id", "staff_account.id"],
            name=op.f("fk_staff_role_organisation_id_staff_id_staff_account"),
        ),
        sa.PrimaryKeyConstraint("staff_id", "portfolio_id", "role", name=op.f("pk_staff_role")),
    )
    op.create_index(op.f("ix_staff_role_portfolio_id"), "staff_role", ["portfolio_id"])


def _staff_session() -> None:
    op.create_table(
        "staff_session",
        sa.Column("token_mark", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stepped_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("challenge", sa.Text(), nullable=True),
        sa.Column("challenge_for", sa.Text(), nullable=True),
        sa.Column("challenge_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("challenge ~ '^[0-9a-f]{64}$'", name=op.f("ck_staff_session_challenge_is_a_digest")),
        sa.CheckConstraint(
            "challenge_for IN ('sign_in', 'step_up', 'registration')", name=op.f("ck_staff_session_challenge_for")
        ),
        sa.CheckConstraint("stage IN ('password', 'full')", name=op.f("ck_staff_session_stage")),
        sa.CheckConstraint("token_mark ~ '^[0-9a-f]{64}$'", name=op.f("ck_staff_session_token_mark_is_a_digest")),
        sa.CheckConstraint(
            "(challenge IS NULL) = (challenge_for IS NULL) AND (challenge IS NULL) = (challenge_at IS NULL)",
            name=op.f("ck_staff_session_challenge_is_whole"),
        ),
        sa.CheckConstraint("ends_at > made_at", name=op.f("ck_staff_session_ends_after_it_begins")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_account.id"], name=op.f("fk_staff_session_staff_id_staff_account")
        ),
        sa.PrimaryKeyConstraint("token_mark", name=op.f("pk_staff_session")),
        sa.UniqueConstraint("id", name=op.f("uq_staff_session_id")),
    )
    op.create_index(
        "ix_staff_session_live", "staff_session", ["staff_id"], postgresql_where=sa.text("revoked_at IS NULL")
    )


def _staff_invitation() -> None:
    op.create_table(
        "staff_invitation",
        sa.Column("token_mark", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("purpose IN ('first', 'reset')", name=op.f("ck_staff_invitation_purpose")),
        sa.CheckConstraint("token_mark ~ '^[0-9a-f]{64}$'", name=op.f("ck_staff_invitation_token_mark_is_a_digest")),
        sa.CheckConstraint("ends_at > made_at", name=op.f("ck_staff_invitation_ends_after_it_begins")),
        sa.CheckConstraint(
            "used_at IS NULL OR withdrawn_at IS NULL", name=op.f("ck_staff_invitation_used_or_withdrawn")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_account.id"], name=op.f("fk_staff_invitation_staff_id_staff_account")
        ),
        sa.PrimaryKeyConstraint("token_mark", name=op.f("pk_staff_invitation")),
    )
    op.create_index(op.f("ix_staff_invitation_staff_id"), "staff_invitation", ["staff_id"])


def _login_tally() -> None:
    op.create_table(
        "login_tally",
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.CheckConstraint("mark ~ '^[0-9a-f]{64}$'", name=op.f("ck_login_tally_mark_is_a_digest")),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_login_tally_tries")),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_login_tally")),
        comment="tries to sign in, by keyed hash of what they have in common",
    )
    op.create_index(op.f("ix_login_tally_window_start"), "login_tally", ["window_start"])


def _house_record() -> None:
    op.create_table(
        "house_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stream", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("leaf", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "leaf = encode(sha256('\\x00'::bytea || convert_to(body, 'UTF8')), 'hex')",
            name=op.f("ck_house_record_leaf_is_of_its_body"),
        ),
        sa.CheckConstraint("seq >= 0", name=op.f("ck_house_record_seq")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_house_record")),
        sa.UniqueConstraint("stream", "seq", name=op.f("uq_house_record_stream_seq")),
        comment="the ledger's log of the house; only ever added to",
    )


def _staff_credential() -> None:
    op.create_table(
        "staff_credential",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("password_set_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp", sa.LargeBinary(), nullable=True),
        sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("totp_pending", sa.LargeBinary(), nullable=True),
        sa.Column("telephone", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("password_hash LIKE '$argon2id$%'", name=op.f("ck_staff_credential_password_is_hashed")),
        sa.CheckConstraint(
            "(password_hash IS NULL) = (password_set_at IS NULL)", name=op.f("ck_staff_credential_password_is_whole")
        ),
        sa.CheckConstraint(
            "(totp IS NULL) = (totp_confirmed_at IS NULL)", name=op.f("ck_staff_credential_totp_is_confirmed")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_account.id"], name=op.f("fk_staff_credential_staff_id_staff_account")
        ),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_staff_credential")),
    )


def _staff_passkey() -> None:
    op.create_table(
        "staff_passkey",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("btrim(label) <> ''", name=op.f("ck_staff_passkey_label_not_empty")),
        sa.CheckConstraint("char_length(label) <= 60", name=op.f("ck_staff_passkey_label_is_short")),
        sa.CheckConstraint(
            "octet_length(credential) BETWEEN 1 AND 1023", name=op.f("ck_staff_passkey_credential_is_short")
        ),
        sa.CheckConstraint("sign_count >= 0", name=op.f("ck_staff_passkey_sign_count")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_account.id"], name=op.f("fk_staff_passkey_staff_id_staff_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_passkey")),
        sa.UniqueConstraint("credential", name=op.f("uq_staff_passkey_credential")),
    )
    op.create_index(op.f("ix_staff_passkey_staff_id"), "staff_passkey", ["staff_id"])


def _staff_recovery_code() -> None:
    op.create_table(
        "staff_recovery_code",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("mark ~ '^[0-9a-f]{64}$'", name=op.f("ck_staff_recovery_code_mark_is_a_digest")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_account.id"], name=op.f("fk_staff_recovery_code_staff_id_staff_account")
        ),
        sa.PrimaryKeyConstraint("staff_id", "mark", name=op.f("pk_staff_recovery_code")),
    )
