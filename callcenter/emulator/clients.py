"""Clients: softphones that have registered under an identity, and can be rung like telephones."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

SCHEME = "client:"
#: Source: https://www.twilio.com/docs/voice/twiml/client, which allows 256 characters
IDENTITY = re.compile(r"[^\s:?/]{1,256}")


@dataclass(frozen=True, slots=True)
class Registration:
    """A softphone that waits for calls."""

    identity: str
    since: datetime

    @property
    def address(self) -> str:
        """As ``To`` and ``From`` write it."""
        return SCHEME + self.identity


class Clients:
    """Every softphone that is registered.

    Arguments:
        now: dates registrations.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._registered: dict[str, Registration] = {}
        self._now = now

    @property
    def all(self) -> list[Registration]:
        """All of them, in the order of their registering."""
        return list(self._registered.values())

    def register(self, identity: str) -> Registration:
        """From now on it can be rung; one that is registered already stays so."""
        registration = Registration(identity, self._now())
        return self._registered.setdefault(registration.address, registration)

    def unregister(self, identity: str) -> bool:
        """From now on it cannot be rung; False if it could not."""
        return self._registered.pop(SCHEME + identity, None) is not None

    def reachable(self, address: str) -> bool:
        """Whether what is called is a telephone, or a client that is registered."""
        return not address.startswith(SCHEME) or address in self._registered


def is_client(address: str) -> bool:
    """Whether an address is that of a client, registered or not."""
    return address.startswith(SCHEME) and IDENTITY.fullmatch(address.removeprefix(SCHEME)) is not None
