"""The tables of the staff room: who may sign in and for which practices (house scope), and by what (row scope).

House scope holds opaque identifiers, logins and the names that staff show to one another; tokens and keys of throttles
stand there as digests in hexadecimal. Passwords, second factors and private telephones stand in row scope: they are
seen only by a transaction that names their account (``app.row``).
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    func,
    text,
)

from callcenter.store.schema import HOUSE_SCOPE, ROW_SCOPE, metadata


def _digest(column: str) -> CheckConstraint:
    return CheckConstraint(f"{column} ~ '^[0-9a-f]{{64}}$'", name=f"{column}_is_a_digest")


def _not_empty(column: str) -> CheckConstraint:
    return CheckConstraint(f"btrim({column}) <> ''", name=f"{column}_not_empty")


def _at(name: str, *, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


# --- house scope

portfolio = Table(
    "portfolio",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, ForeignKey("organisation.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("whole", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("organisation_id", "id"),
    UniqueConstraint("organisation_id", "name"),
    _not_empty("name"),
    info=HOUSE_SCOPE,
    comment="practices for which rights are given; a whole one is every practice of its organisation, later ones too",
)

#: Of the portfolio's own organisation. A practice that another organisation takes over leaves every portfolio.
portfolio_practice = Table(
    "portfolio_practice",
    metadata,
    Column("portfolio_id", Uuid, nullable=False),
    Column("practice_id", Uuid, nullable=False),
    Column("organisation_id", Uuid, nullable=False),
    PrimaryKeyConstraint("portfolio_id", "practice_id"),
    ForeignKeyConstraint(["organisation_id", "portfolio_id"], ["portfolio.organisation_id", "portfolio.id"]),
    ForeignKeyConstraint(["organisation_id", "practice_id"], ["practice.organisation_id", "practice.id"]),
    Index(None, "practice_id"),
    info=HOUSE_SCOPE,
)

staff_account = Table(
    "staff_account",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, ForeignKey("organisation.id"), nullable=False),
    Column("login", Text, nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("languages", ARRAY(Text), nullable=False),
    _at("made_at", nullable=False),
    _at("locked_at"),
    _at("closed_at"),
    Column("expires_on", Date),  # the last day
    Column("secrecy_signed_on", Date),
    Column("trained_until", Date),  # the last day
    Column("page_language", Text),  # null: as the browser asks
    UniqueConstraint("organisation_id", "id"),
    CheckConstraint("login ~ '^[a-z0-9][a-z0-9._-]{1,38}[a-z0-9]$'", name="login_is_plain"),
    CheckConstraint("char_length(display_name) <= 80", name="display_name_is_short"),
    CheckConstraint("page_language IN ('fr', 'en')", name="page_language"),
    CheckConstraint(
        "array_position(languages, NULL) IS NULL AND array_to_string(languages, ',') ~ '^[a-z]{2}(,[a-z]{2}){0,9}$'",
        name="languages_are_codes",
    ),
    _not_empty("display_name"),
    info=HOUSE_SCOPE,
)

staff_role = Table(
    "staff_role",
    metadata,
    Column("staff_id", Uuid, nullable=False),
    Column("portfolio_id", Uuid, nullable=False),
    Column("role", Text, nullable=False),
    Column("organisation_id", Uuid, nullable=False),
    PrimaryKeyConstraint("staff_id", "portfolio_id", "role"),
    ForeignKeyConstraint(["organisation_id", "staff_id"], ["staff_account.organisation_id", "staff_account.id"]),
    ForeignKeyConstraint(["organisation_id", "portfolio_id"], ["portfolio.organisation_id", "portfolio.id"]),
    CheckConstraint("role IN ('operator', 'supervisor', 'practitioner', 'administrator')", name="role"),
    Index(None, "portfolio_id"),
    info=HOUSE_SCOPE,
)

#: Which practitioner an account is: whose messages it reads. It gives no right by itself; the role does.
staff_practitioner = Table(
    "staff_practitioner",
    metadata,
    Column("staff_id", Uuid, ForeignKey("staff_account.id"), nullable=False),
    Column("practice_id", Uuid, nullable=False),
    Column("practitioner_id", Uuid, nullable=False),
    Column("of_practice", Boolean, nullable=False, server_default=false()),  # and messages for the whole practice
    PrimaryKeyConstraint("staff_id", "practice_id"),
    ForeignKeyConstraint(["practice_id", "practitioner_id"], ["practitioner.practice_id", "practitioner.id"]),
    Index(None, "practice_id", "practitioner_id"),
    info=HOUSE_SCOPE,
)

#: A session that rises to a second factor is another row under another token: its stage never changes.
staff_session = Table(
    "staff_session",
    metadata,
    Column("token_mark", Text, primary_key=True),
    Column("id", Uuid, nullable=False, unique=True),  # by which pages and records name it
    Column("staff_id", Uuid, ForeignKey("staff_account.id"), nullable=False),
    Column("stage", Text, nullable=False),
    _at("made_at", nullable=False),
    _at("seen_at", nullable=False),
    _at("on_duty_at"),  # when a page of it has last shown that calls are offered to its owner
    _at("ends_at", nullable=False),
    _at("stepped_up_at"),
    _at("revoked_at"),
    Column("challenge", Text),  # what a passkey is to sign next
    Column("challenge_for", Text),
    _at("challenge_at"),
    CheckConstraint("stage IN ('password', 'full')", name="stage"),
    CheckConstraint("ends_at > made_at", name="ends_after_it_begins"),
    CheckConstraint("on_duty_at IS NULL OR stage = 'full'", name="on_duty_with_both_factors"),
    CheckConstraint("challenge_for IN ('sign_in', 'step_up', 'registration')", name="challenge_for"),
    CheckConstraint(
        "(challenge IS NULL) = (challenge_for IS NULL) AND (challenge IS NULL) = (challenge_at IS NULL)",
        name="challenge_is_whole",
    ),
    _digest("token_mark"),
    _digest("challenge"),
    Index("ix_staff_session_live", "staff_id", postgresql_where=text("revoked_at IS NULL")),
    info=HOUSE_SCOPE,
)

staff_invitation = Table(
    "staff_invitation",
    metadata,
    Column("token_mark", Text, primary_key=True),
    Column("staff_id", Uuid, ForeignKey("staff_account.id"), nullable=False, index=True),
    Column("purpose", Text, nullable=False),
    _at("made_at", nullable=False),
    _at("ends_at", nullable=False),
    _at("used_at"),
    _at("withdrawn_at"),
    CheckConstraint("purpose IN ('first', 'reset')", name="purpose"),
    CheckConstraint("ends_at > made_at", name="ends_after_it_begins"),
    CheckConstraint("used_at IS NULL OR withdrawn_at IS NULL", name="used_or_withdrawn"),
    _digest("token_mark"),
    info=HOUSE_SCOPE,
)

login_tally = Table(
    "login_tally",
    metadata,
    Column("mark", Text, primary_key=True),
    _at("window_start", nullable=False),
    Column("tries", Integer, nullable=False),
    CheckConstraint("tries >= 0", name="tries"),
    _digest("mark"),
    Index(None, "window_start"),
    info=HOUSE_SCOPE,
    comment="tries to sign in, by keyed hash of what they have in common",
)

#: Acts without a practice: the same canonical form, leaf and chain as ``audit_record``, bytes as text.
house_record = Table(
    "house_record",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("stream", Uuid, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("leaf", Text, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("stream", "seq"),
    CheckConstraint("seq >= 0", name="seq"),
    CheckConstraint(
        r"leaf = encode(sha256('\x00'::bytea || convert_to(body, 'UTF8')), 'hex')",  # RFC 6962 §2.1
        name="leaf_is_of_its_body",
    ),
    Index("ix_house_record_event_at", text("(body::jsonb ->> 'event')"), text("(body::jsonb ->> 'ts')")),
    info=HOUSE_SCOPE,
    comment="the ledger's log of the house; only ever added to",
)

#: As ``audit_outbox`` is for the records of practices; filled by a trigger of ``house_record``.
house_outbox = Table(
    "house_outbox",
    metadata,
    Column("n", BigInteger, Identity(always=True), primary_key=True),
    Column("record_id", Uuid, ForeignKey("house_record.id"), nullable=False, unique=True),
    Column("written_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    info=HOUSE_SCOPE,
    comment="records of the house that wait for the sealer, in the order of each stream",
)

# --- row scope, by account

staff_credential = Table(
    "staff_credential",
    metadata,
    Column("staff_id", Uuid, ForeignKey("staff_account.id"), primary_key=True),
    Column("password_hash", Text),
    _at("password_set_at"),
    Column("totp", LargeBinary),
    _at("totp_confirmed_at"),
    Column("totp_step", BigInteger, nullable=False, server_default=text("0")),  # the last one that was used
    Column("totp_pending", LargeBinary),  # shown, and not confirmed yet
    Column("telephone", LargeBinary),
    CheckConstraint("(password_hash IS NULL) = (password_set_at IS NULL)", name="password_is_whole"),
    CheckConstraint("password_hash LIKE '$argon2id$%'", name="password_is_hashed"),
    CheckConstraint("(totp IS NULL) = (totp_confirmed_at IS NULL)", name="totp_is_confirmed"),
    info=ROW_SCOPE,
)

staff_passkey = Table(
    "staff_passkey",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("staff_id", Uuid, ForeignKey("staff_account.id"), nullable=False, index=True),
    Column("credential", LargeBinary, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("label", Text, nullable=False),
    _at("made_at", nullable=False),
    _at("used_at"),
    CheckConstraint("sign_count >= 0", name="sign_count"),
    CheckConstraint("octet_length(credential) BETWEEN 1 AND 1023", name="credential_is_short"),  # WebAuthn §6.1
    CheckConstraint("char_length(label) <= 60", name="label_is_short"),
    _not_empty("label"),
    info=ROW_SCOPE,
)

staff_recovery_code = Table(
    "staff_recovery_code",
    metadata,
    Column("staff_id", Uuid, ForeignKey("staff_account.id"), nullable=False),
    Column("mark", Text, nullable=False),
    _at("used_at"),
    PrimaryKeyConstraint("staff_id", "mark"),
    _digest("mark"),
    info=ROW_SCOPE,
)

#: How many persons somebody of staff has claimed their callers to be, by the hour (UTC): it bounds fishing (ID-05).
operator_claim = Table(
    "operator_claim",
    metadata,
    Column("staff_id", Uuid, ForeignKey("staff_account.id"), nullable=False),
    Column("hour", DateTime(timezone=True), nullable=False),
    Column("claims", Integer, nullable=False),
    PrimaryKeyConstraint("staff_id", "hour"),
    CheckConstraint("claims > 0", name="claims"),
    info=HOUSE_SCOPE,
)
