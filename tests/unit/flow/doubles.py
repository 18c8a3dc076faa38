"""The ports of a flow in memory, and a caller to ring with: a whole call with nothing but values.

They keep the promises of the real ports: a decoy code where no patient matches, a count before each comparison, no
answer from a record without a level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from random import Random
from uuid import UUID

from callcenter.flow.conversation import (
    Event,
    HangUp,
    Keyed,
    Line,
    PutThrough,
    Question,
    Rang,
    Recorded,
    Recording,
    Reply,
    Started,
)
from callcenter.flow.engine import advance
from callcenter.flow.language import Act, Flow, Lookup
from callcenter.flow.outcomes import Prompts
from callcenter.flow.ports import (
    Addressee,
    Admitted,
    BookablePractitioner,
    BookingMade,
    CallbackRequest,
    Caller,
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
    NoSlot,
    NotAdmitted,
    Nothing,
    NotKnown,
    Offered,
    Parted,
    SlotKnown,
    Told,
    VerificationDown,
    Withheld,
    World,
)
from callcenter.flow.state import State, initial
from callcenter.kernel.levels import Level

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
TRIES = 3
CHALLENGES = 3


@dataclass(frozen=True, slots=True)
class Appointment:
    reference: UUID
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Patient:
    """One row: on file under ``telephones``; codes go to ``mobile``; ``withheld`` is whatever makes the gate refuse."""

    birth_date: date
    telephones: frozenset[str]
    mobile: str | None
    appointments: tuple[Appointment, ...] = ()
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """Words about a patient."""

    prompt: str
    text: str


@dataclass(frozen=True, slots=True)
class _Challenge:
    code: str
    patient: Patient | None
    tries: int = TRIES


class MemoryVerifier:
    """Verifies against a table of patients.

    Arguments:
        grants: the level that a right code proves.
        down: the counters cannot be read; may be switched during a call.
    """

    def __init__(self, patients: Sequence[Patient], *, grants: Level = Level.VERIFIED, seed: int = 1) -> None:
        self.down = False
        self.sent: list[tuple[str, str]] = []  # (telephone, code) of every code that really left
        self.verified: Patient | None = None
        self.level = Level.UNKNOWN
        self.checked: list[str] = []
        self.claims: list[tuple[date, str]] = []
        self._patients = patients
        self._grants = grants
        self._random = Random(seed)
        self._open: _Challenge | None = None

    async def standing(self) -> Level:
        return self.level

    async def open_challenge(self, birth_date: date, telephone: str) -> CodeSent | NoMoreCodes | VerificationDown:
        if self.down:
            return VerificationDown()
        if len(self.claims) == CHALLENGES:
            return NoMoreCodes()
        self.claims.append((birth_date, telephone))
        matching = [row for row in self._patients if row.birth_date == birth_date and telephone in row.telephones]
        code = f"{self._random.randrange(10**6):06}"
        patient = matching[0] if len(matching) == 1 and matching[0].mobile else None
        self._open = _Challenge(code, patient)
        if patient is not None and patient.mobile is not None:
            self.sent.append((patient.mobile, code))
        return CodeSent()

    async def check_code(self, keys: str) -> CodeRight | CodeWrong | ChallengeOver | VerificationDown:
        if self.down:
            return VerificationDown()
        if self._open is None:
            return ChallengeOver()
        self.checked.append(keys)
        challenge = replace(self._open, tries=self._open.tries - 1)
        if challenge.patient is not None and keys == challenge.code:
            self._open, self.verified, self.level = None, challenge.patient, self._grants
            return CodeRight(self._grants)
        self._open = challenge if challenge.tries else None
        return CodeWrong() if challenge.tries else ChallengeOver()


class MemoryRecord:
    """The appointments of whoever ``verifier`` has verified, with a ledger of what was let out."""

    def __init__(self, verifier: MemoryVerifier) -> None:
        self.ledger: list[tuple[str, str]] = []
        self.acts: list[tuple[Act, UUID]] = []
        self._verifier = verifier
        self._cancelled: set[UUID] = set()

    async def find(self, what: Lookup, after: UUID | None) -> Found | Nothing | Withheld:
        if self._withheld():
            return Withheld()
        self.ledger.append(("find", what.value))
        standing = self._standing()
        if what is Lookup.FOLLOWING_APPOINTMENT and after is not None:
            earlier = self._all()[after]
            standing = [appointment for appointment in standing if appointment.starts_at > earlier.starts_at]
        return Found(standing[0].reference) if standing else Nothing()

    async def tell(self, prompt: str, bound: Mapping[str, UUID], language: str = "fr") -> Told | Withheld:
        appointment = self._all().get(bound["appointment"]) if "appointment" in bound else None
        if self._withheld() or appointment is None:
            return Withheld()
        self.ledger.append(("tell", prompt))
        return Told(Words(prompt, f"{appointment.starts_at:%d/%m/%Y %H:%M}"))

    async def perform(self, act: Act, reference: UUID) -> Done | Failed:
        if self._withheld() or reference not in {appointment.reference for appointment in self._standing()}:
            return Failed()
        self.acts.append((act, reference))
        if act is Act.CANCEL_APPOINTMENT:
            self._cancelled.add(reference)
        return Done()

    def cancel_elsewhere(self, reference: UUID) -> None:
        """The practice cancels it while the call goes on."""
        self._cancelled.add(reference)

    def _withheld(self) -> bool:
        return self._verifier.verified is None or self._verifier.verified.withheld

    def _all(self) -> dict[UUID, Appointment]:
        patient = self._verifier.verified
        return {appointment.reference: appointment for appointment in patient.appointments} if patient else {}

    def _standing(self) -> list[Appointment]:
        kept = (appointment for appointment in self._all().values() if appointment.reference not in self._cancelled)
        return sorted(kept, key=lambda appointment: appointment.starts_at)


class MemorySwitchboard:
    """The practice's own telephone.

    Arguments:
        verifier: what it has proved dies with being put through.
    """

    def __init__(self, verifier: MemoryVerifier) -> None:
        self.may_ring = True
        self.rang: list[Rang] = []
        self._verifier = verifier

    async def put_through(self) -> MayRing | MayNotRing:
        self._verifier.level, self._verifier.verified = Level.UNKNOWN, None
        return MayRing("+33465710090", "+33465710001") if self.may_ring else MayNotRing()

    async def came_back(self, rang: Rang) -> None:
        self.rang.append(rang)


class MemoryLobby:
    """Where callers wait for operators; nobody is on duty until ``admits`` says so.

    Arguments:
        verifier: what it has proved dies with a talk.
    """

    def __init__(self, verifier: MemoryVerifier) -> None:
        self.admits = False
        self.parts: Parted = Parted.UNANSWERED
        self.entered: list[tuple[str, bool]] = []
        self._verifier = verifier

    async def enter(self, language: str, *, relayed: bool) -> Admitted | NotAdmitted:
        if not self.admits:
            return NotAdmitted()
        self.entered.append((language, relayed))
        return Admitted("waiting")

    async def left(self, *, met: bool) -> Parted:
        if self.parts in (Parted.CONNECTED, Parted.CUT_OFF):
            self._verifier.level, self._verifier.verified = Level.UNKNOWN, None
        return self.parts


class MemoryMessages:
    def __init__(self) -> None:
        self.inbox: list[CallbackRequest] = []
        self.voices: list[tuple[UUID, Recorded]] = []
        self.practitioners: tuple[Addressee, ...] = ()

    async def leave(self, request: CallbackRequest) -> UUID:
        self.inbox.append(request)
        return UUID(int=len(self.inbox))

    async def add_voice(self, message: UUID, recorded: Recorded) -> None:
        self.voices.append((message, recorded))

    async def addressees(self) -> Sequence[Addressee]:
        return self.practitioners


class MemoryOutreach:
    """Keeps what was asked for; reads no file, as the real one."""

    CODE = "4719"

    def __init__(self) -> None:
        self.reminders: list[tuple[date, str]] = []
        self.calls: list[tuple[date, str]] = []

    async def send_reminder(self, birth_date: date, telephone: str) -> None:
        self.reminders.append((birth_date, telephone))

    async def return_call(self, birth_date: date, telephone: str) -> str:
        self.calls.append((birth_date, telephone))
        return self.CODE


class MemoryBooking:
    """Free slots of some practitioners, and what was booked of them."""

    def __init__(self, practitioners: Sequence[BookablePractitioner] = (), slots: Sequence[datetime] = ()) -> None:
        self.free = list(slots)
        self.booked: list[tuple[datetime, date, str]] = []
        self.asked: list[str] = []
        self.held: datetime | None = None
        self.offers = 3
        self._practitioners = list(practitioners)
        self._offered = 0

    async def practitioners(self) -> Sequence[BookablePractitioner]:
        return self._practitioners

    async def offer(self, practitioner: UUID) -> Offered | NoSlot:
        self.asked.append("offer")
        later = [slot for slot in self.free if self.held is None or slot > self.held]
        if not later or self._offered == self.offers:
            self.held = None
            return NoSlot()
        self.held = later[0]
        self._offered += 1
        name = next(one.name for one in self._practitioners if one.id == practitioner)
        return Offered(name, later[0])

    async def book(self, birth_date: date, number: str) -> BookingMade | NoSlot:
        if self.held is None or self.held not in self.free:
            return NoSlot()
        self.free.remove(self.held)
        self.booked.append((self.held, birth_date, number))
        return BookingMade("48271936")

    async def release(self) -> None:
        self.held = None


class MemoryReferences:
    """Slots by their references, each with the birth date that goes with it, behind a count of tries."""

    def __init__(self, slots: Mapping[str, tuple[UUID, date, datetime]], booking: MemoryBooking) -> None:
        self.slots = dict(slots)
        self.tried: list[str] = []
        self.ledger: list[tuple[str, str]] = []
        self.cancelled: list[UUID] = []
        self.moved: list[UUID] = []
        self.withheld = False
        self.proved: UUID | None = None
        self._booking = booking

    async def find(self, reference: str) -> SlotKnown | NotKnown:
        self.tried.append(reference)
        known = self.slots.get(reference)
        if known is None or known[0] in self.cancelled or len(self.tried) > TRIES:
            return NotKnown(last=len(self.tried) >= TRIES)
        self.tried.pop()
        return SlotKnown(known[0])

    async def card_stands(self, slot: UUID) -> bool:
        return self.proved == slot

    async def check_birth_date(self, slot: UUID, birth_date: date) -> CardRight | NotKnown:
        self.tried.append(birth_date.isoformat())
        if birth_date != self._of(slot)[1] or len(self.tried) > TRIES:
            return NotKnown(last=len(self.tried) >= TRIES)
        self.proved = slot
        return CardRight()

    async def tell(self, prompt: str, slot: UUID, language: str = "fr") -> Told | Withheld:
        if self.withheld or self.proved != slot:
            return Withheld()
        self.ledger.append(("tell", prompt))
        return Told(Words(prompt, f"{self._of(slot)[2]:%d/%m/%Y %H:%M}"))

    async def cancel(self, slot: UUID) -> Done | Failed:
        if slot in self.cancelled:
            return Failed()
        self.cancelled.append(slot)
        return Done()

    async def offer(self, slot: UUID) -> Offered | NoSlot:
        practitioners = await self._booking.practitioners()
        return await self._booking.offer(practitioners[0].id) if practitioners else NoSlot()

    async def move(self, slot: UUID) -> Done | Failed:
        if self._booking.held is None:
            return Failed()
        self.moved.append(slot)
        return Done()

    def _of(self, slot: UUID) -> tuple[UUID, date, datetime]:
        return next(known for known in self.slots.values() if known[0] == slot)


@dataclass(frozen=True, slots=True)
class Echo:
    """A prompt whose words are its key and the public fields that it was given."""

    key: str
    language: str = "fr"

    def render(self, values: Mapping[str, object], /) -> str:
        return f"[{self.key}] {values.get('practice.name', '')}".strip()

    @property
    def fields(self) -> frozenset[str]:
        return frozenset({"slot.starts_at"}) if self.key == "slot_summary" else frozenset()


class EchoBook:
    """A book in which every key is a prompt."""

    def said(self, key: str, language: str, /) -> Echo:
        return Echo(key, language)


@dataclass
class Call:
    """One call of a flow. Between two turns the state goes through JSON, as it does between two webhooks."""

    flow: Flow
    patients: Sequence[Patient] = ()
    number: str | None = "+33639980001"
    public: Mapping[str, str | bool] = field(default_factory=dict)
    book: Prompts = field(default_factory=EchoBook)
    grants: Level = Level.VERIFIED
    now: datetime = NOW
    practitioners: Sequence[BookablePractitioner] = ()
    free: Sequence[datetime] = ()
    references_known: Mapping[str, tuple[UUID, date, datetime]] = field(default_factory=dict)
    replies: list[Reply] = field(default_factory=list)
    visited: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.verifier = MemoryVerifier(self.patients, grants=self.grants)
        self.record = MemoryRecord(self.verifier)
        self.messages = MemoryMessages()
        self.outreach = MemoryOutreach()
        self.booking = MemoryBooking(self.practitioners, self.free)
        self.references = MemoryReferences(self.references_known, self.booking)
        self.switchboard = MemorySwitchboard(self.verifier)
        self.lobby = MemoryLobby(self.verifier)
        self.state: State = initial(self.flow)

    @property
    def world(self) -> World:
        ports = (self.verifier, self.record, self.messages, self.outreach, self.booking, self.references)
        return World(self.now, Caller(self.number), self.public, *ports, self.switchboard, self.lobby)

    async def send(self, event: Event) -> Reply:
        turn = await advance(self.flow, self.book, self.state, event, self.world)
        self.state = State.from_json(turn.state.to_json())
        assert self.state == turn.state
        self.replies.append(turn.reply)
        self.visited.extend(turn.visited)
        return turn.reply

    async def ring(self) -> Reply:
        return await self.send(Started())

    async def press(self, *answers: str) -> Reply:
        """Answer so many questions; an answer that ends in ``#`` was ended by it, and ``""`` is silence."""
        reply = self.replies[-1]
        for keys in answers:
            reply = await self.send(Keyed(keys.removesuffix("#"), hash_key=keys.endswith("#")))
        return reply

    async def speak(self, reference: str = "RE1", seconds: int = 12) -> Reply:
        """Say a message, and end it."""
        return await self.send(Recorded(reference, seconds))

    async def type(self, keys: str) -> Reply:
        """Type without a pause: each question takes as many keys as it asks for, as with a carrier."""
        while keys:
            count = self.question.max_keys or len(keys)
            await self.send(Keyed(keys[:count]))
            keys = keys[count:]
        return self.replies[-1]

    @property
    def ended(self) -> bool:
        return bool(self.replies) and isinstance(self.replies[-1].then, HangUp)

    @property
    def question(self) -> Question:
        question = self.replies[-1].then
        assert isinstance(question, Question)
        return question

    def heard(self, reply: Reply | None = None) -> list[str]:
        """Prompts of the last reply, in the order in which they are heard."""
        reply = reply or self.replies[-1]
        asked = reply.then.lines if isinstance(reply.then, Question | Recording | PutThrough) else ()
        return [words.prompt for words in (*reply.before, *asked)]

    def words(self) -> list[str]:
        """All public words of the call and the form of its questions, as a caller who listens for hints notes them."""
        noted: list[str] = []
        for reply in self.replies:
            asked = reply.then.lines if isinstance(reply.then, Question) else ()
            noted += [words.text for words in (*reply.before, *asked) if isinstance(words, Line)]
            noted.append(
                f"{reply.then.max_keys}/{reply.then.seconds}" if isinstance(reply.then, Question) else "hangs up"
            )
        return noted
