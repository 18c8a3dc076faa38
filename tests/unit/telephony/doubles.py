"""What stands behind the edge in its tests, the edge on a real socket, and a carrier's signature made by hand."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID
from xml.etree import ElementTree

from aiohttp import web
from prometheus_client import CollectorRegistry

from callcenter.calls.operators import NotReached, PutThrough, Taken
from callcenter.calls.own_legs import InRoom
from callcenter.calls.values import (
    Answer,
    AtAWait,
    AudioGone,
    AudioText,
    Document,
    End,
    Incoming,
    Meeting,
    NotDelivered,
    Render,
    RingsLine,
    SayText,
    StatusChanged,
    StepAnswered,
    WaitOver,
    Waits,
    committed,
)
from callcenter.speech.voices import VoiceUnavailable
from callcenter.telephony.alerts import Alerts
from callcenter.telephony.application import EdgeDependencies, webhook_application
from callcenter.telephony.fallback import RescueEntry, StaticAnswers
from callcenter.telephony.listener import EdgeRunner
from callcenter.telephony.metrics import Metrics
from callcenter.telephony.ports import MessageStatus
from callcenter.telephony.signature import SignatureCheck
from callcenter.telephony.switch import RescueSwitch
from callcenter.telephony.twiml import CarrierVoices
from callcenter.telephony.urls import Urls

TOKEN = "the-auth-token-of-tests"
OLD_TOKEN = "the-auth-token-before"
CALL_SID = "CA" + "0123456789abcdef" * 2
CALL = UUID("11111111-2222-4333-8444-555555555555")
CALLED, CALLER, RESCUE = "+33465710001", "+33639980001", "+33472000000"
SECRET = "ab" * 32
INCOMING = {"CallSid": CALL_SID, "From": CALLER, "To": CALLED, "CallStatus": "ringing", "FromCity": ""}


class CallsDouble:
    """The calls' service in memory: answers a document that says what it was asked, once per event."""

    def __init__(self) -> None:
        self.steps: list[Incoming | StepAnswered] = []
        self.statuses: list[StatusChanged] = []
        self.audios: list[tuple[UUID, str]] = []
        self.complete: list[tuple[UUID, UUID]] = []
        self.given_back: list[tuple[UUID, UUID, NotDelivered]] = []
        self.words: dict[str, AudioText] = {}
        self.fails: Exception | None = None
        self.hangs = False

    async def _reach(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails is not None:
            raise self.fails

    async def step(self, event: Incoming | StepAnswered, render: Render) -> Answer:
        await self._reach()
        replayed = event in self.steps
        self.steps.append(event)
        return committed(render(Document(CALL, 1, (SayText("Bonjour de l'étape"),), End())), replayed=replayed)

    async def status(self, event: StatusChanged) -> None:
        await self._reach()
        self.statuses.append(event)

    async def audio(self, call: UUID, token: str) -> AudioText | AudioGone:
        await self._reach()
        self.audios.append((call, token))
        return self.words.get(token, AudioGone())

    async def audio_complete(self, call: UUID, fetch: UUID) -> None:
        await self._reach()
        self.complete.append((call, fetch))

    async def audio_given_back(self, call: UUID, fetch: UUID, why: NotDelivered) -> None:
        await self._reach()
        self.given_back.append((call, fetch, why))


class LobbyDouble:
    """Lets whoever asks wait, and keeps what they typed; 2 lets them out."""

    def __init__(self) -> None:
        self.asked: list[AtAWait] = []
        self.typed: list[str] = []
        self.taken: str | None = None
        self.rings: RingsLine | None = None
        self.silent: tuple[SayText, ...] = ()
        self.fails: Exception | None = None

    async def heard(self, at: AtAWait) -> Waits | WaitOver:
        self.asked.append(at)
        if self.fails is not None:
            raise self.fails
        return WaitOver() if "2" in self.typed else Waits((SayText("Vous attendez."),), (SayText("Tapez 2."),))

    async def let_out(self, at: AtAWait) -> Waits | WaitOver:
        heard = await self.heard(at)
        return heard if self.taken else WaitOver()

    async def keyed(self, at: AtAWait, keys: str) -> Waits | WaitOver:
        self.typed.append(keys)
        return await self.heard(at)

    async def meeting(self, at: AtAWait) -> Meeting | WaitOver:
        await self.heard(at)
        return WaitOver() if self.taken is None else Meeting(self.taken, (SayText("Vous êtes en relation."),))

    async def at_line(self, at: AtAWait) -> RingsLine | WaitOver:
        await self.heard(at)
        return WaitOver() if self.rings is None else self.rings

    async def line_over(self, at: AtAWait) -> WaitOver:
        await self.heard(at)
        return WaitOver(self.silent)


class OperatorsDouble:
    """One offer, which may be taken."""

    def __init__(self) -> None:
        self.practice: str | None = "Un appel pour le cabinet."
        self.taken: Taken | NotReached | PutThrough | None = Taken("r-1")
        self.asked: list[tuple[str, UUID]] = []
        self.fails: Exception | None = None

    async def _reach(self, what: str, offer: UUID) -> None:
        self.asked.append((what, offer))
        if self.fails is not None:
            raise self.fails

    async def offer(self, offer: UUID) -> str | None:
        await self._reach("offer", offer)
        return self.practice

    async def take(self, offer: UUID, operator_leg: str) -> Taken | NotReached | PutThrough | None:
        await self._reach("take", offer)
        self.leg = operator_leg
        return self.taken

    async def over(self, offer: UUID) -> None:
        await self._reach("over", offer)

    async def left(self, offer: UUID) -> None:
        await self._reach("left", offer)


class OwnLegsDouble:
    """One call, of whoever asks for it."""

    def __init__(self) -> None:
        self.room: InRoom | None = InRoom("r-1", "operator", ends_all=True)
        self.asked: list[tuple[object, ...]] = []
        self.fails: Exception | None = None

    async def joins(self, staff: UUID, offer: UUID, leg: str) -> InRoom | None:
        self.asked.append((staff, offer, leg))
        if self.fails is not None:
            raise self.fails
        return self.room

    async def ended(self, leg: str) -> None:
        self.asked.append((leg,))
        if self.fails is not None:
            raise self.fails


class MessagesDouble:
    """Keeps what became of messages."""

    def __init__(self) -> None:
        self.statuses: list[tuple[str, MessageStatus, int | None]] = []
        self.fails: Exception | None = None

    async def message_status(self, sid: str, status: MessageStatus, error_code: int | None) -> None:
        if self.fails is not None:
            raise self.fails
        self.statuses.append((sid, status, error_code))


class TextsDouble:
    """Keeps who has sent STOP and START, and what was confirmed."""

    def __init__(self) -> None:
        self.stopped: list[str] = []
        self.started: list[str] = []
        self.confirmed: list[tuple[UUID, UUID]] = []
        self.fails: Exception | None = None

    async def _reach(self) -> None:
        if self.fails is not None:
            raise self.fails

    async def stop(self, number: str, message: UUID) -> None:
        await self._reach()
        self.stopped.append(number)

    async def start(self, number: str, message: UUID) -> None:
        await self._reach()
        self.started.append(number)

    async def acknowledge(self, practice: UUID, notice: UUID) -> bool:
        await self._reach()
        self.confirmed.append((practice, notice))
        return True


class VoiceDouble:
    """Says words as their own bytes, repeated, so that a test can recognise them."""

    def __init__(self) -> None:
        self.times = 1
        self.down = False

    async def synthesise(self, text: str, language: str = "fr", speed: float = 1.0) -> bytes:
        if self.down:
            raise VoiceUnavailable
        return f"{language}:{text};".encode() * self.times


def signed(url: str, fields: Sequence[tuple[str, str]], token: str = TOKEN) -> str:
    """The carrier's signature, made from its description and not by its library (Twilio, "Webhooks security")."""
    message = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(token.encode(), message.encode(), hashlib.sha1).digest()).decode()


def document(body: bytes) -> ElementTree.Element:
    """A document as a carrier reads it."""
    return ElementTree.fromstring(body)  # noqa: S314 - these bytes are our own


@dataclass(frozen=True, slots=True)
class Received:
    """A response as it came over the socket."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Edge:
    """The edge, listening, and what stands behind it."""

    port: int
    calls: CallsDouble
    lobby: LobbyDouble
    operators: OperatorsDouble
    own_legs: OwnLegsDouble
    messages: MessagesDouble
    texts: TextsDouble
    voice: VoiceDouble
    registry: CollectorRegistry
    static: StaticAnswers
    runner: web.AppRunner | None = None
    base: str = field(init=False)

    def __post_init__(self) -> None:
        self.base = f"http://127.0.0.1:{self.port}"

    def transports(self) -> list[asyncio.Transport]:
        """The edge's own ends of the connections that are open."""
        assert self.runner is not None
        assert self.runner.server is not None
        return [connection.transport for connection in self.runner.server.connections if connection.transport]

    def count(self, name: str, **labels: str) -> float:
        """The value of a counter."""
        return self.registry.get_sample_value(name, labels) or 0.0

    async def raw(self, request: bytes) -> Received:
        """Send these bytes and read what comes back until the end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            await writer.drain()
            answer = await asyncio.wait_for(reader.read(), 20)
        finally:
            writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return Received(int(first.split()[1]), headers, body)

    async def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Sequence[tuple[str, str]] = (),
        host: str | None = None,
    ) -> Received:
        """One request, its Host right unless ``host`` says otherwise."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host or f'127.0.0.1:{self.port}'}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return await self.raw("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    async def post(
        self,
        target: str,
        fields: Mapping[str, str] | Sequence[tuple[str, str]],
        *,
        token: str = TOKEN,
        signature: str | None = None,
        content_type: str = "application/x-www-form-urlencoded; charset=utf-8",
    ) -> Received:
        """A webhook as the carrier sends it, signed unless another signature is given."""
        pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
        proof = signed(self.base + target, pairs, token) if signature is None else signature
        headers = [("Content-Type", content_type), ("X-Twilio-Signature", proof)]
        return await self.ask("POST", target, urlencode(pairs).encode(), headers)

    async def step(self, fields: Mapping[str, str], document: str = "1", slot: str = "next") -> Received:
        """A continuation of our call."""
        return await self.post(f"/voice/calls/{CALL}/{document}/{slot}", {"CallSid": CALL_SID, "To": CALLED, **fields})


def alerts_and_metrics() -> tuple[Alerts, Metrics]:
    """Both, on a registry of their own."""
    metrics = Metrics(CollectorRegistry())
    return Alerts(metrics), metrics


@asynccontextmanager
async def running_edge(*, step_seconds: float = 10.0, **changes: object) -> AsyncIterator[Edge]:
    """The edge on a free port of 127.0.0.1; ``changes`` replace single dependencies."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        alerts, metrics = alerts_and_metrics()
        voices = CarrierVoices()
        static = StaticAnswers(voices, alerts)
        static.refresh([RescueEntry(CALLED, RESCUE)])
        edge = Edge(
            port,
            CallsDouble(),
            LobbyDouble(),
            OperatorsDouble(),
            OwnLegsDouble(),
            MessagesDouble(),
            TextsDouble(),
            VoiceDouble(),
            metrics.registry,
            static,
        )
        deps = EdgeDependencies(
            calls=edge.calls,
            lobby=edge.lobby,
            operators=edge.operators,
            own_legs=edge.own_legs,
            thirds=edge.operators,
            messages=edge.messages,
            texts=edge.texts,
            confirmations=edge.texts,
            voice=edge.voice,
            signature=SignatureCheck(edge.base, [TOKEN, OLD_TOKEN]),
            urls=Urls.below(edge.base),
            static=static,
            switch=RescueSwitch(Path("/nonexistent/rescue-switch.json")),
            metrics=metrics,
            alerts=alerts,
            voices=voices,
            step_seconds=step_seconds,
        )
        running = EdgeRunner(webhook_application(replace(deps, **changes)), shutdown_timeout=1.0)
        edge.runner = running
        await running.setup()
        try:
            await web.SockSite(running, listening).start()
            yield edge
        finally:
            await running.cleanup()
