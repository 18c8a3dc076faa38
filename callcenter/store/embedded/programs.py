"""The programs of PostgreSQL as processes: how they are started, and what they said."""

from __future__ import annotations

import os
import pwd
import subprocess

INITDB_SECONDS = 120.0
TAIL_LINES = 12


def spawn(command: list[str], account: str | None, output: int) -> subprocess.Popen[bytes]:
    """Start a program of PostgreSQL as its account, in a session of its own, with nothing of our environment.

    Arguments:
        account: of this machine; None is ours.
        output: the descriptor that takes all it says, or ``subprocess.PIPE``.

    Raises:
        OSError: it cannot be started there.
    """
    entry = pwd.getpwnam(account) if account is not None else None
    return subprocess.Popen(  # noqa: S603 — our own binaries and arguments
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C"},
        start_new_session=True,
        umask=0o077,
        user=entry.pw_uid if entry else None,
        group=entry.pw_gid if entry else None,
        extra_groups=[] if entry else None,
    )


def outcome(process: subprocess.Popen[bytes]) -> bytes:
    """What a short program said until it ended; one that does not end is killed."""
    with process:
        try:
            return process.communicate(timeout=INITDB_SECONDS)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0] + b"(killed: it did not end)\n"


def tail(said: bytes) -> str:
    """The last lines of what a program said, indented."""
    return "\n".join(f"  {line}" for line in said.decode(errors="replace").splitlines()[-TAIL_LINES:])
