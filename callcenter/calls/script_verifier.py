"""The port by which an operator has their caller proved: what the caller says is claimed in the caller's own call.

The code is asked for by the caller's flow, on their keys; nobody but the caller ever types it. What an operator claims
counts like what a caller types, and besides, against the operator (ID-05). Between a claim that matches and one that
does not nothing differs here: it is compared in the caller's step.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date
from uuid import UUID

from callcenter.audit.ledger import Entry, EventKind, Value
from callcenter.calls import rows
from callcenter.calls.desk import Desk
from callcenter.calls.keypad import Asked, Keypad, Out
from callcenter.calls.session import Session, session_place
from callcenter.calls.verifier import standing_at
from callcenter.flow.claiming import told
from callcenter.flow.ports import NoMoreCodes, VerificationDown
from callcenter.flow.script_forms import NotOffered
from callcenter.flow.script_ports import CodeAsked, NotNow
from callcenter.identity.challenges import Limits
from callcenter.kernel.levels import Level
from callcenter.routing.keypads import not_sent
from callcenter.staff.claims import count_claim
from callcenter.store.sealed import Sealer


class OperatorsVerifier:
    """Has one caller proved to the operator who talks with them. Implements ``flow.script_ports.ScriptVerifier``.

    Arguments:
        desk: of the script; its evidence is the caller's, and nobody's once the talk is over.
        session: of the caller's call, whose lock is held.
        live: the two talk.
        typing: the caller is at their keys: whom they prove there is about whoever was claimed.

    ``out`` is the caller who is to be led to their keys once all this has committed; ``ended`` says that what was
    proved or shown before is about nobody any more.
    """

    def __init__(
        self,
        desk: Desk,
        session: Session,
        keypad: Keypad,
        sealer: Sealer,
        limits: Limits,
        staff: UUID,
        reservation: UUID,
        *,
        live: bool,
        typing: bool,
    ) -> None:
        self._desk = desk
        self._session = session
        self._keypad = keypad
        self._sealer = sealer
        self._limits = limits
        self._staff = staff
        self._reservation = reservation
        self._live = live
        self._typing = typing
        self.out: Out | None = None
        self.ended = False

    async def standing(self) -> Level:
        return standing_at(self._desk, self._limits).level

    async def by_keypad(self, birth_date: date, telephone: str) -> CodeAsked | NoMoreCodes | VerificationDown | NotNow:
        desk, connection = self._desk, self._desk.tx.connection
        if not self._live:
            return NotNow()
        if self._session.challenges_used >= self._limits.codes_per_call:  # OB-03
            return await self._refused("codes_per_call")
        out = await self._keypad.send(connection, self._staff, self._reservation)
        if out is Asked.TOO_OFTEN:
            return await self._refused("asks_per_talk")
        if isinstance(out, Asked):
            return NotNow()
        if not await count_claim(connection, self._staff, desk.now, self._limits.claims_per_operator):
            await not_sent(connection, self._reservation)
            return await self._refused("claims_per_operator")
        await self._end(replace(self._session, state=told(self._session.state, birth_date, telephone)))
        content: dict[str, Value] = {"refs": [], "claim": self._claim(birth_date, telephone)}
        await desk.writing.add(Entry(EventKind.VERIFICATION_CLAIMED, desk.actor, None, content))
        self.out = out
        return CodeAsked()

    async def forget(self) -> None:
        if self._typing:  # what they prove in a moment would be taken for the next patient's
            raise NotOffered
        if not self._live:  # the call is another operator's by now, or nobody's: nothing in it is theirs to end
            self.ended = True
            return
        await self._end(replace(self._session, state=self._session.state.emptied()))

    async def _end(self, session: Session) -> None:
        """Keep ``session`` with nothing of what was proved in it (P2)."""
        desk = self._desk
        self._session = replace(session, evidence=None, challenge=None, card=None)
        desk.evidence = desk.challenge = desk.card = None
        self.ended = True
        sealed = self._sealer.seal(self._session.to_json(), session_place(desk.tx.practice, desk.call))
        await desk.tx.connection.execute(rows.SAVE_STATE, {"call": desk.call, "state": sealed})

    def _claim(self, birth_date: date, telephone: str) -> str:
        """Keyed by the month (UTC): the ledger is kept for years, and links nobody's claims for longer."""
        key = f"audit.claim.{self._desk.now.astimezone(UTC):%Y-%m}"
        return self._sealer.blind_index(self._desk.tx.practice, key, f"{birth_date.isoformat()}|{telephone}").hex()

    async def _refused(self, reason: str) -> NoMoreCodes:
        desk = self._desk
        content: dict[str, Value] = {"refs": [], "reason": reason}
        await desk.writing.add(Entry(EventKind.VERIFICATION_REFUSED, desk.actor, None, content))
        return NoMoreCodes()
