"""Errors of the emulator; it has a root of its own because it uses nothing of callcenter."""

from __future__ import annotations


class EmulatorError(Exception):
    """The emulator cannot do what it was asked."""


class Refusal(EmulatorError):
    """A request to the control interface that cannot be served; the message says what to send.

    Arguments:
        message: what is wrong and what to send instead.
        status: the HTTP status it is answered with.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)


class Unreachable(EmulatorError):
    """No emulator answers at this address."""
