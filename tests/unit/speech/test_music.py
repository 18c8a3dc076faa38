"""The music of a wait: what the telephone carries, softer than speech, and without a click where it begins anew."""

from __future__ import annotations

import io
import wave

import numpy as np

from callcenter.speech.music import waiting_music
from callcenter.speech.voices import SAMPLE_RATE


def samples() -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    with wave.open(io.BytesIO(waiting_music())) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (SAMPLE_RATE, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_it_lasts_twenty_seconds_and_is_heard_but_softer_than_speech() -> None:
    sound = samples()
    assert len(sound) == 20 * SAMPLE_RATE
    assert 300 < np.sqrt(np.mean(sound.astype(float) ** 2)) < 3_000
    assert np.abs(sound).max() < 8_000


def test_it_follows_upon_itself_without_a_click() -> None:
    sound = samples()
    assert abs(int(sound[0])) < 10
    assert abs(int(sound[-1])) < 10
    assert np.abs(np.diff(sound.astype(int))).max() < 4_000


def test_all_of_it_is_within_what_the_telephone_carries() -> None:
    power = np.abs(np.fft.rfft(samples().astype(float))) ** 2
    hertz = np.fft.rfftfreq(20 * SAMPLE_RATE, 1 / SAMPLE_RATE)
    assert power[(hertz >= 300) & (hertz <= 3_400)].sum() > 0.99 * power.sum()
