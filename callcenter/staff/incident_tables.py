"""Incidents: that there is one, since when, and whom it concerns, in house scope; what was written of it, sealed, in
row scope: a transaction names the incident whose register it reads. Registers are only ever added to (RGPD 33.5).
What a practice is told stands sealed in its own scope, so that no other's practitioners can read it (RGPD 33.2).
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
from callcenter.store.schema import HOUSE_SCOPE, PRACTICE_SCOPE, ROW_SCOPE, metadata, one_of, practice_column


class IncidentKind(StrEnum):
    """What has happened to data (RGPD 4.12)."""

    WRONG_PERSON = "wrong_person"
    UNAUTHORISED_ACCESS = "unauthorised_access"
    LOSS = "loss"
    ALTERATION = "alteration"
    UNAVAILABILITY = "unavailability"
    OTHER = "other"


class EntryKind(StrEnum):
    """What an entry of a register is. The first five are what art. 33.3 asks for, and what is written afterwards."""

    FACTS = "facts"
    PERSONS = "persons"
    CONSEQUENCES = "consequences"
    MEASURES = "measures"
    NOTE = "note"
    PRACTICE_INFORMED = "practice_informed"
    PERSONS_INFORMED = "persons_informed"
    NOTIFIED = "notified"
    CLOSED = "closed"
    HELD = "held"
    HOLD_LIFTED = "hold_lifted"
    EXPORTED = "exported"
    #: What a practice is told was put on its page; somebody of the practice has read it there.
    PRACTICE_NOTICE = "practice_notice"
    PRACTICE_READ = "practice_read"


class Means(StrEnum):
    """How a practice was told of an incident."""

    TELEPHONE = "telephone"
    LETTER = "letter"
    EMAIL = "email"
    #: Somebody of the practice has read the notice on its page before anybody noted that it was told.
    PAGE = "page"


def _at(name: str, *, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


incident = Table(
    "incident",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, ForeignKey("organisation.id"), nullable=False),
    Column("kind", Text, nullable=False),
    # From here the 72 hours run (RGPD 33.1).
    _at("known_at", nullable=False),
    _at("declared_at", nullable=False),
    Column("declared_by", Uuid, ForeignKey("staff_account.id"), nullable=False),
    _at("notified_at"),
    _at("closed_at"),
    one_of("kind", IncidentKind),
    CheckConstraint("known_at <= declared_at", name="known_before_it_is_declared"),
    CheckConstraint("notified_at >= declared_at AND closed_at >= declared_at", name="declared_first"),
    Index("ix_incident_open", "organisation_id", postgresql_where=text("closed_at IS NULL")),
    Index(None, "organisation_id", "declared_at"),
    info=HOUSE_SCOPE,
)

incident_practice = Table(
    "incident_practice",
    metadata,
    Column("incident_id", Uuid, ForeignKey("incident.id"), nullable=False),
    practice_column(),
    # When the practice, as controller, was told (RGPD 33.2).
    _at("informed_at"),
    Column("means", Text),
    PrimaryKeyConstraint("incident_id", "practice_id"),
    one_of("means", Means),
    CheckConstraint("means IS NULL OR informed_at IS NOT NULL", name="informed_by_some_means"),
    Index(None, "practice_id"),
    info=HOUSE_SCOPE,
)

incident_entry = Table(
    "incident_entry",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("incident_id", Uuid, ForeignKey("incident.id"), nullable=False),
    Column("kind", Text, nullable=False),
    _at("at", nullable=False),
    Column("by", Uuid, ForeignKey("staff_account.id"), nullable=False),
    # Of a practice or a call, where it is about one.
    Column("about", Uuid),
    Column("words", LargeBinary),  # sealed
    one_of("kind", EntryKind),
    CheckConstraint(
        "words IS NOT NULL OR kind IN ('practice_informed', 'held', 'hold_lifted', 'exported', 'practice_notice', "
        "'practice_read')",
        name="says_something",
    ),
    Index(None, "incident_id", "at", "id"),
    info=ROW_SCOPE,
    comment="the register of an incident; only ever added to",
)

#: That a practice was told something of an incident, and when; later ones add to the first (RGPD 33.4).
incident_notice = Table(
    "incident_notice",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("incident_id", Uuid, nullable=False),
    practice_column(),
    _at("made_at", nullable=False),
    Column("made_by", Uuid, ForeignKey("staff_account.id"), nullable=False),
    UniqueConstraint("practice_id", "id"),
    ForeignKeyConstraint(
        ["incident_id", "practice_id"], ["incident_practice.incident_id", "incident_practice.practice_id"]
    ),
    Index(None, "incident_id", "practice_id", "made_at"),
    info=HOUSE_SCOPE,
)

incident_notice_words = Table(
    "incident_notice_words",
    metadata,
    practice_column(),
    Column("notice_id", Uuid, nullable=False),
    Column("words", LargeBinary, nullable=False),  # sealed
    PrimaryKeyConstraint("practice_id", "notice_id"),
    ForeignKeyConstraint(["practice_id", "notice_id"], ["incident_notice.practice_id", "incident_notice.id"]),
    info=PRACTICE_SCOPE,
    comment="what a practice was told of an incident; only ever added to",
)

#: Who of a practice has read a notice.
incident_receipt = Table(
    "incident_receipt",
    metadata,
    Column("notice_id", Uuid, nullable=False),
    practice_column(),
    Column("staff_id", Uuid, ForeignKey("staff_account.id"), nullable=False),
    _at("at", nullable=False),
    PrimaryKeyConstraint("notice_id", "staff_id"),
    ForeignKeyConstraint(["practice_id", "notice_id"], ["incident_notice.practice_id", "incident_notice.id"]),
    info=HOUSE_SCOPE,
)

#: Calls of which nothing is erased when its time is over, until the hold is lifted.
call_hold = Table(
    "call_hold",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("incident_id", Uuid, nullable=False),
    practice_column(),
    Column("call_id", Uuid, nullable=False),
    _at("placed_at", nullable=False),
    Column("placed_by", Uuid, ForeignKey("staff_account.id"), nullable=False),
    _at("lifted_at"),
    Column("lifted_by", Uuid, ForeignKey("staff_account.id")),
    UniqueConstraint("incident_id", "call_id", "placed_at"),
    # Of a practice that the incident concerns, and of a call of it.
    ForeignKeyConstraint(
        ["incident_id", "practice_id"], ["incident_practice.incident_id", "incident_practice.practice_id"]
    ),
    ForeignKeyConstraint(["practice_id", "call_id"], ["call.practice_id", "call.id"]),
    CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="lifted_by_somebody"),
    CheckConstraint("lifted_at >= placed_at", name="lifted_later"),
    Index("ix_call_hold_standing", "call_id", postgresql_where=text("lifted_at IS NULL")),
    info=HOUSE_SCOPE,
)
