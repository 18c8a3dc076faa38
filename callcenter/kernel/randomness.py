"""Randomness and identifiers as ports."""

from __future__ import annotations

import random
import secrets
from typing import Protocol
from uuid import UUID


class Random(Protocol):
    """Where unguessable bytes come from."""

    def token_bytes(self, count: int) -> bytes: ...


class SystemRandom:
    """The operating system's generator."""

    def token_bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)


class SeededRandom:
    """A replayable generator for tests and demo data. Never for secrets of a real practice."""

    def __init__(self, seed: int) -> None:
        self._generator = random.Random(seed)  # noqa: S311 - replayable is what it is for

    def token_bytes(self, count: int) -> bytes:
        return self._generator.randbytes(count)


def new_id(source: Random) -> UUID:
    """A random (version 4) identifier drawn from ``source``."""
    return UUID(bytes=source.token_bytes(16), version=4)


def new_token(source: Random) -> str:
    """256 random bits as 64 hexadecimal characters: for URLs that must not be guessed (ASVS 7.2.3 wants 128)."""
    return source.token_bytes(32).hex()
