"""How well a caller is verified, and by which channel callcenter speaks. Every room decides on these two."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Level(IntEnum):
    """How well the caller is verified for one patient (V0-V3)."""

    UNKNOWN = 0
    IDENTIFIED = 1
    VERIFIED = 2
    STRONG = 3


class Channel(StrEnum):
    """By which something is told: a caller's telephone, an operator's screen, a text that answers no question."""

    VOICE = "voice"
    CONSOLE = "console"
    SMS = "sms"
