"""One setting of a practice: changed for now or for later, for good or for a while, tried before it is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aiohttp import web

from callcenter.console import paths
from callcenter.console.calendar_forms import GESTURE, MOST_ROWS
from callcenter.console.forms import PROOF
from callcenter.console.paths import with_return
from callcenter.console.practice_previews import MOMENT_DAY, MOMENT_TIME, NUMBER, HeardPage, with_sound
from callcenter.console.practices import entry, practice_path, shown
from callcenter.console.practices_ports import (
    Change,
    Clash,
    Heard,
    PracticeSettings,
    Refused,
    Same,
    Saved,
    Standing,
)
from callcenter.console.setting_addresses import setting_at, setting_path
from callcenter.console.setting_forms import FORMS, Form, local_zone
from callcenter.console.setting_mistakes import mistakes, warned
from callcenter.console.setting_periods import BEGINS, ENDS, Mistake, first_period, read_period
from callcenter.console.setting_words import ANSWERS, CHOICES, ENTRIES, MODES, NAMES, lines_of, national
from callcenter.console.told import Told, _
from callcenter.console.visits import Door, For, Problem, Visit
from callcenter.practice.changing import warnings
from callcenter.practice.opening import HOLIDAY_SUBDIVISIONS
from callcenter.practice.practice_form import Setting
from callcenter.speech.moments import WEEKDAYS

SEEN, NOTE = "vu", "note"
SAVE, TRY = "enregistrer", "apercu"
#: Versions that stand beside a form.
RECENT = 10
LONGEST_NOTE = 500

_SAME = _("C’est déjà ainsi : rien n’a été changé.")
_UNCONFIRMED = _("Rien n’est enregistré : confirmez d’abord votre identité.")


@dataclass(frozen=True, slots=True)
class _Typed:
    """A form as it stands on the page.

    Arguments:
        fields: of it, as typed.
        wrong: what is wrong with it.
        clash: what somebody else has set meanwhile, and what is wanted instead, in words.
        heard: what callers would hear.
        warned: what of the value that is tried should be looked at again.
    """

    fields: Mapping[str, str]
    wrong: Sequence[Mistake] = ()
    clash: tuple[Sequence[Told], Sequence[Told]] | None = None
    heard: HeardPage | None = None
    warned: Sequence[Told] = ()


class SettingPages:
    """The pages at ``/cabinets/…/reglages/…``."""

    def __init__(self, practices: PracticeSettings) -> None:
        self._practices = practices

    def doors(self) -> list[Door]:
        return [
            Door("GET", paths.PRACTICE_SETTING, For.STAFF, self._page),
            Door("POST", paths.PRACTICE_SETTING, For.STAFF, self._sent),
        ]

    async def _page(self, visit: Visit) -> web.StreamResponse:
        practice, setting, standing = await self._place(visit)
        if _unconfirmed(visit, setting):
            return visit.go(with_return(paths.CONFIRM, visit.request.path))
        fields = {
            **FORMS[setting].fill(standing.written[setting], standing.people),
            **first_period(setting),
            SEEN: str(standing.touched.get(setting, 0)),
        }
        return await self._shown(visit, practice, setting, standing, _Typed(fields))

    async def _sent(self, visit: Visit) -> web.StreamResponse:
        practice, setting, standing = await self._place(visit)
        form, fields = FORMS[setting], {name: text for name, text in visit.fields.items() if name != PROOF}
        gesture = fields.pop(GESTURE, SAVE)
        if gesture == TRY:
            return await self._tried(visit, practice, setting, standing, fields)
        if gesture != SAVE and form.act is not None:
            return await self._shown(visit, practice, setting, standing, _Typed(form.act(fields, gesture)))
        return await self._saved(visit, practice, setting, standing, fields)

    async def _place(self, visit: Visit) -> tuple[UUID, Setting, Standing]:
        """The practice and setting of the address, for somebody who may change it."""
        practice, setting = visit.path_id("practice"), setting_at(visit.request.match_info["setting"])
        standing = await self._practices.look(visit.own_token, practice)
        if setting not in standing.may:
            raise web.HTTPNotFound
        return practice, setting, standing

    async def _saved(
        self, visit: Visit, practice: UUID, setting: Setting, standing: Standing, fields: dict[str, str]
    ) -> web.StreamResponse:
        period = None if setting.immediate else read_period(fields, standing.now, standing.facts.timezone)
        if isinstance(period, Mistake):
            return await self._shown(visit, practice, setting, standing, _Typed(fields, [period]))
        if _unconfirmed(visit, setting):
            return await self._shown(visit, practice, setting, standing, _Typed(fields, [Mistake(None, _UNCONFIRMED)]))
        value = FORMS[setting].read(fields, standing.people)
        seen = fields.get(SEEN, "")
        change = Change(setting, value, period, int(seen) if _is_count(seen) else -1, fields.get(NOTE, ""))
        match await self._practices.put(visit.own_token, practice, change):
            case Saved():
                return visit.go(f"{practice_path(practice)}?fait=enregistre")
            case Refused(faults):
                typed = _Typed(fields, mistakes(setting, faults))
            case Same():
                typed = _Typed(fields, [Mistake(None, _SAME)])
            case Clash():
                standing = await self._practices.look(visit.own_token, practice)
                theirs = lines_of(setting, standing.written[setting])
                again = {**fields, SEEN: str(standing.touched.get(setting, 0))}
                typed = _Typed(again, clash=(theirs, _wanted(setting, value)))
        return await self._shown(visit, practice, setting, standing, typed)

    async def _tried(
        self, visit: Visit, practice: UUID, setting: Setting, standing: Standing, fields: dict[str, str]
    ) -> web.StreamResponse:
        """What callers would hear if it were saved; nothing is."""
        period = None if setting.immediate else read_period(fields, standing.now, standing.facts.timezone)
        if isinstance(period, Mistake):
            return await self._shown(visit, practice, setting, standing, _Typed(fields, [period]))
        at = None
        if period is not None and period.begins > standing.now:
            at = period.begins.astimezone(standing.facts.timezone).replace(tzinfo=None)
        value = FORMS[setting].read(fields, standing.people)
        number = fields.get(NUMBER) or None
        ends = None if period is None else period.ends
        heard = await self._practices.preview(visit.own_token, practice, number, at, {setting: value}, ends)
        if isinstance(heard, Heard):
            page = with_sound(visit, practice, heard)
            typed = _Typed(fields, heard=page, warned=warned(warnings(setting, value)))
        else:
            typed = _Typed(fields, mistakes(setting, heard.faults))
        return await self._shown(visit, practice, setting, standing, typed)

    async def _shown(
        self, visit: Visit, practice: UUID, setting: Setting, standing: Standing, typed: _Typed
    ) -> web.Response:
        form: Form = FORMS[setting]
        past = await self._practices.history(visit.own_token, practice, setting)
        failed, stands = [Problem("setting")] if typed.wrong or typed.clash else [], shown(standing, setting)
        return visit.show(
            "practice_setting.html",
            failed,
            facts=standing.facts,
            people=standing.people,
            setting=setting,
            form=form,
            name=NAMES[setting],
            f=typed.fields,
            wrong=typed.wrong,
            clash=typed.clash,
            heard=typed.heard,
            stands=stands,
            warned=typed.warned if typed.heard else stands.warned,
            entries=[entry(one) for one in past[:RECENT]],
            choices=CHOICES.get(setting, {}),
            answers=list(ANSWERS.items()),
            entry_kinds=list(ENTRIES.items()),
            whose=[("", _("tout le cabinet")), *((one.id.hex, one.titled) for one in standing.people)],
            modes=MODES,
            weekdays=WEEKDAYS,
            zones=[(zone, zone) for zone in local_zone(typed.fields, standing.facts.timezone)],
            subdivisions=[(code, code) for code in sorted(HOLIDAY_SUBDIVISIONS)],
            numbers=[(number, national(number)) for number in standing.facts.numbers],
            path=visit.request.path,
            practice_path=practice_path(practice),
            unconfirmed=_unconfirmed(visit, setting),
            confirm=with_return(paths.CONFIRM, visit.request.path),
            history_path=paths.PRACTICE_HISTORY.format(practice=practice),
            withdrawn_path=paths.PRACTICE_WITHDRAWN.format(practice=practice, setting=setting_path(setting)),
            **_FIELD_NAMES,
        )


_FIELD_NAMES: Mapping[str, Any] = {
    "seen_field": SEEN,
    "note_field": NOTE,
    "gesture_field": GESTURE,
    "number_field": NUMBER,
    "day_field": MOMENT_DAY,
    "time_field": MOMENT_TIME,
    "begins_field": BEGINS,
    "ends_field": ENDS,
    "save": SAVE,
    "attempt": TRY,
    "longest_note": LONGEST_NOTE,
    "most_rows": MOST_ROWS,
}


def _unconfirmed(visit: Visit, setting: Setting) -> bool:
    """Whether somebody would change where calls go without a second factor of the last minutes."""
    return setting.immediate and not visit.own_session.confirmed


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def _wanted(setting: Setting, value: Any) -> Sequence[Told]:
    """What somebody wants to set, in words; as it was typed where it cannot be read."""
    try:
        return lines_of(setting, value)
    except (KeyError, TypeError, ValueError, AttributeError):
        return [Told("%(text)s", {"text": str(value)})]
