"""Which erasure covers a leaf, as every statement that must know it asks."""

from __future__ import annotations

#: To join to leaves ``l``: ``e.idx`` is the index of the record that has erased it; NULL: none has. Ranges of a log do
#: not overlap, so that the last one that begins before a leaf is the only one that may cover it.
COVERING = """
    LEFT JOIN LATERAL (
        SELECT idx, last, erased_at FROM audit_erasure
        WHERE log_id = l.log_id AND first <= l.idx ORDER BY first DESC LIMIT 1
    ) AS e ON l.idx <= e.last
"""
