"""The telephones' page: the emulator's telephones in a browser, and what the application was asked in each call."""

from __future__ import annotations

from callcenter.emulator.browser.microphones import Microphones
from callcenter.emulator.browser.page import PhonePage

__all__ = ["Microphones", "PhonePage"]
