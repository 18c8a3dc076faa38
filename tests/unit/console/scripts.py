"""A script in memory, with a screen of each kind; what was answered, kept and noted stays to be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from callcenter.console.script_ports import (
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
from callcenter.kernel.errors import Forbidden
from tests.unit.console.workplaces import CALL, NOW

URGENCIES = (Option("normal", "Normale"), Option("urgent", "Urgente"))
REASONS = (("1", "Message"), ("2", "Rendez-vous"), ("3", "Agenda"), ("0", "Fin"))
SEND = (Option("send", "Envoyer"), Option("leave", "Revenir"))
DATE = FileItem(
    "reveal:appointment.starts_at", "appointment.starts_at", "Jour et heure", "D02", "date d’un rendez-vous", False
)
PLACE = FileItem("reveal:appointment.place", "appointment.place", "Lieu", "D04", "lieu d’un rendez-vous", False)
TOLD = FileItem("declare:D02", "", "Date communiquée", "D02", "date d’un rendez-vous", False)
DISPOSITIONS = (Option("message", "Message transmis"), Option("told", "Rendez-vous communiqué"))
VALUE = "mardi 1er décembre, 14 h 30"

SCREENS: Mapping[str, Ask] = {
    "reason": Choice(tuple(Option(key, label, key) for key, label in REASONS)),
    "message": Form(
        (
            FormField("whom", Kind.CHOICE, "Pour", True, 40, "practice", (Option("practice", "Le cabinet"),)),
            FormField("urgency", Kind.CHOICE, "Urgence", True, 40, "normal", URGENCIES),
            FormField("number", Kind.TELEPHONE, "Numéro de rappel", True, 20, "0639980001"),
            FormField("text", Kind.TEXT, "Message", True, 1000),
        ),
        SEND,
    ),
    "verify": Form(
        (
            FormField("birth_date", Kind.DATE, "Date de naissance", True, 10),
            FormField("telephone", Kind.TELEPHONE, "Téléphone", True, 20, "0639980001"),
        ),
        SEND,
    ),
    "at_keys": AtKeys((Option("leave", "Ne plus attendre"),), back=True),
    "files": Files((DATE, PLACE), (Option("then", "Suite"),)),
    "declare": Files((TOLD,), (Option("then", "Suite"),), "https://agenda.example/tilleuls"),
    "dispose": Form(
        (
            FormField("disposition", Kind.CHOICE, "Issue de l’appel", True, 40, "", DISPOSITIONS),
            FormField("note", Kind.TEXT, "Note pour les superviseurs (facultative)", False, 1000),
        ),
        SEND[:1],
    ),
    "done": Done(),
}
SAID = {
    "reason": "Quel est l’objet de l’appel ?",
    "message": "Notez le message.",
    "verify": "Demandez la date de naissance, puis le téléphone.",
    "at_keys": "L’appelant tape un code.",
    "files": "Montrez ce dont l’appelant a besoin.",
    "declare": "Lisez dans l’agenda du cabinet.",
    "dispose": "Qu’est devenu l’appel ?",
    "done": "L’appel est clos.",
}
WAYS = {
    ("reason", "1"): "message",
    ("reason", "2"): "verify",
    ("reason", "3"): "declare",
    ("reason", "0"): "dispose",
    ("message", "send"): "dispose",
    ("message", "leave"): "reason",
    ("verify", "send"): "at_keys",
    ("verify", "leave"): "reason",
    ("at_keys", "returned"): "files",
    ("at_keys", "leave"): "reason",
    ("files", "then"): "dispose",
    ("declare", "then"): "dispose",
    ("dispose", "send"): "done",
}


def first() -> Screen:
    """The screen with which a script begins."""
    return Screen(CALL, 1, (SAID["reason"],), (), SCREENS["reason"], (), 0, False, True, NOW)


@dataclass(slots=True)
class ScriptDouble:
    """Implements ``console.script_ports.Script``.

    Arguments:
        call: whose script it is; nobody has another.
        now: when it is looked at; by default the moment that stands in the screen.
    """

    call: UUID = CALL
    step: str = "reason"
    screen: Screen = field(default_factory=first)
    answers: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)
    drafts: list[dict[str, str]] = field(default_factory=list)
    emergencies: int = 0
    emergency_line: str = ""
    forbidden: bool = False
    now: Any = None

    def stands(self, step: str, **how: Any) -> None:
        """Go to a step."""
        said = how.pop("said", (SAID[step],))
        self.step = step
        self.screen = replace(
            self.screen, document=self.screen.document + 1, ask=how.pop("ask", SCREENS[step]), said=said, **how
        )

    def _looked(self) -> Screen:
        if self.now is None:
            return self.screen
        now: datetime = self.now()
        shown = tuple(one for one in self.screen.shown if one.until > now)
        return replace(self.screen, now=now, shown=shown)

    async def look(self, token: str, call: UUID) -> Screen | None:
        if self.forbidden:
            raise Forbidden("no operator there any more")
        return self._looked() if call == self.call else None

    async def answer(
        self, token: str, call: UUID, document: int, choice: str, values: Mapping[str, str]
    ) -> Screen | None:
        if self.forbidden:
            raise Forbidden("no operator there any more")
        if call != self.call:
            return None
        self.answers.append((document, choice, dict(values)))
        if document == self.screen.document:
            self._take(choice, values)
        return self._looked()

    def _take(self, choice: str, values: Mapping[str, str]) -> None:
        ask = self.screen.ask
        if choice.startswith("reveal:") and isinstance(ask, Files):
            self._reveal(ask, choice)
            return
        if isinstance(ask, Form) and choice == "send":
            faulty = tuple(
                replace(one, value=values.get(one.name, ""), fault="À remplir." if wrong(one, values) else "")
                for one in ask.fields
            )
            if any(one.fault for one in faulty):
                self.stands(self.step, ask=Form(faulty, ask.options))
                return
        self.stands(WAYS.get((self.step, choice), self.step))

    def _reveal(self, ask: Files, choice: str) -> None:
        items = tuple(replace(one, done=one.done or one.choice == choice) for one in ask.items)
        (item,) = (one for one in items if one.choice == choice)
        now = self._looked().now
        value = ShownValue(item.path, item.label, item.category, item.category_name, VALUE, now + timedelta(seconds=60))
        told = Moment(now, "disclosure", {"categories": item.category, "decision": "granted"})
        self.stands(
            "files",
            ask=Files(items, ask.options),
            shown=(*self.screen.shown, value),
            timeline=(*self.screen.timeline, told),
            level=2,
            patient=True,
        )

    async def draft(self, token: str, call: UUID, document: int, values: Mapping[str, str]) -> bool:
        ask = self.screen.ask
        if call != self.call or document != self.screen.document or not isinstance(ask, Form):
            return False
        self.drafts.append(dict(values))
        fields = tuple(replace(one, value=values.get(one.name, one.value)) for one in ask.fields)
        self.screen = replace(self.screen, ask=Form(fields, ask.options))
        return True

    async def emergency(self, token: str, call: UUID) -> Emergency | None:
        if call != self.call:
            return None
        self.emergencies += 1
        noted = Emergency(NOW, ("Raccrochez et composez le 15 ou le 112.",), self.emergency_line)
        self.screen = replace(self.screen, emergency=noted)
        return noted


def wrong(one: FormField, values: Mapping[str, str]) -> bool:
    """Whether something must be there and is not."""
    return one.required and not values.get(one.name, "").strip()
