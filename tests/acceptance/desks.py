"""The screens of those on duty in a transcript: the scripts of their calls, answered as a page would."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import text

from callcenter.app import Running
from callcenter.calls.script_values import Operator, Stands
from callcenter.calls.scripts import Scripts
from callcenter.flow.screens import SEND, AtKeys, Files, Filled, Finished, Form, Option, Returned, Screen


class StaffDesks:
    """Implements ``callcenter.emulator.desks.Desks`` on a house that runs."""

    def __init__(self, running: Running) -> None:
        self._database = running.database
        self._scripts = Scripts(running.keypad._house, running.keypad)

    async def words(self, login: str) -> str | None:
        stands = await self._stands(login)
        if stands is None:
            return None
        shown = [f"{one.path} {one.value}" for one in stands.shown]
        return " ".join([*(line.text for line in stands.screen.lines), *_asked(stands.screen), *shown])

    async def answer(self, login: str, choice: str | None, values: Mapping[str, str]) -> str | None:
        stands = await self._stands(login)
        call = await self._call(login)
        if stands is None or call is None:
            return "aucun écran"
        filled = _filled(stands.screen, choice, values)
        if filled is None:
            return f"l'écran n'offre pas cela : {' / '.join(_asked(stands.screen))}"
        operator, reservation = call
        made = await self._scripts.answer(operator, reservation, stands.document, filled)
        return None if made is not None and made.stands.document > stands.document else "rien n'a changé"

    async def _stands(self, login: str) -> Stands | None:
        """Like a page, which asks by itself whether a caller is back from their keys."""
        call = await self._call(login)
        made = None if call is None else await self._scripts.look(*call)
        if made is None or call is None:
            return None
        if isinstance(made.stands.screen, AtKeys) and not made.stands.typing:
            made = await self._scripts.answer(*call, made.stands.document, Returned())
        return None if made is None else made.stands

    async def _call(self, login: str) -> tuple[Operator, UUID] | None:
        async with self._database.house() as connection:
            row = (await connection.execute(_LAST, {"login": login})).one_or_none()
        return None if row is None else (Operator(row.staff_id, trained=True), row.id)


def _asked(screen: Screen) -> list[str]:
    match screen:
        case Form(fields=fields):
            faults = [one.fault.text for one in fields if one.fault is not None]
            return [*(f"{one.label.text} {one.value}" for one in fields), *faults]
        case Files(items=items, options=options):
            return [*(one.label.text for one in items), *(one.label.text for one in options)]
        case Finished():
            return []
        case _:
            return [one.label.text for one in screen.options]


def _filled(screen: Screen, choice: str | None, values: Mapping[str, str]) -> Filled | None:
    """What a page would send; ``None`` where the screen has no such option or field."""
    if isinstance(screen, Finished):
        return None
    if isinstance(screen, Form):
        names = {one.name: one.value for one in screen.fields}
        return Filled(choice or SEND, {**names, **values}) if values.keys() <= names.keys() else None
    offered: tuple[Option, ...] = screen.options
    items = screen.items if isinstance(screen, Files) else ()
    keys = {one.key: one.choice for one in (*items, *offered) if one.key}
    choices = {one.choice for one in (*items, *offered)}
    taken = choice if choice in choices else keys.get(choice or "")
    return None if taken is None or values else Filled(taken)


_LAST = text(
    """
    SELECT r.id, r.staff_id FROM reservation r JOIN staff_account a ON a.id = r.staff_id
    WHERE a.login = :login AND r.connected_at IS NOT NULL ORDER BY r.number DESC LIMIT 1
    """
)
