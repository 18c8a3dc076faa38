"""A practice in memory behind the product's own gate: whoever calls hears of a patient what that lets out, and no more.

Every value of a patient is a canary: it stands nowhere else. Evidence ends here as it does in a call: with a new claim,
with whoever else takes the telephone, and with its age.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import cast
from uuid import UUID

from callcenter.audit.ledger import Entry, Writing
from callcenter.disclosure.exits import Spoken, release, words_of
from callcenter.disclosure.gate import Gate, Granted, Inquiry, Reason, Refused, Situation
from callcenter.disclosure.policy import load_policy
from callcenter.flow.conversation import Line
from callcenter.flow.language import Act, Channel, Lookup
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
from callcenter.flow.prompts import Prompt, PromptBook
from callcenter.identity.evidence import UNKNOWN, CardEvidence, Factor, Standing, card_standing
from callcenter.kernel.labels import FIELD_LABELS, Category, with_implied
from callcenter.kernel.levels import Level
from callcenter.kernel.protected import Protected
from tests.unit.flow.doubles import (
    NOW,
    Appointment,
    MemoryBooking,
    MemoryLobby,
    MemoryReferences,
    MemorySwitchboard,
    MemoryVerifier,
    Patient,
    _Challenge,
)

ROOT = Path(__file__).resolve().parents[3]
POLICY = load_policy(ROOT / "config/disclosure-policy.yaml")
#: Refusals that a proven flow never brings about: who calls has not proved enough, or it is about somebody else.
NEVER_IN_A_PROVEN_FLOW = frozenset(
    {Reason.LEVEL, Reason.NEVER, Reason.UNVERIFIED, Reason.OTHER_PATIENT, Reason.OTHER_SLOT, Reason.CARD}
)
_FIND = frozenset({Category.RECORD_EXISTS, Category.APPOINTMENT_EXISTS})
CALLBACK_CODE = "4719"
_CALL, _PRACTICE = UUID(int=1), UUID(int=2)
#: Words that are in no prompt of the shipped book: what needs level 3 by telephone.
_SPECIALITY = '\n  speciality_told:\n    text: "{{ appointment.speciality }}"\n'


def book_with_speciality(folder: Path) -> PromptBook:
    """The shipped book, with one more prompt, written into ``folder``."""
    for language in ("fr", "en"):
        text = (ROOT / "flows/prompts" / f"{language}.yaml").read_text()
        (folder / f"{language}.yaml").write_text(text + _SPECIALITY)
    return PromptBook.load(folder / "fr.yaml")


# --- who is on file


@dataclass(frozen=True, slots=True)
class Visit(Appointment):
    """One appointment, and the card that was printed for it.

    Arguments:
        whose: identifier of the file.
        card: eight digits.
    """

    whose: UUID
    practitioner: str
    speciality: str
    place: str
    card: str

    def canaries(self) -> frozenset[str]:
        """What must be heard by nobody else. Month and year alone tell nothing: days are each patient's own."""
        return frozenset({self.practitioner, self.speciality, self.place})


@dataclass(frozen=True, slots=True)
class Person(Patient):
    """One patient.

    Arguments:
        id: of the file.
        visits: to come.
    """

    id: UUID = field(default_factory=lambda: UUID(int=0))
    visits: tuple[Visit, ...] = ()


def people() -> tuple[Person, ...]:
    """Two who have something to come and share a telephone, one who has nothing, one of whom nothing may be told."""
    shared, alone = "+33639980001", "+33639980002"
    return (
        _person(1, date(1962, 3, 14), shared, (3, 40)),
        _person(2, date(1948, 3, 5), shared, (5, 41)),
        _person(3, date(1930, 1, 1), alone, ()),
        _person(4, date(2015, 6, 7), alone, (7,)),
    )


def _person(number: int, born: date, telephone: str, days: Sequence[int]) -> Person:
    visits = tuple(
        Visit(
            UUID(int=100 * number + day),
            NOW + timedelta(days=day, minutes=number),
            UUID(int=number),
            f"Dr Aline CANARI{number}X{day}",
            f"spécialité canari {number} {day}",
            f"salle canari {number} {day}",
            f"{number:04d}{day:04d}",
        )
        for day in days
    )
    return Person(born, frozenset({telephone}), telephone, (), id=UUID(int=number), visits=visits)


# --- what is on record


class Pen:
    """Stands for the ledger's: what the gate decided, in order."""

    is_open = True

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    async def add(self, entry: Entry) -> UUID:
        self.entries.append(entry)
        return UUID(int=len(self.entries))

    def refusals(self) -> list[Reason]:
        """Why the gate refused, each time."""
        return [Reason(str(one.content["reason"])) for one in self.entries if one.content["decision"] == "refused"]

    def grants(self) -> int:
        return sum(one.content["decision"] == "granted" for one in self.entries)


# --- the ports


@dataclass(slots=True)
class Practice:
    """What the ports of one call share.

    Arguments:
        marked: files in which there is now a mark that withholds everything.
        aged: what was proved in this call was once too old already.
        pen: of this turn.
    """

    book: PromptBook
    people: tuple[Person, ...]
    public: Mapping[str, str | bool]
    channel: Channel = Channel.VOICE
    marked: set[UUID] = field(default_factory=set)
    cancelled: set[UUID] = field(default_factory=set)
    aged: bool = False
    pen: Pen = field(default_factory=Pen)

    def gate(self) -> Gate:
        return Gate(POLICY, self.channel, cast(Writing, self.pen), {}, {}, NOW.date())

    def person(self, visit: UUID) -> Person:
        return next(one for one in self.people if one.id == self.visit(visit).whose)

    def visit(self, reference: UUID) -> Visit:
        return next(each for one in self.people for each in one.visits if each.reference == reference)

    def to_come(self, person: Person, after: UUID | None = None) -> list[Visit]:
        begins = NOW if after is None else self.visit(after).starts_at
        visits = (one for one in person.visits if one.starts_at > begins and one.reference not in self.cancelled)
        return sorted(visits, key=lambda one: one.starts_at)

    def situation(self, person: Person, slot: UUID | None = None) -> Situation:
        return Situation(
            patient=person.id,
            birth_date=Protected(person.birth_date, Category.CONTACT_DETAILS, person.id),
            deceased=False,
            homonym=False,
            doubtful=person.id in self.marked,
            fictitious=False,
            contact_restricted=False,
            sensitive=False,
            practice_has_sensitive=False,
            slot=slot,
        )

    def words(self, granted: Granted, words: Prompt, values: Mapping[str, object], subject: UUID) -> Spoken:
        """What the gate lets out of ``values``, in words."""
        named = {path: value for path, value in values.items() if path in words.fields}
        protected = {path: Protected(value, FIELD_LABELS[path], subject) for path, value in named.items()}

        def phrase(opened: Mapping[str, object]) -> str:
            return words.render({**self.public, **opened}, today=NOW.date())

        return release(granted.receipt, words.key, protected, phrase, words.language)


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
    return Inquiry(with_implied(told), optional, (f"bound:{reference}",), {"key": words.key}, words.key)


# --- what was heard


def heard(said: Iterable[object]) -> str:
    """All words of ``said``, public or not, as they reach the ear."""
    return " ".join(one.text if isinstance(one, Line) else words_of(cast(Spoken, one)) for one in said)


def whose_canaries(text: str, everybody: Iterable[Person]) -> set[UUID]:
    """Whose values are in ``text``, however a name is spoken."""
    folded = text.casefold()
    return {
        person.id
        for person in everybody
        if any(_spoken(canary) in folded for visit in person.visits for canary in visit.canaries())
    }


def _spoken(canary: str) -> str:
    """A practitioner's name is said with its title in full: what is searched for is the name alone."""
    return canary.split()[-1].casefold() if canary.startswith("Dr ") else canary.casefold()


def another_code(right: str, chance: Random) -> str:
    """Six digits that are not ``right``."""
    wrong = f"{chance.randrange(10**6):06d}"
    return wrong if wrong != right else f"{(int(right) + 1) % 10**6:06d}"
