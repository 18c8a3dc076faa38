"""Calls that come back to us for ever (P7)."""

from __future__ import annotations

from dataclasses import replace

from callcenter.practice import enrolment
from callcenter.practice.directory import Directory
from callcenter.practice.enrolment import NumberTaken, write_practice
from callcenter.practice.numbers import E164
from callcenter.telephony.callers import Line
from callcenter.telephony.fallback import RescueEntry, StaticAnswers
from callcenter.telephony.twiml import CarrierVoices
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Outcome, Sabotage, attack, gained, unanimous
from tests.attack.ground import Ground
from tests.attack.scene import PORT, PORT_LINE, TILLEULS, TILLEULS_LINE
from tests.unit.telephony.doubles import alerts_and_metrics, document


def _any_rescue_number_is_enrolled(sabotage: Sabotage) -> None:
    async def unchecked(*_: object) -> None:
        """Whatever it says."""

    sabotage.replace(enrolment, "check_practice", lambda _: None)
    sabotage.replace(enrolment, "_check_directory", unchecked)
    for table in ("practice", "directory_number"):
        sabotage.sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")


ENROLMENT = Defence("a rescue number leads away from us", "P7: no fallback dials us", _any_rescue_number_is_enrolled)


@attack(stopped_by=ENROLMENT)
async def test_p7_a_rescue_number_leads_back_to_us(ground: Ground) -> Outcome:
    """The practice in Brest names as its rescue number a line that we answer, or that may be forwarded to us."""
    leading_back = {
        "its own number": PORT_LINE,
        "another practice's number": TILLEULS_LINE,
        "another practice's line": "+33465710091",
    }
    outcomes = {}
    for name, number in leading_back.items():
        async with ground.app.house() as connection:
            facts = await Directory.facts(connection, PORT)
        try:
            async with ground.app.house() as connection:
                await write_practice(connection, replace(facts, rescue_number=E164(number)))
        except NumberTaken:
            outcomes[name] = FOILED
        else:
            outcomes[name] = SUCCEEDED
    return unanimous(outcomes)


@attack(stopped_by=ENROLMENT)
async def test_p7_a_line_is_enrolled_that_is_somebodys_rescue_number(ground: Ground) -> Outcome:
    """The same loop, closed from the other side."""
    async with ground.app.house() as connection:
        facts, theirs = await Directory.facts(connection, PORT), await Directory.facts(connection, TILLEULS)
    ways = {
        "answered by us": replace(
            facts, numbers={**facts.numbers, theirs.rescue_number: facts.numbers[E164(PORT_LINE)]}
        ),
        "perhaps forwarded to us": replace(facts, other_lines=facts.other_lines | {theirs.rescue_number}),
    }
    outcomes = {}
    for name, changed in ways.items():
        try:
            async with ground.app.house() as connection:
                await write_practice(connection, changed)
        except NumberTaken:
            outcomes[name] = FOILED
        else:
            outcomes[name] = SUCCEEDED
    return unanimous(outcomes)


def _origins_are_not_compared(sabotage: Sabotage) -> None:
    sabotage.replace(Line, "comes_from", lambda *_: False)


NEVER_BACK = Defence("no line is dialled that a call comes from", "P7: no fallback dials us", _origins_are_not_compared)


@attack(stopped_by=NEVER_BACK)
async def test_p7_an_outage_rings_the_line_that_is_forwarded_to_us() -> Outcome:
    """The rescue number has been forwarded to us since: in an outage each call would ring the next."""
    rescue = "+33465710090"
    static = StaticAnswers(CarrierVoices(), alerts_and_metrics()[0])
    static.refresh([RescueEntry(TILLEULS_LINE, rescue)])
    arrivals = {
        "from it": Line(TILLEULS_LINE, (rescue,)),
        "forwarded by it": Line(TILLEULS_LINE, ("+33639980001", rescue)),
        "forwarded by it, spelt in the national way": Line(TILLEULS_LINE, ("+33639980001", "04 65 71 00 90")),
    }
    return unanimous(
        {how: gained(document(static.answer(line)).find("Dial") is not None) for how, line in arrivals.items()}
    )


@attack(stopped_by=NEVER_BACK)
async def test_p7_an_outage_rings_a_number_that_we_answer() -> Outcome:
    """The directory was wrong all the same: the documents of last resort look for themselves."""
    static = StaticAnswers(CarrierVoices(), alerts_and_metrics()[0])
    static.refresh([RescueEntry(TILLEULS_LINE, PORT_LINE), RescueEntry(PORT_LINE, TILLEULS_LINE)])
    return gained(document(static.answer(Line(TILLEULS_LINE))).find("Dial") is not None)
