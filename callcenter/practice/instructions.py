"""What a practice wants operators to know and do before anything else (« consignes »).

Operators see it first, and acknowledge it when it has changed. It is never said to callers, and no place for what
concerns one patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: Characters of all that a practice tells operators, practitioners' names included: what somebody reads while the
#: telephone rings, and well within what one version may hold.
LONGEST_INSTRUCTIONS = 4000


@dataclass(frozen=True, slots=True)
class Instructions:
    """Standing instructions to operators.

    Arguments:
        practice: of the practice as a whole, in lines; empty for none.
        practitioners: of single practitioners, by their name without the title.
    """

    practice: str = ""
    practitioners: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All of it, as operators read it; empty where there is none."""
        parts = [self.practice, *(f"{name} :\n{words}" for name, words in self.practitioners.items())]
        return "\n\n".join(part.strip() for part in parts if part.strip())
