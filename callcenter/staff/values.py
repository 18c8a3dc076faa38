"""Accounts of staff, their roles, and whether they may sign in and reveal: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

#: Where days begin: undertakings and trainings of staff are dated by the French calendar.
HOUSE_TIMEZONE = ZoneInfo("Europe/Paris")

#: Days before a training ends from which its end is shown: its owner has a month to renew it.
WARNED_FROM = 30


class Role(StrEnum):
    """What an account may do for the practices of a portfolio."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    PRACTITIONER = "practitioner"
    ADMINISTRATOR = "administrator"


class Shut(StrEnum):
    """Why an account opens nothing at a moment. The names stand in ledger records."""

    LOCKED = "locked"
    CLOSED = "closed"
    EXPIRED = "expired"
    NO_UNDERTAKING = "no_undertaking"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody of an organisation who may sign in.

    Arguments:
        organisation: whose staff.
        login: unique in the installation.
        display_name: what colleagues are shown.
        languages: two letters each, at least one.
        locked: since when nobody may sign in, until it is unlocked.
        closed: since when nobody ever may again.
        expires_on: the last day on which one may, ``None`` without end.
        secrecy_signed_on: when the undertaking of secrecy was signed (SM-02).
        trained_until: the last day on which the training holds.
        page_language: in which they read the pages, two letters; ``None``: as the browser asks.
    """

    id: UUID
    organisation: UUID
    login: str
    display_name: str
    languages: tuple[str, ...]
    locked: datetime | None = None
    closed: datetime | None = None
    expires_on: date | None = None
    secrecy_signed_on: date | None = None
    trained_until: date | None = None
    page_language: str | None = None

    def shut(self, now: datetime) -> Shut | None:
        """Why the account opens nothing now, or ``None`` where it may sign in."""
        today = day_of(now)
        if self.closed is not None:
            return Shut.CLOSED
        if self.locked is not None:
            return Shut.LOCKED
        if self.expires_on is not None and self.expires_on < today:
            return Shut.EXPIRED
        if self.secrecy_signed_on is None or self.secrecy_signed_on > today:
            return Shut.NO_UNDERTAKING  # SM-02: nobody hears of patients who has not undertaken to be silent
        return None

    def standing(self, now: datetime) -> Standing:
        """How undertaking and training stand now."""
        today = day_of(now)
        if self.secrecy_signed_on is None or self.secrecy_signed_on > today:
            return Standing(Training.NO_UNDERTAKING)
        if self.trained_until is None or self.trained_until < today:
            return Standing(Training.LAPSED)
        days = (self.trained_until - today).days
        return Standing(Training.WARNS, days) if days <= WARNED_FROM else Standing(Training.OK)


class Training(StrEnum):
    """How undertaking and training of somebody stand."""

    OK = "ok"
    WARNS = "warns"
    #: Answers and takes messages, so that Monday's shift is not empty; reveals nothing.
    LAPSED = "lapsed"
    #: May not even sign in (SM-02).
    NO_UNDERTAKING = "no_undertaking"


@dataclass(frozen=True, slots=True)
class Standing:
    """How undertaking and training stand.

    Arguments:
        days: left of a training that ends soon; 0 on its last day.
    """

    training: Training
    days: int | None = None

    @property
    def may_reveal(self) -> bool:
        """Whether anything about a patient may be shown."""
        return self.training in (Training.OK, Training.WARNS)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Practices for which roles are given together.

    Arguments:
        whole: every practice of the organisation, later ones too.
    """

    id: UUID
    organisation: UUID
    name: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Grant:
    """A role for the practices of a portfolio."""

    role: Role
    portfolio: Portfolio


class Factor(StrEnum):
    """What stands beside the password."""

    TOTP = "totp"
    PASSKEY = "passkey"
    #: A printed code, for when the other one is lost. It is not a second factor by itself.
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session with two factors.

    Arguments:
        token: of the session from now on; the one before opens nothing more.
    """

    token: str


@dataclass(frozen=True, slots=True)
class Refused:
    """No; whatever the reason, it is worded the same.

    Arguments:
        retry_after: seconds after which it is worth trying again, where too much was tried; else ``None``.
    """

    retry_after: int | None = None


def day_of(now: datetime) -> date:
    """The day at ``now`` (aware) where the house stands."""
    return now.astimezone(HOUSE_TIMEZONE).date()
