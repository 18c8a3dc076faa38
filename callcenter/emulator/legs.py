"""Called telephones, and what joins them with who called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from callcenter.emulator.calls import Call, HungUp, Source
from callcenter.emulator.lines import Unreached


@dataclass(eq=False, slots=True)
class Leg:
    """A called telephone and its answer.

    Arguments:
        call: the leg.
        ring_until: when nobody will have answered, in the conversation's seconds.
        rings_at: the telephone that rings, which is another one than was called where that is forwarded.
        whisper: what it hears before it is joined.
        partner: the inbound call that it is, if the number is one of ours.
        joined: whether it is joined now; ``bridged``, whether it ever was.
    """

    call: Call
    ring_until: float
    rings_at: str
    whisper: Source | None = None
    partner: Call | None = None
    picked_up: bool = False
    refused: Unreached | None = None
    joined: bool = False
    bridged: bool = False

    def answer(self) -> None:
        """The telephone is picked up."""
        self.picked_up = True
        self.call.bell.ring()

    def refuse(self, refusal: Unreached) -> None:
        """The telephone is not picked up, and will not be."""
        self.refused = refusal
        self.call.bell.ring()


@dataclass(frozen=True, slots=True)
class Tether:
    """Ends a leg when the call behind it has ended."""

    behind: Call
    leg: Call

    def ring(self) -> None:
        """Look whether it has."""
        if self.behind.over:
            self.leg.interrupt(HungUp("telephone"))


class Bridge:
    """What one party's keys do while two are joined: the other hears them.

    Arguments:
        far: the other party.
        partner: a call of ours behind it, which takes the keys itself.
        on_star: what ``*`` does instead, if anything.
    """

    def __init__(self, far: Call, partner: Call | None = None, on_star: Callable[[], None] | None = None) -> None:
        self._far = far
        self._partner = partner
        self._on_star = on_star

    @property
    def hears_speech(self) -> bool:
        listener = self._partner.listener if self._partner else None
        return listener is not None and listener.hears_speech

    def press(self, key: str) -> bool:
        """Pass a key on."""
        if key == "*" and self._on_star is not None:
            self._on_star()
            return True
        if self._partner is not None:
            return bool(self._partner.press(key))
        self._far.hear("tone", key)
        return True

    def speak(self, text: str) -> bool:
        """Pass speech on to a call of ours; a person's ears are no part of the emulator."""
        return self._partner is not None and self._partner.speak(text)
