"""The queue as one would tell it to somebody: lists and rules, no database. What the database says must agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from callcenter.routing.presence import MOVES
from callcenter.routing.values import EntryKind, EntryState, LeftReason, Limits, PresenceState, Strategy

S, E = PresenceState, EntryState


@dataclass
class Person:
    """An operator."""

    staff: UUID
    practices: frozenset[UUID]
    languages: frozenset[str]
    idle_since: datetime
    seen_at: datetime
    state: PresenceState = S.AVAILABLE
    turn: int = 0
    calls: int = 0
    missed: int = 0


@dataclass
class Caller:
    """A call of the queue."""

    call: UUID
    practice: UUID
    language: str
    priority: int
    place: datetime
    number: int
    state: EntryState = E.WAITING
    kind: EntryKind = EntryKind.LIVE
    attempts: int = 0
    offers: int = 0
    not_before: datetime | None = None
    passed: tuple[UUID, datetime] | None = None
    left: LeftReason | None = None


@dataclass
class Offer:
    """A live reservation."""

    id: UUID
    caller: Caller
    person: Person
    ends_at: datetime
    accepted_at: datetime | None = None
    connected: bool = False


@dataclass
class Model:
    """Everything.

    Arguments:
        now: as the clock of the database's side says.
    """

    strategy: Strategy
    limits: Limits
    now: datetime
    people: dict[UUID, Person] = field(default_factory=dict)
    callers: dict[UUID, Caller] = field(default_factory=dict)
    offers: list[Offer] = field(default_factory=list)
    turns: int = 0

    # --- who with whom

    def pairs(self) -> list[tuple[Caller, Person]]:
        """Who would be offered to whom, one after the other."""
        made: list[tuple[Caller, Person]] = []
        while pair := self._next(made):
            made.append(pair)
        return made

    def _next(self, made: Sequence[tuple[Caller, Person]]) -> tuple[Caller, Person] | None:
        gone = {caller.call for caller, _ in made}
        taken = {person.staff for _, person in made}
        waiting = [one for one in self.callers.values() if one.state is E.WAITING and one.call not in gone]
        for caller in sorted(waiting, key=lambda one: (one.priority, one.place, one.number)):
            if caller.not_before is not None and caller.not_before > self.now:
                continue
            fit = [one for one in self.people.values() if one.staff not in taken and self._fits(caller, one)]
            if fit:
                return caller, min(fit, key=self._rank)
        return None

    def _fits(self, caller: Caller, person: Person) -> bool:
        just_passed = (
            caller.passed is not None
            and caller.passed[0] == person.staff
            and self.now < caller.passed[1] + self.limits.passed_over
        )
        return (
            person.state is S.AVAILABLE
            and self.now < person.seen_at + self.limits.unseen
            and caller.practice in person.practices
            and caller.language in person.languages
            and not just_passed
        )

    def _rank(self, person: Person) -> tuple[int, datetime, bytes]:
        first = {Strategy.LONGEST_IDLE: 0, Strategy.ROUND_ROBIN: person.turn, Strategy.FEWEST_CALLS: person.calls}
        return first[self.strategy], person.idle_since, person.staff.bytes

    def offered(self, offer: Offer) -> None:
        self.turns += 1
        offer.person.turn, offer.person.state = self.turns, S.RESERVED
        offer.caller.state, offer.caller.offers = E.RESERVED, offer.caller.offers + 1
        self.offers.append(offer)

    def offer_of(self, staff: UUID) -> Offer | None:
        return next((one for one in self.offers if one.person.staff == staff), None)

    # --- what becomes of an offer

    def accept(self, offer: Offer) -> bool:
        if offer.accepted_at is None:
            if self.now >= offer.ends_at:
                return False
            offer.accepted_at, offer.person.missed = self.now, 0
            if offer.caller.kind is EntryKind.CALLBACK:
                offer.caller.attempts += 1
        return True

    def refuse(self, offer: Offer) -> bool:
        if offer.accepted_at is not None:
            return False
        self._pass_on(offer, S.AVAILABLE)
        return True

    def miss(self, offer: Offer, *, gone: bool) -> None:
        offer.person.missed += 1
        paused = offer.person.missed >= self.limits.missed_before_pause
        self._pass_on(offer, S.OFFLINE if gone else S.BREAK if paused else S.AVAILABLE)

    def _pass_on(self, offer: Offer, state: PresenceState) -> None:
        self.offers.remove(offer)
        offer.caller.state, offer.caller.passed = E.WAITING, (offer.person.staff, self.now)
        offer.person.state, offer.person.idle_since = state, self.now

    def connect(self, offer: Offer) -> bool:
        if offer.accepted_at is None:
            return False
        if not offer.connected:
            offer.connected, offer.caller.state, offer.person.state = True, E.CONNECTED, S.ON_CALL
            offer.person.calls += 1
        return True

    def unreached(self, offer: Offer) -> bool:
        if offer.accepted_at is None or offer.connected or offer.caller.kind is EntryKind.LIVE:
            return False
        self._back_or_given_up(offer, self.now + self.limits.callback_again)
        offer.person.state, offer.person.idle_since = S.AVAILABLE, self.now
        return True

    def _back_or_given_up(self, offer: Offer, not_before: datetime) -> None:
        self.offers.remove(offer)
        if offer.caller.attempts >= self.limits.callback_attempts:
            offer.caller.state, offer.caller.left = E.LEFT, LeftReason.UNREACHED
        else:
            offer.caller.state, offer.caller.not_before = E.WAITING, not_before

    def dropped(self, offer: Offer) -> bool:
        if offer.accepted_at is None:
            return False
        if offer.caller.kind is EntryKind.CALLBACK:
            self._back_or_given_up(offer, self.now + self.limits.ring_back)
        else:
            self.offers.remove(offer)
            offer.caller.state, offer.caller.passed = E.WAITING, (offer.person.staff, self.now)
        offer.person.idle_since, offer.person.state = self.now, S.AVAILABLE
        if not offer.connected:
            offer.person.missed += 1
            if offer.person.missed >= self.limits.missed_before_pause:
                offer.person.state = S.BREAK
        return True

    def over(self, offer: Offer) -> bool:
        if not offer.connected:
            return False
        self.offers.remove(offer)
        offer.caller.state, offer.caller.left = E.LEFT, LeftReason.ANSWERED
        offer.person.state, offer.person.idle_since = S.AVAILABLE, self.now
        return True

    # --- callers

    def leave(self, caller: Caller, reason: LeftReason) -> bool:
        offer = next((one for one in self.offers if one.caller is caller), None)
        if caller.state is E.LEFT:
            return False
        if caller.state is E.CONNECTED and offer is not None:
            return self.over(offer)
        if caller.kind is EntryKind.CALLBACK and reason is LeftReason.HUNG_UP:
            return False
        self._withdraw(offer)
        caller.state, caller.left = E.LEFT, reason
        return True

    def ask_callback(self, caller: Caller) -> bool:
        offer = next((one for one in self.offers if one.caller is caller), None)
        if caller.kind is EntryKind.CALLBACK and caller.state is not E.LEFT:
            return True
        if caller.state not in (E.WAITING, E.RESERVED) or (offer is not None and offer.accepted_at is not None):
            return False
        self._withdraw(offer)
        caller.state, caller.kind = E.WAITING, EntryKind.CALLBACK
        return True

    def _withdraw(self, offer: Offer | None) -> None:
        if offer is not None:
            self.offers.remove(offer)
            offer.person.state = S.AVAILABLE

    # --- people and time

    def move(self, person: Person, to: PresenceState) -> bool:
        if to not in MOVES[person.state]:
            return to is person.state and bool(MOVES[to]) and to is not S.WRAP_UP
        person.state, person.idle_since, person.missed = to, self.now, 0
        person.seen_at = max(person.seen_at, self.now)
        return True

    def seen(self, person: Person) -> None:
        if person.state is not S.OFFLINE:
            person.seen_at = self.now

    def sweep(self) -> None:
        for offer in list(self.offers):
            if offer.accepted_at is None and self.now >= offer.ends_at:
                self.miss(offer, gone=False)
        gone = [one for one in self.people.values() if self.now >= one.seen_at + self.limits.unseen]
        for person in gone:
            offer = self.offer_of(person.staff)
            if offer is not None and offer.accepted_at is None:
                self.miss(offer, gone=True)
            elif person.state not in (S.RESERVED, S.ON_CALL):
                person.state = S.OFFLINE
        for offer in list(self.offers):
            rung = offer.caller.kind is EntryKind.CALLBACK
            patience = self.limits.ring_back if rung else self.limits.connect
            late = offer.accepted_at is not None and self.now >= offer.accepted_at + patience
            if late and not offer.connected and not self.unreached(offer):
                self._withdraw(offer)
                offer.caller.state = E.WAITING
