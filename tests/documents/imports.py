"""``docs/import.md``: what a file of patients, contacts or appointments holds, from what reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from callcenter.practice.columns import LEFT_OUT, headers_of
from callcenter.practice.importing import RECORDS, ImportKind
from callcenter.practice.sheet import MAX_BYTES, MAX_ROWS

HEAD = f"""# Files to import

Made by `make docs` from what reads them. `callcenter practice import FILE --practice NAME --kind KIND` takes a CSV
file: UTF-8 or Windows-1252, separated by `;`, `,` or tabulators, with a header; at most {MAX_BYTES // 1024**2} MiB and
{MAX_ROWS:,} rows. Everything in it can be used, or nothing is written and every problem is named with its line.

A header is recognised whatever its capitals and accents, and with spaces or `_`. Any other column is mapped by
`--map COLUMN=FIELD`, or left out by `--map COLUMN={LEFT_OUT}`; a file with a column that nobody has explained is
refused. Import patients, then contacts, then appointments: each names what the one before brought by the practice's own
keys.

`callcenter practice import --folder FOLDER` takes the files of many practices: `FOLDER/NAME/patients.csv`,
`contacts.csv` and `appointments.csv`, NAME being the practice's short name, with headers that are recognised. Each file
is imported whole or not at all, whatever is wrong with another practice's. `callcenter demo generate` writes such a
folder, of any size, about people who do not exist.
"""

_WHAT: Mapping[ImportKind, str] = {
    ImportKind.PATIENTS: "One row a patient, under the practice's own key `external_id`: a known one is replaced.",
    ImportKind.CONTACTS: "One row a telephone of a patient; `patient` is the key under which the patient was imported.",
    ImportKind.APPOINTMENTS: "One row an appointment, under the agenda's own key `external_id`: a known one is "
    "replaced. `practitioner` is a name that the practice was enrolled with, with or without the title.",
}


def import_page() -> str:
    """The page, in Markdown."""
    return "\n".join([HEAD, *(line for kind in ImportKind for line in _section(kind))])


def _section(kind: ImportKind) -> Iterator[str]:
    schema = RECORDS[kind].model_json_schema()
    required = schema["required"]
    yield f"## `--kind {kind.value}`\n\n{_WHAT[kind]}\n"
    yield "| field | headers | required | how it is written | if it is empty |\n|---|---|---|---|---|"
    for name, field in schema["properties"].items():
        headers = ", ".join(f"`{header}`" for header in headers_of(name))
        needed = "**yes**" if name in required else "no"
        yield f"| `{name}` | {headers} | {needed} | {_written(field)} | {_absent(field, needed)} |"
    yield ""


def _written(field: Mapping[str, Any]) -> str:
    """The description of a cell, wherever pydantic keeps it."""
    options = (field, *field.get("anyOf", ()))
    (written,) = (option["description"] for option in options if "description" in option)
    return str(written)


def _absent(field: Mapping[str, Any], needed: str) -> str:
    match field.get("default"):
        case None:
            return "the row is refused" if needed != "no" else "—"
        case bool():
            return "no"
        case "":
            return "—"
        case value:
            return f"`{value}`"
