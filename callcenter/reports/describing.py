"""A record of the ledger, a row of routing or of a call's trace, as a moment of the call: our words, names, references.

What is not known here is told as it stands if it is a bare name or a reference, and hidden otherwise; none fails.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from callcenter.audit.about import moment_of
from callcenter.audit.ledger import EventKind
from callcenter.audit.reading import Checked
from callcenter.calls.shelf import Told
from callcenter.disclosure.policy import Policy
from callcenter.flow.prompts import Prompt, PromptBook
from callcenter.flow.words import MAYBE_FIELDS, Part, Value, When
from callcenter.flow.words import Words as Literal
from callcenter.kernel.labels import FIELD_LABELS, Category
from callcenter.reports import words
from callcenter.reports.values import Area, Fact, Moment, Who, Words
from callcenter.reports.withheld import is_open, outcome_of

#: Signs of a digest that are shown: enough to tell versions apart.
SHORT = 10


@dataclass(frozen=True, slots=True)
class Grant:
    """Words that were let go.

    Arguments:
        prompt: its key.
        categories: of what they told, without what stood in the way of.
    """

    at: datetime
    prompt: str
    categories: frozenset[Category]


@dataclass(frozen=True, slots=True)
class Scene:
    """What the moments of one call share.

    Arguments:
        began: when it came in.
        names: of staff, by identifier.
        flows: by digest, those that the call was in, each with its own words.
        book: words that stand in no flow of theirs.
        policy: names categories.
        granted: what was told with which prompt, and when, as it is on record.
    """

    began: datetime
    names: Mapping[str, str]
    flows: Mapping[str, Told]
    book: PromptBook
    policy: Policy
    granted: Sequence[Grant] = ()

    def after(self, at: datetime) -> timedelta:
        return max(timedelta(0), at - self.began)

    def who(self, actor: object) -> Who:
        if not isinstance(actor, Mapping):
            return Who("unknown")
        kind, named = str(actor.get("kind") or "unknown"), str(actor.get("id") or "")
        known = kind if kind in words.WHO else "unknown"
        return Who(known, self.names.get(named), words.plain(named) if named else None)

    def told_with(self, key: str, since: datetime, until: datetime) -> frozenset[Category] | None:
        """What was granted with a prompt in one step; ``None`` where nothing of it is on record."""
        of_step = [one.categories for one in self.granted if one.prompt == key and since <= one.at <= until]
        return of_step[-1] if of_step else None

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
        if value is None or value in ([], "") or _is_said(field, value, body):
            continue
        if field == "reason" and not is_open(body.get("event"), value):
            facts.append(Fact(field, words.HIDDEN))
            continue
        several = value if isinstance(value, list) else [value]
        # Of what went before its time the number is no bound: a page that is offline has not heard of it (decision 76).
        told = "hidden_after" if field == "seconds" and body.get("event") == EventKind.HIDDEN.value else field
        facts.append(Fact(told, ", ".join(_value(field, each, body, policy) for each in several)))
    return tuple(facts)


def _is_said(field: str, value: object, body: Mapping[str, Any]) -> bool:
    """Whether a field says what the words beside it say."""
    return field == "step" and value == _key_of(body) and body.get("decision") != "refused"


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
    """The prompt that a record names, if its version is known. What was refused was not said."""
    prompt, key = body.get("prompt"), _key_of(body)
    if not isinstance(prompt, Mapping) or not isinstance(key, str) or body.get("decision") == "refused":
        return ()
    digest = prompt.get("sha256")
    own = scene.flows.get(flow_digest(body) or "")
    books = [book for book in (None if own is None else own.book, scene.book) if book is not None]
    said = {one.digest: one for book in books for one in _versions(book, key)}.get(str(digest))
    grant = granted_by(body)
    text = None if said is None else labelled(said, None if grant is None else grant.categories)
    return (Words(words.plain(key), text, said.language if said else "fr"),)


def granted_by(body: Mapping[str, Any]) -> Grant | None:
    """What a record of a disclosure let be told, with which prompt."""
    key, at = _key_of(body), moment_of(body.get("ts"))
    if body.get("decision") != "granted" or not isinstance(key, str) or at is None:
        return None
    return Grant(at, key, frozenset(Category(one) for one in body.get("categories") or () if one in set(Category)))


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
        book = None if known is None else known.book
        said = tuple(_said(key, row.language, book, scene.told_with(key, at, until)) for key in row.prompts)
        moments.append(Moment(until, scene.after(until), Area.HEARD, words.HEARD, Who("ivr"), words=said, flow=flow))
    return moments


def _said(key: str, language: str, book: PromptBook | None, told: frozenset[Category] | None) -> Words:
    if book is None or key not in book:
        return Words(words.plain(key), None, language)
    prompt = book.said(key, language)
    return Words(words.plain(key), labelled(prompt, told), prompt.language)


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


def labelled(prompt: Prompt, told: frozenset[Category] | None = None) -> str:
    """The words of a prompt, to stand in quotation marks, with the name of a field in the place of its value.

    Arguments:
        told: what was granted with them, as it is on record: what was left out of them is left out here too, and what
            was said stands as it was. Without it, and where a field may have no value, what is not always said stands
            in brackets.
    """
    text = " ".join("".join(_labelled(prompt.parts, told)).split())
    return _INNER_SPACES.sub("", text.translate(_INNER))


#: A quotation within one.
_INNER = str.maketrans({"«": "“", "»": "”"})
_INNER_SPACES = re.compile(r"(?<=“)\s+|\s+(?=”)")


def _labelled(parts: tuple[Part, ...], told: frozenset[Category] | None) -> list[str]:
    said = []
    for part in parts:
        match part:
            case Literal(text):
                said.append(text)
            case Value(field):
                said.append(f"[{words.LABELS.get(field, field)}]")
            case When(field, inner, otherwise):
                heard = _heard(field, told)
                if heard is not None:
                    said += _labelled(inner if heard else otherwise, told)
                    continue
                name, then, instead = words.LABELS.get(field, field), _inside(inner, told), _inside(otherwise, told)
                itself = any(isinstance(one, Value) and one.field == field for one in inner)
                if inner:
                    said.append(f" ({then})" if itself else f" (si {name} : {then})")
                if otherwise:
                    said.append(f" (sans {name} : {instead})")
    return said


def _heard(field: str, told: frozenset[Category] | None) -> bool | None:
    """Whether what is said for the sake of a field was; ``None`` where the record does not show it."""
    category = FIELD_LABELS.get(field, Category.PUBLIC)
    if told is None or category is Category.PUBLIC:
        return None
    if category not in told:
        return False
    return None if field in MAYBE_FIELDS else True


def _inside(parts: tuple[Part, ...], told: frozenset[Category] | None) -> str:
    return "".join(_labelled(parts, told)).strip(" ,\n")
