"""Conferences: beginning, hearing one another or not, ending, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import date
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException

from tests.unit.emulator.bench import ACCOUNT, CALLER, TOKEN, Bench, Reply, bench, hears, sdk, telephone, twiml
from tests.unit.emulator.test_timeline import Clock

# The SDK still signs in by the object and the parameter that aiohttp has deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

FIRST, SECOND, THIRD = "+33612000001", "+33612000002", "+33612000003"
EVENTS = "start end join leave mute hold modify announcement"
TOLD = f'statusCallback="/told" statusCallbackEvent="{EVENTS}"'
IN = "[conférence salle]"
AFTER = twiml("<Say>suite</Say>")


def conference(attributes: str = "", dial: str = 'action="/left"') -> str:
    return twiml(f"<Dial {dial}><Conference {attributes}>salle</Conference></Dial><Say>ensuite</Say>")


PAGES = {
    "/voice": conference(f'participantLabel="patient" waitUrl="/music" {TOLD}'),
    "/music": twiml('<Say>patientez</Say><Pause length="5"/>'),
    "/hold": twiml('<Say>un instant</Say><Pause length="20"/>'),
    "/news": twiml("<Say>encore une minute</Say>"),
    "/first": conference('participantLabel="secretaire"'),
    "/second": conference('waitUrl=""'),
    "/third": conference('muted="true"'),
    "/elsewhere": twiml('<Say>ailleurs</Say><Pause length="30"/>'),
    "/left": AFTER,
    "/told": "",
}


def desk_of(pages: Mapping[str, Any] = PAGES) -> AbstractAsyncContextManager[Bench]:
    """A bench with a clock: what the application calls over REST is scripted as well."""
    return bench(pages, clock=Clock())


def signed_in() -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}


def told(desk: Bench) -> list[str]:
    return [fields["StatusCallbackEvent"] for fields in desk.application.asked("/told")]


async def test_it_begins_when_two_are_in_and_each_hears_the_other() -> None:
    async with desk_of() as desk:
        sid = await desk.call()
        assert await desk.words(sid) == ["patientez"]
        assert await hears(desk, sid) == []
        assert await desk.client.press(sid, "5") == "5"  # nothing gathers here
        await desk.client.advance(sid, 60)
        assert await desk.words(sid) == ["patientez", "5 s"]  # asked for once only, then silence
        leg = await telephone(desk, "/first", FIRST)
        assert await desk.words(sid) == ["patientez", "5 s", IN]
        assert await desk.words(leg) == [IN]
        assert (await hears(desk, sid), await hears(desk, leg)) == ([leg], [sid])
        await desk.client.speak(leg, "bonjour")
        await desk.client.press(sid, "7")
        assert (await desk.words(sid))[-1] == "bonjour"
        assert (await desk.words(leg))[-1] == "7"
        assert len(desk.application.asked("/music")) == 1


async def test_nobody_begins_it_who_may_not() -> None:
    waits = conference('startConferenceOnEnter="false"')
    async with desk_of({**PAGES, "/voice": waits, "/second": waits}) as desk:
        sid = await desk.call()
        second = await telephone(desk, "/second", SECOND)
        assert await desk.words(sid) == await desk.words(second) == ["[musique d'attente]"]
        assert await hears(desk, sid) == []
        first = await telephone(desk, "/first", FIRST)
        assert sorted(await hears(desk, sid)) == sorted([first, second])


async def test_muted_is_not_heard_but_hears() -> None:
    async with desk_of() as desk:
        sid = await desk.call()
        first, third = await telephone(desk, "/first", FIRST), await telephone(desk, "/third", THIRD)
        assert await hears(desk, sid) == [first]
        assert await hears(desk, third) == [sid, first]
        await desk.client.speak(third, "personne ne m'entend")
        assert (await desk.words(sid))[-1] == IN


async def test_the_last_to_leave_ends_it_and_the_first_said_who_is_told() -> None:
    async with desk_of({**PAGES, "/first": conference('statusCallback="/other"')}) as desk:
        sid = await desk.call()
        leg = await telephone(desk, "/first", FIRST)
        await desk.client.hang_up(sid)
        await desk.closed(sid)
        assert await hears(desk, leg) == []
        await desk.client.hang_up(leg)
        await desk.closed(leg)
        asked = desk.application.asked("/told")
        assert [(fields["SequenceNumber"], fields["StatusCallbackEvent"]) for fields in asked] == [
            ("1", "participant-join"),
            ("2", "participant-join"),
            ("3", "conference-start"),
            ("4", "participant-leave"),
            ("5", "participant-leave"),
            ("6", "conference-end"),
        ]
        assert {(fields["FriendlyName"], fields["ConferenceSid"][:2]) for fields in asked} == {("salle", "CF")}
        assert len({fields["ConferenceSid"] for fields in asked}) == 1
        join, leave, end = asked[0], asked[3], asked[5]
        assert (join["CallSid"], join["ParticipantLabel"], join["Muted"], join["Hold"]) == (
            sid, "patient", "false", "false",
        )  # fmt: skip
        assert (leave["CallSid"], leave["ParticipantCallStatus"], leave["ReasonParticipantLeft"]) == (
            sid, "completed", "participant_hung_up",
        )  # fmt: skip
        assert (end["ReasonConferenceEnded"], end["CallSidEndingConference"]) == ("last-participant-left", leg)
        assert desk.application.asked("/other") == []
        assert desk.application.asked("/left") == []  # whoever hangs up is asked nothing


async def test_one_ends_it_for_all_and_the_others_go_on_with_what_comes_next() -> None:
    pages = {**PAGES, "/first": conference('endConferenceOnExit="true"'), "/second": conference(dial="")}
    async with desk_of(pages) as desk:
        sid = await desk.call()
        first, second = await telephone(desk, "/first", FIRST), await telephone(desk, "/second", SECOND)
        await desk.client.hang_up(first)
        await desk.closed(first)
        assert (await desk.words(sid))[-1] == "suite"
        assert (await desk.words(second))[-1] == "ensuite"
        await desk.closed(sid)
        await desk.closed(second)
        (left,) = desk.application.asked("/left")
        assert (left["CallSid"], left["DialCallStatus"]) == (sid, "answered")
        assert not {"DialCallSid", "DialCallDuration"} & left.keys()
        assert told(desk)[-4:] == ["participant-leave"] * 3 + ["conference-end"]
        reasons = [fields["ReasonParticipantLeft"] for fields in desk.application.asked("/told")[-4:-1]]
        assert reasons == ["participant_hung_up", "moderator_ended_conference", "moderator_ended_conference"]
        end = desk.application.asked("/told")[-1]
        assert end["ReasonConferenceEnded"] == "participant-with-end-conference-on-exit-left"
        again = await desk.call()  # the name is free again
        assert await desk.words(again) == ["patientez"]
        assert desk.application.asked("/told")[-1]["ConferenceSid"] != end["ConferenceSid"]


async def test_a_star_and_the_time_limit_lead_out_of_it() -> None:
    async with desk_of(
        {**PAGES, "/voice": conference("", 'hangupOnStar="true" timeLimit="60" action="/left"')}
    ) as desk:
        sid = await desk.call()
        await telephone(desk, "/first", FIRST)
        await desk.client.press(sid, "*")
        assert (await desk.words(sid))[-1] == "suite"
        sid = await desk.call()
        await desk.client.advance(sid, 60)
        assert (await desk.words(sid))[-1] == "suite"


@pytest.mark.parametrize(
    ("attributes", "code", "next_words"),
    [
        ('participantLabel="patient"', 16025, "ensuite"),
        ('participantLabel="a/b"', 16023, "suite"),
        (f'participantLabel="CA{"0" * 32}"', 16023, "suite"),
        ('maxParticipants="1"', 16020, "suite"),
        ('coach="CA1"', 13240, "suite"),
    ],
)
async def test_who_is_not_let_in(attributes: str, code: int, next_words: str) -> None:
    async with desk_of({**PAGES, "/first": conference(attributes)}) as desk:
        sid = await desk.call()
        leg = await telephone(desk, "/first", FIRST)
        assert await desk.words(leg) == [next_words]
        assert [alert["code"] for alert in (await desk.closed(leg))["alerts"]] == [code]
        assert await desk.words(sid) == ["patientez"]


async def test_a_name_that_is_none() -> None:
    async with desk_of({**PAGES, "/voice": conference().replace("salle", "s" * 129)}) as desk:
        state = await desk.closed(await desk.call())
        assert [alert["code"] for alert in state["alerts"]] == [13237]


@pytest.mark.parametrize(
    ("music", "code"),
    [(Reply(status=500), 11200), (twiml("<Gather/>"), 13238), (twiml("<Dial>+33472000000</Dial>"), 13238)],
)
async def test_whose_waiting_document_fails_does_not_join(music: str | Reply, code: int) -> None:
    async with desk_of({**PAGES, "/music": music}) as desk:
        sid = await desk.call()
        assert await desk.words(sid) == ["suite"]
        assert [alert["code"] for alert in (await desk.closed(sid))["alerts"]] == [code]
        assert desk.application.asked("/left")[0]["DialCallStatus"] == "failed"
        assert desk.application.asked("/told")[1]["ReasonParticipantLeft"] == "participant_add_failed"


async def test_two_that_talk_are_led_into_a_conference_over_rest() -> None:
    """The leg that was dialled is led there; the one that dialled is asked what comes next, and follows."""
    pages = {**PAGES, "/voice": twiml(f'<Dial action="/left">{FIRST}</Dial>'), "/left": conference()}
    async with desk_of(pages) as desk, sdk(desk) as client:
        sid = await desk.call()
        (ringing,) = await desk.client.ringing(FIRST, 5)
        await desk.client.answer(ringing.sid)
        assert await hears(desk, sid) == [ringing.sid]
        await client.calls(ringing.sid).update_async(url=desk.application.base_url + "/first")
        assert (await hears(desk, sid), await hears(desk, ringing.sid)) == ([ringing.sid], [sid])
        assert (await desk.words(sid))[-1] == (await desk.words(ringing.sid))[-1] == IN
        assert desk.application.asked("/left")[0]["DialCallStatus"] == "completed"


async def test_whoever_is_led_elsewhere_leaves_it() -> None:
    async with desk_of() as desk, sdk(desk) as client:
        sid = await desk.call()
        first = await telephone(desk, "/first", FIRST)
        await client.calls(sid).update_async(url=desk.application.base_url + "/elsewhere")
        assert (await desk.words(sid))[-2:] == ["ailleurs", "30 s"]
        assert await hears(desk, first) == []
        leave = desk.application.asked("/told")[-1]
        assert (leave["ReasonParticipantLeft"], leave["ParticipantCallStatus"]) == (
            "participant_updated_via_api", "in-progress",
        )  # fmt: skip


async def test_conferences_over_rest() -> None:
    async with desk_of() as desk, sdk(desk) as client:
        sid = await desk.call()
        (one,) = await client.conferences.list_async(status="init")
        assert (one.friendly_name, one.status) == ("salle", "init")
        leg = await telephone(desk, "/first", FIRST)
        assert await client.conferences.list_async(status="init") == []
        assert await client.conferences.list_async(friendly_name="autre") == []
        (one,) = await client.conferences.list_async(friendly_name="salle", status="in-progress")
        await client.conferences(one.sid).update_async(announce_url=desk.application.base_url + "/news")
        assert (await desk.words(sid))[-1] == (await desk.words(leg))[-1] == "encore une minute"
        await desk.client.advance(sid, 2)
        await desk.client.settled(sid)
        ended = await client.conferences(one.sid).update_async(status="completed")
        assert (ended.status, ended.reason_conference_ended) == ("completed", "conference-ended-via-api")
        await desk.closed(sid)
        await desk.closed(leg)
        assert [fields["CallSid"] for fields in desk.application.asked("/left")] == [sid, leg]
        assert told(desk)[3:] == ["announcement-end", "participant-leave", "participant-leave", "conference-end"]
        leaves = desk.application.asked("/told")[4:6]
        assert {fields["ReasonParticipantLeft"] for fields in leaves} == {"conference_ended_via_api"}
        assert await client.conferences(one.sid).participants.list_async() == []
        for wrong, code, status in ((one.sid, 16022, 400), ("CF" + "0" * 32, 20404, 404)):
            with pytest.raises(TwilioRestException) as refused:
                await client.conferences(wrong).update_async(status="completed")
            assert (refused.value.code, refused.value.status) == (code, status)


async def test_conferences_are_listed_by_day() -> None:
    async with desk_of() as desk, sdk(desk) as client:
        await desk.call()
        before, day, after = date(2026, 11, 25), date(2026, 11, 26), date(2026, 11, 27)
        for bounds, found in (
            ({"date_created": day}, 1),
            ({"date_created": before}, 0),
            ({"date_created_after": before, "date_created_before": after}, 1),
            ({"date_created_before": before}, 0),
            ({"date_updated_after": after}, 0),
            ({"date_updated_before": day}, 1),
        ):
            assert len(await client.conferences.list_async(**bounds)) == found, bounds
        async with aiohttp.ClientSession(headers=signed_in()) as session:
            where = f"{desk.emulator.base_url}/2010-04-01/Accounts/{ACCOUNT}/Conferences.json?DateCreated=hier"
            async with session.get(where) as response:
                assert (response.status, (await response.json())["code"]) == (400, 20001)


async def test_hold_and_mute_over_rest() -> None:
    async with desk_of() as desk, sdk(desk) as client:
        sid = await desk.call()
        first, second = await telephone(desk, "/first", FIRST), await telephone(desk, "/second", SECOND)
        (one,) = await client.conferences.list_async()
        participants = client.conferences(one.sid).participants
        url = desk.application.base_url + "/hold"
        held = await client.conferences(one.sid).participants("patient").update_async(hold=True, hold_url=url)
        assert (held.call_sid, held.hold, held.muted) == (sid, True, False)
        assert (await desk.words(sid))[-1] == "un instant"
        assert await hears(desk, sid) == []
        assert await hears(desk, first) == [second]  # nor is whoever is on hold heard
        await desk.client.speak(first, "il ne nous entend pas")
        await desk.client.speak(sid, "allô ?")
        assert (await desk.words(sid))[-1] == "un instant"
        assert (await desk.words(second))[-1] == "il ne nous entend pas"
        assert [method for method, path, _ in desk.application.requests if path == "/hold"] == ["GET"]
        assert [p.call_sid for p in await participants.list_async(hold=True)] == [sid]
        await client.conferences(one.sid).participants(sid).update_async(hold=False)
        assert await hears(desk, sid) == [first, second]
        await client.conferences(one.sid).participants(second).update_async(muted=True)
        assert await hears(desk, sid) == [first]
        assert await hears(desk, second) == [sid, first]
        await client.conferences(one.sid).participants(second).update_async(muted=False)
        assert await hears(desk, sid) == [first, second]
        await desk.client.hang_up(sid)
        await desk.closed(sid)
        assert told(desk)[4:] == [
            "participant-hold", "participant-unhold", "participant-mute", "participant-unmute", "participant-leave",
        ]  # fmt: skip
        assert desk.application.asked("/told")[4]["Hold"] == "true"


async def test_hold_with_the_carriers_music_and_another_document() -> None:
    async with desk_of() as desk, sdk(desk) as client:
        sid = await desk.call()
        await telephone(desk, "/first", FIRST)
        (one,) = await client.conferences.list_async()
        patient = client.conferences(one.sid).participants("patient")
        await patient.update_async(hold=True)
        assert (await desk.words(sid))[-1] == "[musique d'attente]"
        await patient.update_async(announce_url=desk.application.base_url + "/news")
        assert (await desk.words(sid))[-1] == "encore une minute"
        await desk.client.advance(sid, 5)
        assert (await desk.words(sid))[-1] == "[musique d'attente]"
        await patient.update_async(hold_url=desk.application.base_url + "/hold")
        assert (await desk.words(sid))[-1] == "un instant"
        desk.application.pages["/news"] = twiml("<Record/>")
        await patient.update_async(announce_url=desk.application.base_url + "/news")
        assert (await desk.words(sid))[-1] == "un instant"
        assert [alert["code"] for alert in (await desk.get(f"/calls/{sid}"))["alerts"]] == [13238]
        await desk.client.hang_up(sid)
        await desk.closed(sid)
        assert [name for name in told(desk) if name.startswith("ann")] == ["announcement-end", "announcement-fail"]


async def test_a_coach_is_heard_by_one_alone() -> None:
    async with desk_of() as desk, sdk(desk) as client:
        sid = await desk.call()
        first = await telephone(desk, "/first", FIRST)
        desk.application.pages["/third"] = conference(f'coach="{first}"')
        third = await telephone(desk, "/third", THIRD)
        assert await hears(desk, first) == [sid, third]
        assert await hears(desk, sid) == [first]
        assert await hears(desk, third) == [sid, first]
        (one,) = await client.conferences.list_async()
        coach = client.conferences(one.sid).participants(third)
        fetched = await coach.fetch_async()
        assert (fetched.coaching, fetched.call_sid_to_coach) == (True, first)
        moved = await coach.update_async(coaching=True, call_sid_to_coach=sid)
        assert moved.call_sid_to_coach == sid
        assert await hears(desk, sid) == [first, third]
        await client.conferences(one.sid).participants(first).update_async(hold=True)
        for target, code in ((first, 16027), ("CA" + "0" * 32, 16028), (third, 16028)):
            with pytest.raises(TwilioRestException) as refused:
                await coach.update_async(coaching=True, call_sid_to_coach=target)
            assert refused.value.code == code
        assert not (await coach.update_async(coaching=False)).coaching
        await client.conferences(one.sid).participants(first).update_async(hold=False)
        assert await hears(desk, first) == [sid, third]


async def test_inviting_over_rest() -> None:
    async with desk_of() as desk, sdk(desk) as client:
        sid = await desk.call()
        base = desk.application.base_url
        invited = await client.conferences("salle").participants.create_async(
            from_=CALLER, to=SECOND, label="medecin", end_conference_on_exit=True, status_callback=base + "/status",
            status_callback_event=["initiated", "ringing", "answered", "completed"], timeout=20,
        )  # fmt: skip
        assert (invited.status, invited.label, invited.end_conference_on_exit) in {
            ("queued", "medecin", True), ("connecting", "medecin", True), ("ringing", "medecin", True),
        }  # fmt: skip
        (one,) = await client.conferences.list_async()
        (ringing,) = await desk.client.ringing(SECOND, 5)
        assert (await client.conferences(one.sid).participants("medecin").fetch_async()).status == "ringing"
        assert await hears(desk, sid) == []
        await desk.client.answer(ringing.sid)
        assert await hears(desk, sid) == [invited.call_sid] == [ringing.sid]
        assert (await client.conferences(one.sid).participants("medecin").fetch_async()).status == "connected"
        await desk.client.hang_up(ringing.sid)
        assert (await desk.words(sid))[-1] == "suite"
        await desk.closed(ringing.sid)
        statuses = [f["CallStatus"] for f in desk.application.asked("/status") if f["CallSid"] == ringing.sid]
        assert statuses == ["initiated", "ringing", "in-progress", "completed"]


async def test_an_invitation_that_begins_a_conference_and_one_that_nobody_answers() -> None:
    async with desk_of() as desk, sdk(desk) as client:
        create = client.conferences("autre").participants.create_async
        invited = await create(
            from_=CALLER, to=SECOND, timeout=20, conference_status_callback=desk.application.base_url + "/told",
            conference_status_callback_event=["join", "leave"],
        )  # fmt: skip
        await desk.client.settled(invited.call_sid)
        (one,) = await client.conferences.list_async(friendly_name="autre")
        assert (one.status, told(desk)) == ("init", [])
        await desk.client.advance(invited.call_sid, 25)
        state = await desk.closed(invited.call_sid)
        assert state["status"] == "no-answer"
        assert (await client.conferences(one.sid).fetch_async()).status == "completed"
        for wrong, code in (
            ({"to": "abc"}, 21211),
            ({"from_": "x"}, 21212),
            ({"muted": "so"}, 20001),
            ({"coaching": True}, 13240),
        ):
            with pytest.raises(TwilioRestException) as refused:
                await create(**{"from_": CALLER, "to": SECOND, **wrong})
            assert refused.value.code == code
        with pytest.raises(TwilioRestException) as refused:
            await client.conferences(one.sid).participants.create_async(from_=CALLER, to=SECOND)
        assert refused.value.code == 16022


@pytest.mark.parametrize("ends", [False, True])
async def test_putting_somebody_out(ends: bool) -> None:
    async with desk_of() as desk, sdk(desk) as client:
        sid = await desk.call()
        leg = await telephone(desk, "/first", FIRST)
        (one,) = await client.conferences.list_async()
        patient = client.conferences(one.sid).participants("patient")
        changed = await patient.update_async(end_conference_on_exit=ends)
        assert changed.end_conference_on_exit == ends
        assert await patient.delete_async()
        assert (await desk.words(sid))[-1] == "suite"
        assert ((await desk.words(leg))[-1] == "suite") == ends
        if not ends:
            secretary = client.conferences(one.sid).participants("secretaire")
            assert await secretary.delete_async()
        await desk.closed(leg)
        end = desk.application.asked("/told")[-1]
        why = "participant-with-end-conference-on-exit-kicked" if ends else "last-participant-kicked"
        assert (end["ReasonConferenceEnded"], "participant-modify" in told(desk)) == (why, ends)
        with pytest.raises(TwilioRestException) as refused:
            await patient.delete_async()
        assert (refused.value.code, refused.value.status) == (20404, 404)


async def test_putting_out_somebody_whose_telephone_still_rings() -> None:
    async with desk_of() as desk, sdk(desk) as client:
        await desk.call()
        invited = await client.conferences("salle").participants.create_async(from_=CALLER, to=SECOND)
        (one,) = await client.conferences.list_async()
        assert await client.conferences(one.sid).participants(invited.call_sid).delete_async()
        assert (await desk.closed(invited.call_sid))["status"] == "canceled"


async def test_many_in_one() -> None:
    async with desk_of({**PAGES, "/voice": conference('waitUrl=""')}) as desk:
        sids = [await desk.call() for _ in range(30)]
        assert len(await hears(desk, sids[0])) == 29
        await desk.client.speak(sids[0], "tous")
        assert {(await desk.words(sid))[-1] for sid in sids[1:]} == {"tous"}
