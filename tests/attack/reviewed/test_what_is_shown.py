"""Supervisors' review where a verified call has taken place: what it shows, and what it writes down."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from callcenter.app import by_review
from callcenter.audit.ledger import Segment, canonical, leaf_of
from callcenter.calls.call_references import NoCall, short_reference
from callcenter.calls.upkeep import Upkeep
from callcenter.console.review_ports import LookUpProblem, Matches, Unreferred, Untrained
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import Forbidden
from callcenter.kernel.labels import Category
from callcenter.reports import on_record, paper, spreadsheet
from callcenter.reports.timeline import timeline_of
from callcenter.reports.values import Area, Kind, Outcome, Who
from callcenter.reports.words import OURS
from callcenter.staff.administration import NewAccount
from callcenter.staff.rights import NotTheirs
from tests.attack.ground import ground_on
from tests.attack.repositories import FLOWS
from tests.attack.reviewing import BORN, BY, WHY, Review, asked, key_of, looked_up, page_of, reviewing, withheld
from tests.attack.scene import JEANNE, PORT, TILLEULS
from tests.conftest import Cluster


@pytest.fixture
async def review(cluster: Cluster, told: str, keys_file: Path, clock: DrivenClock) -> AsyncIterator[Review]:
    """The review of a database of one's own, with every defence in place."""
    async with ground_on(cluster, told, "reviewed", keys_file) as ground, reviewing(ground, clock) as review:
        yield review
    await cluster.drop("reviewed")


# --- what is found


async def test_a_verified_call_is_found_by_what_came_of_it(review: Review) -> None:
    results = await review.reviews.search(review.ours, asked())
    (line,) = [one for one in results.found if one.call == review.call]
    assert set(line.outcomes) >= {Outcome.GRANTED, Outcome.VERIFIED, Outcome.FAILED}
    assert len(results.found) > 4, "the strangers' calls are there too"
    for outcome, there in ((Outcome.VERIFIED, True), (Outcome.WITHHELD, False), (Outcome.ANSWERED, False)):
        found = (await review.reviews.search(review.ours, asked(outcome=outcome))).found
        assert (review.call in {one.call for one in found}) is there, outcome
    by_reference = asked(call=review.call)
    before = replace(
        by_reference, criteria=replace(by_reference.criteria, first=date(2026, 1, 1), last=date(2026, 1, 1))
    )
    assert [one.call for one in (await review.reviews.search(review.ours, before)).found] == [review.call]


async def test_p5_a_call_is_named_by_the_first_signs_of_its_reference_among_ones_own_alone(review: Review) -> None:
    async def found(reference: str) -> set[UUID | None] | NoCall:
        try:
            results = await review.reviews.search(review.ours, replace(asked(), reference=reference))
        except Unreferred as error:
            return error.why
        return {one.call for one in results.found}

    async def called(practice: UUID, call: UUID) -> UUID:
        """There is another call, of that practice."""
        await review.ground.change(
            "INSERT INTO call (id, practice_id, carrier_sid, status, started_at, ended_at) "
            "SELECT :id, :practice, :sid, status, started_at, ended_at FROM call WHERE id = :like",
            **{"id": call, "practice": practice, "like": review.call, "sid": f"CA{call.hex}"},
        )
        return call

    short, beside = short_reference(review.call), UUID(int=review.call.int ^ 1)
    elsewhere = await called(PORT, UUID("0badcafe-2222-4333-8444-555555555555"))
    assert await found(short) == await found(f" {short.upper()} ") == await found(str(review.call)) == {review.call}
    theirs = short_reference(elsewhere), str(elsewhere)
    for one in (*theirs, "00000000", short[:7], f"{short}-", str(UUID(int=7)), "Jeanne", "\x00"):
        assert await found(one) is NoCall.UNKNOWN, one
    await called(PORT, beside)
    assert await found(short) == {review.call}, "of another practice's it tells nothing, not even that it is there"
    beside = await called(TILLEULS, UUID(int=review.call.int ^ 2))
    assert await found(short) is NoCall.SEVERAL
    assert await found(str(beside)) == {beside}


async def test_of_many_practices_those_are_offered_that_have_a_part_of_a_name_and_a_call_finds_its_own(
    review: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviews = review.reviews
    desk = await reviews.desk(review.ours, "tilleuls")
    assert (desk.many, TILLEULS in {one.id for one in desk.practices}) == (False, True)
    monkeypatch.setattr(by_review, "MOST_LISTED", 0)
    assert (await reviews.desk(review.ours)).practices == ()
    (kept,) = (await reviews.desk(review.ours, chosen=TILLEULS)).practices
    assert kept.id == TILLEULS
    for named, found in (("TILLÉULS", 1), (" cabinet  des till", 1), ("port", 0), ("%", 0)):
        desk = await reviews.desk(review.ours, named)
        assert (desk.many, desk.found, {one.id for one in desk.practices}) == (
            True,
            found,
            {TILLEULS} if found else set(),
        )
    assert (await reviews.desk(review.ours, "port", PORT)).practices == (), "another organisation's by now (P5)"
    monkeypatch.setattr(by_review, "MOST_NAMED", 0)
    (beyond,) = (await reviews.desk(review.ours, "tilleuls", TILLEULS)).practices
    assert beyond.id == TILLEULS
    for reference in (str(review.call), short_reference(review.call)):
        assert await reviews.practice_of(review.ours, reference) == TILLEULS


async def test_each_list_holds_its_own_records_newest_first(review: Review) -> None:
    async def found(kind: Kind, **more: object) -> list[tuple[str, tuple[Outcome, ...]]]:
        results = await review.reviews.search(review.ours, asked(kind, **more))
        assert [one.at for one in results.found] == sorted((one.at for one in results.found), reverse=True)
        return [(one.what, one.outcomes) for one in results.found]

    told = await found(Kind.DISCLOSURES)
    assert {what for what, _ in told} == {"disclosure"}
    assert {what for what, _ in await found(Kind.VERIFICATIONS)} >= {
        "verification.succeeded",
        "verification.failed",
        "verification.challenge",
        "reference.wrong",
    }
    granted = await found(Kind.DISCLOSURES, outcome=Outcome.GRANTED)
    assert granted == [each for each in told if each[1] == (Outcome.GRANTED,)]
    assert len(granted) > 0
    assert await found(Kind.STAFF) == [("review.listed", ())] * 3
    await review.reviews.call(review.ours, review.call)
    assert sorted(await found(Kind.STAFF)) == [("review.call_opened", ()), *[("review.listed", ())] * 4]
    assert len(await found(Kind.STAFF, staff=review.people["ours"])) == 6
    assert await found(Kind.STAFF, staff=review.people["operator"]) == []


async def test_pages_follow_one_another_and_miss_nothing(review: Review, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (Kind.CALLS, Kind.VERIFICATIONS):
        whole = [one.id for one in (await review.reviews.search(review.ours, asked(kind))).found]
        with monkeypatch.context() as patch:
            patch.setattr(by_review, "LINES", 2)
            paged, after = [], ""
            for _ in range(len(whole)):
                results = await review.reviews.search(review.ours, asked(kind, after=after))
                assert len(results.found) <= 2
                paged += [one.id for one in results.found]
                after = results.after
                if not after:
                    break
        assert paged == whole
        assert len(whole) > 3


# --- a patient


async def test_a_patient_is_found_by_birth_date_and_three_letters_and_each_look_is_on_record(review: Review) -> None:
    found = await review.reviews.look_up(review.ours, looked_up(letters="mar"))
    assert isinstance(found, Matches)
    (match,) = found.matches
    (record,) = await review.records("review.patient_searched")
    assert (record["purpose"], record["found"]) == ("complaint", 1)
    assert record["subject"] is not None
    assert str(JEANNE) not in str(record), "the ledger names her by her token"
    query = "SELECT id, purpose, words FROM review_reason WHERE staff_id = :ours"
    (reason,) = await review.ground.rows(query, ours=review.people["ours"])
    assert WHY.encode() not in bytes(reason.words), "the reason is sealed"
    assert record["refs"] == [f"review_reason:{reason.id}"]
    results = await review.reviews.search(review.ours, asked(Kind.DISCLOSURES, patient=match.key))
    assert results.found
    everything = await review.reviews.search(review.ours, asked(Kind.VERIFICATIONS))
    hers = await review.reviews.search(review.ours, asked(Kind.VERIFICATIONS, patient=match.key))
    assert 0 < len(hers.found) < len(everything.found), "the strangers' tries are not hers"
    followed = await review.records("review.patient_followed")
    assert [record["subject"] for record in followed] == [record["subject"]] * 2
    calls = await review.reviews.search(review.ours, asked(patient=match.key))
    assert [one.call for one in calls.found] == [review.call]


@pytest.mark.parametrize(
    ("born", "letters"), [(date(1962, 3, 15), ""), (BORN, "zzz"), (date(1985, 2, 1), "")], ids=["day", "name", "nobody"]
)
async def test_who_is_not_on_record_is_not_found_and_that_is_on_record_too(
    review: Review, born: date, letters: str
) -> None:
    assert await review.reviews.look_up(review.ours, looked_up(born=born, letters=letters)) == Matches(())
    (record,) = await review.records("review.patient_searched")
    assert (record["found"], record["subject"]) == (0, None)


async def test_nobody_is_looked_for_without_training(review: Review) -> None:
    await review.room.administration.trained(review.people["ours"], date(2026, 11, 1), BY)
    assert await review.reviews.look_up(review.ours, looked_up()) is LookUpProblem.UNTRAINED
    assert await review.records("review.patient_searched") == []


async def test_a_period_with_too_many_patients_says_so(review: Review, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_record, "MOST_FILES", 0)
    assert await review.reviews.look_up(review.ours, looked_up()) is LookUpProblem.TOO_MANY
    assert len(await review.records("review.patient_searched")) == 1


async def test_why_is_told_of_a_patient_who_was_looked_up_and_where_it_tells_nothing_of_a_file(review: Review) -> None:
    await withheld(review, "minor")
    await withheld(review, "level")
    found = (await review.reviews.search(review.ours, asked(Kind.REFUSALS))).found
    assert {None, "level"} <= {one.reason for one in found if one.call == review.call}
    hers = (await review.reviews.search(review.ours, asked(Kind.REFUSALS, patient=await key_of(review)))).found
    assert {"minor", "level"} <= {one.reason for one in hers}
    made = await review.reviews.export(review.ours, asked(Kind.REFUSALS, patient=await key_of(review)))
    assert "mineur" in made.decode()


async def test_a_search_is_on_record_with_what_was_listed_and_how_much(review: Review) -> None:
    results = await review.reviews.search(review.ours, asked(Kind.VERIFICATIONS))
    (record,) = await review.records("review.listed")
    assert (record["refs"], record["count"], record["subject"]) == (
        ["list:verifications"],
        len(results.found),
        None,
    )
    await review.reviews.search(review.ours, asked(patient=await key_of(review)))
    assert len(await review.records("review.listed")) == 1, "of a patient there is a record of its own"


# --- one call


async def test_a_call_is_gone_through_again_from_its_beginning_to_who_looks_at_it(review: Review) -> None:
    shown = await review.reviews.call(review.ours, review.call)
    moments = shown.timeline.moments
    assert shown.practice == "Cabinet des Tilleuls"
    assert [one.at for one in moments] == sorted(one.at for one in moments)
    titles = [one.title for one in moments]
    for title in (
        *("L’appel commence", "Un code est demandé", "La vérification échoue", "L’identité est vérifiée"),
        *("Communication", "Écoute de ce qui a été communiqué", "L’appel se termine"),
        "Un superviseur ouvre le déroulé de l’appel",
    ):
        assert title in titles, title
    typed = {fact.value: one for one in moments if one.area is Area.TYPED for fact in one.facts}
    assert typed["date de naissance"].facts[1].value == "8"
    assert typed["code par SMS" if "code par SMS" in typed else "code reçu"].facts[1].value == "6"
    words = [said for one in moments for said in one.words]
    assert all(said.text for said in words), "the flow's version is here"
    told = next(said for said in words if said.prompt == "appointment_summary")
    assert "[date et heure du rendez-vous]" in (told.text or "")
    summaries = [said.text or "" for said in words if said.prompt == "appointment_summary"]
    assert len(summaries) > 1, "as it is on record, and as it was heard"
    assert not any("(" in said for said in summaries), "the record says what was told and what was left out"
    assert {one.flow.partition(" ")[0] for one in moments if one.flow} == {"accueil"}
    assert shown.timeline.chain.faults == ()
    assert shown.timeline.chain.records == len([one for one in moments if one.record])
    assert next(one for one in moments if one.area is Area.REVIEW).who.name == "Superviseur 1"


async def test_no_code_of_ours_stands_where_a_word_is_read(review: Review) -> None:
    moments = (await review.reviews.call(review.ours, review.call)).timeline.moments
    own = [one for one in moments if one.area is not Area.REVIEW]
    assert own[0].title == "L’appel commence", "nothing is heard before"
    told = {part.partition(" (")[0] for one in moments for fact in one.facts for part in fact.value.split(", ")}
    bare = {word for word in told - OURS if not re.fullmatch(r"V?[0-9]+(?: s)?|D[0-9]{2}|20[0-9-]+", word)}
    names = {FLOWS.policy.rules[category].name for category in Category}
    assert not {word for word in bare if not any(word.rstrip(")") in name for name in names)}
    said = " ".join(word.text or "" for one in moments for word in one.words)
    assert "[" in said
    assert not re.search(r"\[[^\]]*\[", said), "no brackets in brackets"
    page = re.sub(r"<[^>]*>", " ", await page_of(review, review.call))
    assert "appointment_summary" not in page
    for code in ("birth_date", "appointment.", "challenge:", "completed", "granted"):
        assert code not in page, code


async def test_a_call_is_listed_with_whoever_talked_with_its_caller(review: Review) -> None:
    (line,) = (await review.reviews.search(review.ours, asked(call=review.call))).found
    assert line.who is None, "nobody did"
    began = line.at
    second = await review.room.administration.create(
        NewAccount((await _organisation(review)), "operator2", "Télésecrétaire 2"), BY
    )
    talks = ((second.id, 5, "over"), (review.people["operator"], 1, "over"), (review.people["ours"], 9, "refused"))
    for whom, minutes, state in talks:
        at = began + timedelta(minutes=minutes)
        await review.ground.change(
            "INSERT INTO presence (staff_id, state, way, since, idle_since, seen_at) "
            "VALUES (:staff, 'offline', 'browser', :at, :at, :at) "
            "ON CONFLICT DO NOTHING",
            **{"staff": whom, "at": at},
        )
        talked = at if state == "over" else None
        await review.ground.change(
            "INSERT INTO reservation (id, call_id, staff_id, state, made_at, ends_at, accepted_at, connected_at, "
            "ended_at) VALUES (gen_random_uuid(), :call, :staff, :state, :at, :end, :talked, :talked, :end)",
            **{"call": review.call, "staff": whom, "state": state, "at": at, "talked": talked},
            end=at + timedelta(minutes=1),
        )
    (line,) = (await review.reviews.search(review.ours, asked(call=review.call))).found
    assert line.who == Who("operator", "Télésecrétaire 1, Télésecrétaire 2"), "one after the other"
    assert (
        "Télésecrétaire 1, Télésecrétaire 2"
        in (await review.reviews.export(review.ours, asked(call=review.call))).decode()
    )
    others = uuid4()
    await review.ground.change(
        "INSERT INTO call (id, practice_id, carrier_sid, status, started_at) "
        "SELECT :id, practice_id, 'CA' || repeat('b', 32), 3, started_at FROM call WHERE id = :call",
        id=others,
        call=review.call,
    )
    (line,) = (await review.reviews.search(review.ours, asked(call=others))).found
    assert line.who is None, "who talked with one caller has not talked with another (P5)"


async def _organisation(review: Review) -> UUID:
    (row,) = await review.ground.rows("SELECT organisation_id FROM practice WHERE id = :id", id=TILLEULS)
    return UUID(str(row.organisation_id))


async def test_words_of_a_version_that_is_gone_are_said_to_be_gone(review: Review) -> None:
    await review.ground.change("UPDATE call_trace SET flow = repeat('a', 64)")
    moments = (await review.reviews.call(review.ours, review.call)).timeline.moments
    heard = [one for one in moments if one.area is Area.HEARD]
    assert heard
    assert {said.text for one in heard for said in one.words} == {None}
    assert {one.flow for one in heard} == {"– aaaaaaaaaa"}


async def test_a_trace_goes_after_a_year_and_the_ledger_stays(review: Review) -> None:
    upkeep = Upkeep(review.ground.app, review.clock, None, None)  # type: ignore[arg-type]  # neither is asked
    query = "SELECT count(*) AS many FROM call_trace"
    before = (await review.ground.rows(query))[0].many
    review.clock.advance(timedelta(days=364).total_seconds())
    await upkeep.forget()
    assert (await review.ground.rows(query))[0].many == before > 10
    review.clock.advance(timedelta(days=2).total_seconds())
    await upkeep.forget()
    assert (await review.ground.rows(query))[0].many == 0
    async with review.ground.app.practice(TILLEULS) as tx:
        gone = await timeline_of(tx, review.call, FLOWS)
    assert gone is not None
    assert {one.area for one in gone.moments} >= {Area.PROOF, Area.DISCLOSURE}
    assert Area.HEARD not in {one.area for one in gone.moments}


async def test_p4_a_broken_chain_is_told_and_nothing_is_hidden(review: Review) -> None:
    before = (await review.reviews.call(review.ours, review.call)).timeline
    await review.ground.change("ALTER TABLE audit_record DISABLE TRIGGER ALL")
    edited = "convert_to(replace(convert_from(body, 'UTF8'), '\"granted\"', '\"refused\"'), 'UTF8')"
    await review.ground.change(
        f"UPDATE audit_record SET body = {edited}, leaf = sha256('\\x00' || {edited}) "
        "WHERE call_id = :call AND event = 'disclosure'",
        call=review.call,
    )
    after = (await review.reviews.call(review.ours, review.call)).timeline
    assert after.chain.faults
    assert len(after.moments) == len(before.moments) + 1, "all of it is there, and this look"
    assert [one for one in after.moments if one.fault]
    words = paper.chain_words(after.chain)
    assert words.startswith("CHAÎNE ROMPUE")
    made = await review.reviews.paper(review.ours, review.call)
    assert "CHAÎNE ROMPUE".encode("cp1252") in unescaped(made)


async def test_a_record_of_a_kind_that_is_yet_to_come_is_told_by_its_name(review: Review) -> None:
    segment = Segment(UUID(int=9), review.call)
    body = canonical(
        {
            **{"v": 1, "log": "x", "id": str(UUID(int=8)), "stream": str(segment.stream), "seq": 0},
            **{"prev": segment.last.hex(), "ts": "2026-11-26T09:00:01.000000Z", "event": "call.something_new"},
            **{"actor": {"kind": "operator", "id": str(review.people["operator"])}, "call": str(review.call)},
            **{"subject": None, "refs": ["thing:1"], "note": "Jeanne a dit", "reason": "Jeanne Martin-Duval, 1962"},
        }
    )
    await review.ground.change(
        "INSERT INTO audit_record (id, practice_id, stream, seq, call_id, leaf, body) "
        "VALUES (:id, :practice, :stream, 0, :call, :leaf, :body)",
        **{"id": UUID(int=8), "practice": TILLEULS, "stream": segment.stream, "call": review.call},
        **{"leaf": leaf_of(body), "body": body},
    )
    shown = await review.reviews.call(review.ours, review.call)
    (moment,) = [one for one in shown.timeline.moments if one.record == UUID(int=8)]
    assert (moment.title, moment.who.name, moment.fault) == ("Autre événement", "Télésecrétaire 1", None)
    facts = {fact.label: fact.value for fact in moment.facts}
    assert facts == {"event": "call.something_new", "reason": "non affiché", "refs": "non affiché"}


async def test_a_paper_says_who_had_it_made_and_is_on_record(review: Review) -> None:
    made = await review.reviews.paper(review.ours, review.call)
    text = unescaped(made).decode("cp1252", "replace")
    assert made.startswith(b"%PDF-")
    assert "Édité par Superviseur 1 le 26/11/2026 à 10:" in text
    assert "Vérification" in text
    assert "page 1" in text
    assert str(review.call) in text
    (record,) = await review.records("review.call_printed")
    assert record["call"] == str(review.call)


async def test_p1_notes_of_operators_are_read_with_a_record_and_only_when_they_are_asked_for(review: Review) -> None:
    await review.noted("Rappeler <b>jeudi</b>")
    assert (await review.reviews.call(review.ours, review.call)).notes is None
    assert await review.records("review.call_notes_read") == []
    notes = (await review.reviews.notes(review.ours, review.call)).notes or ()
    (note,) = [one for one in notes if one.who == "Télésecrétaire 1"]
    assert (note.words, note.at) == ("Rappeler <b>jeudi</b>", review.clock.now())
    (record,) = await review.records("review.call_notes_read")
    assert record["call"] == str(review.call)
    assert record["actor"] == {"kind": "staff", "id": str(review.people["ours"])}
    assert "jeudi" not in str(record)


async def test_notes_are_read_by_nobody_without_training(review: Review) -> None:
    await review.noted("Rappeler jeudi")
    await review.room.administration.trained(review.people["ours"], date(2026, 11, 1), BY)
    with pytest.raises(Untrained):
        await review.reviews.notes(review.ours, review.call)
    assert await review.records("review.call_notes_read") == []


async def test_an_export_is_a_spreadsheet_and_on_record(review: Review) -> None:
    made = await review.reviews.export(review.ours, asked(Kind.DISCLOSURES))
    rows = list(csv.reader(io.StringIO(made.decode("utf-8-sig")), delimiter=";"))
    assert rows[0] == list(spreadsheet.HEADINGS)
    assert {row[3] for row in rows[1:]} >= {"Accordée"}
    (record,) = await review.records("review.exported")
    assert (record["refs"], record["count"]) == (["list:disclosures"], len(rows) - 1)


# --- nothing of a patient


#: What stands in Jeanne's file, was typed or was said in her calls, in the spellings in which it would be read.
CANARIES = (
    *("Jeanne", "Martin-Duval", "MARTIN", "14031962", "14/03/1962", "1962-03-14", "+33639980001", "0639980001"),
    *("14 heures 30", "14 h 30", "14:30", "1er décembre", "2026-12-01", "Moreau", "48271936"),
)


async def test_p1_no_page_paper_or_file_holds_a_word_about_the_patient(review: Review) -> None:
    sources = {
        "page": await page_of(review, review.call),
        "paper": unescaped(await review.reviews.paper(review.ours, review.call)).decode("cp1252", "replace"),
    }
    for kind in Kind:
        sources[f"file of {kind}"] = (await review.reviews.export(review.ours, asked(kind))).decode()
    assert "date et heure du rendez-vous" in sources["page"]
    assert "date et heure du rendez-vous" in sources["paper"]
    for name, source in sources.items():
        assert _betrayed(source) == [], name
    assert _betrayed("Rendez-vous de MME MARTIN-DUVAL à 14 heures 30") == ["Martin-Duval", "MARTIN", "14 heures 30"]


def _betrayed(source: str) -> list[str]:
    """The canaries that a text holds, line ends apart."""
    read = " ".join(source.split()).casefold()
    return [canary for canary in CANARIES if canary.casefold() in read]


def unescaped(made: bytes) -> bytes:
    """The letters of a PDF whose pages are not compressed: escapes of its strings undone, pieces put together."""
    plain = re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), made)
    return re.sub(rb"\\([()\\])", rb"\1", plain)


async def test_what_is_not_theirs_and_what_is_not_are_told_alike(review: Review) -> None:
    for call in (review.call, UUID(int=77)):
        with pytest.raises(NotTheirs):
            await review.reviews.call(review.theirs, call)
    with pytest.raises(NotTheirs):
        await review.reviews.desk(review.operator)
    with pytest.raises(Forbidden):
        await review.reviews.desk("no session")
    assert await review.records("review.call_opened") == []
