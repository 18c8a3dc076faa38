"""What every table shares: one metadata, names of constraints, the two scopes of rows, the roles.

*Practice scope*: everything about patients. Such a table has a ``practice_id``; row-level security shows the app role
the rows of the practice named by ``app.practice`` in the current transaction, and an unset name is an error.
*House scope*: directory, staff, queues, jobs; opaque ids only, no sealed and no labelled column.
*Row scope*: a row that holds something sealed and is no practice's. Row-level security shows it to the transaction that
names it by ``app.row``, and no other row; an unset name is an error.
*Log scope*: what seals a log of the ledger. A practice's log has its identifier and is shown, never written, to
transactions in that practice; the house's has the nil identifier.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, ForeignKey, MetaData, Table, Uuid

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


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """That ``column`` has one of ``values``, or nothing."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(value.value) for value in values)})", name=column)


def in_practice_scope(table: Table) -> bool:
    """Whether ``table`` holds rows about patients, which row-level security must guard."""
    return table.info.get("scope") == "practice"


def is_guarded(table: Table) -> bool:
    """Whether row-level security must guard ``table``: it holds rows about patients, something sealed, or seals."""
    return table.info.get("scope") in ("practice", "row", "log")


PRACTICE_SCOPE = {"scope": "practice"}
HOUSE_SCOPE = {"scope": "house"}
ROW_SCOPE = {"scope": "row"}
LOG_SCOPE = {"scope": "log"}


def practice_tables(tables: Iterable[Table]) -> list[Table]:
    """Those of ``tables`` that are in practice scope."""
    return [table for table in tables if in_practice_scope(table)]


def guard_statements(table: str) -> list[str]:
    """The statements that put row-level security on ``table``, of practice scope.

    FORCE makes it bind the owner too, which then needs a policy of its own: without one it would see no row, silently.
    """
    return _guard(table, f"{table}_practice", "practice_id = current_setting('app.practice')::uuid")


def guard_row_statements(table: str, column: str) -> list[str]:
    """The statements that put row-level security on ``table``, of row scope.

    Arguments:
        column: by which a transaction names the row.
    """
    return _guard(table, f"{table}_named", f"{column} = current_setting('app.row')::uuid")


def guard_log_statements(table: str) -> list[str]:
    """The statements that put row-level security on ``table``, of log scope: the sealer alone writes."""
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY {table}_log ON {table} FOR SELECT TO {APP} "
        "USING (log_id = current_setting('app.practice')::uuid)",
        f"CREATE POLICY {table}_sealer ON {table} TO {SEALER} USING (true) WITH CHECK (true)",
        f"CREATE POLICY {table}_owner ON {table} TO {OWNER} USING (true) WITH CHECK (true)",
    ]


def _guard(table: str, policy: str, condition: str) -> list[str]:
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY {policy} ON {table} TO {APP} USING ({condition}) WITH CHECK ({condition})",
        f"CREATE POLICY {table}_owner ON {table} TO {OWNER} USING (true) WITH CHECK (true)",
    ]
