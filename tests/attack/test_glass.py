"""Broken glass: who may not, when they may not, for whom nothing opens, twice, without a trace, and reviewed alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from callcenter.app import by_glass
from callcenter.app.by_glass import StaffGlass
from callcenter.audit.ledger import Writing
from callcenter.console.glass import GlassPages
from callcenter.console.glass_ports import Breaking, GlassDesk, Listed, Own, Shown, ToReview
from callcenter.disclosure.emergency import Topic
from callcenter.disclosure.gate import Gate
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SystemRandom
from callcenter.staff import glass as rows
from callcenter.staff import sessions
from callcenter.staff.glass import Asked
from callcenter.staff.glass_tables import Asks, Verdict
from callcenter.staff.limits import Bound
from callcenter.staff.values import Role
from callcenter.store.schema import APP
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained, replaced, unanimous, yes
from tests.attack.escaping import ESCAPED
from tests.attack.ground import Ground
from tests.attack.scene import JEANNE, TILLEULS
from tests.integration.breaking import WHO, WHY, GlassHouse, glass_house, value_on
from tests.integration.consoles import POLICY
from tests.sealing import InTime
from tests.unit.console.doubles import open_desk
from tests.unit.console.glasses import OTHERS, GlassDouble
from tests.unit.console.glasses import OWN as MINE

BORN = date(1962, 3, 14)


@pytest.fixture
async def glass(ground: Ground, clock: DrivenClock) -> AsyncIterator[GlassHouse]:
    async with glass_house(ground.app, ground.sealer, clock) as glass:
        yield glass


def breaking(glass: GlassHouse) -> StaffGlass:
    """What stands behind the pages, without them."""
    room, database = glass.house.console.room, glass.house.console.database
    return StaffGlass(room, database, database, glass.sealer, glass.clock, SystemRandom(), POLICY, InTime())


def asked(*, born: date = BORN) -> Breaking:
    return Breaking(TILLEULS, Asks.RESCUE, Asked(WHY, WHO, "+33465710099"), "", born, "Martin-Duval", "Jeanne")


async def broken(glass: GlassHouse, token: str, **how: Any) -> UUID | None:
    """What somebody has broken, if they have."""
    with suppress(CallcenterError, DBAPIError):
        came = await breaking(glass).break_glass(token, asked(**how))
        return came if isinstance(came, UUID) else None
    return None


async def opened(glass: GlassHouse, token: str, one: UUID, topic: Topic = Topic.IDENTITY) -> Shown | None:
    """What somebody is shown of it, if they are."""
    with suppress(CallcenterError, DBAPIError):
        came = await breaking(glass).open(token, one, topic)
        return came if isinstance(came, Shown) else None
    return None


async def comes(glass: GlassHouse, login: str, role: Role = Role.SUPERVISOR, **how: Any) -> str:
    glass.clock.advance(1)
    return await glass.house.signed_in(await glass.house.staff(login, role, **how))


async def _no(*_: object) -> bool:
    return False


SWITCHED_ON = replaced("the practice allows it", "off by default", by_glass, "lets_glass_be_broken", lambda _: True)


@attack(stopped_by=SWITCHED_ON)
async def test_the_glass_of_a_practice_that_has_not_allowed_it_is_broken(glass: GlassHouse) -> Outcome:
    return gained(await broken(glass, await comes(glass, "premier")))


SUPERVISOR = replaced("the role is asked for the practice", "P5: rights are per practice", by_glass, "may", yes)


@attack(stopped_by=SUPERVISOR)
async def test_p5_somebody_who_does_not_supervise_the_practice_breaks_its_glass(glass: GlassHouse) -> Outcome:
    """An operator, a practitioner and an administrator of it, and a supervisor of another organisation."""
    await glass.switch()
    tokens = {role.value: await comes(glass, role.value, role) for role in Role if role is not Role.SUPERVISOR}
    tokens["theirs"] = await comes(glass, "eux", of=glass.house.theirs.organisation)
    return unanimous({who: gained(await broken(glass, token)) for who, token in tokens.items()})


def _for_a_day(sabotage: Sabotage) -> None:
    made = sessions._session

    def session(*given: Any) -> Any:
        return made(*given[:-1], replace(given[-1], stepped_up=timedelta(days=1)))

    sabotage.replace(sessions, "_session", session)
    sabotage.replace(by_glass, "is_just_now", lambda *_: True)


def _whenever(sabotage: Sabotage) -> None:
    sabotage.sql("ALTER TABLE glass_break DROP CONSTRAINT ck_glass_break_confirmed_just_now")


JUST_NOW = Defence("a second factor counts for five minutes", "AU-02", _for_a_day)
JUST_NOW_THERE = Defence("the database wants one of the last five minutes", "AU-02", _whenever)


@attack(stopped_by=(JUST_NOW, JUST_NOW_THERE))
async def test_a_screen_that_was_left_open_breaks_the_glass(glass: GlassHouse) -> Outcome:
    await glass.switch()
    token = await comes(glass, "premier")
    glass.clock.advance(6 * 60)
    return gained(await broken(glass, token))


def _again_and_again(sabotage: Sabotage) -> None:
    sabotage.sql("ALTER TABLE glass_break DROP CONSTRAINT uq_glass_break_staff_id_confirmed_at")


USED_UP = Defence("each second factor breaks one glass", "one file for one emergency", _again_and_again)


@attack(stopped_by=USED_UP)
async def test_the_form_is_sent_again_for_somebody_else(glass: GlassHouse) -> Outcome:
    """With the same proof, a minute later: by a script, or by whoever has sat down there."""
    await glass.switch()
    await glass.supervisor("premier")
    assert (await glass.breaks()).status == 303
    glass.clock.advance(60)
    again = await glass.breaks({"naissance": "1959-04-03", "nom": "Garnier", "prenom": "Hélène"})
    if again.status != 303:
        return gained(False)
    return gained(value_on(await glass.opens(again.location, "identity")))


NOT_TALKING = replaced("nothing is broken during a talk", "SM-07", by_glass, "in_a_talk", _no)


@attack(stopped_by=NOT_TALKING)
async def test_a_caller_has_the_glass_broken_while_they_are_on_the_line(glass: GlassHouse) -> Outcome:
    await glass.switch()
    token = await comes(glass, "premier")
    await glass.house.ours.run(
        "INSERT INTO presence (staff_id, state, way, since, idle_since, seen_at) "
        "SELECT id, 'on_call', 'browser', now(), now(), now() FROM staff_account WHERE login = 'premier'"
    )
    return gained(await broken(glass, token))


def _unbounded(sabotage: Sabotage) -> None:
    async def none(*_: object) -> None:
        return None

    sabotage.replace(by_glass.Tallies, "count", none)


BOUNDED = Defence("so many a day", "ID-05: no fishing", _unbounded)


@attack(stopped_by=BOUNDED)
async def test_a_supervisor_fishes_for_a_birth_date(glass: GlassHouse) -> Outcome:
    await glass.switch()
    account = await glass.house.staff("premier")
    bounded = replace(breaking(glass), bound=Bound(2, timedelta(hours=24)))
    for days in (-2, -1, 0):
        glass.clock.advance(1)
        token = await glass.house.signed_in(account)
        came = await bounded.break_glass(token, asked(born=BORN + timedelta(days=days)))
        if isinstance(came, UUID) and await opened(glass, token, came):
            return gained(True)
    return gained(False)


MARKS = replaced("what the file withholds is withheld", "SP-07", Gate, "_marks", lambda *_: ())


@attack(stopped_by=MARKS)
async def test_sp_07_whoever_hunts_somebody_says_that_they_lie_there_unconscious(
    glass: GlassHouse, ground: Ground
) -> Outcome:
    """Of a patient who is to be reached by nobody; by every topic."""
    await glass.switch()
    await ground.change("UPDATE patient SET contact_restricted = true WHERE id = :id", id=JEANNE)
    token = await comes(glass, "premier")
    one = await broken(glass, token)
    assert one is not None, "the practice is told all the same"
    topics = (Topic.IDENTITY, Topic.TELEPHONES, Topic.APPOINTMENTS)
    return unanimous({topic.value: gained(await opened(glass, token, one, topic)) for topic in topics})


OWN = replaced(
    "what was broken is read by who has broken it", "one file for one person", by_glass, "is_own", lambda *_: True
)


@attack(stopped_by=OWN)
async def test_a_colleague_reads_on_through_what_somebody_else_has_broken(glass: GlassHouse) -> Outcome:
    await glass.switch()
    one = await broken(glass, await comes(glass, "premier"))
    assert one is not None
    another = await comes(glass, "second")
    return gained(await opened(glass, another, one))


def _unwritten(sabotage: Sabotage) -> None:
    async def nothing(_: Writing) -> None:
        """Writes nothing."""

    sabotage.replace(Writing, "flush", nothing)


WRITTEN_FIRST = Defence("the record is written in the transaction of what is shown", "P1", _unwritten)


@attack(stopped_by=WRITTEN_FIRST)
async def test_p1_the_ledger_cannot_be_written_and_something_is_shown(glass: GlassHouse, ground: Ground) -> Outcome:
    await glass.switch()
    token = await comes(glass, "premier")
    one = await broken(glass, token)
    assert one is not None
    await ground.change(f"REVOKE INSERT ON audit_record FROM {APP}")
    try:
        return gained(await opened(glass, token, one))
    finally:
        await ground.change(f"GRANT INSERT ON audit_record TO {APP}")


def _alone(sabotage: Sabotage) -> None:
    sabotage.rewrite(rows, "_REVIEW", "AND staff_id <> :by", "")
    sabotage.sql("ALTER TABLE glass_break DROP CONSTRAINT ck_glass_break_two_persons")


NOT_ONES_OWN = replaced("nobody reviews their own", "two persons", by_glass, "is_own", lambda *_: False)
TWO_PERSONS = Defence("the database wants two persons", "two persons", _alone)


@attack(stopped_by=(NOT_ONES_OWN, TWO_PERSONS))
async def test_whoever_has_broken_the_glass_calls_it_justified(glass: GlassHouse) -> Outcome:
    await glass.switch()
    token = await comes(glass, "premier")
    one = await broken(glass, token)
    assert one is not None
    with suppress(CallcenterError):
        return gained(await breaking(glass).review(token, one, Verdict.JUSTIFIED, "Tout était en ordre."))
    return gained(False)


@attack(stopped_by=SUPERVISOR)
async def test_p5_who_broke_it_and_why_is_read_by_a_supervisor_of_another_organisation(glass: GlassHouse) -> Outcome:
    await glass.switch()
    one = await broken(glass, await comes(glass, "premier"))
    if one is None:
        return gained(False)
    theirs = await comes(glass, "eux", of=glass.house.theirs.organisation)
    found: Own | ToReview | None = None
    with suppress(CallcenterError):
        found = await breaking(glass).look(theirs, one)
    return gained(isinstance(found, ToReview) and found.asked.why == WHY)


UNCOUNTED = replaced("so many topics of one glass", "everything is reviewed", by_glass, "may_go_on", lambda _: True)


@attack(stopped_by=UNCOUNTED)
async def test_a_supervisor_opens_more_than_whoever_reviews_it_is_shown(glass: GlassHouse) -> Outcome:
    """The telephones at last, behind so many openings of the identity that they are on no page."""
    await glass.switch()
    token = await comes(glass, "premier")
    one = await broken(glass, token)
    assert one is not None
    for _ in range(rows.MOST_TOPICS):
        assert await opened(glass, token, one)
    last = await opened(glass, token, one, Topic.TELEPHONES)
    reviewed = await breaking(glass).look(await comes(glass, "second"), one)
    assert isinstance(reviewed, ToReview)
    told = [each.what for each in reviewed.opened]
    assert told[0] == "file"
    return gained(last and "patient.telephones" not in told)


TRAINED = replaced("words only for whoever is trained", "SM-02", by_glass, "is_trained", lambda *_: True)


@attack(stopped_by=TRAINED)
async def test_sm_02_somebody_whose_training_has_lapsed_reads_why_and_judges(glass: GlassHouse) -> Outcome:
    """What was opened and how it stands they see; nothing is on record as read."""
    await glass.switch()
    one = await broken(glass, await comes(glass, "premier"))
    assert one is not None
    lapsed = await comes(glass, "second")
    await glass.house.ours.run("UPDATE staff_account SET trained_until = '2026-01-31' WHERE login = 'second'")
    seen = await breaking(glass).look(lapsed, one)
    assert isinstance(seen, ToReview)
    assert [each.what for each in seen.opened] == ["file"]
    read = await glass.records(TILLEULS, "glass.read")
    came = await breaking(glass).review(lapsed, one, Verdict.JUSTIFIED, "Tout était en ordre.")
    got = {"words": gained(seen.asked), "record": gained(read), "verdict": gained(came is True)}
    return unanimous(got)


# --- words that are markup

MARKUP = "\"'><img src=x onerror=alert(1)>"


class Written(GlassDouble):
    """Whatever somebody has written, chosen or put on file is markup."""

    async def desk(self, token: str) -> GlassDesk:
        made = await super().desk(token)
        listed = tuple(replace(one, practice=MARKUP) for one in made.listed)
        return replace(made, practices=tuple(replace(one, name=MARKUP) for one in made.practices), listed=listed)

    async def look(self, token: str, glass: UUID) -> Own | ToReview:
        seen = await super().look(token, glass)
        if isinstance(seen, Own):
            return replace(seen, listed=_by_markup(seen.listed), rescue=MARKUP)
        words = Asked(MARKUP, MARKUP, MARKUP)
        return replace(seen, listed=_by_markup(seen.listed), asked=words, verdict=seen.verdict and MARKUP)

    async def open(self, token: str, glass: UUID, topic: Topic) -> Shown:
        return Shown(topic, (("appointment", MARKUP),))


def _by_markup(listed: Listed) -> Listed:
    return replace(
        listed, practice=MARKUP, glass=replace(listed.glass, by=MARKUP, reviewer=listed.glass.reviewer and MARKUP)
    )


@attack(stopped_by=ESCAPED)
async def test_what_is_written_about_broken_glass_is_markup_on_its_pages() -> Outcome:
    """Why, who asks and where they are rung; what the file holds; what was found in it; who broke it, and for whom."""
    async with open_desk(pages=(GlassPages(Written()),)) as desk:
        await desk.signed_in(roles=frozenset({"supervisor"}), confirmed=True)
        pages = {path: await desk.guest.get(f"/bris-de-glace{path}") for path in ("", f"/{MINE}", f"/{OTHERS}")}
        pages["topic"] = await desk.guest.post(f"/bris-de-glace/{MINE}/rubrique", rubrique="appointments")
        await desk.guest.post(f"/bris-de-glace/{OTHERS}/relecture", verdict="justified", texte="Le SAMU a rappelé.")
        pages["reviewed"] = await desk.guest.get(f"/bris-de-glace/{OTHERS}")
    return unanimous({where: gained(MARKUP in page.text) for where, page in pages.items()})
