"""What the local voice and its worker process say to each other: frames over the worker's stdin and stdout.

A frame is one byte (what it is), four bytes (length of the payload, big-endian) and the payload. The worker begins with
READY or FAILED; each SAY is answered by SOUND or FAILED; the end of stdin ends the worker.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from enum import IntEnum

from callcenter.kernel.errors import CallcenterError

#: Kind and length of the payload that follows.
HEADER = struct.Struct(">BI")
#: Five minutes of sound; a longer frame means that the two have lost step.
LONGEST_PAYLOAD = 5 * 60 * 8_000 * 2


class Frame(IntEnum):
    """What a frame is."""

    READY = 1  # empty
    SAY = 2  # a request as JSON
    SOUND = 3  # 8 kHz 16-bit mono samples, little-endian
    FAILED = 4  # why, and what to do, as UTF-8; never a word of the text


class OutOfStep(CallcenterError):
    """What came from the other end is no frame of the voice's protocol."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the worker shall say.

    Arguments:
        text: the words, already fit to be said.
        language: code of an espeak-ng voice.
        rate: words a minute, 80 to 450.
    """

    text: str
    language: str
    rate: int

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode("utf-8")

    @classmethod
    def from_bytes(cls, payload: bytes) -> Request:
        fields = json.loads(payload)
        return cls(text=str(fields["text"]), language=str(fields["language"]), rate=int(fields["rate"]))


def frame(kind: Frame, payload: bytes = b"") -> bytes:
    """The bytes of one frame."""
    return HEADER.pack(kind, len(payload)) + payload


def opened(header: bytes) -> tuple[Frame, int]:
    """Kind and payload length of the frame that ``header`` begins.

    Raises OutOfStep if it begins none.
    """
    kind, length = HEADER.unpack(header)
    if length > LONGEST_PAYLOAD or kind not in list(Frame):
        raise OutOfStep("no frame begins here")
    return Frame(kind), length
