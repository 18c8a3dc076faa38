"""Text messages from telephones to the account: the webhook, its answers, and STOP."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from callcenter.emulator.outcomes import CouldNotRun, Differed, Passed
from callcenter.emulator.runner import Patience, run
from callcenter.emulator.transcript import load_transcript
from tests.unit.emulator.bench import ACCOUNT, CALLER, PRACTICE, SECOND, TOKEN, Bench, Reply, bench, twiml

OTHER = "+33639980002"
STOP = {"from": CALLER, "to": PRACTICE, "body": "STOP"}


async def rest(desk: Bench, to: str = CALLER, sender: str = PRACTICE, body: str = "Rappel") -> tuple[int, int | None]:
    """The application sends a message; the HTTP status, and the code of an error."""
    headers = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
    where = f"{desk.emulator.base_url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    fields = {"To": to, "From": sender, "Body": body}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(where, data=fields) as response,
    ):
        return response.status, (await response.json()).get("code")


async def test_the_application_is_asked_with_everything_the_carrier_sends() -> None:
    async with bench({"/texted": Reply(status=204)}, messaging="/texted") as desk:
        answer = await desk.post("/messages", {"from": CALLER, "to": PRACTICE, "body": "À demain ✓"})
        assert (answer["http"], answer["application"], answer["replies"], answer["alerts"]) == (201, 204, [], [])
        ((method, _, form),) = desk.application.requests
    sid = answer["sid"]
    assert (method, sid[:2], len(sid)) == ("POST", "SM", 34)
    assert form == {
        "MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "AccountSid": ACCOUNT, "From": CALLER, "To": PRACTICE,
        "Body": "À demain ✓", "NumMedia": "0", "NumSegments": "1", "SmsStatus": "received", "ApiVersion": "2010-04-01",
        "FromCountry": "FR", "FromCity": "", "FromState": "", "FromZip": "",
        "ToCountry": "FR", "ToCity": "", "ToState": "", "ToZip": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "bodies"),
    [
        (Reply(twiml("")), []),
        (Reply(twiml("<Message>Bien reçu</Message>")), ["Bien reçu"]),
        (Reply(twiml("<Message><Body>Un</Body></Message><Message>Deux</Message>")), ["Un", "Deux"]),
        (Reply("Bien reçu", content_type="text/plain"), ["Bien reçu"]),
        (Reply(""), []),
    ],
)
async def test_its_answer_arrives_at_the_telephone(reply: Reply, bodies: list[str]) -> None:
    async with bench({"/texted": reply}, messaging="/texted") as desk:
        answer = await desk.post("/messages", {"from": CALLER, "to": PRACTICE, "body": "Bonjour"})
        assert answer["alerts"] == []
        assert [(sent["from"], sent["to"], sent["body"]) for sent in answer["replies"]] == [
            (PRACTICE, CALLER, body) for body in bodies
        ]
        arrived = await desk.client.inbox(CALLER, after=0)
        assert [(message.sender, message.body) for message in arrived] == [(PRACTICE, body) for body in bodies]
        assert await desk.client.inbox(PRACTICE, after=0) == ()


async def test_an_answer_may_go_to_somebody_else_and_lead_to_another_document() -> None:
    pages = {
        "/texted": twiml(f'<Message to="{OTHER}" statusCallback="/sent">Un</Message><Redirect>/more</Redirect>'),
        "/more": twiml("<Message>Deux</Message>"),
        "/sent": "",
    }
    async with bench(pages, messaging="/texted") as desk:
        answer = await desk.post("/messages", STOP)
        assert [(sent["to"], sent["body"]) for sent in answer["replies"]] == [(OTHER, "Un"), (CALLER, "Deux")]
        assert desk.application.asked("/more")[0]["MessageSid"] == answer["sid"]
        desk.application.pages["/more"] = twiml("<Redirect>/more</Redirect>")
        assert [alert["code"] for alert in (await desk.post("/messages", STOP))["alerts"]] == [11215]


@pytest.mark.parametrize(
    ("reply", "status", "codes"),
    [
        (Reply(status=500), 500, [11200]),
        (Reply(status=404), 404, [11200]),
        (Reply("<Response>"), 200, [12100]),
        (Reply("<Answer/>"), 200, [12100]),
        (Reply("{}", content_type="application/json"), 200, [12300]),
        (Reply(twiml("<Say>bonjour</Say>")), 200, [12200]),
        (Reply(twiml("<Message/>")), 200, [21602]),
    ],
)
async def test_what_is_wrong_with_an_answer_is_named(reply: Reply, status: int, codes: list[int]) -> None:
    async with bench({"/texted": reply}, messaging="/texted") as desk:
        answer = await desk.post("/messages", STOP)
        assert (answer["application"], [alert["code"] for alert in answer["alerts"]]) == (status, codes)
        assert await desk.client.inbox(CALLER, after=0) == ()


async def test_where_no_address_is_configured_nobody_is_asked_and_the_message_is_listed() -> None:
    async with bench({}) as desk:
        answer = await desk.post("/messages", STOP)
        assert (answer["http"], answer["application"], desk.application.requests) == (201, None, [])
        headers = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
        where = f"{desk.emulator.base_url}/2010-04-01/Accounts/{ACCOUNT}/Messages/{answer['sid']}.json"
        async with aiohttp.ClientSession(headers=headers) as session, session.get(where) as response:
            body = await response.json()
        assert (body["direction"], body["status"], body["from"], body["body"]) == (
            "inbound",
            "received",
            CALLER,
            "STOP",
        )


@pytest.mark.parametrize("word", ["STOP", " stop ", "Unsubscribe", "QUIT"])
async def test_a_carrier_that_minds_stop_refuses_later_messages_until_start(word: str) -> None:
    async with bench({"/texted": twiml("<Message>C'est noté</Message>")}, messaging="/texted", minds_stop=True) as desk:
        answer = await desk.post("/messages", {**STOP, "body": word})
        assert desk.application.asked("/texted")[0]["OptOutType"] == "STOP"
        confirmed, refused = answer["replies"]
        assert ("unsubscribed" in confirmed["body"], refused["code"]) == (True, 21610)
        assert (await desk.get("/opt-outs"))["opted_out"] == [{"number": CALLER, "sender": PRACTICE}]
        assert await rest(desk) == (400, 21610)
        assert (await rest(desk, to=OTHER))[0] == (await rest(desk, sender=SECOND))[0] == 201
        await desk.post("/messages", {**STOP, "body": "START"})
        assert desk.application.asked("/texted")[1]["OptOutType"] == "START"
        assert await rest(desk) == (201, None)


async def test_stop_is_the_applications_business_unless_the_carrier_minds_it() -> None:
    async with bench({"/texted": twiml("")}, messaging="/texted") as desk:
        await desk.post("/messages", STOP)
        assert "OptOutType" not in desk.application.asked("/texted")[0]
        assert await rest(desk) == (201, None)
        assert (await desk.post("/opt-outs", {"minded": True}))["minded"] is True
        await desk.post("/messages", {**STOP, "body": "Stop à tout"})  # more than the word
        assert await rest(desk) == (201, None)
        await desk.post("/messages", STOP)
        assert await rest(desk) == (400, 21610)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"from": "anonymous"}, "E.164"),
        ({"to": "0465710001"}, "E.164"),
        ({"to": OTHER}, "none of the account's numbers"),
        ({"body": ""}, '"body" is missing'),
        ({"body": "a" * 1601}, "more than 1600"),
        ({"colour": 1}, "unknown: colour"),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_the_mend(change: dict[str, object], words: str) -> None:
    async with bench({}, served=(PRACTICE,)) as desk:
        answer = await desk.post("/messages", {**STOP, **change})
        assert (answer["http"], words in answer["error"]) == (400, True), answer


async def test_a_sender_that_is_no_called_number_takes_messages_too() -> None:
    async with bench({"/texted": twiml("")}, messaging="/texted", served=(PRACTICE,), senders=(SECOND,)) as desk:
        assert (await desk.post("/messages", {**STOP, "to": SECOND}))["application"] == 200


SCRIPT = f"""\
title: stop
call: {{from: "{CALLER}", to: "{PRACTICE}"}}
steps:
  - hears: "bonjour"
  - sends_text: {{to: "{PRACTICE}", body: "STOP"}}
  - texts: {{to: "{CALLER}", match: "noté"}}
"""


async def test_a_transcript_sends_a_message(tmp_path: Path) -> None:
    file = tmp_path / "appel.yaml"
    file.write_text(SCRIPT, encoding="utf-8")
    pages = {"/voice": twiml("<Say>bonjour</Say>"), "/texted": twiml("<Message>C'est noté</Message>")}
    async with bench(pages, messaging="/texted") as desk:
        outcome = await run(load_transcript(file), base_url=desk.emulator.base_url)
        assert isinstance(outcome, Passed), str(outcome)
        assert desk.application.asked("/texted")[0]["From"] == CALLER
        file.write_text(SCRIPT.replace('body: "STOP"', f'body: "STOP", from: "{OTHER}"'), encoding="utf-8")
        await run(load_transcript(file), base_url=desk.emulator.base_url, patience=Patience(text=0.05))
        assert desk.application.asked("/texted")[1]["From"] == OTHER
        desk.application.pages["/texted"] = Reply(status=500)
        outcome = await run(load_transcript(file), base_url=desk.emulator.base_url)
        assert isinstance(outcome, Differed)
        assert (outcome.step, "500" in outcome.heard) == (2, True)
    async with bench(pages) as desk:
        outcome = await run(load_transcript(file), base_url=desk.emulator.base_url)
        assert isinstance(outcome, Differed)
        file.write_text(SCRIPT.replace(f'from: "{CALLER}"', "from: anonymous"), encoding="utf-8")
        assert isinstance(await run(load_transcript(file), base_url=desk.emulator.base_url), CouldNotRun)
