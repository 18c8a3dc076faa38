"""A record of the ledger, a row of routing or of a call's trace, as a moment of the call: our words, names, references.

What is not known here is told as it stands if it is a bare name or a reference, and hidden otherwise; none fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from callcenter.audit.about import moment_of
from callcenter.audit.reading import Checked
from callcenter.calls.shelf import Told
from callcenter.disclosure.policy import Policy
from callcenter.flow.prompts import Prompt, PromptBook
from callcenter.flow.words import Part, Value, When
from callcenter.flow.words import Words as Literal
from callcenter.kernel.labels import Category
from callcenter.reports import words
from callcenter.reports.values import Area, Fact, Moment, Who, Words
from callcenter.reports.withheld import is_open, outcome_of

#: Signs of a digest that are shown: enough to tell versions apart.
SHORT = 10


@dataclass(frozen=True, slots=True)
class Scene:
    """What the moments of one call share.

    Arguments:
        began: when it came in.
        names: of staff, by identifier.
        flows: by digest, those that the call was in, each with its own words.
        book: words that stand in no flow of theirs.
        policy: names categories.
    """

    began: datetime
    names: Mapping[str, str]
    flows: Mapping[str, Told]
    book: PromptBook
    policy: Policy

    def after(self, at: datetime) -> timedelta:
        return max(timedelta(0), at - self.began)

    def who(self, actor: object) -> Who:
        if not isinstance(actor, Mapping):
            return Who("unknown")
        kind, named = str(actor.get("kind") or "unknown"), str(actor.get("id") or "")
        known = kind if kind in words.WHO else "unknown"
        return Who(known, self.names.get(named), words.plain(named) if named else None)

    def flow(self, digest: str) -> str:
        """Name and version of a flow."""
        known = self.flows.get(digest)
        return f"{known.name if known else '–'} {digest[:SHORT]}"


def of_record(one: Checked, scene: Scene) -> Moment:
    """A record."""
    body = one.record.body
    event = str(body.get("event", ""))
    title, area = words.EVENTS.get(event, (words.OTHER, Area.ACT))
    at = moment_of(body.get("ts")) or scene.began
    named = () if event in words.EVENTS else (Fact("event", words.plain(event)),)
    return Moment(
        at=at,
        after=scene.after(at),
        area=area,
        title=title,
        who=scene.who(body.get("actor")),
        facts=(*named, *facts_of(body, scene.policy)),
        words=_told(body, scene),
        record=one.record.id,
        flow=_flow(body.get("flow")),
        fault=None if one.holds else words.BROKEN,
    )


def facts_of(body: Mapping[str, Any], policy: Policy) -> tuple[Fact, ...]:
    """What a record tells besides who, when and what, in the order of ``words.FACTS``."""
    facts = []
    for field in words.FACTS:
        value = body.get(field)
        if value is None or value in ([], "") or (field == "step" and value == _key_of(body)):
            continue
        if field == "reason" and not is_open(body.get("event"), value):
            facts.append(Fact(field, words.HIDDEN))
            continue
        several = value if isinstance(value, list) else [value]
        facts.append(Fact(field, ", ".join(_value(field, each, body, policy) for each in several)))
    return tuple(facts)


def _value(field: str, value: object, body: Mapping[str, Any], policy: Policy) -> str:
    match field:
        case "decision":
            return words.plain(outcome_of(body), field)
        case "categories" if value in set(Category):
            return f"{value} ({policy.rules[Category(str(value))].name})"
        case "level" | "level_required" if isinstance(value, int):
            return f"V{value}"
    return words.plain(value, field)


def _key_of(body: Mapping[str, Any]) -> object:
    """The key of the prompt that a record names, whose words are told."""
    prompt = body.get("prompt")
    return prompt.get("key") if isinstance(prompt, Mapping) else None


def flow_digest(body: Mapping[str, Any]) -> str | None:
    """Digest of the flow that a record names."""
    flow = body.get("flow")
    digest = flow.get("sha256") if isinstance(flow, Mapping) else None
    return digest if isinstance(digest, str) else None


def _flow(flow: object) -> str | None:
    if not isinstance(flow, Mapping):
        return None
    return f"{words.plain(flow.get('name', ''))} {str(flow.get('sha256', ''))[:SHORT]}".strip()


def _told(body: Mapping[str, Any], scene: Scene) -> tuple[Words, ...]:
    """The prompt that a record names, if its version is known."""
    prompt, key = body.get("prompt"), _key_of(body)
    if not isinstance(prompt, Mapping) or not isinstance(key, str):
        return ()
    digest = prompt.get("sha256")
    own = scene.flows.get(flow_digest(body) or "")
    books = [book for book in (None if own is None else own.book, scene.book) if book is not None]
    said = {one.digest: one for book in books for one in _versions(book, key)}.get(str(digest))
    return (Words(words.plain(key), labelled(said) if said else None, said.language if said else "fr"),)


def _versions(book: PromptBook, key: str) -> list[Prompt]:
    return [prompts[key] for prompts in (book.prompts, *book.translations.values()) if key in prompts]


def of_trace(row: Row[Any], until: datetime, scene: Scene) -> list[Moment]:
    """What was typed before a document, and what it let be heard.

    Arguments:
        until: when what was typed had led to it.
    """
    at, flow = row.at, scene.flow(row.flow)
    moments = []
    if row.typed is not None and row.asked:
        spoken = row.asked == "recording"
        counted = Fact("spoken" if spoken else "keys", str(row.typed))
        facts = (Fact("question", words.plain(row.asked, "question")), counted)
        title = words.SPOKE if spoken else words.TYPED if row.typed else words.SILENT
        moments.append(Moment(at, scene.after(at), Area.TYPED, title, Who("caller"), facts, flow=flow))
    if row.prompts:
        known = scene.flows.get(row.flow)
        said = tuple(_said(key, row.language, None if known is None else known.book) for key in row.prompts)
        moments.append(Moment(until, scene.after(until), Area.HEARD, words.HEARD, Who("ivr"), words=said, flow=flow))
    return moments


def _said(key: str, language: str, book: PromptBook | None) -> Words:
    if book is None or key not in book:
        return Words(words.plain(key), None, language)
    prompt = book.said(key, language)
    return Words(words.plain(key), labelled(prompt), prompt.language)


def of_routing(row: Row[Any], scene: Scene) -> Moment:
    """What has happened in the queue."""
    facts = []
    if row.detail:
        facts.append(Fact("detail", words.plain(row.detail, "detail")))
    if row.waited is not None:
        facts.append(Fact("waited", f"{row.waited // 1000} s"))
    who = Who("operator", scene.names.get(str(row.staff_id))) if row.staff_id else Who("job")
    title = words.ROUTING.get(row.kind, words.OTHER)
    return Moment(row.at, scene.after(row.at), Area.ROUTING, title, who, tuple(facts))


def of_party(row: Row[Any], scene: Scene) -> list[Moment]:
    """Somebody who was asked into the talk."""
    whom = scene.names.get(str(row.staff_id)) if row.staff_id else None
    line = words.PRACTITIONER if row.practitioner_id else words.LINE
    facts = (Fact("whom", whom or (words.COLLEAGUE if row.staff_id else line)),)
    who = Who("operator", scene.names.get(str(row.operator)))
    begun = words.SENT if row.sent else words.IN_PRIVATE if row.private else words.ASKED_IN
    steps = [(row.made_at, begun), (row.joined_at, words.THIRD_THERE)]
    steps.append((row.ended_at, words.THIRDS.get(row.state, words.THIRD_ENDS)))
    return [Moment(at, scene.after(at), Area.ROUTING, title, who, facts) for at, title in steps if at is not None]


def labelled(prompt: Prompt) -> str:
    """The words of a prompt, with the name of a field in the place of its value, and round what is not always said."""
    return " ".join("".join(_labelled(prompt.parts)).split())


def _labelled(parts: tuple[Part, ...]) -> list[str]:
    said = []
    for part in parts:
        match part:
            case Literal(text):
                said.append(text)
            case Value(field):
                said.append(f"[{words.LABELS.get(field, field)}]")
            case When(field, inner, otherwise):
                name, told, instead = words.LABELS.get(field, field), _inside(inner), _inside(otherwise)
                itself = any(isinstance(one, Value) and one.field == field for one in inner)
                if inner:
                    said.append(f" ({told})" if itself else f" (si {name} : {told})")
                if otherwise:
                    said.append(f" (sans {name} : {instead})")
    return said


def _inside(parts: tuple[Part, ...]) -> str:
    return "".join(_labelled(parts)).strip(" ,\n")
