"""Whether a key file is the one that a database was filled with.

Under another one nothing opens and no blind index finds anybody, yet everything would go on, and new rows would be
sealed with the wrong keys. So the database holds a mark of each key, and a mark is never changed.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.errors import CallcenterError
from callcenter.store.keys import Keyring
from callcenter.store.tables import key_mark


class WrongKeys(CallcenterError):
    """The key file is not the one that this database was filled with: restore the key file from your backup. A new one
    opens nothing of what is there."""


async def has_marks(connection: AsyncConnection, keys: Keyring) -> bool:
    """Whether the database knows its keys; then ``keys`` are those, and perhaps newer ones beside them.

    Raises:
        WrongKeys: a key is another one under the same name, or is missing.
    """
    known = {row.key: row.mark for row in await connection.execute(select(key_mark))}
    marks = keys.marks()
    if lost := sorted(known.keys() - marks.keys()):
        raise WrongKeys(
            f"the key file lacks {', '.join(lost)}, with which this database was filled: restore the key file from "
            "your backup"
        )
    if any(known.get(key, mark) != mark for key, mark in marks.items()):
        raise WrongKeys
    return bool(known)


async def mark_keys(connection: AsyncConnection, keys: Keyring) -> None:
    """Write the marks that are missing. What stands is never overwritten.

    Raises:
        WrongKeys: somebody marked other keys at the same moment.
    """
    rows = [{"key": key, "mark": mark} for key, mark in keys.marks().items()]
    await connection.execute(insert(key_mark).on_conflict_do_nothing(), rows)
    await has_marks(connection, keys)
