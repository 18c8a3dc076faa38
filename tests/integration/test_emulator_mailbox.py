"""The mailbox: what is sent by SMTP arrives, is waited for, or is refused."""

from __future__ import annotations

import asyncio
import smtplib
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

from callcenter.emulator import Emulator, EmulatorSettings, NumberSettings
from callcenter.emulator.errors import EmulatorError
from callcenter.emulator.outcomes import Differed, Passed
from callcenter.emulator.runner import Patience, run
from callcenter.emulator.transcript import load_transcript
from tests.unit.emulator.bench import ACCOUNT, CALLER, PRACTICE, Bench, bench, twiml

DESK, OTHER = "accueil@tilleuls.example", "autre@tilleuls.example"


def mail(to: str = DESK, text: str = "Une demande vous attend : n° 4711.", subject: str = "Nouvelle demande") -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "robot@callcenter.example", to, subject
    message.set_content(text)
    return message.as_bytes()


async def send(desk: Bench, raw: bytes, to: str | list[str] = DESK) -> None:
    """Send by the standard library's own client, which knows nothing of the server's."""

    def sending() -> None:
        with smtplib.SMTP("127.0.0.1", desk.emulator.smtp_port or 0, timeout=10) as client:
            client.sendmail("robot@callcenter.example", to, raw)

    await asyncio.to_thread(sending)


async def arrived(desk: Bench, query: str = "") -> list[tuple[str, str]]:
    return [(one["subject"], one["text"]) for one in (await desk.get(f"/mails{query}"))["mails"]]


async def test_a_mail_arrives_at_everybody_it_was_sent_to() -> None:
    async with bench({}, smtp=0) as desk:
        await send(desk, mail(), [DESK, OTHER])
        body = await desk.get(f"/mails?to={DESK.upper()}")
        (one,) = body["mails"]
        assert (one["number"], one["from"], one["to"]) == (1, "robot@callcenter.example", [DESK, OTHER])
        assert (one["subject"], one["text"]) == ("Nouvelle demande", "Une demande vous attend : n° 4711.")
        assert (body["last"], body["port"]) == (1, desk.emulator.smtp_port)
        assert await arrived(desk, "?to=personne@tilleuls.example") == []
        assert await arrived(desk, "?after=1") == []


async def test_it_is_waited_for() -> None:
    async with bench({}, smtp=0) as desk:
        waiting = asyncio.ensure_future(arrived(desk, f"?to={DESK}&wait=30"))
        await send(desk, mail(OTHER), OTHER)
        await asyncio.sleep(0.02)
        assert not waiting.done()
        await send(desk, mail())
        assert await waiting == [("Nouvelle demande", "Une demande vous attend : n° 4711.")]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"Subject: a\r\n\r\nb\r\n", ("a", "b")),
        (b"no header at all\r\n", ("", "no header at all")),
        (b"", ("", "")),
        (b"Content-Type: text/plain; charset=martian\r\n\r\n\xe9\xe8\r\n", ("", "\ufffd\ufffd")),
        (b"Content-Type: multipart/mixed; boundary=x\r\n\r\n", ("", "")),
        (b"Content-Type: text/html\r\n\r\n<p>b</p>\r\n", ("", "<p>b</p>")),
        (b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n", ("", "\0\0\0")),
    ],
)
async def test_a_mail_that_is_badly_made_is_kept_all_the_same(raw: bytes, expected: tuple[str, str]) -> None:
    async with bench({}, smtp=0) as desk:
        await send(desk, raw)
        assert await arrived(desk) == [expected]


@pytest.mark.parametrize(
    ("stage", "error"), [("recipient", smtplib.SMTPRecipientsRefused), ("message", smtplib.SMTPDataError)]
)
@pytest.mark.parametrize("code", [421, 451, 550])
async def test_mails_are_refused_on_request(stage: str, error: type[smtplib.SMTPException], code: int) -> None:
    async with bench({}, smtp=0) as desk:
        await desk.post("/mails/failures", {"code": code, "message": "not today", "at": stage, "count": 2})
        for _ in range(2):
            with pytest.raises(error, match="not today"):
                await send(desk, mail())
        assert await arrived(desk) == []
        await send(desk, mail())
        assert len(await arrived(desk)) == 1


async def test_one_address_may_be_refused_for_ever_and_the_others_not() -> None:
    async with bench({}, smtp=0) as desk:
        await desk.post("/mails/failures", {"code": 550, "to": OTHER, "for_ever": True})
        for _ in range(3):
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                await send(desk, mail(OTHER), OTHER)
        await send(desk, mail())
        await desk.ask("DELETE", "/mails/failures")
        await send(desk, mail(OTHER), OTHER)
        assert len(await arrived(desk)) == 2


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"code": 250}, "from 400 to 599"),
        ({"at": "door"}, "recipient, message"),
        ({"message": "a\r\n250 OK"}, "one line of ASCII"),
        ({"count": 1, "for_ever": True}, "exclude each other"),
        ({"colour": 1}, "unknown: colour"),
    ],
)
async def test_failures_that_cannot_be_set_up(body: object, words: str) -> None:
    async with bench({}) as desk:
        answer = await desk.post("/mails/failures", body)
        assert (answer["http"], words in answer["error"]) == (400, True)


async def test_it_ends_with_the_emulator_and_with_connections_open() -> None:
    async with bench({}, smtp=0) as desk:
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.emulator.smtp_port)
        assert (await reader.readline()).startswith(b"220")
        await desk.emulator.stop()
        async with asyncio.timeout(20):
            assert await reader.read() == b""
        writer.close()
        assert desk.emulator.smtp_port is None


def settings(smtp: int | None) -> EmulatorSettings:
    return EmulatorSettings(ACCOUNT, "token", NumberSettings("http://127.0.0.1:9/voice"), port=0, smtp_port=smtp)


async def test_a_port_that_is_taken_is_named() -> None:
    first = Emulator(settings(0))
    await first.start()
    with pytest.raises(EmulatorError, match=f"127.0.0.1:{first.smtp_port}"):
        await Emulator(settings(first.smtp_port)).start()
    await first.stop()


async def test_without_the_library_only_a_mailbox_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiosmtpd", None)
    with pytest.raises(EmulatorError, match=r"callcenter\[demo\]"):
        await Emulator(settings(0)).start()
    emulator = Emulator(settings(None))
    await emulator.start()
    assert emulator.smtp_port is None
    await emulator.stop()


SCRIPT = f"""\
title: un courriel
call: {{from: "{CALLER}", to: "{PRACTICE}"}}
steps:
  - hears: "tapez"
  - presses: "1"
  - mails: {{to: "{DESK}", match: "demande .* n° (\\\\d+)", as: reference}}
  - no_mails: {{to: "{OTHER}"}}
  - presses: "{{reference}}#"
  - hears: "merci"
"""


async def test_a_transcript_expects_mails_and_types_what_they_bring(tmp_path: Path) -> None:
    file = tmp_path / "appel.yaml"
    file.write_text(SCRIPT, encoding="utf-8")
    gather = '<Gather action="/{}" numDigits="{}"><Say>tapez</Say></Gather>'
    async with bench({"/voice": twiml(gather.format("mailed", 1))}, smtp=0) as desk:

        async def mailed(form: object) -> str:
            await send(desk, mail())
            return twiml(gather.format("typed", 9))

        pages = desk.application.pages
        pages["/mailed"] = mailed
        pages["/typed"] = lambda form: twiml(f"<Say>{'merci' if form['Digits'] == '4711' else 'non'}</Say>")
        await send(desk, mail(OTHER, "une demande du passé : n° 1"), [DESK, OTHER])  # before the call: not expected
        outcome = await run(load_transcript(file), base_url=desk.emulator.base_url)
        assert isinstance(outcome, Passed), str(outcome)
        for changed, step in (
            (SCRIPT.replace(f'mails: {{to: "{DESK}"', f'mails: {{to: "{OTHER}"', 1), 3),
            (SCRIPT.replace("demande", "ordonnance"), 3),
            (SCRIPT.replace(f'no_mails: {{to: "{OTHER}"', f'no_mails: {{to: "{DESK}"'), 4),
        ):
            file.write_text(changed, encoding="utf-8")
            outcome = await run(
                load_transcript(file), base_url=desk.emulator.base_url, patience=Patience(text=0.3, no_text=0.02)
            )
            assert isinstance(outcome, Differed), changed
            assert outcome.step == step
