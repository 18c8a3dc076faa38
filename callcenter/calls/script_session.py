"""What is kept of a script between two answers: one sealed value, and beside it, sealed, what may be seen meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from callcenter.audit.ledger import Segment
from callcenter.calls.script_screens import screen_from_json, screen_to_json
from callcenter.calls.script_values import ShownField
from callcenter.disclosure.exits import Shown, value_of
from callcenter.flow.screens import Screen
from callcenter.flow.state import State
from callcenter.kernel.errors import IntegrityError
from callcenter.kernel.labels import Category
from callcenter.store.sealed import Place, Sealer

VERSION = 1


@dataclass(frozen=True, slots=True)
class ScriptSession:
    """Where an operator stands.

    Arguments:
        flow: digest of the flow; a script keeps it until its end.
        state: where it stands in the flow.
        segment: how far its own ledger stream has come.
        screen: what is asked.
        drafts: what was typed into its fields and not sent.
    """

    flow: str
    state: State
    segment: Segment
    screen: Screen
    drafts: Mapping[str, str] = field(default_factory=dict, repr=False)

    def to_json(self) -> bytes:
        return json.dumps(
            {
                "v": VERSION,
                "flow": self.flow,
                "state": self.state.to_json(),
                "segment": self.segment.to_json(),
                "screen": screen_to_json(self.screen),
                "drafts": dict(self.drafts),
            }
        ).encode()

    @classmethod
    def from_json(cls, text: bytes) -> ScriptSession:
        """The session that :meth:`to_json` wrote.

        Raises:
            IntegrityError: it was written by another version.
        """
        value: dict[str, Any] = json.loads(text)
        if value.get("v") != VERSION:
            raise IntegrityError("the saved state of a script is of another version")
        return cls(
            flow=value["flow"],
            state=State.from_json(value["state"]),
            segment=Segment.from_json(value["segment"]),
            screen=screen_from_json(value["screen"]),
            drafts=value["drafts"],
        )


def kept(shown: Shown, now: datetime, life: timedelta) -> ShownField:
    """What the gate has let out, as it is kept until it is hidden again."""
    return ShownField(shown.path, shown.category, value_of(shown), now, now + life, shown.record)


def shown_to_json(fields: Iterable[ShownField]) -> bytes:
    """What :func:`shown_from_json` reads."""
    written = [
        {
            "path": one.path,
            "category": one.category.value,
            "value": one.value,
            "since": one.since.isoformat(),
            "until": one.until.isoformat(),
            "record": str(one.record),
        }
        for one in fields
    ]
    return json.dumps(written).encode()


def sealed_shown(sealer: Sealer, fields: Iterable[ShownField], place: Place) -> dict[str, object]:
    """What may be seen, and until when, as the columns of the script keep it.

    Arguments:
        place: of :func:`shown_place`.
    """
    stay = tuple(fields)
    return {
        "shown": sealer.seal(shown_to_json(stay), place) if stay else None,
        "shown_until": max((one.until for one in stay), default=None),
    }


def shown_from_json(text: bytes) -> tuple[ShownField, ...]:
    """The fields that :func:`shown_to_json` wrote; those of a version that did not say since when are seen no more."""
    return tuple(
        ShownField(
            one["path"],
            Category(one["category"]),
            one["value"],
            datetime.fromisoformat(one["since"]),
            datetime.fromisoformat(one["until"]),
            UUID(one["record"]),
        )
        for one in json.loads(text)
        if "since" in one
    )


def state_place(practice: UUID, script: UUID) -> Place:
    """Where a script's state is sealed for."""
    return Place(practice, "script", "state", script)


def shown_place(practice: UUID, script: UUID) -> Place:
    """Where what may be seen is sealed for."""
    return Place(practice, "script", "shown", script)


def note_place(practice: UUID, script: UUID) -> Place:
    """Where what an operator has noted of a call is sealed for."""
    return Place(practice, "script", "note", script)
