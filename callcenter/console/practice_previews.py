"""« What will callers hear? »: as text and as sound, for a number and a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aiohttp import web

from callcenter.console import paths
from callcenter.console.headers import SOUND, Sound
from callcenter.console.practices import practice_path
from callcenter.console.practices_ports import Heard, PracticeSettings, Refused
from callcenter.console.setting_mistakes import in_french
from callcenter.console.setting_periods import Mistake, moment_of
from callcenter.console.setting_words import national
from callcenter.console.told import _
from callcenter.console.troubles import Trouble, Turned
from callcenter.console.visits import Door, For, Problem, Visit

NUMBER, MOMENT_DAY, MOMENT_TIME = "numero-appele", "jour", "heure"
_NO_MOMENT = _("Indiquez un jour, comme 24/12/2026, et une heure, comme 18:30, ou laissez les deux vides.")


@dataclass(frozen=True, slots=True)
class HeardPage:
    """What is heard, on a page.

    Arguments:
        number: as it is written in France.
        source: address of its sound; empty where there is none.
    """

    heard: Heard
    number: str
    source: str


def with_sound(visit: Visit, practice: UUID, heard: Heard) -> HeardPage:
    """What is heard, on a page that may play it and nothing else."""
    source = paths.PRACTICE_SOUND.format(practice=practice, sound=heard.sound) if heard.sound else ""
    if source:
        visit.request[SOUND] = Sound(plays=("'self'",), speaks=False)
    return HeardPage(heard, national(heard.number), source)


class PreviewPages:
    """The pages at ``/cabinets/…/apercu`` and the sounds that they play."""

    def __init__(self, practices: PracticeSettings) -> None:
        self._practices = practices

    def doors(self) -> list[Door]:
        return [
            Door("GET", paths.PRACTICE_PREVIEW, For.STAFF, self._now),
            Door("POST", paths.PRACTICE_PREVIEW, For.STAFF, self._asked),
            Door("GET", paths.PRACTICE_SOUND, For.STAFF, self._sound, by_itself=True),
        ]

    async def _now(self, visit: Visit) -> web.StreamResponse:
        return await self._shown(visit, None, None)

    async def _asked(self, visit: Visit) -> web.StreamResponse:
        day, hour = visit.fields.get(MOMENT_DAY, "").strip(), visit.fields.get(MOMENT_TIME, "").strip()
        number, at = visit.fields.get(NUMBER) or None, moment_of(day, hour) if day else None
        wrong = [Mistake(MOMENT_DAY, _NO_MOMENT)] if at is None and (day or hour) else []
        return await self._shown(visit, number, at, wrong)

    async def _shown(
        self, visit: Visit, number: str | None, at: datetime | None, wrong: Sequence[Mistake] = ()
    ) -> web.Response:
        practice = visit.path_id("practice")
        standing = await self._practices.look(visit.own_token, practice)
        heard = None if wrong else await self._practices.preview(visit.own_token, practice, number, at)
        if isinstance(heard, Refused):
            wrong, heard = [Mistake(None, in_french(fault.what)) for fault in heard.faults], None
        return visit.show(
            "practice_preview.html",
            [Problem("setting")] if wrong else (),
            facts=standing.facts,
            heard=None if heard is None else with_sound(visit, practice, heard),
            wrong=wrong,
            f=visit.fields,
            numbers=[(one, national(one)) for one in standing.facts.numbers],
            number_field=NUMBER,
            day_field=MOMENT_DAY,
            time_field=MOMENT_TIME,
            path=visit.request.path,
            practice_path=practice_path(practice),
        )

    async def _sound(self, visit: Visit) -> web.StreamResponse:
        sound = await self._practices.sound(
            visit.own_token, visit.path_id("practice"), visit.request.match_info["sound"]
        )
        if sound is None:
            raise Turned(Trouble.NOT_FOUND)
        return web.Response(body=sound, content_type="audio/wav")
