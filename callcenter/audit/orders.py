"""An order to erase records before their time: signed with a personal key, by somebody whose key the sealer knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from callcenter.audit.cosigning import Witness
from callcenter.audit.ledger import Value
from callcenter.audit.verify import cosignature_line, order_text


def sign_order(
    by: Witness, origin: str, content: Mapping[str, Value], leaves: Iterable[tuple[int, bytes]], at: int
) -> str:
    """The signed note of an order, as it goes on record with what it orders.

    Arguments:
        origin: of the log.
        content: of the erasure: its reason, and whether what proves disclosures goes too.
        leaves: of the records as whoever signs was shown them, each with its index, ascending.
        at: seconds since 1970.
    """
    text = order_text(origin, content, leaves)
    return f"{text}\n{cosignature_line(by.name, by.private, text, at)}"
