"""What is attacked: the whole server on a real socket with the demonstration's people, and somebody who rings it.

Text messages wait in the queue until :meth:`House.deliver` sends them, so that a test says when; time is driven.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

from aiohttp import ClientSession

from callcenter.app import Running, run_server
from callcenter.audit.reading import Record, records_of_call
from callcenter.calls.codes import CodeSender
from callcenter.identity.challenges import code_of
from callcenter.installation import Addresses
from callcenter.kernel.clock import DrivenClock
from callcenter.practice.demo_file import demo_id
from callcenter.settings import Settings, load_settings
from callcenter.store.schema import APP, OWNER
from callcenter.telephony.carrier import CarrierDouble, Delivered
from tests.attack.defence import Sabotage
from tests.attack.ground import Ground
from tests.ports import free_port
from tests.texts import CODE_TEXT
from tests.unit.telephony.doubles import VoiceDouble, document, signed

PROJECT = Path(__file__).resolve().parents[2]
CONFIG = PROJECT / "config" / "demo.yaml"
#: Thursday 26 November 2026, 10:00 in Paris.
START = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
TOKEN = "the-token-of-the-attacked"

TILLEULS, PORT = demo_id("practice", "cabinet-des-tilleuls"), demo_id("practice", "maison-de-sante-du-port")
JEANNE, KARIM = demo_id("patient", "jeanne-martin-duval"), demo_id("patient", "karim-haddad")
#: Jeanne's next appointment, Tuesday 1 December at 14:30.
FIRST_VISIT = demo_id("appointment", "jeanne-martin-duval/1")
#: The reference on the card that the practice has printed for it, where a test has it print one.
CARD = "48271936"
TILLEULS_LINE, PORT_LINE = "+33465710001", "+33261910001"
JEANNES_MOBILE, JEANNES_BIRTHDAY = "+33639980001", "14031962"
A_STRANGER = "+33639980042"
#: What only Jeanne may hear.
HER_WORDS = "14 heures 30"
APOLOGY = "notre service rencontre une difficulté technique"
#: The practice in Lyon has set that the carrier's voice speaks, since ever.
SPOKEN_BY_THE_CARRIER = f"""
    WITH change AS (UPDATE practice SET revision = revision + 1 WHERE id = '{TILLEULS}' RETURNING id, revision)
    INSERT INTO setting_version (practice_id, revision, setting, value, effective_from, made_at, made_by)
    SELECT id, revision, 'voice', '"carrier"', 'epoch', now(), 'tests' FROM change
"""


# --- the house: the server on it


def house_settings(keys_file: Path, changes: Mapping[str, Any]) -> Settings:
    """The demo's settings on free ports, with ``changes`` section by section."""
    webhooks, private, console = free_port(), free_port(), free_port()
    values: dict[str, Any] = {
        "environment": "test",
        "public_base_url": f"http://127.0.0.1:{webhooks}",
        "webhooks": {"port": webhooks},
        "private": {"port": private},
        "console": {"port": console, "public_url": f"http://localhost:{console}"},
        "keys_file": keys_file,
        "captions": False,
        "carrier": {"account_sid": "AC" + "0" * 32, "auth_tokens": [TOKEN], "sms_sender": "+33199000001"},
    }
    for name, change in changes.items():
        section = values.get(name)
        values[name] = {**section, **change} if isinstance(section, dict) else change
    return load_settings(CONFIG, values)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


class House:
    """The server under attack, as ``run_server`` puts it together. Its voice says words as their own bytes, to be read.

    Arguments:
        settings: of this server; a restart keeps them.
        login: the server's, at the database.
    """

    def __init__(self, ground: Ground, clock: DrivenClock, settings: Settings, login: str = APP) -> None:
        self.ground = ground
        self._login = login
        self.clock = clock
        self.settings = settings
        self.carrier = CarrierDouble()
        self._stack = AsyncExitStack()
        self._running: Running | None = None
        self._client: ClientSession | None = None

    async def start(self) -> None:
        jobs = self.ground.cluster.server.dsn(user=self._login, database=self.ground.name)
        addresses = Addresses(self.ground.url(self._login), jobs, self.ground.url(OWNER))
        serving = run_server(self.settings, addresses, clock=self.clock, voice=VoiceDouble(), jobs=False)
        self._running = await self._stack.enter_async_context(serving)
        self._client = await self._stack.enter_async_context(ClientSession())

    async def stop(self) -> None:
        await self._stack.aclose()

    async def restart(self) -> None:
        """End the server and start another one on the same database."""
        await self.stop()
        await self.start()

    @property
    def base(self) -> str:
        """As the carrier knows it."""
        return self.settings.public_base_url

    async def ask(self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answered:
        """One request; a URL of ours is asked of the listener, under the name that the carrier knows."""
        assert self._client is not None
        assert self._running is not None
        named = {"Host": urlsplit(url).netloc, **(headers or {})}
        reached = url.replace(self.base, self._running.webhooks, 1)
        async with self._client.request(method, reached, data=body, headers=named, allow_redirects=False) as answer:
            return Answered(answer.status, await answer.read())

    async def post(self, url: str, fields: Mapping[str, str]) -> Answered:
        """A webhook as the carrier signs and sends it."""
        proof = {
            "X-Twilio-Signature": signed(url, list(fields.items()), TOKEN),
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        }
        return await self.ask("POST", url, urlencode(fields).encode(), proof)

    def line(self, caller: str = JEANNES_MOBILE, called: str = TILLEULS_LINE) -> Line:
        """Somebody who is about to ring."""
        return Line(self, caller, called)

    async def alerts(self, kind: str) -> int:
        """How often the house has cried for this reason."""
        assert self._running is not None
        metrics = (await self.ask("GET", f"{self._running.private}/metrics")).text
        found = re.search(rf'^callcenter_alerts_total{{kind="{kind}"}} ([0-9]+)', metrics, re.MULTILINE)
        return int(found[1]) if found else 0

    async def private(self, path: str) -> Answered:
        """What the private port answers."""
        assert self._running is not None
        return await self.ask("GET", self._running.private + path)

    async def deliver(self) -> list[Delivered]:
        """Send the codes that wait in the queue, each once; returns the messages that left."""
        assert self._running is not None
        sender = CodeSender(self.ground.app, self._running.sealer, self.clock, self.carrier, lambda: CODE_TEXT, 10)
        waiting = "DELETE FROM procrastinate_jobs WHERE task_name = 'send_code' RETURNING id, args"
        before = len(self.carrier.messages)
        for job in sorted(await self.ground.rows(waiting)):
            await sender.send(UUID(job.args["practice"]), UUID(job.args["challenge"]))
        return self.carrier.messages[before:]


# --- somebody who rings


@dataclass(frozen=True, slots=True)
class Webhook:
    """A request as the carrier sent it; whoever recorded it can send it again."""

    url: str
    fields: Mapping[str, str]
    answer: Answered


@dataclass(slots=True)
class Line:
    """One call, as the carrier runs it.

    Arguments:
        heard: everything that was said, in order, whoever's voice said it.
        webhooks: everything that the carrier posted.
        audio: addresses that it was told to play.
        question: where the next keys go; ``None`` when nothing is asked.
        recorder: where the next spoken message goes; ``None`` when none is asked for.
    """

    house: House
    caller: str
    called: str
    sid: str = field(default_factory=lambda: f"CA{uuid4().hex}")
    heard: list[str] = field(default_factory=list)
    webhooks: list[Webhook] = field(default_factory=list)
    audio: list[str] = field(default_factory=list)
    question: str | None = None
    fetches: bool = True
    recorder: str | None = None

    async def dial(self) -> Line:
        await self._post(f"{self.house.base}/voice/incoming", {"CallStatus": "ringing"})
        return self

    async def press(self, *keys: str) -> None:
        """Answer one question after the other; nothing but ``#`` is the way to a person."""
        for some in keys:
            assert self.question is not None, f"nothing is asked; heard last: {self.heard[-1:]}"
            await self._post(self.question, {"Digits": some.removesuffix("#"), "FinishedOnKey": some[-1:]})

    async def speak(self) -> str:
        """Leave a message; the carrier's identifier of it."""
        assert self.recorder is not None
        sid = f"RE{uuid4().hex}"
        await self._post(self.recorder, {"RecordingSid": sid, "RecordingDuration": "5", "Digits": "#"})
        return sid

    async def hang_up(self) -> None:
        await self.report("completed")

    async def report(self, status: str, number: int = 0) -> Answered:
        """A status callback."""
        fields = {"CallSid": self.sid, "CallStatus": status, "SequenceNumber": str(number)}
        return await self.house.post(f"{self.house.base}/voice/status", fields)

    async def claim(self, birthday: str = JEANNES_BIRTHDAY) -> None:
        """From the menu to the question for the code."""
        await self.press("1", "1", birthday)

    async def verify(self) -> None:
        """From the menu to the question whether one can listen."""
        await self.claim()
        await self.press(await self.code())

    async def guess_wrong(self, times: int = 1) -> None:
        """Type codes that are not the right one, each another."""
        right = int(await self.code())
        for n in range(1, times + 1):
            await self.press(f"{(right + n) % 1_000_000:06d}")

    async def code(self) -> str:
        """The code of this call's last challenge, decoys' too: what only its owner and its thief know."""
        query = (
            "SELECT h.id, h.practice_id, h.secret FROM challenge h JOIN call c ON c.id = h.call_id "
            "WHERE c.carrier_sid = :sid ORDER BY h.created_at DESC, h.id LIMIT 1"
        )
        (row,) = await self.house.ground.rows(query, sid=self.sid)
        return code_of(self.house.ground.sealer, row.practice_id, row.id, row.secret)

    async def id(self) -> UUID:
        """Our own identifier of the call."""
        (row,) = await self.house.ground.rows("SELECT id FROM call WHERE carrier_sid = :sid", sid=self.sid)
        return UUID(str(row.id))

    async def records(self) -> list[Record]:
        """The ledger of the call."""
        (row,) = await self.house.ground.rows("SELECT id, practice_id FROM call WHERE carrier_sid = :sid", sid=self.sid)
        async with self.house.ground.app.practice(row.practice_id) as tx:
            return await records_of_call(tx, row.id)

    async def events(self) -> list[str]:
        """The kinds of its records, in order."""
        return [record.body["event"] for record in await self.records()]

    @property
    def last(self) -> Webhook:
        return self.webhooks[-1]

    @property
    def all_heard(self) -> str:
        return " ".join(self.heard)

    async def _post(self, url: str, fields: Mapping[str, str]) -> None:
        standard = {"CallSid": self.sid, "From": self.caller, "To": self.called, "CallStatus": "in-progress"}
        sent = {**standard, **fields}
        self.house.clock.advance(1)
        answer = await self.house.post(url, sent)
        self.webhooks.append(Webhook(url, sent, answer))
        self.question = self.recorder = None
        if answer.status == 200:
            await self._follow(answer.body)

    async def _follow(self, body: bytes) -> None:
        for verb in document(body):
            match verb.tag:
                case "Say":
                    self.heard.append(verb.text or "")
                case "Play":
                    await self._play(verb.text or "")
                case "Gather":
                    self.heard += [said.text or "" for said in verb]
                    self.question = verb.get("action")
                case "Record":
                    self.recorder = verb.get("action")
                    return  # what follows is for whoever says nothing
                case "Redirect":
                    await self._post(verb.text or "", {})

    async def _play(self, url: str) -> None:
        self.audio.append(url)
        if self.fetches:
            sound = await self.house.ask("GET", url)
            self.heard.append(sound.text)


@asynccontextmanager
async def served(house: House) -> AsyncIterator[House]:
    """The server, running meanwhile."""
    await house.start()
    try:
        yield house
    finally:
        await house.stop()


def heard_her_words(*lines: Line) -> bool:
    """Whether anybody on these lines was told what only Jeanne may hear."""
    return any(HER_WORDS in line.all_heard for line in lines)


def house_of(ground: Ground, clock: DrivenClock, sabotage: Sabotage, *, login: str = APP, **changes: Any) -> House:
    """A server on ``ground`` with these settings and the sabotage's, not started yet."""
    return House(ground, clock, house_settings(ground.keys_file, {**changes, **sabotage.settings}), login)
