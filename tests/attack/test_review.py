"""Supervisors' review: calls of others, roles of others, fishing, looks that leave no trace, formulas, markup."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from callcenter.app import by_review
from callcenter.app.by_review import StaffReviews
from callcenter.calls import call_references
from callcenter.calls.call_references import NoCall, short_reference
from callcenter.console.review import ReviewPages
from callcenter.console.review_ports import Matches, Results, Unreferred
from callcenter.identity import matching
from callcenter.kernel.clock import DrivenClock
from callcenter.reports import paper, spreadsheet
from callcenter.reports.values import Fact, Kind, Person, Place, Supervised, Who, Words
from callcenter.staff.limits import Bound
from callcenter.staff.rights import NotTheirs
from callcenter.staff.values import Role
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Sabotage, attack, gained, replaced, unanimous, yes
from tests.attack.defence import Outcome as Came
from tests.attack.escaping import ESCAPED as PAGES_ESCAPED
from tests.attack.ground import Ground
from tests.attack.reviewing import BORN, Review, asked, looked_up, reviewing
from tests.attack.scene import PORT, TILLEULS
from tests.unit.console.doubles import open_desk
from tests.unit.console.reviews import CALL, DESK, MOMENTS, PERSON, PRACTICE, RECORD_LINE, TIMELINE, ReviewsDouble


@pytest.fixture
async def attacked(told_ground: Ground, clock: DrivenClock) -> AsyncIterator[Review]:
    async with reviewing(told_ground, clock) as review:
        yield review


SUPERVISOR = replaced("the role is asked for the practice", "rights are per practice", by_review, "may", yes)


@attack(stopped_by=SUPERVISOR)
async def test_p5_a_supervisor_of_another_organisation_looks_at_a_call(attacked: Review) -> Came:
    """By its address, on paper, by a list, by a file, by a patient."""
    return unanimous(await _ways(attacked, attacked.theirs))


@attack(stopped_by=SUPERVISOR)
async def test_an_operator_reviews_calls(attacked: Review) -> Came:
    return unanimous(await _ways(attacked, attacked.operator))


async def _ways(review: Review, token: str) -> dict[str, Came]:
    reviews = review.reviews
    ways = {
        "address": lambda: reviews.call(token, review.call),
        "paper": lambda: reviews.paper(token, review.call),
        "notes": lambda: reviews.notes(token, review.call),
        "list": lambda: reviews.search(token, asked()),
        "file": lambda: reviews.export(token, asked()),
        "patient": lambda: reviews.look_up(token, looked_up()),
    }
    came = {}
    for name, way in ways.items():
        try:
            came[name] = gained(await way())
        except NotTheirs:
            came[name] = FOILED
    return came


def _calls_of_all(sabotage: Sabotage) -> None:
    theirs = "practice_id = ANY(:practices)"
    sabotage.rewrite(call_references, "_CALLS", theirs, "cast(:practices AS uuid[]) IS NOT NULL")


OF_THEIRS = Defence("a reference is looked for among one's own practices", "P5", _calls_of_all)


@attack(stopped_by=OF_THEIRS)
async def test_p5_a_reference_alone_tells_whether_another_organisation_has_such_a_call(attacked: Review) -> Came:
    """Whole, as lists show it, and by somebody who supervises nothing: each is as one that does not exist."""

    async def tells(token: str, reference: str) -> Came:
        try:
            return gained(await attacked.reviews.practice_of(token, reference))
        except Unreferred as error:
            return gained(error.why is not NoCall.UNKNOWN)

    call = attacked.call
    nobodys = str(UUID(int=call.int ^ 1 << 100))
    assert await tells(attacked.ours, nobodys) is FOILED
    ways = {"theirs": attacked.theirs, "operator": attacked.operator}
    return unanimous(
        {
            f"{who} {of}": await tells(token, of)
            for who, token in ways.items()
            for of in (str(call), short_reference(call))
        }
    )


def _sealed_for_nobody(sabotage: Sabotage) -> None:
    seal, unseal = StaffReviews._sealed, StaffReviews._unsealed
    everybody = (UUID(int=0), UUID(int=0))
    sabotage.replace(StaffReviews, "_sealed", lambda self, _s, _p, what, value: seal(self, *everybody, what, value))
    sabotage.replace(StaffReviews, "_unsealed", lambda self, _s, _p, what, given: unseal(self, *everybody, what, given))


ITS_OWN_KEYS = Defence(
    "what a page is given is sealed for its reader", "a patient is found by who has asked", _sealed_for_nobody
)


@attack(stopped_by=ITS_OWN_KEYS)
async def test_a_supervisor_lists_the_patient_whom_another_has_found(attacked: Review) -> Came:
    """Another supervisor of the same practice, without having said why; their own bound is not touched by it."""
    found = await attacked.reviews.look_up(attacked.ours, looked_up())
    assert isinstance(found, Matches)
    (portfolio,) = [one for _, one, _ in await attacked.room.portfolios.all() if one.name == "Tout"]
    another = await attacked.staff("another", portfolio, Role.SUPERVISOR, "Superviseur 2")
    try:
        results = await attacked.reviews.search(another, asked(Kind.DISCLOSURES, patient=found.matches[0].key))
    except NotTheirs:
        return FOILED
    return gained(results.found)


@attack(stopped_by=ITS_OWN_KEYS)
async def test_p5_a_place_in_one_practices_list_is_taken_to_another(attacked: Review) -> Came:
    """By its cursor. Rights are asked for again, so it gains no row; it must not even be read."""
    cursor = attacked.reviews._cursor(
        attacked.people["ours"], TILLEULS, Place("2026-11-26T12:00:00.000000Z", UUID(int=5))
    )
    try:
        await attacked.reviews.search(attacked.theirs, asked(practice=PORT, after=cursor))
    except NotTheirs:
        return FOILED
    return SUCCEEDED


def _unbounded(sabotage: Sabotage) -> None:
    async def none(*_: object) -> None:
        return None

    sabotage.replace(by_review.Tallies, "count", none)


BOUNDED = Defence("look-ups of patients are bounded", "ID-05: no fishing", _unbounded)


@attack(stopped_by=BOUNDED)
async def test_a_supervisor_fishes_for_birth_dates(attacked: Review) -> Came:
    """Day after day of a year, until somebody is found."""
    reviews = replace(attacked.reviews, look_ups=Bound(3, timedelta(hours=24)))
    for days in range(-5, 1):
        found = await reviews.look_up(attacked.ours, looked_up(born=BORN + timedelta(days=days)))
        if isinstance(found, Matches) and found.matches:
            return SUCCEEDED
    return FOILED


_ANY_LETTERS = replaced("at most three letters of a name", "ID-05", matching, "MOST_LETTERS", 100)


@attack(stopped_by=_ANY_LETTERS)
async def test_a_supervisor_tries_whole_names(attacked: Review) -> Came:
    """Past the page, which lets nobody send more."""
    try:
        found = await attacked.reviews.look_up(attacked.ours, looked_up(letters="Martin"))
    except ValueError:
        return FOILED
    return gained(isinstance(found, Matches) and found.matches)


def _looks_later(sabotage: Sabotage) -> None:
    async def nothing(*_: object, **__: object) -> None:
        return None

    for act in ("call_reviewed", "call_notes_read", "patient_searched", "patient_followed", "list_exported"):
        sabotage.replace(by_review.StaffActs, act, nothing)


RECORDED = Defence("a look is on record before anything leaves", "P1", _looks_later)


@attack(stopped_by=RECORDED)
async def test_p1_somebody_looks_while_the_ledger_cannot_be_written(attacked: Review) -> Came:
    """The ledger refuses: nothing is shown, whichever way one looks."""
    await attacked.ground.change("REVOKE INSERT ON audit_record FROM callcenter_app")
    came = {}
    ways = {
        "page": lambda: attacked.reviews.call(attacked.ours, attacked.call),
        "paper": lambda: attacked.reviews.paper(attacked.ours, attacked.call),
        "notes": lambda: attacked.reviews.notes(attacked.ours, attacked.call),
        "file": lambda: attacked.reviews.export(attacked.ours, asked()),
        "patient": lambda: attacked.reviews.look_up(attacked.ours, looked_up()),
    }
    for name, way in ways.items():
        try:
            came[name] = gained(await way())
        except DBAPIError:
            came[name] = FOILED
    return unanimous(came)


TEXT_CELLS = replaced("a cell is a text", "no file runs anything", spreadsheet, "cell", lambda value: value)
_FORMULAS = ("=HYPERLINK(1)", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "＝1+1")


@attack(stopped_by=TEXT_CELLS)
async def test_a_colleagues_name_is_a_formula_in_an_export(attacked: Review) -> Came:
    await attacked.reviews.call(attacked.ours, attacked.call)
    came = {}
    for formula in _FORMULAS:
        await attacked.ground.change(
            "UPDATE staff_account SET display_name = :name WHERE id = :id", name=formula, id=attacked.people["ours"]
        )
        made = (await attacked.reviews.export(attacked.ours, asked(Kind.STAFF))).decode("utf-8-sig")
        cells = [cell for row in csv.reader(io.StringIO(made, newline=""), delimiter=";") for cell in row]
        assert any(formula.strip() in cell for cell in cells), formula
        came[repr(formula)] = gained([cell for cell in cells if cell.lstrip(" ").startswith(spreadsheet._FORMULA)])
    return unanimous(came)


ESCAPED = replaced("what comes from elsewhere is no markup", "a paper shows texts", paper, "escape", lambda text: text)


@attack(stopped_by=ESCAPED)
async def test_a_colleagues_name_is_markup_on_paper(attacked: Review) -> Came:
    """reportlab's paragraphs are markup: a name could set words that nobody has written, or name a file."""
    name = '<font size="40">Approuvé</font>'
    await attacked.ground.change(
        "UPDATE staff_account SET display_name = :name WHERE id = :id", name=name, id=attacked.people["ours"]
    )
    made = await attacked.reviews.paper(attacked.ours, attacked.call)
    return gained(b" 40 Tf" in made)


_MARKUP = '"><img src=x onerror=alert(1)>'


@attack(stopped_by=PAGES_ESCAPED)
async def test_a_name_brings_markup_into_the_review() -> Came:
    """Of a practice, of a colleague, of an event, of what a record says, of what was sent."""
    moment = replace(MOMENTS[0], title=_MARKUP, facts=(Fact(_MARKUP, _MARKUP),), words=(Words(_MARKUP, _MARKUP),))
    named = replace(moment, who=Who("staff", _MARKUP), flow=_MARKUP, fault=_MARKUP)
    reviews = ReviewsDouble(practice=_MARKUP, timeline=replace(TIMELINE, moments=(named,)))
    reviews.desk_shown = replace(DESK, practices=(Supervised(PRACTICE, _MARKUP),), people=(Person(PERSON, _MARKUP),))
    reviews.results = Results((replace(RECORD_LINE, who=Who("staff", _MARKUP)),), _MARKUP)
    async with open_desk(pages=(ReviewPages(reviews),)) as desk:
        await desk.signed_in(roles=frozenset({"supervisor"}))
        pages = {"form": await desk.guest.get("/suivi")}
        sent = {"cabinet": str(PRACTICE), "nature": "calls", "du": "2026-11-26", "au": "2026-11-26"}
        pages["list"] = await desk.guest.post("/suivi", **sent, patient=_MARKUP)
        pages["problem"] = await desk.guest.post("/suivi", **{**sent, "appel": _MARKUP})
        pages["call"] = await desk.guest.get(f"/suivi/appels/{CALL}")
        return unanimous({name: gained(_MARKUP in page.text) for name, page in pages.items()})
