"""Which records stand: all but those that the sealer has refused, as every statement that reads records asks.

A refused record's bytes stay where they were written, and say whatever a forger liked. Whoever reads records for what
they say passes them over, or reads what is sealed in their places (``reading.WHOLE``): docs/decisions/0072.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, exists, select

from callcenter.audit.logs import HOUSE_LOG
from callcenter.audit.tables import audit_record, audit_refused

#: For records ``r`` of practices, and of the house. That table is nearly always empty, and is asked by its key.
STANDS = "NOT EXISTS (SELECT FROM audit_refused x WHERE x.log_id = r.practice_id AND x.record_id = r.id)"
HOUSE_STANDS = f"NOT EXISTS (SELECT FROM audit_refused x WHERE x.log_id = '{HOUSE_LOG}' AND x.record_id = r.id)"

_IT = audit_refused.c.log_id == audit_record.c.practice_id, audit_refused.c.record_id == audit_record.c.id

#: What is sealed in the place of a record of a practice; ``NULL`` where it stands itself.
INSTEAD: ColumnElement[Any] = select(audit_refused.c.body).where(*_IT).scalar_subquery().label("instead")
HOUSE_INSTEAD = f"""
    (SELECT x.body FROM audit_refused x WHERE x.log_id = '{HOUSE_LOG}' AND x.record_id = r.id) AS instead
"""  # noqa: S608 - our own words alone


def stands() -> ColumnElement[bool]:
    """Whether a record of a practice stands: ``STANDS`` for queries on ``audit_record``."""
    return ~exists().where(*_IT)
