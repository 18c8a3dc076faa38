"""The telephone network around the account's numbers: lines that forward, lines that are busy, what a telephone does
when it rings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from callcenter.emulator.messages import FRENCH_MOBILE

When = Literal["always", "busy", "unanswered"]
CallerShown = Literal["kept", "replaced"]
Manner = Literal["rings", "answers", "busy", "no-answer", "failed", "voicemail"]
Unreached = Literal["busy", "no-answer", "failed"]

SHOWN: tuple[CallerShown, ...] = ("kept", "replaced")
WHENS: tuple[When, ...] = ("always", "busy", "unanswered")
MANNERS: tuple[Manner, ...] = ("rings", "answers", "busy", "no-answer", "failed", "voicemail")
FORWARDS = 5  # in a row, as ISUP networks count them; then the network gives up
AFTER = 20.0  # seconds that a line rings before it forwards what nobody answered


@dataclass(frozen=True, slots=True)
class Forwarding:
    """What a line does with calls that are not answered on it.

    Arguments:
        line: the line that forwards.
        to: where calls go.
        when: which calls go there.
        caller: whether the next telephone is shown the caller, or the line that forwards, as some carriers do.
        reported: whether the carrier tells over which line the call came.
        after: seconds that the line rings before ``unanswered``.
    """

    line: str
    to: str
    when: When = "always"
    caller: CallerShown = "kept"
    reported: bool = True
    after: float = AFTER


@dataclass(frozen=True, slots=True)
class Voicemail:
    """A machine that answers where nobody does, and speaks; it never presses a key.

    Arguments:
        after: seconds that the telephone rings first.
        says: what it says to whoever listens.
    """

    after: float = 20.0
    says: str = "Bonjour, vous êtes bien sur ma messagerie. Laissez un message après le bip."


@dataclass(frozen=True, slots=True)
class Approach:
    """A call on its way: whom it shows, which number it reaches, over which line it says that it came.

    Arguments:
        forwards: how often it was forwarded so far.
    """

    caller: str
    number: str
    forwarded_from: str | None = None
    forwards: int = 0

    def over(self, forwarding: Forwarding) -> Approach:
        """The call as it goes on from a line that forwards."""
        return Approach(
            forwarding.line if forwarding.caller == "replaced" else self.caller,
            forwarding.to,
            forwarding.line if forwarding.reported else self.forwarded_from,
            self.forwards + 1,
        )


class Lines:
    """Every line that is not simply a telephone that rings.

    Arguments:
        account: whether a number is said to be one of the account's; None when nobody has said which are.
    """

    def __init__(self, account: Callable[[str], bool] | None) -> None:
        self._account = account
        self._forwardings: dict[tuple[str, When], Forwarding] = {}
        self._manners: dict[str, Manner] = {}
        self._voicemails: dict[str, Voicemail] = {}

    @property
    def forwardings(self) -> list[Forwarding]:
        """All of them, in the order of their making."""
        return list(self._forwardings.values())

    @property
    def manners(self) -> dict[str, Manner]:
        """What the telephones that were told do when they are called, by number."""
        return dict(self._manners)

    def ours(self, approach: Approach) -> bool:
        """Whether a call that reaches this number is a call to the account.

        Where nobody has said which numbers those are, a forwarded call is one to us at every landline that nothing is
        known of: whoever sets up a forwarding wants to see it arrive.
        """
        number = approach.number
        if self._account is not None:
            return self._account(number)
        return approach.forwards > 0 and not self.known(number) and FRENCH_MOBILE.fullmatch(number) is None

    def known(self, number: str) -> bool:
        """Whether it is a line that was set up here."""
        return number in self._manners or any(line == number for line, _ in self._forwardings)

    def forward(self, forwarding: Forwarding) -> None:
        """Set a line up to forward, in place of what it did with such calls."""
        self._forwardings[forwarding.line, forwarding.when] = forwarding

    def unforward(self, line: str | None, when: When | None) -> list[Forwarding]:
        """Take forwardings off: those of a line, of a kind, or all; those that were taken off."""
        removed = [one for one in self.forwardings if line in (None, one.line) and when in (None, one.when)]
        for one in removed:
            del self._forwardings[one.line, one.when]
        return removed

    def behave(self, number: str, manner: Manner, voicemail: Voicemail | None = None) -> None:
        """Say what a telephone does from now on when it is called."""
        self._manners[number] = manner
        self._voicemails.pop(number, None)
        if manner == "voicemail":
            self._voicemails[number] = voicemail or Voicemail()

    def voicemail(self, number: str) -> Voicemail | None:
        """The machine that answers on a line where nobody does."""
        return self._voicemails.get(number)

    def forget(self, number: str) -> bool:
        """Let a telephone ring again like any other; False if it did."""
        self._voicemails.pop(number, None)
        return self._manners.pop(number, None) is not None

    def manner(self, number: str) -> Manner:
        """What a telephone does when it is called."""
        return self._manners.get(number, "rings")

    def rings_for(self, number: str) -> float | None:
        """Seconds after which an unanswered call goes on, None if it does not."""
        forwarding = self._forwardings.get((number, "unanswered"))
        return forwarding.after if forwarding is not None else None

    def follow(self, approach: Approach) -> Approach | None:
        """Where a call gets without a telephone ringing; None when it is busy there, or the network gives up."""
        while approach.forwards <= FORWARDS:
            if (always := self._forwardings.get((approach.number, "always"))) is not None:
                approach = approach.over(always)
            elif self.manner(approach.number) != "busy":
                return approach
            elif (busy := self._forwardings.get((approach.number, "busy"))) is not None:
                approach = approach.over(busy)
            else:
                return None
        return None

    def onward(self, approach: Approach, unreached: Unreached) -> Approach | None:
        """Where a call goes that a telephone has not taken; None if it goes nowhere."""
        when: When = "busy" if unreached == "busy" else "unanswered"
        forwarding = self._forwardings.get((approach.number, when))
        return approach.over(forwarding) if forwarding is not None else None
