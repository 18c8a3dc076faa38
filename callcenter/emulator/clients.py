"""Clients: softphones that have registered under an identity, and can be rung like telephones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

SCHEME = "client:"
#: Source: https://www.twilio.com/docs/voice/twiml/client, which allows 256 characters
IDENTITY = re.compile(r"[^\s:?/]{1,256}")
#: What a page may call a parameter: none of the carrier's own fields, which begin with a capital letter. The carrier
#: lets a page fill in some of these (``To``); ours is stricter, so that none can pass for what the carrier says.
PARAMETER = re.compile(r"[a-z][A-Za-z0-9_]{0,63}")
LONGEST_PARAMETERS = 800  # characters of names and values together


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


def trouble_with(parameters: Iterable[tuple[str, str]]) -> str | None:
    """What is wrong with the parameters of a call to an application, if anything."""
    pairs = list(parameters)
    wrong = next((name for name, _ in pairs if PARAMETER.fullmatch(name) is None), None)
    if wrong is not None:
        return f"{wrong[:64]!r} is no name for a parameter: a small letter, then letters, digits and _, 64 at most"
    if sum(len(name) + len(value) for name, value in pairs) > LONGEST_PARAMETERS:
        return f"the parameters have more than {LONGEST_PARAMETERS} characters"
    return None


def is_client(address: str) -> bool:
    """Whether an address is that of a client, registered or not."""
    return address.startswith(SCHEME) and IDENTITY.fullmatch(address.removeprefix(SCHEME)) is not None
