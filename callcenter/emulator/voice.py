"""A caller's voice as a sound file: a tone as long as the words, which stand in its header."""

from __future__ import annotations

import hashlib
import math
import sys
from array import array

RATE = 8_000  # samples a second, mono, 16 bits
LOWEST, HIGHEST = 200, 800  # Hz
LOUDNESS = 8_000  # of 32,767


def spoken(text: str, seconds: float) -> bytes:
    """A WAV file of words; the same bytes for the same words and length.

    The words stand in its comment (RIFF ``LIST INFO ICMT``), so that whoever has the bytes can tell what was said.
    """
    pitch = LOWEST + int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % (HIGHEST - LOWEST)
    period = array("h", (round(LOUDNESS * math.sin(2 * math.pi * pitch * at / RATE)) for at in range(RATE)))
    samples = (period * math.ceil(seconds))[: round(seconds * RATE)]
    if sys.byteorder == "big":
        samples.byteswap()
    shape = b"".join(
        number.to_bytes(size, "little") for number, size in ((1, 2), (1, 2), (RATE, 4), (RATE * 2, 4), (2, 2), (16, 2))
    )
    chunks = [("fmt ", shape), ("LIST", b"INFO" + _chunk("ICMT", text.encode() + b"\0")), ("data", samples.tobytes())]
    inside = b"WAVE" + b"".join(_chunk(name, body) for name, body in chunks)
    return b"RIFF" + len(inside).to_bytes(4, "little") + inside


def words_in(sound: bytes) -> str | None:
    """The words of a file that :func:`spoken` made, None in any other."""
    at = sound.find(b"ICMT", 0, 4096)
    if sound[:4] != b"RIFF" or at < 0:
        return None
    size = int.from_bytes(sound[at + 4 : at + 8], "little")
    return sound[at + 8 : at + 8 + size].rstrip(b"\0").decode()


def _chunk(name: str, body: bytes) -> bytes:
    return name.encode() + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)
