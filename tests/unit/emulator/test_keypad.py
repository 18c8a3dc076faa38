"""Every way in which a Gather's input may come to its end, without time."""

from __future__ import annotations

import pytest

from callcenter.emulator.keypad import Digits, Input, Keypad, Nothing, Speech, parameters
from callcenter.emulator.verbs import Gather


def typed(gather: Gather, keys: str) -> tuple[Input | None, str]:
    """What is complete after some keys, and which of them were taken."""
    keypad = Keypad(gather)
    taken = "".join(key for key in keys if keypad.press(key))
    return keypad.complete, taken


@pytest.mark.parametrize(
    ("gather", "keys", "result", "taken"),
    [
        (Gather("a", num_digits=2), "123", Digits("12"), "12"),
        (Gather("a"), "12#3", Digits("12", "#"), "12#"),
        (Gather("a"), "#", Nothing("#"), "#"),
        (Gather("a", finish_on="*"), "1*", Digits("1", "*"), "1*"),
        (Gather("a", finish_on="", num_digits=3), "1#*", Digits("1#*"), "1#*"),
        (Gather("a", finish_on="90"), "10", Digits("1", "0"), "10"),
        (Gather("a", num_digits=8), "0503", None, "0503"),
        (Gather("a", keys=False, speech=True), "1", None, ""),
    ],
)
def test_keys(gather: Gather, keys: str, result: Input | None, taken: str) -> None:
    assert typed(gather, keys) == (result, taken)


def test_time_out() -> None:
    keypad = Keypad(Gather("a", num_digits=8))
    assert keypad.time_out() == Nothing()
    keypad.press("1")
    assert keypad.time_out() == Digits("1")


def test_speech_is_taken_only_when_wanted_and_first() -> None:
    assert not Keypad(Gather("a")).speak("bonjour")
    both = Keypad(Gather("a", speech=True))
    both.press("1")
    assert not both.speak("bonjour")
    spoken = Keypad(Gather("a", speech=True))
    assert spoken.speak("bonjour")
    assert not spoken.press("1")
    assert spoken.complete == Speech("bonjour")


def test_parameters() -> None:
    assert parameters(Digits("12", "#")) == (("Digits", "12"), ("FinishedOnKey", "#"), ("msg", "Gather End"))
    assert parameters(Nothing()) == (("Digits", ""), ("FinishedOnKey", ""), ("msg", "Gather End"))
    assert dict(parameters(Speech("bonjour")))["SpeechResult"] == "bonjour"
