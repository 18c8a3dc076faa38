"""What a Gather collects, as a value that keys and speech change; it knows nothing of time."""

from __future__ import annotations

from dataclasses import dataclass

from callcenter.emulator.verbs import Gather


@dataclass(frozen=True, slots=True)
class Digits:
    """Keys were pressed; ``finished_on`` is the key that ended them, empty if none did."""

    digits: str
    finished_on: str = ""


@dataclass(frozen=True, slots=True)
class Speech:
    """Something was said."""

    text: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """No input: silence, or a finishing key alone."""

    finished_on: str = ""


Input = Digits | Speech | Nothing


class Keypad:
    """Collects the input of one Gather.

    Arguments:
        gather: what is wanted.
    """

    def __init__(self, gather: Gather) -> None:
        self._gather = gather
        self._digits = ""
        self.complete: Input | None = None

    @property
    def begun(self) -> bool:
        """Whether a key or a word has come: prompts stop."""
        return bool(self._digits) or self.complete is not None

    @property
    def pressed(self) -> int:
        """How many keys have come: each starts the timeout again."""
        return len(self._digits)

    @property
    def hears_speech(self) -> bool:
        return self._gather.speech and not self.begun

    def press(self, key: str) -> bool:
        """Take one key; False once the input is complete, or if keys are not wanted."""
        if self.complete is not None or not self._gather.keys:
            return False
        if key in self._gather.finish_on:
            self.complete = Digits(self._digits, key) if self._digits else Nothing(key)
            return True
        self._digits += key
        if len(self._digits) == self._gather.num_digits:
            self.complete = Digits(self._digits)
        return True

    def speak(self, text: str) -> bool:
        """Take an utterance; keys that came first win."""
        if not self.hears_speech:
            return False
        self.complete = Speech(text)
        return True

    def time_out(self) -> Input:
        """The input when nothing more comes in time."""
        return self.complete or (Digits(self._digits) if self._digits else Nothing())


def parameters(result: Input) -> tuple[tuple[str, str], ...]:
    """The parameters by which an input is reported; ``msg`` is sent though not documented."""
    match result:
        case Digits(digits, finished_on):
            return (("Digits", digits), ("FinishedOnKey", finished_on), ("msg", "Gather End"))
        case Nothing(finished_on):
            return (("Digits", ""), ("FinishedOnKey", finished_on), ("msg", "Gather End"))
        case Speech(text):
            return (("SpeechResult", text), ("Confidence", "0.9"))
