"""The job that tells a practice whom nobody has reached: their number goes to its inbox, and is forgotten here."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text

from callcenter.audit.ledger import Entry, EventKind, Value, note
from callcenter.calls.callbacks import number_of
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random, SystemRandom, new_id
from callcenter.practice.inbox import Inbox
from callcenter.routing.values import LeftReason
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer

JOB_ACTOR: dict[str, Value] = {"kind": "job", "id": "note_unreached"}
#: Reasons of messages: rung in vain; asked for oftener than we ring.
NOT_REACHED, WANTS_TO_BE_RUNG = "not_reached", "wants_callback"


@dataclass(frozen=True, slots=True)
class Unreached:
    """Leaves a message for the practice.

    Arguments:
        random: for identifiers.
    """

    database: Database
    sealer: Sealer
    clock: Clock
    random: Random = field(default_factory=SystemRandom)

    async def note(self, practice: UUID, call: UUID) -> None:
        """Leave one about the callback of ``call``; once, however often it is asked.

        Raises:
            DatabaseDown: nothing was done; to be tried again.
        """
        async with self.database.practice(practice) as tx:
            number = await number_of(tx, self.sealer, call)
            if number is None:
                return
            entry = (await tx.connection.execute(_ENTRY, {"call": call})).one()
            reason = NOT_REACHED if entry.left_reason == LeftReason.UNREACHED else WANTS_TO_BE_RUNG
            message = new_id(self.random)
            await Inbox(self.sealer).leave(
                tx,
                id=message,
                reason=reason,
                number=number,
                call_reference=call,
                now=self.clock.now(),
                language=entry.language,
            )
            content: dict[str, Value] = {"refs": [f"call:{call}", f"message:{message}"], "reason": reason}
            await note(tx, Entry(EventKind.MESSAGE_TAKEN, JOB_ACTOR, None, content), self.clock, self.random)


_ENTRY = text("SELECT left_reason, language FROM queue_entry WHERE call_id = :call")
