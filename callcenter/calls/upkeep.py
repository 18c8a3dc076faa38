"""Regular work on calls: forget what is no longer needed, and settle calls whose end was never reported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import select, text

from callcenter.calls.endings import Endings
from callcenter.calls.tables import call
from callcenter.calls.values import LONGEST_CALL, CallStatus, StatusChanged
from callcenter.kernel.clock import Clock
from callcenter.practice.everywhere import in_each
from callcenter.staff.claims import forget_claims
from callcenter.store.database import Database

ANSWERS_KEPT = timedelta(hours=24)  # P3: the same bytes while the call lives and for 24 h after
AUDIO_KEPT = timedelta(minutes=10)  # twice the life of its URL
CHALLENGES_KEPT = timedelta(hours=25)  # one hour more than wrong codes are counted
TRACES_KEPT = timedelta(days=365)  # LG-02: as long as the ledger is looked at


class CallStatusSource(Protocol):
    """Where the carrier says how a call stands."""

    async def call_status(self, sid: str) -> CallStatus | None: ...


_FORGET_AUDIO = text("DELETE FROM audio WHERE made_at < :before")
#: Its answers go with it.
_FORGET_SESSIONS = text("DELETE FROM call_session s USING call c WHERE c.id = s.id AND c.ended_at < :before")
#: Of a call that is held for an incident nothing goes that says what happened.
_FORGET_TRACES = text(
    "DELETE FROM call_trace t WHERE t.at < :before "
    "AND NOT EXISTS (SELECT FROM call_hold h WHERE h.call_id = t.call_id AND h.lifted_at IS NULL)"
)
_FORGET_SECRETS = text("UPDATE challenge SET secret = NULL WHERE expires_at <= :now AND secret IS NOT NULL")
#: A function of the schema: the server may not delete what bounds guessing.
_FORGET_CHALLENGES = text("SELECT forget_challenges(:before)")
_FORGET_LIFTED = text("DELETE FROM lock_lifted WHERE at < :before")
#: Who wanted a lock lifted, and why, is looked at as long as the ledger, which keeps that it was done.
_FORGET_RELEASES = text("SELECT forget_lock_releases(:before)")
#: Why glass was broken, for whom, and whose file it was; that it was broken, and by whom reviewed, stays.
_FORGET_GLASS = text("SELECT forget_glass(:before)")
#: Whose extract of the register it was, and words about it; that it was asked for, by whom and what came of it, stays.
_FORGET_EXTRACTS = text("SELECT forget_extracts(:before)")
_FORGET_TRIES = text("SELECT forget_reference_tries(:before)")
_FORGET_CALLBACKS = text("SELECT forget_callbacks(:before, :most)")
#: Callbacks of a practice in one run; the rest waits for the next, minutes later.
_MOST_CALLBACKS = 500
_FORGET_HOLDS = text("DELETE FROM slot_hold WHERE held_until <= :now")

#: What an operator was shown is hidden by the next answer to their script; and here, if none comes.
_HIDE = text("UPDATE script SET shown = NULL, shown_until = NULL WHERE shown_until <= :now")
#: Where an operator stood in a script, and what they had typed: nobody takes it up again. The carrier ends a call after
#: four hours, and wrapping up is over in minutes.
SCRIPTS_KEPT = timedelta(hours=6)
_FORGET_SCRIPTS = text("UPDATE script SET state = NULL WHERE begun_at < :before AND state IS NOT NULL")

#: What an operator noted as they closed a call, as long as a message stays once it is closed.
NOTES_KEPT = timedelta(days=30)
_FORGET_NOTES = text("UPDATE script SET note = NULL WHERE note IS NOT NULL AND coalesce(ended_at, begun_at) < :before")

#: A text message carries a challenge's code, and is forgotten with it.
_FORGET_TEXTS = text("DELETE FROM text_message WHERE changed_at < :before")


#: What was typed to have a telephone reached, once nobody waits for that; the row bounds others for a day.
OUTREACH_WANTED = timedelta(minutes=30)
_FORGET_CLAIMS = text("UPDATE outreach SET claim = NULL WHERE asked_at < :before AND claim IS NOT NULL")
#: Of a call that is held for an incident nothing goes that says what happened; words and secrets go all the same.
_FORGET_OUTREACH = text(
    """
    DELETE FROM outreach o WHERE o.asked_at < :before
        AND NOT EXISTS (SELECT FROM call_hold h WHERE h.call_id = o.call_id AND h.lifted_at IS NULL)
    """
)


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
        """Delete what is past its time; returns how many rows went."""
        return await forget(self.database, self.clock)

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


async def forget(database: Database, clock: Clock) -> int:
    """Delete what is past its time: stored answers, audio texts, codes, challenges, tries at references, slots held,
    callbacks that are over, what became of text messages, and the words of broken glass and of extracts.

    Returns how many rows went.
    """
    now = clock.now()
    async with database.house() as connection:
        gone = (await connection.execute(_FORGET_TEXTS, {"before": now - CHALLENGES_KEPT})).rowcount
        gone += await forget_claims(connection, now - CHALLENGES_KEPT)
    return int(gone) + await in_each(database, lambda practice: _forget(database, practice, now))


async def _forget(database: Database, practice: UUID, now: datetime) -> int:
    async with database.practice(practice) as tx:
        run = tx.connection.execute
        gone = (await run(_FORGET_AUDIO, {"before": now - AUDIO_KEPT})).rowcount
        gone += (await run(_FORGET_SESSIONS, {"before": now - ANSWERS_KEPT})).rowcount
        gone += (await run(_FORGET_TRACES, {"before": now - TRACES_KEPT})).rowcount
        await run(_FORGET_SECRETS, {"now": now})
        gone += (await run(_FORGET_CHALLENGES, {"before": now - CHALLENGES_KEPT})).scalar_one()
        gone += (await run(_FORGET_LIFTED, {"before": now - CHALLENGES_KEPT})).rowcount
        gone += (await run(_FORGET_RELEASES, {"before": now - TRACES_KEPT})).scalar_one()
        gone += (await run(_FORGET_GLASS, {"before": now - TRACES_KEPT})).scalar_one()
        gone += (await run(_FORGET_EXTRACTS, {"before": now - TRACES_KEPT})).scalar_one()
        await run(_FORGET_CLAIMS, {"before": now - OUTREACH_WANTED})
        gone += (await run(_FORGET_OUTREACH, {"before": now - CHALLENGES_KEPT})).rowcount
        gone += (await run(_FORGET_TRIES, {"before": now - CHALLENGES_KEPT})).scalar_one()
        callbacks = {"before": now - CHALLENGES_KEPT, "most": _MOST_CALLBACKS}
        gone += (await run(_FORGET_CALLBACKS, callbacks)).scalar_one()
        gone += (await run(_FORGET_HOLDS, {"now": now})).rowcount
        gone += (await run(_HIDE, {"now": now})).rowcount
        gone += (await run(_FORGET_SCRIPTS, {"before": now - SCRIPTS_KEPT})).rowcount
        gone += (await run(_FORGET_NOTES, {"before": now - NOTES_KEPT})).rowcount
        return int(gone)
