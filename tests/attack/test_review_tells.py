"""What the review tells of files to whoever has looked nobody up: who is a patient, and how a file is marked."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import literal
from sqlalchemy.exc import DBAPIError

from callcenter.app import by_review
from callcenter.audit.ledger import Entry, EventKind, Value, note
from callcenter.calls import reminders_again
from callcenter.console.review_ports import Untrained
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.reports import describing, searching
from callcenter.reports.values import Found, Kind, Outcome, Timeline
from callcenter.staff.values import Standing
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Sabotage, attack, gained, unanimous
from tests.attack.defence import Outcome as Came
from tests.attack.ground import Ground
from tests.attack.reviewed.test_what_is_shown import unescaped
from tests.attack.reviewing import BY, Review, asked, key_of, page_of, reviewing, withheld
from tests.attack.scene import A_STRANGER, JEANNE, JEANNES_MOBILE, TILLEULS, House, house_of, served

_OWN = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{64}|\d\d/\d\d/\d{4}|\d{1,2}:\d\d(?::\d\d)?|\+\d+"
)


@pytest.fixture
async def attacked(told_ground: Ground, clock: DrivenClock) -> AsyncIterator[Review]:
    async with reviewing(told_ground, clock) as review:
        yield review


@pytest.fixture
async def house(told_ground: Ground, clock: DrivenClock, sabotage: Sabotage) -> AsyncIterator[House]:
    async with served(house_of(told_ground, clock, sabotage)) as house:
        yield house


# --- who is a patient


def _everything(sabotage: Sabotage) -> None:
    sabotage.replace(searching, "_finds_out_nothing", lambda: literal(value=True))


NOT_WHAT_JOBS_FIND = Defence("lists leave out what jobs have found out", "P6: no oracle in the review", _everything)


@attack(stopped_by=NOT_WHAT_JOBS_FIND)
async def test_p6_a_supervisor_tells_a_patient_by_what_their_own_calls_have_left(
    attacked: Review, house: House
) -> Came:
    """The same claim from a patient's telephone and from nobody's: everything there is to read, but times and names of
    records, and how many they are."""
    await house.deliver()
    left = []
    for caller in (JEANNES_MOBILE, A_STRANGER):
        before = {line.id for line in await _listed(attacked)}
        files = {kind: await _file(attacked, kind) for kind in Kind}
        line = await house.line(caller).dial()
        await line.claim()
        await line.guess_wrong()
        await line.hang_up()
        await house.deliver()
        lines = [one for one in await _listed(attacked) if one.id not in before]
        assert EventKind.CHALLENGE_OPENED.value in {one.what for one in lines}
        call = await line.id()
        after = {
            kind: sorted(row[2:8] for row in await _file(attacked, kind) if row not in files[kind]) for kind in Kind
        }
        timeline = (await attacked.reviews.call(attacked.ours, call)).timeline
        left.append(
            (
                sorted(
                    str((one.what, one.outcomes, one.categories, one.level, one.reason, one.call is None))
                    for one in lines
                ),
                after,
                _moments(timeline),
                (timeline.chain.records, timeline.chain.streams, timeline.chain.faults, timeline.chain.whole),
                _OWN.sub("", await page_of(attacked, call)),
                _OWN.sub("", _read(await attacked.reviews.paper(attacked.ours, call))),
            )
        )
    patient, nobody = left
    assert len(patient[2]) > 5
    assert patient[2:4] == nobody[2:4], "the call's own timeline"
    assert _unproved(patient[4]) == _unproved(nobody[4])
    assert patient[5] == nobody[5]
    return gained(patient[:2] != nobody[:2])


@attack(stopped_by=NOT_WHAT_JOBS_FIND)
async def test_p6_a_supervisor_tells_a_patient_by_a_reminder_that_they_have_asked_for(attacked: Review) -> Came:
    """The job that finds out whose telephone it is writes down what it has told them; of nobody it has nothing."""
    before = {line.id for line in await _listed(attacked)}
    content: dict[str, Value] = {"decision": "granted", "categories": ["C5"], "refs": ["appointment:1"]}
    async with attacked.ground.app.practice(TILLEULS) as tx:
        entry = Entry(EventKind.DISCLOSURE, reminders_again.JOB_ACTOR, JEANNE, content)
        await note(tx, entry, attacked.clock, SystemRandom())
    return gained([one for one in await _listed(attacked) if one.id not in before and one.what == "disclosure"])


async def _listed(review: Review) -> list[Found]:
    """All lists but that of colleagues' acts, in which the looks of this test are."""
    found: list[Found] = []
    for kind in (Kind.CALLS, Kind.DISCLOSURES, Kind.REFUSALS, Kind.VERIFICATIONS):
        found += (await review.reviews.search(review.ours, asked(kind))).found
    return found


async def _file(review: Review, kind: Kind) -> list[list[str]]:
    made = (await review.reviews.export(review.ours, asked(kind))).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(made), delimiter=";"))[1:]


def _moments(timeline: Timeline) -> list[Any]:
    return [
        (
            *(one.after, one.area, one.title, one.who.kind, one.words, one.record is None, one.flow, one.fault),
            [(fact.label, _OWN.sub("", fact.value)) for fact in one.facts],
        )
        for one in timeline.moments
        if one.area.value != "review"
    ]


def _unproved(page: str) -> str:
    return re.sub(r'name="preuve" value="[^"]*"|data-after="\d+"|datetime="[^"]*"', "", page)


def _read(made: bytes) -> str:
    """The letters of a paper, in a row."""
    return "".join(unescaped(b"".join(re.findall(rb"\((.*)\) Tj", made))).decode("cp1252", "replace").split())


# --- how a file is marked


def _all_reasons(sabotage: Sabotage) -> None:
    for module in (searching, describing):
        sabotage.replace(module, "is_open", lambda *_: True)


REASONS_KEPT = Defence("reasons of the file are kept back", "P1: nothing of a file without a record", _all_reasons)


@attack(stopped_by=REASONS_KEPT)
async def test_p1_a_supervisor_reads_how_a_file_is_marked_without_looking_anybody_up(attacked: Review) -> Came:
    await withheld(attacked, "minor")
    (line,) = (await attacked.reviews.search(attacked.ours, asked(Kind.REFUSALS, outcome=Outcome.WITHHELD))).found
    moments = (await attacked.reviews.call(attacked.ours, attacked.call)).timeline.moments
    places = {
        "list": line.reason,
        "file": "mineur" in str(await _file(attacked, Kind.DISCLOSURES)),
        "timeline": "mineur" in {fact.value for one in moments for fact in one.facts},
        "page": "mineur" in await page_of(attacked, attacked.call),
        "paper": "mineur" in _read(await attacked.reviews.paper(attacked.ours, attacked.call)),
    }
    return unanimous({name: gained(found) for name, found in places.items()})


# --- that somebody has looked


def _unlisted(sabotage: Sabotage) -> None:
    async def nothing(*_: object) -> None:
        return None

    sabotage.replace(by_review.StaffActs, "listed", nothing)


LISTED = Defence("each search is on record before its page leaves", "P1", _unlisted)


@attack(stopped_by=LISTED)
async def test_p1_somebody_searches_while_the_ledger_cannot_be_written(attacked: Review) -> Came:
    await attacked.ground.change("REVOKE INSERT ON audit_record FROM callcenter_app")
    try:
        return gained((await attacked.reviews.search(attacked.ours, asked())).found)
    except DBAPIError:
        return FOILED


# --- whose training has lapsed


def _always(sabotage: Sabotage) -> None:
    sabotage.replace(Standing, "may_reveal", True)


TRAINED = Defence("training is asked at each look at a patient", "SM-02", _always)


@attack(stopped_by=TRAINED)
async def test_somebody_lists_a_patient_once_their_training_has_lapsed(attacked: Review) -> Came:
    key = await key_of(attacked)
    await attacked.room.administration.trained(attacked.people["ours"], date(2026, 11, 1), BY)
    came = {}
    for name, way in (("list", attacked.reviews.search), ("file", attacked.reviews.export)):
        try:
            await way(attacked.ours, asked(Kind.DISCLOSURES, patient=key))
        except Untrained:
            came[name] = FOILED
        else:
            came[name] = SUCCEEDED
    return unanimous(came)
