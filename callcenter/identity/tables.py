"""Challenges and the attempts on them. A decoy challenge has no patient and is otherwise like any other."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    text,
)

from callcenter.store.schema import HOUSE_SCOPE, PRACTICE_SCOPE, metadata, practice_column

challenge = Table(
    "challenge",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("call_id", Uuid, nullable=False),
    Column("patient_id", Uuid),
    Column("contact_id", Uuid),
    Column("secret", LargeBinary),  # sealed; gone once the code was used or is too old (OB-02)
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("consumed_at", DateTime(timezone=True)),
    # Keyed hashes of what was claimed and of the calling number, to be counted while the challenge is kept (OB-03).
    Column("claim", LargeBinary),
    Column("caller", LargeBinary),
    UniqueConstraint("practice_id", "id"),
    ForeignKeyConstraint(["practice_id", "call_id"], ["call.practice_id", "call.id"]),
    ForeignKeyConstraint(["practice_id", "patient_id"], ["patient.practice_id", "patient.id"]),
    # A telephone of that very patient. It may leave the file while the challenge stands: then no code opens it.
    ForeignKeyConstraint(
        ["practice_id", "patient_id", "contact_id"],
        ["contact.practice_id", "contact.patient_id", "contact.id"],
        ondelete="SET NULL (contact_id)",
    ),
    CheckConstraint("contact_id IS NULL OR patient_id IS NOT NULL", name="contact_of_a_patient"),
    CheckConstraint("consumed_at IS NULL OR secret IS NULL", name="no_secret_once_used"),
    CheckConstraint("expires_at > created_at", name="expires_later"),
    CheckConstraint("expires_at - created_at <= interval '10 minutes'", name="expires_soon"),  # OB-02
    CheckConstraint("octet_length(claim) = 32", name="claim_is_a_digest"),
    CheckConstraint("octet_length(caller) = 32", name="caller_is_a_digest"),
    Index(None, "practice_id", "patient_id", "created_at"),
    Index(None, "practice_id", "caller", "created_at"),
    info=PRACTICE_SCOPE,
)

challenge_attempt = Table(
    "challenge_attempt",
    metadata,
    practice_column(),
    Column("challenge_id", Uuid, nullable=False),
    Column("document", Integer, nullable=False),
    Column("keyed", LargeBinary, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("right", Boolean, nullable=False, server_default=false()),
    # The same webhook repeated after a rollback has counted already; other keys on the same question count again.
    PrimaryKeyConstraint("challenge_id", "document", "keyed"),
    ForeignKeyConstraint(["practice_id", "challenge_id"], ["challenge.practice_id", "challenge.id"]),
    CheckConstraint("document >= 0", name="document"),
    CheckConstraint("octet_length(keyed) = 32", name="keyed_is_a_digest"),
    info=PRACTICE_SCOPE,
)

#: Tries at references and at the birth dates of appointment cards, right and wrong: they bound guessing (OB-13).
reference_try = Table(
    "reference_try",
    metadata,
    practice_column(),
    # No foreign key: it would wait for the call's row, which the step holds that waits for this one to be counted.
    Column("call_id", Uuid, nullable=False),
    Column("document", Integer, nullable=False),
    Column("keyed", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target", LargeBinary, nullable=False),
    Column("caller_index", LargeBinary),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("right", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("call_id", "document", "keyed"),
    CheckConstraint("document >= 0", name="document"),
    CheckConstraint("kind IN ('reference', 'birth_date')", name="kind"),
    CheckConstraint("octet_length(keyed) = 32", name="keyed_is_a_digest"),
    CheckConstraint("octet_length(target) = 32", name="target_is_a_digest"),
    CheckConstraint("octet_length(caller_index) = 32", name="caller_index_is_a_digest"),
    Index(None, "practice_id", "at"),
    info=PRACTICE_SCOPE,
)

#: How many wrong tries there were everywhere, by the hour (UTC).
reference_tally = Table(
    "reference_tally",
    metadata,
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("wrong", Integer, nullable=False),
    info=HOUSE_SCOPE,
)

#: That what was counted of wrong codes in a call is to count no more: asked for by one, and confirmed by another.
lock_release = Table(
    "lock_release",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("call_id", Uuid, nullable=False),
    Column("asked_by", Uuid, ForeignKey("staff_account.id"), nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("confirmed_by", Uuid, ForeignKey("staff_account.id")),
    Column("confirmed_at", DateTime(timezone=True)),
    UniqueConstraint("practice_id", "id"),
    ForeignKeyConstraint(["practice_id", "call_id"], ["call.practice_id", "call.id"]),
    CheckConstraint("(confirmed_at IS NULL) = (confirmed_by IS NULL)", name="confirmed_by_somebody"),
    CheckConstraint("confirmed_by <> asked_by", name="two_persons"),
    CheckConstraint(
        "confirmed_at >= asked_at AND confirmed_at <= asked_at + interval '15 minutes'", name="confirmed_soon"
    ),
    Index("ix_lock_release_asked", "practice_id", "asked_at", postgresql_where=text("confirmed_at IS NULL")),
    info=HOUSE_SCOPE,
)

#: Why, in the words of whoever asks: sealed.
lock_release_reason = Table(
    "lock_release_reason",
    metadata,
    Column("release_id", Uuid, primary_key=True),
    practice_column(),
    Column("words", LargeBinary, nullable=False),
    ForeignKeyConstraint(["practice_id", "release_id"], ["lock_release.practice_id", "lock_release.id"]),
    info=PRACTICE_SCOPE,
)

#: Whom it concerned, if anybody: no page reads it, and without a patient there is none.
lock_lifted = Table(
    "lock_lifted",
    metadata,
    Column("release_id", Uuid, nullable=False),
    practice_column(),
    Column("patient_id", Uuid, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("release_id", "patient_id"),
    ForeignKeyConstraint(["practice_id", "release_id"], ["lock_release.practice_id", "lock_release.id"]),
    ForeignKeyConstraint(["practice_id", "patient_id"], ["patient.practice_id", "patient.id"]),
    Index(None, "practice_id", "patient_id", "at"),
    info=PRACTICE_SCOPE,
)
