from __future__ import annotations

import pytest

from callcenter.emulator.audio import length
from tests.unit.emulator.bench import wav


def test_length_is_read_from_the_header() -> None:
    assert length(wav(3.2)) == pytest.approx(3.2)
    assert length(wav(1.5, rate=22_050)) == pytest.approx(1.5, abs=0.001)


@pytest.mark.parametrize("unknown", [b"\0\0\0\0", b"\xff\xff\xff\xff"])
def test_a_header_written_before_the_length_was_known(unknown: bytes) -> None:
    sound = wav(2.0)
    assert length(sound[:40] + unknown + sound[44:]) == pytest.approx(2.0)


def test_other_chunks_are_skipped() -> None:
    sound = wav(2.0)
    assert length(sound[:36] + b"LIST\x03\0\0\0abc\0" + sound[36:]) == pytest.approx(2.0)


def test_anything_else_is_estimated() -> None:
    assert length(b"\x7f" * 16_000) == 2.0
    assert length(b"RIFF\0\0\0\0WAVE") == 0.0
