"""Alembic's entry: runs on the connection that it is handed (``callcenter.store.migrations``)."""

from __future__ import annotations

from alembic import context

import callcenter.audit.tables
import callcenter.calls.carrier_tables
import callcenter.calls.flow_tables
import callcenter.calls.tables
import callcenter.identity.tables
import callcenter.notices.tables
import callcenter.practice.tables
import callcenter.reports.extract_tables
import callcenter.reports.tables
import callcenter.routing.tables
import callcenter.staff.glass_tables
import callcenter.staff.incident_tables
import callcenter.staff.tables
import callcenter.store.tables  # noqa: F401 - each import puts its tables on the metadata
from callcenter.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
