"""Where a call stands in its flow, between two webhooks: a plain value, kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from callcenter.flow.language import Flow, Pace
from callcenter.kernel.errors import IntegrityError

#: Of the JSON form. A state of another version was written by another program: it is not guessed at.
VERSION = 5
#: The version before it knew no sub-flows; a call that began under it goes on.
_WITHOUT_SUBFLOWS = 4

#: The name under which a reference binds what it leads to.
SLOT = "slot"


class Phase(StrEnum):
    """Which question of a step the caller is at."""

    NONE = ""
    KEY = "key"
    DIGITS = "digits"
    BIRTH_DATE = "birth_date"
    TELEPHONE = "telephone"
    CODE = "code"
    REASON = "reason"
    NUMBER = "number"
    PRACTITIONER = "practitioner"
    RECORDING = "recording"
    SEEN_BEFORE = "seen_before"
    OFFER = "offer"
    FORM = "form"
    FILES = "files"
    AT_KEYS = "at_keys"
    REFERENCE = "reference"
    RINGING = "ringing"
    QUEUED = "queued"


#: The caller is with somebody else, or waits for them: nothing is asked, and time is not the flow's.
AWAY = frozenset({Phase.RINGING, Phase.QUEUED})


@dataclass(frozen=True, slots=True)
class Manner:
    """How the caller is spoken to.

    Arguments:
        language: of the prompts.
        pace: of the voice.
        relay: somebody relays the call, who needs time.
    """

    language: str = "fr"
    pace: Pace = Pace.NORMAL
    relay: bool = False

    @property
    def needs_time(self) -> bool:
        """Whether questions wait longer for an answer."""
        return self.relay or self.pace is Pace.SLOW

    def to_json(self) -> dict[str, object]:
        return {"language": self.language, "pace": self.pace.value, "relay": self.relay}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Manner:
        return cls(_text(data["language"]), Pace(data["pace"]), _flag(data["relay"]))


@dataclass(frozen=True, slots=True)
class State:
    """Where a call stands.

    Arguments:
        step: the step that it is in.
        phase: the question of that step which waits for keys; ``NONE`` when nothing does.
        silences: unanswered prompts of this question.
        nonsense: answers to this question that meant nothing.
        restarts: times that ``*`` was typed at this question.
        begun: digits typed behind a ``*``, whose rest this question waits for.
        turns: events of the whole call so far.
        started_at: when the call came in, aware; ``None`` before its first event.
        away_since: since when somebody else is rung or waited for, aware; ``None`` while the flow has the word.
        limited: the call was led to a person because it had grown too long; this happens once.
        manner: how the caller is spoken to.
        bound: references that ``find`` bound, by name; never values.
        returns: the steps that run the sub-flows in which the call is, the outermost first.
        typed: answers kept until the step that needs them has used them. Personal data: the JSON form must be sealed.
    """

    step: str
    phase: Phase = Phase.NONE
    silences: int = 0
    nonsense: int = 0
    restarts: int = 0
    begun: str = field(default="", repr=False)
    turns: int = 0
    started_at: datetime | None = None
    away_since: datetime | None = None
    limited: bool = False
    manner: Manner = field(default_factory=Manner)
    bound: Mapping[str, UUID] = field(default_factory=dict)
    returns: tuple[str, ...] = ()
    typed: Mapping[str, str] = field(default_factory=dict, repr=False)

    def at(self, step: str, phase: Phase = Phase.NONE) -> State:
        """At ``step``, with its bounds unused."""
        return replace(self, step=step, phase=phase, silences=0, nonsense=0, restarts=0, begun="")

    def led_to(self, step: str) -> State:
        """At ``step`` of the flow's own, whatever sub-flow the call was in."""
        return replace(self.at(step), returns=())

    def running(self, step: str, start: str) -> State:
        """At ``start`` of the sub-flow that ``step`` runs."""
        return replace(self.at(start), returns=(*self.returns, step))

    def returned(self) -> State:
        """Back at the step that runs the sub-flow in which the call was."""
        return replace(self.at(self.returns[-1]), returns=self.returns[:-1])

    def asking(self, phase: Phase) -> State:
        """At another question of the same step, with its bounds unused."""
        return self.at(self.step, phase)

    def going_away(self, phase: Phase, now: datetime) -> State:
        """Waiting for somebody else from ``now`` on."""
        return replace(self.asking(phase), away_since=now)

    def emptied(self) -> State:
        """With nothing of what was found or typed."""
        return replace(self, bound={}, typed={})

    def back(self, now: datetime) -> State:
        """The flow has the word again: the time between is none of its own, by which a call is bounded."""
        if self.away_since is None or self.started_at is None:
            return self
        return replace(self, started_at=self.started_at + (now - self.away_since), away_since=None)

    def keeping(self, name: str, answer: str) -> State:
        """With ``answer`` kept under ``name``."""
        return replace(self, typed={**self.typed, name: answer})

    def forgetting(self, *names: str) -> State:
        """Without what was kept under ``names``."""
        return replace(self, typed={name: kept for name, kept in self.typed.items() if name not in names})

    def binding(self, name: str, reference: UUID) -> State:
        """With ``reference`` bound to ``name``."""
        return replace(self, bound={**self.bound, name: reference})

    def unbinding(self, name: str) -> State:
        """Without what was bound to ``name``."""
        return replace(self, bound={other: reference for other, reference in self.bound.items() if other != name})

    def to_json(self) -> str:
        """The state as JSON text, keys in order.

        A call that is in no sub-flow is written as it was before there were any: a program that knows none, beside this
        one, goes on with it.
        """
        within = {"version": VERSION, "returns": list(self.returns)} if self.returns else {"version": _WITHOUT_SUBFLOWS}
        return json.dumps(
            {
                **within,
                "step": self.step,
                "phase": self.phase.value,
                "silences": self.silences,
                "nonsense": self.nonsense,
                "restarts": self.restarts,
                "begun": self.begun,
                "turns": self.turns,
                "started_at": None if self.started_at is None else self.started_at.isoformat(),
                "away_since": None if self.away_since is None else self.away_since.isoformat(),
                "limited": self.limited,
                "manner": self.manner.to_json(),
                "bound": {name: str(reference) for name, reference in self.bound.items()},
                "typed": dict(self.typed),
            },
            ensure_ascii=False,
            sort_keys=True,
        )

    @classmethod
    def from_json(cls, text: str) -> State:
        """The state that :meth:`to_json` wrote.

        Raises:
            IntegrityError: the text is not a state, or one of another version.
        """
        try:
            return _read(json.loads(text))
        except (KeyError, TypeError, ValueError, AttributeError):
            # "from None": the cause holds the whole text, and the text holds what the caller typed.
            raise IntegrityError("the saved state of a call cannot be read") from None


def initial(flow: Flow) -> State:
    """The state of a call of which nothing has been heard yet."""
    return State(step=flow.start)


def _read(data: dict[str, Any]) -> State:
    fields = dict(data)
    version = fields.pop("version")
    if version not in (VERSION, _WITHOUT_SUBFLOWS):
        raise IntegrityError("the saved state of a call is of another version")
    returns = fields.pop("returns") if version == VERSION else ()
    counters = {name: _count(fields.pop(name)) for name in ("silences", "nonsense", "restarts", "turns")}
    state = State(
        step=_text(fields.pop("step")),
        phase=Phase(fields.pop("phase")),
        begun=_text(fields.pop("begun")),
        started_at=_moment(fields.pop("started_at")),
        away_since=_moment(fields.pop("away_since")),
        limited=_flag(fields.pop("limited")),
        manner=Manner.from_json(fields.pop("manner")),
        bound={_text(name): UUID(_text(reference)) for name, reference in fields.pop("bound").items()},
        returns=tuple(_text(step) for step in returns),
        typed={_text(name): _text(answer) for name, answer in fields.pop("typed").items()},
        **counters,
    )
    if fields:
        raise ValueError("unknown fields")
    return state


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _moment(value: object) -> datetime | None:
    moment = None if value is None else datetime.fromisoformat(_text(value))
    if moment is not None and moment.tzinfo is None:
        raise ValueError("not an aware moment")
    return moment


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("not a flag")
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError("not a count")
    return value
