"""Misusing what a practice may set, and rewriting what it has set."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import DataProblems
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice import changing, enrolment
from callcenter.practice.changing import SettingsDesk
from callcenter.practice.enrolment import NumberTaken
from callcenter.practice.practice_form import Setting
from callcenter.practice.setting_versions import Author, Period
from callcenter.staff.acts import StaffActs
from callcenter.store.schema import APP
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Outcome, Sabotage, attack, gained, unanimous
from tests.attack.ground import Ground
from tests.attack.scene import PORT_LINE, START, TILLEULS_LINE, House
from tests.attack.test_rescue import APART_IN_SCHEMA

TILLEULS_SLUG = "cabinet-des-tilleuls"


def desk(ground: Ground) -> SettingsDesk:
    """Of somebody who may change the settings of the practice in Lyon."""
    return SettingsDesk(ground.app, TILLEULS_SLUG, Author("anna", START), StaffActs(DrivenClock(START), SystemRandom()))


# --- a number plan that points at ourselves


def _changed_numbers_are_not_checked(sabotage: Sabotage) -> None:
    async def unchecked(*_: object) -> None:
        """Whatever it says."""

    sabotage.replace(changing, "check_practice", lambda _: None)
    sabotage.replace(changing, "check_directory", unchecked)


CHANGES = Defence(
    "a change is checked against every number", "P7: no fallback dials us", _changed_numbers_are_not_checked
)


async def put(ground: Ground, setting: Setting, value: Any) -> Outcome:
    """Whether a change is taken."""
    try:
        await desk(ground).put(setting, value, Period(START))
    except NumberTaken:
        return FOILED
    except IntegrityError as error:
        if "cannot be a rescue number" not in str(error.orig):
            raise  # something else was in the way
        return FOILED
    return SUCCEEDED


@attack(stopped_by=(CHANGES, APART_IN_SCHEMA))
async def test_p7_a_changed_number_plan_points_at_ourselves(ground: Ground) -> Outcome:
    """In an outage each call would ring the next; each of these closes the circle from another side."""
    numbers = {TILLEULS_LINE: "main"}
    return unanimous(
        {
            "a rescue number of ours": await put(ground, Setting.RESCUE_NUMBER, TILLEULS_LINE),
            "a rescue number of another practice of ours": await put(ground, Setting.RESCUE_NUMBER, PORT_LINE),
            "a number that is another's rescue number": await put(
                ground, Setting.NUMBERS, {**numbers, "+33261910090": "main"}
            ),
        }
    )


def _an_emergency_line_is_not_checked(sabotage: Sabotage) -> None:
    async def unchecked(*_: object) -> None:
        """Whatever it says."""

    for room in (changing, enrolment):
        sabotage.replace(room, "check_emergency_line", unchecked)


EMERGENCY = Defence("an emergency line leads away from us", "P7: an emergency", _an_emergency_line_is_not_checked)


@attack(stopped_by=EMERGENCY)
async def test_p7_an_emergency_line_is_one_that_we_answer_for_another_practice(ground: Ground) -> Outcome:
    """Whoever dials it for somebody in danger would wait in a queue of ours."""
    return await put(ground, Setting.EMERGENCY_LINE, PORT_LINE)


# --- a patient's name in what every caller hears

PASTED = "Mme Martin-Duval est priée de rappeler le cabinet."


def _it_may_hold_for_any_time(sabotage: Sabotage) -> None:
    sabotage.replace(changing, "_check_period", lambda *_: None)


BOUNDED = Defence("a message of the day ends", "P1: what is said to everybody names nobody", _it_may_hold_for_any_time)


@attack(stopped_by=BOUNDED)
async def test_a_patients_name_pasted_into_the_message_of_the_day_is_said_for_months(
    ground: Ground, house: House, clock: DrivenClock
) -> Outcome:
    """No machine can tell a patient's name from a doctor's: what is bounded is for how long it is said."""

    async def heard_in_spring(ends: timedelta | None) -> Outcome:
        try:
            period = Period(START, None if ends is None else START + ends)
            await desk(ground).put(Setting.MESSAGE_OF_THE_DAY, f"{PASTED} Merci{'.' if ends else ' !'}", period)
        except DataProblems:
            return FOILED
        clock.set(START + timedelta(days=100))
        line = await house.line().dial()
        return gained("Martin-Duval" in line.all_heard)

    return unanimous(
        {"until summer": await heard_in_spring(timedelta(days=200)), "for good": await heard_in_spring(None)}
    )


def _nothing_is_warned_of(sabotage: Sabotage) -> None:
    sabotage.replace(changing, "_PERSONAL", ())


WARNED = Defence(
    "what looks personal is warned of", "P1: what is said to everybody names nobody", _nothing_is_warned_of
)


@attack(stopped_by=WARNED)
async def test_a_patients_name_is_pasted_and_nobody_is_told(ground: Ground) -> Outcome:
    period = Period(START, START + timedelta(hours=8))
    pasted = {
        "a name": PASTED,
        "a birth date": "Le patient né le 14/03/1962 est attendu.",
        "a telephone": "Rappelez le 06 39 98 00 01.",
    }
    return unanimous(
        {
            what: gained(not (await desk(ground).put(Setting.MESSAGE_OF_THE_DAY, words, period)).warnings)
            for what, words in pasted.items()
        }
    )


# --- what was set, rewritten


def _the_app_may_rewrite_versions(sabotage: Sabotage) -> None:
    sabotage.sql(f"GRANT UPDATE, DELETE ON setting_version TO {APP}")


ADDED_ONLY = Defence(
    "the app role may only add versions", "calls keep what they began with", _the_app_may_rewrite_versions
)

REWRITING = {
    "its value": "UPDATE setting_version SET value = '\"autre chose\"' WHERE setting = 'address'",
    "its author": "UPDATE setting_version SET made_by = 'personne'",
    "its time": "UPDATE setting_version SET effective_from = effective_from + interval '1 day'",
    "it all": "DELETE FROM setting_version WHERE setting = 'access'",
}


@attack(stopped_by=ADDED_ONLY)
async def test_the_server_rewrites_what_a_practice_has_set(ground: Ground) -> Outcome:
    """What callers heard last week would be another thing today, and somebody else's doing."""
    return unanimous({what: await rewritten(ground, statement) for what, statement in REWRITING.items()})


async def rewritten(ground: Ground, statement: str) -> Outcome:
    try:
        async with ground.app.house() as connection:
            done = await connection.execute(text(statement))
    except DBAPIError as error:
        if "permission denied" not in str(error.orig):
            raise  # something else was in the way
        return FOILED
    return gained(done.rowcount)
