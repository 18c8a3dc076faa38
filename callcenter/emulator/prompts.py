"""What a caller hears of a document: speech, sounds, silence, each lasting its time."""

from __future__ import annotations

from collections.abc import Sequence

from callcenter.emulator.audio import Sound, Sounds
from callcenter.emulator.calls import Call, HeardKind
from callcenter.emulator.keypad import Keypad
from callcenter.emulator.timeline import Bell
from callcenter.emulator.verbs import Pause, Play, Prompt, Say

CHARACTERS_A_SECOND = 14.0
KEY_SECONDS = {"w": 0.5, "W": 1.0}  # waits among sounded keys
ONE_KEY = 0.2
LONGEST_CALL = 4 * 3600.0  # seconds, the carrier's limit


class Prompter:
    """Plays prompts on one leg.

    Arguments:
        call: the leg.
        sounds: where files are fetched.
        lasting: whether what is heard only fills the time while something else is waited for: it lasts as silence
            does, and a scripted call's driver decides when it is over.
    """

    def __init__(self, call: Call, sounds: Sounds, *, lasting: bool = False) -> None:
        self._call = call
        self._sounds = sounds
        self._lasting = lasting

    async def fetch(self, prompts: Sequence[Prompt]) -> dict[str, Sound]:
        """Every file of some prompts, before the first of them is heard; by URL."""
        urls = dict.fromkeys(prompt.url for prompt in prompts if isinstance(prompt, Play) and prompt.url is not None)
        return {url: await self._sounds.fetch(url, self._call.sid, self._call.cookies) for url in urls}

    async def play(self, prompt: Prompt, sounds: dict[str, Sound], keypad: Keypad | None = None) -> None:
        """Play one prompt; input to the keypad, if there is one, cuts it short."""
        match prompt:
            case Say(text, loop, language):
                await self._repeat("say", text, None, len(text) / CHARACTERS_A_SECOND, loop, keypad, language)
            case Play(url, digits, loop):
                if digits:
                    seconds = sum(KEY_SECONDS.get(digit, ONE_KEY) for digit in digits)
                    await self._repeat("tone", digits, None, seconds, 1, keypad)
                if url is not None:
                    await self.sound(sounds[url], loop, keypad)
            case Pause(length):
                await self._repeat("pause", f"{length:g} s", None, length, 1, keypad)

    async def sound(self, sound: Sound, loop: int = 1, keypad: Keypad | None = None) -> None:
        """Play one sound."""
        await self._repeat("play", sound.text, sound.url, sound.seconds, loop, keypad)

    async def _repeat(
        self,
        kind: HeardKind,
        text: str,
        url: str | None,
        seconds: float,
        loop: int,
        keypad: Keypad | None,
        language: str = "",
    ) -> None:
        for _ in range(loop):
            self._call.hear(kind, text, url, language)
            await self._last(seconds, keypad)
            if (keypad is not None and keypad.begun) or self._call.timeline.elapsed > LONGEST_CALL:
                return

    async def _last(self, seconds: float, keypad: Keypad | None) -> None:
        timeline = self._call.timeline
        until = timeline.elapsed + seconds
        if self._lasting:
            while not (keypad is not None and keypad.begun) and await timeline.wait(self._call.bell, until):
                continue
        elif keypad is None:
            await timeline.spend(seconds, Bell())
        else:
            while not keypad.begun and await timeline.spend(until - timeline.elapsed, self._call.bell):
                continue
