"""Dial: second telephones ring, are answered or not, hear a whisper, and are joined."""

from __future__ import annotations

import pytest

from tests.unit.emulator.bench import CALLER, PRACTICE, SECOND, Bench, bench, twiml

OTHER = "+33472000001"
AFTER = twiml("<Say>suite</Say>")


def dial(inside: str = SECOND, attributes: str = 'action="/dialled"') -> str:
    return twiml(f"<Dial {attributes}>{inside}</Dial><Say>ensuite</Say>")


async def ringing(desk: Bench, number: str = SECOND) -> str:
    """The leg that rings at a number."""
    (leg,) = await desk.client.ringing(number, 5)
    return leg.sid


async def test_answered_joined_and_hung_up_by_the_second_telephone() -> None:
    async with bench({"/voice": dial(), "/dialled": AFTER}) as desk:
        sid = await desk.call()
        assert (await desk.client.state(sid)).verb == "Dial"
        leg = await ringing(desk)
        await desk.client.answer(leg)
        assert await desk.words(sid) == ["[sonnerie]", f"[en communication avec {SECOND}]"]
        assert await desk.words(leg) == [f"[en communication avec {CALLER}]"]
        await desk.client.advance(sid, 42)
        await desk.client.settled(sid)
        await desk.client.hang_up(leg)
        assert (await desk.words(sid))[-1] == "suite"
        (fields,) = desk.application.asked("/dialled")
        assert (fields["DialCallStatus"], fields["DialBridged"]) == ("completed", "true")
        assert (fields["DialCallSid"], fields["DialCallDuration"]) == (leg, "42")
        assert fields["CallSid"] == sid


@pytest.mark.parametrize(("reason", "status"), [("busy", "busy"), ("no-answer", "no-answer"), ("failed", "failed")])
async def test_not_answered(reason: str, status: str) -> None:
    async with bench({"/voice": dial(), "/dialled": AFTER}) as desk:
        sid = await desk.call()
        leg = await ringing(desk)
        await desk.post(f"/telephones/{leg}/reject", {"reason": reason})
        await desk.closed(sid)
        (fields,) = desk.application.asked("/dialled")
        assert (fields["DialCallStatus"], fields["DialBridged"]) == (status, "false")


async def test_nobody_answers_in_time_and_five_seconds() -> None:
    async with bench({"/voice": dial(attributes='action="/dialled" timeout="20"'), "/dialled": AFTER}) as desk:
        sid = await desk.call()
        await desk.client.advance(sid, 24)
        await desk.client.settled(sid)
        assert desk.application.asked("/dialled") == []
        await desk.client.advance(sid, 1)
        await desk.closed(sid)
        assert desk.application.asked("/dialled")[0]["DialCallStatus"] == "no-answer"
        assert await desk.client.ringing(SECOND, 0) == ()


async def test_without_action_the_next_verb_follows() -> None:
    async with bench({"/voice": dial(attributes="")}) as desk:
        sid = await desk.call()
        await desk.post(f"/telephones/{await ringing(desk)}/reject", {})
        assert await desk.words(sid) == ["[sonnerie]", "ensuite"]


async def test_the_caller_hangs_up_while_it_rings_and_while_joined() -> None:
    async with bench({"/voice": dial(), "/dialled": AFTER}) as desk:
        for answered, status in ((False, "canceled"), (True, "completed")):
            sid = await desk.call()
            leg = await ringing(desk)
            if answered:
                await desk.client.answer(leg)
                await desk.client.settled(sid)
            await desk.client.hang_up(sid)
            await desk.closed(sid)
            assert (await desk.closed(leg))["status"] == status
        assert desk.application.asked("/dialled") == []


async def test_whisper_is_heard_by_the_second_telephone_alone_before_they_are_joined() -> None:
    pages = {
        "/voice": dial(f'<Number url="/whisper">{SECOND}</Number>'),
        "/whisper": twiml('<Gather numDigits="1" action="/accept" timeout="5"><Say>tapez 1</Say></Gather><Hangup/>'),
        "/accept": twiml(""),
        "/dialled": AFTER,
    }
    async with bench(pages) as desk:
        sid = await desk.call()
        leg = await ringing(desk)
        await desk.client.answer(leg)
        assert await desk.words(leg) == ["tapez 1"]
        assert await desk.words(sid) == ["[sonnerie]"]
        (fields,) = desk.application.asked("/whisper")
        assert (fields["CallSid"], fields["ParentCallSid"], fields["Direction"]) == (leg, sid, "outbound-dial")
        await desk.client.press(leg, "1")
        assert (await desk.words(sid))[-1] == f"[en communication avec {SECOND}]"

        sid = await desk.call()
        leg = await ringing(desk)
        await desk.client.answer(leg)
        await desk.client.settled(leg)
        await desk.client.advance(sid, 5)
        await desk.closed(sid)
        fields = desk.application.asked("/dialled")[-1]
        assert (fields["DialCallStatus"], fields["DialBridged"]) == ("completed", "false")


async def test_several_ring_together_and_the_first_to_answer_wins() -> None:
    numbers = f"<Number>{SECOND}</Number><Number>{OTHER}</Number>"
    async with bench({"/voice": dial(numbers), "/dialled": AFTER}) as desk:
        sid = await desk.call()
        first, second = await ringing(desk), await ringing(desk, OTHER)
        await desk.client.answer(second)
        assert (await desk.words(sid))[-1] == f"[en communication avec {OTHER}]"
        assert (await desk.closed(first))["status"] == "canceled"
        sid = await desk.call()
        for number in (SECOND, OTHER):
            await desk.post(f"/telephones/{await ringing(desk, number)}/reject", {"reason": "busy"})
        await desk.closed(sid)
        assert desk.application.asked("/dialled")[-1]["DialCallStatus"] == "busy"


async def test_status_callbacks_of_the_second_leg() -> None:
    number = (
        f'<Number statusCallback="/leg" statusCallbackEvent="initiated ringing answered completed">{SECOND}</Number>'
    )
    async with bench({"/voice": dial(number), "/dialled": AFTER, "/leg": ""}) as desk:
        sid = await desk.call()
        leg = await ringing(desk)
        await desk.client.answer(leg)
        await desk.client.settled(sid)
        await desk.client.hang_up(leg)
        await desk.closed(leg)
        told = desk.application.asked("/leg")
        assert [f["CallStatus"] for f in told] == ["initiated", "ringing", "in-progress", "completed"]
        assert [f["SequenceNumber"] for f in told] == ["0", "1", "2", "3"]
        assert {(f["CallSid"], f["ParentCallSid"]) for f in told} == {(leg, sid)}
        assert ["CallDuration" in f for f in told] == [False, False, False, True]


async def test_keys_are_heard_by_the_other_and_a_star_may_hang_up() -> None:
    async with bench({"/voice": dial(attributes='action="/dialled" hangupOnStar="true"'), "/dialled": AFTER}) as desk:
        sid = await desk.call()
        leg = await ringing(desk)
        await desk.client.answer(leg)
        await desk.client.settled(sid)
        assert await desk.client.press(sid, "5") == "5"
        assert (await desk.words(leg))[-1] == "5"
        await desk.client.press(leg, "*")
        assert (await desk.words(sid))[-1] == "*"
        await desk.client.press(sid, "*")
        assert (await desk.closed(leg))["status"] == "completed"
        assert (await desk.words(sid))[-1] == "suite"


async def test_time_limit() -> None:
    async with bench({"/voice": dial(attributes='action="/dialled" timeLimit="60"'), "/dialled": AFTER}) as desk:
        sid = await desk.call()
        await desk.client.answer(await ringing(desk))
        await desk.client.settled(sid)
        await desk.client.advance(sid, 60)
        await desk.closed(sid)
        assert desk.application.asked("/dialled")[0]["DialCallDuration"] == "60"


async def test_answer_on_bridge_leaves_the_caller_ringing() -> None:
    async with bench({"/voice": dial(attributes='action="/dialled" answerOnBridge="true"'), "/dialled": AFTER}) as desk:
        sid = await desk.call()
        assert (await desk.client.state(sid)).status == "ringing"
        await desk.client.answer(await ringing(desk))
        assert (await desk.client.settled(sid)).status == "in-progress"


@pytest.mark.parametrize(
    ("caller", "inside", "attributes", "code"),
    [
        ("anonymous", SECOND, 'action="/dialled"', 13214),
        (CALLER, SECOND, 'action="/dialled" callerId="+33111111111"', 13214),
        (CALLER, "0472000000", 'action="/dialled"', 13224),
        (CALLER, "", 'action="/dialled"', 13224),
    ],
)
async def test_what_cannot_be_dialled_fails(caller: str, inside: str, attributes: str, code: int) -> None:
    async with bench({"/voice": dial(inside, attributes), "/dialled": AFTER}) as desk:
        sid = await desk.call(caller=caller)
        state = await desk.closed(sid)
        assert [alert["code"] for alert in state["alerts"]] == [code]
        assert desk.application.asked("/dialled")[0]["DialCallStatus"] == "failed"


async def test_a_withheld_caller_may_be_put_through_under_the_called_number() -> None:
    async with bench({"/voice": dial(attributes=f'action="/dialled" callerId="{PRACTICE}"')}) as desk:
        await desk.call(caller="anonymous")
        (telephone,) = (await desk.get("/telephones"))["telephones"]
        assert telephone["from"] == PRACTICE


async def test_a_dialled_leg_cannot_dial() -> None:
    pages = {
        "/voice": dial(f'<Number url="/whisper">{SECOND}</Number>'),
        "/whisper": twiml(f'<Dial action="/dialled">{OTHER}</Dial>'),
        "/dialled": AFTER,
    }
    async with bench(pages) as desk:
        sid = await desk.call()
        leg = await ringing(desk)
        await desk.client.answer(leg)
        await desk.client.settled(sid)
        assert [alert["code"] for alert in (await desk.get(f"/calls/{leg}"))["alerts"]] == [13201]


async def test_a_number_of_ours_is_an_inbound_call_that_the_caller_hears_and_uses() -> None:
    pages = {
        "/voice": dial(OTHER),
        f"/voice-{OTHER[1:]}": twiml('<Gather numDigits="1" action="/inner"><Say>chez nous</Say></Gather>'),
        "/inner": twiml("<Say>au revoir</Say>"),
        "/dialled": AFTER,
    }
    async with bench(pages, served=(OTHER,)) as desk:
        sid = await desk.call()
        assert await desk.words(sid) == ["[sonnerie]", "chez nous"]
        assert (await desk.get("/telephones"))["telephones"] == []
        inner = desk.application.asked(f"/voice-{OTHER[1:]}")[0]
        assert (inner["Direction"], inner["From"], inner["To"]) == ("inbound", CALLER, OTHER)
        assert inner["CallSid"] != sid
        assert await desk.client.press(sid, "3") == "3"
        assert await desk.words(sid) == ["[sonnerie]", "chez nous", "au revoir", "suite"]
        assert desk.application.asked("/inner")[0]["Digits"] == "3"
        assert desk.application.asked("/dialled")[0]["DialCallStatus"] == "completed"


async def test_a_number_of_ours_that_rejects_is_busy() -> None:
    pages = {"/voice": dial(OTHER), f"/voice-{OTHER[1:]}": twiml('<Reject reason="busy"/>'), "/dialled": AFTER}
    async with bench(pages, served=(OTHER,)) as desk:
        await desk.closed(await desk.call())
        assert desk.application.asked("/dialled")[0]["DialCallStatus"] == "busy"


async def test_hanging_up_ends_the_inner_call_too() -> None:
    pages = {"/voice": dial(OTHER), f"/voice-{OTHER[1:]}": twiml('<Gather numDigits="1" action="/inner"/>')}
    async with bench(pages, served=(OTHER,)) as desk:
        sid = await desk.call()
        inner = desk.application.asked(f"/voice-{OTHER[1:]}")[0]["CallSid"]
        await desk.client.hang_up(sid)
        await desk.closed(sid)
        assert (await desk.closed(inner))["hung_up_by"] == "telephone"


async def test_a_line_that_is_forwarded_to_itself_ends() -> None:
    page = twiml(f'<Dial action="/dialled">{OTHER}</Dial>')
    pages = {"/voice": page, f"/voice-{OTHER[1:]}": page, "/dialled": twiml("")}
    async with bench(pages, served=(OTHER,)) as desk:
        await desk.closed(await desk.call())
        assert len(desk.application.asked(f"/voice-{OTHER[1:]}")) == 10
        assert "failed" in {f["DialCallStatus"] for f in desk.application.asked("/dialled")}
