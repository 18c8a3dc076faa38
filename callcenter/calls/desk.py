"""What the ports of one step share: the transaction, the ledger's pen, and what the call has proved so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from callcenter.audit.ledger import Value, Writing
from callcenter.calls.session import Session
from callcenter.disclosure.gate import Gate
from callcenter.identity.challenges import Opened
from callcenter.identity.evidence import CardEvidence, Evidence
from callcenter.practice.facts import PracticeFacts
from callcenter.store.database import Transaction

#: Who acts when no person does.
IVR_ACTOR: dict[str, Value] = {"kind": "ivr", "id": "callcenter"}


@dataclass(slots=True)
class Desk:
    """One step at work.

    Arguments:
        call: our identifier.
        document: number of the document that was answered; keys what must count once.
        now: aware, UTC.
        challenge, challenges_used, evidence: as in the session; the verifier replaces them.
        caller: E.164, or ``None``: as in the session.
        card: as in the session; the references port replaces it.
        actor: who acts, for the record.
    """

    tx: Transaction
    writing: Writing
    gate: Gate
    facts: PracticeFacts
    call: UUID
    document: int
    now: datetime
    challenge: Opened | None
    challenges_used: int
    evidence: Evidence | None
    caller: str | None
    card: CardEvidence | None = None
    actor: Mapping[str, Value] = field(default_factory=lambda: IVR_ACTOR)

    @classmethod
    def of(
        cls,
        tx: Transaction,
        writing: Writing,
        gate: Gate,
        facts: PracticeFacts,
        session: Session,
        call: UUID,
        document: int,
        now: datetime,
    ) -> Desk:
        """The desk at which ``session`` is taken up again."""
        kept = (session.challenge, session.challenges_used, session.evidence)
        return cls(tx, writing, gate, facts, call, document, now, *kept, session.caller, session.card)
