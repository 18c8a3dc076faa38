"""A screen as it is kept until it is answered: part of a sealed value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from callcenter.flow.conversation import Line
from callcenter.flow.screens import (
    AtKeys,
    Choice,
    FieldKind,
    FileItem,
    Files,
    Finished,
    Form,
    FormField,
    Option,
    Screen,
)
from callcenter.kernel.labels import Category


def screen_to_json(screen: Screen) -> dict[str, Any]:
    """What :func:`screen_from_json` reads."""
    return {"lines": [_line_to_json(line) for line in screen.lines], "way": screen.way, **_asked_to_json(screen)}


def _asked_to_json(screen: Screen) -> dict[str, Any]:
    match screen:
        case Choice(options=options):
            return {"choice": _options_to_json(options)}
        case Form(fields=fields, options=options):
            return {"form": [_field_to_json(one) for one in fields], "options": _options_to_json(options)}
        case AtKeys(options=options):
            return {"at_keys": _options_to_json(options)}
        case Files(items=items, options=options, link=link):
            kept = [_item_to_json(one) for one in items]
            return {"files": kept, "options": _options_to_json(options), "link": link}
        case Finished():
            return {}


def screen_from_json(value: Mapping[str, Any]) -> Screen:
    """The screen that :func:`screen_to_json` wrote."""
    lines = tuple(map(_line, value["lines"]))
    way = value.get("way", 0)  # none in what was kept before it was told apart
    match value:
        case {"choice": options}:
            return Choice(lines, _options(options), way)
        case {"form": fields, "options": options}:
            return Form(lines, tuple(map(_field, fields)), _options(options), way)
        case {"at_keys": options}:
            return AtKeys(lines, _options(options), way)
        case {"files": items, "options": options, "link": link}:
            return Files(lines, tuple(map(_item, items)), _options(options), link, way)
        case _:
            return Finished(lines, way)


def with_drafts(screen: Screen, drafts: Mapping[str, str]) -> Screen:
    """The screen with what was typed into its fields and not sent."""
    if not isinstance(screen, Form) or not drafts:
        return screen
    fields = tuple(replace(one, value=drafts.get(one.name, one.value)) for one in screen.fields)
    return replace(screen, fields=fields)


def drafts_of(screen: Screen, values: Mapping[str, str]) -> dict[str, str]:
    """Of ``values``, what the fields of ``screen`` take."""
    if not isinstance(screen, Form):
        return {}
    return {one.name: values[one.name][: one.longest] for one in screen.fields if one.name in values}


def _line_to_json(line: Line) -> list[str]:
    return [line.prompt, line.text, line.language]


def _line(value: list[str]) -> Line:
    return Line(*value)


def _options_to_json(options: tuple[Option, ...]) -> list[Any]:
    return [[one.choice, _line_to_json(one.label), one.key] for one in options]


def _options(value: list[Any]) -> tuple[Option, ...]:
    return tuple(Option(choice, _line(label), key) for choice, label, key in value)


def _field_to_json(one: FormField) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind.value,
        "label": _line_to_json(one.label),
        "required": one.required,
        "longest": one.longest,
        "value": one.value,
        "options": _options_to_json(one.options),
        "fault": None if one.fault is None else _line_to_json(one.fault),
    }


def _field(value: Mapping[str, Any]) -> FormField:
    return FormField(
        name=value["name"],
        kind=FieldKind(value["kind"]),
        label=_line(value["label"]),
        required=value["required"],
        longest=value["longest"],
        value=value["value"],
        options=_options(value["options"]),
        fault=None if value["fault"] is None else _line(value["fault"]),
    )


def _item_to_json(one: FileItem) -> list[Any]:
    return [one.choice, one.path, one.category.value, _line_to_json(one.label), one.done, one.key, one.withheld]


def _item(value: list[Any]) -> FileItem:
    choice, path, category, label, done, key, *withheld = value  # none in what was kept before there was one
    return FileItem(choice, path, Category(category), _line(label), done, key, *withheld)
