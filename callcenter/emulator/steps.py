"""The steps of a transcript, as values; :mod:`callcenter.emulator.transcript` reads them from YAML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from callcenter.emulator.errors import EmulatorError
from callcenter.emulator.lines import Forwarding, Unreached

CALLER = "caller"  # the name of the telephone that calls


class TranscriptError(EmulatorError):
    """A transcript that cannot be used.

    Arguments:
        problems: one sentence each, ``file:line: what is wrong and what to write``.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Hears:
    """Something matching the pattern was heard since the last acting step, in any case of letters; its first group is
    kept under a name."""

    pattern: re.Pattern[str]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class HearsNot:
    """Nothing matching the pattern was heard since the last acting step."""

    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Presses:
    """Keys are pressed; ``{name}`` and ``{name!}`` stand for what was heard or read, and for its opposite."""

    keys: str


@dataclass(frozen=True, slots=True)
class Texts:
    """A text message matching the pattern arrived; its first group is kept under a name."""

    to: str
    pattern: re.Pattern[str]
    name: str | None


@dataclass(frozen=True, slots=True)
class NoTexts:
    """No text message arrived at this number since the call began."""

    to: str


@dataclass(frozen=True, slots=True)
class Mails:
    """A mail whose subject or text matches the pattern arrived; its first group is kept under a name."""

    to: str
    pattern: re.Pattern[str]
    name: str | None


@dataclass(frozen=True, slots=True)
class NoMails:
    """No mail arrived at this address since the call began."""

    to: str


@dataclass(frozen=True, slots=True)
class SendsText:
    """A telephone, the caller's if none is named, sends a text message, and the application takes it."""

    to: str
    body: str
    sender: str | None


@dataclass(frozen=True, slots=True)
class Waits:
    """Nothing is done for some seconds, of the call or, once it is over, after it."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Says:
    """The caller speaks."""

    text: str


@dataclass(frozen=True, slots=True)
class Answers:
    """Another telephone rings and is answered; it hears something, presses keys, and has a name from then on."""

    on: str
    pattern: re.Pattern[str] | None
    keys: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Rings:
    """Another telephone rings, and is not answered."""

    on: str


@dataclass(frozen=True, slots=True)
class NoRings:
    """This telephone does not ring."""

    on: str


@dataclass(frozen=True, slots=True)
class ContinuesOn:
    """From now on it is a telephone that was answered under a name that hears and acts; None is the caller again."""

    name: str | None


@dataclass(frozen=True, slots=True)
class HangsUp:
    """Whoever's turn it is hangs up, or a telephone that was answered under a name."""

    name: str | None


@dataclass(frozen=True, slots=True)
class Ends:
    """The other side has ended the call."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Another telephone calls, and has a name from then on."""

    caller: str
    called: str
    name: str


@dataclass(frozen=True, slots=True)
class Rejects:
    """Another telephone rings and is not picked up, and will not be."""

    on: str
    reason: Unreached


@dataclass(frozen=True, slots=True)
class HearsWhom:
    """Whoever's turn it is hears exactly these, by the names of their telephones, or comes to do so soon."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Held:
    """Whoever's turn it is is on hold in a conference, or is not, or comes to be so soon."""

    held: bool


@dataclass(frozen=True, slots=True)
class Operates:
    """Somebody on duty sees something on their screen, then answers it.

    Arguments:
        login: of their account.
        pattern: what stands there, or comes to stand there soon; ``None`` for whatever it is.
        absent: nothing that matches stands there.
        chooses: an option that they take, by its key or its name.
        fills: what they type, by the fields' names, before they send the form.
        emergency: they press the red button: somebody's life is in danger.
    """

    login: str
    pattern: re.Pattern[str] | None = None
    absent: bool = False
    chooses: str | None = None
    fills: tuple[tuple[str, str], ...] = ()
    emergency: bool = False


Action = (
    Calls
    | Operates
    | Held
    | HearsWhom
    | Rejects
    | Hears
    | HearsNot
    | Presses
    | Texts
    | NoTexts
    | Mails
    | NoMails
    | NoRings
    | Rings
    | SendsText
    | Waits
    | Says
    | Answers
    | ContinuesOn
    | HangsUp
    | Ends
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its place among the steps, from 1, and its line in the file."""

    number: int
    line: int
    action: Action


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What one record of the call must hold at least."""

    line: int
    fields: tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Somebody of the application's staff who answers calls by a telephone while the transcript runs.

    Arguments:
        login: of their account.
        telephone: E.164.
    """

    login: str
    telephone: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """One call as it should go.

    Arguments:
        path: the file.
        at: when it takes place, for tests that drive a clock.
        ledger: the records it leaves, all of them in order; None when it says nothing about them.
        ledger_line: where they stand in the file.
        forwarded_from: the line that was dialled, where it is forwarded to the called one.
        forwarding: what lines do while the call lasts.
        clients: identities under which softphones wait for calls meanwhile.
        on_duty: who answers by a telephone meanwhile; whoever runs the transcript sees to that.
    """

    path: Path
    title: str
    caller: str
    called: str
    steps: tuple[Step, ...]
    at: datetime | None = None
    ledger: tuple[LedgerRow, ...] | None = None
    ledger_line: int = 0
    forwarded_from: str | None = None
    forwarding: tuple[Forwarding, ...] = ()
    clients: tuple[str, ...] = ()
    on_duty: tuple[OnDuty, ...] = ()
