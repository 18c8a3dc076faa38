"""How often each step of the verified call waits for the database: pinned, so that one round trip more is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from callcenter.installation import Addresses
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.demo import seed
from callcenter.speech.voices import SilentVoice
from callcenter.store.database import Database
from callcenter.store.keys import create_keys
from callcenter.store.schema import APP
from callcenter.store.sealed import Sealer
from tests.acceptance.stage import stage_settings
from tests.bench.people import verifiable
from tests.bench.recording import record_call
from tests.bench.values import Counts, Person, Recording, Step
from tests.conftest import Cluster

#: Change a number here only with a reason in the commit's message. `make bench` prints the same table.
PINNED = {
    Step.RINGS: Counts(transactions=1, statements=4),
    Step.APPOINTMENTS: Counts(transactions=1, statements=3),
    Step.BOOKED: Counts(transactions=1, statements=3),
    Step.BIRTH_DATE: Counts(transactions=1, statements=11),  # two of them are the savepoint around the counters
    Step.CODE: Counts(transactions=2, statements=12),  # the attempt counts in a transaction of its own
    Step.IN_PRIVATE: Counts(transactions=1, statements=9),
    Step.AUDIO: Counts(transactions=2, statements=4),  # begun, and complete
    Step.HEARD: Counts(transactions=1, statements=5),
    Step.CONFIRMS: Counts(transactions=1, statements=7),  # the patient's marks are read again before the act
    Step.GOODBYE: Counts(transactions=1, statements=3),
    Step.ENDED: Counts(transactions=1, statements=6),  # one looks whether it waited for an operator, one for a room
}


@pytest.fixture
async def people(tmp_path: Path, database: Database) -> list[Person]:
    """The demonstration in a fresh database, and who in it can be verified."""
    sealer = Sealer(create_keys(tmp_path / "keys.json", SystemRandom()), SystemRandom())
    await seed(database, sealer, SystemClock(), SystemRandom())
    return await verifiable(database, sealer, SystemClock().now())


async def _recorded(tmp_path: Path, cluster: Cluster, name: str, called: list[Person]) -> Recording:
    settings = stage_settings(tmp_path / "keys.json")
    app, jobs = cluster.server.url(user=APP, database=name), cluster.server.dsn(user=APP, database=name)
    return await record_call(settings, Addresses(app, jobs, None), (called[0], called[1]), voice=SilentVoice())


@pytest.mark.parametrize("practice", ["+33465710001", "+33261910001"], ids=["with-sensitive", "without"])
async def test_no_step_of_a_verified_call_waits_for_the_database_more_often_than_is_pinned(
    tmp_path: Path, cluster: Cluster, database_name: str, people: list[Person], practice: str
) -> None:
    called = [person for person in people if person.called == practice]
    recording = await _recorded(tmp_path, cluster, database_name, called)
    assert recording.counts() == PINNED
