"""What staff do with a log of the ledger as a whole, on record in that very log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from callcenter.audit.ledger import Entry, EventKind, Value, note
from callcenter.audit.logs import HOUSE_LOG
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random
from callcenter.staff.records import Act, Actor, HouseLog
from callcenter.store.database import Database, Transaction


async def put_on_record(
    tx: Transaction, kind: EventKind, content: Mapping[str, Value], by: Actor, clock: Clock, random: Random
) -> None:
    """Put what concerns the log of ``tx`` as a whole on record in it, in a stream of its own."""
    if tx.practice == HOUSE_LOG:
        await HouseLog(clock, random).note(tx.connection, Act(kind.value), by, None, content)
        return
    await note(tx, Entry(kind, {"kind": by.kind, "id": by.id}, None, content), clock, random)


def actor_in(log: UUID, by: UUID | str) -> Actor:
    """Whoever acts, as this log names them: practices' logs know whoever types a command as staff.

    Arguments:
        by: an account, or whoever types a command as the machine knows them.
    """
    return Actor.command(by) if log == HOUSE_LOG and isinstance(by, str) else Actor("staff", str(by))


@dataclass(frozen=True, slots=True)
class LedgerActs:
    """Each method returns once its record is committed: what it tells of happens afterwards (P1).

    Arguments:
        clock, random: of the records' times and identifiers.
        by: who does it: an account, or whoever types a command as the machine knows them.
    """

    database: Database
    clock: Clock
    random: Random
    by: UUID | str

    async def exported(self, log: UUID, size: int) -> None:
        """The log leaves as a file, with its first ``size`` records."""
        await self._add(log, EventKind.LEDGER_EXPORTED, {"size": size})

    async def proven(self, log: UUID, record: UUID) -> None:
        """A record leaves, with what shows that it is in the log."""
        await self._add(log, EventKind.LEDGER_PROVEN, {"refs": [f"record:{record}"]})

    async def cosigned(self, log: UUID, size: int, name: str) -> None:
        """The signature of ``name`` over the log's first ``size`` records has come in."""
        await self._add(log, EventKind.LEDGER_COSIGNED, {"size": size, "cosigner": name})

    async def head_taken(self, log: UUID, size: int, kind: str) -> None:
        """A head that is held outside leaves as a file, or what was given for it.

        Arguments:
            kind: of who holds it, as on file (``audit.anchors.AnchorKind``).
        """
        await self._add(log, EventKind.LEDGER_HEAD_TAKEN, {"size": size, "held": kind})

    async def key_rotated(self, log: UUID, change: Mapping[str, Value]) -> None:
        """The log has another key from now on.

        Arguments:
            change: what its former key says of that (``audit.verify.Rotation``).
        """
        await self._add(log, EventKind.KEY_ROTATED, change)

    async def key_prepared(self, following: str) -> None:
        """The sealer's next key lies in its file.

        Arguments:
            following: its identifier in the house's log.
        """
        await self._note_key(Act.KEY_PREPARED, {"key": following})

    async def key_retired(self, former: str, why: str) -> None:
        """The sealer's former key is put away, in all logs.

        Arguments:
            former: its identifier in the house's log; ``why``: a word.
        """
        await self._note_key(Act.KEY_RETIRED, {"key": former, "why": why})

    async def _note_key(self, act: Act, content: Mapping[str, Value]) -> None:
        async with self.database.house() as connection:
            house = HouseLog(self.clock, self.random)
            await house.note(connection, act, actor_in(HOUSE_LOG, self.by), None, content)

    async def _add(self, log: UUID, kind: EventKind, content: Mapping[str, Value]) -> None:
        async with self.database.practice(log) as tx:
            await put_on_record(tx, kind, content, actor_in(log, self.by), self.clock, self.random)
