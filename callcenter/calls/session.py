"""What is kept of a call between two webhooks: one sealed value."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from callcenter.audit.ledger import Segment
from callcenter.flow.conversation import HangUp, Line, PutThrough, Question, Queueing, Recording, Then
from callcenter.flow.state import State
from callcenter.identity.challenges import Opened
from callcenter.identity.evidence import CardEvidence, Evidence, Factor
from callcenter.kernel.errors import IntegrityError
from callcenter.practice.facts import Arrival
from callcenter.store.sealed import Place

VERSION = 2


@dataclass(frozen=True, slots=True)
class Playback:
    """Words that were handed to the carrier, and of which it is not yet known whether they were heard.

    Arguments:
        record: the disclosure's record.
        audio: our audio row, or ``None`` when the carrier's voice says it.
    """

    record: UUID
    audio: UUID | None


@dataclass(frozen=True, slots=True)
class Way:
    """Which way a call has come in.

    Arguments:
        called: the number of ours, E.164.
        origins: every number that it is said to come from, as received: caller and forwarding lines.
        sid: the carrier's identifier of the leg.
    """

    called: str
    origins: tuple[str, ...] = field(repr=False)
    sid: str

    def to_json(self) -> list[Any]:
        return [self.called, list(self.origins), self.sid]

    @classmethod
    def from_json(cls, value: list[Any]) -> Way:
        called, origins, sid = value
        return cls(called, tuple(origins), sid)


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a call began; it keeps to that whatever its practice changes meanwhile.

    Arguments:
        at: when, aware.
        revision: of the practice's settings.
        arrival: how it is received.
        practitioner: whose number was called, or ``None`` for the practice's.
        way: which way it came; ``None`` for a call that we have placed.
    """

    at: datetime
    revision: int
    arrival: Arrival
    practitioner: str | None
    way: Way | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat(),
            "revision": self.revision,
            "arrival": self.arrival.value,
            "practitioner": self.practitioner,
            "way": None if self.way is None else self.way.to_json(),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Beginning:
        at = datetime.fromisoformat(value["at"])
        way = None if value.get("way") is None else Way.from_json(value["way"])
        return cls(at, value["revision"], Arrival(value["arrival"]), value["practitioner"], way)


@dataclass(frozen=True, slots=True)
class Session:
    """Where a call stands.

    Arguments:
        beginning: how the call began.
        caller: E.164, or ``None``.
        flow: digest of the flow that the call is in; it keeps it until its end.
        state: where it stands in the flow.
        segment: how far its ledger stream has come.
        challenge: the open challenge.
        challenges_used: challenges opened in this call, real and decoy.
        evidence: of a verification, or ``None``.
        playbacks: of the current document.
        pending: what follows once they have been heard, or ``None``.
        card: the appointment card that was shown, or ``None``: it opens its own slot, and is no verification.
    """

    beginning: Beginning
    caller: str | None
    flow: str
    state: State
    segment: Segment
    challenge: Opened | None = None
    challenges_used: int = 0
    evidence: Evidence | None = None
    playbacks: tuple[Playback, ...] = ()
    pending: Then | None = None
    card: CardEvidence | None = None

    def to_json(self) -> bytes:
        challenge = self.challenge
        return json.dumps(
            {
                "v": VERSION,
                "beginning": self.beginning.to_json(),
                "caller": self.caller,
                "flow": self.flow,
                "state": self.state.to_json(),
                "segment": self.segment.to_json(),
                "challenge": None if challenge is None else _challenge_to_json(challenge),
                "challenges_used": self.challenges_used,
                "evidence": None if self.evidence is None else self.evidence.to_json(),
                "playbacks": [{"record": str(p.record), "audio": _text(p.audio)} for p in self.playbacks],
                "pending": _pending_to_json(self.pending),
                "card": None if self.card is None else self.card.to_json(),
            }
        ).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Session:
        """The session that :meth:`to_json` wrote.

        Raises:
            IntegrityError: it was written by another version.
        """
        value: dict[str, Any] = json.loads(text)
        if value.get("v") != VERSION:
            raise IntegrityError("the saved session of a call is of another version")
        challenge = value["challenge"]
        return cls(
            beginning=Beginning.from_json(value["beginning"]),
            caller=value["caller"],
            flow=value["flow"],
            state=State.from_json(value["state"]),
            segment=Segment.from_json(value["segment"]),
            challenge=None if challenge is None else _challenge_from_json(challenge),
            challenges_used=value["challenges_used"],
            evidence=None if value["evidence"] is None else Evidence.from_json(value["evidence"]),
            playbacks=tuple(Playback(UUID(p["record"]), _id(p["audio"])) for p in value["playbacks"]),
            pending=_pending_from_json(value["pending"]),
            card=None if value.get("card") is None else CardEvidence.from_json(value["card"]),
        )


def _challenge_to_json(opened: Opened) -> dict[str, Any]:
    ids = {"id": str(opened.id), "patient": _text(opened.patient)}
    return {**ids, "shared": opened.shared, "factor": opened.factor.value}


def _challenge_from_json(value: dict[str, Any]) -> Opened:
    factor = Factor(value.get("factor", Factor.SMS_CODE.value))
    return Opened(UUID(value["id"]), _id(value["patient"]), value["shared"], factor)


def _pending_to_json(pending: Then | None) -> dict[str, Any] | None:
    match pending:
        case None:
            return None
        case HangUp():
            return {}
        case Question(lines, max_keys, seconds):
            return {"lines": _lines_to_json(lines), "max_keys": max_keys, "seconds": seconds}
        case Recording(lines, seconds):
            return {"lines": _lines_to_json(lines), "recording": seconds}
        case Queueing(lines, queue, expected):
            return {"lines": _lines_to_json(lines), "queue": queue, "expected": expected}
        case PutThrough(lines, line, shown):
            return {"lines": _lines_to_json(lines), "line": line, "shown": shown}


def _lines_to_json(lines: tuple[Line, ...]) -> list[list[str]]:
    return [[line.prompt, line.text, line.language] for line in lines]


def _pending_from_json(value: dict[str, Any] | None) -> Then | None:
    if not value:
        return None if value is None else HangUp()
    lines = tuple(Line(*line) for line in value["lines"])
    if "recording" in value:
        return Recording(lines, value["recording"])
    if "queue" in value:
        return Queueing(lines, value["queue"], value.get("expected", False))
    if "line" in value:
        return PutThrough(lines, value["line"], value["shown"])
    return Question(lines, value["max_keys"], value["seconds"])


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _id(value: str | None) -> UUID | None:
    return None if value is None else UUID(value)


def session_place(practice: UUID, call: UUID) -> Place:
    """Where a session is sealed for."""
    return Place(practice, "call_session", "state", call)
