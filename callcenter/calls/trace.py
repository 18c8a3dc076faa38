"""What a document let be heard and what was typed before it, for whoever goes through the call again: names and counts.

A prompt is named by its key; its words, with labels in the place of values, are those of the flow's version. Which keys
were pressed is nowhere: a date of birth and a code are keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from callcenter.flow.conversation import Event, HangUp, Keyed, Line, Recorded, SpokenWords, Then, Utterance
from callcenter.flow.state import Phase


@dataclass(frozen=True, slots=True)
class Trace:
    """One document's.

    Arguments:
        flow: digest of the flow, which covers its prompts.
        language: in which they are said.
        asked: the question that was answered before it.
        typed: how many keys, or how many seconds were spoken; ``None`` where nothing was asked.
        prompts: keys, in the order in which they are said.
    """

    flow: str
    language: str
    asked: Phase
    typed: int | None
    prompts: tuple[str, ...]

    def to_row(self) -> dict[str, Any]:
        """The values of its columns."""
        return {
            "flow": self.flow,
            "language": self.language,
            "asked": self.asked.value,
            "typed": self.typed,
            "prompts": list(self.prompts),
        }


def heard_in(before: Sequence[Utterance], then: Then | None) -> tuple[str, ...]:
    """The keys of what a document says.

    Arguments:
        then: what it asks, ``None`` where the next document does.
    """
    asked: Sequence[Line | SpokenWords] = () if then is None or isinstance(then, HangUp) else then.lines
    return tuple(said.prompt for said in (*before, *asked))


def typed_in(event: Event) -> int | None:
    """How much was typed, or spoken in seconds."""
    match event:
        case Keyed(keys):
            return len(keys)
        case Recorded(seconds=seconds):
            return seconds
        case _:
            return None
