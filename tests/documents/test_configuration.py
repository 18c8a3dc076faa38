"""What ``docs/configuration.md`` says of a setting's kind is what its model takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from callcenter.settings import Settings
from tests.documents.configuration import configuration_page

_ROW = re.compile(r"^\| `(?P<path>[a-z_.]+)` \| (?P<kind>[^|]+) \|", re.MULTILINE)


def kinds() -> dict[str, str]:
    return {row["path"]: row["kind"] for row in _ROW.finditer(configuration_page())}


def lists(schema: dict[str, Any], definitions: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """The settings that take several values, as pydantic's own schema has them."""
    for name, value in schema["properties"].items():
        options = [value, *value.get("anyOf", ())]
        if any(option.get("type") == "array" for option in options):
            yield prefix + name
        for option in options:
            if reference := option.get("$ref"):
                group = definitions[reference.rsplit("/", 1)[1]]
                if "properties" in group:
                    yield from lists(group, definitions, f"{prefix}{name}.")


def test_only_what_takes_several_values_is_called_a_list() -> None:
    schema = Settings.model_json_schema()
    called = {path for path, kind in kinds().items() if kind.startswith("list")}
    assert called == set(lists(schema, schema["$defs"])) != set()


def test_the_kind_of_a_setting_is_a_word_for_people() -> None:
    words = {kind.split(",")[0] for kind in kinds().values()}
    plain = {"text", "number", "path", "secret", "date", "network", "group", "`true` / `false`"}
    many = {f"list of {word}s" for word in plain}
    assert {word for word in words - plain - many if not re.fullmatch(r"`\w+`( / `\w+`)+", word)} == set()
    assert kinds()["hosting.activities"] == "list of numbers"
    assert kinds()["database.url"] == "secret"
