"""An order to erase records before their time: signed with a personal key, by somebody whose key the sealer knows."""

from __future__ import annotations

from collections.abc import Mapping

from callcenter.audit.cosigning import Witness
from callcenter.audit.ledger import Value
from callcenter.audit.verify import cosignature_line, order_text


def sign_order(by: Witness, origin: str, content: Mapping[str, Value], at: int) -> str:
    """The signed note of an order, as it goes on record with what it orders.

    Arguments:
        origin: of the log.
        content: of the erasure: its reason, ranges, and what it unlinks.
        at: seconds since 1970.
    """
    text = order_text(origin, dict(content))
    return f"{text}\n{cosignature_line(by.name, by.private, text, at)}"
