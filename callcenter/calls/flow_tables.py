"""Flows that were published: texts by digest, proofs, and what calls begin in. Nothing here is ever changed.

No word in it is about a patient: flows are written before anybody calls.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Identity, Index, Table, Text

from callcenter.store.schema import HOUSE_SCOPE, metadata

DIGEST = "'^[0-9a-f]{64}$'"

flow_release = Table(
    "flow_release",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("retained_at", DateTime(timezone=True), nullable=False),
    Column("retained_by", Text, nullable=False),
    # The database keeps no text under another's name, whoever writes it.
    CheckConstraint("digest = encode(sha256(convert_to(content, 'UTF8')), 'hex')", name="digest_of_content"),
    CheckConstraint("octet_length(content) <= 8388608", name="content_not_too_long"),
    info=HOUSE_SCOPE,
    comment="texts of flows and prompts that were published at once",
)

flow_version = Table(
    "flow_version",
    metadata,
    Column("release", Text, ForeignKey(flow_release.c.digest), primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    CheckConstraint(f"digest ~ {DIGEST}", name="digest"),
    CheckConstraint("name ~ '^[a-z][a-z0-9_]{0,59}$'", name="name"),
    Index(None, "digest"),
    info=HOUSE_SCOPE,
    comment="flows of a release; calls and records name them by digest",
)

flow_proof = Table(
    "flow_proof",
    metadata,
    Column("flow", Text, primary_key=True),
    Column("prover", Text, primary_key=True),
    Column("policy", Text, primary_key=True),
    Column("summary", Text, nullable=False),
    Column("proven_at", DateTime(timezone=True), nullable=False),
    CheckConstraint(f"flow ~ {DIGEST}", name="flow"),
    CheckConstraint(f"prover ~ {DIGEST}", name="prover"),
    CheckConstraint(f"policy ~ {DIGEST}", name="policy"),
    info=HOUSE_SCOPE,
    comment="that a flow was proven, by which prover, against which policy; each server proves again what it runs",
)

flow_publication = Table(
    "flow_publication",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("release", Text, ForeignKey(flow_release.c.digest), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("by", Text, nullable=False),
    info=HOUSE_SCOPE,
    comment="which release calls begin in: the last one",
)
