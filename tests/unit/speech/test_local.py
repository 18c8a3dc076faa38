"""Our own voice: real synthesis in a real worker, and what happens when that worker fails."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import espeakng_loader
import numpy as np
import pytest
import structlog.testing

from callcenter.speech.local import LocalVoice
from callcenter.speech.voices import UnfitText, VoiceUnavailable

WORDS = "Votre prochain rendez-vous : mardi 1er décembre, 14 heures 30."
READY = r"\x01\0\0\0\0"


@pytest.fixture
async def voice() -> AsyncIterator[LocalVoice]:
    async with LocalVoice() as started:
        yield started


def program(code: str) -> list[str]:
    """A worker of another kind: ``stdin`` and ``stdout`` are its binary ends."""
    return [sys.executable, "-c", f"import os, sys, time\nstdin, stdout = sys.stdin.buffer, sys.stdout.buffer\n{code}"]


def samples(file: bytes) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    with wave.open(io.BytesIO(file)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 8_000)
        read = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
        assert len(read) == sound.getnframes()
        return read


def running(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


async def ended(process: int) -> None:
    """Wait until ``process`` is no more; a hang here is the failure of the test."""
    async with asyncio.timeout(60):
        while running(process):
            await asyncio.sleep(0.01)


async def test_words_become_sound_with_energy_at_telephone_quality(voice: LocalVoice) -> None:
    sound = samples(await voice.synthesise(WORDS))
    assert 3.5 < len(sound) / 8_000 < 5.5
    assert 500 < sound.astype(float).std() < 15_000
    spectrum = np.abs(np.fft.rfft(sound.astype(float))) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / 8_000)
    assert spectrum[(hertz > 80) & (hertz < 3_400)].sum() / spectrum.sum() > 0.9  # speech, not noise or aliases


async def test_more_words_take_longer_and_a_faster_voice_less(voice: LocalVoice) -> None:
    once, thrice = samples(await voice.synthesise(WORDS)), samples(await voice.synthesise(WORDS * 3))
    assert len(thrice) > 2.5 * len(once)
    async with LocalVoice(words_per_minute=250) as hasty:
        assert len(samples(await hasty.synthesise(WORDS))) < 0.8 * len(once)


async def test_other_languages_are_other_sounds_and_unknown_ones_are_refused(voice: LocalVoice) -> None:
    french, english = [samples(await voice.synthesise("hello thirty-five", code)) for code in ("fr", "en")]
    assert abs(len(french) - len(english)) > 100
    with pytest.raises(VoiceUnavailable, match="no voice for this language"):
        await voice.synthesise(WORDS, "xx")
    assert len(samples(await voice.synthesise(WORDS))) > 0


async def test_concurrent_requests_each_get_their_own_words(voice: LocalVoice) -> None:
    texts = ["oui", WORDS, "deux " * 190, "non", WORDS * 2]
    lengths = [len(samples(file)) for file in await asyncio.gather(*map(voice.synthesise, texts))]
    assert lengths[0] < lengths[1] < lengths[4] < lengths[2]
    assert lengths[3] < lengths[1]


@pytest.mark.parametrize("text", ["", "…", "a" * 1_001])
async def test_unfit_text_never_reaches_the_worker(voice: LocalVoice, text: str) -> None:
    with pytest.raises(UnfitText):
        await voice.synthesise(text)


async def test_markup_and_phoneme_brackets_are_read_not_obeyed(voice: LocalVoice) -> None:
    bare = samples(await voice.synthesise("rendez-vous"))
    assert len(samples(await voice.synthesise('rendez-vous <break time="9s"/>'))) < len(bare) + 6 * 8_000
    assert len(samples(await voice.synthesise("rendez-vous [[b0Z'ur]]"))) > len(bare)


@pytest.mark.parametrize("moments_later", [0.0, 0.2])  # before and after asyncio has seen the end
async def test_a_killed_worker_is_replaced_once_and_the_words_are_said(voice: LocalVoice, moments_later: float) -> None:
    first = voice.process_id
    assert first is not None
    with structlog.testing.capture_logs() as logs:
        os.kill(first, signal.SIGKILL)
        await asyncio.sleep(moments_later)
        files = await asyncio.gather(voice.synthesise(WORDS), voice.synthesise("oui"))
    assert len(samples(files[0])) > len(samples(files[1])) > 0
    assert voice.process_id not in (None, first)
    assert [entry["event"] for entry in logs] == ["voice_worker_ended"]
    assert logs[0]["exit_status"] == -signal.SIGKILL
    assert "rendez-vous" not in str(logs)


async def test_a_text_that_ends_every_worker_is_given_up_after_two(tmp_path: Path) -> None:
    count = tmp_path / "starts"
    dying = program(
        f"open({str(count)!r}, 'a').write('x'); stdout.write(b'{READY}'); stdout.flush(); stdin.read(1); os._exit(3)"
    )
    async with LocalVoice(command=dying) as voice:
        with pytest.raises(VoiceUnavailable):
            await voice.synthesise(WORDS)
    assert count.read_text() == "xx"


async def test_a_worker_that_hangs_is_ended_and_the_next_request_gets_a_new_one(tmp_path: Path) -> None:
    # Hangs the first time, and answers two samples from then on.
    flag = tmp_path / "hung"
    hanging = program(
        f"""
stdout.write(b'{READY}'); stdout.flush()
if not os.path.exists({str(flag)!r}):
    open({str(flag)!r}, 'w').close()
    time.sleep(600)
header = stdin.read(5)
stdin.read(int.from_bytes(header[1:], 'big'))
stdout.write(b'\\x03\\0\\0\\0\\4abcd'); stdout.flush()
stdin.read()
"""
    )
    async with LocalVoice(command=hanging, timeout=5) as voice:
        first = voice.process_id
        assert first is not None
        with pytest.raises(VoiceUnavailable, match="did not answer within 5 seconds"):
            await voice.synthesise(WORDS)
        assert not running(first)
        assert samples(await voice.synthesise(WORDS)).tobytes() == b"abcd"


async def test_an_abandoned_request_never_answers_the_next_one(voice: LocalVoice) -> None:
    first = voice.process_id
    assert first is not None
    os.kill(first, signal.SIGSTOP)  # so that the request is surely under way when its caller leaves
    abandoned = asyncio.create_task(voice.synthesise("deux " * 190))
    await asyncio.sleep(0.05)
    abandoned.cancel()
    with pytest.raises(asyncio.CancelledError):
        await abandoned
    assert len(samples(await voice.synthesise("oui"))) < 3 * 8_000
    assert not running(first)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("sys.exit(1)", "ended before it was ready"),
        ("stdout.write(b'x' * 3_000_000)", "does not speak our protocol"),
        (r"stdout.write(b'\x03\0\0\0\0'); stdout.flush(); stdin.read()", "does not speak our protocol"),
        (r"stdout.write(b'\x04\0\0\0\4why?'); stdout.flush()", "cannot start: why"),
    ],
)
async def test_a_worker_that_does_not_come_up_says_what_to_do(code: str, reason: str) -> None:
    voice = LocalVoice(command=program(code))
    with pytest.raises(VoiceUnavailable, match=reason):
        await voice.start()
    with pytest.raises(VoiceUnavailable, match="not started"):
        await voice.synthesise(WORDS)
    await voice.close()


async def test_a_worker_that_floods_us_is_ended_all_the_same() -> None:
    flooding = program(rf"stdout.write(b'{READY}' + b'x' * 3_000_000); stdout.flush(); stdin.read()")
    async with asyncio.timeout(60), LocalVoice(command=flooding) as voice:
        flooded = voice.process_id
        assert flooded is not None
        await asyncio.sleep(0.2)  # until asyncio has stopped reading
        with pytest.raises(VoiceUnavailable, match="does not speak our protocol"):
            await voice.synthesise(WORDS)
        assert not running(flooded)


async def test_a_program_that_is_not_there() -> None:
    with pytest.raises(VoiceUnavailable, match="cannot be started"):
        await LocalVoice(command=["/nowhere/python"]).start()


@pytest.fixture
def loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the loader that the worker finds first, under a path too long for the library; without its files."""
    package = tmp_path / ("x" * 180) / "espeakng_loader"
    package.mkdir(parents=True)
    real = Path(espeakng_loader.__file__)
    (package / "__init__.py").write_text(real.read_text())
    paths = [str(package.parent), str(Path(__file__).parents[3])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    return package


async def test_a_missing_library_says_what_to_reinstall(loader: Path) -> None:
    (loader / "espeak-ng-data").mkdir()
    with pytest.raises(VoiceUnavailable, match="does not load: reinstall the package espeakng-loader"):
        await LocalVoice().start()


async def test_missing_data_say_what_to_reinstall(loader: Path) -> None:
    library = Path(espeakng_loader.get_library_path())
    (loader / library.name).symlink_to(library)
    with pytest.raises(VoiceUnavailable, match="data of espeak-ng are missing"):
        await LocalVoice().start()
    (loader / "espeak-ng-data").mkdir()
    with pytest.raises(VoiceUnavailable, match="does not find its data: reinstall"):
        await LocalVoice().start()


async def test_the_voice_speaks_from_under_a_long_path(loader: Path) -> None:
    for path in (Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())):
        (loader / path.name).symlink_to(path)
    async with LocalVoice() as voice:
        assert samples(await voice.synthesise(WORDS)).any()


async def test_closing_ends_the_worker_and_refuses_what_comes_later() -> None:
    voice = LocalVoice()
    with pytest.raises(VoiceUnavailable, match="not started"):
        await voice.synthesise(WORDS)
    await voice.start()
    worker = voice.process_id
    assert worker is not None
    assert running(worker)
    assert os.getsid(worker) == worker  # a session of its own: Ctrl-C is not for it
    under_way = asyncio.create_task(voice.synthesise(WORDS))
    await asyncio.sleep(0)
    await voice.close()
    assert samples(await under_way).any()
    assert not running(worker)
    with pytest.raises(VoiceUnavailable, match="not started, or closed"):
        await voice.synthesise(WORDS)


async def test_words_are_neither_in_the_arguments_nor_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    async with LocalVoice() as voice:
        await voice.synthesise(WORDS)
        about = Path(f"/proc/{voice.process_id}")
        arguments, environment = (about / "cmdline").read_bytes(), (about / "environ").read_bytes()
        limits = (about / "limits").read_text()
    assert b"espeak_worker" in arguments
    assert b"rendez" not in arguments + environment
    assert b"secret" not in environment
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]


async def test_the_worker_does_not_outlive_a_server_that_was_killed() -> None:
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import asyncio\n"
        "from callcenter.speech.local import LocalVoice\n"
        "async def main():\n"
        "    async with LocalVoice() as voice:\n"
        "        print(voice.process_id, flush=True)\n"
        "        await asyncio.sleep(600)\n"
        "asyncio.run(main())\n",
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    try:
        assert server.stdout is not None
        worker = int(await server.stdout.readline())
        assert running(worker)
    finally:
        server.kill()
        await server.wait()
    await ended(worker)


@pytest.mark.parametrize("rate", [79, 451])
def test_a_rate_that_nobody_could_follow_is_refused(rate: int) -> None:
    with pytest.raises(VoiceUnavailable, match="80 to 450"):
        LocalVoice(words_per_minute=rate)
