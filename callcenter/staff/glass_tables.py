"""Broken glass: who broke it, for whom and when, and who has reviewed it (house scope); the words, and whose file was
opened (practice scope).
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

import callcenter.staff.tables  # noqa: F401 - accounts are referred to
from callcenter.store.schema import HOUSE_SCOPE, PRACTICE_SCOPE, metadata, one_of, practice_column


class Asks(StrEnum):
    """Who needs a fact to save a life: a closed list, and the recipient of what is opened."""

    RESCUE = "rescue"
    HOSPITAL = "hospital"
    BYSTANDER = "bystander"


class Verdict(StrEnum):
    """What whoever reviews it says."""

    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"


glass_break = Table(
    "glass_break",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    Column("staff_id", Uuid, ForeignKey("staff_account.id"), nullable=False),
    Column("asks", Text, nullable=False),
    # In which it was asked for, where somebody named it.
    Column("call_id", Uuid),
    Column("broken_at", DateTime(timezone=True), nullable=False),
    # When the second factor was given for it: each breaks the glass once.
    Column("confirmed_at", DateTime(timezone=True), nullable=False),
    Column("reviewed_at", DateTime(timezone=True)),
    Column("reviewed_by", Uuid, ForeignKey("staff_account.id")),
    Column("verdict", Text),
    UniqueConstraint("practice_id", "id"),
    UniqueConstraint("staff_id", "confirmed_at"),
    ForeignKeyConstraint(["practice_id", "call_id"], ["call.practice_id", "call.id"]),
    one_of("asks", Asks),
    one_of("verdict", Verdict),
    CheckConstraint(
        "broken_at >= confirmed_at AND broken_at <= confirmed_at + interval '5 minutes'", name="confirmed_just_now"
    ),
    CheckConstraint(
        "(reviewed_at IS NULL) = (reviewed_by IS NULL) AND (reviewed_at IS NULL) = (verdict IS NULL)",
        name="reviewed_by_somebody",
    ),
    CheckConstraint("reviewed_by <> staff_id", name="two_persons"),
    CheckConstraint("reviewed_at >= broken_at", name="reviewed_later"),
    Index(None, "practice_id", "broken_at"),
    Index("ix_glass_break_to_review", "broken_at", postgresql_where=text("reviewed_at IS NULL")),
    info=HOUSE_SCOPE,
)

#: Why, who asks and where they are rung back; and why a verdict is what it is: sealed.
glass_words = Table(
    "glass_words",
    metadata,
    Column("glass_id", Uuid, nullable=False),
    practice_column(),
    Column("kind", Text, nullable=False),
    Column("words", LargeBinary, nullable=False),
    PrimaryKeyConstraint("glass_id", "kind"),
    ForeignKeyConstraint(["practice_id", "glass_id"], ["glass_break.practice_id", "glass_break.id"]),
    CheckConstraint("kind IN ('asked', 'verdict')", name="kind"),
    info=PRACTICE_SCOPE,
)

#: Whose file was opened: one, and none where nobody was found or everything is withheld.
glass_file = Table(
    "glass_file",
    metadata,
    Column("glass_id", Uuid, primary_key=True),
    practice_column(),
    Column("patient_id", Uuid, nullable=False),
    ForeignKeyConstraint(["practice_id", "glass_id"], ["glass_break.practice_id", "glass_break.id"]),
    ForeignKeyConstraint(["practice_id", "patient_id"], ["patient.practice_id", "patient.id"]),
    info=PRACTICE_SCOPE,
)
