"""Two databases in one server: a télésecrétariat's, with all its practices, and one with the first of them alone."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import yaml
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from callcenter.audit.sealing_key import NAME, create_sealing_key
from callcenter.installation import DATABASE, Addresses, reach_database
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.directory import Directory
from callcenter.practice.enrolling_many import described_in, enrol_each
from callcenter.practice.importing_folder import import_each, practices_in
from callcenter.practice.invented_practices import FILES, PRACTICES, Amounts, write_invented
from callcenter.practice.key_fit import check_keys
from callcenter.practice.setting_versions import Author
from callcenter.settings import load_settings
from callcenter.staff.acts import StaffActs
from callcenter.store.database import Database
from callcenter.store.embedded import SUPERUSER, EmbeddedPostgres, places_for
from callcenter.store.keys import create_keys, load_keys
from callcenter.store.roles import create_database
from callcenter.store.schema import APP
from callcenter.store.sealed import Sealer
from tests.acceptance.stage import free_port
from tests.bench.filler import lengthen_histories
from tests.bench.ground import NotDurable, bench_values
from tests.bench.people import some_of_each
from tests.bench.values import Person

ONE_DATABASE, COPY_DATABASE = "callcenter_one", "callcenter_copy"
#: Copied for comparison: practices, as many as stay cheap.
COPIED = 100
#: Practices that call in the bench, and callers in all.
CALLING, CALLERS = 100, 200


@dataclass(frozen=True, slots=True)
class Size:
    """One of the two.

    Arguments:
        name: as it is shown.
        config: what serves it.
        port: of its webhooks.
        people: who may call.
    """

    name: str
    database: str
    config: Path
    port: int
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Brought:
    """How the practices came in.

    Arguments:
        rows: patients, contacts and appointments.
        generated, enrolled, imported: seconds.
        first_rows, first: rows and seconds of the first :data:`COPIED` practices.
        last_rows, last: of the last ones.
        copied: seconds that COPY took for the same rows as ``first``, into the same tables with all they check.
    """

    rows: int
    generated: float
    enrolled: float
    imported: float
    first_rows: int
    first: float
    last_rows: int
    last: float
    copied: float


@dataclass(frozen=True, slots=True)
class Sizes:
    """What is measured on.

    Arguments:
        version: of PostgreSQL.
        root: URL of the superuser, to the database ``postgres``.
        carrier: port on which the product looks for the carrier.
    """

    folder: Path
    root: str
    one: Size
    many: Size
    brought: Brought
    carrier: int
    version: str

    async def lengthen(self, versions: int) -> None:
        """Give every practice of both so many more versions of its settings."""
        for size in (self.one, self.many):
            async with as_superuser(self.root, size.database) as connection:
                await lengthen_histories(connection, versions)
            await _analyse(self.root, size.database)


@asynccontextmanager
async def sizes(amounts: Amounts) -> AsyncIterator[Sizes]:
    """Make everything, and take it down and away again."""
    with tempfile.TemporaryDirectory(prefix="callcenter-bench-") as made:
        folder, carrier = Path(made), free_port()
        create_keys(folder / "keys.json", SystemRandom())
        create_sealing_key(folder / NAME, SystemRandom())
        settings = load_settings(_config(folder, carrier, DATABASE, None))
        try:
            async with reach_database(settings) as addresses:
                yield await _filled(folder, carrier, addresses, amounts)
        finally:
            await EmbeddedPostgres(places_for(folder)).forget()


async def _filled(folder: Path, carrier: int, addresses: Addresses, amounts: Amounts) -> Sizes:
    root = make_url(addresses.app).set(username=SUPERUSER, database="postgres").render_as_string(hide_password=False)
    sealer, version = Sealer(load_keys(folder / "keys.json"), SystemRandom()), await _version(addresses.app, folder)
    for name in (ONE_DATABASE, COPY_DATABASE):  # both still empty
        async with _outside_transactions(root) as connection:
            await create_database(connection, name, template=DATABASE)
    began = time.monotonic()
    files = folder / "invented"
    for _ in write_invented(amounts, files, 1, datetime.now(UTC).date()):
        pass
    generated = time.monotonic() - began
    one = await _one(folder, carrier, addresses.app, sealer, files)
    brought, many = await _many(folder, carrier, addresses.app, sealer, files, root, generated)
    return Sizes(folder, root, one, many, brought, carrier, version)


async def _version(url: str, folder: Path) -> str:
    database = Database(url, pool_size=1, application="callcenter-bench")
    try:
        about = await database.check()
        await check_keys(database, Sealer(load_keys(folder / "keys.json"), SystemRandom()))
    finally:
        await database.close()
    if about["fsync"] != "on":
        raise NotDurable
    return str(about["version"])


async def _one(folder: Path, carrier: int, app: str, sealer: Sealer, files: Path) -> Size:
    url = make_url(app).set(database=ONE_DATABASE).render_as_string(hide_password=False)
    database = Database(url, pool_size=2, application="callcenter-bench")
    try:
        await _enrol(database, described_in([files / PRACTICES])[:1])
        await _import(database, sealer, practices_in(files / FILES)[:1])
        people = await _people(database, sealer, 1)
    finally:
        await database.close()
    port = free_port()
    config = _config(folder, carrier, ONE_DATABASE, url, port)
    await _analyse(url, ONE_DATABASE)
    return Size("1 practice", ONE_DATABASE, config, port, people)


async def _many(
    folder: Path, carrier: int, app: str, sealer: Sealer, files: Path, root: str, generated: float
) -> tuple[Brought, Size]:
    database = Database(app, pool_size=2, application="callcenter-bench")
    descriptions, folders = described_in([files / PRACTICES]), practices_in(files / FILES)
    part = min(COPIED, len(folders))
    try:
        began = time.monotonic()
        await _enrol(database, descriptions)
        enrolled = time.monotonic() - began
        began = time.monotonic()
        first_rows = await _import(database, sealer, folders[:part])
        first = time.monotonic() - began
        middle_rows = await _import(database, sealer, folders[part : len(folders) - part])
        last_began = time.monotonic()
        last_rows = await _import(database, sealer, folders[max(part, len(folders) - part) :])
        ended = time.monotonic()
        copied = await _copied(root, [below.name for below in folders[:part]])
        people = await _people(database, sealer, CALLING)
    finally:
        await database.close()
    rows = first_rows + middle_rows + last_rows
    last = ended - last_began
    brought = Brought(rows, generated, enrolled, ended - began, first_rows, first, last_rows, last, copied)
    port = free_port()
    config = _config(folder, carrier, DATABASE, app, port)
    await _analyse(root, DATABASE)
    return brought, Size(f"{len(folders):,} practices", DATABASE, config, port, people)


async def _enrol(database: Database, files: Sequence[Path]) -> None:
    clock, random = SystemClock(), SystemRandom()
    author, acts = Author("bench", clock.now()), StaffActs(clock, random)
    async for attempt in enrol_each(database, files, "Télésecrétariat", random, author, acts):
        if attempt.refused is not None:
            raise CallcenterError(attempt.refused)


async def _import(database: Database, sealer: Sealer, folders: Sequence[Path]) -> int:
    """Rows that came in."""
    rows = 0
    async for done in import_each(database, sealer, folders, SystemClock(), SystemRandom()):
        if done.refused is not None:
            raise CallcenterError(done.refused)
        rows += sum(report.rows for report in done.reports)
    return rows


async def _people(database: Database, sealer: Sealer, practices: int) -> tuple[Person, ...]:
    now = SystemClock().now()
    async with database.house() as connection:
        standing = await Directory.all(connection, now)
    spread = standing[:: max(1, len(standing) // practices)][:practices]
    people = await some_of_each(database, sealer, now, spread, -(-CALLERS // len(spread)))
    return tuple(people[:CALLERS])


#: What stands first is referred to by what follows.
_COPIED_TABLES = ("organisation", "practice", "practitioner", "patient", "contact", "appointment")
_OF_PRACTICES = {
    "organisation": "TRUE",
    "practice": "slug = ANY({slugs})",
}


async def _copied(root: str, slugs: Sequence[str]) -> float:
    """Seconds in which COPY brings the rows of these practices into empty tables with the same indexes and checks.

    As the superuser: COPY does not work under row-level security.
    """
    of = "practice_id IN (SELECT id FROM practice WHERE slug = ANY({slugs}))"
    listed = "ARRAY[" + ", ".join(f"'{slug}'" for slug in slugs) + "]"
    source, target = await _plain(root, DATABASE), await _plain(root, COPY_DATABASE)
    seconds = 0.0
    try:
        for table in _COPIED_TABLES:
            held = bytearray()

            async def keep(data: bytes, held: bytearray = held) -> None:
                held.extend(data)

            where = _OF_PRACTICES.get(table, of).format(slugs=listed)
            await source.copy_from_query(f"SELECT * FROM {table} WHERE {where}", output=keep, format="binary")
            began = time.monotonic()
            await target.copy_to_table(table, source=_pieces(bytes(held)), format="binary")
            if table in ("patient", "contact", "appointment"):
                seconds += time.monotonic() - began
    finally:
        await source.close()
        await target.close()
    return seconds


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 1 << 20):
        yield data[start : start + (1 << 20)]


async def _plain(root: str, database: str) -> asyncpg.Connection:
    url = make_url(root)
    return await asyncpg.connect(
        host=str(url.query["host"]), port=int(str(url.query["port"])), user=SUPERUSER, database=database
    )


@asynccontextmanager
async def as_superuser(root: str, database: str) -> AsyncIterator[AsyncConnection]:
    """A transaction that row-level security does not bind."""
    engine = create_async_engine(make_url(root).set(username=SUPERUSER, database=database))
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()


@asynccontextmanager
async def _outside_transactions(url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


async def _analyse(url: str, database: str) -> None:
    """What autovacuum does within minutes, before anything is measured."""
    target = make_url(url).set(username=SUPERUSER, database=database)
    async with _outside_transactions(target.render_as_string(hide_password=False)) as connection:
        await connection.execute(text("VACUUM ANALYZE"))


def _config(folder: Path, carrier: int, database: str, app: str | None, port: int | None = None) -> Path:
    """The configuration of one size. Without ``app`` it is that of the embedded server itself."""
    values = bench_values(folder, carrier)
    if app is not None and port is not None:
        url = make_url(app).set(drivername="postgresql", username=APP, database=database)
        values["database"] = {"url": url.render_as_string(hide_password=False)}
        values["webhooks"] = {"port": port}
        values["public_base_url"] = f"http://127.0.0.1:{port}"
    config = folder / f"{database}.yaml"
    config.write_text(yaml.safe_dump(values))
    return config
