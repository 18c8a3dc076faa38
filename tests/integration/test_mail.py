"""Mails leave by SMTP, or it is known that they have not."""

from __future__ import annotations

import socket
from uuid import UUID

import aiohttp
import pytest

from callcenter.calls.delivery import MessageNotTaken, Undeliverable
from callcenter.kernel.clock import DrivenClock
from callcenter.notices.mail import Mailer, MailServer, MailServerDown
from tests.conftest import TODAY
from tests.unit.emulator.bench import bench

REFERENCE = UUID(int=7)
SENDER, DESK = "telephone@callcenter.example", "accueil@tilleuls.example"


def mailer(port: int, security: str = "none") -> Mailer:
    server = MailServer("127.0.0.1", port, security, SENDER, seconds=5)  # type: ignore[arg-type]
    return Mailer(server, DrivenClock(TODAY))


async def test_a_mail_arrives_and_says_that_a_machine_wrote_it() -> None:
    async with bench({}, smtp=0) as desk:
        sender = mailer(desk.emulator.smtp_port or 0)
        assert (
            await sender.send_mail(DESK, "1 message à lire", "Cabinet : 1 message à lire", reference=REFERENCE) is None
        )
        (mail,) = (await desk.get("/mails"))["mails"]
        assert (mail["from"], mail["to"], mail["subject"]) == (SENDER, [DESK], "1 message à lire")
        assert mail["text"].strip() == "Cabinet : 1 message à lire"
        assert "takes mails" in await sender.check()


async def test_where_nobody_listens_the_mail_has_not_left() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        sender = mailer(taken.getsockname()[1])
        with pytest.raises(MessageNotTaken):
            await sender.send_mail(DESK, "x", "y", reference=REFERENCE)
        with pytest.raises(MailServerDown, match=r"correct mail\.host, mail\.port, mail\.security"):
            await sender.check()


async def test_nothing_leaves_unencrypted_where_encryption_was_asked_for() -> None:
    async with bench({}, smtp=0) as desk:
        sender = mailer(desk.emulator.smtp_port or 0, "starttls")
        with pytest.raises(MessageNotTaken):
            await sender.send_mail(DESK, "x", "y", reference=REFERENCE)
        assert (await desk.get("/mails"))["mails"] == []


async def test_a_name_with_a_line_break_makes_no_header() -> None:
    async with bench({}, smtp=0) as desk:
        sender = mailer(desk.emulator.smtp_port or 0)
        with pytest.raises(ValueError, match=r"linefeed|carriage return"):
            await sender.send_mail(DESK, "x\nBcc: autre@tilleuls.example", "y", reference=REFERENCE)
        assert (await desk.get("/mails"))["mails"] == []


@pytest.mark.parametrize("stage", ["recipient", "message"])
async def test_a_mail_refused_for_good_is_told_from_one_refused_for_now(stage: str) -> None:
    async with bench({}, smtp=0) as desk:
        sender, url = mailer(desk.emulator.smtp_port or 0), f"{desk.emulator.base_url}/emulator/mails/failures"
        async with aiohttp.ClientSession() as session:
            for code in (550, 451):
                async with session.post(url, json={"code": code, "at": stage}) as answer:
                    assert answer.status == 200
                if code == 550:
                    refused = await sender.send_mail(DESK, "x", "y", reference=REFERENCE)
                    assert refused == Undeliverable(550)
                else:
                    with pytest.raises(MessageNotTaken):
                        await sender.send_mail(DESK, "x", "y", reference=REFERENCE)
        assert await sender.send_mail(DESK, "x", "y", reference=REFERENCE) is None
        assert len((await desk.get("/mails"))["mails"]) == 1
