"""The logs of the ledger: one for each practice, and the house's. By what they are known, here and outside."""

from __future__ import annotations

from uuid import UUID

#: The house's log among those of practices, which have the practice's identifier.
HOUSE_LOG = UUID(int=0)
HOUSE_ORIGIN = "callcenter/house"


def origin_of(log: UUID) -> str:
    """What a log is called where it is signed (C2SP tlog-checkpoint: its origin)."""
    return HOUSE_ORIGIN if log == HOUSE_LOG else f"callcenter/{log}"
