"""What is heard between two announcements of a wait: a few soft chords, made here, so that no licence is needed."""

from __future__ import annotations

from functools import cache

import numpy as np

from callcenter.speech.voices import SAMPLE_RATE, wav

#: Seconds of a chord, and of its rise and fall.
CHORD_SECONDS, EDGE_SECONDS = 5.0, 1.2
#: Of what a sample can hold: speech must stand out from it.
LOUDNESS = 0.12
#: Hertz of the notes, equal temperament on A 440; all within what the telephone carries (300 to 3,400).
CHORDS = (
    (349.23, 440.00, 523.25),  # F major
    (329.63, 392.00, 493.88),  # E minor
    (349.23, 440.00, 587.33),  # D minor
    (329.63, 392.00, 523.25),  # C major
)
#: How loud each overtone of a note is: a soft reed.
OVERTONES = (1.0, 0.25, 0.08)


@cache
def waiting_music() -> bytes:
    """A RIFF WAV file (8 kHz, 16-bit mono PCM) of 20 seconds, the same bytes each time; it can follow upon itself."""
    samples = np.concatenate([_chord(notes) for notes in CHORDS])
    return wav((samples * 32_767 * LOUDNESS).astype("<i2").tobytes())


def _chord(notes: tuple[float, ...]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    moments = np.arange(int(CHORD_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    tones = [
        weight * np.sin(2 * np.pi * note * (number + 1) * moments)
        for note in notes
        for number, weight in enumerate(OVERTONES)
    ]
    sound = np.sum(tones, axis=0) / (len(notes) * sum(OVERTONES))
    edge = np.clip(np.minimum(moments, CHORD_SECONDS - moments) / EDGE_SECONDS, 0.0, 1.0)
    return np.asarray(sound * np.sin(edge * np.pi / 2) ** 2)
