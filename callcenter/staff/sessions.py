"""Sessions of staff: who is at a page, with how many factors, and until when.

A token is 256 random bits; the database holds its digest. Whoever rises from the password to a second factor gets
another token, so that one that was known before is worth nothing. Whether a session stands is found out anew each time,
from the account as it stands then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random, new_id, new_token
from callcenter.staff.accounts import account_of, grants, hold_account
from callcenter.staff.passkeys import CHALLENGE_BYTES, Ceremony
from callcenter.staff.proofs import held, name_account
from callcenter.staff.records import Act, Actor, HouseLog
from callcenter.staff.values import Account, Factor, Grant, Role
from callcenter.store.database import Database


class Stage(StrEnum):
    """How far somebody has come in."""

    PASSWORD = "password"  # noqa: S105 - a stage
    FULL = "full"


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long sessions last.

    Arguments:
        idle: without a page.
        on_duty: without a page that somebody has asked for, of who is on duty at one: calls ring there, and may be few.
        off_duty: after a page has shown for the last time that somebody is on duty at it.
        absolute: in all.
        password: of one that has not given its second factor, or not set one up.
        stepped_up: for how long a second factor that was given counts as given just now.
        challenge: in which a passkey must sign.
        noted: how exactly the last page is remembered: one write in that time.
    """

    idle: timedelta = timedelta(minutes=15)
    on_duty: timedelta = timedelta(minutes=45)
    off_duty: timedelta = timedelta(seconds=90)
    absolute: timedelta = timedelta(hours=12)
    password: timedelta = timedelta(minutes=30)
    stepped_up: timedelta = timedelta(minutes=5)
    challenge: timedelta = timedelta(minutes=5)
    noted: timedelta = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class StaffSession:
    """Who is at a page.

    Arguments:
        id: names the session, and does not open it.
        account: as it stands at this moment.
        roles: what it may do for which practices.
        factors: what it could be asked for.
        since: when it began.
        ends_at: by when it ends whatever is done.
        hand_by: by when somebody on duty must have done something, or it ends before.
        stepped_up_until: until when the account may be changed, ``None`` where a second factor must be given first.
        stepped_up_at: when the last second factor was given, if that was just now.
    """

    id: UUID
    account: Account
    roles: tuple[Grant, ...]
    factors: frozenset[Factor]
    stage: Stage
    since: datetime
    ends_at: datetime
    hand_by: datetime
    stepped_up_until: datetime | None
    stepped_up_at: datetime | None = None

    @property
    def is_full(self) -> bool:
        """Two factors were given: pages are open."""
        return self.stage is Stage.FULL

    @property
    def is_enrolling(self) -> bool:
        """The account has no second factor yet: it may set one up, and do nothing else."""
        return self.stage is Stage.PASSWORD and not self.factors

    @property
    def may_change_account(self) -> bool:
        """A second factor was given just now."""
        return self.is_full and self.stepped_up_until is not None

    @property
    def administers_all(self) -> bool:
        """The account administers the whole of its organisation."""
        return any(
            grant.role is Role.ADMINISTRATOR
            and grant.portfolio.whole
            and grant.portfolio.organisation == self.account.organisation
            for grant in self.roles
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """A session of an account, for its owner."""

    id: UUID
    stage: Stage
    since: datetime
    seen: datetime
    ends_at: datetime


class Sessions:
    """Makes, finds and ends sessions."""

    def __init__(self, database: Database, clock: Clock, random: Random, limits: SessionLimits, log: HouseLog) -> None:
        self._database = database
        self._clock = clock
        self._random = random
        self._limits = limits
        self._log = log

    async def of(self, token: str, *, active: bool = True) -> StaffSession | None:
        """The session of a token, or ``None`` where there is none, it is over, or its account opens nothing any more.

        Arguments:
            active: somebody uses it at this moment; false for what a page does by itself.
        """
        async with self._database.house() as connection:
            return await self.within(connection, token, active=active)

    async def within(self, connection: AsyncConnection, token: str, *, active: bool = True) -> StaffSession | None:
        """The same, in a transaction that goes on. Names the session's account for row scope."""
        now, limits = self._clock.now(), self._limits
        values = {"mark": mark_of(token), **self._times(now)}
        row = (await connection.execute(_LIVE, values)).one_or_none()
        if row is None:
            return None
        account = account_of(row)
        if account.shut(now) is not None:
            return None
        if active and row.seen_at <= now - limits.noted:
            await connection.execute(_SEEN, values)
        await name_account(connection, account.id)
        roles = await grants(connection, account.id)
        factors = (await held(connection, account.id)).factors
        return _session(row, account, roles, factors, now, limits)

    async def on_duty(self, connection: AsyncConnection, token: str) -> None:
        """A page of this session shows that its owner is on duty: it stands for longer than somebody who is idle.

        Not where its owner was last at another one: whoever has changed places leaves a page behind, not a workplace.
        """
        now, limits = self._clock.now(), self._limits
        await connection.execute(_ON_DUTY, {"mark": mark_of(token), "now": now, "before": now - limits.noted})

    def _times(self, now: datetime) -> dict[str, datetime]:
        """What ``_STANDS`` compares with."""
        limits = self._limits
        return {
            "now": now,
            "idle_since": now - limits.idle,
            "off_duty_since": now - limits.off_duty,
            "left_since": now - limits.on_duty,
        }

    async def owner(self, connection: AsyncConnection, token: str) -> UUID | None:
        """Whose session it is, whether it stands or not: to hold the account before anything of it is read."""
        found: UUID | None = (await connection.execute(_OWNER, {"mark": mark_of(token)})).scalar_one_or_none()
        return found

    async def begin(
        self,
        connection: AsyncConnection,
        staff: UUID,
        stage: Stage,
        *,
        instead_of: str | None = None,
        stepped_up: bool = False,
    ) -> str:
        """Begin a session under a fresh token, which is returned.

        Arguments:
            instead_of: the token of the session before, which ends by it.
            stepped_up: a second factor was given just now.
        """
        now, token = self._clock.now(), new_token(self._random)
        if instead_of is not None:
            await connection.execute(_END, {"mark": mark_of(instead_of), "now": now})
        values = {
            "mark": mark_of(token),
            "id": new_id(self._random),
            "staff": staff,
            "stage": stage.value,
            "now": now,
            "ends": now + (self._limits.absolute if stage is Stage.FULL else self._limits.password),
            "stepped": now if stepped_up else None,
        }
        await connection.execute(_BEGIN, values)
        return token

    async def stepped_up(self, connection: AsyncConnection, token: str) -> None:
        """A second factor was given in this session just now."""
        await connection.execute(_STEP_UP, {"mark": mark_of(token), "now": self._clock.now()})

    async def challenge(self, connection: AsyncConnection, token: str, ceremony: Ceremony) -> bytes:
        """Draw a challenge for a passkey, in the place of one that was not signed."""
        drawn = self._random.token_bytes(CHALLENGE_BYTES)
        values = {
            "mark": mark_of(token),
            "challenge": drawn.hex(),
            "for": ceremony.value,
            "now": self._clock.now(),
        }
        await connection.execute(_CHALLENGE, values)
        return drawn

    async def take_challenge(self, connection: AsyncConnection, token: str, ceremony: Ceremony) -> bytes | None:
        """The challenge that was drawn for this, once and not too late."""
        values = {
            "mark": mark_of(token),
            "for": ceremony.value,
            "after": self._clock.now() - self._limits.challenge,
        }
        taken = (await connection.execute(_TAKE_CHALLENGE, values)).scalar_one_or_none()
        return None if taken is None else bytes.fromhex(taken)

    async def listed(self, staff: UUID) -> Sequence[Listed]:
        """The sessions of an account that stand, newest first."""
        async with self._database.house() as connection:
            rows = (await connection.execute(_LISTED, {"staff": staff, **self._times(self._clock.now())})).all()
        return [Listed(row.id, Stage(row.stage), row.made_at, row.seen_at, row.ends_at) for row in rows]

    async def revoke(self, token: str) -> None:
        """End the session of a token, as its owner wants."""
        async with self._database.house() as connection:
            values = {"mark": mark_of(token), "now": self._clock.now()}
            row = (await connection.execute(_END, values)).one_or_none()
            if row is not None:
                await self._note(connection, row.staff_id, row.id, Actor.staff(row.staff_id), "left")

    async def revoke_one(self, staff: UUID, session: UUID, by: Actor | None = None) -> bool:
        """End one session of an account. False where it has none of that identifier that stands."""
        async with self._database.house() as connection:
            values = {"staff": staff, "id": session, "now": self._clock.now()}
            ended = (await connection.execute(_END_ONE, values)).one_or_none() is not None
            if ended:
                await self._note(connection, staff, session, by or Actor.staff(staff), "revoked")
        return ended

    async def revoke_all(self, staff: UUID, except_: str | None = None, by: Actor | None = None) -> int:
        """End every session of an account but that of the token ``except_``; returns how many."""
        async with self._database.house() as connection:
            await hold_account(connection, staff, alone=True)  # one that is rising at this moment ends too
            return await self.end_all(connection, staff, by or Actor.staff(staff), except_)

    async def end_all(self, connection: AsyncConnection, staff: UUID, by: Actor, except_: str | None = None) -> int:
        """The same, in a transaction that goes on."""
        values = {
            "staff": staff,
            "but": None if except_ is None else mark_of(except_),
            "now": self._clock.now(),
        }
        ended = (await connection.execute(_END_ALL, values)).scalars().all()
        for session in sorted(ended):
            await self._note(connection, staff, session, by, "revoked")
        return len(ended)

    async def _note(self, connection: AsyncConnection, staff: UUID, session: UUID, by: Actor, why: str) -> None:
        content = {"refs": [f"staff_session:{session}"], "reason": why}
        await self._log.note(connection, Act.SESSION_REVOKED, by, staff, content)


def mark_of(token: str) -> str:
    """The digest under which a token stands: random as it is, it needs no key and no salt."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _session(
    row: Row[Any],
    account: Account,
    roles: tuple[Grant, ...],
    factors: frozenset[Factor],
    now: datetime,
    limits: SessionLimits,
) -> StaffSession:
    until = None if row.stepped_up_at is None else row.stepped_up_at + limits.stepped_up
    return StaffSession(
        id=row.session_id,
        account=account,
        roles=roles,
        factors=factors,
        stage=Stage(row.stage),
        since=row.session_made_at,
        ends_at=row.ends_at,
        hand_by=row.seen_at + limits.on_duty,
        stepped_up_until=until if until is not None and until > now else None,
        stepped_up_at=row.stepped_up_at if until is not None and until > now else None,
    )


# Whoever is on duty may have nothing to do for a while; a page that they have left for good ends even so.
_STANDS = """s.revoked_at IS NULL AND s.ends_at > :now AND (
        s.seen_at > :idle_since OR (s.on_duty_at > :off_duty_since AND s.seen_at > :left_since)
    )"""
_LIVE = text(
    f"""
    SELECT s.id AS session_id, s.stage, s.made_at AS session_made_at, s.seen_at, s.ends_at, s.stepped_up_at, a.*
    FROM staff_session s JOIN staff_account a ON a.id = s.staff_id
    WHERE s.token_mark = :mark AND {_STANDS}
    """  # noqa: S608 - our own words alone
)
_OWNER = text("SELECT staff_id FROM staff_session WHERE token_mark = :mark")
_SEEN = text(
    f"UPDATE staff_session s SET seen_at = :now WHERE s.token_mark = :mark AND s.seen_at < :now AND {_STANDS}"  # noqa: S608
)
_ON_DUTY = text(
    """
    UPDATE staff_session s SET on_duty_at = :now
    WHERE s.token_mark = :mark AND s.stage = 'full' AND s.revoked_at IS NULL
        AND (s.on_duty_at IS NULL OR s.on_duty_at < :before)
        AND NOT EXISTS (
            SELECT FROM staff_session o WHERE o.staff_id = s.staff_id AND o.revoked_at IS NULL AND o.ends_at > :now
                AND o.stage = 'full' AND o.seen_at > s.seen_at
        )
    """
)
_BEGIN = text(
    """
    INSERT INTO staff_session (token_mark, id, staff_id, stage, made_at, seen_at, ends_at, stepped_up_at)
    VALUES (:mark, :id, :staff, :stage, :now, :now, :ends, :stepped)
    """
)
_STEP_UP = text("UPDATE staff_session SET stepped_up_at = :now WHERE token_mark = :mark AND revoked_at IS NULL")
_CHALLENGE = text(
    """
    UPDATE staff_session SET challenge = :challenge, challenge_for = :for, challenge_at = :now
    WHERE token_mark = :mark AND revoked_at IS NULL
    """
)
# The row as it was is locked first: of two that bring the same answer, the second one finds no challenge.
_TAKE_CHALLENGE = text(
    """
    WITH before AS (
        SELECT token_mark, challenge, challenge_for, challenge_at FROM staff_session
        WHERE token_mark = :mark AND revoked_at IS NULL AND challenge IS NOT NULL FOR UPDATE
    ), taken AS (
        UPDATE staff_session s SET challenge = NULL, challenge_for = NULL, challenge_at = NULL
        FROM before WHERE s.token_mark = before.token_mark
    )
    SELECT challenge FROM before WHERE challenge_for = :for AND challenge_at > :after
    """
)
_LISTED = text(
    f"""
    SELECT s.id, s.stage, s.made_at, s.seen_at, s.ends_at FROM staff_session s
    WHERE s.staff_id = :staff AND {_STANDS} ORDER BY s.made_at DESC, s.id LIMIT 100
    """  # noqa: S608 - our own words alone
)
_END = text(
    "UPDATE staff_session SET revoked_at = :now WHERE token_mark = :mark AND revoked_at IS NULL RETURNING id, staff_id"
)
_END_ONE = text(
    "UPDATE staff_session SET revoked_at = :now WHERE staff_id = :staff AND id = :id AND revoked_at IS NULL "
    "RETURNING id"
)
_END_ALL = text(
    """
    UPDATE staff_session SET revoked_at = :now
    WHERE staff_id = :staff AND revoked_at IS NULL AND token_mark IS DISTINCT FROM cast(:but AS text) RETURNING id
    """
)
