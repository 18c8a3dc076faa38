"""An operator has their caller type something: the caller leaves the talk, is asked by the flow, and comes back.

What is asked is the flow's own step, with its own words, bounds and records; the operator is told how it ended and
never a digit. What is proved so stands for this operator and for as long as this talk (P2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls import rows
from callcenter.calls.evidence_ends import lock_the_call
from callcenter.calls.flows import FlowRefused, NoSuchFlow
from callcenter.calls.house import House
from callcenter.calls.leading import Led, asked_to_lead
from callcenter.calls.session import Session, session_place
from callcenter.flow import claiming
from callcenter.flow.language import Queue
from callcenter.flow.state import Phase
from callcenter.identity.evidence import standing
from callcenter.kernel.levels import Level
from callcenter.routing.keypads import NotAsked, not_sent, send_out
from callcenter.store.database import SET_PRACTICE

#: After which a caller who was to be led, and is not at any step, is known to be in the talk still.
NOT_LED = timedelta(seconds=15)
#: In one sweep; the rest waits for the next.
MOST = 200


class Ways(Protocol):
    """What leads a caller out of a talk."""

    async def lead_out(self, carrier_sid: str, call: UUID, document: int) -> bool:
        """Lead a caller from wherever they are to the next step of their call. False when they are not there any more.

        Raises:
            Unavailable: it is not known whether they are led.
        """


class Asked(StrEnum):
    """What became of the wish to have a caller type something."""

    ASKED = "asked"
    #: The call is not, or no more, that operator's.
    NOT_YOURS = "not_yours"
    #: The caller is at the keys already.
    ALREADY = "already"
    #: The caller is on hold, or somebody else is asked into the talk.
    NOT_ALONE = "not_alone"
    #: The call has no step for it: one that we have placed (OB-09), or that stands elsewhere by now.
    NOT_HERE = "not_here"
    #: As often as one may in one talk.
    TOO_OFTEN = "too_often"
    #: They are on the line no more.
    NOT_LED = "not_led"


@dataclass(frozen=True, slots=True)
class Proved:
    """How a caller stands, for the operator who talks with them.

    Arguments:
        typing: the caller is at the keys.
        level: of verification, by what is young enough.
        since: when it was proved, or ``None``.
    """

    typing: bool
    level: Level
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Out:
    """A caller is to be led to their keys, once the transaction that says so has committed.

    Arguments:
        practice: which they have called.
        carrier_sid: of their leg.
        document: at which they are.
    """

    reservation: UUID
    practice: UUID
    call: UUID
    carrier_sid: str
    document: int


class Keypad:
    """What an operator may have their caller type.

    Arguments:
        house: what steps are done with.
        ways: leads callers.
    """

    def __init__(self, house: House, ways: Ways) -> None:
        self._house = house
        self._ways = ways

    async def ask(self, staff: UUID, reservation: UUID) -> Asked:
        """Have the caller of ``reservation`` verified by the flow, if ``staff`` talks with them."""
        async with self._house.database.house() as connection:
            out = await self.send(connection, staff, reservation)
        return await self.lead(out) if isinstance(out, Out) else out

    async def send(self, connection: AsyncConnection, staff: UUID, reservation: UUID) -> Out | Asked:
        """Note that the caller of ``reservation`` goes to their keys; :meth:`lead` takes them there after the commit.

        The transaction of ``connection`` is in the practice's scope afterwards.
        """
        sent = await send_out(connection, reservation, staff, self._house.clock.now())
        if isinstance(sent, NotAsked):
            return Asked(sent.value)
        await connection.execute(SET_PRACTICE, {"practice": str(sent.practice)})
        leg = (await connection.execute(_LEG, {"call": sent.call})).one()
        if not await self._has_a_way(connection, self._opened(leg.state, sent.practice, sent.call)):
            await not_sent(connection, reservation)
            return Asked.NOT_HERE
        return Out(reservation, sent.practice, sent.call, leg.carrier_sid, leg.document)

    async def lead(self, out: Out) -> Asked:
        """Lead a caller to their keys."""
        led = await asked_to_lead(lambda: self._ways.lead_out(out.carrier_sid, out.call, out.document))
        if led is not Led.GONE:  # if it is not known, they count as led until it is: what they type is then as asked
            return Asked.ASKED
        async with self._house.database.house() as connection:
            await lock_the_call(connection, out.call)  # which is the practice's scope from here on
            await not_sent(connection, out.reservation)
            await self._untold(connection, out)
        return Asked.NOT_LED

    async def _untold(self, connection: AsyncConnection, out: Out) -> None:
        """What their operator was told serves for this one time at the keys, and for no later one."""
        row = (await connection.execute(rows.SESSION, {"call": out.call})).one_or_none()
        if row is None:
            return
        session = self._opened(row.state, out.practice, out.call)
        without = replace(session, state=claiming.forgetting(session.state))
        if without != session:
            sealed = self._house.sealer.seal(without.to_json(), session_place(out.practice, out.call))
            await connection.execute(rows.SAVE_STATE, {"call": out.call, "state": sealed})

    async def sweep(self, now: datetime) -> int:
        """Find callers whom the carrier has not led although it did not say so: they are in the talk."""
        house = self._house
        async with house.database.house() as connection:
            out = (await connection.execute(_OUT, {"before": now - NOT_LED, "limit": MOST})).all()
        found = 0
        for one in out:
            async with house.database.house() as connection:
                if not await self._waits(connection, one.practice_id, one.call_id):
                    continue
                await lock_the_call(connection, one.call_id)  # and looked again: they may have come this moment
                if await self._waits(connection, one.practice_id, one.call_id):
                    await not_sent(connection, one.id)
                    found += 1
        return found

    async def _waits(self, connection: AsyncConnection, practice: UUID, call: UUID) -> bool:
        """Whether the call stands where it stood before they were to be led."""
        await connection.execute(SET_PRACTICE, {"practice": str(practice)})
        row = (await connection.execute(rows.SESSION, {"call": call})).one_or_none()
        return row is not None and self._opened(row.state, practice, call).state.phase is Phase.QUEUED

    def _opened(self, state: bytes, practice: UUID, call: UUID) -> Session:
        return Session.from_json(self._house.sealer.open(state, session_place(practice, call)))

    async def _has_a_way(self, connection: AsyncConnection, session: Session) -> bool:
        try:
            flow = (await self._house.flows.of(connection, session.flow)).flow
        except (NoSuchFlow, FlowRefused):
            return False
        step = flow.steps.get(session.state.step)
        return session.state.phase is Phase.QUEUED and isinstance(step, Queue) and step.keypad is not None

    async def proved(self, staff: UUID, reservation: UUID) -> Proved | None:
        """How the caller of ``reservation`` stands; ``None`` if ``staff`` does not talk with them."""
        async with self._house.database.house() as connection:
            return await self.look(connection, staff, reservation)

    async def look(self, connection: AsyncConnection, staff: UUID, reservation: UUID) -> Proved | None:
        """See :meth:`proved`; in the transaction of ``connection``, which is in that practice's scope afterwards."""
        house, now = self._house, self._house.clock.now()
        held = (await connection.execute(_TALK, {"id": reservation, "staff": staff})).one_or_none()
        if held is None:
            return None
        await connection.execute(SET_PRACTICE, {"practice": str(held.practice_id)})
        row = (await connection.execute(rows.SESSION, {"call": held.call_id})).one()
        evidence = self._opened(row.state, held.practice_id, held.call_id).evidence
        life = house.limits.evidence_life
        stands = standing(evidence, call=held.call_id, practice=held.practice_id, now=now, life=life)
        since = None if evidence is None or stands.level is Level.UNKNOWN else evidence.at
        return Proved(held.keypad_at is not None, stands.level, since)


_LEG = text(
    "SELECT k.carrier_sid, s.document, s.state FROM call k JOIN call_session s ON s.id = k.id WHERE k.id = :call"
)
_OUT = text(
    """
    SELECT r.id, r.call_id, e.practice_id FROM reservation r JOIN queue_entry e ON e.call_id = r.call_id
    WHERE r.state = 'connected' AND r.keypad_at <= :before ORDER BY r.keypad_at LIMIT :limit
    """
)
_TALK = text(
    """
    SELECT r.call_id, r.keypad_at, e.practice_id
    FROM reservation r JOIN queue_entry e ON e.call_id = r.call_id
    WHERE r.id = :id AND r.staff_id = :staff AND r.state = 'connected'
    """
)
