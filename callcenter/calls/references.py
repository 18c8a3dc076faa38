"""The port by which a flow acts on what a reference leads to, and tells it to whoever has its card.

Between a reference that is wrong, unknown, cancelled, another practice's or one too many, no statement, record or word
differs but in its content (P6, OB-13).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from callcenter.audit.ledger import Entry, EventKind, Value
from callcenter.calls.booking import offered, offered_to
from callcenter.calls.desk import IVR_ACTOR, Desk
from callcenter.disclosure.exits import release
from callcenter.disclosure.gate import Granted, Inquiry, Reason, Refused, Situation
from callcenter.flow.ports import CardRight, Done, Failed, NoSlot, NotKnown, Offered, SlotKnown, Told, Withheld
from callcenter.flow.prompts import Prompt, PromptBook
from callcenter.identity.challenges import Limits
from callcenter.identity.evidence import UNKNOWN, CardEvidence, Factor, Standing, card_standing
from callcenter.identity.matching import matches
from callcenter.identity.references import ReferenceTries, Try, TryKind
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.labels import FIELD_LABELS, Category, with_implied
from callcenter.kernel.levels import Level
from callcenter.kernel.protected import Protected
from callcenter.practice.bookings import Bookings
from callcenter.practice.patients import Patients
from callcenter.practice.practitioners import has_sensitive_practitioner
from callcenter.practice.slot_references import Slot, SlotKind
from callcenter.practice.values import Change, PatientFlags
from callcenter.store.database import DatabaseDown

_log = structlog.get_logger(__name__)

_CANCELLED = {
    SlotKind.BOOKING: EventKind.BOOKING_CANCELLED,
    SlotKind.APPOINTMENT: EventKind.APPOINTMENT_CANCELLED,
}
_MOVED = {SlotKind.BOOKING: EventKind.BOOKING_MOVED, SlotKind.APPOINTMENT: EventKind.APPOINTMENT_MOVED}


class CallReferences:
    """What references lead to, in one call. Implements ``flow.ports.References``."""

    def __init__(
        self,
        desk: Desk,
        book: PromptBook,
        bookings: Bookings,
        patients: Patients,
        tries: ReferenceTries,
        limits: Limits,
    ) -> None:
        self._desk = desk
        self._book = book
        self._bookings = bookings
        self._patients = patients
        self._tries = tries
        self._limits = limits

    async def find(self, reference: str) -> SlotKnown | NotKnown:
        desk = self._desk
        target = self._bookings.referenced.reference_index(desk.tx.practice, reference)
        tried = await self._count(TryKind.REFERENCE, target, reference)
        if tried is None:
            return NotKnown(last=True)
        slot = await self._bookings.referenced.by_reference(desk.tx, reference, desk.now)
        if slot is None or tried.bound is not None:
            return await self._wrong(tried, TryKind.REFERENCE)
        await self._tries.right(desk.tx, tried)
        content: dict[str, Value] = {"refs": [_ref(slot)]}
        await desk.writing.add(Entry(EventKind.REFERENCE_RIGHT, IVR_ACTOR, _subject(slot), content))
        return SlotKnown(slot.id)

    async def card_stands(self, slot: UUID) -> bool:
        found = await self._bookings.referenced.slot(self._desk.tx, slot, self._desk.now)
        return found is not None and self._standing(found).level >= Level.VERIFIED

    async def check_birth_date(self, slot: UUID, birth_date: date) -> CardRight | NotKnown:
        desk = self._desk
        target = self._bookings.referenced.reference_index(desk.tx.practice, f"slot:{slot}")
        tried = await self._count(TryKind.BIRTH_DATE, target, birth_date.isoformat())
        if tried is None:
            return NotKnown(last=True)
        found = await self._bookings.referenced.slot(desk.tx, slot, desk.now)
        right = found is not None and await self._born(found, birth_date)
        if found is None or not right or tried.bound is not None:
            return await self._wrong(tried, TryKind.BIRTH_DATE)
        await self._tries.right(desk.tx, tried)
        content: dict[str, Value] = {
            "level": int(Level.VERIFIED),
            "factors": [Factor.REFERENCE.value, Factor.BIRTH_DATE.value],
            "refs": [_ref(found)],
            "opens": "slot",
        }
        record = await desk.writing.add(Entry(EventKind.VERIFICATION_SUCCEEDED, IVR_ACTOR, _subject(found), content))
        desk.card = CardEvidence(record, desk.call, desk.tx.practice, found.id, desk.now)
        return CardRight()

    async def tell(self, prompt: str, slot: UUID, language: str = "fr") -> Told | Withheld:
        desk = self._desk
        words = self._book.said(prompt, language)
        found = await self._bookings.referenced.slot(desk.tx, slot, desk.now)
        inquiry = _inquiry(words, slot, frozenset(self._fields(words, found)) if found else words.fields)
        if found is None:
            await desk.gate.refuse(Reason.CHANGED, inquiry, UNKNOWN)
            return Withheld()
        stands = self._standing(found)
        if stands.patient is None:
            await desk.gate.refuse(Reason.UNVERIFIED, inquiry, stands)
            return Withheld()
        match await desk.gate.decide(inquiry, stands, await self._situation(found)):
            case Refused():
                return Withheld()
            case Granted(receipt):
                today = desk.now.astimezone(desk.facts.timezone).date()
                public = desk.facts.public(desk.now, words.language)

                def phrase(opened: Mapping[str, object]) -> str:
                    return words.render({**public, **opened}, today=today)

                return Told(release(receipt, prompt, self._fields(words, found), phrase, words.language))

    async def cancel(self, slot: UUID) -> Done | Failed:
        desk = self._desk
        found = await self._bookings.referenced.slot(desk.tx, slot, desk.now)
        if found is None or await self._bookings.referenced.cancel(desk.tx, found, desk.now) is not Change.DONE:
            return await self._not_changed(slot, "cancel")
        await self._done(_CANCELLED[found.kind], found)
        return Done()

    async def offer(self, slot: UUID) -> Offered | NoSlot:
        desk = self._desk
        found = await self._bookings.referenced.slot(desk.tx, slot, desk.now)
        everybody = await self._bookings.free.practitioners(desk.tx, desk.facts)
        # D05: what is free of a sensitive practitioner would tell whose slot it is, to whoever compares.
        movable = None if found is None or found.sensitive else found.practitioner
        whom = next((one for one in everybody if one.id == movable), None)
        if found is None or whom is None:
            return NoSlot()
        return await offered(desk, self._bookings, whom, lasting=found.duration_minutes)

    async def move(self, slot: UUID) -> Done | Failed:
        desk = self._desk
        found = await self._bookings.referenced.slot(desk.tx, slot, desk.now)
        to = offered_to(desk)
        if found is None or await self._bookings.move(desk.tx, desk.facts, to, found, desk.now) is not Change.DONE:
            return await self._not_changed(slot, "move")
        await self._done(_MOVED[found.kind], found)
        return Done()

    # --- within

    async def _count(self, kind: TryKind, target: bytes, keys: str) -> Try | None:
        """Count a try; ``None`` if it cannot be counted: then nothing is right."""
        desk = self._desk
        try:
            return await self._tries.count(desk.tx.practice, desk.call, desk.document, kind, target, keys, desk.caller)
        except (DatabaseDown, SQLAlchemyError) as error:
            _log.error("reference_counter_unreadable", error=type(error).__name__)
            return None

    async def _wrong(self, tried: Try, kind: TryKind) -> NotKnown:
        # No reference to what was tried, and no subject: a wrong one of somebody's is recorded like one of nobody's.
        content: dict[str, Value] = {"refs": [], "of": kind.value, "reason": tried.bound or "unknown"}
        await self._desk.writing.add(Entry(EventKind.REFERENCE_WRONG, IVR_ACTOR, None, content))
        return NotKnown(tried.last)

    async def _born(self, slot: Slot, claim: date) -> bool:
        """Whether ``claim`` is exactly the birth date that goes with the slot, and that date no convention (MA-04)."""
        if slot.kind is SlotKind.BOOKING:
            return slot.birth_date is not None and matches(slot.birth_date, claim)
        flags = await self._flags(slot)
        return matches(flags.birth_date, claim) and not flags.birth_date_fictive

    async def _flags(self, slot: Slot) -> PatientFlags:
        return await self._patients.flags(self._desk.tx, slot.subject)

    def _standing(self, slot: Slot) -> Standing:
        desk = self._desk
        return card_standing(
            desk.card,
            slot=slot.id,
            subject=slot.subject,
            provisional=slot.kind is SlotKind.BOOKING,
            call=desk.call,
            practice=desk.tx.practice,
            now=desk.now,
            life=self._limits.evidence_life,
        )

    async def _situation(self, slot: Slot) -> Situation:
        """A booking has no file, and so no marks: only the age of whom it is for, and the practitioner."""
        flags = None if slot.kind is SlotKind.BOOKING else await self._flags(slot)
        birth_date = slot.birth_date if flags is None else flags.birth_date
        if birth_date is None:
            raise CallcenterError("a booking has no birth date")
        return Situation(
            patient=slot.subject,
            birth_date=birth_date,
            deceased=flags is not None and flags.deceased,
            homonym=flags is not None and flags.homonym,
            doubtful=flags is not None and flags.doubtful,
            fictitious=flags is not None and flags.fictitious,
            contact_restricted=flags is not None and flags.contact_restricted,
            sensitive=slot.sensitive,
            practice_has_sensitive=await has_sensitive_practitioner(self._desk.tx),
            slot=slot.id,
        )

    def _fields(self, words: Prompt, slot: Slot) -> dict[str, Protected[object]]:
        zone = self._desk.facts.timezone
        known: dict[str, Protected[object]] = {"slot.starts_at": slot.starts_at.map(lambda at: at.astimezone(zone))}
        if slot.place is not None:
            known["slot.place"] = slot.place.map(str)
        return {path: value for path, value in known.items() if path in words.fields}

    async def _done(self, kind: EventKind, slot: Slot) -> None:
        content: dict[str, Value] = {"refs": [_ref(slot)], "level": 0, "evidence": [Factor.REFERENCE.value]}
        await self._desk.writing.add(Entry(kind, IVR_ACTOR, _subject(slot), content))

    async def _not_changed(self, slot: UUID, act: str) -> Failed:
        content: dict[str, Value] = {"refs": [f"slot:{slot}"], "act": act}
        await self._desk.writing.add(Entry(EventKind.BOOKING_NOT_CHANGED, IVR_ACTOR, None, content))
        return Failed()


def _subject(slot: Slot) -> UUID | None:
    """The patient, for the ledger: a booking is none."""
    return None if slot.kind is SlotKind.BOOKING else slot.subject


def _ref(slot: Slot) -> str:
    return f"{slot.kind.value}:{slot.id}"


def _inquiry(words: Prompt, slot: UUID, known: frozenset[str]) -> Inquiry:
    """What telling ``words`` about a slot discloses.

    Arguments:
        known: fields that have a value; what may be left out and has none is not told.
    """
    optional = frozenset(FIELD_LABELS[path] for path in words.optional & known)
    told = frozenset(FIELD_LABELS[path] for path in words.fields - words.optional) - {Category.PUBLIC}
    told |= {Category.APPOINTMENT_EXISTS}  # whatever is left out
    named = (words.fields - words.optional) | (words.optional & known)
    references = tuple(f"{path}:{slot}" for path in sorted(named) if path.startswith("slot."))
    return Inquiry(with_implied(told), optional, references, {"key": words.key, "sha256": words.digest}, words.key)
