"""Columns mean fields by their French or English name, or by the user's map; everything unclear is said at once."""

from __future__ import annotations

import pytest

from callcenter.kernel.errors import DataProblems
from callcenter.practice.columns import match_columns
from callcenter.practice.importing import ImportKind, import_fields

FIELDS = import_fields(ImportKind.PATIENTS)


def whats(columns: list[str], column_map: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(DataProblems) as caught:
        match_columns("p.csv", columns, FIELDS, column_map or {})
    assert all(problem.line == 1 for problem in caught.value.problems)
    return [problem.what for problem in caught.value.problems]


def test_french_and_english_headers() -> None:
    french = ["Identifiant", "Nom de naissance", "PRÉNOM", "Date de naissance", "Sexe"]
    fields = ["external_id", "birth_name", "first_name", "birth_date", "sex"]
    assert list(match_columns("p.csv", french, FIELDS, {}).values()) == fields
    assert list(match_columns("p.csv", fields, FIELDS, {}).values()) == fields


def test_the_three_attributes_of_an_identity_by_their_french_names() -> None:
    columns = [
        "Homonyme",
        "Douteux",
        "Fictif",
        "identifiant",
        "nom_de_naissance",
        "prenom",
        "date_de_naissance",
        "sexe",
    ]
    matched = match_columns("p.csv", columns, FIELDS, {})
    assert [matched[column] for column in columns[:3]] == ["homonym", "doubtful", "fictitious"]


def test_a_map_goes_before_names_and_may_leave_columns_out() -> None:
    columns = ["N°", "Nom de naissance", "Prénom", "Né le", "Sexe", "Ville"]
    mapped = match_columns("p.csv", columns, FIELDS, {"N°": "external_id", "Né le": "birth_date", "Ville": "-"})
    assert mapped == {
        "N°": "external_id",
        "Nom de naissance": "birth_name",
        "Prénom": "first_name",
        "Né le": "birth_date",
        "Sexe": "sex",
    }


def test_unknown_and_missing_columns_are_said_together() -> None:
    found = whats(["Identifiant", "Nom de naissance", "Prénom", "Sexe", "Ville", "Groupe sanguin"])
    assert found == [
        "the column « Ville » is not known",
        "the column « Groupe sanguin » is not known",
        "no column means birth_date",
    ]


def test_a_map_that_fits_nothing_is_said() -> None:
    columns = ["Identifiant", "Nom de naissance", "Prénom", "Date de naissance", "Sexe", "Ville"]
    found = whats(columns, {"Villle": "-", "Ville": "town", "Sexe": "birth_date"})
    assert "the map names the column « Villle », which the file does not have" in found
    assert "the map names the field « town », which there is not" in found
    assert "two columns mean birth_date" in found
    assert "no column means sex" in found
