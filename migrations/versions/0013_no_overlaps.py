"""Slots of one practitioner do not overlap: bookings that stand among themselves, and held slots among themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.kernel.errors import CallcenterError

revision = "0013"
down_revision = "0012"

#: One number, as a range: GiST compares those without an extension, which not every PostgreSQL brings (btree_gist).
WHOSE = (
    "numrange(uuid_hash_extended(practitioner_id, 0)::numeric, uuid_hash_extended(practitioner_id, 0)::numeric, '[]')"
)
#: In UTC, where the end does not depend on the session.
WHEN = "tsrange(timezone('UTC', starts_at), timezone('UTC', starts_at) + duration_minutes * interval '1 minute')"

#: The lock has kept them apart; whoever wrote to the table by hand may not have.
OVERLAPPING = """
SELECT one.id, other.id FROM booking_request one JOIN booking_request other
    ON other.practitioner_id = one.practitioner_id AND other.id > one.id
WHERE one.state = 'open' AND other.state = 'open'
  AND one.starts_at < other.starts_at + other.duration_minutes * interval '1 minute'
  AND other.starts_at < one.starts_at + one.duration_minutes * interval '1 minute'
ORDER BY one.id LIMIT 1
"""


def upgrade() -> None:
    overlapping = op.get_bind().execute(sa.text(OVERLAPPING)).one_or_none()
    if overlapping is not None:
        one, other = overlapping
        raise CallcenterError(
            f"the bookings {one} and {other} are of one practitioner and overlap: cancel one of them (state = "
            "'cancelled' in booking_request), tell whoever booked it, and migrate again"
        )
    for table, standing in (("booking_request", " WHERE (state = 'open')"), ("slot_hold", "")):
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT ex_{table}_overlap "
            f"EXCLUDE USING gist (({WHOSE}) WITH =, ({WHEN}) WITH &&){standing}"
        )
