"""Which log a command is about."""

from __future__ import annotations

from uuid import UUID

import click
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.logs import HOUSE_LOG
from callcenter.kernel.clock import SystemClock
from callcenter.practice.directory import Directory

HOUSE = "house"

log_argument = click.argument("log", metavar="PRACTICE|house")


async def log_called(connection: AsyncConnection, called: str) -> UUID:
    """The log of the practice that staff call so, by its short name; that of the house, called ``house``.

    Raises:
        NoSuchPractice: there is none of that name.
    """
    if called == HOUSE:
        return HOUSE_LOG
    return (await Directory.by_slug(connection, called, SystemClock().now())).id
