"""Extracts of the register: for somebody else, by whoever may not, without a trace, of what is not theirs to read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from callcenter.app import by_extracts
from callcenter.app.by_extracts import StaffExtracts
from callcenter.audit import about
from callcenter.audit.ledger import Entry, EventKind, Segment, Writing, writing
from callcenter.calls.call_references import short_reference
from callcenter.console.extract_ports import Given, NotNow, Read
from callcenter.console.review_ports import Unsealed
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SystemRandom
from callcenter.reports import extracts as rows
from callcenter.reports import paper, register_extract, register_paper
from callcenter.reports.extract_rules import Choice, Form
from callcenter.reports.extract_tables import Asks, IdentityCheck
from callcenter.reports.register_extract import Named
from callcenter.reports.register_words import Section
from callcenter.staff.limits import Bound
from callcenter.store.schema import APP
from callcenter.store.sealed import Place
from tests.attack.defence import FOILED, Defence, Outcome, Sabotage, attack, gained, replaced, unanimous, yes
from tests.attack.extracting import JEANNE_NAMED, WHY, Extracting, words_on
from tests.attack.ground import Ground
from tests.attack.reviewing import BORN, asked, looked_up, reviewing, withheld
from tests.attack.scene import JEANNE, TILLEULS
from tests.sealing import Behind
from tests.unit.console.extracts import MADE


@pytest.fixture
async def scene(told_ground: Ground, clock: DrivenClock) -> AsyncIterator[Extracting]:
    async with reviewing(told_ground, clock) as review:
        yield await Extracting.on(review)


def _everybodys(sabotage: Sabotage) -> None:
    sabotage.replace(by_extracts, "may", yes)


RIGHTS = Defence("the role is asked for the practice", "rights are per practice", _everybodys)


async def _tries(scene: Extracting, token: str, extract: UUID) -> dict[str, Outcome]:
    ways = {
        "read": lambda: scene.extracts.read(token, extract, again=True),
        "release": lambda: scene.extracts.release(token, extract, Choice(Form.JSON)),
    }
    came = {}
    for name, way in ways.items():
        came[name] = FOILED
        with suppress(CallcenterError):
            held = await way()
            came[name] = gained(isinstance(held, Given) or (isinstance(held, Read) and held.extract is not None))
    return came


@attack(stopped_by=RIGHTS)
async def test_p5_somebody_of_another_organisation_or_without_the_role_has_an_extract(scene: Extracting) -> Outcome:
    """A supervisor of somebody else's practices, and an operator of these."""
    extract = await scene.prepared()
    theirs = await _tries(scene, scene.review.theirs, extract)
    operators = await _tries(scene, scene.review.operator, extract)
    return unanimous(theirs | {f"operator: {name}": came for name, came in operators.items()})


THE_PRACTICE = replaced("the practice's own people decide", "it answers for the data", by_extracts, "answers_for", yes)


@attack(stopped_by=THE_PRACTICE)
async def test_whoever_answers_the_telephone_gives_what_they_have_prepared(scene: Extracting) -> Outcome:
    """A supervisor, alone: prepared for somebody whose identity nobody else has seen."""
    extract = await scene.prepared()
    with suppress(CallcenterError):
        came = await scene.extracts.release(scene.review.ours, extract, Choice(Form.PDF))
        return gained(isinstance(came, Given))
    return FOILED


SAME_PERSON = replaced("names and birth date are compared with the file", "MA-02", by_extracts, "is_of", yes)


@attack(stopped_by=SAME_PERSON)
async def test_somebody_who_shows_their_own_document_asks_about_somebody_else(scene: Extracting) -> Outcome:
    """Of the same day, of the same family; or the supervisor has taken the wrong one of those who were found."""
    came = {}
    for named in (replace(JEANNE_NAMED, first_name="Paul"), replace(JEANNE_NAMED, name="Durand")):
        wanted = await scene.wanted(named=named)
        came[str(named)] = gained(isinstance(await scene.extracts.prepare(scene.review.ours, wanted), UUID))
    wanted = await scene.wanted(named=replace(JEANNE_NAMED, birth_date=BORN + timedelta(days=1)))
    came["birth date"] = gained(isinstance(await scene.extracts.prepare(scene.review.ours, wanted), UUID))
    return unanimous(came)


def _unmarked(sabotage: Sabotage) -> None:
    sabotage.replace(by_extracts, "may_ask", lambda *_: None)


MARKS = Defence("what the file forbids is not done", "SP-06, SP-07", _unmarked)


@attack(stopped_by=MARKS)
async def test_sp_07_whoever_hunts_somebody_has_their_register_sent(scene: Extracting) -> Outcome:
    """By a letter in her name, marked before it is prepared and after; as her father; as the heir of the dead."""
    ground, came = scene.review.ground, {}

    async def asks(**more: object) -> Outcome:
        return gained(isinstance(await scene.extracts.prepare(scene.review.ours, await scene.wanted(**more)), UUID))

    letter = await scene.prepared(check=IdentityCheck.LETTER)
    came["father of somebody of age"] = await asks(asks=Asks.PARENT)
    await ground.change("UPDATE patient SET contact_restricted = true WHERE id = :id", id=JEANNE)
    came["given"] = gained(isinstance(await scene.extracts.release(scene.doctor, letter, Choice(Form.PDF)), Given))
    came["prepared"] = await asks(check=IdentityCheck.LETTER)
    await ground.change("UPDATE patient SET deceased = true WHERE id = :id", id=JEANNE)
    came["heir"] = await asks(asks=Asks.GUARDIAN)
    return unanimous(came)


def _any_call(sabotage: Sabotage) -> None:
    sabotage.replace(rows, "was_verified", yes)


VERIFIED = Defence("the patient was verified in that call", "D17: a request at V2", _any_call)


@attack(stopped_by=VERIFIED)
async def test_an_extract_is_asked_for_in_a_call_in_which_nobody_was_verified(scene: Extracting) -> Outcome:
    """A stranger's call; and Jeanne's own, once it is old."""
    own = scene.review.call
    (strange,) = await scene.review.ground.rows(
        "SELECT id FROM call WHERE practice_id = :practice AND id NOT IN (SELECT call_id FROM audit_record "
        "WHERE event = 'verification.succeeded' AND call_id IS NOT NULL) ORDER BY id LIMIT 1",
        practice=TILLEULS,
    )
    by_call = {"check": IdentityCheck.VERIFIED_CALL}
    assert isinstance(await scene.prepared(**by_call, call=short_reference(own)), UUID), "her call proves her"
    wanted = await scene.wanted(**by_call, call=str(strange.id))
    came = {"strange": gained(isinstance(await scene.extracts.prepare(scene.review.ours, wanted), UUID))}
    came["old"] = await _asked_late(scene, own)
    return unanimous(came)


async def _asked_late(scene: Extracting, call: UUID) -> Outcome:
    """By a look-up of today, of a call of last month."""
    key = await scene.key()
    later = DrivenClock(scene.review.clock.now() + rows.PROVES_FOR + timedelta(minutes=2))
    reviews = replace(scene.review.reviews, clock=later)
    extracts = replace(scene.extracts, reviews=reviews)
    wanted = await scene.wanted(patient=key, check=IdentityCheck.VERIFIED_CALL, call=str(call))
    followed = scene.review.reviews.opened(await scene.review.room.standing(scene.review.ours), TILLEULS, key)
    assert followed is not None
    async with scene.review.ground.app.practice(TILLEULS) as tx:
        return gained(not isinstance(await extracts._proof(tx, wanted, followed.subject, later.now()), NotNow))


def _unwritten(sabotage: Sabotage) -> None:
    async def nothing(_: Writing) -> None:
        """Writes nothing."""

    sabotage.replace(Writing, "flush", nothing)


WRITTEN_FIRST = Defence("the record is written in the transaction of what leaves", "P1", _unwritten)


@attack(stopped_by=WRITTEN_FIRST)
async def test_p1_the_ledger_cannot_be_written_and_an_extract_leaves(scene: Extracting) -> Outcome:
    """Read on a page, or given: and then it still waits to be decided."""
    extract = await scene.prepared()
    ground, came = scene.review.ground, {}
    await ground.change(f"REVOKE INSERT ON audit_record FROM {APP}")
    try:
        for name, way in (
            ("read", lambda: scene.extracts.read(scene.doctor, extract)),
            ("given", lambda: scene.extracts.release(scene.doctor, extract, Choice(Form.PDF))),
        ):
            came[name] = FOILED
            with suppress(DBAPIError):
                came[name] = gained(await way())
    finally:
        await ground.change(f"GRANT INSERT ON audit_record TO {APP}")
    (row,) = await ground.rows("SELECT outcome FROM register_extract WHERE id = :id", id=extract)
    assert (row.outcome is None) is (came["given"] is FOILED)
    return unanimous(came)


def _kept_from_nobody(sabotage: Sabotage) -> None:
    sabotage.replace(register_extract, "given_to", lambda _asks, records, _held: list(records))


KEPT = Defence("what a minor keeps secret is kept from others", "SP-01", _kept_from_nobody)


@attack(stopped_by=KEPT)
async def test_sp_01_a_parent_reads_that_there_was_something_to_keep(scene: Extracting) -> Outcome:
    """In the call of Jeanne, who is fifteen, something is what she has asked to keep; a supervisor has looked at it."""
    born, call, ground = BORN.replace(year=2011), scene.review.call, scene.review.ground
    sealed = ground.sealer.seal_text(born.isoformat(), Place(TILLEULS, "patient", "birth_date", JEANNE))
    await ground.change("UPDATE patient SET birth_date = :born WHERE id = :id", born=sealed, id=JEANNE)
    await withheld(scene.review, "secret_mineur")
    await scene.review.reviews.call(scene.review.ours, call)
    named = replace(JEANNE_NAMED, birth_date=born)
    extract = await scene.prepared(patient=await scene.key(born), asks=Asks.PARENT, named=named)
    shown = (await scene.extracts.read(scene.doctor, extract)).extract
    assert shown is not None
    given = (await scene.given(extract, Form.JSON)).content.decode()
    sections = {section: gained(shown.of(section)) for section in (Section.NOT_TOLD, Section.PROOF, Section.TOLD)}
    return unanimous({**sections, "call": gained(str(call) in given), "page": gained(shown.calls)})


def _whatever_has_come(sabotage: Sabotage) -> None:
    made = StaffExtracts._made

    async def later(self: StaffExtracts, held: Any, whose: Any, choice: Choice, now: Any) -> Any:
        return await made(self, held, whose, replace(choice, seen_at=None), now)

    sabotage.replace(StaffExtracts, "_made", later)
    _unread(sabotage)


def _unread(sabotage: Sabotage) -> None:
    sabotage.replace(by_extracts, "as_read", lambda *_: None)


AS_READ = Defence("what is given is what was read", "SP-01", _whatever_has_come)
SAME_LINES = Defence("what is given has the digest of what was read", "SP-01", _unread)


@attack(stopped_by=AS_READ)
async def test_sp_01_what_has_come_since_it_was_read_is_given_with_it(scene: Extracting) -> Outcome:
    """The minor calls again while the practitioner reads: nobody has decided about that call."""
    extract, clock = await scene.prepared(asks=Asks.GUARDIAN), scene.review.clock
    clock.advance(60)
    read = await scene.extracts.read(scene.doctor, extract)
    assert read.extract is not None
    clock.advance(1)
    await withheld(scene.review, "minor")
    given = await scene.given(extract, Form.JSON, seen_at=read.extract.seen_at, digest=read.extract.digest)
    return gained('"not_told"' in given.content.decode())


@attack(stopped_by=SAME_LINES)
async def test_sp_01_a_line_that_was_not_on_the_screen_is_given(scene: Extracting) -> Outcome:
    """Another machine, whose clock is behind, writes what was withheld of the minor: its time is before the reading."""
    extract, clock = await scene.prepared(asks=Asks.GUARDIAN), scene.review.clock
    behind = replace(scene.review, clock=DrivenClock(clock.now()))
    clock.advance(60)
    read = await scene.extracts.read(scene.doctor, extract)
    assert read.extract is not None
    await withheld(behind, "minor")
    choice = Choice(Form.JSON, seen_at=read.extract.seen_at, digest=read.extract.digest)
    came = await scene.extracts.release(scene.doctor, extract, choice)
    if came is NotNow.CHANGED:  # nothing is lost: whoever reads it again decides about all of it
        again = await scene.extracts.read(scene.doctor, extract)
        assert again.extract is not None
        assert any(line.minors for line in again.extract.lines)
        assert again.listed.request.outcome is None
    return gained(isinstance(came, Given) and '"not_told"' in came.content.decode())


def _in_time(sabotage: Sabotage) -> None:
    sabotage.replace(Behind, "is_behind", lambda *_: False)


SEALED_IN_TIME = Defence("nothing is told while the ledger is behind", "P4", _in_time)


@attack(stopped_by=SEALED_IN_TIME)
async def test_p4_an_extract_leaves_while_its_record_could_be_taken_away_unseen(scene: Extracting) -> Outcome:
    """Prepared, read or given: and what waits to be decided still waits."""
    wanted, extract, behind = await scene.wanted(), await scene.prepared(), scene.behind()
    read = await behind.extracts.read(scene.doctor, extract)
    came = {
        "prepared": await behind.extracts.prepare(scene.review.ours, wanted),
        "given": await behind.extracts.release(scene.doctor, extract, Choice(Form.PDF)),
    }
    assert read.unsealed is (read.extract is None)
    if isinstance(came["given"], NotNow):
        assert set(came.values()) == {NotNow.UNSEALED}
        assert await scene.given(extract), "nothing is lost"
    outcomes = {name: gained(not isinstance(one, NotNow)) for name, one in came.items()}
    return unanimous({**outcomes, "read": gained(read.extract)})


@attack(stopped_by=SEALED_IN_TIME)
async def test_p4_calls_are_reviewed_while_the_looks_could_be_taken_away_unseen(scene: Extracting) -> Outcome:
    """On a page, on paper, as a file, with its notes; and nobody is looked for."""
    reviews, ours, call = scene.behind().extracts.reviews, scene.review.ours, scene.review.call
    ways = {
        "page": lambda: reviews.call(ours, call),
        "notes": lambda: reviews.notes(ours, call),
        "paper": lambda: reviews.paper(ours, call),
        "list": lambda: reviews.search(ours, asked()),
        "file": lambda: reviews.export(ours, asked()),
        "patient": lambda: reviews.look_up(ours, looked_up()),
    }
    came = {}
    for name, way in ways.items():
        came[name] = FOILED
        with suppress(Unsealed):
            came[name] = gained(await way())
    return unanimous(came)


def _everybodys_records(sabotage: Sabotage) -> None:
    sabotage.replace(about, "_followed", lambda record: UUID(int=0))
    sabotage.replace(about, "_is_look", lambda *_: True)


OWN_RECORDS = Defence("of a stream only what names the person", "D20: nothing of others", _everybodys_records)


@attack(stopped_by=OWN_RECORDS)
async def test_d20_somebody_else_who_was_spoken_of_in_the_same_call_is_in_it(scene: Extracting) -> Outcome:
    """Whoever shares the telephone called for both: what was told of the other one is none of hers."""
    (other,) = await scene.review.ground.rows(
        "SELECT id FROM patient WHERE practice_id = :practice AND id <> :jeanne ORDER BY id LIMIT 1",
        practice=TILLEULS,
        jeanne=JEANNE,
    )
    content = {"decision": "granted", "categories": ["D03"], "refs": ["appointment:their-own"], "level": 2}
    async with scene.review.ground.app.practice(TILLEULS) as tx:
        (stream,) = (
            await tx.connection.exec_driver_sql(
                "SELECT stream, max(seq) AS seq FROM audit_record WHERE event = 'verification.succeeded' "
                "AND call_id IS NOT NULL GROUP BY stream LIMIT 1"
            )
        ).all()
        (last,) = (
            await tx.connection.exec_driver_sql(
                f"SELECT seq, leaf FROM audit_record WHERE stream = '{stream.stream}' ORDER BY seq DESC LIMIT 1"
            )
        ).all()
        segment = Segment(stream.stream, scene.review.call, last.seq + 1, bytes(last.leaf))
        async with writing(tx, segment, scene.review.clock, SystemRandom()) as pen:
            record = await pen.add(Entry(EventKind.DISCLOSURE, {"kind": "ivr", "id": "x"}, other.id, content))
    given = await scene.given(await scene.prepared(), Form.JSON)
    return gained(str(record) in given.content.decode())


STEPPED_UP = replaced(
    "a second factor just now", "AU-02", by_extracts.StaffSession, "may_change_account", property(lambda _: True)
)


@attack(stopped_by=STEPPED_UP)
async def test_a_screen_that_was_left_open_prepares_and_gives_extracts(scene: Extracting) -> Outcome:
    extract, wanted = await scene.prepared(), await scene.wanted()
    scene.review.clock.advance(6 * 60)
    given = await scene.extracts.release(scene.doctor, extract, Choice(Form.PDF))
    prepared = await scene.extracts.prepare(scene.review.ours, wanted)
    return unanimous({"given": gained(isinstance(given, Given)), "prepared": gained(isinstance(prepared, UUID))})


def _uncounted(sabotage: Sabotage) -> None:
    async def none(*_: object) -> None:
        return None

    sabotage.replace(by_extracts.Tallies, "count", none)


BOUNDED = Defence("preparations are bounded", "no fishing for names", _uncounted)


@attack(stopped_by=BOUNDED)
async def test_a_supervisor_fishes_for_the_names_of_somebody_found_by_a_birth_date(scene: Extracting) -> Outcome:
    extracts = replace(scene.extracts, preparations=Bound(3, timedelta(hours=24)))
    key = await scene.key()
    for name in ("Durand", "Petit", "Moreau", "Roux", "Martin-Duval"):
        wanted = await scene.wanted(patient=key, named=Named(name, "Jeanne", BORN))
        if isinstance(await extracts.prepare(scene.review.ours, wanted), UUID):
            return gained(True)
    return FOILED


def _reopened(sabotage: Sabotage) -> None:
    sabotage.replace(rows.RequestRow, "may_be_made", lambda *_: True)


CLOSED = Defence("what is declined stays declined", "the practice has decided", _reopened)


@attack(stopped_by=CLOSED)
async def test_what_the_practice_has_declined_is_given_all_the_same(scene: Extracting) -> Outcome:
    extract = await scene.prepared()
    assert await scene.extracts.decline(scene.doctor, extract, WHY) is True
    return gained(isinstance(await scene.extracts.release(scene.doctor, extract, Choice(Form.PDF)), Given))


ESCAPED = replaced("a paper shows texts", "no markup of others", paper, "escape", lambda text: text)


@attack(stopped_by=ESCAPED)
def test_a_name_is_markup_on_the_paper_that_a_patient_is_given() -> Outcome:
    """Of a practice, of whoever answers for it, of the patient."""
    markup = '<font size="40">Remboursement</font>'
    practice = replace(MADE.practice, name=markup, address=markup, organisation=markup)
    request = replace(MADE.request, named=Named(markup, markup, BORN))
    papers = {
        "practice": replace(MADE, practice=practice),
        "patient": replace(MADE, request=request),
        "staff": replace(MADE, lines=(replace(MADE.lines[0], by=markup),)),
    }
    return unanimous({name: gained(b" 40 Tf" in register_paper.on_paper(one)) for name, one in papers.items()})


def _another_digest(sabotage: Sabotage) -> None:
    released = by_extracts.released
    sabotage.replace(by_extracts, "released", lambda *given: {**released(*given), "digest": "0" * 64})


ITS_DIGEST = Defence("the record bears the digest of the file", "P1: which file has left", _another_digest)


@attack(stopped_by=ITS_DIGEST)
async def test_p1_another_paper_is_shown_as_the_one_that_was_given(scene: Extracting) -> Outcome:
    """A word of it changed: by what is on record, it is not the one."""
    given = await scene.given(await scene.prepared())
    (record,) = await scene.review.records("extract.released")
    forged = given.content.replace(b"page 1", b"page 9")
    assert words_on(forged) != words_on(given.content)
    assert record["digest"] != sha256(forged).hexdigest()
    return gained(record["digest"] != sha256(given.content).hexdigest())
