"""The emulator put together: its clock, its tape, its three interfaces and its server."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

import aiohttp
from aiohttp import web

from callcenter.emulator.access_tokens import AccessTokens
from callcenter.emulator.audio import Sounds
from callcenter.emulator.browser import Microphones, PhonePage
from callcenter.emulator.control import Control, refusals
from callcenter.emulator.control_clients import ClientsControl
from callcenter.emulator.control_lines import LinesControl
from callcenter.emulator.control_mailbox import MailboxControl
from callcenter.emulator.control_recordings import RecordingsControl
from callcenter.emulator.control_texting import TextingControl
from callcenter.emulator.errors import EmulatorError
from callcenter.emulator.mailbox import Mailbox
from callcenter.emulator.messages import Messages
from callcenter.emulator.patchboard import Patchboard
from callcenter.emulator.recordings import Recordings
from callcenter.emulator.reports import Reports
from callcenter.emulator.rest import Gate
from callcenter.emulator.rest_calls import CallsResource
from callcenter.emulator.rest_conferences import ConferencesResource
from callcenter.emulator.rest_messages import MessagesResource
from callcenter.emulator.rest_queues import QueuesResource
from callcenter.emulator.rest_recordings import RecordingsResource
from callcenter.emulator.settings import CallClock, EmulatorSettings
from callcenter.emulator.smtp import MailServer
from callcenter.emulator.sockets import Sockets, follow
from callcenter.emulator.softphones import Softphones
from callcenter.emulator.switchboard import Switchboard
from callcenter.emulator.tape import Exchange, Tape
from callcenter.emulator.texting import Texting
from callcenter.emulator.webhooks import Webhooks

ACCOUNT = re.compile(r"AC[0-9a-f]{32}")


class Emulator:
    """A carrier in a box, over HTTP.

    Arguments:
        settings: account, numbers and address.
        clock: shared with the application under test: scripted calls move it, and it dates everything.

    Raises:
        EmulatorError: an account that no carrier would have.
    """

    def __init__(self, settings: EmulatorSettings, clock: CallClock | None = None) -> None:
        if not ACCOUNT.fullmatch(settings.account_sid) or not settings.auth_token:
            raise EmulatorError("account_sid is AC and 32 hexadecimal digits, auth_token is not empty")
        self._settings = settings
        self._clock = clock
        self._tape = Tape()
        self._base_url: str | None = None
        self._running: _Running | None = None

    @property
    def tape(self) -> list[Exchange]:
        """Every HTTP exchange with the application, oldest first, the last 20,000."""
        return self._tape.exchanges

    @property
    def base_url(self) -> str:
        """Where REST and control interface are.

        Raises:
            EmulatorError: it has not been started.
        """
        if self._base_url is None:
            raise EmulatorError("start() the emulator before asking where it listens")
        return self._base_url

    @property
    def smtp_port(self) -> int | None:
        """Where mails are taken, None where there is no mailbox or it has not been started."""
        return self._running.smtp_port if self._running is not None else None

    async def start(self) -> None:
        """Listen.

        Raises:
            EmulatorError: started already, or the address is taken.
        """
        if self._running is not None:
            raise EmulatorError("the emulator has been started already")
        running = _Running(self._settings, self._clock, self._tape)
        try:
            port = await running.listen()
        except OSError as error:
            await running.close()
            ports = [str(port) for port in (self._settings.port, self._settings.smtp_port) if port]
            where = f"{self._settings.host}:{' or '.join(ports) or 'any port'}"
            raise EmulatorError(f"cannot listen on {where}: {error.strerror}; choose another port") from error
        except EmulatorError:
            await running.close()
            raise
        self._running = running
        self._base_url = f"http://{self._settings.host}:{port}"

    async def stop(self) -> None:
        """End all calls at once and stop listening; harmless when not started."""
        running, self._running = self._running, None
        if running is not None:
            await running.close()


class _Running:
    """What exists only while the emulator runs."""

    def __init__(self, settings: EmulatorSettings, clock: CallClock | None, tape: Tape) -> None:
        def now() -> datetime:
            return clock.now() if clock is not None else datetime.now(UTC)

        self._settings = settings
        # One connection a request: a carrier's requests come from many machines, and none is sent into a closing one.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True, limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )
        self._webhooks = Webhooks(settings.auth_token, self._session, tape, now)
        self._reports = Reports(self._webhooks, now)
        sounds = Sounds(self._webhooks, self._session, settings.captions_url)
        self._recordings = Recordings(settings.account_sid, self._reports, now)
        self._switchboard = Switchboard(settings, self._webhooks, sounds, self._reports, self._recordings, clock, now)
        senders = settings.senders | settings.numbers.keys()
        messages = Messages(settings.account_sid, self._reports, now, senders, minds_stop=settings.minds_stop)
        texting = Texting(settings, messages, self._webhooks)
        gate = Gate(settings.account_sid, settings.auth_token, tape, now)
        application = web.Application(middlewares=[gate.middleware, refusals])
        application.add_routes(CallsResource(self._switchboard).routes())
        application.add_routes(QueuesResource(self._switchboard.queues, now).routes())
        application.add_routes(ConferencesResource(self._switchboard).routes())
        application.add_routes(MessagesResource(messages).routes())
        application.add_routes(RecordingsResource(self._recordings).routes())
        application.add_routes(Control(self._switchboard, messages).routes())
        application.add_routes(LinesControl(self._switchboard.lines, self._switchboard.serves).routes())
        application.add_routes(ClientsControl(self._switchboard).routes())
        application.add_routes(RecordingsControl(self._recordings).routes())
        application.add_routes(TextingControl(texting, messages).routes())
        mailbox = Mailbox(now)
        self._mailbox_control = MailboxControl(mailbox)
        self._mail = MailServer(mailbox, settings.host, settings.smtp_port) if settings.smtp_port is not None else None
        application.add_routes(self._mailbox_control.routes())
        self._patchboard, sockets = Patchboard(), Sockets()
        tokens = AccessTokens(settings.account_sid, settings.api_keys, now)
        self._softphones = Softphones(self._switchboard, tokens, self._patchboard, sockets, now)
        application.add_routes(self._softphones.routes())
        application.add_routes(Microphones(self._switchboard, self._patchboard, sockets).routes())
        application.on_shutdown.append(sockets.end)
        self._watch: asyncio.Task[None] | None = None
        PhonePage(settings, self._switchboard, messages, mailbox, tape).join(application)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)

    @property
    def smtp_port(self) -> int | None:
        """Where mails are taken."""
        return self._mailbox_control.port

    async def listen(self) -> int:
        """Start the servers; the port of the interfaces."""
        if self._mail is not None:
            self._mailbox_control.port = await self._mail.listen()
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.host, self._settings.port)
        await site.start()
        self._watch = asyncio.create_task(follow(self._switchboard.changes, self._look))
        address: tuple[str, int] = self._runner.addresses[0]
        self._recordings.base_url = f"http://{self._settings.host}:{address[1]}"
        return address[1]

    def _look(self) -> None:
        self._patchboard.look()
        self._softphones.look()

    async def close(self) -> None:
        """End calls, deliveries and server, in this order."""
        self._softphones.close()
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await self._switchboard.close()
        await self._reports.close()
        await self._webhooks.close()
        if self._mail is not None:
            await self._mail.close()
        await self._runner.cleanup()
        await self._session.close()
        await asyncio.sleep(0)  # the connector's transports close in the next turn of the loop
