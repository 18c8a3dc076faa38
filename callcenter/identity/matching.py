"""Comparing what a caller claims with what is on file: one of the three exits of protected values."""

from __future__ import annotations

import hmac
from datetime import date

from callcenter.kernel.protected import Protected, expose


def matches(on_file: Protected[date], claim: date) -> bool:
    """Whether the birth date on file is exactly the one claimed (MA-04), in constant time."""
    return hmac.compare_digest(expose(on_file).isoformat(), claim.isoformat())
