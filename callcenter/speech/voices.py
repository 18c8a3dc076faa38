"""The port through which words become sound, and doubles of it that make real audio without a synthesiser."""

from __future__ import annotations

import io
import re
import unicodedata
import wave
from typing import Protocol

import numpy as np

from callcenter.kernel.errors import CallcenterError, Unavailable

#: What the telephone carries, and what every voice gives: 8 kHz, one channel, 16-bit signed PCM.
SAMPLE_RATE = 8_000
SAMPLE_WIDTH = 2
#: A minute and a half of speech: a longer text is a mistake, and would hold the voice against every other caller.
LONGEST_TEXT = 1_000

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
#: How long the doubles take for a character: about 145 words a minute.
_SECONDS_PER_CHARACTER = 0.065


class VoiceUnavailable(Unavailable):
    """The voice does not answer. No patient word may be said by another one instead; lead the caller to a person."""


class UnfitText(CallcenterError):
    """The text cannot be said: it is empty or longer than 1,000 characters."""


class Voice(Protocol):
    """Turns words into sound."""

    async def synthesise(self, text: str, language: str = "fr", speed: float = 1.0) -> bytes:
        """A complete RIFF WAV file (8 kHz, 16-bit mono PCM) in which ``text`` is said.

        Arguments:
            text: 1 to 1,000 characters, with something in it to say.
            language: a language code in lower case, such as ``fr`` or ``en-gb``.
            speed: 1.0 is the voice's own; 0.75 says a quarter fewer words in the same time.

        Raises UnfitText for a text that can never be said, VoiceUnavailable if there is no sound now.
        """
        ...


def sayable(text: str) -> str:
    """``text`` as a synthesiser may take it: composed letters, no control characters.

    Raises UnfitText if it is too long or nothing in it can be said. The message never holds the text.
    """
    composed = unicodedata.normalize("NFC", text)
    clean = "".join(" " if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in composed).strip()
    if len(clean) > LONGEST_TEXT:
        raise UnfitText(f"a text of {len(clean)} characters cannot be said: {LONGEST_TEXT} at most")
    if not any(letter.isalnum() for letter in clean):
        raise UnfitText("a text without a letter or digit cannot be said")
    return clean


def known_language(language: str) -> str:
    """``language`` if it has the form of a language code; synthesisers take other names for files."""
    if not _LANGUAGE.fullmatch(language):
        raise VoiceUnavailable("that is no language code: give one such as fr or en-gb")
    return language


def wav(pcm: bytes) -> bytes:
    """A RIFF WAV file around ``pcm`` (8 kHz, 16-bit little-endian mono samples)."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(SAMPLE_WIDTH)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(pcm)
    return file.getvalue()


def _sample_count(text: str) -> int:
    return int(len(sayable(text)) * _SECONDS_PER_CHARACTER * SAMPLE_RATE)


class SilentVoice:
    """Says nothing, for as long as the words would take."""

    async def synthesise(self, text: str, language: str = "fr", speed: float = 1.0) -> bytes:
        known_language(language)
        return wav(bytes(SAMPLE_WIDTH * _sample_count(text)))


class ToneVoice:
    """Hums one note, for as long as the words would take.

    Arguments:
        hertz: the note, up to 4,000.
    """

    def __init__(self, hertz: float = 440.0) -> None:
        self._hertz = hertz

    async def synthesise(self, text: str, language: str = "fr", speed: float = 1.0) -> bytes:
        known_language(language)
        moments = np.arange(_sample_count(text)) / SAMPLE_RATE
        return wav((8_000 * np.sin(2 * np.pi * self._hertz * moments)).astype("<i2").tobytes())
