"""Names that are compared with what is on file."""

from __future__ import annotations

from uuid import UUID

import pytest

from callcenter.identity.matching import is_named
from callcenter.kernel.labels import Category
from callcenter.kernel.protected import Protected


def on_file(*names: str) -> list[Protected[str]]:
    return [Protected(name, Category.RECORD_EXISTS, UUID(int=1)) for name in names]


@pytest.mark.parametrize("odd", ["Bjørk", "Groß-Łuk", "Иванова", ""])
def test_a_name_that_cannot_be_compared_hides_no_other_of_the_same_person(odd: str) -> None:
    assert is_named(on_file(odd, "Le Gœff"), "goeff")
    assert is_named(on_file("Le Gœff", odd), "goeff")
    assert not is_named(on_file(odd), "goeff")


@pytest.mark.parametrize("claim", ["Bjørk", "Иванова", "", "42"])
def test_a_claim_that_cannot_be_compared_fits_nobody(claim: str) -> None:
    assert not is_named(on_file("Martin", "Bjørk", "Иванова", ""), claim)
