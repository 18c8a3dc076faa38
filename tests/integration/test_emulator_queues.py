"""Queues: waiting, being fetched, leaving in every way, and the REST interface to them by the carrier's own SDK."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.unit.emulator.bench import CALLER, PRACTICE, SECOND, Bench, Reply, bench, hears, sdk, telephone, twiml
from tests.unit.emulator.test_timeline import Clock

# The SDK still signs in by the object and the parameter that aiohttp has deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

OPERATOR, OTHER = "+33612000001", "+33639980002"
ENQUEUE = twiml('<Enqueue action="/left" waitUrl="/wait">file</Enqueue><Say>ensuite</Say>')
PAGES = {
    "/voice": ENQUEUE,
    "/wait": lambda form: twiml(f"<Say>position {form['QueuePosition']}</Say><Pause length='10'/>"),
    "/left": twiml("<Say>suite</Say>"),
    "/fetch": twiml('<Dial action="/dialled"><Queue>file</Queue></Dial>'),
    "/fetch-whisper": twiml('<Dial action="/dialled" timeout="20"><Queue url="/whisper">file</Queue></Dial>'),
    "/whisper": twiml("<Say>un secrétaire vous prend</Say>"),
    "/dialled": twiml("<Say>fini</Say>"),
    "/elsewhere": twiml('<Say>ailleurs</Say><Pause length="30"/><Gather timeout="60"/>'),
}


def desk_of(pages: Mapping[str, Any]) -> AbstractAsyncContextManager[Bench]:
    """A bench with a clock: what the application calls over REST is scripted as well."""
    return bench(pages, clock=Clock())


async def operator(desk: Bench, page: str = "/fetch") -> str:
    """A telephone that the application rings, that answers, and that runs a page; its sid."""
    return await telephone(desk, page, OPERATOR)


def result(desk: Bench, path: str = "/left") -> list[str]:
    return [fields["QueueResult"] for fields in desk.application.asked(path)]


async def test_position_is_told_again_whenever_the_document_has_come_to_its_end() -> None:
    async with desk_of(PAGES) as desk:
        first, second = await desk.call(), await desk.call(caller=OTHER)
        assert await desk.words(first) == ["position 1"]
        assert await desk.words(second) == ["position 2"]
        await desk.client.hang_up(first)
        await desk.closed(first)
        assert result(desk) == ["hangup"]
        await desk.client.advance(second, 30)
        words = await desk.words(second)
        assert words[:3] == ["position 2", "10 s", "position 1"]
        asked = [fields for fields in desk.application.asked("/wait") if fields["CallSid"] == second]
        assert [fields["QueueTime"] for fields in asked] == ["0", "10", "21"]
        assert {fields["QueueSid"] for fields in asked} == {desk.application.asked("/left")[0]["QueueSid"]}
        assert (asked[0]["CurrentQueueSize"], asked[1]["CurrentQueueSize"]) == ("2", "1")
        assert {(fields["MaxQueueSize"], fields["CallStatus"]) for fields in asked} == {("1000", "in-progress")}
        assert asked[-1]["AvgQueueTime"] == "21"


async def test_what_the_action_answers_to_somebody_who_has_hung_up_is_not_executed() -> None:
    async with desk_of({**PAGES, "/left": twiml('<Enqueue action="/left" waitUrl="/wait">file</Enqueue>')}) as desk:
        sid = await desk.call()
        await desk.client.advance(sid, 5)
        await desk.client.settled(sid)
        await desk.client.hang_up(sid)
        state = await desk.closed(sid)
        (fields,) = desk.application.asked("/left")
        assert (fields["QueueResult"], fields["QueueTime"], fields["CallStatus"]) == ("hangup", "5", "completed")
        assert len(desk.application.asked("/wait")) == 1
        assert state["hung_up_by"] == "telephone"


async def test_leave_and_gather_in_the_queue() -> None:
    wait = '<Gather numDigits="1" action="/key" timeout="5"><Say>tapez 1 pour être rappelé</Say></Gather>'
    async with desk_of({**PAGES, "/wait": twiml(wait), "/key": twiml("<Leave/>")}) as desk:
        sid = await desk.call()
        assert await desk.words(sid) == ["tapez 1 pour être rappelé"]
        assert await desk.client.press(sid, "1") == "1"
        assert await desk.words(sid) == ["tapez 1 pour être rappelé", "suite"]
        assert desk.application.asked("/key")[0]["Digits"] == "1"
        assert result(desk) == ["leave"]


async def test_without_action_the_next_verb_follows_and_hangup_ends_the_call() -> None:
    pages = {**PAGES, "/voice": ENQUEUE.replace('action="/left" ', ""), "/wait": twiml("<Leave/>")}
    async with desk_of(pages) as desk:
        assert await desk.words(await desk.call()) == ["ensuite"]
        desk.application.pages |= {"/wait": twiml("<Hangup/>"), "/voice": ENQUEUE}
        sid = await desk.call()
        assert (await desk.closed(sid))["heard_count"] == 0
        assert result(desk) == ["hangup"]


@pytest.mark.parametrize(
    ("wait", "code"),
    [
        (twiml(f"<Dial>{SECOND}</Dial>"), 14202),
        (twiml('<Enqueue waitUrl="/wait">autre</Enqueue>'), 14202),
        (twiml("<Record/>"), 14202),
        (Reply(status=500), 11200),
        (twiml(""), 14202),
        (twiml("<Redirect>/wait</Redirect>"), 11215),
    ],
)
async def test_a_document_that_cannot_be_heard_in_a_queue(wait: str | Reply, code: int) -> None:
    async with desk_of({**PAGES, "/wait": wait}) as desk:
        sid = await desk.call()
        assert await desk.words(sid) == ["suite"]
        assert [alert["code"] for alert in (await desk.closed(sid))["alerts"]] == [code]
        assert result(desk) == ["error"]
        assert len(desk.application.asked("/wait")) <= 101


async def test_full_and_without_a_name() -> None:
    async with desk_of({**PAGES, "/voice": ENQUEUE.replace("<Enqueue ", '<Enqueue maxQueueSize="1" ')}) as desk:
        await desk.call()
        sid = await desk.call(caller=OTHER)
        await desk.closed(sid)
        (fields,) = desk.application.asked("/left")
        assert fields["QueueResult"] == "queue-full"
        assert not {"QueueSid", "QueueTime"} & fields.keys()
        desk.application.pages["/voice"] = ENQUEUE.replace(">file<", f">{'f' * 65}<")
        await desk.closed(await desk.call())
        assert result(desk) == ["queue-full", "error"]


async def test_fetched_joined_and_each_goes_on_when_the_other_hangs_up() -> None:
    async with desk_of(PAGES) as desk:
        for who in ("operator", "caller"):
            desk.application.requests.clear()
            sid = await desk.call()
            await desk.client.advance(sid, 7)
            await desk.client.settled(sid)
            leg = await operator(desk)
            assert (await desk.words(sid))[-1] == f"[en communication avec {OPERATOR}]"
            assert await desk.words(leg) == [f"[en communication avec {CALLER}]"]
            assert await hears(desk, sid) == [leg]
            assert await hears(desk, leg) == [sid]
            assert result(desk) == []  # only when they have talked
            await desk.client.advance(sid, 42)
            await desk.client.settled(sid)
            await desk.client.speak(leg, "bonjour")
            assert (await desk.words(sid))[-1] == "bonjour"
            await desk.client.hang_up(leg if who == "operator" else sid)
            await desk.closed(sid)
            await desk.closed(leg)
            assert (await desk.words(sid))[-1] == ("suite" if who == "operator" else "bonjour")
            (left,) = desk.application.asked("/left")
            assert (left["QueueResult"], left["QueueTime"], left["CallSid"]) == ("bridged", "7", sid)
            if who == "caller":
                assert left["CallStatus"] == "completed"
                (fields,) = desk.application.asked("/dialled")
                assert (fields["DialCallStatus"], fields["DialCallDuration"]) == ("completed", "42")
                assert (fields["DialCallSid"], fields["DialBridged"]) == (sid, "true")


async def test_the_first_is_fetched_first_and_whoever_comes_later_is_awaited() -> None:
    async with desk_of(PAGES) as desk:
        first, second = await desk.call(), await desk.call(caller=OTHER)
        legs = [await operator(desk) for _ in range(3)]
        assert [await hears(desk, leg) for leg in legs] == [[first], [second], []]
        third = await desk.call()
        assert await hears(desk, third) == [legs[2]]
        assert await desk.words(third) == [f"[en communication avec {OPERATOR}]"]


async def test_nobody_comes_in_time_and_no_such_queue() -> None:
    async with desk_of(PAGES) as desk:
        leg = await operator(desk)
        assert await desk.words(leg) == ["fini"]
        assert desk.application.asked("/dialled")[0]["DialCallStatus"] == "failed"
        await desk.client.hang_up(await desk.call())
        leg = await operator(desk, "/fetch-whisper")
        await desk.client.settled(leg)
        await desk.client.advance(leg, 24)
        assert await desk.words(leg) == []
        await desk.client.advance(leg, 1)
        assert await desk.words(leg) == ["fini"]
        assert desk.application.asked("/dialled")[1]["DialCallStatus"] == "no-answer"
        sid = await desk.call()  # whoever gave up is not joined with those who come later
        assert await desk.words(sid) == ["position 1"]


async def test_whoever_is_fetched_hears_something_first() -> None:
    async with desk_of(PAGES) as desk:
        sid = await desk.call()
        await desk.client.advance(sid, 3)
        await desk.client.settled(sid)
        leg = await operator(desk, "/fetch-whisper")
        assert (await desk.words(sid))[1:] == ["10 s", "un secrétaire vous prend"]
        assert await desk.words(leg) == []
        (fields,) = desk.application.asked("/whisper")
        assert (fields["CallSid"], fields["DequeingCallSid"], fields["QueueTime"]) == (sid, leg, "3")
        await desk.client.advance(sid, 2)
        assert (await desk.words(sid))[-1] == f"[en communication avec {OPERATOR}]"


@pytest.mark.parametrize("who", ["operator", "caller"])
async def test_one_hangs_up_while_the_other_hears_the_whisper(who: str) -> None:
    async with desk_of(PAGES) as desk:
        sid, other = await desk.call(), await desk.call(caller=OTHER)
        leg = await operator(desk, "/fetch-whisper")
        await desk.client.settled(leg)
        await desk.client.hang_up(leg if who == "operator" else sid)
        await desk.closed(leg if who == "operator" else sid)
        assert (await desk.words(sid))[-1] == ("suite" if who == "operator" else "un secrétaire vous prend")
        await desk.closed(sid)
        assert result(desk) == ["bridging-in-process"]
        heard = await desk.words(other)  # the next one is fetched by whoever still waits
        assert ("un secrétaire vous prend" in heard) == (who == "caller")


async def test_a_whisper_that_is_not_allowed_there() -> None:
    async with desk_of({**PAGES, "/whisper": twiml("<Gather/>")}) as desk:
        sid = await desk.call()
        leg = await operator(desk, "/fetch-whisper")
        assert (await desk.words(sid))[-1] == "suite"
        assert [alert["code"] for alert in (await desk.closed(sid))["alerts"]] == [12200]
        assert result(desk) == ["error"]
        assert await hears(desk, leg) == []


async def test_a_star_parts_and_so_does_the_time_limit() -> None:
    attributes = 'hangupOnStar="true" timeLimit="60" action="/dialled"'
    async with desk_of({**PAGES, "/fetch": twiml(f"<Dial {attributes}><Queue>file</Queue></Dial>")}) as desk:
        sid = await desk.call()
        leg = await operator(desk)
        await desk.client.settled(leg)
        await desk.client.press(sid, "*")
        assert (await desk.words(leg))[-1] == "*"
        await desk.client.press(leg, "*")
        assert (await desk.words(sid))[-1] == "suite"
        sid = await desk.call()
        leg = await operator(desk)
        await desk.client.settled(leg)
        await desk.client.advance(leg, 60)
        await desk.closed(leg)
        assert desk.application.asked("/dialled")[-1]["DialCallDuration"] == "60"
        assert (await desk.words(sid))[-1] == "suite"


async def test_rest_leads_a_call_out_of_the_queue_and_its_document_wins() -> None:
    async with desk_of(PAGES) as desk, sdk(desk) as client:
        url = desk.application.base_url + "/elsewhere"
        sid = await desk.call()
        await client.calls(sid).update_async(url=url)
        assert (await desk.words(sid))[-2:] == ["ailleurs", "30 s"]
        assert result(desk) == ["redirected"]
        assert "suite" not in await desk.words(sid)
        (queue,) = await client.queues.list_async()
        assert queue.current_size == 0

        sid = await desk.call()
        leg = await operator(desk)
        await desk.client.settled(leg)
        await client.calls(sid).update_async(twiml=twiml('<Say>encore</Say><Pause length="60"/>'))
        assert (await desk.words(sid))[-2:] == ["encore", "60 s"]
        assert (await desk.words(leg))[-1] == "fini"
        assert result(desk) == ["redirected", "redirected-from-bridged"]
        assert await hears(desk, sid) == []
        sid = await desk.call()
        await client.calls(sid).update_async(status="completed")
        assert (await desk.closed(sid))["hung_up_by"] == "carrier"
        assert result(desk)[2:] == ["hangup"]


async def test_the_leg_that_fetched_is_led_elsewhere() -> None:
    async with desk_of(PAGES) as desk, sdk(desk) as client:
        sid = await desk.call()
        leg = await operator(desk)
        await desk.client.settled(leg)
        await client.calls(leg).update_async(url=desk.application.base_url + "/elsewhere")
        assert "ailleurs" in await desk.words(leg)
        assert (await desk.words(sid))[-1] == "suite"
        assert result(desk) == ["bridged"]
        assert desk.application.asked("/dialled") == []


async def test_queues_over_rest() -> None:
    async with desk_of(PAGES) as desk, sdk(desk) as client:
        queue = await client.queues.create_async("attente", max_size=2)
        assert (queue.friendly_name, queue.max_size, queue.current_size) == ("attente", 2, 0)
        updated = await client.queues(queue.sid).update_async(friendly_name="file", max_size=1)
        assert (updated.friendly_name, updated.max_size) == ("file", 1)
        sid = await desk.call()
        await desk.closed(await desk.call(caller=OTHER))
        assert result(desk) == ["queue-full"]
        await desk.client.advance(sid, 8)
        await desk.client.settled(sid)
        (listed,) = await client.queues.list_async()
        assert (listed.sid, listed.current_size, listed.average_wait_time) == (queue.sid, 1, 8)
        with pytest.raises(TwilioRestException) as refused:
            await client.queues(queue.sid).delete_async()
        assert refused.value.status == 400
        await desk.client.hang_up(sid)
        await desk.closed(sid)
        assert await client.queues(queue.sid).delete_async()
        for missing in (client.queues(queue.sid).fetch_async, client.queues("QU" + "0" * 32).fetch_async):
            with pytest.raises(TwilioRestException) as refused:
                await missing()
            assert (refused.value.status, refused.value.code) == (404, 20404)


@pytest.mark.parametrize(
    "wrong", [{"friendly_name": "f" * 65}, {"friendly_name": ""}, {"max_size": 5001}, {"max_size": 0}]
)
async def test_queues_that_are_refused(wrong: dict[str, str | int]) -> None:
    async with desk_of(PAGES) as desk, sdk(desk) as client:
        await client.queues.create_async("une")
        for arguments in ({"friendly_name": "autre", **wrong}, {"friendly_name": "une"}):
            with pytest.raises(TwilioRestException) as refused:
                await client.queues.create_async(**arguments)
            assert (refused.value.status, refused.value.code) == (400, 20001)
        assert len(await client.queues.list_async()) == 1


async def test_members_over_rest() -> None:
    async with desk_of(PAGES) as desk, sdk(desk) as client:
        first, second = await desk.call(), await desk.call(caller=OTHER)
        await desk.client.advance(second, 4)
        await desk.client.settled(second)
        (queue,) = await client.queues.list_async()
        members = client.queues(queue.sid).members
        assert [(one.call_sid, one.position, one.wait_time) for one in await members.list_async()] == [
            (first, 1, 0),
            (second, 2, 4),
        ]
        assert (await client.queues(queue.sid).members("Front").fetch_async()).call_sid == first
        assert (await client.queues(queue.sid).members(second).fetch_async()).date_enqueued is not None
        url = desk.application.base_url + "/elsewhere"
        with pytest.raises(TwilioRestException) as refused:
            await client.queues(queue.sid).members(second).update_async(url="nulle part")
        assert refused.value.code == 21205
        taken = await client.queues(queue.sid).members(second).update_async(url=url)
        assert (taken.call_sid, taken.position) == (second, 2)
        assert "ailleurs" in await desk.words(second)
        await client.queues(queue.sid).members("Front").update_async(url=url, method="GET")
        assert "ailleurs" in await desk.words(first)
        assert result(desk) == ["redirected", "redirected"]
        assert [method for method, path, _ in desk.application.requests if path == "/elsewhere"] == ["POST", "GET"]
        for again in (second, "Front"):  # of two that want the same member, one gets it
            with pytest.raises(TwilioRestException) as refused:
                await client.queues(queue.sid).members(again).update_async(url=url)
            assert (refused.value.status, refused.value.code) == (404, 20404)


async def test_many_wait_and_are_fetched_in_their_order() -> None:
    async with desk_of(PAGES) as desk, sdk(desk) as client:
        sids = [await desk.client.start(CALLER, PRACTICE, "scripted") for _ in range(60)]
        for sid in sids:
            await desk.client.settled(sid)
        (queue,) = await client.queues.list_async()
        waiting = [member.call_sid for member in await client.queues(queue.sid).members.list_async(page_size=25)]
        assert sorted(waiting) == sorted(sids)
        legs = [await operator(desk) for _ in range(5)]
        assert [await hears(desk, leg) for leg in legs] == [[sid] for sid in waiting[:5]]


async def test_a_live_call_waits_too() -> None:
    async with desk_of(PAGES) as desk, sdk(desk) as client:
        sid = await desk.call(pace="live")
        state = await desk.client.state(sid, after=0, wait=5)
        while not state.heard:
            state = await desk.client.state(sid, after=state.revision, wait=5)
        assert state.heard[0].text == "position 1"
        await client.calls(sid).update_async(twiml=twiml("<Hangup/>"))
        await desk.closed(sid)
        assert result(desk) == ["redirected"]


async def test_nobody_waits_longer_than_a_call_may_last() -> None:
    async with desk_of({**PAGES, "/voice": ENQUEUE.replace(' waitUrl="/wait"', "")}) as desk:
        sid = await desk.call()
        assert await desk.words(sid) == ["[musique d'attente]"]
        await desk.client.advance(sid, 4 * 3600 - 1)
        assert (await desk.client.settled(sid)).activity == "waiting"
        await desk.client.advance(sid, 1)
        await desk.closed(sid)
        assert result(desk) == ["hangup"]
