"""What only ``make soak`` does: more of the same, where some of it is enough to find what a change has broken."""

from __future__ import annotations

import os

#: How many seeds, where chance plays a part; none is named in an ordinary run.
_SEEDS = os.environ.get("CALLCENTER_SOAK")
SOAKING = _SEEDS is not None


def seeds(few: int) -> range:
    """Those of this run, ``few`` of them in an ordinary one."""
    return range(few if _SEEDS is None else int(_SEEDS))
