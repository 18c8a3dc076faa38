"""How often signing in may be tried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Bound:
    """So many tries within a time.

    Arguments:
        tries: at least 1.
        window: from the first one that is counted.
    """

    tries: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """How often may be tried. What is right is not counted, so that nobody is bounded in signing in.

    Arguments:
        login: passwords for one login. From where its password was right before, they are counted apart, and not in
            all: nobody elsewhere can shut its owner out.
        address: passwords from one address; a whole office may stand behind one.
        all: passwords in the whole installation.
        familiar: how long a place from where the password was right is remembered.
        factor, factor_daily: second factors of one account. Of a million codes three are right at a time: 20 tries a
            day find one in 45 years, and whoever tries knows the password already.
        enrolling: how long after an invitation was used its account may still set up its first factor by its password.
    """

    login: Bound = Bound(10, timedelta(minutes=15))
    address: Bound = Bound(100, timedelta(minutes=15))
    all: Bound = Bound(1_000, timedelta(minutes=15))
    familiar: timedelta = timedelta(days=30)
    factor: Bound = Bound(5, timedelta(minutes=15))
    factor_daily: Bound = Bound(20, timedelta(hours=24))
    enrolling: timedelta = timedelta(hours=1)
