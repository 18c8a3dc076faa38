"""How often something may be tried: counted before it is compared, and apart, so that a try counts whatever follows.

The counts are no names: each stands under a keyed hash of what the tries have in common. Where they cannot be written,
nothing is compared and nobody is let in. What one bound refuses counts towards no other: else whoever has passed their
own would go on to use up everybody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from math import ceil

from sqlalchemy import text

from callcenter.kernel.clock import Clock
from callcenter.staff.limits import Bound
from callcenter.store.database import Database
from callcenter.store.sealed import NO_PRACTICE, Sealer


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted together.

    Arguments:
        name: of the bound.
        what: which tries have in common, such as a login.
        bound: how many there may be.
    """

    name: str
    what: str
    bound: Bound


def origin_of(address: str) -> str:
    """What tries from an address have in common: of IPv6 its first 64 bits, of which a subscriber has all the rest."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:100]
    if parsed.version == 4:
        return str(parsed)
    mapped = parsed.ipv4_mapped
    return str(mapped) if mapped is not None else str(ip_network((int(parsed) >> 64 << 64, 64)))


class Tallies:
    """Counts tries.

    Arguments:
        attempts: connections of their own, so that a try counts whatever becomes of the rest.
        sealer: makes the keyed hashes.
    """

    def __init__(self, attempts: Database, sealer: Sealer, clock: Clock) -> None:
        self._attempts = attempts
        self._sealer = sealer
        self._clock = clock

    async def count(self, tries: Sequence[Counted]) -> int | None:
        """Count one try; returns after how many seconds to try again where a bound is passed, else ``None``.

        Arguments:
            tries: the narrowest bound first; after one that is passed nothing is counted. Of each kind at most one,
                the kinds always in the same order, so that two at once wait for one another instead of each for the
                other.

        Raises:
            DatabaseDown: it cannot be counted; then nothing may be compared.
        """
        now = self._clock.now()
        async with self._attempts.house() as connection:
            for one in tries:
                values = {
                    "mark": self._mark(one.name, one.what),
                    "now": now,
                    "over": now - one.bound.window,
                    "most": one.bound.tries + 1,
                }
                row = (await connection.execute(_COUNT, values)).one()
                if row.tries > one.bound.tries:
                    left: timedelta = row.window_start + one.bound.window - now
                    return max(1, ceil(left.total_seconds()))
        return None

    async def forgive(self, tries: Sequence[Counted]) -> None:
        """Take back what was counted, because it was right: whoever knows the secret is not bounded in using it."""
        async with self._attempts.house() as connection:
            for one in tries:
                await connection.execute(_FORGIVE, {"mark": self._mark(one.name, one.what)})

    async def clear(self, tries: Sequence[Counted]) -> None:
        """Begin anew for these, as somebody who may decides it."""
        async with self._attempts.house() as connection:
            for one in tries:
                await connection.execute(_CLEAR, {"mark": self._mark(one.name, one.what)})

    async def remember(self, name: str, what: str) -> None:
        """Keep that something has been so just now, under a keyed hash as counts are."""
        async with self._attempts.house() as connection:
            await connection.execute(_REMEMBER, {"mark": self._mark(name, what), "now": self._clock.now()})

    async def when(self, name: str, what: str) -> datetime | None:
        """When it was remembered last; ``None`` where it was not."""
        async with self._attempts.house() as connection:
            found: datetime | None = (
                await connection.execute(_WHEN, {"mark": self._mark(name, what)})
            ).scalar_one_or_none()
        return found

    def _mark(self, name: str, what: str) -> str:
        return self._sealer.blind_index(NO_PRACTICE, f"staff.tally.{name}", what).hex()


_COUNT = text(
    """
    INSERT INTO login_tally AS t (mark, window_start, tries) VALUES (:mark, :now, 1)
    ON CONFLICT (mark) DO UPDATE SET
        window_start = CASE WHEN t.window_start <= :over THEN :now ELSE t.window_start END,
        tries = CASE WHEN t.window_start <= :over THEN 1 ELSE least(t.tries + 1, :most) END
    RETURNING tries, window_start
    """
)
_CLEAR = text("DELETE FROM login_tally WHERE mark = :mark")
_REMEMBER = text(
    "INSERT INTO login_tally (mark, window_start, tries) VALUES (:mark, :now, 0) "
    "ON CONFLICT (mark) DO UPDATE SET window_start = :now"
)
_WHEN = text("SELECT window_start FROM login_tally WHERE mark = :mark")
_FORGIVE = text("UPDATE login_tally SET tries = greatest(tries - 1, 0) WHERE mark = :mark")
