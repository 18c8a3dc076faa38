"""A caller's voice as a file: as long as its words, always the same, and with the words in its header."""

from __future__ import annotations

import io
import wave

import pytest

from callcenter.emulator.audio import length
from callcenter.emulator.voice import spoken, words_in
from tests.unit.emulator.bench import wav

TEXT = "Bonjour, c’est pour décaler mon rendez-vous."


@pytest.mark.parametrize("seconds", [0.5, 1.0, 3.25, 61.0])
def test_it_is_a_wav_file_of_that_length(seconds: float) -> None:
    sound = spoken(TEXT, seconds)
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        assert file.getnframes() == round(seconds * 8000)
        assert any(file.readframes(8000))
    assert length(sound) == pytest.approx(seconds)


def test_the_same_words_make_the_same_bytes_and_others_make_others() -> None:
    assert spoken(TEXT, 2.0) == spoken(TEXT, 2.0)
    assert spoken(TEXT, 2.0)[-8000:] != spoken("Bonsoir", 2.0)[-8000:]


def test_the_words_can_be_read_back() -> None:
    assert words_in(spoken(TEXT, 1.0)) == TEXT
    assert words_in(spoken("a", 1.0)) == "a"
    assert words_in(wav(1.0)) is None
    assert words_in(b"ICMT") is None
