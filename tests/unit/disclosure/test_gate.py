"""What only the gate makes."""

from __future__ import annotations

from typing import cast
from uuid import UUID

import pytest

from callcenter.audit.ledger import Writing
from callcenter.disclosure.gate import Receipt
from callcenter.kernel.labels import Category

SOMEBODY = UUID(int=1)


@pytest.mark.parametrize("proof", [None, object(), True])
def test_p1_a_receipt_is_made_by_the_gate_alone(proof: object) -> None:
    with pytest.raises(TypeError, match="by the gate alone"):
        Receipt(UUID(int=2), SOMEBODY, frozenset(Category), cast(Writing, None), proof)
