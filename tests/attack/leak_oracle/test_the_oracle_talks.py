"""Positive control of talks: what a third person hears, what a caller hears meanwhile, and what rings, is read."""

from __future__ import annotations

from uuid import UUID

import pytest

from callcenter.calls.talk_values import Acted, PracticeLine, Practitioner
from callcenter.calls.thirds import Thirds
from tests.attack.leak_oracle.invention import bookable
from tests.attack.leak_oracle.premises import Premises
from tests.attack.leak_oracle.telephone import Telephone
from tests.attack.leak_oracle.verdict import Sink
from tests.talking import talk_of


async def _consults(house: Premises, telephone: Telephone, *, practitioner: bool = False) -> None:
    """A whole call: an operator asks the practice's own line into it, or a practitioner's, which comes, and leaves."""
    practice = house.population.practices["port"]
    await house.shift.begins(practice)
    await telephone.waits(next(iter(practice.numbers)), number=house.population.strangers[0].number)
    leg = await telephone.taken_at(house.shift.desk(practice))
    assert leg is not None, "no operator was rung"
    operator = house.shift.on_call(practice)
    talk = await talk_of(house.running.database, operator)
    assert talk is not None
    whom = Practitioner(bookable(practice)[0].id) if practitioner else PracticeLine()
    assert await house.running.talks.consult(operator, talk.reservation, whom, False) is Acted.DONE
    line = house.population.lines[practice.id] if practitioner else practice.rescue_number
    third = await telephone.offered_at(line)
    assert third is not None, "the line was not rung"
    await telephone.takes(third)
    await house.judge_routing()
    assert await house.running.talks.end_consultation(operator, talk.reservation) is Acted.DONE
    await telephone.left_by(leg)
    assert (await telephone.state()).activity == "ended"
    await telephone.judged()
    await house.at_the_end()


async def _sends_on(house: Premises, telephone: Telephone) -> None:
    """A whole call: an operator sends the caller on to the practice's own line, which takes the call, and hangs up."""
    practice = house.population.practices["port"]
    await house.shift.begins(practice)
    await telephone.waits(next(iter(practice.numbers)), number=house.population.strangers[0].number)
    assert await telephone.taken_at(house.shift.desk(practice)) is not None, "no operator was rung"
    operator = house.shift.on_call(practice)
    talk = await talk_of(house.running.database, operator)
    assert talk is not None
    assert await house.running.talks.send(operator, talk.reservation, PracticeLine()) is Acted.DONE
    line = await telephone.offered_at(practice.rescue_number)
    assert line is not None, "the practice's line was not rung"
    await telephone.takes(line)
    await house.judge_routing()
    await telephone.left_by(line)
    assert (await telephone.state()).activity == "ended"
    await telephone.judged()
    await house.at_the_end()


async def test_a_caller_who_is_sent_on_is_not_accused_and_what_the_line_hears_is_read(
    house: Premises, telephone: Telephone
) -> None:
    house.judge.sinks.clear()
    await _sends_on(house, telephone)
    assert not house.judge.findings, "\n".join(map(str, house.judge.findings))
    assert {Sink.CALL_TO, Sink.REST, Sink.URL, Sink.ROUTING} <= house.judge.sinks
    left = b"".join(house.edge.seen).decode(errors="replace")
    for words in ("Je vous passe le cabinet", "vous passe un appel pour", "/line/over"):
        assert words in left, words


@pytest.mark.parametrize("practitioner", [False, True], ids=["the practice's line", "a practitioner's line"])
async def test_an_honest_consultation_is_not_accused_and_all_of_it_is_read(
    house: Premises, telephone: Telephone, practitioner: bool
) -> None:
    house.judge.sinks.clear()
    await _consults(house, telephone, practitioner=practitioner)
    assert not house.judge.findings, "\n".join(map(str, house.judge.findings))
    assert {Sink.CALL_TO, Sink.REST, Sink.URL, Sink.ROUTING, Sink.NOTICE} <= house.judge.sinks
    left = b"".join(house.edge.seen).decode(errors="replace")
    for words in ("vous consulte pour", 'loop="0"', 'endConferenceOnExit="false"'):
        assert words in left, words


@pytest.mark.parametrize("field", ["patient.used_name", "practitioner.line"])
async def test_a_value_planted_in_what_a_third_person_hears_is_found(
    house: Premises, telephone: Telephone, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    offer = Thirds.offer
    whose = {"several", f"practitioners of {house.population.practices['port'].id}"}
    canary = next(one for one in house.population.canaries() if one.owner in whose and one.field == field)

    async def and_who_it_is(self: Thirds, which: UUID) -> str | None:
        return f"{await offer(self, which)} {canary.value}"

    monkeypatch.setattr(Thirds, "offer", and_who_it_is)
    await _consults(house, telephone, practitioner=field == "practitioner.line")
    assert (Sink.ANSWER, canary) in {(finding.sink, finding.canary) for finding in house.judge.findings}
