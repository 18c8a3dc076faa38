"""Which column of a practice's file means which field: by its name in English or French, or by the user's map."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from callcenter.kernel.errors import DataProblems, Problem

#: In a column map: the column is left out.
LEFT_OUT = "-"

#: How French software heads its columns, without accents and capitals.
_FRENCH: Mapping[str, str] = MappingProxyType(
    {
        "identifiant": "external_id",
        "nom_de_naissance": "birth_name",
        "prenom": "first_name",
        "premier_prenom": "first_name",
        "prenoms": "first_names",
        "nom_utilise": "used_name",
        "prenom_utilise": "used_first_name",
        "date_de_naissance": "birth_date",
        "sexe": "sex",
        "lieu_de_naissance": "birth_place_code",
        "statut_identite": "identity_status",
        "date_fictive": "birth_date_fictive",
        "decede": "deceased",
        "homonyme": "homonym",
        "douteux": "doubtful",
        "fictif": "fictitious",
        "contact_restreint": "contact_restricted",
        "telephone": "phone",
        "saisi_le": "entered_at",
        "confirme_le": "confirmed_at",
        "praticien": "practitioner",
        "debut": "starts_at",
        "duree": "duration_minutes",
        "lieu": "place",
        "statut": "status",
        "reference_de_carte": "reference",
    }
)


def headers_of(field: str) -> tuple[str, ...]:
    """The headers that mean ``field`` without a map, whatever their capitals and accents."""
    return (field, *(name.replace("_", " ") for name, meant in _FRENCH.items() if meant == field))


def match_columns(
    file: str,
    columns: Sequence[str],
    fields: Mapping[str, bool],
    column_map: Mapping[str, str],
) -> Mapping[str, str]:
    """The field that each used column means.

    Arguments:
        file: path, for problems.
        columns: header of the file.
        fields: the fields that the file may have, and whether each must be there.
        column_map: column to field, or to :data:`LEFT_OUT`; goes before names.

    Raises:
        DataProblems: unknown or missing columns, two for one field, a map that fits neither file nor fields.
    """
    problems = [_problem(file, what, mend) for what, mend in _map_problems(columns, fields, column_map)]
    matched: dict[str, str] = {}
    for column in columns:
        field = column_map.get(column) or _by_name(column)
        if field == LEFT_OUT:
            continue
        if field in matched.values():
            problems.append(_problem(file, f"two columns mean {field}", f"leave one out: --map '{column}={LEFT_OUT}'"))
        elif field in fields:
            matched[column] = field
        elif column not in column_map:
            mend = f"say what it means, --map '{column}=FIELD', or leave it out, --map '{column}={LEFT_OUT}'"
            problems.append(_problem(file, f"the column « {column} » is not known", mend))
    missing = [field for field, required in fields.items() if required and field not in matched.values()]
    problems += [_problem(file, f"no column means {field}", f"say which: --map 'COLUMN={field}'") for field in missing]
    if problems:
        raise DataProblems(problems)
    return matched


def _problem(file: str, what: str, mend: str) -> Problem:
    return Problem(file, 1, what, mend)


def _map_problems(
    columns: Sequence[str], fields: Mapping[str, bool], column_map: Mapping[str, str]
) -> list[tuple[str, str]]:
    known = ", ".join(fields)
    absent = [
        (f"the map names the column « {column} », which the file does not have", "correct the name or remove it")
        for column in column_map
        if column not in columns
    ]
    strange = [
        (f"the map names the field « {field} », which there is not", f"take one of: {known}")
        for field in column_map.values()
        if field != LEFT_OUT and field not in fields
    ]
    return absent + strange


def _by_name(column: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFD", column.casefold()) if not unicodedata.combining(c))
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return _FRENCH.get(name, name)
