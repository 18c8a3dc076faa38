"""What the pages need of the house: who comes in, by what, and what they may do to their own account.

Every method that takes a session's token finds out anew whom it belongs to: a page is never believed who it is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from callcenter.console.words import Language
from callcenter.kernel.errors import Unavailable


class Overrun(Unavailable):
    """More people sign in at this moment than passwords can be compared for; try again in a few seconds."""


class Stage(StrEnum):
    """How far somebody has come in."""

    PASSWORD = "password"  # noqa: S105 - a stage
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Session:
    """A session that lives.

    Arguments:
        staff: whose.
        stage: before the second factor no page is open but that of the second factor.
        enrolled: the account has a second factor.
        confirmed: a second factor was given within the last minutes, so that the account may be changed.
        roles: what one is for some practice or other: which pages are worth showing a way to. What one may do at a page
            is found out there, for each practice.
        language: in which its owner has chosen to read; ``None``: as the browser asks.
    """

    staff: UUID
    login: str
    name: str
    stage: Stage
    enrolled: bool
    confirmed: bool
    roles: frozenset[str] = frozenset()
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """One is in, one stage further.

    Arguments:
        token: of the session from now on; the one before opens nothing more.
    """

    token: str


@dataclass(frozen=True, slots=True)
class NotEntered:
    """One is not in; why is not told.

    Arguments:
        retry_after: seconds after which it is worth trying again, ``None`` where it may be tried at once.
    """

    retry_after: int | None = None


Entry = Entered | NotEntered


class Entrance(Protocol):
    """Signing in, step by step.

    Raises, all of them: Overrun, and Unavailable where the database does not answer; then nobody is let in.
    """

    async def session(self, token: str, *, active: bool = True) -> Session | None:
        """The session of a token, as the account stands at this moment.

        Arguments:
            active: it is seen to be used; false for what a page does by itself.
        """

    async def begin(self, login: str, password: str, address: str) -> Entry:
        """The first step. ``address``: from where, to be counted."""

    async def by_code(self, token: str, code: str) -> Entry:
        """The second step, by the six digits of an application (RFC 6238)."""

    async def by_recovery_code(self, token: str, code: str) -> Entry:
        """The second step, by a code that was printed for it."""

    async def passkey_options(self, token: str) -> str:
        """What a browser needs to ask a key to sign, as JSON (WebAuthn §5.5)."""

    async def by_passkey(self, token: str, response: str) -> Entry:
        """The second step, by what a key has signed, as JSON."""

    async def confirm_by_code(self, token: str, code: str) -> Entry:
        """Give a second factor once more, before the account is changed."""

    async def confirm_by_recovery_code(self, token: str, code: str) -> Entry:
        """The same by a printed code."""

    async def confirmation_options(self, token: str) -> str:
        """What a browser needs for the same by a key."""

    async def confirm_by_passkey(self, token: str, response: str) -> Entry:
        """The same by a key."""

    async def leave(self, token: str) -> None:
        """End the session."""


class PasswordFault(StrEnum):
    """Why a password cannot be taken (AU-01)."""

    SHORT = "short"
    LONG = "long"
    GUESSABLE = "guessable"


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom an invitation is for.

    Arguments:
        undertaken: the undertaking of secrecy is signed; before it, nobody comes in (SM-02).
    """

    login: str
    name: str
    undertaken: bool


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret for an application that makes codes.

    Arguments:
        secret: in base 32, to be typed.
        uri: the same as ``otpauth://``, to be scanned.
    """

    secret: str
    uri: str


class Enrolment(Protocol):
    """From an invitation to an account that one can sign in with."""

    async def invited(self, token: str) -> Invited | None:
        """Whom the invitation is for; ``None`` once it is used or too old."""

    async def accept(self, token: str, password: str) -> str | PasswordFault | None:
        """Take the password and use the invitation up: the token of a session before its second factor, what is wrong
        with the password, or ``None`` where there is no such invitation any more."""

    async def begin_code(self, token: str) -> NewSecret:
        """A fresh secret for an application, in place of one that was not confirmed."""

    async def confirm_code(self, token: str, code: str) -> str | None:
        """Show that the application makes the right codes: the token from now on."""

    async def new_passkey_options(self, token: str) -> str:
        """What a browser needs to make a key, as JSON."""

    async def add_passkey(self, token: str, response: str, label: str) -> str | None:
        """Keep a key: the token from now on."""

    async def new_recovery_codes(self, token: str) -> Sequence[str]:
        """Ten fresh codes, which are told this once; those before are void."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """A key that opens the account.

    Arguments:
        label: what its owner calls it.
        used: when it was last used.
    """

    id: UUID
    label: str
    made: datetime
    used: datetime | None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session of the account.

    Arguments:
        id: names it, and does not open it.
        half: it has given the password, and no second factor.
        current: it is the one that asks.
    """

    id: UUID
    since: datetime
    seen: datetime
    half: bool
    current: bool


@dataclass(frozen=True, slots=True)
class AccountState:
    """How an account is secured.

    Arguments:
        code_since: when an application was set up.
        keys_full: it has as many keys as it may have.
        recovery_codes: how many are left.
    """

    code_since: datetime | None
    passkeys: tuple[Passkey, ...]
    keys_full: bool
    recovery_codes: int
    sessions: tuple[OpenSession, ...]


class OwnAccount(Protocol):
    """What one may do to one's own account, once confirmed; otherwise ``Forbidden`` is raised."""

    async def state(self, token: str) -> AccountState:
        """How it stands."""

    async def remove_passkey(self, token: str, passkey: UUID) -> bool:
        """Take a key away. False where it is the last second factor."""

    async def change_password(self, token: str, old: str, new: str) -> PasswordFault | Entry:
        """Take another password; every other session ends. Not entered where the old one is wrong."""

    async def read_in(self, token: str, language: Language | None) -> None:
        """Read the pages in another language; ``None``: in what the browser asks for. No confirmation is needed."""

    async def end_session(self, token: str, session: UUID) -> None:
        """End one session of the account."""

    async def end_others(self, token: str) -> None:
        """End every session but this."""


class Training(StrEnum):
    """How the training stands."""

    VALID = "valid"
    ENDING = "ending"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Part:
    """What one may do for the practices of a portfolio.

    Arguments:
        roles: names as the database has them.
        whole: every practice of the organisation, and those to come.
        practices: names of the first of them.
        count: how many there are.
    """

    portfolio: str
    roles: tuple[str, ...]
    whole: bool
    practices: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Welcome:
    """What somebody sees first.

    Arguments:
        trained_until: the last day on which the training holds, if there was one.
        days: left of it, from now, where it is ending.
        undertaken: when the undertaking of secrecy was signed (SM-02).
    """

    organisation: str
    training: Training
    trained_until: date | None
    days: int | None
    undertaken: date | None
    parts: tuple[Part, ...]


class Reception(Protocol):
    """The first page."""

    async def welcome(self, token: str) -> Welcome:
        """What the first page says to somebody."""
