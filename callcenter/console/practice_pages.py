"""All pages on which a practice's settings are seen, changed and tried."""

from __future__ import annotations

from callcenter.console.application import Pages
from callcenter.console.practice_people import PersonPages
from callcenter.console.practice_previews import PreviewPages
from callcenter.console.practice_settings import SettingPages
from callcenter.console.practices import PracticePages
from callcenter.console.practices_ports import PracticeSettings


def practice_pages(practices: PracticeSettings) -> tuple[Pages, ...]:
    """Each kind of page, on the same settings."""
    return PracticePages(practices), SettingPages(practices), PreviewPages(practices), PersonPages(practices)
