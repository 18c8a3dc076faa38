"""What a practice is called at a moment: by its setting « name » as it holds then, else by its short name."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


def plain_name(words: str) -> str:
    """What somebody types to find a practice by its name, or such a name, without case and accents."""
    apart = unicodedata.normalize("NFD", " ".join(words.split()).casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def name_of(practice: str) -> str:
    """SQL for the name, at the moment ``:at``, of the row of ``practice`` that stands under this alias of ours."""
    return f"""coalesce((
        SELECT v.value #>> '{{}}' FROM setting_version v
        WHERE v.practice_id = {practice}.id AND v.setting = 'name' AND v.withdrawn_revision IS NULL
          AND v.effective_from <= :at AND (v.effective_to IS NULL OR v.effective_to > :at)
        ORDER BY v.revision DESC LIMIT 1
    ), {practice}.slug)"""  # noqa: S608 - our own words alone


async def practice_name(connection: AsyncConnection, practice: UUID, at: datetime) -> str:
    """What a practice is called at a moment."""
    return str((await connection.execute(_ONE, {"practice": practice, "at": at})).scalar_one())


async def practice_names(connection: AsyncConnection, practices: Sequence[UUID], at: datetime) -> dict[UUID, str]:
    """What practices are called at a moment; in house scope, where their settings stand."""
    rows = (await connection.execute(_SEVERAL, {"practices": list(practices), "at": at})).all()
    return {row.id: row.name for row in rows}


_ONE = text(f"SELECT {name_of('p')} FROM practice p WHERE p.id = :practice")  # noqa: S608 - our own words alone
_SEVERAL = text(
    f"SELECT p.id, {name_of('p')} AS name FROM practice p WHERE p.id = ANY(:practices)"  # noqa: S608 - our own words
)
