"""Calls that come back to us for ever, and the switch that sends them away (P7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from callcenter.practice import enrolment
from callcenter.practice.directory import Directory
from callcenter.practice.enrolment import NumberTaken, write_practice
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.numbers import E164
from callcenter.practice.setting_versions import Author
from callcenter.telephony import fallback, switch
from callcenter.telephony.callers import Line
from callcenter.telephony.fallback import RefusedRescue, RescueEntry, StaticAnswers
from callcenter.telephony.switch import RescueSwitch, Switched
from callcenter.telephony.transfers import WITHHELD_AT_ONCE, Transfers
from callcenter.telephony.twiml import CarrierVoices
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Outcome, Sabotage, attack, gained, unanimous
from tests.attack.ground import Ground
from tests.attack.scene import JEANNES_MOBILE, PORT, PORT_LINE, START, TILLEULS, TILLEULS_LINE, House
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


def _any_rescue_number_is_prepared(sabotage: Sabotage) -> None:
    def dialled(entries: Sequence[RescueEntry]) -> tuple[list[tuple[str, str]], tuple[RefusedRescue, ...]]:
        return [(entry.called, entry.rescue) for entry in entries if entry.rescue is not None], ()

    sabotage.replace(fallback, "_dialled", dialled)


NEVER_OURS = Defence(
    "no document dials a number that we answer", "P7: no fallback dials us", _any_rescue_number_is_prepared
)


@attack(stopped_by=NEVER_OURS)
async def test_p7_an_outage_rings_a_number_that_we_answer() -> Outcome:
    """The directory was wrong all the same: the documents of last resort look for themselves."""
    static = StaticAnswers(CarrierVoices(), alerts_and_metrics()[0])
    static.refresh([RescueEntry(TILLEULS_LINE, PORT_LINE), RescueEntry(PORT_LINE, TILLEULS_LINE)])
    return gained(document(static.answer(Line(TILLEULS_LINE))).find("Dial") is not None)


def _whoever_was_sent_away_is_sent_again(sabotage: Sabotage) -> None:
    sabotage.replace(Transfers, "may_go", lambda *_: True)


NEVER_TWICE = Defence(
    "a call that comes back is not sent away again", "P7: no fallback dials us", _whoever_was_sent_away_is_sent_again
)


@attack(stopped_by=NEVER_TWICE)
async def test_p7_a_call_that_was_sent_to_the_rescue_line_comes_back_and_the_carrier_does_not_tell() -> Outcome:
    """The rescue line is forwarded to us, unreported: the caller arrives anew while the first call is still up."""
    static = StaticAnswers(CarrierVoices(), alerts_and_metrics()[0])
    static.refresh([RescueEntry(TILLEULS_LINE, "+33465710090")])

    def rings_again(*origins: str, before: int) -> Outcome:
        sent = [static.answer(Line(TILLEULS_LINE, origins, f"CA{origins}{n}")) for n in range(before + 1)]
        return gained(document(sent[-1]).find("Dial") is not None)

    return unanimous(
        {
            "a number that is shown": rings_again("+33639980001", before=1),
            "a number that is replaced by the line's": rings_again("+33465710091", before=1),
            "a number that is withheld": rings_again(before=WITHHELD_AT_ONCE),
        }
    )


async def put_through(house: House, caller: str = JEANNES_MOBILE, times: int = 1) -> bool:
    """Whether the practice's own telephone rings for the last of so many calls, none of which has ended."""
    house.clock.set(START + timedelta(days=1))  # a Friday morning: the practice in Brest answers itself
    calls = [await house.line(caller, PORT_LINE).dial() for _ in range(times)]
    assert "composez le 15" in calls[-1].all_heard
    return b"<Dial" in calls[-1].last.answer.body


@attack(stopped_by=NEVER_BACK)
async def test_p7_the_practices_own_telephone_rings_for_a_call_that_it_forwards(house: House) -> Outcome:
    """The line that answers for the practice has been forwarded to us since: each call would ring the next."""
    return gained(await put_through(house, "+33261910090"))


@attack(stopped_by=NEVER_TWICE)
async def test_p7_a_call_that_was_put_through_comes_back_and_is_put_through_again(house: House) -> Outcome:
    """The same, unreported: the caller arrives anew while the first call is still up."""
    withheld = await put_through(house, "anonymous", WITHHELD_AT_ONCE + 1)
    return unanimous({"shown": gained(await put_through(house, times=2)), "withheld": gained(withheld)})


def _our_own_numbers_are_callers_like_others(sabotage: Sabotage) -> None:
    sabotage.replace(StaticAnswers, "comes_back", lambda *_: False)


OUR_OWN = Defence(
    "a call from a number of ours ends", "P7: no call goes round", _our_own_numbers_are_callers_like_others
)


@attack(stopped_by=OUR_OWN)
async def test_p7_a_call_that_we_made_is_received_as_a_callers(house: House) -> Outcome:
    """A practice's line that we ring is forwarded to another practice of ours: two servers would talk to each other."""
    line = await house.line(PORT_LINE, TILLEULS_LINE).dial()
    assert "composez le 15" in line.all_heard, "even then the emergency line is said"
    return gained(line.question)


def _a_damaged_switch_is_off(sabotage: Sabotage) -> None:
    sabotage.replace(switch, "_UNREADABLE", Switched())


DAMAGED_IS_ON = Defence("a switch that cannot be read is on", "P7: every call ends well", _a_damaged_switch_is_off)


@attack(stopped_by=DAMAGED_IS_ON)
async def test_p7_a_kill_switch_that_is_on_is_turned_off_by_damage(tmp_path: Path) -> Outcome:
    """A full disk, a crash in the middle of another program's write, somebody's editor: nobody meant it to be off."""

    def served_after(damage: bytes) -> Outcome:
        file = tmp_path / "rescue-switch.json"
        rescue = RescueSwitch(file)
        rescue.turn(Switched(everybody=True, by="anna"))
        assert rescue.now().takes("cabinet-des-tilleuls")
        file.write_bytes(damage)
        return gained(not rescue.now().takes("cabinet-des-tilleuls"))

    damages = {"emptied": b"", "cut": b'{"all": tr', "of another form": b'{"all": 0}', "nested": b"[" * 100_000}
    return unanimous({how: served_after(damage) for how, damage in {**damages, "no text": b"\xff\xfe"}.items()})
