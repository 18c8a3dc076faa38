"""The ledger's log ``house``: acts of staff that concern no practice (LG-01).

A record has the form, the leaf and the chain of those of practices (``audit.ledger``). Its stream is the account or the
portfolio that it is about, so that what became of somebody's rights is one chain. It names accounts by identifier and
holds no name, no login that was typed, no secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.gaps import gone_of
from callcenter.audit.ledger import FORMAT, NO_LEAF, EventKind, Value, canonical, leaf_of, timestamp
from callcenter.audit.logs import HOUSE_LOG, HOUSE_ORIGIN
from callcenter.audit.not_refused import HOUSE_INSTEAD
from callcenter.audit.reading import Reading, Record, checked_in_streams
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random, new_id
from callcenter.store.database import in_practice


class Act(StrEnum):
    """What a record of the house tells."""

    ACCOUNT_MADE = "staff.account_made"
    ACCOUNT_CHANGED = "staff.account_changed"
    INVITED = "staff.invited"
    INVITATION_USED = "staff.invitation_used"
    SIGNED_IN = "staff.signed_in"
    #: Somebody was not let in, or did not prove a factor again.
    REFUSED = "staff.refused"
    #: What was counted of an account's tries begins anew.
    TRIES_FORGOTTEN = "staff.tries_forgotten"
    STEPPED_UP = "staff.stepped_up"
    PASSWORD_CHANGED = "staff.password_changed"  # noqa: S105 - the name of an event
    FACTOR_ADDED = "staff.factor_added"
    FACTOR_REMOVED = "staff.factor_removed"
    FACTORS_RESET = "staff.factors_reset"
    ROLE_GIVEN = "staff.role_given"
    ROLE_TAKEN = "staff.role_taken"
    LOCKED = "staff.locked"
    UNLOCKED = "staff.unlocked"
    CLOSED = "staff.closed"
    SESSION_REVOKED = "staff.session_revoked"
    UNDERTAKING_SIGNED = "staff.undertaking_signed"
    TRAINED = "staff.trained"
    TELEPHONE_CHANGED = "staff.telephone_changed"
    #: Which practitioner an account is, whose messages it reads.
    PRACTITIONER_NAMED = "staff.practitioner_named"
    PRACTITIONER_NO_MORE = "staff.practitioner_no_more"
    PORTFOLIO_MADE = "portfolio.made"
    PORTFOLIO_GAINED = "portfolio.practice_added"
    PORTFOLIO_LOST = "portfolio.practice_removed"
    #: To whom an organisation's calls are offered first, and how long one may wrap up.
    QUEUE_RULE_CHOSEN = "queue.rule_chosen"
    INCIDENT_DECLARED = "incident.declared"
    #: Its register was opened, added to, taken along.
    INCIDENT_READ = "incident.read"
    INCIDENT_WRITTEN = "incident.written"
    INCIDENT_EXPORTED = "incident.exported"
    INCIDENT_CLOSED = "incident.closed"
    #: Calls begin in another release of the flows from then on.
    FLOWS_PUBLISHED = "flows.published"
    #: The calls of a day were compared with those that the carrier lists.
    CARRIER_LIST_COMPARED = "carrier.list_compared"
    #: The installation is as a backup had it: what was done after that moment is in no log.
    RESTORED = "installation.restored"
    #: Its own log has left as a file, or the proof of a record of it; somebody else has signed its head.
    LEDGER_EXPORTED = EventKind.LEDGER_EXPORTED.value
    LEDGER_PROVEN = EventKind.LEDGER_PROVEN.value
    LEDGER_COSIGNED = EventKind.LEDGER_COSIGNED.value
    LEDGER_HEAD_TAKEN = EventKind.LEDGER_HEAD_TAKEN.value
    #: Which of its records are erased, and why.
    ERASED = EventKind.ERASURE.value
    #: The sealer has a next key in its file; a log says so; the sealer has put away the one before, in all logs.
    KEY_PREPARED = "key.prepared"
    KEY_ROTATED = EventKind.KEY_ROTATED.value
    KEY_RETIRED = "key.retired"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an account, or whoever works at the command line.

    Arguments:
        kind: ``staff`` or ``command``; ``nobody`` where nobody is known.
        id: the account's identifier, or the name of the account on the machine.
    """

    kind: str
    id: str

    @classmethod
    def staff(cls, account: UUID) -> Actor:
        """Somebody who has signed in, or tries to."""
        return cls("staff", str(account))

    @classmethod
    def command(cls, name: str) -> Actor:
        """Whoever types a command."""
        return cls("command", name)


NOBODY = Actor("nobody", "")


@dataclass(frozen=True, slots=True)
class HouseLog:
    """Writes the house's records, each in the transaction of what it tells.

    Arguments:
        clock, random: of the records' times and identifiers.
    """

    clock: Clock
    random: Random

    async def note(
        self,
        connection: AsyncConnection,
        act: Act,
        actor: Actor,
        subject: UUID | None,
        content: Mapping[str, Value] | None = None,
        *,
        stream: UUID | None = None,
    ) -> None:
        """Put one act on record.

        Arguments:
            connection: of the transaction in which it is done.
            subject: the account concerned; ``None`` where none is.
            content: references besides; never a name or a secret.
            stream: of what has no account: a portfolio's; ``None``: a stream of its own.
        """
        chain = subject or stream or new_id(self.random)
        # Two acts about one account at once are put one after the other, instead of one of them failing.
        await connection.execute(_LOCK, {"stream": str(chain)})
        last = (await connection.execute(_LAST, {"stream": chain})).one_or_none()
        seq, previous = (0, NO_LEAF.hex()) if last is None else (last.seq + 1, last.leaf)
        record = new_id(self.random)
        body = canonical(
            {
                "v": FORMAT,
                "log": HOUSE_ORIGIN,
                "id": str(record),
                "stream": str(chain),
                "seq": seq,
                "prev": previous,
                "ts": timestamp(self.clock.now()),
                "event": act.value,
                "actor": {"kind": actor.kind, "id": actor.id},
                "call": None,
                "subject": None if subject is None else str(subject),
                **(content or {}),
            }
        )
        row = {"id": record, "stream": chain, "seq": seq, "leaf": leaf_of(body).hex(), "body": body.decode()}
        await connection.execute(_INSERT, row)


async def records_of(connection: AsyncConnection, stream: UUID) -> list[Record]:
    """What is on record about an account or a portfolio, in order. What was erased is passed over; in the place of what
    was refused stands what the sealer says.

    Arguments:
        connection: of a transaction that is in the scope of the house's log from here on.

    Raises:
        IntegrityError: a record does not have its leaf, the chain is broken, or a record was taken away.
    """
    tx = await in_practice(connection, HOUSE_LOG)
    rows = [_as_kept(row) for row in (await connection.execute(_STREAM, {"stream": stream})).all()]
    gone = await gone_of(tx, [stream])
    return Reading(tuple(one for one, _ in checked_in_streams(rows, gone)), tuple(gone)).records()


async def is_theirs(connection: AsyncConnection, organisation: UUID, record: UUID) -> bool:
    """Whether a record of the house is about this organisation, or about, or by, an account or a portfolio of it."""
    values = {"record": record, "organisation": organisation}
    return bool((await connection.execute(_THEIRS, values)).scalar_one())


@dataclass(frozen=True, slots=True)
class _Row:
    """A record as those of practices are read."""

    id: UUID
    stream: UUID
    seq: int
    leaf: bytes
    body: bytes
    instead: bytes | None
    call_id: None = None


def _as_kept(row: Row[Any]) -> _Row:
    body = row.body.encode()
    own = leaf_of(body)
    return _Row(row.id, row.stream, row.seq, own if own.hex() == row.leaf else b"", body, row.instead)


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('house_record|' || :stream, 0))")
# In house scope, to which the log's leaves are closed: where the last record is erased, its leaf is there.
_LAST = text("SELECT seq, leaf FROM house_stream_end(:stream)")
_INSERT = text(
    "INSERT INTO house_record (id, stream, seq, leaf, body) VALUES (:id, :stream, :seq, :leaf, cast(:body AS text))"
)
_STREAM = text(
    f"SELECT id, stream, seq, leaf, body, {HOUSE_INSTEAD} FROM house_record r WHERE stream = :stream ORDER BY seq"  # noqa: S608 - our own words alone
)
_THEIRS = text(
    """
    SELECT EXISTS (
        SELECT FROM house_record h WHERE h.id = :record AND (
            h.stream = :organisation
            OR EXISTS (SELECT FROM portfolio p WHERE p.organisation_id = :organisation AND p.id = h.stream)
            OR EXISTS (
                SELECT FROM staff_account a WHERE a.organisation_id = :organisation
                AND (a.id = h.stream OR a.id::text = h.body::jsonb #>> '{actor,id}')
            )
        )
    )
    """
)
