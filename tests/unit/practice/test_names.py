"""Names are normalised for comparison only (MA-01), and surnames match whatever the order of their parts (MA-02)."""

from __future__ import annotations

import unicodedata

import pytest

from callcenter.practice.names import UnmappedCharacter, normalise_name, surname_key


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("D'ANGÉLO-LE GŒFF", "D ANGELO LE GOEFF"),
        ("d’angélo - le  gœff", "D ANGELO LE GOEFF"),
        ("Lætitia", "LAETITIA"),
        ("Marie--Thérèse", "MARIE THERESE"),
        ("  Nuñez Çelik ", "NUNEZ CELIK"),
    ],
)
def test_ma01_diacritics_ligatures_hyphens_and_apostrophes(written: str, compared: str) -> None:
    assert normalise_name(written) == compared
    assert normalise_name(unicodedata.normalize("NFD", written)) == compared


@pytest.mark.parametrize("written", ["", " - ", "Jean2", "Søren", "Иванов", "Dupont (née Martin)", "J. Martin"])
def test_ma01_a_character_without_mapping_is_refused_and_not_dropped(written: str) -> None:
    with pytest.raises(UnmappedCharacter):
        normalise_name(written)


def test_ma02_parts_in_any_order_with_and_without_particles() -> None:
    key = surname_key("D'ANGÉLO-LE GŒFF")
    assert surname_key("Le Gœff d'Angélo") == key
    assert surname_key("Angelo Goeff") == key
    assert surname_key("Angelo") != key
    assert surname_key("Goeff-Angela") != key


def test_ma02_a_name_that_is_a_particle_is_a_name() -> None:
    assert surname_key("Le") == "LE"
    assert surname_key("Ben") != surname_key("Le")
