"""Lines that forward: calls over them arrive as a carrier delivers them, whoever dials the line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from callcenter.emulator.outcomes import CouldNotRun, Differed, Passed
from callcenter.emulator.runner import Patience, run
from callcenter.emulator.transcript import load_transcript
from tests.unit.emulator.bench import ACCOUNT, CALLER, PRACTICE, SECOND, TOKEN, Bench, Form, bench, twiml

LINE = "+33465710099"
OTHER = "+33472000001"
OURS = f"/voice-{PRACTICE[1:]}"
MENU = twiml('<Gather action="/next" timeout="5" numDigits="1"><Say>tapez</Say></Gather><Say>au revoir</Say>')
PAGES = {OURS: MENU, "/next": twiml("<Say>merci</Say>"), "/dialled": twiml("<Say>suite</Say>"), "/progress": ""}


@asynccontextmanager
async def network(pages: dict[str, Any] | None = None) -> AsyncIterator[Bench]:
    """An emulator that serves the practice's number, and knows it as the only one."""
    async with bench({**PAGES, **(pages or {})}, served=(PRACTICE,)) as desk:
        yield desk


async def forward(desk: Bench, **how: object) -> None:
    answer = await desk.post("/forwardings", {"line": LINE, "to": PRACTICE, **how})
    assert answer["http"] == 201, answer


async def behave(desk: Bench, number: str, manner: str) -> None:
    assert (await desk.post("/lines", {"number": number, "when_called": manner}))["http"] == 201


async def ringing(desk: Bench, number: str) -> str:
    (leg,) = await desk.client.ringing(number, 5)
    return leg.sid


async def ordered(desk: Bench, called: str, page: str) -> str:
    """A call that the application asks for over REST; its sid."""
    fields = {"To": called, "From": PRACTICE, "Url": desk.application.base_url + page}
    where = f"{desk.emulator.base_url}/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    headers = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
    async with aiohttp.ClientSession() as session, session.post(where, data=fields, headers=headers) as response:
        assert response.status == 201
        return str((await response.json())["sid"])


def shown(form: Form) -> tuple[str, str, str | None, str | None]:
    return form["From"], form["To"], form.get("ForwardedFrom"), form.get("CalledVia")


@pytest.mark.parametrize(
    ("caller", "reported", "expected"),
    [
        ("kept", True, (CALLER, PRACTICE, LINE, LINE)),
        ("kept", False, (CALLER, PRACTICE, None, None)),
        ("replaced", True, (LINE, PRACTICE, LINE, LINE)),
        ("replaced", False, (LINE, PRACTICE, None, None)),
    ],
)
async def test_every_call_to_a_line_that_always_forwards_arrives(caller: str, reported: bool, expected: object) -> None:
    async with network() as desk:
        await forward(desk, caller=caller, reported=reported)
        sid = await desk.call(LINE)
        await desk.client.press(sid, "1")
        await desk.closed(sid)
        (first,), (second,) = desk.application.asked(OURS), desk.application.asked("/next")
    assert shown(first) == shown(second) == expected
    assert (first["CallSid"], first["Direction"], first["CallStatus"]) == (sid, "inbound", "ringing")


async def test_a_free_line_that_forwards_when_busy_rings_and_a_busy_one_forwards() -> None:
    async with network() as desk:
        await forward(desk, when="busy")
        sid = await desk.call(LINE)
        await desk.client.answer(await ringing(desk, LINE))
        assert await desk.words(sid) == [f"[en communication avec {LINE}]"]
        await desk.client.hang_up(sid)
        assert desk.application.requests == []
        await behave(desk, LINE, "busy")
        assert await desk.words(await desk.call(LINE)) == ["tapez"]
        assert shown(desk.application.asked(OURS)[0]) == (CALLER, PRACTICE, LINE, LINE)


async def test_a_line_that_nobody_answers_forwards_after_its_time_and_the_call_stays_the_same_one() -> None:
    async with network() as desk:
        await forward(desk, when="unanswered", after=15)
        sid = await desk.call(LINE)
        leg = await ringing(desk, LINE)
        await desk.client.advance(sid, 14)
        await desk.client.settled(sid)
        assert desk.application.requests == []
        await desk.client.advance(sid, 1)
        assert await desk.words(sid) == ["tapez"]
        assert (await desk.get(f"/calls/{leg}"))["status"] == "no-answer"
        (form,) = desk.application.asked(OURS)
        assert (form["CallSid"], *shown(form)) == (sid, CALLER, PRACTICE, LINE, LINE)
        await desk.client.press(sid, "1")
        assert await desk.words(sid) == ["tapez", "merci"]


async def test_a_line_that_is_answered_in_time_does_not_forward() -> None:
    async with network() as desk:
        await forward(desk, when="unanswered", after=15)
        sid = await desk.call(LINE)
        leg = await ringing(desk, LINE)
        await desk.client.advance(sid, 10)
        await desk.client.answer(leg)
        await desk.client.settled(sid)
        await desk.client.advance(sid, 60)
        assert await desk.words(leg) == [f"[en communication avec {CALLER}]"]
        await desk.client.hang_up(leg)
        assert (await desk.closed(sid))["status"] == "completed"
        assert desk.application.requests == []


@pytest.mark.parametrize(("when", "reason"), [("busy", "busy"), ("unanswered", "no-answer"), ("unanswered", "failed")])
async def test_a_telephone_that_does_not_take_the_call_forwards_it(when: str, reason: str) -> None:
    async with network() as desk:
        await forward(desk, when=when)
        sid = await desk.call(LINE)
        await desk.post(f"/telephones/{await ringing(desk, LINE)}/reject", {"reason": reason})
        assert await desk.words(sid) == ["tapez"]
        await behave(desk, LINE, reason)
        assert await desk.words(await desk.call(LINE)) == ["tapez"]


async def test_a_dial_to_a_line_that_leads_back_to_us_is_a_new_call_from_the_number_that_is_shown() -> None:
    async with network({"/voice": twiml(f'<Dial action="/dialled">{LINE}</Dial>')}) as desk:
        await forward(desk)
        sid = await desk.call(SECOND)
        assert await desk.words(sid) == ["[sonnerie]", "tapez"]
        (inner,) = desk.application.asked(OURS)
        assert shown(inner) == (CALLER, PRACTICE, LINE, LINE)
        assert (inner["Direction"], inner["CallSid"] == sid, "ParentCallSid" in inner) == ("inbound", False, False)
        assert (await desk.get("/telephones"))["telephones"] == []
        await desk.client.press(sid, "1")
        assert await desk.words(sid) == ["[sonnerie]", "tapez", "merci", "suite"]
        assert desk.application.asked("/dialled")[0]["DialCallStatus"] == "completed"


async def test_a_dial_shows_the_caller_id_that_it_asked_for() -> None:
    async with network({"/voice": twiml(f'<Dial callerId="{PRACTICE}">{LINE}</Dial>')}) as desk:
        await forward(desk)
        await desk.call(SECOND)
        assert shown(desk.application.asked(OURS)[0]) == (PRACTICE, PRACTICE, LINE, LINE)


async def test_a_dialled_line_that_nobody_answers_comes_back_before_the_dial_gives_up() -> None:
    async with network({"/voice": twiml(f'<Dial timeout="25" action="/dialled">{LINE}</Dial>')}) as desk:
        await forward(desk, when="unanswered", after=20)
        sid = await desk.call(SECOND)
        await ringing(desk, LINE)
        await desk.client.advance(sid, 20)
        assert await desk.words(sid) == ["[sonnerie]", "tapez"]
        assert desk.application.asked("/dialled") == []


async def test_a_dial_that_gives_up_first_ends_unanswered() -> None:
    async with network({"/voice": twiml(f'<Dial timeout="10" action="/dialled">{LINE}</Dial>')}) as desk:
        await forward(desk, when="unanswered", after=20)
        sid = await desk.call(SECOND)
        await desk.client.advance(sid, 15)
        await desk.closed(sid)
        assert desk.application.asked("/dialled")[0]["DialCallStatus"] == "no-answer"
        assert desk.application.asked(OURS) == []


async def test_a_whisper_that_asks_for_a_key_keeps_a_line_that_leads_back_to_us_from_being_joined() -> None:
    pages = {
        "/voice": twiml(f'<Dial action="/dialled"><Number url="/whisper">{LINE}</Number></Dial>'),
        "/whisper": twiml('<Gather numDigits="1" action="/accept" timeout="4"><Say>un appel</Say></Gather><Hangup/>'),
    }
    async with network(pages) as desk:
        await forward(desk)
        sid = await desk.call(SECOND)
        await desk.client.advance(sid, 4)
        await desk.closed(sid)
        (told,) = desk.application.asked("/dialled")
        assert (told["DialCallStatus"], told["DialBridged"]) == ("completed", "false")


async def test_a_call_over_rest_to_a_line_that_leads_back_to_us_is_a_new_call() -> None:
    async with network({"/answered": twiml('<Say>allo</Say><Pause length="30"/>')}) as desk:
        await forward(desk)
        sid = await ordered(desk, LINE, "/answered")
        state = await desk.closed(sid)
        assert state["heard"][0]["text"] == "allo"
        assert shown(desk.application.asked(OURS)[0]) == (PRACTICE, PRACTICE, LINE, LINE)
        assert shown(desk.application.asked("/answered")[0]) == (PRACTICE, LINE, None, None)
        inner = desk.application.asked(OURS)[0]["CallSid"]
        assert (inner == sid, (await desk.closed(inner))["status"]) == (False, "completed")


async def test_a_chain_of_lines_arrives_and_a_ring_of_them_is_busy() -> None:
    async with network({"/voice": twiml(f'<Dial action="/dialled">{LINE}</Dial>')}) as desk:
        await forward(desk, to=OTHER)
        await forward(desk, line=OTHER)
        assert await desk.words(await desk.call(LINE)) == ["tapez"]
        assert shown(desk.application.asked(OURS)[0]) == (CALLER, PRACTICE, OTHER, OTHER)
        await forward(desk, line=OTHER, to=LINE)
        state = await desk.closed(await desk.call(LINE))
        assert (state["status"], state["outside"]) == ("busy", True)
        await desk.closed(await desk.call(SECOND))
        assert desk.application.asked("/dialled")[0]["DialCallStatus"] == "busy"
        assert len(desk.application.asked(OURS)) == 1


async def test_a_ring_of_lines_that_nobody_answers_ends_too() -> None:
    async with network() as desk:
        await forward(desk, to=OTHER, when="unanswered")
        await forward(desk, line=OTHER, to=LINE, when="unanswered")
        for number in (LINE, OTHER):
            await behave(desk, number, "no-answer")
        assert (await desk.closed(await desk.call(LINE)))["status"] == "busy"


async def test_a_line_that_leads_back_to_us_and_that_we_dial_again_ends() -> None:
    async with network({OURS: twiml(f'<Dial action="/dialled">{LINE}</Dial>'), "/dialled": twiml("")}) as desk:
        await forward(desk)
        await desk.closed(await desk.call(LINE))
        assert len(desk.application.asked(OURS)) == 11
        assert "failed" in {form["DialCallStatus"] for form in desk.application.asked("/dialled")}


async def test_a_busy_line_is_busy_and_the_account_knows_nothing_of_calls_between_others() -> None:
    async with network() as desk:
        await behave(desk, LINE, "busy")
        sid = await desk.call(LINE)
        assert (await desk.closed(sid))["status"] == "busy"
        where = f"{desk.emulator.base_url}/2010-04-01/Accounts/{ACCOUNT}/Calls"
        headers = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
        async with aiohttp.ClientSession(headers=headers) as session:
            async with session.get(f"{where}.json") as response:
                assert (await response.json())["calls"] == []
            async with session.get(f"{where}/{sid}.json") as response:
                assert response.status == 404
        assert desk.application.requests == []


@pytest.mark.parametrize(
    ("manner", "status"), [("busy", "busy"), ("no-answer", "no-answer"), ("failed", "failed"), ("answers", "completed")]
)
async def test_a_telephone_does_what_it_was_told_before_it_rings(manner: str, status: str) -> None:
    async with network({"/answered": twiml("<Say>allo</Say>")}) as desk:
        await behave(desk, SECOND, manner)
        sid = await ordered(desk, SECOND, "/answered")
        state = await desk.closed(sid)
        assert state["status"] == status
        assert [heard["text"] for heard in state["heard"]] == (["allo"] if manner == "answers" else [])
        assert (await desk.ask("DELETE", f"/lines?number={quote(SECOND)}"))["removed"] == [SECOND]
        await ordered(desk, SECOND, "/answered")
        assert await desk.client.ringing(SECOND, 5)


async def test_forwardings_are_listed_replaced_and_removed() -> None:
    async with network() as desk:
        await forward(desk)
        await forward(desk, when="busy", caller="replaced", reported=False)
        await forward(desk, to=OTHER)
        expected = {"line": LINE, "to": OTHER, "when": "always", "caller": "kept", "reported": True, "after": 20.0}
        listed = (await desk.get(f"/forwardings?line={quote(LINE)}"))["forwardings"]
        assert [expected, (listed[1]["when"], listed[1]["caller"], listed[1]["reported"])] == [
            listed[0],
            ("busy", "replaced", False),
        ]
        removed = await desk.ask("DELETE", f"/forwardings?line={quote(LINE)}&when=always")
        assert removed["removed"] == [expected]
        assert len((await desk.ask("DELETE", "/forwardings"))["removed"]) == 1
        assert (await desk.get("/forwardings"))["forwardings"] == []
        assert (await desk.get("/lines"))["lines"] == []
        unescaped = await desk.get(f"/forwardings?line={LINE}")
        assert (unescaped["http"], "%2B" in unescaped["error"]) == (400, True)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/forwardings", {"to": PRACTICE}, '"line" is missing'),
        ("/forwardings", {"line": LINE}, '"to" is missing'),
        ("/forwardings", {"line": "0465710099", "to": PRACTICE}, "E.164"),
        ("/forwardings", {"line": LINE, "to": LINE}, "the line itself"),
        ("/forwardings", {"line": PRACTICE, "to": LINE}, "a number of the account"),
        ("/forwardings", {"line": LINE, "to": PRACTICE, "when": "never"}, "always, busy, unanswered"),
        ("/forwardings", {"line": LINE, "to": PRACTICE, "caller": "hidden"}, "kept, replaced"),
        ("/forwardings", {"line": LINE, "to": PRACTICE, "reported": 1}, '"reported" is true or false'),
        ("/forwardings", {"line": LINE, "to": PRACTICE, "after": 0}, "seconds above 0"),
        ("/forwardings", {"line": LINE, "to": PRACTICE, "colour": 1}, "unknown: colour"),
        ("/lines", {"number": PRACTICE, "when_called": "busy"}, "a number of the account"),
        ("/lines", {"number": LINE, "when_called": "sings"}, "rings, answers, busy, no-answer, failed"),
    ],
)
async def test_what_cannot_be_set_up_is_refused_with_the_mend(path: str, body: object, words: str) -> None:
    async with network() as desk:
        answer = await desk.post(path, body)
        assert (answer["http"], words in answer["error"]) == (400, True), answer


SCRIPT = f"""\
title: renvoi sur occupation
call: {{from: "{CALLER}", to: "{LINE}"}}
forwarding:
  - {{line: "{LINE}", to: "{PRACTICE}", when: unanswered, after: 15, caller: replaced, reported: false}}
steps:
  - hears_not: "tapez"
  - waits: 15
  - hears: "tapez"
  - presses: "1"
  - hears: "merci"
  - ended: true
"""


async def test_a_transcript_sets_lines_up_and_leaves_them_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "appel.yaml"
    file.write_text(SCRIPT, encoding="utf-8")
    async with network() as desk:
        await forward(desk, to=OTHER, when="unanswered")
        before = await desk.get("/forwardings")
        outcome = await run(load_transcript(file), base_url=desk.emulator.base_url)
        assert isinstance(outcome, Passed), str(outcome)
        assert shown(desk.application.asked(OURS)[0]) == (LINE, PRACTICE, None, None)
        assert await desk.get("/forwardings") == before
        file.write_text(SCRIPT.replace("waits: 15", "waits: 14"), encoding="utf-8")
        outcome = await run(load_transcript(file), base_url=desk.emulator.base_url)
        assert isinstance(outcome, Differed)
        assert outcome.step == 3
        assert await desk.get("/forwardings") == before
        file.write_text(SCRIPT.replace(f'line: "{LINE}"', f'line: "{PRACTICE}"'), encoding="utf-8")
        assert isinstance(await run(load_transcript(file), base_url=desk.emulator.base_url), CouldNotRun)
        assert await desk.get("/forwardings") == before


async def test_a_transcript_may_answer_the_practices_own_telephone(tmp_path: Path) -> None:
    file = tmp_path / "appel.yaml"
    answered = f'  - answers: {{on: "{LINE}", hears: "en communication", as: cabinet}}\n  - hangs_up: cabinet\n'
    head, _, _ = SCRIPT.partition("steps:")
    file.write_text(f"{head}steps:\n{answered}  - ended: true\n", encoding="utf-8")
    async with network() as desk:
        outcome = await run(load_transcript(file), base_url=desk.emulator.base_url, patience=Patience(ring=2))
        assert isinstance(outcome, Passed), str(outcome)
        assert desk.application.requests == []


async def test_an_emulator_that_was_told_no_numbers_leads_forwarded_calls_to_the_application() -> None:
    async with bench({"/voice": MENU}) as desk:
        await forward(desk)
        assert await desk.words(await desk.call(LINE)) == ["tapez"]
        assert shown(desk.application.asked("/voice")[0]) == (CALLER, PRACTICE, LINE, LINE)
