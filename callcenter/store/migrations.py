"""Bringing a database to the schema of this version, with Alembic."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

FOLDER = Path(__file__).resolve().parents[2] / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


async def migrate(connection: AsyncConnection, revision: str = "head") -> None:
    """Apply every migration that is missing, in one transaction.

    Arguments:
        connection: as the owner role.
        revision: how far; tests stop at one that has been left behind.
    """

    def upgrade(plain: Connection) -> None:
        config = _config()
        config.attributes["connection"] = plain
        command.upgrade(config, revision)

    await connection.run_sync(upgrade)


async def revisions(connection: AsyncConnection) -> tuple[str | None, str | None]:
    """The revision of the database, and the one that this version needs."""
    needed = await asyncio.to_thread(needed_revision)
    return await current_revision(connection), needed


async def current_revision(connection: AsyncConnection) -> str | None:
    """The revision of the database; ``None`` for one that holds nothing yet."""
    return await connection.run_sync(lambda plain: MigrationContext.configure(plain).get_current_revision())


def needed_revision() -> str | None:
    """The revision that this version needs; reads the migrations from disk."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def is_known(revision: str) -> bool:
    """Whether this version has that revision; it does not have those of newer ones."""
    return revision in {one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()}
