"""The ports of a call before the product's own gate: whoever calls hears of a patient what that lets out, and no more.

Evidence ends here as it does in a call: with a new claim, and with whoever else takes the telephone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import cast
from uuid import UUID

from callcenter.disclosure.gate import Granted, Inquiry, Reason, Refused
from callcenter.flow.language import Act, Lookup
from callcenter.flow.ports import (
    CardRight,
    ChallengeOver,
    CodeRight,
    CodeSent,
    CodeWrong,
    Done,
    Failed,
    Found,
    MayNotRing,
    MayRing,
    NoMoreCodes,
    Nothing,
    NotKnown,
    Parted,
    Told,
    VerificationDown,
    Withheld,
)
from callcenter.flow.prompts import Prompt
from callcenter.identity.evidence import UNKNOWN, CardEvidence, Factor, Standing, card_standing
from callcenter.kernel.labels import FIELD_LABELS, Category, with_implied
from callcenter.kernel.levels import Level
from tests.unit.flow.doubles import (
    NOW,
    MemoryBooking,
    MemoryLobby,
    MemoryReferences,
    MemorySwitchboard,
    MemoryVerifier,
    Patient,
    _Challenge,
)
from tests.unit.flow.gated_practice import Person, Practice

_FIND = frozenset({Category.RECORD_EXISTS, Category.APPOINTMENT_EXISTS})
CALLBACK_CODE = "4719"
_CALL, _PRACTICE = UUID(int=1), UUID(int=2)


class Verifier(MemoryVerifier):
    """P2: a new claim may be about another patient, and ends what was proved.

    Arguments:
        ever: whoever was proved to be there at some time of the call.
    """

    def __init__(self, patients: Sequence[Patient], *, grants: Level, seed: int) -> None:
        super().__init__(patients, grants=grants, seed=seed)
        self.ever: set[UUID] = set()

    async def open_challenge(self, birth_date: date, telephone: str) -> CodeSent | NoMoreCodes | VerificationDown:
        self.forget()
        return await super().open_challenge(birth_date, telephone)

    async def check_code(self, keys: str) -> CodeRight | CodeWrong | ChallengeOver | VerificationDown:
        checked = await super().check_code(keys)
        if self.verified is not None:
            self.ever.add(cast(Person, self.verified).id)
        return checked

    def forget(self) -> None:
        self.level, self.verified = Level.UNKNOWN, None

    def was_given_out(self, person: Person) -> None:
        """A call-back code of four digits was given to this patient in another call."""
        self._open = _Challenge(CALLBACK_CODE, person)
        self.sent.append((next(iter(person.telephones)), CALLBACK_CODE))

    def stands(self) -> Standing:
        if self.verified is None:
            return UNKNOWN
        person = cast(Person, self.verified)
        return Standing(self.level, person.id, (Factor.BIRTH_DATE_AND_TELEPHONE, Factor.SMS_CODE))


class GatedRecord:
    """Implements ``flow.ports.Record`` as ``calls.record`` does."""

    def __init__(self, practice: Practice, verifier: Verifier) -> None:
        self._practice = practice
        self._verifier = verifier

    async def find(self, what: Lookup, after: UUID | None) -> Found | Nothing | Withheld:
        inquiry = Inquiry(_FIND, frozenset(), ("appointment",), {}, what.value)
        person = await self._verified(inquiry)
        if person is None:
            return Withheld()
        gate, stands = self._practice.gate(), self._verifier.stands()
        if isinstance(await gate.decide(inquiry, stands, self._practice.situation(person)), Refused):
            return Withheld()
        visits = self._practice.to_come(person, after if what is Lookup.FOLLOWING_APPOINTMENT else None)
        return Found(visits[0].reference) if visits else Nothing()

    async def tell(self, prompt: str, bound: Mapping[str, UUID], language: str = "fr") -> Told | Withheld:
        reference, words = bound["appointment"], self._practice.book.said(prompt, language)  # unbound: it breaks here
        inquiry = _inquiry(words, frozenset(words.fields), reference)
        gate, stands = self._practice.gate(), self._verifier.stands()
        if await self._verified(inquiry) is None:
            return Withheld()
        if reference in self._practice.cancelled:
            await gate.refuse(Reason.CHANGED, inquiry, stands)
            return Withheld()
        whose, visit = self._practice.person(reference), self._practice.visit(reference)
        match await gate.decide(inquiry, stands, self._practice.situation(whose)):
            case Granted() as granted:
                values = {
                    "appointment.starts_at": visit.starts_at,
                    "appointment.practitioner": visit.practitioner,
                    "appointment.speciality": visit.speciality,
                    "appointment.place": visit.place,
                }
                return Told(self._practice.words(granted, words, values, whose.id))
            case Refused():
                return Withheld()

    async def perform(self, act: Act, reference: UUID) -> Done | Failed:
        inquiry = Inquiry(_FIND, frozenset(), (f"appointment:{reference}",), {}, act.value)
        person = await self._verified(inquiry)
        if person is None:
            return Failed()
        gate, stands = self._practice.gate(), self._verifier.stands()
        # Whose it is: the product looks by whom and by what at once, and finds nothing of another patient's.
        situation = self._practice.situation(self._practice.person(reference))
        if await gate.check(inquiry, stands, situation) is not None or reference in self._practice.cancelled:
            return Failed()
        if act is Act.CANCEL_APPOINTMENT:
            self._practice.cancelled.add(reference)
        return Done()

    async def _verified(self, inquiry: Inquiry) -> Person | None:
        if self._verifier.verified is None:
            await self._practice.gate().refuse(Reason.UNVERIFIED, inquiry, self._verifier.stands())
        return cast("Person | None", self._verifier.verified)


class GatedReferences(MemoryReferences):
    """Implements ``flow.ports.References`` as ``calls.references`` does: a card opens its own slot."""

    def __init__(self, practice: Practice, booking: MemoryBooking) -> None:
        slots = {
            visit.card: (visit.reference, person.birth_date, visit.starts_at)
            for person in practice.people
            for visit in person.visits
        }
        super().__init__(slots, booking)
        self.ever: set[UUID] = set()  # whose cards were shown at some time of the call
        self._practice = practice

    async def check_birth_date(self, slot: UUID, birth_date: date) -> CardRight | NotKnown:
        if slot in self._practice.cancelled:
            return NotKnown(last=False)
        checked = await super().check_birth_date(slot, birth_date)
        if isinstance(checked, CardRight):
            self.ever.add(self._practice.visit(slot).whose)
        return checked

    async def tell(self, prompt: str, slot: UUID, language: str = "fr") -> Told | Withheld:
        words, visit = self._practice.book.said(prompt, language), self._practice.visit(slot)
        values: dict[str, object] = {"slot.starts_at": visit.starts_at, "slot.place": visit.place}
        inquiry, gate, whose = _inquiry(words, frozenset(values), slot), self._practice.gate(), visit.whose
        stands = self._stands(slot, whose)
        if slot in self._practice.cancelled:
            await gate.refuse(Reason.CHANGED, inquiry, UNKNOWN)
            return Withheld()
        if stands.patient is None:
            await gate.refuse(Reason.UNVERIFIED, inquiry, stands)
            return Withheld()
        match await gate.decide(inquiry, stands, self._practice.situation(self._practice.person(slot), slot)):
            case Granted() as granted:
                return Told(self._practice.words(granted, words, values, whose))
            case Refused():
                return Withheld()

    async def cancel(self, slot: UUID) -> Done | Failed:
        if slot in self._practice.cancelled:
            return Failed()
        self._practice.cancelled.add(slot)
        return await super().cancel(slot)

    def _stands(self, slot: UUID, whose: UUID) -> Standing:
        card = None if self.proved is None else CardEvidence(UUID(int=3), _CALL, _PRACTICE, self.proved, NOW)
        return card_standing(
            card,
            slot=slot,
            subject=whose,
            provisional=False,
            call=_CALL,
            practice=_PRACTICE,
            now=NOW,
            life=timedelta(minutes=5),
        )


class Switchboard(MemorySwitchboard):
    """What was proved dies by being put through, whether or not the line may be rung (P2)."""

    def __init__(self, verifier: Verifier, references: GatedReferences) -> None:
        super().__init__(verifier)
        self._proofs = (verifier, references)

    async def put_through(self) -> MayRing | MayNotRing:
        _end(*self._proofs)
        return await super().put_through()


class Lobby(MemoryLobby):
    """What was proved dies with a talk."""

    def __init__(self, verifier: Verifier, references: GatedReferences) -> None:
        super().__init__(verifier)
        self._proofs = (verifier, references)

    async def left(self, *, met: bool) -> Parted:
        if met:
            _end(*self._proofs)
        return await super().left(met=met)


def _end(verifier: Verifier, references: GatedReferences) -> None:
    verifier.forget()
    references.proved = None


def _inquiry(words: Prompt, known: frozenset[str], reference: UUID) -> Inquiry:
    optional = frozenset(FIELD_LABELS[path] for path in words.optional & known)
    told = frozenset(FIELD_LABELS[path] for path in words.fields - words.optional) - {Category.PUBLIC}
    told |= {Category.APPOINTMENT_EXISTS}
    return Inquiry(with_implied(told), optional, (f"bound:{reference}",), {"key": words.key}, words.key)
