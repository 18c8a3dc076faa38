"""Where everything stands: a folder, a PostgreSQL that writes through to its disk, the demonstration's people in it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from callcenter.audit.sealing_key import NAME, create_sealing_key
from callcenter.installation import DATABASE, Addresses, keys_path, reach_database
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.demo import seed
from callcenter.settings import Settings, load_settings
from callcenter.store.database import (
    IDLE_IN_TRANSACTION_TIMEOUT_MS,
    LOCK_TIMEOUT_MS,
    STATEMENT_TIMEOUT_MS,
    Database,
)
from callcenter.store.embedded import SUPERUSER, EmbeddedPostgres, places_for
from callcenter.store.keys import create_keys, load_keys
from callcenter.store.roles import create_database
from callcenter.store.sealed import Sealer
from tests.acceptance.stage import free_port
from tests.bench.people import verifiable
from tests.bench.values import Person
from tests.bench.walk import ACCOUNT

TOKEN = "a-token-of-the-bench"
FLOOR_DATABASE = "callcenter_floor"


@dataclass(frozen=True, slots=True)
class Ground:
    """What is measured on.

    Arguments:
        config: file of ``settings``.
        addresses: of the product's database.
        floor: how asyncpg reaches the copy of it that the floor writes to.
        people: who may call.
        carrier: port on which the product looks for the carrier.
        version: of PostgreSQL.
    """

    folder: Path
    config: Path
    settings: Settings
    addresses: Addresses
    floor: dict[str, Any]
    people: tuple[Person, ...]
    carrier: int
    version: str


class NotDurable(Exception):
    """PostgreSQL runs with fsync off: what it does then says nothing about a real installation."""


@asynccontextmanager
async def ground() -> AsyncIterator[Ground]:
    """Make everything, and take it down and away again."""
    with tempfile.TemporaryDirectory(prefix="callcenter-bench-") as made:
        folder, carrier = Path(made), free_port()
        create_keys(folder / "keys.json", SystemRandom())
        create_sealing_key(folder / NAME, SystemRandom())
        config = folder / "bench.yaml"
        config.write_text(yaml.safe_dump(bench_values(folder, carrier)))
        settings = load_settings(config)
        try:
            async with reach_database(settings) as addresses:
                people, version = await _fill(settings, addresses)
                await _copy(addresses)
                floor = _floor_connection(addresses.app)
                yield Ground(folder, config, settings, addresses, floor, people, carrier, version)
        finally:
            await EmbeddedPostgres(places_for(folder)).forget()


def bench_values(folder: Path, carrier: int) -> dict[str, Any]:
    """A production's settings but for the environment, which is refused without https and a certificate."""
    webhooks = free_port()
    return {
        "environment": "test",
        "public_base_url": f"http://127.0.0.1:{webhooks}",
        "webhooks": {"port": webhooks},
        "private": {"port": free_port()},
        "console": {"port": free_port()},
        "database": {"folder": str(folder)},
        "keys_file": str(folder / "keys.json"),
        "carrier": {
            "account_sid": ACCOUNT,
            "auth_tokens": [TOKEN],
            "base_url": f"http://127.0.0.1:{carrier}",
            "sms_sender": "+33199000001",
        },
        "verification": {"codes_per_patient": 30},  # the most that may be set: everybody calls many times
        "log": {"form": "json", "level": "info"},
    }


async def _fill(settings: Settings, addresses: Addresses) -> tuple[tuple[Person, ...], str]:
    sealer = Sealer(load_keys(keys_path(settings)), SystemRandom())
    database = Database(addresses.app, pool_size=2, application="callcenter-bench")
    try:
        about = await database.check()
        if about["fsync"] != "on":
            raise NotDurable
        await seed(database, sealer, SystemClock(), SystemRandom())
        people = await verifiable(database, sealer, SystemClock().now())
    finally:
        await database.close()
    return tuple(people), str(about["version"])


async def _copy(addresses: Addresses) -> None:
    """A copy for the floor, so that the product's worker does not take up the floor's jobs."""
    root = make_url(addresses.app).set(username=SUPERUSER, database="postgres")
    engine = create_async_engine(root, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await create_database(connection, FLOOR_DATABASE, template=DATABASE)
    await engine.dispose()


def _floor_connection(app_url: str) -> dict[str, Any]:
    url = make_url(app_url)
    return {
        "host": url.query["host"],
        "port": int(str(url.query["port"])),
        "user": url.username,
        "database": FLOOR_DATABASE,
        "server_settings": {
            "application_name": "callcenter-floor",
            "statement_timeout": str(STATEMENT_TIMEOUT_MS),
            "lock_timeout": str(LOCK_TIMEOUT_MS),
            "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
            "jit": "off",
        },
    }
