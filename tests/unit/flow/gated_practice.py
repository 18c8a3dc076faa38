"""A practice in memory behind the product's own gate: its patients, what is on record, and what was heard of it.

Every value of a patient is a canary: it stands nowhere else.
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
from callcenter.disclosure.gate import Gate, Granted, Reason, Situation
from callcenter.disclosure.policy import load_policy
from callcenter.flow.conversation import Line
from callcenter.flow.language import Channel
from callcenter.flow.prompts import Prompt, PromptBook
from callcenter.kernel.labels import FIELD_LABELS, Category
from callcenter.kernel.protected import Protected
from tests.unit.flow.doubles import NOW, Appointment, Patient

ROOT = Path(__file__).resolve().parents[3]
POLICY = load_policy(ROOT / "config/disclosure-policy.yaml")
#: Refusals that a proven flow never brings about: who calls has not proved enough, or it is about somebody else.
NEVER_IN_A_PROVEN_FLOW = frozenset(
    {Reason.LEVEL, Reason.NEVER, Reason.UNVERIFIED, Reason.OTHER_PATIENT, Reason.OTHER_SLOT, Reason.CARD}
)
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
        return Gate(POLICY, self.channel, cast(Writing, self.pen), {}, {}, NOW.date(), sealed=True)

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
