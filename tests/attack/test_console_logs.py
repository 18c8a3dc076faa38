"""What the console tells of itself: to whoever reads its logs, and to whoever is called when it fails."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from callcenter.app.console import _told
from callcenter.console import forms, guard
from callcenter.kernel.errors import Unavailable
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained
from tests.attack.test_logs import logged
from tests.unit.console.doubles import CODE, INVITATION, PASSWORD, RECOVERY, StaffDouble, open_desk
from tests.unit.telephony.doubles import alerts_and_metrics

LOGIN = "une.personne"


def _paths_are_logged(sabotage: Sabotage) -> None:
    sabotage.replace(guard, "_route", lambda request: request.path_qs)


ROUTES = Defence("the log says which page, not its address", "AU-06: an account has one owner", _paths_are_logged)


@attack(stopped_by=ROUTES)
async def test_who_reads_the_logs_opens_an_account() -> Outcome:
    """An invitation is read before it is used; so is what somebody types, rightly or wrongly, and what fails."""
    alerts, _ = alerts_and_metrics()
    with logged() as stream:
        async with open_desk(StaffDouble(), failed=_told(alerts)) as desk:
            guest = desk.guest
            await guest.get(f"/invitation/{INVITATION}?suite=/{RECOVERY}")
            short = await guest.post(f"/invitation/{INVITATION}", new_password="court", again="court")
            assert short.status == 422
            await guest.get("/connexion")
            await guest.post("/connexion", login=LOGIN, password=PASSWORD)
            await guest.ask("POST", "/connexion", PASSWORD.encode(), {"Content-Type": "text/plain"})
            await guest.ask("BREW", f"/{INVITATION}")
            desk.staff.fails = Unavailable("the database does not answer")
            await guest.get(f"/invitation/{INVITATION}")
            desk.staff.fails = None
            await desk.signed_in()
            token, proof = guest.cookies["__Host-callcenter"], (await guest.get("/compte")).proof
            await guest.post("/confirmation/application", code=CODE)
            desk.staff.fails = RuntimeError("nobody expected this")
            assert (await guest.get("/")).status == 500
        told = stream.getvalue()
    assert told.count("console_request") >= 9
    secrets = (LOGIN, PASSWORD, CODE, RECOVERY, INVITATION, token, proof, "127.0.0.1")
    return gained([secret for secret in secrets if secret in told])


# --- alarms


def _every_broken_form_is_a_failure(sabotage: Sabotage) -> None:
    sabotage.replace(forms, "BROKEN", (UnicodeError,))


THEIRS = Defence("a broken form is its sender's failure", "alarms mean something", _every_broken_form_is_a_failure)

_HEAD = "POST /connexion HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nContent-Type: {1}\r\n"


@pytest.mark.parametrize("how", ["goes away", "sends no chunk"])
@attack(stopped_by=THEIRS)
async def test_a_stranger_has_somebody_called_whenever_they_like(how: str) -> Outcome:
    """A form is begun and never ended. Whoever is called often for nothing does not come when it matters."""
    async with open_desk() as desk:
        host, port = desk.guest.origin.partition("//")[2], int(desk.guest.origin.rpartition(":")[2])
        head = _HEAD.format(host, forms.FORM).encode()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        with capture_logs() as told:
            if how == "goes away":
                writer.write(head + b"Content-Length: 300\r\n\r\nlogin=")
            else:
                writer.write(head + b"Transfer-Encoding: chunked\r\n\r\n6\r\nlogin=\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)  # it is being read
            if how != "goes away":
                writer.write(b"no number\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)
            writer.transport.abort()
            async with asyncio.timeout(20):
                while not any(one["event"] == "console_request" for one in told):
                    await asyncio.sleep(0.01)
        return gained(desk.failures)
