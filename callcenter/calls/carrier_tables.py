"""What the comparison with the carrier's list of calls has found. House scope: identifiers and days, never a number."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from callcenter.calls.carrier_values import Cause, Difference
from callcenter.store.schema import HOUSE_SCOPE, metadata, one_of, practice_column

#: A day (UTC) whose calls were compared, as they were last.
carrier_day = Table(
    "carrier_day",
    metadata,
    Column("day", Date, primary_key=True),
    Column("compared_at", DateTime(timezone=True), nullable=False),
    # Calls to numbers of ours that the carrier lists, and legs of that day that we know.
    Column("theirs", Integer, nullable=False),
    Column("ours", Integer, nullable=False),
    CheckConstraint("theirs >= 0 AND ours >= 0", name="counts"),
    # While calls of the day may go on, nothing can be said of it.
    CheckConstraint("compared_at >= (day + 1)::timestamp AT TIME ZONE 'UTC'", name="compared_once_it_was_over"),
    info=HOUSE_SCOPE,
)

#: One call about which the two do not agree, until somebody has found out why.
carrier_finding = Table(
    "carrier_finding",
    metadata,
    Column("id", Uuid, primary_key=True),
    practice_column(),
    # The carrier's identifier of the leg.
    Column("sid", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("found_at", DateTime(timezone=True), nullable=False),
    Column("settled_at", DateTime(timezone=True)),
    # An account's identifier, or whoever typed a command.
    Column("settled_by", Text),
    Column("cause", Text),
    UniqueConstraint("sid", "kind"),
    one_of("kind", Difference),
    one_of("cause", Cause),
    CheckConstraint("sid ~ '^CA[0-9a-f]{32}$'", name="sid"),
    CheckConstraint(
        "(settled_at IS NULL) = (settled_by IS NULL) AND (settled_at IS NULL) = (cause IS NULL)",
        name="settled_by_somebody_for_a_cause",
    ),
    CheckConstraint("settled_at >= found_at", name="settled_later"),
    Index("ix_carrier_finding_open", "found_at", postgresql_where=text("settled_at IS NULL")),
    info=HOUSE_SCOPE,
)
