"""Changing the sealer's key for another, in every log; and, once each says so, putting the old one away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from callcenter.audit.anchors import latest_head, root_at
from callcenter.audit.key_changes import LEAST, announced, is_vouched_for
from callcenter.audit.logs import HOUSE_LOG, origin_of
from callcenter.audit.sealing_key import NotOurs, SealingKey
from callcenter.audit.verify import EMPTY_ROOT, Checkpoint, Malformed, Unproven, signatures_of
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Conflict, IntegrityError
from callcenter.kernel.randomness import Random
from callcenter.practice.everywhere import all_practices
from callcenter.staff.ledger_acts import LedgerActs
from callcenter.store.database import Database


class NotYet(Conflict):
    """The old key cannot be put away yet."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What was done.

    Arguments:
        key: as it stands in the file now.
        logs: all of them; ``written``: in how many the change was put on record just now.
        unknown: of those, how many have no last good head, though the key was stolen.
    """

    key: SealingKey
    logs: tuple[UUID, ...]
    written: int
    unknown: int


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A change of the key, by whoever works where its file is.

    Arguments:
        by: who does it.
        put: writes the key's file, whole or not at all.
    """

    database: Database
    clock: Clock
    random: Random
    by: str
    put: Callable[[SealingKey], None]

    async def rotate(self, key: SealingKey, good: Sequence[str] | None = None) -> Changed:
        """Make the next key, unless there is one, and put the change on record in every log that does not have it yet.

        The file comes first: the sealer signs a record of the change only where it has the next key itself.

        Arguments:
            good: heads that nobody but the log has signed, notes of any logs, where the key was stolen; ``None``: it
                was not, as far as is known.

        Raises:
            IntegrityError: the key is not the one that has signed, or a log is not what a good head says. Nothing was
                done.
        """
        logs = (HOUSE_LOG, *await all_practices(self.database))
        for log in logs:
            await self._check_last(key, log)
        last_good = await self._last_good(key, logs, good or ())
        changing = key.changing(self.random, stolen=good is not None)
        if changing.to_bytes() != key.to_bytes():
            self.put(changing)
        written = unknown = 0
        for log in logs:
            async with self.database.practice(log) as tx:
                if await announced(tx, changing) is not None:
                    continue
            known = last_good.get(log)
            head = (known or Checkpoint(origin_of(log), 0, EMPTY_ROOT)) if changing.stolen else None
            await self._acts.key_rotated(log, changing.announced(origin_of(log), head))
            written, unknown = written + 1, unknown + (changing.stolen and known is None)
        return Changed(changing, logs, written, unknown)

    async def retire(self, key: SealingKey, why: str | None = None) -> SealingKey:
        """Leave nothing of the old key but its public half, once every log leads from it to the next.

        Arguments:
            why: a word for the record; ``None``: its time is over, or it was stolen.

        Raises:
            NotYet: some log does not; or both have signed for too short a time, which ``why`` overrides.
        """
        changed = key.changed()
        logs = (HOUSE_LOG, *await all_practices(self.database))
        begun, missing, waiting = list[datetime](), 0, 0
        for log in logs:
            async with self.database.practice(log) as tx:
                found = await announced(tx, key)
                if found is None:
                    missing += 1
                    continue
                begun += [found.at] if found.at is not None else []
                waiting += found.index is None or not await is_vouched_for(tx, key, found.index)
        if missing:
            raise NotYet(f"of {missing} logs nothing says so yet: run `callcenter audit key rotate` once more")
        if waiting:
            raise NotYet(
                f"in {waiting} logs both keys have not signed for the change yet: the server seals within seconds; if "
                "it does not, `callcenter doctor` says why"
            )
        until = min(begun, default=self.clock.now()) + LEAST
        if why is None and not key.stolen and self.clock.now() < until:
            raise NotYet(
                f"both keys sign until {until:%Y-%m-%d %H:%M} UTC, so that whoever verifies meanwhile learns of the "
                "next one; to put the old one away sooner, say why with --now"
            )
        former = key.verifier_key(origin_of(HOUSE_LOG)).key_id.hex()
        await self._acts.key_retired(former, why or ("stolen" if key.stolen else "over"))
        self.put(changed)
        return changed

    @property
    def _acts(self) -> LedgerActs:
        return LedgerActs(self.database, self.clock, self.random, self.by)

    async def _check_last(self, key: SealingKey, log: UUID) -> None:
        async with self.database.practice(log) as tx:
            head = await latest_head(tx)
        try:
            if head is not None:
                key.open(head[1], origin_of(log))
        except NotOurs as error:
            raise IntegrityError(
                f"the last head of log {log} was not signed by the key in the sealer's file: restore that file first; "
                f"if it is the right one, somebody has written another head ({error})"
            ) from error

    async def _last_good(
        self, key: SealingKey, logs: Sequence[UUID], notes: Sequence[str]
    ) -> Mapping[UUID, Checkpoint]:
        """The largest of these heads of each log, found to be under what the log holds today."""
        by_origin = {origin_of(log): log for log in logs}
        found: dict[UUID, Checkpoint] = {}
        for note in notes:
            origin = note.partition("\n")[0]
            log = by_origin.get(origin)
            if log is None:
                raise IntegrityError(f"a head that is said to be good is of no log here: {ascii(origin[:100])[1:-1]}")
            try:
                head = Checkpoint.parse(signatures_of(note, [key.verifier_key(origin)])[0])
            except (Malformed, Unproven) as error:
                raise IntegrityError(f"a head of {origin} that is said to be good is none: {error}") from error
            if log not in found or found[log].size < head.size:
                found[log] = head
        for log, head in found.items():
            async with self.database.practice(log) as tx:
                if await root_at(tx, head.size) != head.root:
                    raise IntegrityError(
                        f"{head.origin} does not hold the {head.size} records of the head that is said to be good: it "
                        "was made anew. Keep the database as it stands, and restore a backup from before"
                    )
        return found
