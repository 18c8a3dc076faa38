"""The logs of the ledger: one for each practice, and the house's. By what they are known, here and outside."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

from callcenter.audit.verify import VerifierKey

#: The house's log among those of practices, which have the practice's identifier.
HOUSE_LOG = UUID(int=0)
HOUSE_ORIGIN = "callcenter/house"


def origin_of(log: UUID) -> str:
    """What a log is called where it is signed (C2SP tlog-checkpoint: its origin)."""
    return HOUSE_ORIGIN if log == HOUSE_LOG else f"callcenter/{log}"


def fingerprint(key: VerifierKey) -> str:
    """By which two people find, reading aloud, that they hold the same key: eight groups of five digits, 132 bits."""
    digits = str(int.from_bytes(sha256(str(key).encode()).digest()) % 10**40).zfill(40)
    return " ".join(digits[start : start + 5] for start in range(0, 40, 5))
