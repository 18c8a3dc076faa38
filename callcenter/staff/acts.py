"""Acts of staff on record: each has a stream of its own in the ledger of the practice that it concerns (LG-01)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from callcenter.audit.ledger import Entry, EventKind, Segment, Value, note, stream_so_far, writing
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.enrolment import Changed
from callcenter.practice.setting_versions import Author
from callcenter.store.database import Transaction


class StaffActs:
    """Writes acts of staff into the ledger, in the transaction of each. Implements ``practice.changing.Recorder``."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random

    async def settings_changed(self, tx: Transaction, changed: Changed, author: Author) -> None:
        """Record a change of settings: which, and as of which revision; never their values."""
        if not changed.settings:
            return
        content: dict[str, Value] = {
            "refs": [f"setting:{name}:{changed.revision}" for name in sorted(changed.settings)],
        }
        await self._add(tx, EventKind.SETTINGS_CHANGED, author.by, content)

    async def practitioner_changed(self, tx: Transaction, whom: UUID, by: str) -> None:
        """Record that what is on file about a practitioner was changed; never what."""
        await self._add(tx, EventKind.PRACTITIONER_CHANGED, by, {"refs": [f"practitioner:{whom}"]})

    async def voice_opened(self, tx: Transaction, message: UUID, by: str) -> None:
        """Record that what a caller has spoken is opened; the words leave only once this is committed (P1)."""
        await self._add(tx, EventKind.VOICE_OPENED, by, {"refs": [f"message:{message}"]})

    async def message_handled(self, tx: Transaction, message: UUID, by: str) -> None:
        """Record that a message has been answered."""
        await self._add(tx, EventKind.MESSAGE_HANDLED, by, {"refs": [f"message:{message}"]})

    async def message_read(self, tx: Transaction, message: UUID, by: UUID, how: str, reason: str | None = None) -> None:
        """Record that a message is opened on a page; what it says leaves only once this is committed (P1).

        Arguments:
            how: key of why they may: ``addressee``, ``writer`` or ``supervisor``.
            reason: key of the reason that a supervisor has given.
        """
        content: dict[str, Value] = {"refs": [f"message:{message}"], "as": how}
        if reason is not None:
            content["reason"] = reason
        await self._about(tx, EventKind.MESSAGE_READ, message, by, content)

    async def message_heard(self, tx: Transaction, message: UUID, by: UUID) -> None:
        """Record that what was spoken with a message leaves for a page."""
        await self._about(tx, EventKind.VOICE_OPENED, message, by, {"refs": [f"message:{message}"]})

    async def message_acknowledged(self, tx: Transaction, message: UUID, by: UUID) -> None:
        """Record that nobody is rung about an urgent message any more, since it was read."""
        await self._about(tx, EventKind.MESSAGE_ACKNOWLEDGED, message, by, {"refs": [f"message:{message}"]})

    async def message_answered(self, tx: Transaction, message: UUID, by: UUID, answer: str) -> None:
        """Record by what a message was answered: the key, never what was added to it."""
        content: dict[str, Value] = {"refs": [f"message:{message}"], "answer": answer}
        await self._about(tx, EventKind.MESSAGE_ANSWERED, message, by, content)

    async def follow_up(self, tx: Transaction, kind: EventKind, message: UUID, by: UUID) -> None:
        """Record what an operator does about a message; of one that they take, that they are shown whom to call."""
        await self._about(tx, kind, message, by, {"refs": [f"message:{message}"]})

    async def _about(
        self, tx: Transaction, kind: EventKind, message: UUID, by: UUID, content: dict[str, Value]
    ) -> None:
        """In the stream of the message, which whoever calls holds: what was done with it is one chain."""
        entry = Entry(kind, {"kind": "staff", "id": str(by)}, None, content)
        await note(tx, entry, self._clock, self._random, stream=message)

    async def notice_address_added(self, tx: Transaction, address: UUID, by: str) -> None:
        """Record that somebody is told of messages from now on; never where."""
        await self._add(tx, EventKind.NOTICE_ADDRESS_ADDED, by, {"refs": [f"notice_address:{address}"]})

    async def notice_address_removed(self, tx: Transaction, address: UUID, by: str) -> None:
        """Record that somebody is told of messages no more."""
        await self._add(tx, EventKind.NOTICE_ADDRESS_REMOVED, by, {"refs": [f"notice_address:{address}"]})

    async def reminders_chosen(self, tx: Transaction, patient: UUID, choice: UUID, by: str) -> None:
        """Record what a patient has told staff about reminders."""
        await self._add(tx, EventKind.REMINDERS_CHOSEN, by, {"refs": [f"reminder_choice:{choice}"]}, patient)

    async def booking_handled(self, tx: Transaction, booking: UUID, by: str) -> None:
        """Record that somebody of the practice has dealt with a booking."""
        await self._add(tx, EventKind.BOOKING_HANDLED, by, {"refs": [f"booking:{booking}"]})

    async def call_reviewed(self, tx: Transaction, call: UUID, by: str, *, printed: bool = False) -> None:
        """Record that somebody goes through a call again, or takes it away on paper: in the call's own ledger."""
        kind = EventKind.CALL_PRINTED if printed else EventKind.CALL_REVIEWED
        entry = Entry(kind, {"kind": "staff", "id": by}, None, {"refs": [f"call:{call}"]})
        async with writing(tx, Segment(new_id(self._random), call), self._clock, self._random) as pen:
            await pen.add(entry)

    async def call_notes_read(self, tx: Transaction, call: UUID, by: str) -> None:
        """Record that somebody reads what operators have noted of a call: in the call's own ledger."""
        entry = Entry(EventKind.CALL_NOTES_READ, {"kind": "staff", "id": by}, None, {"refs": [f"call:{call}"]})
        async with writing(tx, Segment(new_id(self._random), call), self._clock, self._random) as pen:
            await pen.add(entry)

    async def patient_searched(
        self, tx: Transaction, reason: UUID, purpose: str, found: Sequence[UUID], by: str
    ) -> None:
        """Record that somebody looks for a patient, why, and each whom they are shown; not what they typed."""
        content: dict[str, Value] = {"refs": [f"review_reason:{reason}"], "purpose": purpose, "found": len(found)}
        actor = {"kind": "staff", "id": by}
        async with writing(tx, Segment(new_id(self._random), None), self._clock, self._random) as pen:
            for patient in found or (None,):
                await pen.add(Entry(EventKind.PATIENT_SEARCHED, actor, patient, content))

    async def patient_followed(self, tx: Transaction, patient: UUID, reason: UUID, by: str) -> None:
        """Record that somebody lists what is on record about a patient."""
        await self._add(tx, EventKind.PATIENT_FOLLOWED, by, {"refs": [f"review_reason:{reason}"]}, patient)

    async def listed(self, tx: Transaction, kind: str, lines: int, by: str) -> None:
        """Record that somebody has searched without naming a patient: what for, and how much is shown of it."""
        await self._add(tx, EventKind.LISTED, by, {"refs": [f"list:{kind}"], "count": lines})

    async def list_exported(self, tx: Transaction, kind: str, lines: int, patient: UUID | None, by: str) -> None:
        """Record that a list leaves as a file: of what, and how long it is."""
        await self._add(tx, EventKind.LIST_EXPORTED, by, {"refs": [f"list:{kind}"], "count": lines}, patient)

    async def extract(
        self, tx: Transaction, kind: EventKind, extract: UUID, patient: UUID, by: str, content: Mapping[str, Value]
    ) -> None:
        """Record an act about an extract of the register, in the stream of the extract, which whoever calls holds.

        Arguments:
            content: who asks, how that was checked, what is given in which form; never a name.
        """
        entry = Entry(kind, {"kind": "staff", "id": by}, patient, {"refs": [f"extract:{extract}"], **content})
        await note(tx, entry, self._clock, self._random, stream=extract)

    async def incident_declared(self, tx: Transaction, incident: UUID, by: str) -> None:
        """Record that an incident concerns the practice; never what is known of it."""
        await self._add(tx, EventKind.INCIDENT_DECLARED, by, {"refs": [f"incident:{incident}"]})

    async def incident_told(self, tx: Transaction, incident: UUID, by: str) -> None:
        """Record that the practice was told of an incident."""
        await self._add(tx, EventKind.INCIDENT_TOLD, by, {"refs": [f"incident:{incident}"]})

    async def incident_notice(self, tx: Transaction, kind: EventKind, incident: UUID, notice: UUID, by: UUID) -> None:
        """Record that what the practice is told of an incident is on its page, or that somebody of it has read that."""
        refs: list[Value] = [f"incident:{incident}", f"incident_notice:{notice}"]
        await self._add(tx, kind, str(by), {"refs": refs})

    async def call_held(self, tx: Transaction, incident: UUID, call: UUID, by: str, *, held: bool) -> None:
        """Record that nothing of a call is erased from now on, or that it is again."""
        kind = EventKind.CALL_HELD if held else EventKind.CALL_HOLD_LIFTED
        await self._add(tx, kind, by, {"refs": [f"incident:{incident}", f"call:{call}"]})

    async def lock_release_asked(self, tx: Transaction, release: UUID, call: UUID, by: str) -> None:
        """Record that somebody wants a lock lifted; why stands sealed beside it."""
        await self._add(tx, EventKind.LOCK_RELEASE_ASKED, by, {"refs": [f"lock_release:{release}", f"call:{call}"]})

    async def lock_reason_read(self, tx: Transaction, release: UUID, call: UUID, by: str) -> None:
        """Record that somebody reads why a lock is to be lifted; the words leave only once this is committed (P1)."""
        await self._add(tx, EventKind.LOCK_REASON_READ, by, {"refs": [f"lock_release:{release}", f"call:{call}"]})

    async def lock_released(self, tx: Transaction, release: UUID, call: UUID, by: str) -> None:
        """Record that somebody else has confirmed it. It names no patient: whether there is one, nobody is told."""
        await self._add(tx, EventKind.LOCK_RELEASED, by, {"refs": [f"lock_release:{release}", f"call:{call}"]})

    async def carrier_difference_settled(self, tx: Transaction, finding: UUID, cause: str, by: str) -> None:
        """Record that somebody has found out why the carrier's list and ours do not agree: the key of the cause."""
        content: dict[str, Value] = {"refs": [f"carrier_finding:{finding}"], "cause": cause}
        entry = Entry(EventKind.CARRIER_SETTLED, {"kind": "staff", "id": by}, None, content)
        await note(tx, entry, self._clock, self._random, stream=finding)

    async def glass_reviewed(
        self, tx: Transaction, glass: UUID, call: UUID | None, by: str, verdict: str | None = None
    ) -> None:
        """Record that somebody reads why glass was broken, or what they say of it; never in which words.

        Arguments:
            call: in which it was asked for: it is in the ledger of the call too.
        """
        kind = EventKind.GLASS_READ if verdict is None else EventKind.GLASS_REVIEWED
        content: dict[str, Value] = {"refs": [f"glass_break:{glass}"], **({} if verdict is None else {"kind": verdict})}
        async with writing(tx, await glass_segment(tx, glass, call), self._clock, self._random) as pen:
            await pen.add(Entry(kind, {"kind": "staff", "id": by}, None, content))

    async def _add(
        self, tx: Transaction, kind: EventKind, by: str, content: dict[str, Value], subject: UUID | None = None
    ) -> None:
        await note(tx, Entry(kind, {"kind": "staff", "id": by}, subject, content), self._clock, self._random)


async def glass_segment(tx: Transaction, glass: UUID, call: UUID | None) -> Segment:
    """Where the stream of broken glass has come to. Whoever goes on with it holds the glass (``staff.glass.held``)."""
    return replace((await stream_so_far(tx, glass))[0], call=call)
