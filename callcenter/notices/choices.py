"""Who wants reminders and who does not: told to staff, or by STOP and START in a text (OU-02).

What is told to staff is about a patient; STOP is about a number, at each practice that knows it (``notices.stopping``).
Each practice has its own rows and sees no other's (P5): that a number has sent STOP elsewhere tells it nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from callcenter.audit.ledger import Entry, EventKind, note
from callcenter.calls.appointment_texts import WORDING
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.tables import patient
from callcenter.store.database import Transaction


class Choice(StrEnum):
    """What somebody has chosen."""

    CONSENTED = "consented"
    OPPOSED = "opposed"
    #: Neither opposed nor consented any more.
    WITHDRAWN = "withdrawn"


class ChosenBy(StrEnum):
    """How we know."""

    SMS = "sms"
    #: The carrier does not take texts to that number: it minds STOP itself (Twilio 21610).
    CARRIER = "carrier"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What holds for one patient at one telephone."""

    opposed: bool
    consented: bool


async def chosen(tx: Transaction, patient_id: UUID, phone_index: bytes) -> Chosen:
    """What holds for a patient at the telephone of that index: an opposition of either stands against it."""
    values = {"practice": tx.practice, "patient": patient_id, "index": phone_index}
    latest = set((await tx.connection.execute(_LATEST, values)).scalars())
    return Chosen(Choice.OPPOSED.value in latest, Choice.CONSENTED.value in latest)


async def choose_for_patient(tx: Transaction, patient_id: UUID, choice: Choice, now: datetime, random: Random) -> UUID:
    """Keep what a patient has told staff; returns the identifier of the choice."""
    row: dict[str, Any] = {
        "patient": patient_id,
        "index": None,
        "choice": choice.value,
        "channel": ChosenBy.STAFF.value,
    }
    return await _keep(tx, row, now, random)


async def oppose_by_carrier(tx: Transaction, phone_index: bytes, now: datetime, random: Random) -> UUID:
    """Keep that the carrier takes no texts for a number because of its STOP."""
    row: dict[str, Any] = {
        "patient": None,
        "index": phone_index,
        "choice": Choice.OPPOSED.value,
        "channel": ChosenBy.CARRIER.value,
    }
    return await _keep(tx, row, now, random)


async def patient_called(tx: Transaction, external_id: str) -> UUID | None:
    """The patient whom the practice's own software calls ``external_id``."""
    query = select(patient.c.id).where(patient.c.practice_id == tx.practice, patient.c.external_id == external_id)
    found = (await tx.connection.execute(query)).scalar_one_or_none()
    return None if found is None else UUID(str(found))


async def _keep(tx: Transaction, row: dict[str, Any], now: datetime, random: Random) -> UUID:
    choice_id = new_id(random)
    values = {**row, "practice": tx.practice, "id": choice_id, "wording": WORDING, "now": now}
    await tx.connection.execute(_KEEP, values)
    return choice_id


async def note_choice(tx: Transaction, choice_id: UUID, clock: Clock, random: Random) -> None:
    """Put on record that a number has chosen; whose it is, the record does not say."""
    content = {"refs": [f"reminder_choice:{choice_id}"]}
    entry = Entry(EventKind.REMINDERS_CHOSEN, {"kind": "recipient", "id": "number"}, None, content)
    await note(tx, entry, clock, random)


# Of two at the same moment, the opposition holds.
_LATEST = text(
    """
    (SELECT choice FROM reminder_choice WHERE practice_id = :practice AND patient_id = :patient
     ORDER BY made_at DESC, (choice = 'opposed') DESC LIMIT 1)
    UNION ALL
    (SELECT choice FROM reminder_choice WHERE practice_id = :practice AND phone_index = :index
     ORDER BY made_at DESC, (choice = 'opposed') DESC LIMIT 1)
    """
)

_KEEP = text(
    """
    INSERT INTO reminder_choice (id, practice_id, patient_id, phone_index, choice, channel, wording, made_at)
    VALUES (:id, :practice, :patient, :index, :choice, :channel, :wording, :now)
    """
)
