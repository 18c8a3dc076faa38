"""An answer as it is kept for its repetition: the bytes, and which disclosures stand in them as text."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

#: Before an answer that tells something itself. No document begins so: NUL is in no XML and no HTML.
_TELLS = b"\x00"


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was answered.

    Arguments:
        body: the carrier's bytes.
        told: records of the disclosures whose words stand in ``body``, for the carrier's voice: whoever gets it again
            is told again. Our own sound keeps count of its fetches itself.
    """

    body: bytes
    told: tuple[UUID, ...] = ()

    def to_bytes(self) -> bytes:
        if not self.told:
            return self.body
        return _TELLS + b" ".join(str(record).encode() for record in self.told) + _TELLS + self.body

    @classmethod
    def from_bytes(cls, kept: bytes) -> KeptAnswer:
        """The answer that :meth:`to_bytes` wrote."""
        if not kept.startswith(_TELLS):
            return cls(kept)
        records, _, body = kept.removeprefix(_TELLS).partition(_TELLS)
        return cls(body, tuple(UUID(record.decode()) for record in records.split()))
