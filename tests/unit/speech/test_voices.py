"""The doubles of the voice keep the promises of the real one."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from callcenter.kernel.errors import Unavailable
from callcenter.speech.voices import (
    LONGEST_TEXT,
    SilentVoice,
    ToneVoice,
    UnfitText,
    Voice,
    VoiceUnavailable,
    sayable,
)

VOICES = [SilentVoice(), ToneVoice()]


def samples(file: bytes) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    with wave.open(io.BytesIO(file)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 8_000)
        return np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")


@pytest.mark.parametrize("voice", VOICES)
async def test_the_sound_lasts_as_long_as_the_words(voice: Voice) -> None:
    short, long = samples(await voice.synthesise("bonjour")), samples(await voice.synthesise("bonjour " * 10))
    assert 0 < len(short) < len(long)
    assert len(samples(await voice.synthesise("bonjour"))) == len(short)


async def test_the_tone_is_the_note_asked_for_and_silence_is_silent() -> None:
    hum = samples(await ToneVoice(hertz=1_000).synthesise("bonjour à tous"))
    strongest = int(np.argmax(np.abs(np.fft.rfft(hum)))) * 8_000 / len(hum)
    assert strongest == pytest.approx(1_000, abs=2)
    assert not samples(await SilentVoice().synthesise("bonjour")).any()


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("text", ["", "   ", "… !", "a" * (LONGEST_TEXT + 1)])
async def test_a_text_that_can_never_be_said_is_refused_without_being_quoted(voice: Voice, text: str) -> None:
    with pytest.raises(UnfitText) as refused:
        await voice.synthesise(text)
    assert "aa" not in str(refused.value)


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("language", ["", "../fr", "FR", "fr fr"])
async def test_a_language_is_never_taken_for_a_file(voice: Voice, language: str) -> None:
    with pytest.raises(VoiceUnavailable) as refused:
        await voice.synthesise("bonjour", language)
    assert isinstance(refused.value, Unavailable)


def test_a_text_is_composed_and_free_of_control_characters() -> None:
    assert sayable("de\u0301cembre\0 \ud800 14\n") == "d\u00e9cembre    14"
    assert sayable("a" * LONGEST_TEXT) == "a" * LONGEST_TEXT
