"""Changing the sealer's key for another, in every log; and, once each says so, putting the old one away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from callcenter.audit.anchors import latest_head, root_at
from callcenter.audit.key_changes import LEAST, announced, is_shown, untold, vouched_since
from callcenter.audit.logs import HOUSE_LOG, origin_of
from callcenter.audit.signing import NotOurs, SealingKey
from callcenter.audit.verify import Checkpoint, Malformed, Rotation, Unproven, signatures_of
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Conflict, IntegrityError
from callcenter.kernel.randomness import Random
from callcenter.practice.everywhere import all_practices
from callcenter.staff.ledger_acts import LedgerActs
from callcenter.store.database import Database, Transaction

#: Seconds.
BETWEEN_LOOKS = 0.5


class NotYet(Conflict):
    """The old key cannot be put away yet."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What was done.

    Arguments:
        key: as it stands in the file now.
        logs: all of them; ``written``: in how many the change was put on record just now.
        unknown: of those, how many have no last good head, though the key was stolen.
        ignored: good heads that were named too late: for those logs another one, or none, is said already.
    """

    key: SealingKey
    logs: tuple[UUID, ...]
    written: int
    unknown: int
    ignored: int


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A change of the key, by whoever works where its file is.

    Arguments:
        by: who does it.
        put: writes the key's file, whole or not at all.
        seal: seals once what waits, unless somebody else does.
        looks: how often it is looked once more whether they have, half a second apart.
    """

    database: Database
    clock: Clock
    random: Random
    by: str
    put: Callable[[SealingKey], None]
    seal: Callable[[], Awaitable[None]]
    looks: int = 30

    async def rotate(
        self, key: SealingKey, good: Sequence[str] | None = None, *, without_good: bool = False
    ) -> Changed:
        """Make the next key, unless there is one, and put the change on record in every log that does not have it yet.

        The file comes first. Nothing that only the next key could seal is on record before whoever seals has signed
        with it: otherwise every log would stop where another machine seals.

        Arguments:
            good: heads that nobody but the log has signed, notes of any logs, where the key was stolen; ``None``: it
                was not, as far as is known. Where that was said before, what was said stays.
            without_good: logs of which no good head is named are to have none.

        Raises:
            IntegrityError: the key is not the one that has signed, or a log is not what a good head says. Nothing was
                done.
            Conflict: of a log with heads no good one is named. Nothing was done.
            NotYet: the next key is in the file, and who seals does not sign with it yet.
        """
        logs = (HOUSE_LOG, *await all_practices(self.database))
        sizes = {origin_of(log): await self._checked_size(key, log) for log in logs}
        found = await self._last_good(key, logs, good or ())
        ignored = sum(key.good.get(origin) != head for origin, head in found.items()) if key.stolen else 0
        without = {origin for origin, size in sizes.items() if size and origin not in found}
        if good is not None and not key.stolen and without and not without_good:
            raise Conflict(
                f"of {len(without)} logs no good head is named, {min(without)} among them: nothing that the old key "
                "has signed alone would count there, for good. Name one of each, or say --no-good-head"
            )
        changing = key.changing(self.random, None if good is None else found)
        if changing is not key:
            self.put(changing)
        await self._see_it_signs(changing)
        if changing.stolen and changing.sizes is None:
            # Who seals has the next key: from now on no head of ours is without it.
            sizes = {origin_of(log): await self._checked_size(changing, log) for log in logs}
            changing = replace(changing, sizes=sizes)
            self.put(changing)
        written = unknown = 0
        for log in logs:
            async with self.database.practice(log) as tx:
                missing = await untold(tx, changing.under_way(origin_of(log)))
            for said in missing:
                await self._acts.key_rotated(log, said)
            written += bool(missing)
            unknown += bool(missing) and changing.stolen and origin_of(log) not in changing.good
        return Changed(changing, logs, written, unknown, ignored)

    async def _see_it_signs(self, key: SealingKey) -> None:
        """That who seals has the file as it stands: that a head of the house is signed by all keys in it.

        Raises:
            NotYet: there is none yet.
        """
        if await self._is_shown(key):
            return
        await self._acts.key_prepared(key.keys(origin_of(HOUSE_LOG))[-1].key_id.hex())
        await self.seal()
        for look in range(1 + self.looks):
            if look:
                await asyncio.sleep(BETWEEN_LOOKS)
            if await self._is_shown(key):
                return
        raise NotYet(
            "the next key is in the file, and nothing else has changed: who seals does not sign with it yet. Copy the "
            "file to each machine that works on jobs, or start the server; then run `callcenter audit key rotate` once "
            "more"
        )

    async def _is_shown(self, key: SealingKey) -> bool:
        async with self.database.practice(HOUSE_LOG) as tx:
            return await is_shown(tx, key)

    async def retire(self, key: SealingKey, why: str | None = None) -> SealingKey:
        """Leave nothing of the old key but its public half, once every log leads from it to the next.

        Arguments:
            why: a word for the record; ``None``: its time is over, or it was stolen.

        Raises:
            Conflict: the key is not being changed.
            NotYet: some log does not; or both have signed for too short a time, which ``why`` overrides.
        """
        logs = (HOUSE_LOG, *await all_practices(self.database))
        heads = dict[str, Checkpoint]()
        begun, missing, waiting = list[datetime](), 0, 0
        for log in logs:
            async with self.database.practice(log) as tx:
                found = await announced(tx, key)
                if found is None:
                    missing += 1
                    continue
                since = None if found.index is None else await vouched_since(tx, key, found.index)
                head = await latest_head(tx)
                if since is None or head is None:
                    waiting += 1
                    continue
                heads[origin_of(log)] = key.open(head[1], origin_of(log))
                begun.append(since)
        if missing:
            raise NotYet(f"of {missing} logs nothing says so yet: run `callcenter audit key rotate` once more")
        if waiting:
            raise NotYet(
                f"in {waiting} logs both keys have not signed for the change yet: the server seals within seconds; if "
                "it does not, `callcenter doctor` says why"
            )
        until = max(begun) + LEAST  # the log that was told last has its week too
        if why is None and not key.stolen and self.clock.now() < until:
            raise NotYet(
                f"both keys sign until {until:%Y-%m-%d %H:%M} UTC, so that whoever verifies meanwhile learns of the "
                "next one; to put the old one away sooner, say why with --now"
            )
        former = key.verifier_key(origin_of(HOUSE_LOG)).key_id.hex()
        await self._acts.key_retired(former, why or ("stolen" if key.stolen else "over"))
        changed = key.changed(heads)
        self.put(changed)
        return changed

    async def declare_stolen(self, key: SealingKey, former: bytes) -> int:
        """Put on record in every log that a key which was put away was stolen since: it counts for the records that
        there were then, and leads on as it did. It was signed when the key was still there. Returns in how many logs.

        Arguments:
            key: as it stands in the file.
            former: the public half of the one that was put away.

        Raises:
            Conflict: nothing is kept that it has signed for this case; or a log has not the head that it has signed.
        """
        logs = (HOUSE_LOG, *await all_practices(self.database))
        kept = {
            log: {one: said for one, said in key.put_away(origin_of(log)).items() if one.former.public == former}
            for log in logs
        }
        if not any(kept.values()):
            raise Conflict(
                "nothing is kept that this key has signed for the case of a theft: it was never put away here, or by "
                "an older version, or its theft was said then. Tell whoever verifies to believe it no more"
            )
        written, missing_in = 0, dict[UUID, list[Mapping[str, Any]]]()
        for log, said in kept.items():
            async with self.database.practice(log) as tx:
                missing_in[log] = await untold(tx, said)
                if missing_in[log]:
                    await _check_ends(tx, said)
        for log, missing in missing_in.items():
            for one in missing:
                await self._acts.key_rotated(log, one)
            written += bool(missing)
        return written

    @property
    def _acts(self) -> LedgerActs:
        return LedgerActs(self.database, self.clock, self.random, self.by)

    async def _checked_size(self, key: SealingKey, log: UUID) -> int:
        """How many records the last head of a log covers, which this key has signed."""
        async with self.database.practice(log) as tx:
            head = await latest_head(tx)
        try:
            if head is not None:
                return key.open(head[1], origin_of(log)).size
        except NotOurs as error:
            raise IntegrityError(
                f"the last head of log {log} was not signed by the key in the sealer's file: restore that file first; "
                f"if it is the right one, somebody has written another head ({error})"
            ) from error
        return 0

    async def _last_good(self, key: SealingKey, logs: Sequence[UUID], notes: Sequence[str]) -> Mapping[str, Checkpoint]:
        """The largest of these heads of each log, by its origin, found to be under what the log holds today."""
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
                raise IntegrityError(
                    f"a head of {origin} that is said to be good is none of the key that is in the file now: {error}. "
                    "Leave out those from before the key was changed last: they count without it"
                ) from error
            if log not in found or found[log].size < head.size:
                found[log] = head
        for log, head in found.items():
            async with self.database.practice(log) as tx:
                if await root_at(tx, head.size) != head.root:
                    raise IntegrityError(
                        f"{head.origin} does not hold the {head.size} records of the head that is said to be good: it "
                        "was made anew. Keep the database as it stands, and restore a backup from before"
                    )
        return {origin_of(log): head for log, head in found.items()}


async def _check_ends(tx: Transaction, said: Iterable[Rotation]) -> None:
    """That the log of ``tx`` has the heads up to which these let a stolen key count: on record, another one would be
    found by every verifier, for ever.

    Raises:
        Conflict: it has not.
    """
    for one in said:
        good = one.last_good
        if good is not None and await root_at(tx, good.size) != good.root:
            raise Conflict(
                f"{good.origin} does not hold the {good.size} records that this key counts for: its database was set "
                "back to before the key was put away. Nothing is on record of the theft. Restore a later backup; if "
                "there is none, give the present key to whoever verifies, and tell them to believe the stolen one no "
                "more (docs/ledger.md)"
            )
