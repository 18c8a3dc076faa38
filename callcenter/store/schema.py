"""What every table shares: one metadata, names of constraints, the two scopes of rows, the roles.

*Practice scope*: everything about patients. Such a table has a ``practice_id``; row-level security shows the app role
the rows of the practice named by ``app.practice`` in the current transaction, and an unset name is an error.
*House scope*: directory, staff, queues, jobs; opaque ids only, no sealed and no labelled column.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Column, ForeignKey, MetaData, Table, Uuid

OWNER, APP, SEALER, ERASER = "callcenter_owner", "callcenter_app", "callcenter_sealer", "callcenter_eraser"
ROLES = (OWNER, APP, SEALER, ERASER)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def practice_column() -> Column[object]:
    """The column that puts a table in practice scope."""
    return Column("practice_id", Uuid, ForeignKey("practice.id"), nullable=False)


def in_practice_scope(table: Table) -> bool:
    """Whether ``table`` holds rows about patients, which row-level security must guard."""
    return table.info.get("scope") == "practice"


PRACTICE_SCOPE = {"scope": "practice"}
HOUSE_SCOPE = {"scope": "house"}


def practice_tables(tables: Iterable[Table]) -> list[Table]:
    """Those of ``tables`` that are in practice scope."""
    return [table for table in tables if in_practice_scope(table)]


def guard_statements(table: str) -> list[str]:
    """The statements that put row-level security on ``table``.

    FORCE makes it bind the owner too, which then needs a policy of its own: without one it would see no row, silently.
    """
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY {table}_practice ON {table} TO {APP} "
        "USING (practice_id = current_setting('app.practice')::uuid) "
        "WITH CHECK (practice_id = current_setting('app.practice')::uuid)",
        f"CREATE POLICY {table}_owner ON {table} TO {OWNER} USING (true) WITH CHECK (true)",
    ]
