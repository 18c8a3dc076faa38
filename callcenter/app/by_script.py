"""The scripts of operators, as the console asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from callcenter.app.script_words import worded
from callcenter.calls import script_values
from callcenter.calls.script_values import Operator, ScriptScreen, ShownField
from callcenter.calls.scripts import Scripts
from callcenter.calls.shelf import Shelf
from callcenter.console.script_ports import (
    RETURNED,
    Ask,
    AtKeys,
    Choice,
    Done,
    Emergency,
    FileItem,
    Files,
    Form,
    FormField,
    Kind,
    Moment,
    Option,
    Screen,
    ShownValue,
)
from callcenter.flow import screens
from callcenter.flow.prompts import PromptBook
from callcenter.flow.script_files import field_prompt
from callcenter.kernel.clock import Clock
from callcenter.kernel.labels import Category
from callcenter.staff.room import StaffRoom


@dataclass(frozen=True, slots=True)
class OperatorsScripts:
    """Implements ``console.script_ports.Script``.

    Arguments:
        flows: words of fields that may be shown where the script's own are not known; its policy names categories.
    """

    room: StaffRoom
    scripts: Scripts
    clock: Clock
    flows: Shelf

    async def look(self, token: str, call: UUID) -> Screen | None:
        return self._screen(await self.scripts.look(await self._operator(token), call))

    async def answer(
        self, token: str, call: UUID, document: int, choice: str, values: Mapping[str, str]
    ) -> Screen | None:
        event = screens.Returned() if choice == RETURNED else screens.Filled(choice, values)
        return self._screen(await self.scripts.answer(await self._operator(token), call, document, event))

    async def draft(self, token: str, call: UUID, document: int, values: Mapping[str, str]) -> bool:
        return await self.scripts.draft(await self._operator(token), call, document, values)

    async def emergency(self, token: str, call: UUID) -> Emergency | None:
        return _emergency(await self.scripts.emergency(await self._operator(token), call))

    async def _operator(self, token: str) -> Operator:
        """Whose the session is, as the account stands at this moment.

        Raises:
            Forbidden: it has ended in the meantime.
        """
        session = await self.room.standing(token, active=False)
        account = session.account
        return Operator(account.id, trained=account.standing(self.clock.now()).may_reveal)

    def _screen(self, made: ScriptScreen | None) -> Screen | None:
        if made is None:
            return None
        stands, book = made.stands, made.stands.book or self.flows.book
        return Screen(
            call=stands.reservation,
            document=stands.document,
            said=tuple(line.text for line in stands.screen.lines),
            shown=tuple(self._shown(one, book) for one in stands.shown),
            ask=self._ask(stands.screen, back=not stands.typing),
            timeline=tuple(_moment(one) for one in stands.timeline),
            level=int(stands.level),
            patient=stands.patient,
            live=stands.live,
            now=stands.now,
            emergency=_emergency(stands.emergency),
            proving=stands.proving,
            worded={one: worded(book, stands.screen, one) for one in book.translations},
        )

    def _ask(self, screen: screens.Screen, *, back: bool) -> Ask:
        match screen:
            case screens.Choice(options=options):
                return Choice(_options(options))
            case screens.Form(fields=fields, options=options):
                return Form(tuple(map(_field, fields)), _options(options))
            case screens.AtKeys(options=options):
                return AtKeys(_options(options), back)
            case screens.Files(items=items, options=options, link=link):
                return Files(tuple(map(self._item, items)), _options(options), link)
            case screens.Finished():
                return Done()

    def _item(self, one: screens.FileItem) -> FileItem:
        code = one.category.value
        return FileItem(
            one.choice, one.path, one.label.text, code, self._named(one.category), one.done, one.key, one.withheld
        )

    def _shown(self, one: ShownField, book: PromptBook) -> ShownValue:
        label = _said(book, field_prompt(one.path))
        return ShownValue(one.path, label, one.category.value, self._named(one.category), one.value, one.until)

    def _named(self, category: Category) -> str:
        return self.flows.policy.rules[category].name


def _said(book: PromptBook, prompt: str) -> str:
    return book.said(prompt, "fr").render({})


def _emergency(noted: script_values.Emergency | None) -> Emergency | None:
    return None if noted is None else Emergency(noted.at, noted.said, noted.line)


def _options(options: tuple[screens.Option, ...]) -> tuple[Option, ...]:
    return tuple(Option(one.choice, one.label.text, one.key) for one in options)


def _field(one: screens.FormField) -> FormField:
    return FormField(
        one.name,
        Kind(one.kind.value),
        one.label.text,
        one.required,
        one.longest,
        one.value,
        _options(one.options),
        "" if one.fault is None else one.fault.text,
    )


def _moment(one: script_values.Moment) -> Moment:
    return Moment(one.at, one.kind, one.details)
