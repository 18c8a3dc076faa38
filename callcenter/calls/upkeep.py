"""Regular work on calls: forget what is no longer needed, and settle calls whose end was never reported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import select, text

from callcenter.calls.endings import Endings
from callcenter.calls.tables import call
from callcenter.calls.values import CallStatus, StatusChanged
from callcenter.kernel.clock import Clock
from callcenter.practice.tables import practice
from callcenter.store.database import Database

ANSWERS_KEPT = timedelta(hours=24)  # P3: the same bytes while the call lives and for 24 h after
AUDIO_KEPT = timedelta(minutes=10)  # twice the life of its URL
CHALLENGES_KEPT = timedelta(hours=25)  # one hour more than wrong codes are counted
LONGEST_CALL = timedelta(hours=4)  # the carrier ends a call there


class CallStatusSource(Protocol):
    """Where the carrier says how a call stands."""

    async def call_status(self, sid: str) -> CallStatus | None: ...


_FORGET = (
    text("DELETE FROM audio WHERE made_at < :audio"),
    text(
        "DELETE FROM call_session s USING call c WHERE c.id = s.id AND c.ended_at < :answers"
    ),  # its answers go with it
    text(
        "DELETE FROM challenge_attempt a USING challenge c WHERE c.id = a.challenge_id AND c.created_at < :challenges"
    ),
    text("DELETE FROM challenge WHERE created_at < :challenges"),
)

#: A text message carries a challenge's code, and is forgotten with it.
_FORGET_TEXTS = text("DELETE FROM text_message WHERE changed_at < :challenges")


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Done by the job worker, every few minutes.

    Arguments:
        carrier: asked about calls that should have ended.
    """

    database: Database
    clock: Clock
    endings: Endings
    carrier: CallStatusSource

    async def forget(self) -> int:
        """Delete stored answers, audio texts, challenges and what became of text messages, past their time.

        Returns how many rows went.
        """
        now = self.clock.now()
        bounds = {
            "audio": now - AUDIO_KEPT,
            "answers": now - ANSWERS_KEPT,
            "challenges": now - CHALLENGES_KEPT,
        }
        async with self.database.house() as connection:
            result = await connection.execute(_FORGET_TEXTS, {"challenges": bounds["challenges"]})
        gone = result.rowcount
        for practice_id in await self._practices():
            async with self.database.practice(practice_id) as tx:
                for statement in _FORGET:
                    names = statement.compile().params.keys()
                    result = await tx.connection.execute(statement, {name: bounds[name] for name in names})
                    gone += result.rowcount
        return gone

    async def reconcile(self, limit: int = 100) -> int:
        """Ask the carrier about calls that must be over and are still open here; returns how many were settled."""
        async with self.database.house() as connection:
            query = (
                select(call.c.carrier_sid)
                .where(call.c.ended_at.is_(None), call.c.started_at < self.clock.now() - LONGEST_CALL)
                .order_by(call.c.started_at)
                .limit(limit)
            )
            sids = list((await connection.execute(query)).scalars())
        settled = 0
        for sid in sids:
            status = await self.carrier.call_status(sid)
            # A call that the carrier has forgotten is over too.
            ended = (
                status if status is not None and status.terminal else CallStatus.COMPLETED if status is None else None
            )
            if ended is not None:
                await self.endings.status(StatusChanged(sid, ended))
                settled += 1
        return settled

    async def _practices(self) -> list[UUID]:
        async with self.database.house() as connection:
            return list((await connection.execute(select(practice.c.id))).scalars())
