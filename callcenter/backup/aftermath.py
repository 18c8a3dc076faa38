"""What is put aside in a database that was restored: whatever was about to be sent, and whatever let somebody in.

The database is of an earlier moment. What it was about to send has been sent since, or is too old; a session or an
invitation that was ended since would be good again. So none of it goes on.

What stays: an urgent message that nobody has read, which rings until somebody reads it, and whoever waits to be rung
back, whom an operator rings. To be told twice of those is better than never (P7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class PutAside:
    """How much was put aside.

    Arguments:
        jobs: by the name of their task.
    """

    jobs: Mapping[str, int]
    notices: int
    sessions: int
    invitations: int


async def put_aside(connection: AsyncConnection, now: datetime) -> PutAside:
    """Put aside what must not go on; to do it twice changes nothing.

    Arguments:
        connection: as the owner role, which sees every practice's rows.
        now: aware; when sessions and invitations end.
    """
    run = connection.execute
    jobs = {row.task_name: row.jobs for row in await run(_WAITING_JOBS)}
    for statement in (_CANCEL_JOBS, _ABORT_JOBS, _FORGET_WORKERS):
        await run(statement)
    notices = (await run(_END_NOTICES)).rowcount
    sessions = (await run(_END_SESSIONS, {"now": now})).rowcount
    invitations = (await run(_WITHDRAW_INVITATIONS, {"now": now})).rowcount
    return PutAside(jobs, int(notices), int(sessions), int(invitations))


_WAITING_JOBS = text(
    "SELECT task_name, count(*) AS jobs FROM procrastinate_jobs WHERE status IN ('todo', 'doing') "
    "GROUP BY task_name ORDER BY task_name"
)
_CANCEL_JOBS = text("UPDATE procrastinate_jobs SET status = 'cancelled' WHERE status = 'todo'")
_ABORT_JOBS = text("UPDATE procrastinate_jobs SET status = 'aborted' WHERE status = 'doing'")
_FORGET_WORKERS = text("DELETE FROM procrastinate_workers")
_END_NOTICES = text("UPDATE message_notice SET outcome = 'failed' WHERE outcome IN ('due', 'sending')")
_END_SESSIONS = text("UPDATE staff_session SET revoked_at = :now WHERE revoked_at IS NULL AND ends_at > :now")
_WITHDRAW_INVITATIONS = text(
    "UPDATE staff_invitation SET withdrawn_at = :now WHERE used_at IS NULL AND withdrawn_at IS NULL AND ends_at > :now"
)
