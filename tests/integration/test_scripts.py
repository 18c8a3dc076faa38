"""What an operator's script does, on the database: what is shown and hidden, kept, put on record, and forgotten."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from callcenter.calls.keypad import Keypad
from callcenter.calls.places import Places
from callcenter.calls.script_values import ScriptScreen, Stands
from callcenter.calls.scripts import Scripts
from callcenter.calls.shelf import Shelf
from callcenter.calls.upkeep import Upkeep
from callcenter.flow.prompts import PromptBook
from callcenter.flow.screens import AtKeys, Choice, Files, Filled, Finished, Form
from callcenter.identity.challenges import Limits
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.levels import Level
from callcenter.practice.inbox import text_place
from tests.attack.ground import Ground
from tests.attack.scene import JEANNE, START, TILLEULS
from tests.scripting import Desk, at_the_desk

STARTS, PLACE = "reveal:appointment.starts_at", "reveal:appointment.place"
BORN, MOBILE = "14031962", "06 39 98 00 01"


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock(START)


@pytest.fixture
async def desk(ground: Ground, clock: DrivenClock) -> Desk:
    return await at_the_desk(ground, clock)


# --- shown, and hidden


async def test_p1_a_field_is_shown_with_its_record_and_hidden_when_its_time_is_over(desk: Desk) -> None:
    await desk.proves()
    assert isinstance((await desk.to_the_fields()).screen, Files)
    (field,) = (await desk.answer(STARTS)).shown
    assert (field.path, field.category.value, field.value) == (
        "appointment.starts_at",
        "D03",
        "mardi 1er décembre 2026 à 14\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}30",
    )
    assert field.until == desk.clock.now() + timedelta(seconds=60)
    record = (await desk.records("disclosure"))[-1]
    assert (record["id"], record["decision"], record["categories"]) == (str(field.record), "granted", ["D02", "D03"])
    assert record["actor"] == {"kind": "operator", "id": str(desk.operator.staff)}
    assert (record["channel"], record["control"], record["purpose"]) == ("console", "enforced", "PATRQT")
    assert record["seconds"] == 60, "what is set may change, the record stays"
    desk.clock.advance(59)
    assert (await desk.look()).shown == (field,)
    desk.clock.advance(1)
    assert (await desk.look()).shown == ()
    (row,) = await desk.ground.rows("SELECT shown, shown_until FROM script")
    assert tuple(row) == (None, None)
    assert await desk.records("disclosure.hidden") == [], "it has stood for all of its time"


async def test_what_leaves_the_screen_before_its_time_is_on_record_once(desk: Desk) -> None:
    """By the end of the talk, seen by the next look; and by an answer to the script, in its own transaction."""
    await desk.proves()
    await desk.to_the_fields()
    await desk.answer(STARTS)
    (place,) = (one for one in (await desk.answer(PLACE)).shown if one.path == "appointment.place")
    desk.clock.advance(10)
    (again, _) = sorted((await desk.answer(STARTS)).shown, key=lambda one: one.until, reverse=True)
    assert await desk.records("disclosure.hidden") == [], "what is shown anew is not hidden"
    desk.clock.advance(2)
    await desk.hang_up()
    for _ in range(2):
        assert (await desk.look()).shown == ()
    hidden = await desk.records("disclosure.hidden")
    assert {one["of"]: one["seconds"] for one in hidden} == {str(place.record): 12, str(again.record): 2}
    assert len(hidden) == 2
    assert all(one["actor"]["id"] == str(desk.operator.staff) for one in hidden)
    await desk.answer("2")  # the stream goes on behind them


@pytest.mark.parametrize("after", [10, 600])
async def test_how_long_something_was_there_is_counted_from_when_it_was_let_out_whatever_is_set_meanwhile(
    ground: Ground, clock: DrivenClock, after: int
) -> None:
    desk = await at_the_desk(ground, clock)
    await desk.proves()
    await desk.to_the_fields()
    await desk.answer(STARTS)
    desk.clock.advance(30)
    limits = replace(desk.house.limits, shown_life=timedelta(seconds=after))
    desk = replace(desk, scripts=Scripts(replace(desk.house, limits=limits), Keypad(desk.house, desk.ways)))
    assert len((await desk.look()).shown) == 1, "its minute was given, and is not over"
    await desk.hang_up()
    await desk.look()
    (hidden,) = await desk.records("disclosure.hidden")
    assert hidden["seconds"] == 30


async def test_a_second_look_needs_a_second_record(desk: Desk) -> None:
    await desk.proves()
    await desk.to_the_fields()
    await desk.answer(STARTS)
    before = len(await desk.records("disclosure"))
    (again,) = (await desk.answer(STARTS)).shown
    records = await desk.records("disclosure")
    assert len(records) == before + 1
    assert str(again.record) == records[-1]["id"]


async def test_two_fields_stand_side_by_side_each_with_its_own_time(desk: Desk) -> None:
    await desk.proves()
    await desk.to_the_fields()
    await desk.answer(STARTS)
    desk.clock.advance(30)
    assert [one.path for one in (await desk.answer(PLACE)).shown] == ["appointment.starts_at", "appointment.place"]
    desk.clock.advance(30)
    (place,) = (await desk.look()).shown
    assert (place.path, place.value) == ("appointment.place", "non indiqué")


async def test_what_nothing_has_proved_is_withheld_and_that_is_on_record(desk: Desk) -> None:
    """Evidence ends between the list and the field."""
    await desk.proves()
    await desk.to_the_fields()
    await desk.proves(None)
    stands = await desk.answer(STARTS)
    assert (stands.shown, desk.lines[0]) == ((), "script.withheld")
    assert (await desk.records("disclosure"))[-1]["reason"] == "unverified"


async def test_the_timeline_tells_what_was_shown_and_never_why_something_was_withheld(desk: Desk) -> None:
    await desk.proves()
    await desk.to_the_fields()
    await desk.answer(STARTS)
    await desk.proves(None)
    timeline = (await desk.answer(PLACE)).timeline
    disclosures = ["disclosure", "disclosure", "disclosure.hidden", "disclosure"]
    assert [one.kind for one in timeline] == ["script.begun", *disclosures], "nothing is proved any more"
    assert [one.details.get("decision") for one in timeline] == [None, "granted", "granted", None, "refused"]
    assert not any("reason" in one.details or "refs" in one.details for one in timeline)


async def test_the_timeline_tells_that_the_caller_is_verified_as_long_as_they_are(desk: Desk) -> None:
    """By the record of the caller's own part of the call; of nobody, of the next patient and of a colleague's, none."""

    async def proved() -> list[str]:
        return [one.kind for one in (await desk.look()).timeline if one.kind.startswith("verification.")]

    await desk.look()
    desk.clock.advance(5)
    assert await proved() == []
    await desk.proves()
    assert await proved() == ["verification.succeeded"]
    (begun, verified) = (await desk.look()).timeline
    assert (begun.kind, verified.at, verified.details) == ("script.begun", desk.clock.now(), {})
    desk.clock.advance(desk.house.limits.evidence_life.total_seconds())
    assert await proved() == []
    await desk.proves()
    await desk.answer("4")  # another patient
    assert await proved() == []


async def test_p1_no_screen_is_made_before_the_commit(desk: Desk) -> None:
    stands = await desk.look()
    with pytest.raises(TypeError, match="committed_screen"):
        ScriptScreen(stands)


# --- verified at the keys


async def at_the_keys(desk: Desk) -> Stands:
    await desk.look()
    await desk.answer("1")
    return await desk.answer("send", birth_date=BORN, telephone=MOBILE)


async def test_the_caller_is_led_to_their_keys_with_what_they_said(desk: Desk) -> None:
    stands = await at_the_keys(desk)
    assert isinstance(stands.screen, AtKeys)
    assert (stands.typing, stands.level, desk.ways.led) == (True, Level.UNKNOWN, [desk.talk.call])
    told = (await desk.session()).state.typed
    assert told == {"told_birth_date": "1962-03-14", "told_telephone": "+33639980001"}
    (claimed,) = await desk.records("verification.claimed")
    assert claimed["actor"]["kind"] == "operator"
    assert claimed["refs"] == []
    assert len(claimed["claim"]) == 64
    assert "1962" not in str(claimed)


async def test_nothing_happens_until_the_caller_is_back(desk: Desk) -> None:
    before = (await at_the_keys(desk)).document
    assert (await desk.returned()).document == before
    await desk.proves()
    stands = await desk.returned()
    assert (stands.level, stands.patient, stands.typing) == (Level.VERIFIED, True, False)
    assert isinstance(stands.screen, Files)


async def test_whoever_comes_back_without_proof_is_refused(desk: Desk) -> None:
    await at_the_keys(desk)
    await desk.proves(None)
    stands = await desk.returned()
    assert (stands.level, stands.patient) == (Level.UNKNOWN, False)
    assert "refusal" in desk.lines


@pytest.mark.parametrize(("born", "telephone"), [(BORN, MOBILE), ("01011950", "0639989999")], ids=["known", "unknown"])
async def test_p6_a_claim_looks_the_same_whoever_is_claimed(desk: Desk, born: str, telephone: str) -> None:
    await desk.look()
    await desk.answer("1")
    stands = await desk.answer("send", birth_date=born, telephone=telephone)
    assert desk.lines == ["script.at_keys"]
    assert [one.kind for one in stands.timeline] == ["script.begun", "verification.claimed"]
    assert await desk.ground.rows("SELECT 1 FROM challenge") == []
    assert len(await desk.ground.rows("SELECT 1 FROM operator_claim")) == 1


async def test_p2_a_new_claim_ends_what_was_proved_before(desk: Desk) -> None:
    await desk.proves()
    await desk.to_the_fields()
    await desk.answer(STARTS)
    await desk.answer("then")
    await desk.answer("3")
    await desk.answer("4")
    await desk.answer("1")
    stands = await desk.answer("send", birth_date="01011950", telephone=MOBILE)
    assert (stands.shown, stands.level) == ((), Level.UNKNOWN)
    session = await desk.session()
    assert (session.evidence, session.challenge) == (None, None)


async def test_p2_what_was_shown_is_hidden_once_somebody_proves_anew_or_looks_untrained(desk: Desk) -> None:
    """The badge says who is verified now; what stands beside it is theirs."""
    await desk.proves()
    await desk.to_the_fields()
    assert (await desk.answer(STARTS)).shown
    untrained = await desk.scripts.look(replace(desk.operator, trained=False), desk.talk.id)
    assert untrained is not None
    assert untrained.stands.shown == ()
    assert (await desk.answer(STARTS)).shown
    desk.clock.advance(5)
    await desk.proves()
    assert (await desk.look()).shown == ()


async def test_p2_a_life_that_was_set_shorter_hides_no_later_proof(ground: Ground, clock: DrivenClock) -> None:
    """When it was let out is kept, not reckoned from its end: a proof of afterwards is not the one that opened it."""
    long = Limits(shown_life=timedelta(seconds=600))
    desk = await at_the_desk(ground, clock, limits=long)
    await desk.proves()
    await desk.to_the_fields()
    await desk.answer(STARTS)
    clock.advance(5)
    await desk.proves()
    short = replace(desk.house, limits=Limits(shown_life=timedelta(seconds=60)))
    assert (await replace(desk, scripts=Scripts(short, Keypad(short, desk.ways))).look()).shown == ()


@pytest.mark.parametrize("act", ["1", "2"], ids=["cancelled", "moved"])
async def test_what_was_shown_of_an_appointment_goes_once_it_is_another(desk: Desk, act: str) -> None:
    """The old hour, read out behind « C'est déplacé », sends somebody on the wrong day."""
    await desk.proves()
    await desk.to_the_fields()
    assert (await desk.answer(STARTS)).shown
    assert (await desk.answer("then")).shown
    await desk.answer(act)
    if act == "2":
        await desk.answer("2")
        assert len(await desk.records("appointment.moved")) == 1
        (shown,) = (await desk.look()).shown
        day, hour = r"\w{3}\. \d+(er)?\xa0\S+", r"\d+\xa0h(\xa0\d\d)?"
        assert re.fullmatch(rf"avant : {day} {hour} → désormais : {day} {hour}", shown.value), shown.value
    else:
        assert len(await desk.records("appointment.cancelled")) == 1
        assert (await desk.look()).shown == ()
        assert len(await desk.records("disclosure.hidden")) == 1


async def test_p1_the_new_date_of_an_appointment_is_gone_with_its_time_and_after_the_call(
    ground: Ground, clock: DrivenClock
) -> None:
    """It is a date of the verified patient (D03), and stands among nothing that is said: that has no end."""
    desk = await at_the_desk(ground, clock, shipped=True)
    await desk.proves()
    await desk.look()
    for choice in ("6", "then", "2", "1"):
        stands = await desk.answer(choice)
    (shown,) = stands.shown
    new = shown.value.partition("désormais : ")[2]
    assert new
    desk.clock.advance(60)
    after = [await desk.look()]
    await desk.hang_up()
    after.append(await desk.look())
    for one in (stands, *after):
        assert not any(new in line.text for line in one.screen.lines), one.screen.lines
    assert [one.shown for one in after] == [(), ()]


async def test_p7_the_next_patient_waits_until_the_caller_is_back_from_their_keys(desk: Desk) -> None:
    """What they prove in a moment would be taken for the next patient's, and their question would have no beginning."""
    await desk.look()
    before = await desk.session()
    await desk.ground.change(
        "UPDATE reservation SET keypad_at = :now WHERE id = :id", now=desk.clock.now(), id=desk.talk.id
    )
    document = desk.document
    assert (await desk.answer("4")).document == document
    assert (await desk.session()).state == before.state
    await desk.proves()
    assert (await desk.answer("4")).document == document + 1
    assert (await desk.session()).evidence is None


async def test_p2_whoever_has_handed_a_call_over_ends_nothing_in_it(desk: Desk) -> None:
    await desk.look()
    colleague = await desk.handed_over()
    await colleague.look()
    await colleague.proves()
    await desk.look()
    await desk.answer("4")
    assert (await desk.session()).evidence is not None
    assert (await colleague.to_the_fields()).level is Level.VERIFIED


async def test_a_caller_on_hold_is_not_led_and_nothing_is_claimed(desk: Desk) -> None:
    await desk.ground.change(
        "INSERT INTO talk (reservation_id, room, seat, on_hold) VALUES (:id, :id, 'operator', true)", id=desk.talk.id
    )
    stands = await at_the_keys(desk)
    assert isinstance(stands.screen, Form)
    assert desk.lines[0] == "script.verify_not_now"
    assert (await desk.records("verification.claimed"), desk.ways.led) == ([], [])
    assert await desk.ground.rows("SELECT 1 FROM operator_claim") == []


async def test_a_call_has_so_many_codes_and_no_more(desk: Desk) -> None:
    await desk.keep(replace(await desk.session(), challenges_used=3))
    await at_the_keys(desk)
    assert "refusal" in desk.lines
    (refused,) = await desk.records("verification.refused")
    assert refused["reason"] == "codes_per_call"


async def test_whoever_has_gone_is_back_in_the_talk_for_all_that_we_know(desk: Desk) -> None:
    desk.ways.gone = True
    await at_the_keys(desk)
    stands = await desk.look()
    assert stands.typing is False
    assert (await desk.session()).state.typed == {}
    await desk.returned()
    assert "refusal" in desk.lines


# --- acts


async def test_an_appointment_is_moved_where_the_caller_wants_it(desk: Desk) -> None:
    await desk.proves()
    await desk.to_the_fields()
    await desk.answer("then")
    stands = await desk.answer("2")
    assert isinstance(stands.screen, Choice)
    await desk.answer("2")
    (moved,) = await desk.records("appointment.moved")
    assert (moved["level"], moved["actor"]["kind"]) == (2, "operator")
    (row,) = await desk.ground.rows(
        "SELECT count(*) AS many FROM appointment WHERE patient_id = :id AND starts_at <> :was AND status = 'planned'",
        id=JEANNE,
        was=START,
    )
    assert row.many == 2
    assert await desk.ground.rows("SELECT 1 FROM slot_hold") == []


async def test_p1_from_when_an_appointment_was_moved_is_on_record_before_it_shows(desk: Desk) -> None:
    await desk.proves()
    await desk.to_the_fields()
    before = await desk.records("disclosure")
    await desk.answer("then")
    await desk.answer("2")
    (shown,) = (await desk.answer("2")).shown
    (told,) = (await desk.records("disclosure"))[len(before) :]
    assert (told["step"], told["decision"], told["level"]) == ("moved", "granted", 2)
    assert told["refs"][0].startswith("appointment.starts_at:")
    assert shown.path == "appointment.starts_at"


async def test_an_appointment_is_cancelled(desk: Desk) -> None:
    await desk.proves()
    await desk.to_the_fields()
    await desk.answer("then")
    await desk.answer("1")
    (cancelled,) = await desk.records("appointment.cancelled")
    assert cancelled["actor"] == {"kind": "operator", "id": str(desk.operator.staff)}


async def test_a_message_is_left_with_its_text_sealed(desk: Desk) -> None:
    await desk.look()
    await desk.answer("2")
    await desk.answer("send", text="Rappeler <b>demain</b>", number=MOBILE, urgency="urgent", whom="practice")
    (row,) = await desk.ground.rows("SELECT id, text, urgency, kind, call_reference FROM message")
    assert (row.urgency, row.kind, row.call_reference) == ("urgent", "callback", desk.talk.call)
    assert desk.ground.sealer.open_text(row.text, text_place(TILLEULS, row.id)) == "Rappeler <b>demain</b>"
    assert "demain" not in str(await desk.records())


# --- what is typed is not lost, and is answered once


async def test_what_was_typed_and_not_sent_comes_back(desk: Desk) -> None:
    await desk.look()
    form = await desk.answer("2")
    assert await desk.scripts.draft(desk.operator, desk.talk.id, form.document, {"text": "à moitié", "other": "no"})
    again = await desk.look()
    assert again.document == form.document
    assert isinstance(again.screen, Form)
    assert {one.name: one.value for one in again.screen.fields}["text"] == "à moitié"
    assert not await desk.scripts.draft(desk.operator, desk.talk.id, form.document - 1, {"text": "late"})
    await desk.answer("leave")
    assert (await desk.script()).drafts == {}


async def test_what_was_typed_before_a_call_changed_hands_stays_with_whoever_typed_it(desk: Desk) -> None:
    """They send it once the caller is another's; the other begins anew, and is shown no word of it."""
    await desk.proves()
    await desk.to_the_fields()
    await desk.answer(STARTS)
    await desk.answer("then")
    await desk.answer("3")
    form = await desk.answer("2")
    assert form.shown
    assert await desk.scripts.draft(desk.operator, desk.talk.id, form.document, {"text": "Elle tousse depuis"})
    colleague = await desk.handed_over()
    theirs = await colleague.look()
    assert (theirs.shown, theirs.level) == ((), Level.UNKNOWN)
    assert [one.kind for one in theirs.timeline] == ["script.begun"]
    assert _typed(await colleague.answer("2"))["text"] == ""
    assert not await desk.scripts.draft(colleague.operator, desk.talk.id, form.document, {"text": "autre chose"})
    again = await desk.look()
    assert (_typed(again)["text"], again.live, again.shown) == ("Elle tousse depuis", False, ())
    await desk.answer("send", text="Elle tousse depuis trois jours", number=MOBILE, urgency="normal", whom="practice")
    (row,) = await desk.ground.rows("SELECT id, text, written_by FROM message")
    assert row.written_by == desk.operator.staff
    place = text_place(TILLEULS, row.id)
    assert desk.ground.sealer.open_text(row.text, place) == "Elle tousse depuis trois jours"


def _typed(stands: Stands) -> dict[str, str]:
    assert isinstance(stands.screen, Form)
    return {one.name: one.value for one in stands.screen.fields}


async def test_p3_an_answer_to_another_screen_has_no_effect(desk: Desk) -> None:
    await desk.look()
    stands = await desk.answer("2")
    for late in (stands.document - 1, stands.document + 1):
        assert (await desk.answer("send", document=late, text="x", urgency="normal")).document == stands.document
    assert await desk.ground.rows("SELECT 1 FROM message") == []


async def test_p3_two_clicks_at_once_are_one(desk: Desk) -> None:
    await desk.proves()
    fields = await desk.to_the_fields()
    clicks = (desk.scripts.answer(desk.operator, desk.talk.id, fields.document, Filled(STARTS)) for _ in range(4))
    made = await asyncio.gather(*clicks)
    assert {one.stands.document for one in made if one is not None} == {fields.document + 1}
    assert len(await desk.records("disclosure")) == 2  # the look, and the field


async def test_what_the_screen_does_not_offer_has_no_effect(desk: Desk) -> None:
    stands = await desk.look()
    for forged in (STARTS, "declare:D03", "send", "7", ""):
        assert (await desk.answer(forged)).document == stands.document
    assert [one["event"] for one in await desk.records()] == ["script.begun"]


async def test_once_the_caller_has_gone_only_what_can_be_noted_is_offered(desk: Desk) -> None:
    stands = await desk.look()
    assert isinstance(stands.screen, Choice)
    assert len(stands.screen.options) == 7
    await desk.hang_up()
    stands = await desk.look()
    assert isinstance(stands.screen, Choice)
    assert [one.label.prompt for one in stands.screen.options] == ["label.message", "label.close"]
    assert desk.lines == ["script.instructions", "practice.instructions", "script.caller_gone"]
    assert isinstance((await desk.answer("2")).screen, Form)
    stands = await desk.answer("send", text="Rappeler", number=MOBILE, urgency="normal", whom="practice")
    assert isinstance(stands.screen, Form)
    assert len(await desk.ground.rows("SELECT 1 FROM message")) == 1
    assert isinstance((await desk.answer("send", disposition="message")).screen, Finished)


async def test_p7_a_script_whose_flow_is_not_run_stands_as_it_was(desk: Desk) -> None:
    """Nothing more can be answered; the page around it, with the call, goes on."""
    stands = await desk.look()
    flows = desk.house.flows.current
    others = {digest: flow for digest, flow in flows.by_digest.items() if flow is not flows.operator}
    desk.scripts._house = replace(desk.house, flows=Shelf(replace(flows, by_digest=others)))
    assert await desk.look() == replace(stands, proving="")
    await desk.hang_up()
    assert (await desk.look()).screen == stands.screen


async def test_a_script_begins_in_the_words_of_its_flow_whatever_is_published_meanwhile(desk: Desk) -> None:
    before = desk.house.flows.current
    later = replace(before, operator=None, by_digest={}, book=PromptBook("later", {}))

    def publish(_: object, __: object, statement: str, *___: object) -> None:
        if "INSERT INTO script " in statement:
            desk.house.flows.put(later)

    engine = desk.ground.app.engine.sync_engine
    event.listen(engine, "before_cursor_execute", publish)
    try:
        stands = await desk.look()
    finally:
        event.remove(engine, "before_cursor_execute", publish)
    assert desk.house.flows.current is later
    assert isinstance(stands.screen, Choice)
    assert stands.book is before.book


# --- instructions


async def test_instructions_are_read_once_and_again_when_they_change(desk: Desk) -> None:
    await desk.ground.change("DELETE FROM instruction_ack")
    stands = await desk.look()
    assert "practice.instructions" in desk.lines
    assert isinstance(stands.screen, Choice)
    assert [one.choice for one in stands.screen.options] == ["then"]
    await desk.answer("then")
    (read,) = await desk.records("instructions.read")
    (row,) = await desk.ground.rows("SELECT staff_id, revision FROM instruction_ack")
    assert (row.staff_id, read["refs"]) == (desk.operator.staff, [f"setting:instructions:{row.revision}"])
    desk = await desk.next_call()
    await desk.look()
    assert desk.lines[-1] == "reason"
    await desk.ground.change("UPDATE instruction_ack SET revision = 0")
    desk = await desk.next_call()
    await desk.look()
    assert desk.lines[0] == "script.instructions_new"


# --- how it ends


async def test_a_call_is_closed_with_what_it_was_about(desk: Desk) -> None:
    await desk.look()
    await desk.answer("9")
    await desk.hang_up()
    stands = await desk.answer("send", disposition="information", note="Horaires")
    assert isinstance(stands.screen, Finished)
    (row,) = await desk.ground.rows("SELECT disposition, note, ended_at FROM script")
    assert (row.disposition, row.ended_at) == ("information", desk.clock.now())
    assert b"Horaires" not in row.note
    (disposed,) = await desk.records("call.disposed")
    assert (disposed["disposition"], disposed["note"]) == ("information", True)


async def test_a_note_is_erased_a_month_after_its_call(desk: Desk) -> None:
    """As messages that are closed; what became of the call stays."""
    await desk.look()
    await desk.answer("9")
    await desk.answer("send", disposition="information", note="Horaires")
    upkeep = Upkeep(desk.ground.app, desk.clock, None, None)  # type: ignore[arg-type]  # neither is asked
    for days, stays in ((29, True), (2, False)):
        desk.clock.advance(timedelta(days=days).total_seconds())
        await upkeep.forget()
        (row,) = await desk.ground.rows("SELECT disposition, note IS NOT NULL AS noted FROM script")
        assert tuple(row) == ("information", stays)


async def test_noting_goes_on_after_the_talk_until_time_is_up(desk: Desk) -> None:
    await desk.look()
    await desk.hang_up()
    stands = await desk.look()
    assert (stands.live, stands.level) == (False, Level.UNKNOWN)
    desk.clock.advance(timedelta(minutes=31).total_seconds())
    assert await desk.scripts.look(desk.operator, desk.talk.id) is None


async def test_whoever_has_another_call_still_notes_what_the_one_before_was_about(desk: Desk) -> None:
    """What they were writing as it came is not lost; of the patient nothing is seen any more."""
    await desk.look()
    await desk.answer("1")
    stands = await desk.look()
    assert await desk.scripts.draft(desk.operator, desk.talk.id, stands.document, {"text": "Rappeler avant midi"})
    other = await desk.next_call()
    await other.look()
    before = await desk.look()
    assert (before.live, before.level, before.shown) == (False, Level.UNKNOWN, ())
    await desk.ground.change("UPDATE script SET state = NULL WHERE id = :id", id=other.talk.id)
    assert await other.scripts.look(other.operator, other.talk.id) is None


async def test_what_nobody_looks_at_again_is_hidden_and_forgotten_by_itself(desk: Desk) -> None:
    await desk.proves()
    await desk.to_the_fields()
    await desk.answer(STARTS)
    await desk.ground.change(
        "INSERT INTO operator_claim (staff_id, hour, claims) VALUES (:id, '2000-01-01', 3)", id=desk.operator.staff
    )
    upkeep = Upkeep(desk.ground.app, desk.clock, None, None)  # type: ignore[arg-type]  # neither is asked
    await upkeep.forget()
    (row,) = await desk.ground.rows("SELECT shown IS NULL AS hidden, state IS NULL AS forgotten FROM script")
    assert tuple(row) == (False, False)
    assert await desk.ground.rows("SELECT 1 FROM operator_claim") == []
    desk.clock.advance(61)
    await upkeep.forget()
    (row,) = await desk.ground.rows("SELECT shown IS NULL AS hidden, state IS NULL AS forgotten FROM script")
    assert tuple(row) == (True, False)
    desk.clock.advance(timedelta(hours=6).total_seconds())
    await upkeep.forget()
    (row,) = await desk.ground.rows("SELECT shown IS NULL AS hidden, state IS NULL AS forgotten FROM script")
    assert tuple(row) == (True, True)


# --- an emergency


async def test_an_emergency_is_noted_once_and_the_practice_told(desk: Desk) -> None:
    first = await desk.scripts.emergency(desk.operator, desk.talk.id)
    at = desk.clock.now()
    desk.clock.advance(20)
    again = await desk.scripts.emergency(desk.operator, desk.talk.id)
    assert first is not None
    assert first == again
    assert (first.at, first.said) == (at, ("[script.emergency]",))
    (row,) = await desk.ground.rows("SELECT id, urgency, reason, text FROM message")
    assert (row.urgency, row.reason) == ("urgent", "emergency")
    (noted,) = await desk.records("call.emergency")
    assert noted["refs"] == [f"message:{row.id}"]


async def test_the_rescue_service_of_the_sector_is_shown_with_the_red_button_where_a_practice_has_set_it(
    desk: Desk,
) -> None:
    async def line() -> str:
        noted = await desk.scripts.emergency(desk.operator, desk.talk.id)
        assert noted is not None
        assert (await desk.look()).emergency == noted  # the page that is loaded anew says the same
        return noted.line

    assert (await desk.look()).emergency is None
    assert await line() == ""
    await desk.ground.change(
        "WITH change AS (UPDATE practice SET revision = revision + 1 WHERE id = :id RETURNING id, revision) "
        "INSERT INTO setting_version (practice_id, revision, setting, value, effective_from, made_at, made_by) "
        """SELECT id, revision, 'emergency_line', '"+33465710015"', 'epoch', now(), 'tests' FROM change""",
        id=TILLEULS,
    )
    assert await line() == "04 65 71 00 15"


async def test_p7_the_red_button_works_whatever_has_become_of_the_practices_settings(
    desk: Desk,
) -> None:
    """A version that nobody can read."""
    await desk.look()
    await desk.ground.change(
        "WITH change AS (UPDATE practice SET revision = revision + 1 WHERE id = :id RETURNING id, revision) "
        "INSERT INTO setting_version (practice_id, revision, setting, value, effective_from, made_at, made_by) "
        """SELECT id, revision, 'voice', '"nonsense"', 'epoch', now(), 'tests' FROM change""",
        id=TILLEULS,
    )
    with capture_logs() as logs:
        noted = await desk.scripts.emergency(desk.operator, desk.talk.id)
        assert noted is not None
        assert (noted.line, (await desk.look()).emergency) == ("", noted)
    assert {one["event"] for one in logs} == {"emergency_line_unreadable"}
    assert len(await desk.ground.rows("SELECT 1 FROM message WHERE reason = 'emergency'")) == 1
    assert len(await desk.records("call.emergency")) == 1


async def test_p7_the_red_button_works_where_the_database_fails_over_the_settings(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its transaction goes on: what is noted is committed."""

    async def fails(places: Places, connection: AsyncConnection, practice: object, at: object) -> object:
        return await connection.execute(text("SELECT 1 / 0"))

    await desk.look()
    monkeypatch.setattr(Places, "latest", fails)
    noted = await desk.scripts.emergency(desk.operator, desk.talk.id)
    assert noted is not None
    assert noted.line == ""
    assert len(await desk.records("call.emergency")) == 1


async def test_an_emergency_of_a_caller_who_withholds_their_number_is_told_too(
    ground: Ground, clock: DrivenClock
) -> None:
    desk = await at_the_desk(ground, clock, caller=None)
    assert await desk.scripts.emergency(desk.operator, desk.talk.id) is not None
    (row,) = await ground.rows("SELECT number, text FROM message")
    assert row.number is None
    assert row.text is not None
