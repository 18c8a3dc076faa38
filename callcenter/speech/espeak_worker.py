"""The worker process in which espeak-ng speaks: ``python -m callcenter.speech.espeak_worker``, started by ``local``.

A process of its own, because the library is under the GPL, is not safe in threads, and ends the process that it is in
when it cannot go on. It reads requests from stdin, answers on stdout, and ends when stdin does, so that it never
outlives the server. The protocol is ``worker_protocol``. Words to be said exist here in memory only: nothing is logged,
and no core is dumped.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from pathlib import Path
from typing import BinaryIO

import espeakng_loader
import numpy as np
import soxr

from callcenter.kernel.errors import Unavailable
from callcenter.speech.voices import SAMPLE_RATE
from callcenter.speech.worker_protocol import HEADER, Frame, OutOfStep, Request, frame, opened

# Constants of espeak-ng's speak_lib.h (1.52).
_OUTPUT_SYNCHRONOUS = 2
_DO_NOT_EXIT = 0x8000  # without it, the library ends the process when it does not find its data
_RATE = 1
_TEXT_IS_UTF8 = 1
_OK = 0

_SynthesisCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class SpeechFault(Unavailable):
    """The speech library does not do what it was asked."""


class Synthesiser:
    """espeak-ng, loaded.

    Arguments:
        library: path of the shared library.
        data: path of the folder ``espeak-ng-data`` beside it.

    Raises SpeechFault if either cannot be used.
    """

    def __init__(self, library: Path, data: Path) -> None:
        try:
            self._library = ctypes.CDLL(str(library))
        except OSError:
            raise SpeechFault("the library espeak-ng does not load: reinstall the package espeakng-loader") from None
        # The library cuts the path of its data at 160 characters: a path relative to where we stand is never too long.
        os.chdir(data.parent)
        self._rate = self._library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, b".", _DO_NOT_EXIT)
        if self._rate <= 0:
            raise SpeechFault("espeak-ng does not find its data: reinstall the package espeakng-loader")
        self._samples = bytearray()
        self._collect = _SynthesisCallback(self._on_samples)  # kept: the library holds only its address
        self._library.espeak_SetSynthCallback(self._collect)

    def _on_samples(self, samples: int | None, count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._samples += ctypes.string_at(samples, count * 2)
        return 0  # go on

    def say(self, request: Request) -> bytes:
        """The sound of ``request``: 8 kHz 16-bit mono samples, little-endian.

        Raises SpeechFault if there is no such voice, or the library fails.
        """
        if self._library.espeak_SetVoiceByName(request.language.encode("utf-8")) != _OK:
            raise SpeechFault("espeak-ng has no voice for this language")
        self._library.espeak_SetParameter(_RATE, request.rate, 0)
        self._samples.clear()
        text = request.text.encode("utf-8")
        outcome = self._library.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, 0, 0, _TEXT_IS_UTF8, None, None)
        if outcome != _OK or not self._samples:
            raise SpeechFault("espeak-ng made no sound of this text")
        # The callback's samples are in the machine's order; a WAV file's are little-endian.
        samples = np.frombuffer(bytes(self._samples), dtype=np.int16)
        narrowed: bytes = soxr.resample(samples, self._rate, SAMPLE_RATE).astype("<i2").tobytes()
        self._samples.clear()
        return narrowed


def _answer(synthesiser: Synthesiser, payload: bytes) -> bytes:
    try:
        return frame(Frame.SOUND, synthesiser.say(Request.from_bytes(payload)))
    except SpeechFault as fault:
        return frame(Frame.FAILED, str(fault).encode("utf-8"))


def serve(requests: BinaryIO, answers: BinaryIO, synthesiser: Synthesiser) -> None:
    """Answer each request until there are no more.

    Raises OutOfStep if something else than a request comes.
    """
    while len(header := requests.read(HEADER.size)) == HEADER.size:
        kind, length = opened(header)
        if kind is not Frame.SAY:
            raise OutOfStep
        answers.write(_answer(synthesiser, requests.read(length)))
        answers.flush()


def _answers_apart() -> BinaryIO:
    """Our end of stdout, which nobody else has: whatever the library prints goes to stderr instead."""
    ours = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(ours, "wb")


def main() -> int:
    """Speak until stdin ends. The exit status is 0, or 1 if the library cannot be used."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold the last words said
    with _answers_apart() as answers:
        try:
            synthesiser = Synthesiser(
                Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path()).absolute()
            )
        except (SpeechFault, RuntimeError) as fault:  # RuntimeError: the loader misses the data folder
            reason = str(fault) if isinstance(fault, SpeechFault) else "the data of espeak-ng are missing"
            answers.write(frame(Frame.FAILED, reason.encode("utf-8")))
            return 1
        answers.write(frame(Frame.READY))
        answers.flush()
        serve(sys.stdin.buffer, answers, synthesiser)
    return 0


if __name__ == "__main__":
    sys.exit(main())
