"""The nightly comparison with the carrier's list of calls: a second witness of which calls there were.

A record that was deleted before it was sealed leaves no gap that the ledger would show; the carrier, who asks money
for each call, still lists it. And a call that only we know was told us by somebody else than the carrier. Days are
those of UTC. The list is asked for the day before and the day after, too: a leg that began around midnight stands on
one day here and on the other one there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.ledger import Entry, EventKind, Value, note
from callcenter.calls.carrier_findings import days_not_compared, last_due
from callcenter.calls.carrier_values import (
    AGREED,
    LEARNT_LATER,
    CarrierCalls,
    Compared,
    ComparisonAlarm,
    Difference,
    ListedCall,
)
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import CallcenterError, Unavailable
from callcenter.kernel.randomness import Random, new_id
from callcenter.staff.records import Act, Actor, HouseLog
from callcenter.store.database import Database, in_practice

_log = structlog.get_logger(__name__)

JOB = Actor("job", "carrier_list")
ONE_DAY = timedelta(days=1)
#: Days of one run; the rest waits for the next, an hour later.
DAYS_AT_ONCE = 3
#: Legs that the list does not have and that are asked for one by one. Beyond, the list alone is believed.
MOST_ASKED = 100


class NotOverYet(CallcenterError):
    """Calls of that day may still go on: it is compared once four hours of the next one (UTC) have passed."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A leg that we know; without times where only its being is compared."""

    practice: UUID
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Differs:
    sid: str
    practice: UUID
    kind: Difference


@dataclass(frozen=True, slots=True)
class CarrierComparison:
    """Done by the job worker, every hour: it does nothing where every day is compared.

    Arguments:
        random: of the identifiers of findings and records.
    """

    database: Database
    clock: Clock
    random: Random
    carrier: CarrierCalls
    alarm: ComparisonAlarm

    async def compare_due(self) -> int:
        """Compare days that have not been, the latest first; returns how many differences nobody knew before.

        Raises:
            Unavailable: the carrier does not list them, or the database is down: the day is tried again.
        """
        async with self.database.house() as connection:
            days = await days_not_compared(connection, self.clock.now())
        found = 0
        for day in days[:DAYS_AT_ONCE]:
            try:
                found += (await self.compare(day)).found
            except Unavailable as error:
                self.alarm.not_compared(day, error)
                raise
        return found

    async def compare(self, day: date, by: Actor = JOB) -> Compared:
        """Compare one day, again if it has been. What is found twice is found once.

        Raises:
            NotOverYet: calls of that day may still go on.
            Unavailable: the carrier does not list them, or the database is down. What was found by then stays, and
                the day counts as not compared.
        """
        if day > last_due(self.clock.now()):
            raise NotOverYet(f"calls of {day} may still go on: compare it after 04:00 UTC of the next day")
        begins = datetime.combine(day, time(), UTC)
        async with self.database.house() as connection:
            ours = await _ours(connection, begins)
            numbers = {row.number: row.practice_id for row in await connection.execute(_NUMBERS)}
        missing, theirs, found = dict(ours), 0, 0
        async for page in self.carrier.listed(day - ONE_DAY, day + 2 * ONE_DAY):
            called = [one for one in page if one.called in numbers and begins <= one.began_at < begins + ONE_DAY]
            theirs += len(called)
            strangers = await self._strangers(called)
            differs = [_Differs(one.sid, numbers[str(one.called)], Difference.CALL_UNKNOWN) for one in strangers]
            for one in page:
                known = missing.pop(one.sid, None)
                if known is not None and _times_differ(known, one):
                    differs.append(_Differs(one.sid, known.practice, Difference.TIMES_DIFFER))
            found += await self._keep(day, differs, by)
        found += await self._keep(day, await self._never_had(missing), by)
        compared = Compared(day, theirs, len(ours), found)
        await self._done(compared, by)
        return compared

    async def _strangers(self, called: Sequence[ListedCall]) -> list[ListedCall]:
        """Those that no row knows, whenever it began."""
        if not called:
            return []
        async with self.database.house() as connection:
            rows = await connection.execute(_KNOWN, {"sids": [one.sid for one in called]})
            known = set(rows.scalars())
        return [one for one in called if one.sid not in known]

    async def _never_had(self, missing: Mapping[str, _Known]) -> list[_Differs]:
        """What became of those that the list does not have. Each is asked for: a list may be late, a leg is not."""
        differs = []
        for place, (sid, known) in enumerate(missing.items()):
            there = place < MOST_ASKED and await self.carrier.call_status(sid) is not None
            if not there:
                differs.append(_Differs(sid, known.practice, Difference.CALL_NEVER_HAD))
            elif known.started_at is not None:  # on another day than those that were listed
                differs.append(_Differs(sid, known.practice, Difference.TIMES_DIFFER))
        return differs

    async def _keep(self, day: date, differs: Sequence[_Differs], by: Actor) -> int:
        """Keep what nobody knew before, each on record in its practice's ledger, and cry about it once it is kept."""
        if not differs:
            return 0
        kept: list[tuple[UUID, Difference]] = []
        async with self.database.house() as connection:
            for one in differs:
                finding = new_id(self.random)
                row = {"id": finding, "practice": one.practice, "sid": one.sid, "kind": one.kind.value}
                values = {**row, "day": day, "now": self.clock.now()}
                if (await connection.execute(_FOUND, values)).one_or_none() is None:
                    continue
                tx = await in_practice(connection, one.practice)
                refs: dict[str, Value] = {
                    "refs": [f"carrier_finding:{finding}", f"carrier_call:{one.sid}"],
                    "kind": one.kind.value,
                    "day": day.isoformat(),
                }
                entry = Entry(EventKind.CARRIER_DIFFERS, {"kind": by.kind, "id": by.id}, None, refs)
                await note(tx, entry, self.clock, self.random, stream=finding)
                kept.append((finding, one.kind))
        for finding, kind in kept:
            self.alarm.call_differs(finding, kind)
        return len(kept)

    async def _done(self, compared: Compared, by: Actor) -> None:
        counts = {"theirs": compared.theirs, "ours": compared.ours}
        content: dict[str, Value] = {"day": compared.day.isoformat(), **counts, "found": compared.found}
        async with self.database.house() as connection:
            await connection.execute(_COMPARED, {"day": compared.day, "now": self.clock.now(), **counts})
            await HouseLog(self.clock, self.random).note(connection, Act.CARRIER_LIST_COMPARED, by, None, content)
        _log.info("carrier_list_compared", **content)


def _times_differ(known: _Known, listed: ListedCall) -> bool:
    """Whether a call began elsewhere, was over here while it went on there, or for hours nobody heard that it was."""
    if known.started_at is None:
        return False
    if abs(known.started_at - listed.began_at) > AGREED:
        return True
    if known.ended_at is None or listed.ended_at is None:
        return False
    return not -AGREED <= known.ended_at - listed.ended_at <= LEARNT_LATER


async def _ours(connection: AsyncConnection, begins: datetime) -> dict[str, _Known]:
    rows: Sequence[Any] = (await connection.execute(_OURS, {"begins": begins, "ends": begins + ONE_DAY})).all()
    return {row.sid: _Known(row.practice_id, row.started_at, row.ended_at) for row in rows}


_NUMBERS = text("SELECT number, practice_id FROM directory_number")
# The edge takes no webhook whose leg is named in another form.
_OURS = text(
    """
    SELECT c.carrier_sid AS sid, c.practice_id, c.started_at, c.ended_at
    FROM practice p JOIN call c ON c.practice_id = p.id
    WHERE c.started_at >= :begins AND c.started_at < :ends AND c.carrier_sid ~ '^CA[0-9a-f]{32}$'
    UNION ALL
    SELECT r.leg, e.practice_id, NULL, NULL FROM reservation r JOIN queue_entry e ON e.call_id = r.call_id
    WHERE r.leg IS NOT NULL AND r.accepted_at >= :begins AND r.accepted_at < :ends
    UNION ALL
    SELECT t.carrier_sid, e.practice_id, NULL, NULL
    FROM talk_party t JOIN reservation r ON r.id = t.reservation_id JOIN queue_entry e ON e.call_id = r.call_id
    WHERE t.carrier_sid IS NOT NULL AND t.made_at >= :begins AND t.made_at < :ends
    """
)
_KNOWN = text("SELECT carrier_sid FROM call WHERE carrier_sid = ANY(:sids)")
_FOUND = text(
    """
    INSERT INTO carrier_finding (id, practice_id, sid, kind, day, found_at)
    VALUES (:id, :practice, :sid, :kind, :day, :now) ON CONFLICT (sid, kind) DO NOTHING RETURNING id
    """
)
_COMPARED = text(
    """
    INSERT INTO carrier_day (day, compared_at, theirs, ours) VALUES (:day, :now, :theirs, :ours)
    ON CONFLICT (day) DO UPDATE SET compared_at = excluded.compared_at, theirs = excluded.theirs, ours = excluded.ours
    """
)
