"""French as it is spoken on the telephone: the door to the modules that each know one kind of value.

All are pure functions on plain values.
"""

from __future__ import annotations

from callcenter.speech.moments import spoken_date, spoken_datetime, spoken_hours, spoken_time
from callcenter.speech.names import spoken_name
from callcenter.speech.numerals import NoSpokenForm, spoken_digits, spoken_feminine, spoken_number, spoken_phone
from callcenter.speech.renderings import renderings
from callcenter.speech.written import written_day, written_slot, written_time

__all__ = [
    "NoSpokenForm",
    "renderings",
    "spoken_date",
    "spoken_datetime",
    "spoken_digits",
    "spoken_feminine",
    "spoken_hours",
    "spoken_name",
    "spoken_number",
    "spoken_phone",
    "spoken_time",
    "written_day",
    "written_slot",
    "written_time",
]
