"""P1, P6, P8: whatever callers do, no value of a patient leaves, but to who proved who they are, after its record.

How it is put together, in the order in which to read: every field of every patient is a value of its own (``canaries``,
``people``, ``invention``); callers drawn by a seed walk the whole flow (``callers``, ``walk``) in a whole house whose
ways out are tapped (``premises``, ``taps``), while things happen around them (``office``, ``mail``); whatever leaves is
searched (``folding``, ``search``), and what is found is judged at the moment when it leaves, against the ledger as
another connection sees it (``ledger``, ``verdict``). That the search finds everything, and that the judge sees and
cries, is tested beside this file (``test_the_oracle_finds``, ``…_sees``, ``…_cries``).

ORACLE_SEED draws other callers, ORACLE_CALLERS more of them; a finding names the caller who brought it about.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from random import Random

import pytest

from callcenter.emulator.client import ControlClient
from tests.attack.leak_oracle.callers import Caller, determined_caller, leaving_callers, random_callers
from tests.attack.leak_oracle.mail import Mail
from tests.attack.leak_oracle.office import FLAGS
from tests.attack.leak_oracle.parity import acts_without_proof, answers
from tests.attack.leak_oracle.people import OPEN, Person, Stranger
from tests.attack.leak_oracle.premises import Premises
from tests.attack.leak_oracle.telephone import Telephone
from tests.attack.leak_oracle.verdict import Sink
from tests.attack.leak_oracle.walk import Walk, fall_silent

#: Its callers walk every outlet, and the logs are as talkative as they can be.
ROWS_LOGGED = True

SEED = int(os.environ.get("ORACLE_SEED", "20261126"))
CALLERS = int(os.environ.get("ORACLE_CALLERS", "25"))

#: What the edge must have done meanwhile, or the callers were too well-behaved.
OUTCOMES = {"answered", "replayed", "static", "accepted", "probed", "played", "gone", "unavailable", "signature"}
#: How words must have been heard.
PLAYBACKS = {"full", "interrupted", "unknown", "not_delivered"}


async def test_p1_p8_nothing_leaves_that_is_not_on_record_and_every_outlet_is_walked(
    house: Premises, client: ControlClient, capsys: pytest.CaptureFixture[str]
) -> None:
    coverage, flow = house.observer.coverage, house.observer.flow
    callers = [*random_callers(flow, house.population, CALLERS, SEED), *leaving_callers()]
    for caller in callers:
        await _walk(house, client, caller)
    for goal in coverage.missing:
        for attempt in range(5):  # something else may come up on the way there
            if goal in coverage.missing:
                await _walk(house, client, determined_caller(flow, goal, attempt))
    await _everything_goes_wrong(house, client)
    await house.at_the_end()
    heard, outcomes = await _playbacks(house), await _outcomes(house)
    with capsys.disabled():
        print(f"\n{coverage}\n  {len(callers)} callers (ORACLE_SEED={SEED}), and one for each outlet that they missed")
        print(f"  told, and on record before: {house.judge.told()}; heard: {dict(heard)}")
    assert not house.judge.findings, "\n".join(map(str, house.judge.findings))
    assert not coverage.missing
    # What may be told was told, and all that can go wrong did: an oracle over silence would prove nothing.
    # A place is heard by its card alone.
    assert set(house.judge.heard) - {"appointment.place"} == {"appointment.starts_at", "practitioner.name"}
    assert set(heard) == PLAYBACKS
    assert house.outbox.rung, "no line was rung"
    assert house.outbox.offered, "no operator was rung"
    assert {Sink.NOTICE, Sink.ROUTING} <= house.judge.sinks, "nothing of a queue was read"
    assert any(words[-1].startswith("Rappel : RDV") for words in house.outbox.seen), "nobody was reminded"
    assert outcomes >= OUTCOMES


async def _walk(house: Premises, client: ControlClient, caller: Caller) -> None:
    """Let one caller ring; nothing may be found."""
    await Walk(house, client, caller).go()
    found = "\n".join(map(str, house.judge.findings))
    assert not found, f"{found}\nORACLE_SEED={SEED}, {caller}"


async def _everything_goes_wrong(house: Premises, client: ControlClient) -> None:
    """One call in which every stray request is sent and then the voice fails, and one in which the database fails."""
    telephone = Telephone(house, client)
    await telephone.prove(house.population.people["several"])
    await telephone.press("1")
    await telephone.state()
    mail = Mail(house, telephone.sid)
    await mail.everything(Random(SEED))
    await mail.fetch_too_often()
    house.voice.before_sound = fall_silent
    await telephone.press("*")
    await telephone.state()
    await telephone.judged()
    telephone = Telephone(house, client)
    await telephone.prove(house.population.people["several"])
    await house.administrator.cut("callcenter")
    await telephone.press("1")
    await telephone.state()
    await telephone.judged()


async def _playbacks(house: Premises) -> Counter[str]:
    """How what was told was heard, by the ledger."""
    heard: Counter[str] = Counter()
    for facts in house.population.practices.values():
        bodies = [json.loads(body) for body in await house.ledger.bodies(facts.id)]
        heard.update(body["playback"] for body in bodies if "playback" in body)
    return heard


async def _outcomes(house: Premises) -> set[str]:
    """What became of requests at the edge, and why some were refused, by its metrics."""
    return set(re.findall(r'(?:outcome|reason)="([a-z_]+)"', await house.page("/metrics")))


async def test_p1_p8_a_call_that_we_place_tells_nothing_before_the_code_and_then_what_is_on_record(
    house: Premises, client: ControlClient
) -> None:
    house.judge.findings.clear()  # another test's
    person, telephone = house.population.people["landline"], Telephone(house, client)
    house.clock.set(OPEN)
    rung, heard = house.outbox.rung, Counter(house.judge.heard)
    await telephone.ring(person.phones[0], next(iter(person.practice.numbers)))
    await telephone.press("1", "5", f"{person.birth_date:%d%m%Y}")
    told = " ".join(spoken.text for spoken in (await telephone.state()).heard)
    await telephone.ended()
    assert house.outbox.rung == rung + 1
    (leg,) = await client.ringing(person.phones[0], 5.0)
    await client.answer(leg.sid)
    question = " ".join(spoken.text for spoken in (await client.settled(leg.sid)).heard)
    assert (
        question == "Rappel demandé à l'instant. Tapez votre code de rappel. Si vous n'avez rien demandé, raccrochez."
    )
    assert house.judge.heard == heard
    for keys in (re.findall(r"code de rappel : (\d \d \d \d)", told)[-1].replace(" ", ""), "1"):
        await client.press(leg.sid, keys)
        await client.settled(leg.sid)
    await client.hang_up(leg.sid)
    await client.closed(leg.sid)
    assert house.judge.heard["appointment.starts_at"] > heard["appointment.starts_at"]
    await telephone.judged()
    assert not house.judge.findings, "\n".join(map(str, house.judge.findings))


#: How a patient may be on file. None of it may be told from being on file nowhere.
SITUATIONS = ("several", "nothing", "minor", "couple_one", "landline", "fictive", *FLAGS)


@pytest.mark.parametrize("withheld", [False, True], ids=["number shown", "number withheld"])
@pytest.mark.parametrize("script", range(2))
async def test_p6_who_has_not_proved_who_they_are_is_answered_alike_whoever_is_on_file(
    house: Premises, client: ControlClient, script: int, withheld: bool
) -> None:
    acts = acts_without_proof(SEED + script)

    async def answered(who: Person | Stranger) -> list[object]:
        return await answers(house, Telephone(house, client), who, acts, withheld=withheld)

    nobody = await answered(house.population.strangers[0])
    assert len(nobody) > 5
    for situation in SITUATIONS[script::2]:
        person = house.population.people["several" if situation in FLAGS else situation]
        if situation in FLAGS:
            await house.office.mark(person, situation)
        assert await answered(person) == nobody, (situation, acts)
