"""A practitioner of a practice: what everybody may know, what nobody is told, and the line at which operators ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiohttp import web

from callcenter.console import paths
from callcenter.console.forms import PROOF
from callcenter.console.paths import with_return
from callcenter.console.practices import practice_path
from callcenter.console.practices_ports import (
    Fault,
    Person,
    PersonAdded,
    PersonChange,
    PracticeSettings,
    Refused,
    Same,
    Standing,
)
from callcenter.console.setting_mistakes import in_french
from callcenter.console.setting_periods import Mistake
from callcenter.console.told import _
from callcenter.console.visits import Door, For, Problem, Visit

NAME, TITLE, SPECIALITY, SENSITIVE, LOSES_MARK = "nom", "titre", "specialite", "sensible", "sans-mention"
LINE, WITHOUT_LINE = "ligne", "sans-ligne"
_FIELDS = {"name": NAME, "title": TITLE, "speciality": SPECIALITY, "sensitive": LOSES_MARK, "line": LINE}
_SAME = _("C’est déjà ainsi : rien n’a été changé.")
_UNCONFIRMED = _("Rien n’est enregistré : confirmez d’abord votre identité.")


class PersonPages:
    """The pages at ``/cabinets/…/praticiens/…``."""

    def __init__(self, practices: PracticeSettings) -> None:
        self._practices = practices

    def doors(self) -> list[Door]:
        return [
            Door("GET", paths.PRACTITIONERS, For.STAFF, self._new),
            Door("POST", paths.PRACTITIONERS, For.STAFF, self._added),
            Door("GET", paths.PRACTITIONER, For.STAFF, self._page),
            Door("POST", paths.PRACTITIONER, For.STAFF, self._sent),
        ]

    async def _new(self, visit: Visit) -> web.StreamResponse:
        return self._shown(visit, await self._managed(visit), None, {})

    async def _added(self, visit: Visit) -> web.StreamResponse:
        standing = await self._managed(visit)
        fields = {name: text for name, text in visit.fields.items() if name != PROOF}
        person = PersonAdded(
            name=fields.get(NAME, ""),
            title=fields.get(TITLE, ""),
            speciality=fields.get(SPECIALITY, ""),
            sensitive=SENSITIVE in fields,
            line=fields.get(LINE, ""),
        )
        if not visit.own_session.confirmed:
            return self._shown(visit, standing, None, fields, [Mistake(None, _UNCONFIRMED)])
        practice = visit.path_id("practice")
        outcome = await self._practices.add_person(visit.own_token, practice, person)
        if isinstance(outcome, Refused):
            return self._shown(visit, standing, None, fields, [_mistake(fault) for fault in outcome.faults])
        return visit.go(f"{practice_path(practice)}?fait=praticien")

    async def _page(self, visit: Visit) -> web.StreamResponse:
        standing, person = await self._place(visit)
        fields = {TITLE: person.title, SPECIALITY: person.speciality, **({SENSITIVE: "1"} if person.sensitive else {})}
        return self._shown(visit, standing, person, fields)

    async def _sent(self, visit: Visit) -> web.StreamResponse:
        standing, person = await self._place(visit)
        fields = {name: text for name, text in visit.fields.items() if name != PROOF}
        change = PersonChange(
            title=fields.get(TITLE, ""),
            speciality=fields.get(SPECIALITY, ""),
            sensitive=SENSITIVE in fields,
            line=fields.get(LINE, ""),
            without_line=WITHOUT_LINE in fields,
            loses_mark=LOSES_MARK in fields,
        )
        if not visit.own_session.confirmed:
            return self._shown(visit, standing, person, fields, [Mistake(None, _UNCONFIRMED)])
        practice = visit.path_id("practice")
        match await self._practices.change_person(visit.own_token, practice, person.id, change):
            case Refused(faults):
                return self._shown(visit, standing, person, fields, [_mistake(fault) for fault in faults])
            case Same():
                return self._shown(visit, standing, person, fields, [Mistake(None, _SAME)])
            case _:
                return visit.go(f"{practice_path(practice)}?fait=praticien")

    async def _place(self, visit: Visit) -> tuple[Standing, Person]:
        """The practice and practitioner of the address, for somebody who may change them."""
        standing, wanted = await self._managed(visit), visit.path_id("practitioner")
        person = next((one for one in standing.people if one.id == wanted), None)
        if person is None:
            raise web.HTTPNotFound
        return standing, person

    async def _managed(self, visit: Visit) -> Standing:
        """The practice of the address, for somebody who may change its practitioners."""
        standing = await self._practices.look(visit.own_token, visit.path_id("practice"))
        if not standing.manages:
            raise web.HTTPNotFound
        return standing

    def _shown(
        self,
        visit: Visit,
        standing: Standing,
        person: Person | None,
        fields: Mapping[str, str],
        wrong: Sequence[Mistake] = (),
    ) -> web.Response:
        return visit.show(
            "practice_person.html",
            [Problem("setting")] if wrong else (),
            facts=standing.facts,
            person=person,
            f=fields,
            wrong=wrong,
            path=visit.request.path,
            unconfirmed=not visit.own_session.confirmed,
            confirm=with_return(paths.CONFIRM, visit.request.path),
            practice_path=practice_path(standing.facts.id),
        )


def _mistake(fault: Fault) -> Mistake:
    return Mistake(_FIELDS.get(fault.path[0]) if fault.path else LINE, in_french(fault.what))
