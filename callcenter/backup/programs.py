"""``pg_dump`` and ``pg_restore``: which of those on this machine fits a server, and how it is run.

Every platform of the embedded PostgreSQL brings both with it. A pg_dump reads servers of its own version and older;
what a newer one writes an older one cannot load, so the server's own version is looked for first.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from callcenter.kernel.errors import CallcenterError, Unavailable
from callcenter.store.embedded import installed_programs

#: Where Debian keeps those of every version, beside the one on PATH.
_DEBIAN = Path("/usr/lib/postgresql")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_PIPE_BYTES = 1024 * 1024
_LINES_KEPT = 8

_Stream = TypeVar("_Stream", asyncio.StreamReader, asyncio.StreamWriter)


class NoProgram(Unavailable):
    """There is no program on this machine that can do this for the database server."""


class ProgramFailed(CallcenterError):
    """A program of PostgreSQL could not do what it was asked."""


@dataclass(frozen=True, slots=True)
class Program:
    """One of the programs, found on this machine.

    Arguments:
        says: what it calls itself, with its version.
        major: the first number of that version.
    """

    path: Path
    says: str
    major: int


def found(name: str) -> list[Program]:
    """Every program of that name, of whichever version."""
    programs: dict[int, Program] = {}
    for path in dict.fromkeys(_places(name)):
        try:
            said = subprocess.run(  # noqa: S603 — a program of PostgreSQL
                [str(path), "--version"], capture_output=True, text=True, timeout=20, check=True
            ).stdout
        except (OSError, subprocess.SubprocessError):
            continue
        if version := _VERSION.search(said):
            programs.setdefault(int(version[1]), Program(path, said.strip(), int(version[1])))
    return list(programs.values())


def for_dump(server: int) -> Program:
    """The ``pg_dump`` for a server of that version (as 180004): of its own, or else of the next newer one.

    Raises:
        NoProgram: there is none; with what to install.
    """
    major = server // 10000
    fitting = sorted((one for one in found("pg_dump") if one.major >= major), key=lambda one: one.major)
    if not fitting:
        raise NoProgram(f"no pg_dump on this machine can read PostgreSQL {major}: install postgresql-client-{major}")
    return fitting[0]


def for_restore(server: int) -> Program:
    """The ``pg_restore`` for a server of that version.

    Raises:
        NoProgram: there is none; with what to install.
    """
    major = server // 10000
    for one in found("pg_restore"):
        if one.major == major:
            return one
    raise NoProgram(f"no pg_restore on this machine is of PostgreSQL {major}: install postgresql-client-{major}")


def for_reading(dump_by: str) -> Program:
    """A ``pg_restore`` that can read what the named ``pg_dump`` wrote.

    Raises:
        NoProgram: there is none; with what to install.
    """
    version = _VERSION.search(dump_by)
    major = int(version[1]) if version else 0
    newest = max(found("pg_restore"), key=lambda one: one.major, default=None)
    if newest is None or newest.major < major:
        raise NoProgram(f"no pg_restore on this machine reads what {dump_by} wrote: install postgresql-client-{major}")
    return newest


async def output_of(
    program: Program, arguments: list[str], dsn: str, said: Callable[[str], None]
) -> AsyncGenerator[bytes, None]:
    """What a program writes, in pieces; close it (``contextlib.aclosing``), or the program is not ended with it.

    Arguments:
        dsn: of the database; its password goes by the environment, which other accounts cannot read.
        said: handed every line that the program says beside it.

    Raises:
        ProgramFailed: it did not end well.
    """
    process, errors = await _start(program, arguments, dsn, said, stdin=asyncio.subprocess.DEVNULL)
    try:
        stdout = _piped(process.stdout)
        while piece := await stdout.read(_PIPE_BYTES):
            yield piece
        await _ended(program, process, errors)
    finally:
        await _stop(process, errors)


async def fed(
    program: Program, arguments: list[str], dsn: str | None, content: Iterator[bytes], said: Callable[[str], None]
) -> None:
    """Run a program on ``content``.

    Arguments:
        dsn: of the database, or ``None`` for a program that needs none.

    Raises:
        ProgramFailed: it did not end well.
        Exception: whatever ``content`` raises; the program is then stopped before it has read an end.
    """
    process, errors = await _start(program, arguments, dsn, said, stdin=asyncio.subprocess.PIPE)
    try:
        stdin = _piped(process.stdin)
        try:
            for piece in content:
                stdin.write(piece)
                await stdin.drain()
            stdin.close()
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has ended before its time, and says why
        await _piped(process.stdout).read()
        await _ended(program, process, errors)
    finally:
        await _stop(process, errors)


async def _start(
    program: Program, arguments: list[str], dsn: str | None, said: Callable[[str], None], *, stdin: int
) -> tuple[asyncio.subprocess.Process, asyncio.Task[list[str]]]:
    environment = {"PATH": os.defpath, "LC_ALL": "C", "PGAPPNAME": "callcenter-backup"}
    target = []
    if dsn is not None:
        values = conninfo_to_dict(dsn)
        if (password := values.pop("password", None)) is not None:
            environment["PGPASSWORD"] = str(password)
        target = ["--no-password", "--dbname", make_conninfo("", **values)]
    process = await asyncio.create_subprocess_exec(
        str(program.path),
        *arguments,
        *target,
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        cwd="/",
        start_new_session=True,  # Ctrl-C reaches us alone, and we stop it
    )
    return process, asyncio.create_task(_listen(process, said))


async def _listen(process: asyncio.subprocess.Process, said: Callable[[str], None]) -> list[str]:
    """The last errors among what the program says; everything is handed on."""
    errors: list[str] = []
    stderr = _piped(process.stderr)
    while True:
        try:
            line = await stderr.readline()
        except ValueError:  # longer than any that we need
            continue
        if not line:
            return errors[-_LINES_KEPT:]
        text = line.decode(errors="replace").rstrip()
        said(text)
        # What follows an error (DETAIL, CONTEXT, the statement) may hold values of rows, and is not shown.
        if ": error: " in text or ": fatal: " in text:
            errors.append(text)


async def _ended(program: Program, process: asyncio.subprocess.Process, errors: asyncio.Task[list[str]]) -> None:
    said, code = await errors, await process.wait()
    if code != 0:
        what = "; ".join(said) or f"{program.path.name} ended with {code}"
        raise ProgramFailed(f"{program.says} could not do it: {what}")


async def _stop(process: asyncio.subprocess.Process, errors: asyncio.Task[list[str]]) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
    errors.cancel()
    await asyncio.wait([errors])


def _piped(stream: _Stream | None) -> _Stream:
    """A stream of a process that was started with pipes, which hence is there."""
    if stream is None:
        raise TypeError
    return stream


def _places(name: str) -> Iterator[Path]:
    if on_path := shutil.which(name):
        yield Path(on_path)
    if _DEBIAN.is_dir():
        yield from sorted(_DEBIAN.glob(f"*/bin/{name}"))
    yield from installed_programs(name)
