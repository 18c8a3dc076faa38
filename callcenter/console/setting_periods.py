"""From when until when a setting is to hold, as a form asks for it, in the practice's own time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from callcenter.console.calendar_forms import clock
from callcenter.console.told import Told, _
from callcenter.practice.practice_form import Setting
from callcenter.practice.setting_versions import Period

BEGINS, BEGINS_DAY, BEGINS_TIME = "debut", "debut-jour", "debut-heure"
ENDS, ENDS_DAY, ENDS_TIME = "fin", "fin-jour", "fin-heure"

#: Years that can be meant: what lies outside is a slip of the hand.
FIRST_YEAR, LAST_YEAR = 2000, 2199

#: How many midnights away the quick ends are; the week's is that behind Sunday.
_QUICK = {"ce-soir": 1, "demain": 2}


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something wrong with a form.

    Arguments:
        field: of the form, if it is one's.
    """

    field: str | None
    words: Told


def first_period(setting: Setting) -> dict[str, str]:
    """What the fields say before anybody has touched them."""
    return {BEGINS: "maintenant", ENDS: "ce-soir" if setting.passing else "sans"}


def read_period(fields: Mapping[str, str], now: datetime, zone: ZoneInfo) -> Period | Mistake | None:
    """The period that is meant; ``None`` for from now on, for good."""
    begins: datetime | Mistake = now
    if fields.get(BEGINS) == "date":
        begins = _moment(fields, BEGINS_DAY, BEGINS_TIME, zone)
    if isinstance(begins, Mistake):
        return begins
    ends = _end(fields, begins, zone)
    if isinstance(ends, Mistake):
        return ends
    return None if begins is now and ends is None else Period(begins, ends)


def _end(fields: Mapping[str, str], begins: datetime, zone: ZoneInfo) -> datetime | Mistake | None:
    wanted, day = fields.get(ENDS), begins.astimezone(zone).date()
    if wanted == "date":
        return _moment(fields, ENDS_DAY, ENDS_TIME, zone)
    ahead = 7 - day.weekday() if wanted == "semaine" else _QUICK.get(wanted or "")
    return None if ahead is None else datetime.combine(day + timedelta(days=ahead), time(0), zone)


def _moment(fields: Mapping[str, str], day: str, hour: str, zone: ZoneInfo) -> datetime | Mistake:
    moment = moment_of(fields.get(day, ""), fields.get(hour, ""))
    if moment is None:
        return Mistake(day, _("Indiquez un jour, comme 24/12/2026, et une heure, comme 18:30."))
    return moment.replace(tzinfo=zone)


def moment_of(day: str, hour: str) -> datetime | None:
    """A naive moment of a day (2026-12-24 or 24/12/2026) and an hour; midnight without one; ``None`` for none."""
    written = "-".join(reversed(day.strip().split("/"))) if "/" in day else day.strip()
    try:
        moment = datetime.fromisoformat(f"{written}T{clock(hour) or '00:00'}").replace(tzinfo=None)
    except ValueError:
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None
