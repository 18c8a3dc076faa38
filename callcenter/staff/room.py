"""The room put together: everything that pages and commands ask it for, on one database and one set of bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from argon2 import Parameters

from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Forbidden
from callcenter.kernel.randomness import Random
from callcenter.settings import ConsoleSettings
from callcenter.staff.administration import Administration
from callcenter.staff.factors import Factors
from callcenter.staff.invitations import Invitations
from callcenter.staff.limits import LoginLimits
from callcenter.staff.login import Logins
from callcenter.staff.passkeys import Passkeys, RelyingParty
from callcenter.staff.passwords import RECOMMENDED, Passwords
from callcenter.staff.portfolios import Portfolios
from callcenter.staff.proofs import Proofs
from callcenter.staff.records import HouseLog
from callcenter.staff.rights import Rights
from callcenter.staff.sessions import SessionLimits, Sessions, StaffSession
from callcenter.staff.throttle import Tallies
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer

#: How many times as long as anybody else somebody who is on duty may do nothing: calls may be few.
_ON_DUTY = 3


@dataclass(frozen=True, slots=True)
class StaffLimits:
    """Every bound of the room.

    Arguments:
        parameters: of Argon2id.
        hashed_at_once, waiting: of passwords, in this process.
    """

    login: LoginLimits = field(default_factory=LoginLimits)
    sessions: SessionLimits = field(default_factory=SessionLimits)
    parameters: Parameters = field(default_factory=lambda: RECOMMENDED)
    hashed_at_once: int = 2
    waiting: int = 20

    @classmethod
    def of(cls, console: ConsoleSettings) -> StaffLimits:
        """As an installation has set them."""
        idle, absolute = timedelta(minutes=console.idle_minutes), timedelta(minutes=console.absolute_minutes)
        return cls(sessions=SessionLimits(idle=idle, on_duty=_ON_DUTY * idle, absolute=absolute))


@dataclass(frozen=True, slots=True)
class StaffRoom:
    """What pages and commands ask."""

    logins: Logins
    sessions: Sessions
    factors: Factors
    invitations: Invitations
    administration: Administration
    portfolios: Portfolios
    rights: Rights
    passwords: Passwords

    @classmethod
    def on(
        cls,
        database: Database,
        attempts: Database,
        sealer: Sealer,
        clock: Clock,
        random: Random,
        party: RelyingParty,
        limits: StaffLimits | None = None,
    ) -> StaffRoom:
        """The room on a database.

        Arguments:
            attempts: connections of their own, for counting.
            party: the console's address, to which keys are bound.
        """
        bounds = limits or StaffLimits()
        log = HouseLog(clock, random)
        passwords = Passwords(random, bounds.parameters, at_once=bounds.hashed_at_once, waiting=bounds.waiting)
        sessions = Sessions(database, clock, random, bounds.sessions, log)
        proofs, keys = Proofs(sealer, random), Passkeys(party)
        tallies = Tallies(attempts, sealer, clock)
        invitations = Invitations(database, clock, random, passwords, sessions, log)
        return cls(
            logins=Logins(database, clock, random, passwords, tallies, sessions, proofs, keys, log, bounds.login),
            sessions=sessions,
            factors=Factors(database, sealer, clock, random, sessions, proofs, keys, log),
            invitations=invitations,
            administration=Administration(database, clock, random, sessions, invitations, log),
            portfolios=Portfolios(database, clock, random, log),
            rights=Rights(database, clock),
            passwords=passwords,
        )

    async def standing(self, token: str, *, active: bool = True) -> StaffSession:
        """The session of a token, both factors given, as it stands at this moment.

        Arguments:
            active: somebody uses it at this moment; false for what a page does by itself.

        Raises:
            Forbidden: it is over.
        """
        session = await self.sessions.of(token, active=active)
        if session is None or not session.is_full:
            raise Forbidden("the session is over")
        return session

    @staticmethod
    def confirmed(session: StaffSession) -> StaffSession:
        """``session``, in which a second factor was given just now.

        Raises:
            Forbidden: none was.
        """
        if not session.may_change_account:
            raise Forbidden("no second factor was given just now")
        return session

    def close(self) -> None:
        """End the threads in which passwords are hashed."""
        self.passwords.close()
