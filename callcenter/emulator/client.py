"""Using a running emulator's control interface, for telephones and transcripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import aiohttp

from callcenter.emulator.errors import Refusal, Unreachable
from callcenter.emulator.lines import Forwarding, Unreached
from callcenter.emulator.timeline import Pace

PATIENCE = 30.0  # real seconds for a call to settle or close


@dataclass(frozen=True, slots=True)
class Spoken:
    """One thing that was heard: what kind, and its words."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class CallState:
    """A call as the control interface describes it.

    Arguments:
        activity: ``busy``, ``waiting`` or ``ended``.
        verb: the verb that it is in, if any.
        listens: whether keys would be taken.
        revision: grows with every change.
        hung_up_by: ``telephone`` or ``carrier`` once ended.
        pace: ``live`` or ``scripted``.
        hears: the legs that are heard on it now.
        held: whether it is on hold in a conference.
    """

    sid: str
    status: str
    activity: str
    verb: str | None
    listens: bool
    revision: int
    hung_up_by: str | None
    callbacks_pending: int
    heard: tuple[Spoken, ...] = ()
    pace: Pace = "scripted"
    hears: frozenset[str] = frozenset()
    held: bool = False

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> CallState:
        """From JSON."""
        return cls(
            body["sid"],
            body["status"],
            body["activity"],
            body["verb"],
            body["listens"],
            body["revision"],
            body["hung_up_by"],
            body["callbacks_pending"],
            tuple(Spoken(heard["kind"], heard["text"]) for heard in body.get("heard", ())),
            "live" if body["pace"] == "live" else "scripted",
            frozenset(body["hears"]),
            body["held"],
        )


@dataclass(frozen=True, slots=True)
class ArrivedMessage:
    """A text message in an inbox; ``number`` counts all of them."""

    number: int
    to: str
    sender: str
    body: str


@dataclass(frozen=True, slots=True)
class ArrivedMail:
    """A mail in a mailbox; ``number`` counts all of them."""

    number: int
    sender: str
    subject: str
    text: str

    @property
    def words(self) -> str:
        """Its subject and its text."""
        return f"{self.subject}\n{self.text}"


@dataclass(frozen=True, slots=True)
class Ringing:
    """A leg that rings at a telephone, and the call that dialled it, if a call did."""

    sid: str
    parent: str | None


class ControlClient:
    """A session with an emulator; use it with ``async with``.

    Arguments:
        base_url: the emulator's address.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/") + "/emulator"
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def start(self, caller: str, called: str, pace: Pace, forwarded_from: str | None = None) -> str:
        """Call a number, perhaps over a line that is forwarded to it; the call's sid."""
        via = {} if forwarded_from is None else {"forwarded_from": forwarded_from}
        body = await self._post("/calls", {"from": caller, "to": called, "pace": pace, **via})
        return str(body["sid"])

    async def state(self, sid: str, *, after: int | None = None, wait: float = 0.0) -> CallState:
        """A call now, or when it has changed beyond a revision."""
        query = {"wait": f"{wait:g}"} | ({} if after is None else {"after": str(after)})
        return CallState.read(await self._get(f"/calls/{sid}", query))

    async def settled(self, sid: str) -> CallState:
        """A call when it waits or has ended, or as it is when that takes too long."""
        return CallState.read(await self._get(f"/calls/{sid}", {"until": "settled", "wait": f"{PATIENCE:g}"}))

    async def closed(self, sid: str) -> CallState:
        """A call when it has ended and its status callbacks were delivered, or as it is when that takes too long."""
        return CallState.read(await self._get(f"/calls/{sid}", {"until": "closed", "wait": f"{PATIENCE:g}"}))

    async def press(self, sid: str, digits: str) -> str:
        """Press keys; those that were taken."""
        return str((await self._post(f"/calls/{sid}/keys", {"digits": digits}))["taken"])

    async def speak(self, sid: str, text: str) -> None:
        """Say something.

        Raises:
            Refusal: nothing listens to speech.
        """
        await self._post(f"/calls/{sid}/speech", {"text": text})

    async def advance(self, sid: str, seconds: float) -> None:
        """Let time pass on a scripted call."""
        await self._post(f"/calls/{sid}/advance", {"seconds": seconds})

    async def pass_time(self, seconds: float) -> bool:
        """Let time pass between calls; False where nothing but time itself can."""
        return bool((await self._post("/clock", {"seconds": seconds}))["moved"])

    async def hang_up(self, sid: str) -> None:
        """Hang up; harmless when the call is over."""
        await self._post(f"/calls/{sid}/hangup", {})

    async def ringing(self, number: str | None, wait: float) -> tuple[Ringing, ...]:
        """The legs that ring at a number, or anywhere for None, after waiting for one."""
        where = {} if number is None else {"number": number}
        body = await self._get("/telephones", {"wait": f"{wait:g}", **where})
        return tuple(Ringing(telephone["sid"], telephone["parent"]) for telephone in body["telephones"])

    async def answer(self, sid: str) -> None:
        """Pick up a ringing telephone."""
        await self._post(f"/telephones/{sid}/answer", {})

    async def reject(self, sid: str, reason: Unreached) -> None:
        """Do not pick up a ringing telephone."""
        await self._post(f"/telephones/{sid}/reject", {"reason": reason})

    async def meet(self, sid: str, other: str) -> None:
        """Let time pass together on two calls from now on."""
        await self._post(f"/calls/{sid}/meet", {"with": other})

    async def register(self, identity: str) -> None:
        """Let a client wait for calls; it is rung as ``client:`` and its identity."""
        await self._post("/clients", {"identity": identity})

    async def clients(self) -> tuple[str, ...]:
        """The identities of the clients that wait for calls."""
        return tuple(str(one["identity"]) for one in (await self._get("/clients", {}))["clients"])

    async def unregister(self, identity: str) -> None:
        """Let a client wait for calls no more."""
        await self._ask("DELETE", "/clients", params={"identity": identity})

    async def dial_application(
        self, identity: str, application: str, parameters: Mapping[str, str] | None = None, pace: Pace = "live"
    ) -> str:
        """Call a TwiML application with a client, registered or not; the call's sid.

        Arguments:
            identity: the client's.
            application: ``AP…``.
            parameters: what the application is told besides.
            pace: of the conversation.
        """
        order = {"application": application, "parameters": dict(parameters or {}), "pace": pace}
        return str((await self._post(f"/clients/{quote(identity, safe='')}/calls", order))["sid"])

    async def forward(self, forwarding: Forwarding) -> None:
        """Let a line forward."""
        await self._post("/forwardings", asdict(forwarding))

    async def forwardings(self) -> tuple[Forwarding, ...]:
        """Every forwarding that is set up."""
        return tuple(Forwarding(**one) for one in (await self._get("/forwardings", {}))["forwardings"])

    async def unforward(self, forwarding: Forwarding) -> None:
        """Let a line forward such calls no more."""
        await self._ask("DELETE", "/forwardings", params={"line": forwarding.line, "when": forwarding.when})

    async def send_text(self, sender: str, to: str, body: str) -> int | None:
        """Send a text message to the account; what the application answered, None if nothing did."""
        answer = await self._post("/messages", {"from": sender, "to": to, "body": body})
        return None if answer["application"] is None else int(answer["application"])

    async def inbox(self, number: str, after: int, wait: float = 0.0) -> tuple[ArrivedMessage, ...]:
        """Messages that arrived at a number, after waiting for one."""
        body = await self._get("/messages", {"to": number, "after": str(after), "wait": f"{wait:g}"})
        return tuple(ArrivedMessage(one["number"], one["to"], one["from"], one["body"]) for one in body["messages"])

    async def mails(self, address: str, after: int, wait: float = 0.0) -> tuple[ArrivedMail, ...]:
        """Mails that arrived at an address, after waiting for one."""
        body = await self._get("/mails", {"to": address, "after": str(after), "wait": f"{wait:g}"})
        return tuple(ArrivedMail(one["number"], one["from"], one["subject"], one["text"]) for one in body["mails"])

    async def last_mail(self) -> int:
        """How many mails ever arrived, whoever they are for."""
        return int((await self._get("/mails", {}))["last"])

    async def last_message(self) -> int:
        """How many messages were ever accepted, whoever they are for."""
        return int((await self._get("/messages", {}))["last"])

    async def _get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        return await self._ask("GET", path, params=dict(query))

    async def _post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        return await self._ask("POST", path, json=dict(body))

    async def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        if self._session is None:
            raise RuntimeError("use the client with `async with`")
        try:
            async with self._session.request(method, self._base_url + path, **options) as response:
                body = await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unreachable(f"No emulator answers at {self._base_url}: {type(error).__name__}") from error
        if response.status >= 400:
            raise Refusal(str(body.get("error", body)), response.status)
        return dict(body)
