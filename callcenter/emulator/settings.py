"""What an emulator is told before it starts: whose account it is and where its numbers lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class NumberSettings:
    """Where the carrier asks what to do with a call or a text message to one number.

    Arguments:
        voice_url: URL of the first document; its fragment may hold connection overrides.
        fallback_url: asked instead when a document cannot be fetched or executed.
        status_callback: told once, when the call has ended.
        messaging_url: asked what to do with a text message to the number; without it, nobody is.
    """

    voice_url: str
    fallback_url: str | None = None
    status_callback: str | None = None
    messaging_url: str | None = None


@dataclass(frozen=True, slots=True)
class NamedNumber:
    """A number that the telephones' page offers by name.

    Arguments:
        number: E.164.
        name: whose it is.
        hint: what somebody who tries it should know.
    """

    number: str
    name: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class EmulatorSettings:
    """The account, its numbers and the emulator's own address.

    Arguments:
        account_sid: ``AC`` and 32 hexadecimal digits.
        auth_token: signs webhooks and opens the REST interface.
        default_number: settings of every called number that has none of its own.
        numbers: settings by called number (E.164); a Dial to one of these is an inbound call of ours.
        host: address to listen on.
        port: port to listen on, 0 for any free one.
        senders: numbers and names of the account besides ``numbers`` that messages may come from; with none of either,
            messages may come from anywhere.
        minds_stop: whether the carrier minds STOP and START in text messages itself.
        smtp_port: where mails are taken, 0 for any free port; None for no mailbox.
        telephones: telephones that the page in the browser offers.
        lines: numbers that it offers to call.
        api_keys: secrets of the account's API keys by their identifiers (``SK…``): they sign softphones' access tokens.
        applications: what softphones may call, by identifiers (``AP…``); of it, ``messaging_url`` is for nothing.
        captions_url: asked with the last segment of a Play's URL for what that audio says.
    """

    account_sid: str
    auth_token: str
    default_number: NumberSettings
    numbers: Mapping[str, NumberSettings] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 8090
    captions_url: str | None = None
    senders: frozenset[str] = frozenset()
    minds_stop: bool = False
    smtp_port: int | None = None
    telephones: tuple[NamedNumber, ...] = ()
    lines: tuple[NamedNumber, ...] = ()
    api_keys: Mapping[str, str] = field(default_factory=dict)
    applications: Mapping[str, NumberSettings] = field(default_factory=dict)

    def number(self, called: str) -> NumberSettings:
        """The settings of the number that was called."""
        return self.numbers.get(called, self.default_number)


class CallClock(Protocol):
    """A clock that tests share between the emulator and the application."""

    def now(self) -> datetime: ...

    def advance(self, seconds: float) -> None: ...
