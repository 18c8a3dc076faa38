"""Calls that come back to us for ever (P7)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from callcenter.practice import enrolment
from callcenter.practice.directory import Directory
from callcenter.practice.enrolment import NumberTaken, write_practice
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.numbers import E164
from callcenter.practice.setting_versions import Author
from callcenter.telephony.callers import Line
from callcenter.telephony.fallback import RescueEntry, StaticAnswers
from callcenter.telephony.twiml import CarrierVoices
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Outcome, Sabotage, attack, gained, unanimous
from tests.attack.ground import Ground
from tests.attack.scene import PORT, PORT_LINE, START, TILLEULS, TILLEULS_LINE
from tests.unit.telephony.doubles import alerts_and_metrics, document


def _any_rescue_number_is_enrolled(sabotage: Sabotage) -> None:
    async def unchecked(*_: object) -> None:
        """Whatever it says."""

    sabotage.replace(enrolment, "check_practice", lambda _: None)
    sabotage.replace(enrolment, "check_directory", unchecked)


def _the_schema_takes_any_rescue_number(sabotage: Sabotage) -> None:
    for table in ("practice", "directory_number"):
        sabotage.sql(f"DROP TRIGGER {table}_rescue_number_is_not_served ON {table}")


ENROLMENT = Defence("a rescue number leads away from us", "P7: no fallback dials us", _any_rescue_number_is_enrolled)
APART_IN_SCHEMA = Defence(
    "the schema keeps rescue numbers apart", "P7: no fallback dials us", _the_schema_takes_any_rescue_number
)


async def enrolled(ground: Ground, facts: PracticeFacts) -> Outcome:
    """Whether a practice is taken with these facts."""
    try:
        async with ground.app.house() as connection:
            await write_practice(connection, facts, Author("tests", START))
    except NumberTaken:
        return FOILED
    except IntegrityError as error:
        if "cannot be a rescue number" not in str(error.orig):
            raise  # something else was in the way
        return FOILED
    return SUCCEEDED


async def facts_of(ground: Ground, practice: UUID) -> PracticeFacts:
    async with ground.app.house() as connection:
        return await Directory.facts(connection, practice, START)


@attack(stopped_by=(ENROLMENT, APART_IN_SCHEMA))
async def test_p7_a_rescue_number_is_one_that_we_answer(ground: Ground) -> Outcome:
    """The practice in Brest names it, of its own or of another practice."""
    facts = await facts_of(ground, PORT)
    leading_back = {"its own number": PORT_LINE, "another practice's number": TILLEULS_LINE}
    return unanimous(
        {name: await enrolled(ground, replace(facts, rescue_number=E164(n))) for name, n in leading_back.items()}
    )


@attack(stopped_by=ENROLMENT)
async def test_p7_a_rescue_number_is_a_line_that_may_be_forwarded_to_us(ground: Ground) -> Outcome:
    """The practice in Brest names a line of the one in Lyon."""
    facts = await facts_of(ground, PORT)
    return await enrolled(ground, replace(facts, rescue_number=E164("+33465710091")))


@attack(stopped_by=(ENROLMENT, APART_IN_SCHEMA))
async def test_p7_a_number_that_we_are_to_answer_is_somebodys_rescue_number(ground: Ground) -> Outcome:
    """The same loop, closed from the other side."""
    facts, theirs = await facts_of(ground, PORT), await facts_of(ground, TILLEULS)
    answered = {**facts.numbers, theirs.rescue_number: facts.numbers[E164(PORT_LINE)]}
    return await enrolled(ground, replace(facts, numbers=answered))


@attack(stopped_by=ENROLMENT)
async def test_p7_a_line_that_may_be_forwarded_to_us_is_somebodys_rescue_number(ground: Ground) -> Outcome:
    facts, theirs = await facts_of(ground, PORT), await facts_of(ground, TILLEULS)
    return await enrolled(ground, replace(facts, other_lines=facts.other_lines | {theirs.rescue_number}))


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
