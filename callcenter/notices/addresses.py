"""Who is told that messages wait in a practice's inbox, and where."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from callcenter.kernel.errors import CallcenterError
from callcenter.notices.tables import notice_address
from callcenter.practice.numbers import NumberProblem, parse_number, receives_sms
from callcenter.practice.values import Change
from callcenter.store.database import Transaction
from callcenter.store.sealed import Place, Sealer


class UnusableAddress(CallcenterError):
    """Nobody can be told of messages there."""


class NoticeChannel(StrEnum):
    """How somebody is told."""

    SMS = "sms"
    EMAIL = "email"
    CALL = "call"


class Which(StrEnum):
    """Of what somebody is told."""

    #: Of urgent messages at once, of others at noon and at six.
    ALL = "all"
    #: Of urgent messages, at once.
    URGENT = "urgent"
    #: Of whatever waits at noon and at six.
    DIGEST = "digest"


class Rank(IntEnum):
    """Who comes first."""

    FIRST = 1
    DEPUTY = 2


@dataclass(frozen=True, slots=True)
class NoticeAddress:
    """Where somebody is told of messages.

    Arguments:
        practitioner: whose messages; ``None`` for the whole practice's.
        address: E.164, or a mail address: somebody's own, and never logged.
    """

    id: UUID
    practitioner: UUID | None
    rank: Rank
    channel: NoticeChannel
    which: Which
    address: str = field(repr=False)


_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,253}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")


def read_address(channel: NoticeChannel, written: str, served: Collection[str]) -> str:
    """An address as a person writes it.

    Arguments:
        served: E.164 of every line that leads, or may lead, back to us.

    Raises:
        UnusableAddress: with the mend.
    """
    if channel is NoticeChannel.EMAIL:
        if not _MAIL.fullmatch(written.strip()):
            raise UnusableAddress("that is no mail address: write NAME@HOST")
        return written.strip()
    number = parse_number(written)
    if isinstance(number, NumberProblem):
        raise UnusableAddress(f"the number cannot be used: {number.value}")
    if number in served:
        raise UnusableAddress("that line leads back to us: write a number that callcenter does not answer")
    if channel is NoticeChannel.SMS and not receives_sms(number):
        raise UnusableAddress("only a mobile (06 or 07) receives text messages: write one, or use --channel call")
    return number


def told_of(addresses: Sequence[NoticeAddress], practitioner: UUID | None) -> list[NoticeAddress]:
    """Who is told of a message for ``practitioner`` (``None``: for the practice).

    Whoever stands for the whole practice, and the practitioner; where that is nobody, everybody: a message that nobody
    hears of is worse than one that too many do.
    """
    told = [one for one in addresses if one.practitioner is None or one.practitioner == practitioner]
    return told or list(addresses)


class NoticeAddresses:
    """The addresses of the practice of a transaction.

    Arguments:
        sealer: for the addresses.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def add(self, tx: Transaction, one: NoticeAddress, now: datetime) -> Change:
        """Tell somebody from now on; not possible where they are told there, that way, already."""
        row = {
            "id": one.id,
            "practice_id": tx.practice,
            "practitioner_id": one.practitioner,
            "rank": int(one.rank),
            "channel": one.channel.value,
            "which": one.which.value,
            "address": self._sealer.seal_text(one.address, _place(tx, one.id)),
            "address_index": self._sealer.blind_index(tx.practice, "notice_address", one.address.lower()),
            "added_at": now,
        }
        statement = insert(notice_address).values(row).on_conflict_do_nothing(constraint="uq_notice_address_once")
        added = (await tx.connection.execute(statement.returning(notice_address.c.id))).one_or_none()
        return Change.NOT_POSSIBLE if added is None else Change.DONE

    async def all(self, tx: Transaction) -> tuple[NoticeAddress, ...]:
        """Everybody who is told, those who come first before deputies."""
        query = (
            select(notice_address)
            .where(notice_address.c.practice_id == tx.practice)
            .order_by(notice_address.c.rank, notice_address.c.added_at, notice_address.c.id)
        )
        return tuple(
            NoticeAddress(
                row.id,
                row.practitioner_id,
                Rank(row.rank),
                NoticeChannel(row.channel),
                Which(row.which),
                self._sealer.open_text(row.address, _place(tx, row.id)),
            )
            for row in (await tx.connection.execute(query)).all()
        )

    async def remove(self, tx: Transaction, address_id: UUID) -> Change:
        """Tell somebody no more; what was sent there is forgotten with it."""
        statement = (
            delete(notice_address)
            .where(notice_address.c.practice_id == tx.practice, notice_address.c.id == address_id)
            .returning(notice_address.c.id)
        )
        gone = (await tx.connection.execute(statement)).one_or_none()
        return Change.NOT_POSSIBLE if gone is None else Change.DONE


def _place(tx: Transaction, address_id: UUID) -> Place:
    return Place(tx.practice, "notice_address", "address", address_id)
