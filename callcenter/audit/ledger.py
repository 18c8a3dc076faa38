"""Writing the ledger: records chained within one segment, added in the transaction of what they tell.

A record is kept as the exact bytes of its canonical form (RFC 8785); its leaf is SHA-256(0x00 || bytes) as in RFC 6962
§2.1, and each record names the leaf of the one before it in its stream. A stream is one practice's segment of a
call, or what a job or a person did outside of calls.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import rfc8785
from sqlalchemy import text

from callcenter.audit import verify
from callcenter.audit.logs import origin_of
from callcenter.audit.not_refused import STANDS
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import CallcenterError, IntegrityError
from callcenter.kernel.randomness import Random, new_id
from callcenter.store.database import Transaction

FORMAT = 1
#: The leaf of a record's bytes, and what stands before the first record of a stream: as whoever verifies has them.
leaf_of = verify.leaf_hash
NO_LEAF = verify.NO_LEAF

Value = str | int | bool | None | Sequence["Value"] | Mapping[str, "Value"]


class EventKind(StrEnum):
    """What a record tells."""

    CALL_STARTED = "call.started"
    #: The leg is over. Its stream is not: a late or repeated webhook, and a sound fetched again, come after it.
    CALL_ENDED = "call.ended"
    #: To the practice's own telephone; or not, because the call may come from there.
    CALL_PUT_THROUGH = "call.put_through"
    CALL_NOT_PUT_THROUGH = "call.not_put_through"
    #: What became of the telephone that was rung: the two have talked, or nobody answered.
    CALL_CAME_BACK = "call.came_back"
    #: For an operator; and how the wait has ended.
    CALL_WAITS = "call.waits"
    CALL_WAITED = "call.waited"
    #: An operator takes it up with the script of their practice; asks who they speak with; notes what it was about.
    SCRIPT_BEGUN = "script.begun"
    #: A caller is claimed to be somebody, by what they have told an operator; whom, is a keyed hash.
    VERIFICATION_CLAIMED = "verification.claimed"
    INSTRUCTIONS_READ = "instructions.read"
    CALL_DISPOSED = "call.disposed"
    #: Somebody's life is in danger: the operator sends them to the emergency line.
    CALL_EMERGENCY = "call.emergency"
    WEBHOOK_LATE = "webhook.late"
    CHALLENGE_OPENED = "verification.challenge"
    VERIFICATION_REFUSED = "verification.refused"
    VERIFICATION_FAILED = "verification.failed"
    VERIFICATION_SUCCEEDED = "verification.succeeded"
    CODE_SENT = "verification.code_sent"
    #: Whether the carrier took the message is not known; it is not sent again.
    CODE_UNCONFIRMED = "verification.code_unconfirmed"
    CODE_NOT_SENT = "verification.code_not_sent"
    DISCLOSURE = "disclosure"
    PLAYBACK = "disclosure.playback"
    REDELIVERED = "disclosure.redelivered"
    #: What stood on a screen was taken away before its time; of what has stood for all of it no record says more.
    HIDDEN = "disclosure.hidden"
    APPOINTMENT_CONFIRMED = "appointment.confirmed"
    APPOINTMENT_CANCELLED = "appointment.cancelled"
    #: An act that could not be done: what it concerned is not as it was when it was told, and the caller hears so.
    APPOINTMENT_NOT_CHANGED = "appointment.not_changed"
    MESSAGE_TAKEN = "message.taken"
    SETTINGS_CHANGED = "settings.changed"
    #: What is on file about a practitioner, such as the *sensitive* mark.
    PRACTITIONER_CHANGED = "practitioner.changed"
    #: Words that a caller has spoken for the practice: left; fetched and sealed, or not to be had; gone at the carrier;
    #: opened by staff; erased.
    VOICE_LEFT = "message.voice_left"
    VOICE_KEPT = "message.voice_kept"
    VOICE_LOST = "message.voice_lost"
    VOICE_DELETED_AT_CARRIER = "message.voice_deleted_at_carrier"
    VOICE_OPENED = "message.voice_opened"
    VOICE_ERASED = "message.voice_erased"
    MESSAGE_HANDLED = "message.handled"
    #: Its time was over.
    MESSAGE_ERASED = "message.erased"
    #: A message was opened on a page, by whom it is for or by somebody else who may; answered; then followed up by an
    #: operator, who takes it (and is shown whom to call), gives it back, or has done it.
    MESSAGE_READ = "message.read"
    MESSAGE_ANSWERED = "message.answered"
    FOLLOW_UP_TAKEN = "follow_up.taken"
    FOLLOW_UP_GIVEN_BACK = "follow_up.given_back"
    FOLLOW_UP_DONE = "follow_up.done"
    NOTICE_ADDRESS_ADDED = "notice_address.added"
    NOTICE_ADDRESS_REMOVED = "notice_address.removed"
    #: Whoever was rung about an urgent message has confirmed it.
    MESSAGE_ACKNOWLEDGED = "message.acknowledged"
    #: A reminder that was granted did not leave, or nobody knows whether it did.
    REMINDER_NOT_SENT = "reminder.not_sent"
    #: Reminders were consented to, opposed, or an opposition withdrawn.
    REMINDERS_CHOSEN = "reminders.chosen"
    #: Somebody wants the telephone on file reached, by a text or a call; who that is, a job finds out.
    OUTREACH_ASKED = "outreach.asked"
    OUTREACH_NOT_DONE = "outreach.not_done"
    OUTREACH_RINGS = "outreach.rings"
    #: Whether the carrier took the text or placed the call is not known; it is not tried again.
    OUTREACH_UNCONFIRMED = "outreach.unconfirmed"
    BOOKING_MADE = "booking.made"
    BOOKING_CANCELLED = "booking.cancelled"
    BOOKING_MOVED = "booking.moved"
    #: A booking or an appointment that could not be booked, cancelled or moved any more.
    BOOKING_NOT_CHANGED = "booking.not_changed"
    BOOKING_HANDLED = "booking.handled"
    APPOINTMENT_MOVED = "appointment.moved"
    #: Something has happened to the practice's data; the practice was told; what it is told stands on its page, and
    #: somebody of it has read that; nothing of a call is erased meanwhile.
    INCIDENT_DECLARED = "incident.declared"
    INCIDENT_TOLD = "incident.told"
    INCIDENT_NOTICE = "incident.notice_made"
    INCIDENT_NOTICE_READ = "incident.notice_read"
    CALL_HELD = "call.held"
    CALL_HOLD_LIFTED = "call.hold_lifted"
    #: What was counted of wrong codes in a call is to count no more: asked for by one, and done by another.
    LOCK_RELEASE_ASKED = "lock.release_asked"
    #: Why, read by whoever is to confirm it.
    LOCK_REASON_READ = "lock.reason_read"
    LOCK_RELEASED = "lock.released"
    #: The carrier's list of calls and ours do not agree about one; and somebody has found out why.
    CARRIER_DIFFERS = "carrier.differs"
    CARRIER_SETTLED = "carrier.settled"
    #: A supervisor has broken the glass of a file to save a life; somebody has read why; somebody else has reviewed it.
    GLASS_BROKEN = "glass.broken"
    GLASS_READ = "glass.read"
    GLASS_REVIEWED = "glass.reviewed"
    REFERENCE_RIGHT = "reference.right"
    REFERENCE_WRONG = "reference.wrong"
    #: Somebody who answers for a practice has gone through a call again, or has it on paper.
    CALL_REVIEWED = "review.call_opened"
    CALL_PRINTED = "review.call_printed"
    CALL_NOTES_READ = "review.call_notes_read"
    #: They have looked for a patient among those of whom something is on record, and listed what that is.
    PATIENT_SEARCHED = "review.patient_searched"
    PATIENT_FOLLOWED = "review.patient_followed"
    #: They have searched without a patient; a list of theirs has left as a file.
    LISTED = "review.listed"
    LIST_EXPORTED = "review.exported"
    #: Somebody asks for an extract of the register about themselves: prepared, read before it is given, given (with the
    #: digest of the file), or not.
    EXTRACT_ASKED = "extract.asked"
    EXTRACT_READ = "extract.read"
    EXTRACT_RELEASED = "extract.released"
    EXTRACT_DECLINED = "extract.declined"
    #: The whole log has left as a file; what shows that one record is in it; somebody else has signed its head.
    LEDGER_EXPORTED = "ledger.exported"
    LEDGER_PROVEN = "ledger.proven"
    LEDGER_COSIGNED = "ledger.cosigned"
    #: A signed head that is held outside, or the receipt for it, has left as a file.
    LEDGER_HEAD_TAKEN = "ledger.head_taken"
    #: Which records of the log are erased, by their indices, and why. Nothing is erased before this is sealed.
    ERASURE = verify.ERASURE
    #: The log's next key; verifiers go by it (``audit.verify.ROTATION``).
    KEY_ROTATED = verify.ROTATION
    #: The sealer has refused a record, and this one of its own stands in its place (``audit.refusing``).
    RECORD_REFUSED = verify.REFUSED


@dataclass(frozen=True, slots=True)
class Segment:
    """How far one stream has come.

    Arguments:
        stream: identifier of the stream.
        call: identifier of the call, or ``None`` for acts without one.
        seq: number of the next record.
        last: leaf of the record before it, 32 zero bytes at the start.
    """

    stream: UUID
    call: UUID | None
    seq: int = 0
    last: bytes = NO_LEAF

    def to_json(self) -> dict[str, Any]:
        call = str(self.call) if self.call else None
        return {"stream": str(self.stream), "call": call, "seq": self.seq, "last": self.last.hex()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Segment:
        call = UUID(value["call"]) if value["call"] else None
        return cls(UUID(value["stream"]), call, value["seq"], bytes.fromhex(value["last"]))


@dataclass(frozen=True, slots=True)
class Entry:
    """A record, before it is chained.

    Arguments:
        kind: what it tells.
        actor: ``{"kind": "ivr" | "operator" | "staff" | "job", "id": …}``.
        subject: the patient concerned, or ``None``; written as the patient's random token.
        content: everything else: references, labels, versions. Never a rendered word, a name or a number.
    """

    kind: EventKind
    actor: Mapping[str, Value]
    subject: UUID | None = None
    content: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Row:
    id: UUID
    seq: int
    leaf: bytes
    body: bytes


class Writing:
    """The ledger's pen for one stream in one transaction. Closed with it: what was written proves nothing afterwards.

    Records take their place in the chain at once and reach the database by :meth:`flush`, in one statement. Nothing can
    be sent before the commit (``calls.values.Answer``), so that no word leaves without its record.
    """

    def __init__(self, tx: Transaction, segment: Segment, clock: Clock, random: Random) -> None:
        self._tx = tx
        self._clock = clock
        self._random = random
        self._pending: list[_Row] = []
        self._tokens: dict[UUID, UUID] = {}
        self.segment = segment
        self.is_open = True

    async def add(self, entry: Entry) -> UUID:
        """Chain ``entry``; returns the record's identifier.

        Raises:
            CallcenterError: the transaction of this writing is over.
        """
        if not self.is_open:
            raise CallcenterError("the ledger was written to after its transaction")
        token = None if entry.subject is None else await self._token(entry.subject)
        record_id = new_id(self._random)
        segment = self.segment
        header: dict[str, Value] = {
            "v": FORMAT,
            "log": origin_of(self._tx.practice),
            "id": str(record_id),
            "stream": str(segment.stream),
            "seq": segment.seq,
            "prev": segment.last.hex(),
            "ts": timestamp(self._clock.now()),
            "event": entry.kind.value,
            "actor": entry.actor,
            "call": str(segment.call) if segment.call else None,
            "subject": str(token) if token else None,
        }
        body = canonical({**header, **entry.content})
        leaf = leaf_of(body)
        self._pending.append(_Row(record_id, segment.seq, leaf, body))
        self.segment = replace(segment, seq=segment.seq + 1, last=leaf)
        return record_id

    async def flush(self) -> None:
        """Write what is pending: records and their outbox rows, in one statement."""
        if not self._pending:
            return
        rows, self._pending = self._pending, []
        await self._tx.connection.execute(
            _INSERT,
            {
                "practice": self._tx.practice,
                "stream": self.segment.stream,
                "call": self.segment.call,
                "ids": [row.id for row in rows],
                "seqs": [row.seq for row in rows],
                "leaves": [row.leaf for row in rows],
                "bodies": [row.body for row in rows],
            },
        )

    def close(self) -> None:
        """The transaction is over: receipts of this writing are worth nothing from here on."""
        self.is_open = False

    async def _token(self, patient: UUID) -> UUID:
        if patient not in self._tokens:
            self._tokens[patient] = await self._token_on_file(patient)
        return self._tokens[patient]

    async def _token_on_file(self, patient: UUID) -> UUID:
        values = {"patient": patient, "token": new_id(self._random)}
        found = (await self._tx.connection.execute(_TOKEN, values)).scalar_one_or_none()
        if found is None:
            raise IntegrityError("a patient's token can neither be made nor read")
        return found if isinstance(found, UUID) else UUID(str(found))


@asynccontextmanager
async def writing(tx: Transaction, segment: Segment, clock: Clock, random: Random) -> AsyncIterator[Writing]:
    """A pen whose records are written at the end of the block, and that is closed however the block ends.

    Arguments:
        segment: where the stream has come to; the pen's own is where it comes to by this.
    """
    pen = Writing(tx, segment, clock, random)
    try:
        yield pen
        await pen.flush()
    finally:
        pen.close()


async def note(tx: Transaction, entry: Entry, clock: Clock, random: Random, *, stream: UUID | None = None) -> None:
    """Put one act without a call on record.

    Arguments:
        stream: of what it belongs to, gone on with; ``None``: a stream of its own.
    """
    segment = Segment(new_id(random), None) if stream is None else (await stream_so_far(tx, stream))[0]
    async with writing(tx, segment, clock, random) as pen:
        await pen.add(entry)


async def stream_so_far(tx: Transaction, stream: UUID) -> tuple[Segment, EventKind | None]:
    """Where a stream without a call has come to, to go on with it, and what its last record tells, if it has one that
    is neither erased nor refused."""
    last = (await tx.connection.execute(_LAST, {"log": tx.practice, "stream": stream})).one_or_none()
    if last is None:
        return Segment(stream, None), None
    told = None if last.body is None else EventKind(json.loads(last.body)["event"])
    return Segment(stream, None, last.seq + 1, last.leaf), told


# A stream never begins anew: of a last record that is erased, number and leaf stay in the log. One that
# was refused tells nothing, and what follows names its own leaf, not the one that is sealed in its place.
_LAST = text(
    f"""
    (SELECT seq, leaf, CASE WHEN {STANDS} THEN body END AS body, 0 AS rank
     FROM audit_record r WHERE stream = :stream ORDER BY seq DESC LIMIT 1)
    UNION ALL
    (SELECT seq, leaf, NULL, 1 FROM audit_leaf WHERE log_id = :log AND stream = :stream ORDER BY seq DESC LIMIT 1)
    ORDER BY seq DESC, rank LIMIT 1
    """  # noqa: S608 - our own words alone
)

# Its row is held until the transaction ends: it is not deleted before the record stands that names it.
_TOKEN = text("SELECT ledger_token(:patient, :token)")

_INSERT = text(
    """
    WITH rows AS (
        SELECT * FROM unnest(cast(:ids AS uuid[]), cast(:seqs AS int[]), cast(:leaves AS bytea[]),
                             cast(:bodies AS bytea[])) AS r(id, seq, leaf, body)
    ), written AS (
        INSERT INTO audit_record (id, practice_id, stream, seq, call_id, leaf, body)
        SELECT id, :practice, cast(:stream AS uuid), seq, cast(:call AS uuid), leaf, body FROM rows
    )
    INSERT INTO audit_outbox (practice_id, record_id) SELECT :practice, id FROM rows ORDER BY seq
    """
)


def canonical(record: Mapping[str, Value]) -> bytes:
    """The canonical bytes of a record (RFC 8785), its texts in NFC. Numbers are whole: a float has two spellings.

    Raises:
        CallcenterError: no verifier would read it: it is too long, or holds what no record may.
    """
    body = rfc8785.dumps(_composed(record))
    if len(body) > verify.MOST_OF_A_LINE:  # the sealer would refuse it, and what it is for would be done unrecorded
        raise CallcenterError(f"a ledger record has at most {verify.MOST_OF_A_LINE} bytes, and not {len(body)}")
    return body


def _composed(value: Any) -> Any:
    match value:
        case str():
            return unicodedata.normalize("NFC", value)
        case Mapping():
            return {str(key): _composed(item) for key, item in value.items()}
        case bool() | int() | None:
            return value
        case Sequence():
            return [_composed(item) for item in value]
        case _:
            raise CallcenterError(f"a ledger record cannot hold a {type(value).__name__}")


def timestamp(at: datetime) -> str:
    """``at`` as the ledger writes it: UTC, six digits of a second, ``Z``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
