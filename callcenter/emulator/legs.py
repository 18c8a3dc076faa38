"""Called telephones, and what joins them with who called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        parameters: what a client is told besides.
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
    parameters: tuple[tuple[str, str], ...] = ()

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
    """What one party's keys and words do while two are joined: the other hears them.

    Arguments:
        far: the other party.
        partner: a call of ours behind it, which takes keys and words itself.
        on_star: what ``*`` does instead, if anything.
    """

    def __init__(self, far: Call, partner: Call | None = None, on_star: Callable[[], None] | None = None) -> None:
        self._far = far
        self._partner = partner
        self._on_star = on_star

    @property
    def hears_speech(self) -> bool:
        if self._partner is None:
            return True
        listener = self._partner.listener
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
        """Pass words on."""
        if self._partner is not None:
            return self._partner.speak(text)
        self._far.hear("voice", text)
        return True


class Pair:
    """Two legs that are joined, until either side parts them.

    Arguments:
        first: the leg that asked for it; its ``*`` may part the two.
        second: the leg that it is joined with.
        partner: a call of ours behind the second.
        star: whether a ``*`` of the first parts them, and what more it does.
    """

    def __init__(
        self, first: Call, second: Call, *, partner: Call | None = None, star: Callable[[], None] | None = None
    ) -> None:
        self._sides = (first, second)
        self.parted = False
        first.company = second.company = self
        first.listen(Bridge(second, partner, star))
        second.listen(Bridge(first))

    def heard_by(self, listener: Call) -> Sequence[Call]:
        """The other one."""
        return [side for side in self._sides if side is not listener and not side.over]

    def announce(self) -> None:
        """Let both know that they are joined."""
        first, second = self._sides
        first.hear("joined", f"[en communication avec {_told(second, first)}]")
        second.hear("joined", f"[en communication avec {_told(first, second)}]")

    def part(self) -> None:
        """Let both go their own ways; harmless when they do already."""
        self.parted = True
        for side in self._sides:
            if side.company is self:
                side.company = None
                side.listen(None)
            side.bell.ring()


def other_end(call: Call) -> str:
    """The number that a leg leads to, seen from the carrier: who called it, or whom it called."""
    return call.parties.caller if call.parties.direction == "inbound" else call.parties.called


def _told(far: Call, near: Call) -> str:
    """Who somebody is joined with: a leg that was dialled for them is shown the number that called it."""
    return near.parties.caller if near.parties.parent == far.sid else other_end(far)
