"""What the sealer seals in the place of a record that it refuses: one of its own, which names the other by its leaf.

Verifiers obey some records: an erasure explains missing bodies, a change of the key names the next one. One that must
not be obeyed is never sealed, since its bytes could be put back at any time; but neither may it keep a log from being
sealed, nor vanish. So it is told of at the very place where it would stand. No I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from callcenter.audit.ledger import FORMAT, EventKind, canonical, timestamp
from callcenter.audit.logs import origin_of


class Cause(StrEnum):
    """Why a record was refused, as the one in its place says."""

    #: It is an erasure that is not lawful (``audit.letting_go``).
    ERASURE = "erasure"
    #: It names a next key that is not ours.
    KEY = "key"
    #: It says that another was refused, which only the sealer says.
    REFUSAL = "refusal"
    #: No verifier would take it for a record.
    UNREADABLE = "unreadable"
    #: It says that it stands elsewhere than it does, or its place is another's.
    PLACE = "place"
    #: Whether it may be sealed could not be found out: what it holds was foreseen by nobody.
    UNFORESEEN = "unforeseen"


#: Most urgent first: by these somebody has tried to have something erased, or another key trusted.
_GRAVE = (Cause.KEY, Cause.ERASURE, Cause.REFUSAL, Cause.PLACE, Cause.UNFORESEEN, Cause.UNREADABLE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a record is not sealed.

    Arguments:
        cause: as it is on record; ``why``: in words, for whoever is called.
    """

    cause: Cause
    why: str

    @property
    def rank(self) -> int:
        """How urgent it is to look at it: 0 most."""
        return _GRAVE.index(self.cause)


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A record that waits, and is refused instead of sealed.

    Arguments:
        id, stream, seq, call: as the database has them.
        leaf: of its bytes; the next record of its stream names it.
        before: what a record at its place must name: the leaf of the bytes before it in its stream.
    """

    id: UUID
    stream: UUID
    seq: int
    call: UUID | None
    leaf: bytes
    before: bytes

    def stand_in(self, log: UUID, cause: Cause, at: datetime) -> bytes:
        """The bytes of the record that is sealed in its place (``docs/ledger-format.md``).

        Arguments:
            at: when it is sealed, aware.
        """
        return canonical(
            {
                "v": FORMAT,
                "log": origin_of(log),
                "id": str(self.id),
                "stream": str(self.stream),
                "seq": self.seq,
                "prev": self.before.hex(),
                "ts": timestamp(at),
                "event": EventKind.RECORD_REFUSED.value,
                "actor": {"kind": "sealer", "id": "callcenter"},
                "call": str(self.call) if self.call else None,
                "subject": None,
                "cause": cause.value,
                "refused": self.leaf.hex(),
            }
        )
