"""Locks in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from callcenter.calls.call_references import NoCall
from callcenter.console.lock_ports import LockRequest
from tests.unit.console.workplaces import CALL, NOW, TILLEULS

RELEASE = UUID("77777777-2222-4333-8444-555555555555")
REQUEST = LockRequest(RELEASE, TILLEULS, CALL, "Superviseur", False, NOW + timedelta(minutes=9))


@dataclass(slots=True)
class LocksDouble:
    """Implements ``Locks``."""

    requests: Sequence[LockRequest] = (REQUEST,)
    reason: str = "Elle a mal noté."
    done: list[tuple[Any, ...]] = field(default_factory=list)

    async def waiting(self, token: str) -> tuple[datetime, Sequence[LockRequest]]:
        return NOW, self.requests

    async def ask(self, token: str, reference: str, reason: str) -> NoCall | None:
        self.done.append((reference, reason))
        return None if reference == str(CALL) else NoCall.UNKNOWN

    async def read(self, token: str, release: UUID) -> str | None:
        self.done.append(("read", release))
        return self.reason if release == RELEASE else None

    async def confirm(self, token: str, release: UUID) -> bool:
        self.done.append((release,))
        return release == RELEASE
