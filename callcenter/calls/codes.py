"""The job that sends a challenge's code, or does nothing for a decoy, and writes down which.

The step that opened the challenge could not: one statement more would tell a match from a claim that fits nobody (P6).
Here nobody waits, so that the ledger learns whose challenge it was, for as long as the ledger is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row, select

from callcenter.audit.ledger import Entry, EventKind, Value, stream_so_far, writing
from callcenter.calls.delivery import MessageNotTaken, Messenger, deliver
from callcenter.flow.prompts import Prompt
from callcenter.identity.challenges import code_of
from callcenter.identity.tables import challenge
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Unavailable
from callcenter.kernel.protected import Protected
from callcenter.kernel.randomness import Random, SystemRandom
from callcenter.practice.patients import Patients
from callcenter.store.database import Database, Transaction
from callcenter.store.sealed import Sealer

_log = structlog.get_logger(__name__)

JOB_ACTOR: dict[str, Value] = {"kind": "job", "id": "send_code"}


class NotSent(StrEnum):
    """Why no code is sent. The names stand in ledger records."""

    DECOY = "decoy"
    USED = "used"
    EXPIRED = "expired"
    TELEPHONE_GONE = "telephone_gone"
    RESTRICTED = "restricted"


#: Its key in the book of prompts.
KEY = "text.code"


def code_message(words: Prompt, code: str, minutes: int) -> str:
    """The text that carries a code: nothing about the practice or a patient, which is proven (``flow.sinks``)."""
    return words.render({"code.digits": f"{code[:3]} {code[3:]}", "code.minutes": str(minutes)})


@dataclass(frozen=True, slots=True)
class _Letter:
    """A code that is due."""

    to: Protected[str]
    body: str


@dataclass(frozen=True, slots=True)
class CodeSender:
    """Sends codes.

    Arguments:
        messenger: the carrier.
        words: gives the words that stand, for such a text.
        minutes: how long a code is good for, as the message says.
        random: for the identifiers of records.
    """

    database: Database
    sealer: Sealer
    clock: Clock
    messenger: Messenger[object]
    words: Callable[[], Prompt]
    minutes: int
    random: Random = field(default_factory=SystemRandom)

    async def send(self, practice: UUID, challenge_id: UUID) -> None:
        """Send the code of one challenge, unless it is a decoy, used up, or too old to be of use.

        The record is committed before the text leaves. Each challenge has a stream of its own, under its identifier: a
        job that is tried again finds its record there, and adds one only if it ends otherwise after all. Where nobody
        knows whether the carrier took the text, that is on record, and it is not sent again: the caller may ask for
        another code.

        Raises:
            MessageNotTaken: nothing has left; to be tried again.
            DatabaseDown: the same.
        """
        async with self.database.practice(practice) as tx:
            columns = ("call_id", "secret", "patient_id", "contact_id", "consumed_at", "expires_at")
            query = select(*(challenge.c[name] for name in columns)).where(
                challenge.c.id == challenge_id, challenge.c.practice_id == practice
            )
            row = (await tx.connection.execute(query)).one_or_none()
            due = await self._due(tx, challenge_id, row)
            if isinstance(due, _Letter):
                await self._note(tx, challenge_id, row, EventKind.CODE_SENT)
            else:
                await self._note(tx, challenge_id, row, EventKind.CODE_NOT_SENT, due)
        if isinstance(due, _Letter) and not await self._taken(due, challenge_id):
            await self._note_unconfirmed(practice, challenge_id, row)

    async def _taken(self, letter: _Letter, challenge_id: UUID) -> bool:
        """Whether the carrier is known to have taken the text."""
        try:
            await deliver(self.messenger, letter.to, letter.body, reference=challenge_id)
        except MessageNotTaken:
            raise
        except Unavailable as error:
            _log.warning("code_unconfirmed", reference=str(challenge_id), error=type(error).__name__)
            return False
        return True

    async def _note_unconfirmed(self, practice: UUID, challenge_id: UUID, row: Row[Any] | None) -> None:
        try:
            async with self.database.practice(practice) as tx:
                await self._note(tx, challenge_id, row, EventKind.CODE_UNCONFIRMED)
        except Unavailable as error:  # the job must not fail for it: it would be tried again, and send again
            _log.error("code_unconfirmed_not_noted", reference=str(challenge_id), error=type(error).__name__)

    async def _due(self, tx: Transaction, challenge_id: UUID, row: Row[Any] | None) -> _Letter | NotSent:
        """What is to be sent, on the file as it stands now. The same statements run for a decoy, about nobody."""
        if row is None:  # the worker was away for longer than challenges are kept
            return NotSent.EXPIRED
        patients, whom = Patients(self.sealer), row.patient_id or challenge_id
        flags = await patients.flags_if_any(tx, whom)
        contacts = await patients.code_contacts(tx, whom)
        contact = next((contact for contact in contacts if contact.id == row.contact_id), None)
        if row.patient_id is None:
            return NotSent.DECOY
        if row.consumed_at is not None:
            return NotSent.USED
        if row.secret is None or row.expires_at <= self.clock.now():
            return NotSent.EXPIRED
        if flags is None or flags.gets_no_message:  # marked meanwhile
            return NotSent.RESTRICTED
        if contact is None:  # removed from the file meanwhile
            return NotSent.TELEPHONE_GONE
        code = code_of(self.sealer, tx.practice, challenge_id, row.secret)
        return _Letter(contact.phone, code_message(self.words(), code, self.minutes))

    async def _note(
        self,
        tx: Transaction,
        challenge_id: UUID,
        row: Row[Any] | None,
        kind: EventKind,
        reason: NotSent | None = None,
    ) -> None:
        """Write down what becomes of the code, and whose it is.

        The stream is not the call's, and neither is the column: the job would wait for the call's step, and the step,
        which mentions the same patient, for the job.
        """
        segment, told = await stream_so_far(tx, challenge_id)
        if told is kind:
            return
        content: dict[str, Value] = {"refs": [f"challenge:{challenge_id}"]}
        if row is not None:
            content["refs"] = [f"call:{row.call_id}", f"challenge:{challenge_id}"]
        if reason is not None:
            content["reason"] = reason.value
        async with writing(tx, segment, self.clock, self.random) as pen:
            await pen.add(Entry(kind, JOB_ACTOR, None if row is None else row.patient_id, content))
