"""Connection overrides: how long and how often a URL is tried, written in its fragment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

Fault = Literal["ct", "rt", "4xx", "5xx"]

FAULTS: dict[str, tuple[Fault, ...]] = {
    "ct": ("ct",),
    "rt": ("rt",),
    "4xx": ("4xx",),
    "5xx": ("5xx",),
    "all": ("ct", "rt", "4xx", "5xx"),
}


@dataclass(frozen=True, slots=True)
class Overrides:
    """Timeouts in seconds, and what is tried again how often.

    Source: https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
    """

    connect: float = 5.0
    read: float = 15.0
    total: float = 15.0
    retries: int = 1
    policy: frozenset[Fault] = frozenset({"ct"})

    @classmethod
    def of(cls, url: str) -> Overrides:
        """The overrides that a URL's fragment holds; what is out of range or unknown leaves the default."""
        given = dict(parse_qsl(urlsplit(url).fragment))
        plain = cls()
        return cls(
            connect=_whole(given.get("ct"), 100, 10_000, round(plain.connect * 1000)) / 1000,
            read=_whole(given.get("rt"), 100, 15_000, round(plain.read * 1000)) / 1000,
            total=_whole(given.get("tt"), 100, 15_000, round(plain.total * 1000)) / 1000,
            retries=_whole(given.get("rc"), 0, 5, plain.retries),
            policy=_policy(given.get("rp")) or plain.policy,
        )


def _whole(text: str | None, least: int, most: int, default: int) -> int:
    if text is None or not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        return default
    return int(text)


def _policy(text: str | None) -> frozenset[Fault]:
    return frozenset(fault for word in (text or "").split(",") for fault in FAULTS.get(word, ()))
