"""What an operator's script hands to whoever shows it: plain values that know no page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from uuid import UUID

from callcenter.audit.ledger import Value
from callcenter.flow.prompts import PromptBook
from callcenter.flow.screens import Screen
from callcenter.kernel.labels import Category
from callcenter.kernel.levels import Level


@dataclass(frozen=True, slots=True)
class Operator:
    """Who sits before the screen.

    Arguments:
        trained: their training holds, so that something about a patient may be shown to them (SM-02).
    """

    staff: UUID
    trained: bool

    @property
    def actor(self) -> dict[str, Value]:
        """As records name them."""
        return {"kind": "operator", "id": str(self.staff)}


@dataclass(frozen=True, slots=True)
class ShownField:
    """A field of a file that may be seen until a moment.

    Arguments:
        path: of the field, such as ``appointment.starts_at``.
        record: of the disclosure.
    """

    path: str
    category: Category
    value: str = field(repr=False)
    until: datetime
    record: UUID


@dataclass(frozen=True, slots=True)
class Moment:
    """One record of this operator's part of the call.

    Arguments:
        kind: the record's event.
        details: keys and codes of it.
    """

    at: datetime
    kind: str
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Emergency:
    """An emergency is on record.

    Arguments:
        at: when it was first noted.
        said: the words to say.
        line: of the rescue service of the practice's sector, as people read it; empty where none is set.
    """

    at: datetime
    said: tuple[str, ...]
    line: str = ""


@dataclass(frozen=True, slots=True)
class Stands:
    """How a script stands, as a transaction has found it that may not have committed yet.

    Arguments:
        reservation: whose script it is.
        document: number of the screen.
        screen: what is asked, with what was typed and not sent.
        shown: what may be seen at ``now``.
        level: at which the caller is verified for this operator.
        patient: it is known for whom.
        live: the two talk with each other; otherwise only noting is left.
        typing: the caller is at their keys.
        book: the words of its flow; ``None`` of a flow that this version does not run.
        proving: the option that leads to proving who they are; empty where none of the screen does.
        emergency: once it is noted.
    """

    reservation: UUID
    document: int
    screen: Screen
    shown: tuple[ShownField, ...]
    timeline: tuple[Moment, ...]
    level: Level
    patient: bool
    live: bool
    typing: bool
    now: datetime
    book: PromptBook | None = field(default=None, compare=False)
    proving: str = ""
    emergency: Emergency | None = None


_COMMITTED = object()


@dataclass(frozen=True, slots=True)
class ScriptScreen:
    """The only thing that a page may show of a script. Made after the commit, and only by :func:`committed_screen`."""

    stands: Stands
    proof: InitVar[object] = None

    def __post_init__(self, proof: object) -> None:
        if proof is not _COMMITTED:
            raise TypeError("a screen is made by calls.script_values.committed_screen alone, after the commit")


def committed_screen(stands: Stands) -> ScriptScreen:
    """The screen of an answer whose transaction has committed. Called by ``calls.scripts`` alone (ruff TID251)."""
    return ScriptScreen(stands, proof=_COMMITTED)
