"""The words of text messages, as they are shipped."""

from __future__ import annotations

from pathlib import Path

from callcenter.calls import appointment_texts, codes
from callcenter.flow.prompts import PromptBook

_BOOK = PromptBook.load(Path(__file__).parents[1] / "flows/prompts/fr.yaml")
APPOINTMENT_TEXT, CODE_TEXT = _BOOK[appointment_texts.KEY], _BOOK[codes.KEY]
