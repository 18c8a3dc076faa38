"""Extracts of the register for patients: who asked for one, how that was checked and what became of it (house scope);
whose it is and the words about it (practice scope).
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

import callcenter.staff.tables  # noqa: F401 - accounts are referred to
from callcenter.store.schema import HOUSE_SCOPE, PRACTICE_SCOPE, metadata, one_of, practice_column


class Asks(StrEnum):
    """Who asks for an extract: a closed list. No curator, no relative, no person of trust (SP-03, SP-04, SP-05)."""

    PATIENT = "patient"
    #: Of a minor (SP-01).
    PARENT = "parent"
    #: Tutelle, or a measure with representation: dated and not over (SP-03).
    GUARDIAN = "guardian"
    #: By an express mandate in writing (SP-04).
    MANDATED = "mandated"


class IdentityCheck(StrEnum):
    """How it was checked who they are: a closed list."""

    #: Came in person; the identity document was looked at, and no copy is kept.
    IN_PERSON = "in_person"
    #: Wrote; the copy of the document was destroyed after the check, and the answer goes to the address on file.
    LETTER = "letter"
    #: Was verified in a call of the last month, at V2 at least. It proves the patient and nobody who acts for them.
    VERIFIED_CALL = "verified_call"


class ExtractOutcome(StrEnum):
    """What the practice has decided."""

    RELEASED = "released"
    DECLINED = "declined"


register_extract = Table(
    "register_extract",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("asks", Text, nullable=False),
    Column("identity_check", Text, nullable=False),
    # In which the patient was verified.
    Column("call_id", Uuid),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("prepared_by", Uuid, ForeignKey("staff_account.id"), nullable=False),
    Column("prepared_at", DateTime(timezone=True), nullable=False),
    Column("closed_by", Uuid, ForeignKey("staff_account.id")),
    Column("closed_at", DateTime(timezone=True)),
    Column("outcome", Text),
    UniqueConstraint("practice_id", "id"),
    ForeignKeyConstraint(["practice_id", "call_id"], ["call.practice_id", "call.id"]),
    one_of("asks", Asks),
    one_of("identity_check", IdentityCheck),
    one_of("outcome", ExtractOutcome),
    CheckConstraint("(identity_check = 'verified_call') = (call_id IS NOT NULL)", name="verified_in_a_call"),
    # A call proves that it is the patient; nobody proves in one that they may act for them.
    CheckConstraint("asks = 'patient' OR identity_check <> 'verified_call'", name="who_acts_for_them_shows_it"),
    CheckConstraint("first_day <= last_day", name="a_period"),
    CheckConstraint(
        "(closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL) = (outcome IS NULL)",
        name="closed_by_somebody",
    ),
    CheckConstraint("closed_at >= prepared_at", name="closed_later"),
    Index(None, "practice_id", "prepared_at"),
    info=HOUSE_SCOPE,
)

#: Whose it is, found by which look-up, and the names as whoever asks has shown them: sealed, they head the paper.
extract_file = Table(
    "extract_file",
    metadata,
    Column("extract_id", Uuid, primary_key=True),
    practice_column(),
    Column("patient_id", Uuid, nullable=False),
    Column("reason_id", Uuid, nullable=False),
    Column("named", LargeBinary, nullable=False),
    ForeignKeyConstraint(["practice_id", "extract_id"], ["register_extract.practice_id", "register_extract.id"]),
    ForeignKeyConstraint(["practice_id", "patient_id"], ["patient.practice_id", "patient.id"]),
    ForeignKeyConstraint(["practice_id", "reason_id"], ["review_reason.practice_id", "review_reason.id"]),
    info=PRACTICE_SCOPE,
)

#: Why staff are named in one, each time that they are; why one is declined: sealed.
extract_words = Table(
    "extract_words",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("extract_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("words", LargeBinary, nullable=False),
    ForeignKeyConstraint(["practice_id", "extract_id"], ["register_extract.practice_id", "register_extract.id"]),
    CheckConstraint("kind IN ('staff', 'declined')", name="kind"),
    Index(None, "practice_id", "extract_id"),
    info=PRACTICE_SCOPE,
)
