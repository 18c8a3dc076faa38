"""The practitioners of a practice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, exists, select, text

from callcenter.practice.names import normalise_name
from callcenter.practice.tables import practitioner
from callcenter.store.database import Transaction

_HAS_SENSITIVE = select(exists().where(practitioner.c.practice_id == bindparam("practice"), practitioner.c.sensitive))


async def has_sensitive_practitioner(tx: Transaction) -> bool:
    """Whether a practitioner of the practice is *sensitive*, so that no practitioner's name is read at V2 (D05)."""
    return bool((await tx.connection.execute(_HAS_SENSITIVE, {"practice": tx.practice})).scalar_one())


@dataclass(frozen=True, slots=True)
class PublicName:
    """A practitioner as the practice's door plate has them.

    Arguments:
        name: without the title.
        titled: with it.
    """

    id: UUID
    name: str
    titled: str


async def public_names(tx: Transaction) -> Sequence[PublicName]:
    """The practitioners of the practice, always in the same order."""
    columns = (practitioner.c.id, practitioner.c.name, practitioner.c.title)
    query = select(*columns).where(practitioner.c.practice_id == tx.practice).order_by(practitioner.c.name)
    rows = (await tx.connection.execute(query)).all()
    return [PublicName(row.id, row.name, f"{row.title} {row.name}".strip()) for row in rows]


async def practitioner_names(tx: Transaction) -> Mapping[str, UUID]:
    """The practitioners of the practice by their name, without the title."""
    query = select(practitioner.c.name, practitioner.c.id).where(practitioner.c.practice_id == tx.practice)
    return {row.name: row.id for row in (await tx.connection.execute(query)).all()}


async def practitioners_called(tx: Transaction, name: str) -> Sequence[PublicName]:
    """The practitioners of the practice whom ``name`` means: the whole name, or the end of it, with or without title,
    whatever its case and accents.

    Raises:
        UnmappedCharacter: ``name`` holds what no name in the files holds.
    """
    return [one for one in await public_names(tx) if _means(name.strip(), one)]


def _means(name: str, one: PublicName) -> bool:
    title = one.titled.removesuffix(one.name)
    wanted = normalise_name(name.removeprefix(title)).split()
    return normalise_name(one.name).split()[-len(wanted) :] == wanted


async def sensitive_practitioners(tx: Transaction) -> frozenset[UUID]:
    """Which practitioners of the practice are *sensitive*."""
    query = select(practitioner.c.id).where(practitioner.c.practice_id == tx.practice, practitioner.c.sensitive)
    return frozenset((await tx.connection.execute(query)).scalars())


async def those_with_a_line(tx: Transaction) -> Sequence[PublicName]:
    """The practitioners of the practice who can be asked for at a line of their own, by name; the line stays here."""
    rows = (await tx.connection.execute(_WITH_A_LINE, {"practice": tx.practice})).all()
    return [PublicName(row.id, row.name, f"{row.title} {row.name}".strip()) for row in rows]


async def line_of(tx: Transaction, whom: UUID) -> str | None:
    """The line (E.164) at which a practitioner of the practice is asked for; ``None`` for one who has none, and for
    nobody of the practice."""
    row = (await tx.connection.execute(_LINE, {"practice": tx.practice, "whom": whom})).one_or_none()
    return None if row is None else str(row.line)


#: A line that we answer rings nobody but ourselves (P7), whichever practice has made it one since it was written.
_NOT_OURS = "NOT EXISTS (SELECT FROM directory_number d WHERE d.number = p.line)"
_WITH_A_LINE = text(
    f"""
    SELECT p.id, p.name, p.title FROM practitioner p
    WHERE p.practice_id = :practice AND p.line IS NOT NULL AND {_NOT_OURS} ORDER BY p.name
    """  # noqa: S608 - our own words alone
)
_LINE = text(
    f"""
    SELECT p.line FROM practitioner p
    WHERE p.id = :whom AND p.practice_id = :practice AND p.line IS NOT NULL AND {_NOT_OURS}
    """  # noqa: S608 - our own words alone
)
