"""A carrier in a box: a Twilio-compatible telephone network over HTTP, for tests, demonstration and the terminal.

It uses nothing of callcenter: what passes against it passes for the same reasons against the carrier.
"""

from __future__ import annotations

from callcenter.emulator.server import Emulator
from callcenter.emulator.settings import CallClock, EmulatorSettings, NamedNumber, NumberSettings

__all__ = ["CallClock", "Emulator", "EmulatorSettings", "NamedNumber", "NumberSettings"]
