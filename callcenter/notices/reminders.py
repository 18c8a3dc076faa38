"""Reminders of appointments by text: date, hour, the practice's number, and nothing else (OU-01, OU-02).

Each is a disclosure that nobody asked for. Its record is committed, by the gate, before the text leaves (P1); whoever
must not be told of (restricted, deceased, minor, sensitive …), opposes it or has no fresh mobile gets none, and that is
on record too. At most one an appointment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from uuid import UUID

import structlog
from sqlalchemy import text

from callcenter.audit.ledger import Entry, EventKind, Value, note, stream_so_far, writing
from callcenter.audit.watching import LedgerWatch
from callcenter.calls.appointment_texts import released_words, situation_of, told_by
from callcenter.calls.delivery import MessageNotTaken, Messenger, Undeliverable, deliver_spoken
from callcenter.disclosure.exits import Spoken
from callcenter.disclosure.gate import Gate, Granted, Inquiry, Reason
from callcenter.disclosure.policy import Policy
from callcenter.flow.prompts import Prompt
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import CallcenterError, Unavailable
from callcenter.kernel.levels import Channel
from callcenter.kernel.protected import Protected
from callcenter.kernel.randomness import Random, SystemRandom, new_id
from callcenter.notices.choices import chosen, note_choice, oppose_by_carrier
from callcenter.notices.ports import Alarms
from callcenter.practice.appointments import STANDING, Appointments
from callcenter.practice.directory import Directory
from callcenter.practice.everywhere import in_each_as_set
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.numbers import receives_sms
from callcenter.practice.patients import Patients
from callcenter.practice.sending import ReminderMode
from callcenter.practice.timetable import Timetable
from callcenter.practice.values import Appointment, Contact
from callcenter.store.database import Database, Transaction
from callcenter.store.jobs import defer
from callcenter.store.sealed import Sealer

_log = structlog.get_logger(__name__)

#: The job that sends a reminder, and its queue.
SEND_REMINDER, REMINDERS = "send_reminder", "reminders"

#: When a text may arrive, in the practice's zone: Monday to Saturday, never on a public holiday (OU-04).
EARLIEST, LATEST, SUNDAY = time(9), time(20), 6
#: A reminder that would arrive later than this before the appointment is of no use.
LEAST_NOTICE = timedelta(hours=2)
#: Longer than any stretch in which no text may arrive: from the evening before to a morning after four such days.
LONGEST_SILENCE = timedelta(hours=120)
#: What is due is looked for as often (``notices.jobs``).
LOOKS_EVERY = timedelta(hours=1)
#: A reminder that is still due after this long has lost its job.
JOB_LOST_AFTER = timedelta(minutes=30)
MOST_TRIES = 5

#: The carrier takes no texts for that number, because its owner has sent it STOP (Twilio).
OPTED_OUT = 21610

_ACTOR: dict[str, Value] = {"kind": "job", "id": SEND_REMINDER}


class MobileSender(CallcenterError):
    """Reminders would come from a 06 or 07, which is not for automated messages (OU-05): change carrier.sms_sender."""


def may_arrive(at: datetime, timetable: Timetable) -> bool:
    """Whether a text may arrive at ``at`` (aware)."""
    opening = timetable.at(at).opening
    local = at.astimezone(opening.zone)
    in_time = local.weekday() != SUNDAY and EARLIEST <= local.time() < LATEST
    return in_time and not opening.is_holiday(local.date())


def send_at(starts_at: datetime, hours_before: int, timetable: Timetable) -> datetime:
    """When an appointment is to be reminded of: that long before, or earlier, where no text may arrive then."""
    moment = starts_at - timedelta(hours=hours_before)
    for back in range(int(LONGEST_SILENCE / timedelta(hours=1))):
        if may_arrive(moment - timedelta(hours=back), timetable):
            return moment - timedelta(hours=back)
    return moment


def due_by(now: datetime, timetable: Timetable) -> datetime:
    """Until when what falls due goes at ``now`` (aware): before a silence, what would otherwise wait for its end, when
    a Monday morning's appointment is over."""
    following = now + LOOKS_EVERY
    return now if may_arrive(following, timetable) else following


@dataclass(frozen=True, slots=True)
class _Letter:
    """A reminder that is due, its record written."""

    to: Protected[str]
    words: Spoken
    patient: UUID
    phone_index: bytes
    tries: int


@dataclass(frozen=True, slots=True)
class Reminders:
    """Finds what is to be reminded of, and reminds.

    Arguments:
        messenger: the carrier.
        policy: what a text may tell.
        words: gives the words that stand, for a text about an appointment.
        sender: whom texts come from, as the carrier is told.
        stale: how long after its confirmation a telephone serves.
        ledger: knows whether what is told is sealed in time.
    """

    database: Database
    sealer: Sealer
    clock: Clock
    messenger: Messenger[Undeliverable | None]
    policy: Policy
    words: Callable[[], Prompt]
    sender: str
    stale: timedelta
    alarms: Alarms
    ledger: LedgerWatch
    random: Random = field(default_factory=SystemRandom)

    async def find(self) -> int:
        """Make the reminders that are due, each with the job that sends it; called every hour. Returns how many.

        Raises:
            MobileSender: none may be sent.
            PracticesFailed: those of some practices could not be made, and those of every other were.
            DatabaseDown: what is due is found next time.
        """
        now = self.clock.now()
        mobile, wanted = receives_sms(self.sender), False

        async def find(facts: PracticeFacts) -> int:
            nonlocal wanted
            if facts.reminders.mode is ReminderMode.OFF:
                return 0
            wanted = True
            if mobile or not may_arrive(now, facts.timetable):
                return 0
            async with self.database.practice(facts.id) as tx:
                return await self._find(tx, facts, now)

        made = await in_each_as_set(self.database, now, find)
        if mobile and wanted:
            raise MobileSender
        return made

    async def _find(self, tx: Transaction, facts: PracticeFacts, now: datetime) -> int:
        before = facts.reminders.hours_before
        until = now + timedelta(hours=before) + LONGEST_SILENCE
        values = {"practice": tx.practice, "after": now + LEAST_NOTICE, "until": until, "standing": list(STANDING)}
        rows = (await tx.connection.execute(_NOT_REMINDED, values)).all()
        by = due_by(now, facts.timetable)
        ours = [row.id for row in rows if send_at(row.starts_at, before, facts.timetable) <= by]
        due = [new_id(self.random) for _ in ours]
        if due:
            make = {"practice": tx.practice, "ids": due, "appointments": ours, "now": now}
            due = list((await tx.connection.execute(_MAKE, make)).scalars())
        lost = {"practice": tx.practice, "before": now - JOB_LOST_AFTER}
        again = list((await tx.connection.execute(_LOST, lost)).scalars())
        for one in (*due, *again):
            await defer(tx.connection, SEND_REMINDER, queue=REMINDERS, practice=tx.practice, reminder=one)
        return len(due)

    async def send(self, practice: UUID, reminder: UUID) -> None:
        """Send one reminder, unless that was done, is being done, or must not be.

        Raises:
            MessageNotTaken: it has not left; to be tried again.
            DatabaseDown: the same.
        """
        async with self.database.practice(practice) as tx:
            letter = await self._prepare(tx, reminder)
        if letter is None:
            return
        try:
            refused = await deliver_spoken(self.messenger, letter.to, letter.words, reference=reminder)
        except MessageNotTaken:
            again = letter.tries < MOST_TRIES
            await self._settle(practice, reminder, letter, "due" if again else "failed", "not_taken")
            if again:
                raise
            self.alarms.reminder_failed(practice, reminder, "not_taken")
        except Unavailable as error:
            _log.warning("reminder_unconfirmed", reference=str(reminder), error=type(error).__name__)
            self.alarms.reminder_failed(practice, reminder, "unconfirmed")
            await self._settle(practice, reminder, letter, "unconfirmed", "unconfirmed")
        else:
            if refused is None:
                await self._settle(practice, reminder, letter, "sent", None)
            else:
                await self._settle(practice, reminder, letter, "refused", f"refused_{refused.code}", refused.code)

    # --- before it leaves

    async def _prepare(self, tx: Transaction, reminder: UUID) -> _Letter | None:
        """Take the reminder, and ask the gate; ``None`` if nothing is to be sent, or not now."""
        now = self.clock.now()
        facts = await Directory.facts(tx.connection, tx.practice, now)
        if not may_arrive(now, facts.timetable) or self.ledger.is_behind(tx.practice):
            return None  # it stays due, and is found again
        values = {"practice": tx.practice, "reminder": reminder, "now": now, "after": now + LEAST_NOTICE}
        row = (await tx.connection.execute(_CLAIM, {**values, "standing": list(STANDING)})).one_or_none()
        if row is None:
            return None
        if not row.stands:
            await tx.connection.execute(_SETTLE, {**values, "outcome": "late"})
            return None
        appointment = await Appointments.get(tx, row.appointment_id)
        letter = await self._asked(tx, facts, reminder, appointment, row.tries)
        if letter is None:
            await tx.connection.execute(_SETTLE, {**values, "outcome": "withheld"})
        else:
            await tx.connection.execute(_ADDRESSED, {**values, "index": letter.phone_index})
        return letter

    async def _asked(
        self, tx: Transaction, facts: PracticeFacts, reminder: UUID, appointment: Appointment, tries: int
    ) -> _Letter | None:
        """What the gate says to it, on record."""
        now, patients, subject = self.clock.now(), Patients(self.sealer), appointment.patient_id
        flags = await patients.flags(tx, subject)
        to = self._telephone(await patients.code_contacts(tx, subject), now)
        index = None if to is None else await patients.phone_index(tx, to.id)
        barred = await _barred(tx, facts.reminders.mode, subject, index)
        segment, _ = await stream_so_far(tx, reminder)
        prompt = self.words()
        async with writing(tx, segment, self.clock, self.random) as pen:
            today = now.astimezone(facts.timezone).date()
            sealed = not self.ledger.is_behind(tx.practice)
            gate = Gate(self.policy, Channel.SMS, pen, _ACTOR, {"name": "reminder"}, today, sealed=sealed)
            inquiry = Inquiry(
                categories=told_by(prompt),
                optional=frozenset(),
                references=(f"appointment:{appointment.id}", f"reminder:{reminder}"),
                prompt={"key": prompt.key, "sha256": prompt.digest},
                step="reminder",
            )
            coming = await Appointments.next(tx, subject, now)
            sensitive = appointment.practitioner_sensitive or (coming is not None and coming.sensitive_to_come)
            decision = await gate.push(inquiry, situation_of(subject, flags, sensitive=sensitive), barred)
            if not isinstance(decision, Granted) or to is None or index is None:
                return None
            words = released_words(decision.receipt, prompt, appointment, facts, self.sender)
            return _Letter(to.phone, words, subject, index, tries)

    def _telephone(self, contacts: tuple[Contact, ...], now: datetime) -> Contact | None:
        """The mobile that the patient confirmed last, if that was not too long ago: numbers are given to others."""
        fresh = (one for one in contacts if one.receives_sms and one.confirmed_at >= now - self.stale)
        return next(fresh, None)

    # --- after it has left, or not

    async def _settle(
        self, practice: UUID, reminder: UUID, letter: _Letter, outcome: str, why: str | None, code: int = 0
    ) -> None:
        """Keep what became of it. The job must not fail for that: it would be tried again, and send again."""
        try:
            async with self.database.practice(practice) as tx:
                values = {"practice": practice, "reminder": reminder, "outcome": outcome}
                await tx.connection.execute(_SETTLE, values)
                if why is not None:
                    await self._note(tx, reminder, letter, why)
                if code == OPTED_OUT:
                    choice = await oppose_by_carrier(tx, letter.phone_index, self.clock.now(), self.random)
                    await note_choice(tx, choice, self.clock, self.random)
        except Unavailable as error:
            _log.error("reminder_not_settled", reference=str(reminder), outcome=outcome, error=type(error).__name__)

    async def _note(self, tx: Transaction, reminder: UUID, letter: _Letter, why: str) -> None:
        content: dict[str, Value] = {"of": str(letter.words.record), "refs": [f"reminder:{reminder}"], "reason": why}
        entry = Entry(EventKind.REMINDER_NOT_SENT, _ACTOR, letter.patient, content)
        await note(tx, entry, self.clock, self.random, stream=reminder)


async def _barred(tx: Transaction, mode: ReminderMode, subject: UUID, index: bytes | None) -> Reason | None:
    """What stands against it beside the patient's marks."""
    if index is None:
        return Reason.NO_TELEPHONE
    choice = await chosen(tx, subject, index)
    if choice.opposed or mode is ReminderMode.OFF:  # the practice sends none any more
        return Reason.OPPOSED
    return Reason.NO_CONSENT if mode is ReminderMode.CONSENT and not choice.consented else None


_NOT_REMINDED = text(
    """
    SELECT a.id, a.starts_at FROM appointment a
    WHERE a.practice_id = :practice AND a.starts_at > :after AND a.starts_at <= :until AND a.status = ANY(:standing)
      AND NOT EXISTS (SELECT FROM reminder r WHERE r.practice_id = a.practice_id AND r.appointment_id = a.id)
    """
)

_MAKE = text(
    """
    INSERT INTO reminder (id, practice_id, appointment_id, made_at)
    SELECT m.id, :practice, m.appointment, :now
    FROM unnest(cast(:ids AS uuid[]), cast(:appointments AS uuid[])) AS m(id, appointment)
    ON CONFLICT (practice_id, appointment_id) DO NOTHING RETURNING id
    """
)

_LOST = text("SELECT id FROM reminder WHERE practice_id = :practice AND outcome = 'due' AND made_at < :before")

_CLAIM = text(
    """
    UPDATE reminder r SET outcome = 'sending', tries = r.tries + 1, claimed_at = :now
    FROM appointment a
    WHERE r.practice_id = :practice AND r.id = :reminder AND r.outcome = 'due'
      AND a.practice_id = r.practice_id AND a.id = r.appointment_id
    RETURNING r.appointment_id, r.tries, a.starts_at > :after AND a.status = ANY(:standing) AS stands
    """
)

_ADDRESSED = text("UPDATE reminder SET phone_index = :index WHERE practice_id = :practice AND id = :reminder")

_SETTLE = text(
    "UPDATE reminder SET outcome = :outcome WHERE practice_id = :practice AND id = :reminder AND outcome = 'sending'"
)
