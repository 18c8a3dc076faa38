"""One call, gone through again: the ledger's records with how their chain stands, and what stands beside the ledger.

Values are in none of it: the ledger has references (decision 3), the trace has names and counts, routing identifiers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import zip_longest
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from callcenter.audit.about import moment_of
from callcenter.audit.gaps import causes
from callcenter.audit.ledger import EventKind
from callcenter.audit.reading import Checked, Reading, checked_records_of_call
from callcenter.calls.shelf import Shelf
from callcenter.reports.describing import (
    Grant,
    Scene,
    flow_digest,
    granted_by,
    of_party,
    of_record,
    of_routing,
    of_trace,
)
from callcenter.reports.people import names_of
from callcenter.reports.values import Area, Chain, Moment, Timeline
from callcenter.store.database import Transaction

#: Records of one call that are shown; it has some dozens, and one more each time that somebody looks.
MOST_RECORDS = 2_000
#: Rows beside the ledger; a call has at most 52 turns, and is offered a bounded number of times.
MOST_ROWS = 500

#: At one moment: first what was typed, then what it proved, then what that opened, then what was heard.
_ORDER = {Area.TYPED: 0, Area.PROOF: 1, Area.HEARD: 3}
_BETWEEN = 2  # whatever is none of these: what it opened stands behind its proof

#: What one step of a call takes at most until its records are written; the trace has the moment at which it began.
A_STEP = timedelta(seconds=2)
#: Records of the voice server that no step writes before it speaks.
_LATER = frozenset({EventKind.CALL_ENDED.value, EventKind.REDELIVERED.value})


async def timeline_of(tx: Transaction, call: UUID, flows: Shelf) -> Timeline | None:
    """The call as it stands now, or ``None`` where this practice has none of that identifier.

    Arguments:
        flows: name the words that were said, those of releases before too.
    """
    run, values = tx.connection.execute, {"call": call, "practice": tx.practice, "most": MOST_ROWS}
    found = (await run(_CALL, values)).one_or_none()
    if found is None:
        return None
    reading = await checked_records_of_call(tx, call, MOST_RECORDS)
    checked = reading.checked
    trace = (await run(_TRACE, values)).all()
    routing = (await run(_ROUTING, values)).all()
    parties = (await run(_PARTIES, values)).all()
    told = await flows.told(tx.connection, {*(row.flow for row in trace), *_flows_of(checked)})
    names = await _names(tx, checked, routing, parties)
    scene = Scene(found.started_at, names, told, flows.book, flows.policy, _granted(checked))
    moments = [
        *(of_record(one, scene) for one in checked),
        *(moment for row, until in _turns(trace, checked) for moment in of_trace(row, until, scene)),
        *(of_routing(row, scene) for row in routing),
        *(moment for row in parties for moment in of_party(row, scene)),
    ]
    return Timeline(call, tx.practice, found.started_at, found.ended_at, in_order(moments), chain_of(reading))


def in_order(moments: Sequence[Moment]) -> tuple[Moment, ...]:
    """The moments as they followed each other; of one instant, causes before what they led to."""
    return tuple(sorted(moments, key=lambda moment: (moment.at, _ORDER.get(moment.area, _BETWEEN))))


def _turns(trace: Sequence[Row[Any]], checked: Sequence[Checked]) -> Iterator[tuple[Row[Any], datetime]]:
    """Each document with the moment at which what it led to was on record: only then it was heard."""
    written = sorted(
        at
        for one in checked
        if _of_a_step(one.record.body) and (at := moment_of(one.record.body.get("ts"))) is not None
    )
    for row, following in zip_longest(trace, trace[1:]):
        end = row.at + A_STEP if following is None else min(row.at + A_STEP, following.at)
        yield row, max((at for at in written if row.at <= at < end), default=row.at)


def _of_a_step(body: Mapping[str, Any]) -> bool:
    actor = body.get("actor")
    return isinstance(actor, Mapping) and actor.get("kind") == "ivr" and body.get("event") not in _LATER


def chain_of(reading: Reading) -> Chain:
    """How the chain stands behind these records."""
    checked = reading.checked
    return Chain(
        records=len(checked),
        streams=len({one.record.body.get("stream") for one in checked}),
        faults=tuple(one.record.id for one in checked if not one.holds),
        digest=sha256(b"".join(one.leaf for one in checked)).hexdigest(),
        whole=len(checked) < MOST_RECORDS,
        taken=reading.taken,
        erased=tuple((moment_of(why.at), why.cause, count) for why, count in causes(reading.gone)),
    )


def _granted(checked: Sequence[Checked]) -> tuple[Grant, ...]:
    return tuple(grant for one in checked if (grant := granted_by(one.record.body)) is not None)


def _flows_of(checked: Sequence[Checked]) -> Iterator[str]:
    """Digests of the flows that records name."""
    for one in checked:
        digest = flow_digest(one.record.body)
        if digest is not None:
            yield digest


async def _names(
    tx: Transaction, checked: Sequence[Checked], routing: Sequence[Row[Any]], parties: Sequence[Row[Any]]
) -> dict[str, str]:
    """How colleagues are shown whoever has done something in the call."""
    actors = [one.record.body.get("actor") for one in checked]
    wanted = {str(actor.get("id")) for actor in actors if isinstance(actor, dict)}
    wanted |= {str(row.staff_id) for row in (*routing, *parties) if row.staff_id}
    wanted |= {str(row.operator) for row in parties}
    return await names_of(tx.connection, wanted)


_CALL = text("SELECT started_at, ended_at FROM call WHERE id = :call AND practice_id = :practice")
_TRACE = text(
    "SELECT document, at, flow, language, asked, typed, prompts FROM call_trace "
    "WHERE call_id = :call AND practice_id = :practice ORDER BY document LIMIT :most"
)
_ROUTING = text(
    "SELECT at, kind, staff_id, detail, waited FROM routing_event "
    "WHERE call_id = :call AND practice_id = :practice ORDER BY number LIMIT :most"
)
_PARTIES = text(
    "SELECT p.made_at, p.joined_at, p.ended_at, p.state, p.sent, p.private, p.staff_id, p.practitioner_id, "
    "r.staff_id AS operator FROM reservation r JOIN talk_party p ON p.reservation_id = r.id "
    "WHERE r.call_id = (SELECT id FROM call WHERE id = :call AND practice_id = :practice) "
    "ORDER BY p.made_at LIMIT :most"
)
