"""``docs/configuration.md``: every setting, from the models that read it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from callcenter.settings import ENV_PREFIX, Settings

HEAD = f"""# Configuration

Made by `make docs` from the models in `callcenter/settings/`. One YAML file, `--config FILE` or `CALLCENTER_CONFIG`
(`config/demo.yaml` if neither is given). Any setting can stand in the environment instead, which wins: `{ENV_PREFIX}`
and its path in capitals, parts joined by two underscores, as `{ENV_PREFIX}CARRIER__SMS_SENDER`; lists and groups as
JSON. Secrets belong there. `DATABASE_URL` is `database.url`.

Whatever is wrong is named with file, line and mend, and no server starts with it.
"""


def configuration_page() -> str:
    """The page, in Markdown."""
    return "\n".join([HEAD, *_section("Top level", Settings, "")])


def _section(title: str, model: type[BaseModel], prefix: str) -> Iterator[str]:
    groups: list[tuple[str, type[BaseModel]]] = []
    yield f"## {title}\n"
    if prefix:
        yield f"{' '.join((model.__doc__ or '').split())}\n"
    yield "| setting | kind | default | meaning |\n|---|---|---|---|"
    for name, field in model.model_fields.items():
        yield _row(prefix + name, field)
        group = _model_of(field.annotation)
        if group is not None:
            groups.append((prefix + name, group))
    yield ""
    for path, group in groups:
        yield from _section(f"`{path}`", group, f"{path}.")


def _row(path: str, field: FieldInfo) -> str:
    meaning = field.description or f"See `{path}` below."
    cells = (f"`{path}`", _kind(field), _default(field), meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.default
    if value is None:
        return "none"
    if value is PydanticUndefined:
        return "as below"
    if isinstance(value, BaseModel):
        return ", ".join(f"{name} `{getattr(value, name)}`" for name in type(value).model_fields)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _kind(field: FieldInfo) -> str:
    bounds = _bounds(field)
    return f"{_name(_bare(field.annotation))}{f', {bounds}' if bounds else ''}"


def _bare(annotation: Any) -> Any:
    """What a value is, without what checks it and without that it may be left out."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    options = [part for part in get_args(annotation) if part is not type(None)]
    if type(None) in get_args(annotation) and len(options) == 1:
        return _bare(options[0])
    return annotation


def _name(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " / ".join(f"`{member.value}`" for member in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "group"
    plain = {"str": "text", "int": "number", "bool": "`true` / `false`", "Path": "path", "date": "date"}
    plain |= {"SecretStr": "secret", "IPvAnyNetwork": "network"}
    name = getattr(annotation, "__name__", str(annotation))
    if name in plain:
        return plain[name]
    if name == "Literal":
        return " / ".join(f"`{value}`" for value in get_args(annotation))
    if get_origin(annotation) is tuple:
        return f"list of {_name(_bare(get_args(annotation)[0]))}s"
    raise TypeError(f"no word is known for the kind {name}")


def _bounds(field: FieldInfo) -> str:
    said = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    found = [f"{said[name]} {getattr(part, name)}" for part in field.metadata for name in said if hasattr(part, name)]
    patterns = [f"`{part.pattern}`" for part in field.metadata if getattr(part, "pattern", None)]
    return ", ".join(found + patterns)


def _model_of(annotation: Any) -> type[BaseModel] | None:
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None
