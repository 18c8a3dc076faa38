"""The practices whose settings somebody may change: which there are, how one stands, what was set before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from callcenter.console import paths
from callcenter.console.practices_ports import Past, Person, PracticeSettings, Standing
from callcenter.console.setting_addresses import setting_at, setting_path
from callcenter.console.setting_mistakes import in_french, warned
from callcenter.console.setting_words import NAMES, Difference, difference, lines_of, national
from callcenter.console.told import Told
from callcenter.console.troubles import Trouble, Turned
from callcenter.console.visits import Door, For, Problem, Visit
from callcenter.practice.changing import warnings
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.practice_form import Setting

SEARCH = "recherche"
REVISION = "version"
#: Characters of a search.
LONGEST_SEARCH = 80
#: Of the page's address: what has just been done.
DONE = frozenset({"enregistre", "retire", "praticien"})

#: The settings in the order of the page: what changes every day comes first.
GROUPS: Sequence[tuple[str, tuple[Setting, ...]]] = (
    ("today", (Setting.MESSAGE_OF_THE_DAY, Setting.INSTRUCTIONS)),
    (
        "answering",
        (
            Setting.HOURS,
            Setting.RECEPTION,
            Setting.ANSWER_MODE,
            Setting.CLOSING_CONDUCT,
            Setting.OUT_OF_HOURS_NUMBER,
            Setting.HOLIDAY_SUBDIVISION,
            Setting.TIMEZONE,
        ),
    ),
    ("calls", (Setting.WAITING, Setting.VOICE_MESSAGES, Setting.ESCALATION, Setting.VOICE)),
    ("appointments", (Setting.AGENDA, Setting.BOOKING, Setting.REMINDERS)),
    ("emergency", (Setting.EMERGENCY_LINE, Setting.BREAK_GLASS)),
    ("identity", (Setting.SPOKEN_NAME, Setting.NAME, Setting.ADDRESS, Setting.ACCESS)),
    ("numbers", (Setting.NUMBERS, Setting.RESCUE_NUMBER, Setting.OTHER_LINES)),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting on a page.

    Arguments:
        lines: what it says.
        until: when that ends, aware; ``None`` for an open end.
        then: what it says afterwards.
        warned: what of it should be looked at again.
        path: where it is changed, for whoever may.
    """

    setting: Setting
    name: Told
    lines: tuple[Told, ...]
    until: datetime | None
    then: tuple[Told, ...]
    warned: tuple[Told, ...]
    path: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A version on a page, and what it changed."""

    past: Past
    name: Told
    changed: Difference


class PracticePages:
    """The pages at ``/cabinets``."""

    def __init__(self, practices: PracticeSettings) -> None:
        self._practices = practices

    def doors(self) -> list[Door]:
        return [
            Door("GET", paths.PRACTICES, For.STAFF, self._list),
            Door("POST", paths.PRACTICES, For.STAFF, self._list),
            Door("GET", paths.PRACTICE, For.STAFF, self._page),
            Door("GET", paths.PRACTICE_HISTORY, For.STAFF, self._history),
            Door("POST", paths.PRACTICE_WITHDRAWN, For.STAFF, self._withdraw, back=paths.PRACTICES),
        ]

    async def _list(self, visit: Visit) -> web.StreamResponse:
        search = " ".join(visit.fields.get(SEARCH, "").split())[:LONGEST_SEARCH]
        found = await self._practices.practices(visit.own_token, search)
        return visit.show("practices.html", practices=found, search=search, search_field=SEARCH)

    async def _page(self, visit: Visit) -> web.StreamResponse:
        practice = visit.path_id("practice")
        standing = await self._practices.look(visit.own_token, practice)
        facts, now = standing.facts, standing.now
        done = visit.request.query.get("fait")
        return visit.show(
            "practice.html",
            standing=standing,
            facts=facts,
            groups=[(name, [shown(standing, one) for one in settings]) for name, settings in GROUPS],
            coming=[entry(one) for one in standing.coming],
            receptions=[(national(number), facts.arrival(number, now).value) for number in facts.numbers],
            opens=facts.next_opening(now),
            closes=closes(facts, now),
            done=done if done in DONE else None,
            practice_path=practice_path(practice),
            history_path=paths.PRACTICE_HISTORY.format(practice=practice),
            preview_path=paths.PRACTICE_PREVIEW.format(practice=practice),
            people_path=paths.PRACTITIONERS.format(practice=practice),
            person_path=lambda person: person_path(practice, person),
        )

    async def _history(self, visit: Visit) -> web.StreamResponse:
        return await self._past(visit)

    async def _withdraw(self, visit: Visit) -> web.StreamResponse:
        practice, setting = visit.path_id("practice"), setting_at(visit.request.match_info["setting"])
        revision = visit.fields.get(REVISION, "")
        if not (revision.isascii() and revision.isdigit() and len(revision) < 16):
            raise Turned(Trouble.UNREADABLE)
        outcome = await self._practices.withdraw(visit.own_token, practice, setting, int(revision))
        faults = getattr(outcome, "faults", ())
        if faults:
            return await self._past(visit, [in_french(fault.what) for fault in faults])
        return visit.go(f"{practice_path(practice)}?fait=retire")

    async def _past(self, visit: Visit, refused: Sequence[Told] = ()) -> web.StreamResponse:
        practice = visit.path_id("practice")
        standing = await self._practices.look(visit.own_token, practice)
        past = await self._practices.history(visit.own_token, practice)
        return visit.show(
            "practice_history.html",
            [Problem("refused")] if refused else (),
            facts=standing.facts,
            entries=[entry(one) for one in past],
            refused=refused,
            practice_path=practice_path(practice),
            withdrawn_path=lambda one: paths.PRACTICE_WITHDRAWN.format(
                practice=practice, setting=setting_path(one.past.setting)
            ),
            revision_field=REVISION,
        )


def practice_path(practice: object) -> str:
    return paths.PRACTICE.format(practice=practice)


def person_path(practice: object, person: Person) -> str:
    return paths.PRACTITIONER.format(practice=practice, practitioner=person.id)


def shown(standing: Standing, setting: Setting) -> Shown:
    """A setting as it stands."""
    value, afterwards = standing.written[setting], standing.afterwards.get(setting)
    path = paths.PRACTICE_SETTING.format(practice=standing.facts.id, setting=setting_path(setting))
    return Shown(
        setting,
        NAMES[setting],
        tuple(lines_of(setting, value)),
        None if afterwards is None else afterwards.since,
        () if afterwards is None else readable(setting, afterwards.value),
        tuple(warned(warnings(setting, value))),
        path if setting in standing.may else None,
    )


def readable(setting: Setting, value: Any) -> tuple[Told, ...]:
    """What a value says; nothing, where another program has kept what cannot be read."""
    try:
        return tuple(lines_of(setting, value))
    except (KeyError, TypeError, ValueError, AttributeError):
        return ()


def entry(past: Past) -> Entry:
    """A version, with what it changed."""
    return Entry(past, NAMES[past.setting], changed(past.setting, past.before, past.value, first=past.first))


def changed(setting: Setting, before: Any, value: Any, *, first: bool) -> Difference:
    """The difference that a version made. What another program has kept may not be readable: then it is not told."""
    try:
        return difference(setting, before, value, first=first)
    except (KeyError, TypeError, ValueError, AttributeError):
        return Difference((), ())


def closes(facts: PracticeFacts, now: datetime) -> datetime | None:
    """When nobody answers any more today, for a practice at which somebody does now."""
    if not facts.is_open(now):
        return None
    local = now.astimezone(facts.timezone)
    return next((at for at in _minutes_left(local) if not facts.is_open(at)), None)


def _minutes_left(local: datetime) -> Iterator[datetime]:
    """The minutes that are left of a day."""
    minute = timedelta(minutes=1)
    at = local.replace(second=0, microsecond=0) + minute
    while at.date() == local.date():
        yield at
        at += minute
