"""Later work: jobs of procrastinate, deferred inside our own transactions.

A job is committed with what made it necessary, or not at all. Its arguments are opaque identifiers only.
"""

from __future__ import annotations

import json
from uuid import UUID

import procrastinate
from procrastinate import PsycopgConnector
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

#: For a connection. Whoever waits for a code waits for the worker to come back after an outage.
PATIENCE_SECONDS = 3.0

#: The queue of what somebody on the telephone waits for: codes, reminders sent again, lines rung back.
MESSAGES = "messages"

_DEFER = text(
    "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW("
    "cast(:queue AS varchar), cast(:task AS varchar), cast(:priority AS integer), NULL, NULL, "
    "cast(:arguments AS jsonb), NULL"
    ")::procrastinate_job_to_defer_v1])"
)


async def defer(
    connection: AsyncConnection, task: str, *, queue: str = MESSAGES, priority: int = 0, **arguments: UUID
) -> None:
    """Defer ``task`` in the transaction of ``connection``.

    Arguments:
        task: name under which the worker knows it.
        priority: below 0 for what may wait until nothing else does.
        arguments: identifiers; nothing else may stand in a job.
    """
    values = json.dumps({name: str(value) for name, value in arguments.items()})
    await connection.execute(_DEFER, {"queue": queue, "task": task, "priority": priority, "arguments": values})


def job_application(dsn: str) -> procrastinate.App:
    """The job system on the database at ``dsn`` (libpq form), without tasks yet.

    Arguments:
        dsn: as the app role.
    """
    connector = PsycopgConnector(
        conninfo=dsn,
        min_size=1,
        max_size=6,  # two workers, each of which listens on one of them
        timeout=PATIENCE_SECONDS,
        # Else the pool waits longer and longer between its tries, and comes back minutes after the database.
        reconnect_timeout=PATIENCE_SECONDS,
        kwargs={"application_name": "callcenter-jobs"},
    )
    return procrastinate.App(connector=connector)
