"""Which account of this machine runs the server: PostgreSQL refuses root, and a user without a name."""

from __future__ import annotations

import os
import pwd
from contextlib import suppress
from pathlib import Path

from callcenter.store.embedded.problems import OTHERWISE, NoAccount


def account_for(data: Path) -> str:
    """The account that runs the server for root: whose the data is already, else the first that exists.

    Raises:
        NoAccount: there is neither ``postgres`` nor ``nobody``.
    """
    with suppress(FileNotFoundError, KeyError):
        if owner := data.stat().st_uid:
            return pwd.getpwuid(owner).pw_name
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise NoAccount(
        f"Root may not run PostgreSQL, and there is no account for it: useradd --system postgres. {OTHERWISE}"
    )


def require_passwd_entry() -> None:
    """Refuse a user of whom the passwd database says nothing.

    Raises:
        NoAccount: it is such a one.
    """
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise NoAccount(
            f"PostgreSQL needs a user name, and user {os.geteuid()} has none: add it to /etc/passwd. {OTHERWISE}"
        ) from None


def uid_of(account: str | None) -> int:
    """The number of an account; None is ours."""
    return os.geteuid() if account is None else pwd.getpwnam(account).pw_uid
