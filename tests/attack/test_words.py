"""Whoever writes the prompts, and would have them tell what no gate lets out."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from callcenter.flow import prompts
from callcenter.flow.prompts import PromptBook
from callcenter.kernel.errors import DataProblems
from tests.attack.defence import FOILED, Defence, Outcome, Sabotage, attack, gained

WITHHELD = "dont je ne dois pas dire le nom"


def book_of(folder: Path, text: str) -> PromptBook | None:
    """A book with these words about an appointment, whose practitioner may be withheld, if it may be used."""
    file = folder / "book.yaml"
    optional = "optional: [appointment.practitioner]"
    file.write_text(f'prompts:\n  visit: {{text: "{text}", {optional}}}\n', "utf-8")
    try:
        return PromptBook.load(file)
    except DataProblems:
        return None


def _absence_may_be_said(sabotage: Sabotage) -> None:
    sabotage.replace(prompts, "told_by_absence", lambda parts: ())


SILENT = Defence("what is withheld has no words of its own", "P9, D05", _absence_may_be_said)


@attack(stopped_by=SILENT)
def test_p9_a_prompt_says_that_the_practitioner_is_withheld(tmp_path: Path) -> Outcome:
    """It is withheld where a colleague is sensitive: who hears that it is learns whose the appointment may be."""
    said = "{{ appointment.starts_at | spoken_date }}"
    named = f"{{% if appointment.practitioner %}}{{{{ appointment.practitioner }}}}{{% else %}}{WITHHELD}{{% endif %}}"
    book = book_of(tmp_path, f"{said}, {named}")
    if book is None:
        return FOILED
    opened = {"appointment.starts_at": datetime(2026, 12, 1, 14, 30), "appointment.practitioner": None}  # noqa: DTZ001
    return gained(WITHHELD in book["visit"].render(opened, today=date(2026, 11, 26)))
