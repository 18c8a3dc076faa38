"""How PostgreSQL is set up here: the options of initdb and of the server, with their reasons."""

from __future__ import annotations

from pathlib import Path

from callcenter.store.embedded.places import PORT, EmbeddedPlaces

SUPERUSER = "callcenter_root"


def initdb_command(places: EmbeddedPlaces, folder: Path, *, fsync: bool) -> list[str]:
    """What makes a new cluster in ``folder``."""
    options = ["-A", "trust", "-E", "UTF8", "--data-checksums"]
    # The builtin locale sorts alike on every machine; the system's C for the rest, messages in English.
    options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    if not fsync:
        options.append("--no-sync")
    return [str(places.binaries / "bin" / "initdb"), "-D", str(folder), "-U", SUPERUSER, *options]


def server_command(places: EmbeddedPlaces, *, fsync: bool) -> list[str]:
    """What runs the server."""
    settings = {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # No personal data in logs: what fails is answered to the client alone, never written with its values.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_checkpoints": "off",
    }
    if not fsync:
        # Commits still reach the operating system at once, so that a killed server keeps them.
        settings |= {"fsync": "off", "full_page_writes": "off"}
    command = [str(places.binaries / "bin" / "postgres"), "-D", str(places.data)]
    command += ["-k", str(places.socket), "-p", str(PORT)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    return command
