"""Any order of events: the database says after each of them what the model says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.routing.queue import Arrival, Entered
from callcenter.routing.reservations import Accepted
from callcenter.routing.rules import Rule, choose_rule
from callcenter.routing.values import EntryState, LeftReason, Limits, PresenceState, Priority, Strategy
from callcenter.store.database import Database
from callcenter.store.schema import APP
from tests.conftest import ROOT, TODAY, Cluster
from tests.integration.routing.conftest import NAME
from tests.integration.routing.floor import Floor, emptied
from tests.integration.routing.model import Caller, Model, Offer, Person
from tests.soaking import seeds

T = TypeVar("T")

#: Seeds of a run; ``make soak`` has more.
SEEDS = seeds(3)
#: Sequences of fifty events a seed.
EXAMPLES = 6 if len(SEEDS) <= 3 else 40
LIMITS = Limits(callback_attempts=2, callback_again=timedelta(seconds=20))
EVERYBODY = {0, 1, 2}
ANYBODY = st.integers(0, 99)


class Loop:
    """A loop in a thread of its own, for tests that wait for it step by step."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


class QueueMachine(RuleBasedStateMachine):
    """Acts of callers and operators, time, and sweeps, in any order."""

    def __init__(self, loop: Loop, database: Database, root: Database) -> None:
        super().__init__()
        self.loop, self.root = loop, root
        self.floor = Floor(database, DrivenClock(TODAY), SeededRandom(11), LIMITS)

    @initialize(strategy=st.sampled_from(Strategy))
    def opens(self, strategy: Strategy) -> None:
        self.loop.run(emptied(self.root))
        self.loop.run(self._people(strategy))

    async def _people(self, strategy: Strategy) -> None:
        floor, now = self.floor, self.floor.clock.now()
        await floor.open()
        async with floor.database.house() as connection:
            await choose_rule(connection, floor.organisation, Rule(strategy, 0))
        self.model = Model(strategy, LIMITS, now)
        self.practices = [await floor.practice(), await floor.practice()]
        first, second = self.practices
        for practices, languages in (([first], ["fr"]), ([second], ["fr"]), ([first, second], ["fr", "en"])):
            staff = await floor.operator(*practices, languages=languages)
            self.model.people[staff] = Person(staff, frozenset(practices), frozenset(languages), now, now)

    # --- callers

    @rule(
        practice=st.integers(0, 1),
        language=st.sampled_from(["fr", "fr", "en"]),
        priority=st.sampled_from([Priority.ORDINARY, Priority.ORDINARY, Priority.OVERFLOW, Priority.PROFESSIONAL]),
    )
    def a_call_enters(self, practice: int, language: str, priority: Priority) -> None:
        practice_id, now = self.practices[practice], self.floor.clock.now()
        call = self.loop.run(self.floor.waits(practice_id, language=language, priority=priority))
        number = len(self.model.callers)
        self.model.callers[call] = Caller(call, practice_id, language, priority, now, number)

    @precondition(lambda self: self._present())
    @rule(which=ANYBODY)
    def a_call_enters_again(self, which: int) -> None:
        caller = self._one(self._present(), which)
        arrival = Arrival(caller.call, caller.practice, caller.language)
        assert self._do(self.floor.queue.enter, arrival) is Entered.THERE

    @precondition(lambda self: self.model.callers)
    @rule(which=ANYBODY, reason=st.sampled_from([LeftReason.HUNG_UP, LeftReason.HUNG_UP, LeftReason.MESSAGE]))
    def a_caller_leaves(self, which: int, reason: LeftReason) -> None:
        caller = self._one(list(self.model.callers.values()), which)
        departed = self._do(self.floor.queue.leave, caller.call, reason)
        assert (departed is not None) == self.model.leave(caller, reason)

    @precondition(lambda self: self.model.callers)
    @rule(which=ANYBODY)
    def a_caller_asks_to_be_rung_back(self, which: int) -> None:
        caller = self._one(list(self.model.callers.values()), which)
        assert self._do(self.floor.queue.ask_callback, caller.call) == self.model.ask_callback(caller)

    # --- the queue

    @rule()
    def calls_are_offered(self) -> None:
        expected = self.model.pairs()
        made = self.loop.run(self.floor.reserve())
        assert [(one.call, one.staff) for one in made] == [(caller.call, person.staff) for caller, person in expected]
        for one, (caller, person) in zip(made, expected, strict=True):
            self.model.offered(Offer(one.id, caller, person, one.ends_at))

    @rule()
    def somebody_sweeps(self) -> None:
        self.loop.run(self.floor.sweeping.sweep(self.floor.clock.now()))
        self.model.sweep()

    @rule(seconds=st.sampled_from([1, 5, 20, 20, 31, 61]), awake=st.sampled_from([EVERYBODY] * 4 + [{0}, set()]))
    def time_goes_by(self, seconds: int, awake: set[int]) -> None:
        self.floor.clock.advance(seconds)
        self.model.now = self.floor.clock.now()
        for number, person in enumerate(self.model.people.values()):
            if number in awake:
                self.loop.run(self.floor.sees(person.staff))
                self.model.seen(person)

    @rule()
    def calls_ring_in_vain(self) -> None:
        """Several events in a row, which chance would seldom bring together."""
        self.calls_are_offered()
        self.time_goes_by(seconds=20, awake=EVERYBODY)
        self.somebody_sweeps()

    # --- operators

    @rule(which=ANYBODY, to=st.sampled_from([PresenceState.AVAILABLE, PresenceState.LUNCH, PresenceState.OFFLINE]))
    def an_operator_moves(self, which: int, to: PresenceState) -> None:
        person = self._one(list(self.model.people.values()), which)
        assert self.loop.run(self.floor.moves(person.staff, to)) == self.model.move(person, to)

    @precondition(lambda self: self.model.offers)
    @rule(which=ANYBODY, clicks=st.integers(1, 2))
    def an_operator_accepts(self, which: int, clicks: int) -> None:
        offer = self._one(self.model.offers, which)
        for _ in range(clicks):
            accepted = self._do(self.floor.reservations.accept, offer.id, offer.person.staff)
            assert isinstance(accepted, Accepted) == self.model.accept(offer)

    @precondition(lambda self: self.model.offers)
    @rule(which=ANYBODY, act=st.sampled_from(["refuse", "unreached", "dropped", "over"]))
    def an_offer_ends(self, which: int, act: str) -> None:
        offer = self._one(self.model.offers, which)
        done = self._do(getattr(self.floor.reservations, act), offer.id, offer.person.staff)
        assert done == getattr(self.model, act)(offer)

    @precondition(lambda self: self.model.offers)
    @rule(which=ANYBODY)
    def two_are_connected(self, which: int) -> None:
        offer = self._one(self.model.offers, which)
        done = self._do(self.floor.reservations.connected, offer.id, offer.person.staff)
        assert done == self.model.connect(offer)

    @precondition(lambda self: self._present())
    @rule(which=ANYBODY)
    def somebody_is_rung_back_in_vain(self, which: int) -> None:
        """Several events in a row, which chance would seldom bring together."""
        caller = self._one(self._present(), which)
        assert self._do(self.floor.queue.ask_callback, caller.call) == self.model.ask_callback(caller)
        self.calls_are_offered()
        for offer in [one for one in self.model.offers if one.caller is caller]:
            accepted = self._do(self.floor.reservations.accept, offer.id, offer.person.staff)
            assert isinstance(accepted, Accepted) == self.model.accept(offer)
            done = self._do(self.floor.reservations.unreached, offer.id, offer.person.staff)
            assert done == self.model.unreached(offer)

    @precondition(lambda self: self.model.offers)
    @rule(which=ANYBODY, thief=ANYBODY)
    def somebody_else_accepts(self, which: int, thief: int) -> None:
        offer = self._one(self.model.offers, which)
        others = [person for person in self.model.people.values() if person is not offer.person]
        accepted = self._do(self.floor.reservations.accept, offer.id, self._one(others, thief).staff)
        assert not isinstance(accepted, Accepted)

    # --- what must agree

    @invariant()
    def the_database_agrees(self) -> None:
        if not hasattr(self, "model"):
            return
        callers, people = self.loop.run(self._told())
        model = self.model
        assert callers == {
            one.call: (one.state, one.kind, one.place, one.offers, one.attempts, one.left)
            for one in model.callers.values()
        }
        assert people == {
            one.staff: (one.state, one.idle_since, one.missed, one.calls) for one in model.people.values()
        }

    async def _told(self) -> tuple[dict[UUID, Any], dict[UUID, Any]]:
        callers = await self.floor.run(
            "SELECT call_id, state, kind, place, offers, attempts, left_reason FROM queue_entry"
        )
        people = await self.floor.run("SELECT staff_id, state, idle_since, missed_in_a_row, calls FROM presence")
        return {row[0]: tuple(row[1:]) for row in callers}, {row[0]: tuple(row[1:]) for row in people}

    def teardown(self) -> None:
        if hasattr(self, "model"):
            assert self.loop.run(self.floor.broken()) == {}

    def _do(self, act: Callable[..., Any], *args: object) -> Any:
        return self.loop.run(self.floor.do(act, *args))

    def _present(self) -> list[Caller]:
        return [one for one in self.model.callers.values() if one.state is not EntryState.LEFT]

    @staticmethod
    def _one(several: list[T], which: int) -> T:
        return several[which % len(several)]


@pytest.fixture
def machine_loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.mark.parametrize("number", SEEDS)
def test_the_database_agrees_with_the_model_whatever_happens(
    cluster: Cluster, routing_database: Database, machine_loop: Loop, number: int
) -> None:
    """``routing_database`` is made by the loop of all tests; the machine reaches it by connections of its own."""
    print(f"seed {number}")
    database = Database(cluster.server.url(user=APP, database=NAME), pool_size=2)
    root = Database(cluster.server.url(user=ROOT, database=NAME), pool_size=1)

    def machine() -> QueueMachine:
        return QueueMachine(machine_loop, database, root)

    try:
        run_state_machine_as_test(
            seed(number)(machine),
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=50,
                deadline=None,
                database=None,
                phases=[Phase.generate],  # making a failure smaller takes minutes: do that by hand
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        machine_loop.run(database.close())
        machine_loop.run(root.close())
