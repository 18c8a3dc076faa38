"""What the pages of administration need of the house: accounts of an organisation, their portfolios, its health.

Whoever administers has the role for every practice of their organisation, and sees and changes that organisation alone.
Nobody changes their own account here: a role, a training or an undertaking is given by somebody else. Every method that
changes something wants a second factor that was given within the last minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class Access(StrEnum):
    """Whether an account opens anything."""

    OPEN = "open"
    LOCKED = "locked"
    CLOSED = "closed"
    EXPIRED = "expired"
    NO_UNDERTAKING = "no_undertaking"


class Trained(StrEnum):
    """How a training stands."""

    VALID = "valid"
    ENDING = "ending"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Listed:
    """An account, in the list of them.

    Arguments:
        roles: names as the database has them.
        own: of whoever looks.
    """

    id: UUID
    login: str
    name: str
    access: Access
    trained: Trained
    trained_until: date | None
    roles: tuple[str, ...]
    own: bool


@dataclass(frozen=True, slots=True)
class Folder:
    """A portfolio.

    Arguments:
        whole: every practice of the organisation, and those to come.
        count: of its practices now.
    """

    id: UUID
    name: str
    whole: bool
    count: int


@dataclass(frozen=True, slots=True)
class Office:
    """What is administered.

    Arguments:
        accounts: by login; those that are closed last.
    """

    organisation: str
    accounts: tuple[Listed, ...]
    folders: tuple[Folder, ...]


@dataclass(frozen=True, slots=True)
class Granted:
    """A role for a portfolio."""

    role: str
    folder: UUID
    folder_name: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session of an account.

    Arguments:
        half: it has given the password, and no second factor.
    """

    id: UUID
    since: datetime
    seen: datetime
    half: bool


@dataclass(frozen=True, slots=True)
class Happened:
    """What is on record about an account.

    Arguments:
        what: name of the act, as the record has it.
        by: a name, a command's user, or nothing where nobody is known.
    """

    at: datetime
    what: str
    by: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """One account, for whoever administers it.

    Arguments:
        undertaken: when the undertaking of secrecy was signed.
        expires_on: the last day, ``None`` without end.
        code_since, passkeys, recovery_codes: by what its owner signs in.
        history: newest first; the last hundred.
    """

    account: Listed
    undertaken: date | None
    expires_on: date | None
    languages: tuple[str, ...]
    code_since: datetime | None
    passkeys: int
    recovery_codes: int
    grants: tuple[Granted, ...]
    sessions: tuple[SignedIn, ...]
    history: tuple[Happened, ...]


@dataclass(frozen=True, slots=True)
class FolderPage:
    """One portfolio with its practices.

    Arguments:
        practices: those in it, by name; of a whole one, every practice.
        others: those that could be put in.
    """

    folder: Folder
    practices: tuple[tuple[UUID, str], ...]
    others: tuple[tuple[UUID, str], ...]


@dataclass(frozen=True, slots=True)
class Invitation:
    """An address that is given to the owner of an account, and shown this once."""

    address: str = field(repr=False)


class Fault(StrEnum):
    """Why something was not done. The words stand in the templates."""

    LOGIN = "login_form"
    LOGIN_TAKEN = "login_taken"
    NAME = "name_form"
    LANGUAGES = "languages"
    CLOSED = "account_closed"
    SHUT = "account_shut"
    FUTURE = "future"
    FOLDER_NAME = "folder_name"
    FOLDER_TAKEN = "folder_taken"
    NOTHING = "nothing"
    OWN = "own_account"


@dataclass(frozen=True, slots=True)
class NewColleague:
    """An account that is to be made."""

    login: str
    name: str
    languages: tuple[str, ...]
    role: str
    folder: UUID
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was looked at in the installation.

    Arguments:
        subject: its name (``doctor``).
        says: what was found, and what to do where it is not healthy; in English, for whoever keeps the installation.
    """

    subject: str
    healthy: bool
    says: str


@dataclass(frozen=True, slots=True)
class KeyAge:
    """A key of the installation.

    Arguments:
        name: which one.
        since: when the database first knew it; ``None`` where that was not kept.
        current: new fields are sealed with it.
    """

    name: str
    since: datetime | None
    current: bool


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the installation.

    Arguments:
        checked: empty where it cannot be looked at from here.
    """

    at: datetime
    checked: Sequence[Checked]
    keys: Sequence[KeyAge]


class Administering(Protocol):
    """The accounts of an organisation.

    Raises, all of them: Forbidden where the session is over, has no right to it, or where what is named is another
    organisation's or nobody's, all alike; those that change something, also where no second factor was given lately.
    """

    async def office(self, token: str) -> Office:
        """What is administered."""

    async def dossier(self, token: str, account: UUID) -> Dossier:
        """One account."""

    async def make(self, token: str, new: NewColleague) -> tuple[UUID, Invitation] | Fault:
        """Make an account with a role, and invite its owner."""

    async def invite_anew(self, token: str, account: UUID) -> Invitation | Fault:
        """Take away password, factors and sessions, and invite anew."""

    async def lock(self, token: str, account: UUID, *, locked: bool) -> Fault | None:
        """Let nobody in by an account; or let them in again, and forget what was tried too often."""

    async def close(self, token: str, account: UUID) -> Fault | None:
        """Close an account for good."""

    async def signed(self, token: str, account: UUID, day: date) -> Fault | None:
        """The undertaking of secrecy was signed that day."""

    async def trained(self, token: str, account: UUID, day: date) -> Fault | None:
        """The training holds until that day."""

    async def expires(self, token: str, account: UUID, day: date | None) -> Fault | None:
        """The account's last day; ``None``: without end."""

    async def speaks(self, token: str, account: UUID, languages: tuple[str, ...]) -> Fault | None:
        """In which languages calls are offered."""

    async def grant(self, token: str, account: UUID, role: str, folder: UUID, *, give: bool) -> Fault | None:
        """Give a role for a portfolio, or take it."""

    async def end_sessions(self, token: str, account: UUID, session: UUID | None) -> Fault | None:
        """End one session of an account, or every one."""

    async def folder(self, token: str, folder: UUID) -> FolderPage:
        """One portfolio."""

    async def make_folder(self, token: str, name: str, *, whole: bool) -> UUID | Fault:
        """Make a portfolio."""

    async def fill(self, token: str, folder: UUID, practice: UUID, *, put: bool) -> Fault | None:
        """Put a practice into a portfolio, or take it out."""

    async def health(self, token: str) -> Health:
        """How the installation stands."""


#: What a role is called where it is chosen, in the order of the page.
ROLES = ("operator", "supervisor", "practitioner", "administrator")
