"""How a call begins: somebody calls a number of ours, or a line answers that we ring."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.ledger import Entry, EventKind, Segment, Value
from callcenter.calls import rows
from callcenter.calls.callbacks import take_rung
from callcenter.calls.desk import IVR_ACTOR
from callcenter.calls.house import House
from callcenter.calls.places import NotOurNumber
from callcenter.calls.returned import take_answered
from callcenter.calls.session import Beginning, Session, Way
from callcenter.calls.values import CallStatus, Incoming, Reached
from callcenter.flow.state import initial
from callcenter.identity.challenges import Challenges
from callcenter.kernel.randomness import new_id
from callcenter.practice.facts import Arrival, PracticeFacts
from callcenter.practice.patients import Patients
from callcenter.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Entered:
    """A call whose first webhook has come, for the first time or again.

    Arguments:
        revision: of the practice's settings, as it stands now.
        at: now.
        ended: the call is over.
    """

    call: UUID
    revision: int
    at: datetime
    ended: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """A call that begins.

    Arguments:
        opening: what is on record of that.
    """

    session: Session
    opening: Entry


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """Begins calls."""

    house: House
    challenges: Challenges
    patients: Patients

    async def enter(self, connection: AsyncConnection, number: str, carrier_sid: str) -> tuple[Transaction, Entered]:
        """Lock the call that comes in by a number of ours, new or not.

        Raises:
            NotOurNumber: nobody is called by that number.
        """
        house, now = self.house, self.house.clock.now()
        values = {
            "id": new_id(house.random),
            "called": number,
            "sid": carrier_sid,
            "status": int(CallStatus.RINGING),
            "now": now,
        }
        row = (await connection.execute(rows.ENTER_BY_SID, values)).one_or_none()
        if row is None:
            raise NotOurNumber
        entered = Entered(row.id, row.revision, now, CallStatus(row.status).terminal)
        return Transaction(connection, row.practice_id), entered

    def incoming(self, tx: Transaction, entered: Entered, facts: PracticeFacts, event: Incoming) -> Begun:
        """Somebody calls."""
        caller = None if event.caller is None or event.caller in facts.own_lines else event.caller
        door, arrival = facts.door(event.called), facts.arrival(event.called, entered.at)
        way = Way(event.called, event.origins, event.carrier_sid)
        beginning = Beginning(entered.at, entered.revision, arrival, door.practitioner, way)
        flow = self.house.flows.entry
        segment = Segment(new_id(self.house.random), entered.call)
        session = Session(beginning, caller, flow.digest, initial(flow), segment)
        content: dict[str, Value] = {
            "direction": "inbound",
            "caller": self._caller_hash(tx.practice, event.caller),
            "caller_withheld": caller is None,
            "flow": {"name": flow.name, "sha256": flow.digest},
            "settings": entered.revision,
            "arrival": arrival.value,
        }
        return Begun(session, Entry(EventKind.CALL_STARTED, IVR_ACTOR, None, content))

    async def reached(self, tx: Transaction, entered: Entered, event: Reached) -> Begun | None:
        """A line that we ring has answered. The call is ours from here on as any other; nobody has said who they are,
        and its caller is unknown. ``None``: nobody is rung by that token."""
        begun = await self._back_with_code(tx, entered, event) or await self._rung_back(tx, entered, event)
        if begun is None:
            return None
        session, asked = begun
        flow = (await self.house.flows.of(tx.connection, session.flow)).flow
        content: dict[str, Value] = {
            "direction": "outbound",
            "refs": [asked],
            "flow": {"name": flow.name, "sha256": flow.digest},
            "settings": entered.revision,
        }
        return Begun(session, Entry(EventKind.CALL_STARTED, IVR_ACTOR, None, content))

    async def _back_with_code(self, tx: Transaction, entered: Entered, event: Reached) -> tuple[Session, str] | None:
        """The line on file answers, for whoever was given a code; and what it was asked for in."""
        house, flow = self.house, self.house.flows.outgoing
        if flow is None:
            return None
        answered = await take_answered(
            tx, house.sealer, self.challenges, self.patients, entered.call, event.token, entered.at
        )
        if answered is None:
            return None
        request, opened = answered
        beginning = Beginning(entered.at, entered.revision, Arrival.DIRECT, None)
        used = house.limits.codes_per_call  # no other code is ever opened in this call
        segment = Segment(new_id(house.random), entered.call)
        session = Session(beginning, None, flow.digest, initial(flow), segment, opened, used)
        return session, f"outreach:{request}"

    async def _rung_back(self, tx: Transaction, entered: Entered, event: Reached) -> tuple[Session, str] | None:
        """Whoever waited, and asked to be rung back, answers, or somebody else there. P2: nothing is proved."""
        house, flow = self.house, self.house.flows.callback
        if flow is None:
            return None
        answered = await take_rung(tx, house.sealer, entered.call, event.token, entered.at)
        if answered is None:
            return None
        origins = () if answered.number is None else (answered.number,)
        way = Way(event.shown, origins, event.carrier_sid)
        beginning = Beginning(entered.at, entered.revision, Arrival.DIRECT, None, way)
        state = initial(flow)
        spoken = replace(state, manner=replace(state.manner, language=answered.language))
        segment = Segment(new_id(house.random), entered.call)
        return Session(beginning, answered.number, flow.digest, spoken, segment), f"call:{answered.callback}"

    def _caller_hash(self, practice: UUID, caller: str | None) -> str | None:
        """Keyed by the month (UTC) of the call: the ledger is kept for years, and links no line's calls for longer."""
        key = f"audit.caller.{self.house.clock.now().astimezone(UTC):%Y-%m}"
        return None if caller is None else self.house.sealer.blind_index(practice, key, caller).hex()
