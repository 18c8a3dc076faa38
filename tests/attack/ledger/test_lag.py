"""What is told while nothing is sealed could be taken off the record unseen: so nothing is (P4), and nobody is left
without a person, a message or a booking for it (P7).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from callcenter.app import fittings
from callcenter.app.alarms import LedgerAlarm
from callcenter.audit import watching
from callcenter.audit.ledger import Entry, EventKind, note
from callcenter.audit.watching import LedgerWatch, Watch
from callcenter.disclosure.gate import Gate
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.store.database import Database
from callcenter.telephony.alerts import Alerts
from callcenter.telephony.metrics import Metrics
from tests.attack.defence import FOILED, Defence, Outcome, Sabotage, attack, gained, replaced
from tests.attack.ground import Ground, ground_on
from tests.attack.scene import TILLEULS, House, heard_her_words, house_of, served
from tests.conftest import Cluster

ENTRY = Entry(EventKind.CALL_STARTED, {"kind": "ivr", "id": "callcenter"})
WATCHED = replaced(
    "a log that is behind is seen", "P4: what is told is sealed soon", Watch, "is_behind", lambda *_: False
)


def _the_gate_does_not_ask(sabotage: Sabotage) -> None:
    begins = Gate.__init__

    def always_sealed(self: Gate, *arguments: object, **named: object) -> None:
        begins(self, *arguments, **{**named, "sealed": True})  # type: ignore[arg-type]

    sabotage.replace(Gate, "__init__", always_sealed)


ASKED = Defence("the gate tells nothing that is not sealed in time", "P4", _the_gate_does_not_ask)


@pytest.fixture
async def watched_house(
    ground: Ground,
    clock: DrivenClock,
    sabotage: Sabotage,
    monkeypatch: pytest.MonkeyPatch,
    watched_as_installed: Callable[[Database, Alerts], AbstractAsyncContextManager[LedgerWatch]],
) -> AsyncIterator[House]:
    """A house that watches its ledger, as an installation does; of the practice a record has waited for an hour."""
    monkeypatch.setattr(fittings, "watched", watched_as_installed)
    monkeypatch.setattr(watching, "SETTLING", 0.0)
    await _waits_for_an_hour(ground, clock)
    async with served(house_of(ground, clock, sabotage)) as house:
        yield house


async def _waits_for_an_hour(ground: Ground, clock: DrivenClock, hours: int = 1) -> None:
    async with ground.app.practice(TILLEULS) as tx:
        await note(tx, ENTRY, clock, SystemRandom())
    await ground.change("ALTER TABLE audit_outbox DISABLE TRIGGER audit_outbox_unchanged")
    await ground.change(f"UPDATE audit_outbox SET written_at = written_at - interval '{hours} hours'")
    await ground.change("ALTER TABLE audit_outbox ENABLE ALWAYS TRIGGER audit_outbox_unchanged")


async def _decided(house: House) -> set[tuple[str, str | None]]:
    rows = await house.ground.rows("SELECT convert_from(body, 'UTF8')::jsonb AS body FROM audit_record")
    return {
        (row.body["decision"], row.body.get("reason"))
        for row in rows
        if row.body["event"] == EventKind.DISCLOSURE.value
    }


# Both are needed: without the one the gate is told that all is well, without the other it does not ask.


@attack(stopped_by=WATCHED)
async def test_p4_words_are_told_while_the_sealer_is_dead(watched_house: House) -> Outcome:
    """Somebody has ended the sealer, and will take the record of what they hear away before it comes back."""
    return await _asks_for_her_appointment(watched_house)


@attack(stopped_by=ASKED)
async def test_p4_words_are_told_although_it_is_known_that_the_sealer_is_dead(watched_house: House) -> Outcome:
    return await _asks_for_her_appointment(watched_house)


async def _asks_for_her_appointment(house: House) -> Outcome:
    line = await house.line().dial()
    await line.verify()
    if line.question is not None and not (await _decided(house)) & {("refused", "unsealed")}:
        await line.press("1")
    outcome = gained(heard_her_words(line))
    if outcome is FOILED:
        assert await _decided(house) == {("refused", "unsealed")}
        assert await house.alerts("ledger_behind") > 0
        assert "Une personne vous rappellera" in line.heard[-1], "P7: led to a person"
    return outcome


def _from_after_now_is_just_now(sabotage: Sabotage) -> None:
    sabotage.rewrite(watching, "_WAITING", "waits < cast(:ahead AS interval)", "cast(:ahead AS interval) IS NULL")


AHEAD = Defence("what waits from after now is behind", "P4: what is told is sealed soon", _from_after_now_is_just_now)


@attack(stopped_by=AHEAD)
async def test_p4_words_are_told_for_as_long_as_the_clock_of_the_database_was_ahead(
    ground: Ground, clock: DrivenClock
) -> Outcome:
    """It was an hour ahead and is put right, and the sealer is dead: for an hour, and more, nothing has waited."""
    await _waits_for_an_hour(ground, clock, hours=-1)
    watch = Watch(ground.app, LedgerAlarm(Alerts(Metrics(CollectorRegistry()))))
    await watch.look()
    assert watch.is_any_behind() == watch.is_behind(TILLEULS)
    return gained(not watch.is_behind(TILLEULS))


async def test_p7_while_the_ledger_is_behind_whoever_calls_still_leaves_a_message_and_books(
    ground_behind: House,
) -> None:
    """Nothing is told of anybody; what callers bring is taken."""
    house = ground_behind
    speaking = await house.line().dial()
    await speaking.press("2", "1")
    await speaking.speak()
    await speaking.hang_up()
    booking = await house.line("+33639980099").dial()
    await booking.press("1", "2", "1", "1", "1", "01021985", "1#")
    await booking.hang_up()
    assert await house.ground.rows("SELECT 1 FROM voice_message") != []
    assert "booking.made" in await booking.events()


@pytest.fixture
async def ground_behind(
    cluster: Cluster,
    people: str,
    keys_file: Path,
    clock: DrivenClock,
    monkeypatch: pytest.MonkeyPatch,
    watched_as_installed: Callable[[Database, Alerts], AbstractAsyncContextManager[LedgerWatch]],
) -> AsyncIterator[House]:
    """The same without an attack."""
    monkeypatch.setattr(fittings, "watched", watched_as_installed)
    name = "attacked_behind"
    async with ground_on(cluster, people, name, keys_file) as ground:
        await _waits_for_an_hour(ground, clock)
        async with served(house_of(ground, clock, Sabotage(monkeypatch))) as house:
            yield house
    await cluster.drop(name)
