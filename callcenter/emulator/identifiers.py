"""Identifiers and dates in the carrier's forms."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from email.utils import format_datetime


def new_sid(prefix: str) -> str:
    """A fresh identifier: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


def new_call_token() -> str:
    """What the first request about an incoming call carries; opaque to everybody but the carrier."""
    return secrets.token_urlsafe(48)


def rfc2822(moment: datetime) -> str:
    """A date as the 2010-04-01 interface and the ``Timestamp`` parameter write it."""
    return format_datetime(moment.astimezone(UTC))
