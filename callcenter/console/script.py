"""The script of a call, at the workplace: answers to it, drafts of what is typed, and the red button.

What is asked and what may be seen is the house's to say (``console.script_ports``); this page shows it, sends back
which screen was answered, and keeps nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from aiohttp import web

from callcenter.console import paths
from callcenter.console.script_fields import CHOICE, DOCUMENT, TYPED
from callcenter.console.script_ports import Script
from callcenter.console.troubles import Trouble, Turned
from callcenter.console.visits import Door, For, Problem, Visit
from callcenter.console.workplace import WorkplacePages

_DOCUMENT = re.compile(r"[0-9]{1,6}")
_NAME = re.compile(r"[a-z][a-z0-9_.]{0,59}")
_CHOICE = re.compile(r"[A-Za-z0-9_.:+-]{1,120}")


class ScriptPages:
    """What the script of a call is sent.

    Arguments:
        script: of whoever asks.
        workplace: shows how everything stands afterwards.
    """

    def __init__(self, script: Script, workplace: WorkplacePages) -> None:
        self._script = script
        self._workplace = workplace

    def doors(self) -> list[Door]:
        return [
            Door("POST", paths.WORKPLACE_SCRIPT, For.STAFF, self._answer, paths.WORKPLACE),
            Door("POST", paths.WORKPLACE_DRAFT, For.STAFF, self._draft, paths.WORKPLACE),
            Door("POST", paths.WORKPLACE_EMERGENCY, For.STAFF, self._emergency, paths.WORKPLACE),
        ]

    async def _answer(self, visit: Visit) -> web.StreamResponse:
        call, document, choice = visit.path_id("call"), _document(visit), visit.fields.get(CHOICE, "")
        if _CHOICE.fullmatch(choice) is None:
            raise Turned(Trouble.UNREADABLE)
        screen = await self._script.answer(visit.own_token, call, document, choice, typed(visit.fields))
        return await self._workplace.answered(visit, None if screen else Problem("not_done"), screen=screen)

    async def _draft(self, visit: Visit) -> web.StreamResponse:
        """204 where it is kept; 200 where it came too late for its screen, which is no fault of anybody's."""
        call, document = visit.path_id("call"), _document(visit)
        kept = await self._script.draft(visit.own_token, call, document, typed(visit.fields))
        return web.Response(status=204 if kept else 200)

    async def _emergency(self, visit: Visit) -> web.StreamResponse:
        noted = await self._script.emergency(visit.own_token, visit.path_id("call"))
        return await self._workplace.answered(visit, None if noted else Problem("not_done"), emergency=noted)


def typed(fields: Mapping[str, str]) -> dict[str, str]:
    """What was typed into the fields of a script, by their names.

    Arguments:
        fields: of the form, ours among them.
    """
    names = ((name, name.removeprefix(TYPED)) for name in _own(fields))
    return {own: fields[name] for name, own in names if _NAME.fullmatch(own)}


def _own(fields: Iterable[str]) -> Iterable[str]:
    return (name for name in fields if name.startswith(TYPED))


def _document(visit: Visit) -> int:
    """Which screen is answered.

    Raises:
        Turned: the form names none.
    """
    named = visit.fields.get(DOCUMENT, "")
    if _DOCUMENT.fullmatch(named) is None:
        raise Turned(Trouble.UNREADABLE)
    return int(named)
