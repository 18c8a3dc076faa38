"""To whom heads of the ledger go by settings, and whether what each place holds is recent enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.app.anchoring import LONGEST
from callcenter.audit.anchors import AnchorKind
from callcenter.audit.bucket import place_of
from callcenter.audit.stamping import EVERY as STAMPED_EVERY
from callcenter.audit.standing import Held
from callcenter.console.ledger_ports import Age, Holding
from callcenter.settings import Settings

#: How old what a cosigner holds may be: docs/ledger.md asks for one a week, and this leaves them a day.
COSIGNED_EVERY = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody to whom heads are given by settings.

    Arguments:
        longest: for how long something may be signed there and not held.
    """

    kind: AnchorKind
    place: str
    longest: timedelta


def holders_of(settings: Settings) -> Sequence[Holder]:
    """Whoever is to hold heads, as configured: as ``app.anchoring.depositories_of``, without reaching for any."""
    ledger, found = settings.ledger, list[Holder]()
    if ledger.anchor_folder is not None:
        found.append(Holder(AnchorKind.FILE, str(ledger.anchor_folder), LONGEST))
    if ledger.bucket.endpoint is not None:
        place = place_of(ledger.bucket.endpoint, ledger.bucket.name)
        found.append(Holder(AnchorKind.FILE, place, LONGEST))
    if ledger.timestamp_url is not None:
        found.append(Holder(AnchorKind.TIMESTAMP, ledger.timestamp_url, STAMPED_EVERY + LONGEST))
    return found


def holdings_of(held: Sequence[Held], holders: Sequence[Holder], now: datetime) -> Sequence[Holding]:
    """What each place holds; those that hold nothing yet, too."""
    configured = {(one.kind, one.place): one.longest for one in holders}
    found = [Holding(one.kind, one.place, one.size, one.at, _age(one, configured, now)) for one in held]
    there = {(one.kind, one.place) for one in held}
    return [
        *found,
        *(Holding(one.kind, one.place, 0, None, Age.NEVER) for one in holders if (one.kind, one.place) not in there),
    ]


def _age(held: Held, configured: Mapping[tuple[AnchorKind, str], timedelta], now: datetime) -> Age:
    cosigned = held.kind is AnchorKind.COSIGNATURE
    longest = COSIGNED_EVERY if cosigned else configured.get((held.kind, held.place))
    if longest is None:
        return Age.LEFT
    if held.behind_since is None:
        return Age.LATEST
    return Age.OLD if now - held.behind_since > longest else Age.RECENT
